//! SIGKILL at every named place between decide, record, sign, forward and settle.

use super::check::Checker;
use super::world::{Plan, Until, World};

/// The fail points of the binary itself; a unit test there holds this list against the source.
const RUN: [&str; 6] =
    ["run::created", "run::issued", "run::delivered", "run::activated", "run::spawned", "run::ended"];
/// Each point kills at its first passing, and at later ones, when requests overlap.
const PASSINGS: [u32; 3] = [1, 5, 23];

#[test]
fn nothing_is_lost_at_any_fail_point() {
    let gate = hallpass_dataplane::gate::FAIL_POINTS;
    let store = hallpass_control::failpoint::FAIL_POINTS;
    let all: Vec<&str> = gate.iter().chain(&store).chain(&RUN).copied().collect();
    assert!(all.len() >= 20, "{} fail points", all.len());
    let (mut kills, mut lost) = (0, Vec::new());
    for point in &all {
        // A fresh world, so that the store's points are met while it is being made, too.
        let (mut world, mut checker) = (World::new(), Checker::default());
        for passing in PASSINGS {
            let fail = format!("{point}@{passing}");
            let life = world.live(Plan { fail: Some(&fail), requests: 24, threads: 2 }, Until::Exit);
            let killed = life.was_killed();
            assert!(killed || passing > 1, "{point} did not kill: {}: {}", life.status, world.said());
            assert!(killed || life.status.success(), "{fail}: {}: {}", life.status, world.said());
            kills += u32::from(killed);
            checker.note(life);
            let ended = if killed && *point != "run::ended" { KILLED } else { ENDED };
            let ended = if killed && may_have_ended(point) { MAYBE } else { ended };
            let found = checker.check(&world, ended);
            if !found.is_empty() {
                lost.push((fail, found));
            }
        }
    }
    println!("{} fail points, {kills} kills", all.len());
    assert!(lost.is_empty(), "{lost:#?}");
}

const KILLED: &[&str] = &["failed", "expired"];
const ENDED: &[&str] = &["completed"];
const MAYBE: &[&str] = &["completed", "failed", "expired"];

/// The store is still at work when the session's end is already committed.
fn may_have_ended(point: &str) -> bool {
    point.starts_with("store::")
}

#[test]
fn fail_points_are_only_in_what_tests_build() {
    let manifest = include_str!("../../../Cargo.toml");
    let (shipped, tested) = manifest.split_once("[dev-dependencies]").expect("both sections");
    assert!(!shipped.contains("failpoints\""), "a shipped binary would have fail points");
    assert!(tested.contains("failpoints\""), "the tests would test nothing");
    const { assert!(hallpass_control::failpoint::ENABLED) };
}
