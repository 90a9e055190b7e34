//! The account: what is admitted, what is refused, and that the sums hold whatever happens in between.

use hallpass_core::budget::{Account, Amounts, Cap, Caps, Reservation, Usd};
use hallpass_core::delivery::Delivery;
use hallpass_core::id::SessionId;
use hallpass_core::limits::DISTINCT_RESOURCES_MAX;
use hallpass_core::permit::{Bounds, NotPermitted, authorize};
use hallpass_core::policy::ScopedPolicy;
use hallpass_core::session::Session;
use proptest::prelude::*;

fn requests(limit: u64) -> Caps {
    Caps { requests: Some(limit), ..Caps::default() }
}

fn bytes(limit: u64) -> Caps {
    Caps { bytes: Some(limit), ..Caps::default() }
}

fn one(bytes: u64) -> Amounts {
    Amounts { cost: Usd::from_nano(bytes), requests: 1, bytes }
}

#[test]
fn requests_in_flight_count_and_a_released_one_does_not() {
    let mut account = Account::new(requests(2));
    let first = account.reserve(one(0), []).expect("fits");
    let second = account.reserve(one(0), []).expect("fits");
    let full = account.reserve(one(0), []).expect_err("no room");
    assert!(!full.ends, "the two in flight may yet cost nothing: {full:?}");
    account.release(first);
    let third = account.reserve(one(0), []).expect("room again");
    account.settle(second, one(0));
    account.settle(third, one(0));
    let over = account.reserve(one(0), []).expect_err("used up");
    assert!(over.ends && over.cap == Cap::Requests && over.reason().contains("used up"), "{}", over.reason());
}

#[test]
fn a_request_larger_than_the_whole_cap_ends_nothing() {
    let mut account = Account::new(bytes(10));
    let refused = account.reserve(one(11), []).expect_err("too large");
    assert!(!refused.ends && refused.reason().contains("alone"), "{}", refused.reason());
    let fits = account.reserve(one(8), []).expect("fits");
    account.settle(fits, one(8));
    assert!(!account.reserve(one(11), []).expect_err("too large").ends);
    assert!(account.reserve(one(3), []).expect_err("what is left does not do").ends);
}

#[test]
fn a_free_call_passes_at_the_cap_and_not_past_it() {
    let mut account = Account::new(Caps { budget: Some(Usd::from_nano(10)), ..Caps::default() });
    let exact = account.reserve(one(10), []).expect("fits");
    account.settle(exact, one(10));
    let free = account.reserve(one(0), []).expect("costs nothing");
    let settled = account.settle(free, one(1));
    assert!(settled.overshot.is_some_and(|over| over.ends && over.settled == 11));
    assert!(account.reserve(one(0), []).is_err_and(|over| over.ends));
}

#[test]
fn a_stream_takes_more_room_as_it_goes_until_there_is_none() {
    let mut account = Account::new(bytes(100));
    let mut stream = account.reserve(one(40), []).expect("fits");
    let other = account.reserve(one(40), []).expect("fits");
    account.extend(&mut stream, Amounts { bytes: 20, ..Amounts::default() }).expect("fits");
    let full = account.extend(&mut stream, Amounts { bytes: 1, ..Amounts::default() }).expect_err("no room");
    assert!(!full.ends, "the other one may still give its room back");
    assert_eq!((stream.held().bytes, account.reserved().bytes), (60, 100));
    account.settle(other, one(40));
    assert!(account.extend(&mut stream, Amounts { bytes: 1, ..Amounts::default() }).expect_err("none").ends);
    account.settle(stream, one(60));
    assert_eq!(account.settled().bytes, 100);
}

