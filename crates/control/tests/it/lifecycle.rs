//! Sessions whose process is gone, and the repair of what it left.

use hallpass_control::Keeper;
use hallpass_control::lifecycle::{Repaired, end, repair};
use hallpass_control::store::{EntryFilter, NewSession, Store, StoreError, Transition};
use hallpass_core::audit::Event;
use hallpass_core::clock::Clock;
use hallpass_core::limits::UNKEPT_START_S_MAX;
use hallpass_core::session::{SessionEvent, SessionStatus};
use hallpass_testkit::store_fixtures::{
    TTL_S, activate, change, dead_keeper, id, new_session, request_allowed, request_settled, run, session,
};

use crate::support::Place;

async fn orphan(store: &dyn Store, name: &str) {
    let new = NewSession { keeper: Some(dead_keeper()), ..new_session(session(name)) };
    store.create(new).await.expect("created");
}

async fn repaired(place: &Place, store: &dyn Store) -> Repaired {
    repair(store, place.clock.now(), &Keeper::is_alive).await.expect("repairs")
}

#[test]
fn unknown_requests_are_listed_and_settled_ones_are_not() {
    let place = Place::new();
    let store = place.open();
    run(async {
        orphan(&*store, "s").await;
        orphan(&*store, "other").await;
        for name in ["s", "other"] {
            store.transition(change(name, SessionEvent::Activate)).await.expect("activated");
        }
        let mut positions = Vec::new();
        for _ in 0..5 {
            positions.push(store.append(Some(&id("s")), request_allowed()).await.expect("appended").0);
        }
        let foreign = store.append(Some(&id("other")), request_allowed()).await.expect("appended").0;
        store.append_later(Some(&id("s")), request_settled(positions[1]));
        store.append_later(Some(&id("s")), request_settled(positions[4]));
        store.flush().await.expect("flushed");
        let done = repaired(&place, &*store).await;
        assert_eq!(done.requests_unknown, 4);
        let unknown = |name: &str| {
            let kinds = vec!["requests_unknown".to_owned()];
            let filter = EntryFilter { session: Some(id(name)), kinds, ..EntryFilter::default() };
            let store = &store;
            async move {
                let entries = store.entries(filter).await.expect("reads");
                entries.iter().map(|entry| entry.decode().expect("an entry").event).collect::<Vec<_>>()
            }
        };
        let expected = Event::RequestsUnknown { of: vec![positions[0], positions[2], positions[3]] };
        assert_eq!(unknown("s").await, [expected]);
        assert_eq!(unknown("other").await, [Event::RequestsUnknown { of: vec![foreign] }]);
        assert_eq!(repaired(&place, &*store).await, Repaired::default(), "repairing twice changes nothing");
    });
    drop(store);
    assert_eq!(place.codes(), [""; 0]);
}

#[test]
fn what_was_killed_in_time_failed_and_what_ran_out_expired() {
    let place = Place::new();
    let store = place.open();
    run(async {
        for name in ["a", "b"] {
            orphan(&*store, name).await;
        }
        store.transition(change("b", SessionEvent::Activate)).await.expect("activated");
        activate(&*store, session("kept")).await;
        let done = repaired(&place, &*store).await;
        let mut ended: Vec<_> = done.ended.iter().map(|r| (r.session.id.as_str(), r.session.status)).collect();
        ended.sort_by_key(|(name, _)| *name);
        assert_eq!(ended, [("a", SessionStatus::Failed), ("b", SessionStatus::Failed)]);
        assert!(done.ended.iter().all(|record| record.session.end_reason.is_some()));
        orphan(&*store, "late").await;
        place.clock.advance_s(TTL_S);
        let done = repaired(&place, &*store).await;
        assert_eq!(done.ended.len(), 1);
        assert_eq!(done.ended[0].session.status, SessionStatus::Expired);
        let kept = store.session(&id("kept")).await.expect("reads").expect("is there").session.status;
        assert_eq!(kept, SessionStatus::Active, "its process lives, so its end is not ours to record");
    });
}

#[test]
fn a_session_that_nobody_keeps_is_ended_too() {
    let place = Place::new();
    let store = place.open();
    run(async {
        store.create(NewSession { keeper: None, ..new_session(session("s")) }).await.expect("created");
        assert_eq!(repaired(&place, &*store).await, Repaired::default(), "it may be issued at this very moment");
        place.clock.advance_s(UNKEPT_START_S_MAX + 1);
        assert_eq!(repaired(&place, &*store).await.ended.len(), 1);
    });
}

#[test]
fn a_credential_that_was_handed_out_lives_without_its_process_until_its_time_is_over() {
    let place = Place::new();
    let store = place.open();
    run(async {
        store.create(NewSession { keeper: None, ..new_session(session("s")) }).await.expect("created");
        store.transition(change("s", SessionEvent::Activate)).await.expect("activated");
        place.clock.advance_s(TTL_S - 1);
        assert_eq!(repaired(&place, &*store).await, Repaired::default());
        assert_eq!(place.codes(), [""; 0], "an open session of nobody is no missing end");
        place.clock.advance_s(1);
        let done = repaired(&place, &*store).await;
        assert_eq!(done.ended.first().map(|record| record.session.status), Some(SessionStatus::Expired));
    });
    drop(store);
    assert_eq!(place.codes(), [""; 0]);
}

#[test]
fn the_uncovered_end_of_the_log_is_signed_by_the_repair() {
    let place = Place::new();
    let store = place.open();
    run(async {
        store.append(None, hallpass_testkit::store_fixtures::request_denied(1)).await.expect("appended");
        let before = store.log_info().await.expect("reads");
        assert!(before.signed_size < before.size);
        repaired(&place, &*store).await;
        let after = store.log_info().await.expect("reads");
        assert_eq!((after.signed_size, after.size), (before.size, before.size));
    });
}

#[test]
fn many_unknown_requests_fit_into_entries() {
    let place = Place::new();
    let store = place.open();
    run(async {
        orphan(&*store, "s").await;
        store.transition(change("s", SessionEvent::Activate)).await.expect("activated");
        for _ in 0..2_100 {
            store.append_later(Some(&id("s")), request_allowed());
        }
        store.flush().await.expect("flushed");
        assert_eq!(repaired(&place, &*store).await.requests_unknown, 2_100);
        let filter = EntryFilter { kinds: vec!["requests_unknown".into()], ..EntryFilter::default() };
        assert_eq!(store.entries(filter).await.expect("reads").len(), 2);
    });
}

#[test]
fn an_end_waits_for_the_outcomes_and_does_not_fail_for_a_bad_one() {
    let place = Place::new();
    let store = place.open();
    run(async {
        activate(&*store, session("s")).await;
        store.append_later(Some(&id("nobody")), request_settled(1));
        store.append_later(Some(&id("s")), request_settled(1));
        let record = end(&*store, change("s", SessionEvent::Complete)).await.expect("ends");
        assert_eq!(record.session.status, SessionStatus::Completed);
        let filter = EntryFilter { newest_first: true, limit: 2, ..EntryFilter::default() };
        let last = store.entries(filter).await.expect("reads");
        let kinds: Vec<_> = last.iter().map(|entry| entry.decode().expect("an entry").event.kind()).collect();
        assert_eq!(kinds, ["session_ended", "request_settled"]);
        let again = Transition::new(id("s"), SessionEvent::Expire, place.clock.now(), "late");
        assert!(matches!(end(&*store, again).await, Err(StoreError::Conflict { .. })));
    });
}
