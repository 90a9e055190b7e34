//! Broken variants: each must be noticed, or the rounds prove nothing.

use std::time::Duration;

use super::check::{Checker, Violation};
use super::rounds::Random;
use super::world::{Plan, Until, World};

/// A mutant that survives so many rounds was not noticed.
const ROUNDS: u64 = 20;

#[test]
fn an_entry_that_is_not_waited_for_is_noticed() {
    let found = noticed("mutant::record_after_forward=return");
    println!("noticed: {found:?}");
    assert!(found.is_some(), "it survived {ROUNDS} rounds");
}

#[test]
fn a_commit_that_is_skipped_and_acknowledged_is_noticed() {
    let found = noticed("mutant::acknowledge_without_commit=return");
    println!("noticed: {found:?}");
    assert!(found.is_some(), "it survived {ROUNDS} rounds");
}

/// The round in which it was noticed, and by how many violations.
fn noticed(mutant: &str) -> Option<(u64, usize)> {
    let (mut world, mut checker, mut random) = (World::new(), Checker::default(), Random(0x6A11_9A55));
    for round in 1..=ROUNDS {
        let moment = Until::Reached(usize::try_from(1 + random.below(6)).expect("small"), Duration::ZERO);
        let life = world.live(Plan { fail: Some(mutant), ..Plan::ENDLESS }, moment);
        checker.note(life);
        let found = checker.check(&world, &["failed", "expired"]);
        if found.iter().any(|violation| matches!(violation, Violation::EffectWithoutIntent(_))) {
            return Some((round, found.len()));
        }
    }
    None
}