#[test]
fn all_but_one_of_the_calls_whose_cost_is_open_fit_at_their_worst() {
    let usd = Usd::from_nano;
    let mut account = Account::new(Caps { budget: Some(usd(100)), ..Caps::default() });
    let alone = account.reserve_open(one(10), usd(1_000), []).expect("one may differ by as much as it likes");
    let second = account.reserve_open(one(10), usd(200), []).expect_err("not two");
    assert!(second.at_risk == 200 && !second.ends && second.reason().contains("may cost up to"), "{second:?}");
    let known = account.reserve(one(10), []).expect("a call whose cost is known");
    let small = account.reserve_open(one(10), usd(20), []).expect("10 + 10 + 10 + 20 fit, with an eighth to spare");
    assert_eq!(account.reserve_open(one(10), usd(40), []).expect_err("they do not").at_risk, 60);
    let last = account.reserve(one(50), []).expect("what is known takes the rest");
    assert_eq!(account.reserve(one(1), []).expect_err("not beside what is at risk").at_risk, 20);
    assert_eq!(account.reserve(one(21), []).expect_err("full").at_risk, 0, "waiting would not help");
    account.release(last);
    account.settle(alone, one(10));
    account.settle(small, one(10));
    let after = account.reserve_open(one(10), usd(1_000), []).expect("nothing is open any more");
    assert_eq!(account.settle(after, one(500)).overshot.map(|over| over.settled), Some(520));
    account.release(known);
}

#[test]
fn what_a_call_of_open_cost_takes_later_is_part_of_what_it_may_cost() {
    let usd = Usd::from_nano;
    let more = |cost| Amounts { cost: usd(cost), ..Amounts::default() };
    let mut account = Account::new(Caps { budget: Some(usd(100)), ..Caps::default() });
    let mut large = account.reserve_open(one(10), usd(60), []).expect("alone");
    let mut small = account.reserve_open(one(10), usd(50), []).expect("20 and 50");
    account.extend(&mut small, more(25)).expect("foreseen");
    account.extend(&mut large, more(25)).expect("foreseen");
    assert!(account.extend(&mut small, more(40)).expect_err("past the budget").at_risk == 0);
    assert_eq!(account.extend(&mut small, more(26)).expect_err("one more than foreseen").at_risk, 25);
    account.release(large);
    account.extend(&mut small, more(26)).expect("alone");
    account.settle(small, one(61));
    assert_eq!(account.reserved(), Amounts::default());
}

#[test]
fn distinct_resources_are_counted_once_and_those_never_touched_not_at_all() {
    let mut account = Account::new(Caps { resources: Some(2), ..Caps::default() });
    let a = account.reserve(one(0), ["a", "a"]).expect("one");
    let again = account.reserve(one(0), ["a"]).expect("the same");
    let b = account.reserve(one(0), ["b"]).expect("two");
    assert!(!account.reserve(one(0), ["c"]).expect_err("three").ends, "b may yet not be sent");
    assert!(!account.reserve(one(0), ["x", "y", "z"]).expect_err("more than the cap").ends);
    account.release(b);
    let c = account.reserve(one(0), ["c", "a"]).expect("two");
    for reservation in [a, again, c] {
        account.settle(reservation, one(0));
    }
    assert!(account.reserve(one(0), ["d"]).expect_err("three").ends);
    let known = account.reserve(one(0), ["a", "c"]).expect("both known");
    account.release(known);
    assert_eq!(account.resources(), 2);
}

#[test]
fn a_warning_comes_once_at_each_threshold_and_the_highest_alone() {
    let mut account = Account::new(requests(100));
    let mut seen = Vec::new();
    for _ in 0..100 {
        let reservation = account.reserve(one(0), []).expect("fits");
        seen.extend(account.settle(reservation, one(0)).warnings.into_iter().map(|w| (w.percent, w.used)));
    }
    assert_eq!(seen, [(50, 50), (80, 80), (95, 95)]);
    let mut account = Account::new(bytes(10));
    let reservation = account.reserve(one(10), []).expect("fits");
    assert_eq!(account.settle(reservation, one(10)).warnings.len(), 1, "not three at once");
}

