//! The store against a small model of it: any sequence of operations has the same answers and leaves the same state.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hallpass_control::Keeper;
use hallpass_control::audit::verify;
use hallpass_control::authority::AuthorityKey;
use hallpass_control::store::{EntryFilter, Filter, Page, Retention, Store, Transition, connect};
use hallpass_core::session::{SessionEvent, SessionStatus};
use hallpass_testkit::store_fixtures::{
    TTL_S, change, id, new_session, request_allowed, request_denied, run, session, start,
};
use jiff::SignedDuration;
use proptest::prelude::*;

use crate::support::Place;

#[derive(Debug, Clone)]
enum Step {
    Create(u8),
    Change(u8, SessionEvent),
    Allow(u8),
    Deny(u8, u64),
    Later(u8),
    Prune(u64),
    Advance(i64),
    Checkpoint,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let name = 0..6_u8;
    prop_oneof![
        3 => name.clone().prop_map(Step::Create),
        4 => (name.clone(), prop::sample::select(SessionEvent::ALL.to_vec())).prop_map(|(n, e)| Step::Change(n, e)),
        3 => name.clone().prop_map(|n| Step::Change(n, SessionEvent::Activate)),
        4 => name.clone().prop_map(Step::Allow),
        2 => (name.clone(), 1..5_u64).prop_map(|(n, count)| Step::Deny(n, count)),
        2 => name.prop_map(Step::Later),
        1 => (0..4_u64).prop_map(Step::Prune),
        1 => (1..TTL_S).prop_map(Step::Advance),
        1 => Just(Step::Checkpoint),
        1 => Just(Step::Reopen),
    ]
}

/// Sessions as (state, allowed, denied, end, order of ending), and kinds of entries.
#[derive(Debug, Default)]
struct Model {
    sessions: BTreeMap<u8, Modelled>,
    /// Ids that are or were taken.
    taken: BTreeSet<u8>,
    kinds: Vec<&'static str>,
    clock_s: i64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Modelled {
    status: SessionStatus,
    allowed: u64,
    denied: u64,
    ended_s: Option<i64>,
}

impl Model {
    fn new() -> Self {
        Self { kinds: vec!["log_opened"], ..Self::default() }
    }

    fn create(&mut self, name: u8) -> bool {
        if !self.taken.insert(name) {
            return false;
        }
        let new = Modelled { status: SessionStatus::Pending, allowed: 0, denied: 0, ended_s: None };
        self.sessions.insert(name, new);
        self.kinds.push("session_created");
        true
    }

    fn change(&mut self, name: u8, event: SessionEvent) -> Option<SessionStatus> {
        let now = self.clock_s;
        let session = self.sessions.get_mut(&name)?;
        let after = session.status.on(event).ok()?;
        if after != session.status {
            session.status = after;
            session.ended_s = after.is_final().then_some(now);
            self.kinds.push(if after.is_final() { "session_ended" } else { "session_activated" });
        }
        Some(after)
    }

    fn allow(&mut self, name: u8) -> bool {
        let in_time = self.clock_s < TTL_S;
        let session = self.sessions.get_mut(&name).filter(|s| s.status == SessionStatus::Active && in_time);
        session.is_some_and(|session| {
            session.allowed += 1;
            self.kinds.push("request_allowed");
            true
        })
    }

    fn deny(&mut self, name: u8, count: u64) -> bool {
        self.sessions.get_mut(&name).is_some_and(|session| {
            session.denied += count;
            self.kinds.push("request_denied");
            true
        })
    }

