//! Named places at which a test can kill `run`. They exist only where a test build switches on the fail points of
//! `control`; elsewhere they are nothing.

/// Every fail point of `run`, in the order in which it passes them.
#[cfg(test)]
const FAIL_POINTS: [&str; 6] =
    ["run::created", "run::issued", "run::delivered", "run::activated", "run::spawned", "run::ended"];

/// `fail_point!("name")`: a place where `HALLPASS_FAIL=name` kills this process with SIGKILL.
macro_rules! fail_point {
    ($name:literal) => {
        hallpass_control::failpoint::reached($name)
    };
}

/// Arms the fail point that `HALLPASS_FAIL` names, here or in the crates below.
pub(crate) fn arm() {
    if !hallpass_control::failpoint::ENABLED {
        return;
    }
    let Some(order) = crate::environment::text("HALLPASS_FAIL") else { return };
    if let Err(error) = hallpass_control::failpoint::arm(&order) {
        tracing::error!(%error, "the fail point cannot be armed");
    }
}

#[cfg(test)]
mod tests {
    use super::FAIL_POINTS;

    #[test]
    fn the_list_of_fail_points_is_what_the_source_has() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/command");
        let mut files = vec![folder.join("run.rs")];
        let inner = std::fs::read_dir(folder.join("run")).expect("source").map(|e| e.expect("entry").path());
        files.extend(inner.filter(|path| !path.ends_with("fail_points.rs")));
        let mut found = Vec::new();
        for file in files {
            let text = std::fs::read_to_string(file).expect("text");
            let names = text.split("fail_point!(\"").skip(1).filter_map(|part| part.split('"').next());
            found.extend(names.map(str::to_owned));
        }
        found.sort();
        let mut listed = FAIL_POINTS.map(str::to_owned).to_vec();
        listed.sort();
        assert_eq!(found, listed, "each point is listed, and used once");
    }
}