#[test]
fn a_session_with_caps_that_are_none_or_that_nobody_enforces_is_not_permitted() {
    let now: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().expect("time");
    let permitted = |change: fn(&mut Session)| {
        let mut session = pending(now);
        change(&mut session);
        authorize(&session, &Bounds::default(), now).map(drop)
    };
    assert!(permitted(|_| {}).is_ok());
    assert!(permitted(|s| (s.budget, s.max_bytes) = (Some(2.5), Some(1))).is_ok());
    assert!(permitted(|s| s.max_resources = Some(DISTINCT_RESOURCES_MAX)).is_ok());
    let cap = |refused: Result<(), NotPermitted>| matches!(refused, Err(NotPermitted::Cap { .. }));
    assert!(cap(permitted(|s| s.max_resources = Some(DISTINCT_RESOURCES_MAX + 1))));
    assert!(cap(permitted(|s| s.max_requests = Some(0))) && cap(permitted(|s| s.max_bytes = Some(u64::MAX))));
    for budget in [f64::NAN, f64::INFINITY, 0.0, -1.0] {
        let session = Session { budget: Some(budget), ..pending(now) };
        assert!(matches!(authorize(&session, &Bounds::default(), now), Err(NotPermitted::Budget(_))), "{budget}");
    }
    for delivery in [Delivery::Env, Delivery::File, Delivery::CredentialEndpoint] {
        let session = Session { max_requests: Some(1), delivery, ..pending(now) };
        let refused = authorize(&session, &Bounds::default(), now);
        assert!(matches!(refused, Err(NotPermitted::NotCapped(_))), "{delivery:?}");
    }
}

fn pending(now: jiff::Timestamp) -> Session {
    let policy = serde_json::json!({"actions": [{"service": "s3", "action": "GetObject"}], "resources": ["*"]});
    let policy: ScopedPolicy = serde_json::from_value(policy).expect("a policy");
    let ttl = jiff::SignedDuration::from_secs(60);
    Session::new(SessionId::new("a").expect("legal"), now, ttl, None, policy, String::new(), vec![])
}

#[derive(Debug, Clone)]
enum Step {
    Reserve(u64, u8),
    Extend(usize, u64),
    Settle(usize, u64),
    Release(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..40_u64, 0..6_u8).prop_map(|(need, resource)| Step::Reserve(need, resource)),
        2 => (any::<usize>(), 0..20_u64).prop_map(|(at, more)| Step::Extend(at, more)),
        3 => (any::<usize>(), 0..60_u64).prop_map(|(at, used)| Step::Settle(at, used)),
        1 => any::<usize>().prop_map(Step::Release),
    ]
}

/// A second book-keeping, as slow and plain as can be.
#[derive(Default)]
struct Book {
    settled: Amounts,
    open: Vec<(Reservation, &'static str)>,
    kept: std::collections::BTreeSet<&'static str>,
}

impl Book {
    fn reserved(&self) -> Amounts {
        self.open.iter().fold(Amounts::default(), |sum, (reservation, _)| sum.plus(reservation.held()))
    }

