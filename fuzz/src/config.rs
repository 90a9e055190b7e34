//! Two configuration files: a user's, and a project's that comes with a repository and may only narrow.

use std::sync::{LazyLock, Mutex, PoisonError};

use hallpass_fuzz_inside::settings::{Pair, Reading, Settings};

/// The line between the user's file and the project's.
const BETWEEN: &[u8] = b"\n---\n";

static FILES: LazyLock<Mutex<Pair>> = LazyLock::new(|| Mutex::new(Pair::new().expect("files in memory")));

/// The user's file, a line `---`, the project's file.
pub fn run(data: &[u8]) {
    let (user, project) = split(data);
    let files = FILES.lock().unwrap_or_else(PoisonError::into_inner);
    let read = |project| files.read(user, project).expect("files in memory");
    let alone = match read(None) {
        Reading::InForce(settings) => settings,
        Reading::Refused(said) => return told(&said),
    };
    assert!(
        matches!(read(Some(b"")), Reading::InForce(same) if same == alone),
        "an empty project's file changed something"
    );
    match project.map(|project| read(Some(project))) {
        Some(Reading::InForce(both)) => narrowed(&alone, &both),
        Some(Reading::Refused(said)) => told(&said),
        None => {}
    }
}

fn split(data: &[u8]) -> (&[u8], Option<&[u8]>) {
    match data.windows(BETWEEN.len()).position(|window| window == BETWEEN) {
        Some(at) => (&data[..at], Some(&data[at + BETWEEN.len()..])),
        None => (data, None),
    }
}

/// A code, at least one sentence with its place, and what to do: nothing that a terminal would obey.
fn told(said: &[String]) {
    assert!(said.len() >= 3 && said.iter().all(|text| !text.is_empty()), "{said:?}");
    assert!(said[0].starts_with("config.") && !said[0].contains(' '), "{said:?}");
    assert!(said[1..said.len() - 1].iter().all(|text| text.starts_with("/proc/self/fd/")), "{said:?}");
}

/// What a project's file may do.
fn narrowed(alone: &Settings, both: &Settings) {
    assert!(both.ttl_s[0] <= alone.ttl_s[0], "a longer life: {alone:?} {both:?}");
    assert!(both.ttl_s[1] <= alone.ttl_s[1], "a longer life in the bounds: {alone:?} {both:?}");
    assert!(listed(&alone.roles, &both.roles), "another role: {alone:?} {both:?}");
    assert!(listed(&alone.deliveries, &both.deliveries), "another delivery: {alone:?} {both:?}");
    let role = both.role.as_ref();
    assert!(role == alone.role.as_ref() || role.is_some_and(|role| alone.roles.contains(role)), "{alone:?} {both:?}");
    assert!(alone.exposes || !both.exposes, "the credential leaves: {alone:?} {both:?}");
    assert!(alone.guarded.iter().zip(both.guarded).all(|(own, new)| new || !own), "a guard fell: {alone:?} {both:?}");
    assert!(alone.deny.iter().all(|action| both.deny.contains(action)), "a denial is gone: {alone:?} {both:?}");
    let caps = alone.caps.iter().zip(both.caps);
    assert!(caps.into_iter().all(|(own, new)| own.is_none_or(|own| new.is_some_and(|new| new <= own))), "a cap grew");
    assert!(alone.budget.is_none() || both.budget.is_some(), "a budget is gone: {alone:?} {both:?}");
    assert_eq!(alone.own, both.own, "a project changed what is the user's alone");
    // The denials of both stand in one list, which is shown as the user's.
    let own = |(key, _, layer): &&(String, _, &str)| *layer != "project" && key != "bounds.deny";
    for value in both.all.iter().filter(own) {
        assert!(alone.all.contains(value), "{value:?} came from nowhere");
    }
}

fn listed<T: PartialEq>(own: &[T], new: &[T]) -> bool {
    own.is_empty() || (!new.is_empty() && new.iter().all(|value| own.contains(value)))
}
