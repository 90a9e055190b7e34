//! Named places at which a test can stop, delay or break the gate. They exist only with the cargo feature
//! `failpoints`; without it every macro here expands to nothing.

/// Every fail point, in the order of a request's way.
pub const FAIL_POINTS: [&str; 18] = [
    "gate::head",
    "gate::authenticate",
    "gate::body",
    "gate::verify",
    "gate::state",
    "gate::resolve",
    "gate::decide",
    "gate::deny",
    "gate::record",
    "gate::recorded",
    "gate::credential",
    "gate::sign",
    "gate::signed",
    "gate::forward",
    "gate::upload",
    "gate::answer",
    "gate::download",
    "gate::settle",
];

/// `fail_point!("name")` pauses, sleeps or panics there; `fail_point!("name", value)` also returns `value`.
#[cfg(feature = "failpoints")]
macro_rules! fail_point {
    ($name:literal) => {
        fail::fail_point!($name)
    };
    ($name:literal, $value:expr) => {
        fail::fail_point!($name, |_| $value)
    };
}

#[cfg(not(feature = "failpoints"))]
macro_rules! fail_point {
    ($name:literal) => {};
    ($name:literal, $value:expr) => {};
}

pub(super) use fail_point;

/// True when a test asks for the mutant that signs first and records afterwards. It shows that the test of
/// invariant 4 would notice.
#[cfg(feature = "failpoints")]
pub(super) fn broken_order() -> bool {
    fail::eval("mutant::sign_before_record", |_| ()).is_some()
}

/// True when a test asks for the mutant that does not wait for the entry before it forwards. It shows that killing
/// the process would notice.
#[cfg(feature = "failpoints")]
pub(super) fn broken_wait() -> bool {
    fail::eval("mutant::record_after_forward", |_| ()).is_some()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::FAIL_POINTS;

    #[test]
    fn the_list_of_fail_points_is_what_the_source_has() {
        let mut found = BTreeMap::<String, u32>::new();
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/gate");
        for file in std::fs::read_dir(folder).expect("source") {
            let path = file.expect("entry").path();
            if path.ends_with("fail_points.rs") || path.is_dir() {
                continue;
            }
            let text = std::fs::read_to_string(path).expect("text");
            for part in text.split("fail_point!(\"").skip(1) {
                let name = part.split('"').next().expect("a name");
                *found.entry(name.to_owned()).or_default() += 1;
            }
        }
        let listed: BTreeMap<String, u32> = FAIL_POINTS.iter().map(|name| ((*name).to_owned(), 1)).collect();
        assert_eq!(found, listed, "each point is listed, and used once");
        assert!(FAIL_POINTS.len() >= 12);
    }
}