    fn resources(&self) -> u64 {
        let open = self.open.iter().map(|(_, name)| *name);
        self.kept.iter().copied().chain(open).collect::<std::collections::BTreeSet<_>>().len() as u64
    }
}

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

proptest! {
    #[test]
    fn settled_plus_reserved_is_within_every_cap_at_each_admission(
        steps in prop::collection::vec(step(), 1..120),
        limits in (1..200_u64, 1..60_u64, 1..200_u64, 1..5_u64),
    ) {
        let caps = Caps {
            budget: Some(Usd::from_nano(limits.0)),
            requests: Some(limits.1),
            bytes: Some(limits.2),
            resources: Some(limits.3),
        };
        let mut account = Account::new(caps);
        let mut book = Book::default();
        for step in steps {
            let mut admitted = false;
            match step {
                Step::Reserve(need, resource) => {
                    let name = NAMES[usize::from(resource)];
                    if let Ok(reservation) = account.reserve(one(need), [name]) {
                        book.open.push((reservation, name));
                        admitted = true;
                    }
                }
                Step::Extend(at, more) if !book.open.is_empty() => {
                    let at = at % book.open.len();
                    admitted = account.extend(&mut book.open[at].0, Amounts { requests: 0, ..one(more) }).is_ok();
                }
                Step::Settle(at, used) if !book.open.is_empty() => {
                    let (reservation, name) = book.open.swap_remove(at % book.open.len());
                    account.settle(reservation, one(used));
                    book.settled = book.settled.plus(one(used));
                    book.kept.insert(name);
                }
                Step::Release(at) if !book.open.is_empty() => {
                    account.release(book.open.swap_remove(at % book.open.len()).0);
                }
                Step::Extend(..) | Step::Settle(..) | Step::Release(_) => {}
            }
            prop_assert_eq!(account.settled(), book.settled);
            prop_assert_eq!(account.reserved(), book.reserved());
            prop_assert_eq!(account.resources(), book.resources());
            if admitted {
                let sum = account.settled().plus(account.reserved());
                prop_assert!(sum.cost.nano() <= limits.0 && sum.requests <= limits.1 && sum.bytes <= limits.2);
                prop_assert!(account.resources() <= limits.3);
            }
        }
    }

    #[test]
    fn whatever_calls_cost_a_budget_is_passed_by_the_difference_of_one(
        steps in prop::collection::vec((0..4_u8, 0..30_u64, 0..120_u64, any::<usize>(), 0..=100_u64), 1..150),
        limit in 1..400_u64,
    ) {
        let mut account = Account::new(Caps { budget: Some(Usd::from_nano(limit)), ..Caps::default() });
        // With each: what it reserved as it was let through, and what it may still cost.
        let mut open: Vec<(Reservation, u64, u64)> = Vec::new();
        let mut largest_difference = 0;
        let mut settle = |account: &mut Account, (reservation, reserved, excess): (Reservation, u64, u64), share: u64| {
            let used = reservation.held().cost.nano() + excess * share / 100;
            largest_difference = largest_difference.max(used.saturating_sub(reserved));
            account.settle(reservation, one(used));
            (account.settled().cost.nano(), largest_difference)
        };
        for (kind, need, excess, at, share) in steps {
            let at = at % open.len().max(1);
            match kind {
                0 | 1 => {
                    let excess = excess * u64::from(kind);
                    let reserved = account.reserve_open(one(need), Usd::from_nano(excess), []);
                    open.extend(reserved.ok().map(|reservation| (reservation, need, excess)));
                }
                2 if !open.is_empty() => {
                    let more = Amounts { cost: Usd::from_nano(need), ..Amounts::default() };
                    let (reservation, _, excess) = &mut open[at];
                    if account.extend(reservation, more).is_ok() {
                        *excess = excess.saturating_sub(need);
                    }
                }
                _ if !open.is_empty() => {
                    let (settled, difference) = settle(&mut account, open.swap_remove(at), share);
                    prop_assert!(settled <= limit + difference, "{settled} of {limit}, {difference}");
                }
                _ => {}
            }
        }
        while let Some(last) = open.pop() {
            let (settled, difference) = settle(&mut account, last, 100);
            prop_assert!(settled <= limit + difference, "{settled} of {limit}, {difference}");
        }
        prop_assert_eq!(account.reserved(), Amounts::default());
    }

    #[test]
    fn what_is_used_as_reserved_never_overshoots(needs in prop::collection::vec(0..30_u64, 1..80), limit in 1..300_u64) {
        let mut account = Account::new(bytes(limit));
        let mut open = Vec::new();
        for (at, need) in needs.into_iter().enumerate() {
            open.extend(account.reserve(one(need), []).ok());
            if at % 3 == 0 && let Some(reservation) = open.pop() {
                let used = reservation.held();
                prop_assert!(account.settle(reservation, used).overshot.is_none());
            }
        }
        for reservation in open {
            let used = reservation.held();
            prop_assert!(account.settle(reservation, used).overshot.is_none());
        }
        prop_assert!(account.settled().bytes <= limit);
    }
}