    fn prune(&mut self, kept_max: u64) -> u64 {
        let mut ended: Vec<(i64, u8)> = self.sessions.iter().filter_map(|(n, s)| Some((s.ended_s?, *n))).collect();
        ended.sort_unstable();
        let surplus = ended.len().saturating_sub(usize::try_from(kept_max).expect("small"));
        ended[..surplus].iter().for_each(|(_, name)| _ = self.sessions.remove(name));
        self.kinds.extend((surplus > 0).then_some("sessions_pruned"));
        surplus as u64
    }
}

fn name(number: u8) -> String {
    format!("s{number}")
}

async fn play(store: &dyn Store, place: &Place, model: &mut Model, step: Step) {
    let now = start() + SignedDuration::from_secs(model.clock_s);
    match step {
        Step::Create(n) => {
            let created = store.create(new_session(session(&name(n)))).await;
            assert_eq!(created.is_ok(), model.create(n), "{created:?}");
        }
        Step::Change(n, event) => {
            let answer = store.transition(Transition { at: now, ..change(&name(n), event) }).await;
            assert_eq!(answer.as_ref().ok().map(|r| r.session.status), model.change(n, event), "{answer:?}");
        }
        Step::Allow(n) => {
            let allowed = store.append(Some(&id(&name(n))), request_allowed()).await;
            assert_eq!(allowed.is_ok(), model.allow(n), "{allowed:?}");
        }
        Step::Deny(n, count) => {
            let denied = store.append(Some(&id(&name(n))), request_denied(count)).await;
            assert_eq!(denied.is_ok(), model.deny(n, count), "{denied:?}");
        }
        Step::Later(n) => {
            store.append_later(Some(&id(&name(n))), request_denied(1));
            assert_eq!(store.flush().await.is_ok(), model.deny(n, 1));
        }
        Step::Prune(kept_max) => {
            let pruned = store.prune(Retention { kept_max, ended_before: None }).await.expect("prunes");
            assert_eq!(pruned.count, model.prune(kept_max));
        }
        Step::Advance(seconds) => {
            place.clock.advance_s(seconds);
            model.clock_s += seconds;
        }
        Step::Checkpoint => assert_eq!(store.checkpoint().await.expect("signed").size, model.kinds.len() as u64),
        Step::Reopen => {}
    }
}

async fn compare(store: &dyn Store, model: &Model) {
    let listing = store.list(Filter::default(), Page::default()).await.expect("reads");
    let found: BTreeMap<String, Modelled> = listing
        .records
        .iter()
        .map(|record| {
            let ended = record.session.ended_at;
            let ended_s = ended.map(|at| at.duration_since(start()).as_secs());
            let (allowed, denied) = (record.requests_allowed, record.requests_denied);
            (record.session.id.to_string(), Modelled { status: record.session.status, allowed, denied, ended_s })
        })
        .collect();
    assert_eq!(found, model.sessions.iter().map(|(n, s)| (name(*n), *s)).collect());
    let entries = store.entries(EntryFilter::default()).await.expect("reads");
    let kinds: Vec<_> = entries.iter().map(|entry| entry.decode().expect("an entry").event.kind()).collect();
    assert_eq!(kinds, model.kinds);
    let now = start() + SignedDuration::from_secs(model.clock_s);
    let reusable = store.find_reusable(&AuthorityKey::of(&session("x")), 1, now).await.expect("reads");
    let active = model.sessions.values().any(|s| s.status == SessionStatus::Active);
    assert_eq!(reusable.is_some(), active && model.clock_s < TTL_S);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_sequence_of_operations_does_what_the_model_does(steps in prop::collection::vec(step(), 1..40)) {
        let place = Place::new();
        let mut model = Model::new();
        let mut store = place.open();
        for step in steps {
            if matches!(step, Step::Reopen) {
                drop(store);
                store = place.open();
            }
            run(play(&*store, &place, &mut model, step));
        }
        run(compare(&*store, &model));
        drop(store);
        let verdict = verify(&place.source(), &Keeper::is_alive).expect("reads");
        prop_assert_eq!(verdict.findings, vec![]);
        let reopened: Arc<dyn Store> = connect(hallpass_control::StoreOptions::new(place.dir(), place.clock.clone())).expect("opens");
        run(compare(&*reopened, &model));
    }
}
