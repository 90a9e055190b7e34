//! SIGKILL at random moments.

use std::time::{Duration, Instant};

use super::check::Checker;
use super::world::{Plan, Until, World};

/// Rounds without HALLPASS_CRASH_ROUNDS.
const ROUNDS: u64 = 300;
/// The log is read and verified after so many rounds.
const CHECK_EVERY: u64 = 50;
/// No round may take longer, on average.
const ROUND_MAX: Duration = Duration::from_secs(2);

#[test]
fn nothing_is_lost_when_hallpass_is_killed_at_random_moments() {
    let rounds = setting("HALLPASS_CRASH_ROUNDS").unwrap_or(ROUNDS);
    let seed = setting("HALLPASS_CRASH_SEED").unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0);
    println!("HALLPASS_CRASH_SEED={seed} HALLPASS_CRASH_ROUNDS={rounds}");
    let (mut world, mut checker, mut random) = (World::new(), Checker::default(), Random(seed | 1));
    let begun = Instant::now();
    for round in 1..=rounds {
        let life = world.live(Plan::ENDLESS, moment(&mut random));
        assert!(life.was_killed(), "{}: {}", life.status, world.said());
        checker.note(life);
        if round % CHECK_EVERY == 0 || round == rounds {
            let found = checker.check(&world, &["failed", "expired"]);
            assert!(found.is_empty(), "seed {seed}, round {round}: {} violations: {:#?}", found.len(), first(&found));
        }
        assert!(begun.elapsed() < ROUND_MAX * u32::try_from(round + 30).expect("few"), "rounds take too long");
    }
    println!("{rounds} rounds in {:.1} s: {:?}", begun.elapsed().as_secs_f64(), checker.totals);
    let total = |what| checker.totals.get(what).copied().unwrap_or(0);
    assert!(total("reached") > 3 * rounds, "too little happened to prove anything: {:?}", checker.totals);
    assert!(total("unknown") > 0 || rounds < 50, "no kill hit a request under way: {:?}", checker.totals);
}

/// Anywhere in the start; in the very moment in which a request arrives; or a little later.
fn moment(random: &mut Random) -> Until {
    match random.below(10) {
        0 => Until::Elapsed(Duration::from_micros(random.below(200_000))),
        1..=5 => Until::Reached(usize::try_from(1 + random.below(40)).expect("small"), Duration::ZERO),
        _ => Until::Reached(1, Duration::from_micros(random.below(30_000))),
    }
}

fn first<T>(all: &[T]) -> &[T] {
    &all[..all.len().min(10)]
}

#[expect(clippy::disallowed_methods, reason = "what steers a test comes from outside")]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// xorshift64*: reproducible, and nothing more.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) % limit
    }
}
