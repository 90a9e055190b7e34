//! Child sessions: made under a living parent, ended with it, and never more than it.

use hallpass_control::files;
use hallpass_control::store::StoreError;
use hallpass_core::session::{Session, SessionEvent, SessionStatus};
use hallpass_testkit::store_fixtures::{activate, change, id, new_session, request_allowed, run, session, start};
use jiff::SignedDuration;
use rusqlite::Connection;

use crate::support::Place;

fn child(name: &str, parent: &str) -> Session {
    Session { parent: Some(id(parent)), ..session(name) }
}

#[test]
fn the_end_of_a_session_ends_its_children_of_every_depth_in_the_same_way() {
    for (event, status, of_pending) in [
        (SessionEvent::Revoke, SessionStatus::Revoked, SessionStatus::Revoked),
        (SessionEvent::Expire, SessionStatus::Expired, SessionStatus::Expired),
        (SessionEvent::Complete, SessionStatus::Completed, SessionStatus::Failed),
        (SessionEvent::Fail, SessionStatus::Failed, SessionStatus::Failed),
    ] {
        let place = Place::new();
        let store = place.open();
        run(async {
            activate(&*store, session("top")).await;
            activate(&*store, child("one", "top")).await;
            activate(&*store, child("below", "one")).await;
            activate(&*store, session("other")).await;
            store.create(new_session(child("pending", "top"))).await.expect("created");
            store.transition(change("top", event)).await.expect("ends");
            for (name, status) in [
                ("top", status),
                ("one", status),
                ("below", status),
                ("pending", of_pending),
                ("other", SessionStatus::Active),
            ] {
                let record = store.session(&id(name)).await.expect("reads").expect("there");
                assert_eq!(record.session.status, status, "{name} after {event}");
            }
            let below = store.session(&id("below")).await.expect("reads").expect("there").session;
            assert_eq!(below.parent, Some(id("one")));
            assert!(below.end_reason.expect("a reason").starts_with("its parent session ended: "));
            let late = store.append(Some(&id("below")), request_allowed()).await;
            assert!(matches!(late, Err(StoreError::NotActive { .. })), "{late:?}");
        });
    }
}

#[test]
fn a_child_session_needs_an_active_parent_and_does_not_outlive_it() {
    let place = Place::new();
    let store = place.open();
    run(async {
        store.create(new_session(session("pending"))).await.expect("created");
        activate(&*store, session("ended")).await;
        store.transition(change("ended", SessionEvent::Complete)).await.expect("ends");
        activate(&*store, session("top")).await;
        for parent in ["pending", "ended"] {
            let refused = store.create(new_session(child("a", parent))).await;
            assert!(matches!(refused, Err(StoreError::NotActive { .. })), "{parent}: {refused:?}");
        }
        assert!(matches!(store.create(new_session(child("a", "nobody"))).await, Err(StoreError::NotFound(_))));
        let longer = child("a", "top");
        let longer = Session { expires_at: longer.expires_at + SignedDuration::from_micros(1), ..longer };
        assert!(matches!(store.create(new_session(longer)).await, Err(StoreError::Invalid(_))));
        store.create(new_session(child("a", "top"))).await.expect("a child as long as its parent");
    });
    let sql = Connection::open(place.file(files::DATABASE)).expect("opens");
    let refused = |statement: &str, why: &str| {
        let error = sql.execute(statement, []).expect_err(statement).to_string();
        assert!(error.contains(why), "{error}");
    };
    refused("UPDATE sessions SET parent_id = NULL WHERE id = 'a'", "parent does not change");
    refused("UPDATE sessions SET status = 'completed', ended_at = 1 WHERE id = 'top'", "cannot end without it");
}

#[test]
fn a_child_session_ended_alone_leaves_its_parent_and_is_never_lent_again() {
    let place = Place::new();
    let store = place.open();
    run(async {
        activate(&*store, session("top")).await;
        let lent = activate(&*store, child("one", "top")).await.session;
        let key = hallpass_control::authority::AuthorityKey::of(&lent);
        let found = store.find_reusable(&key, 0, start()).await.expect("reads").expect("the parent");
        assert_eq!(found.session.id, id("top"), "a child session is its parent's alone");
        store.transition(change("one", SessionEvent::Revoke)).await.expect("ends");
        let top = store.session(&id("top")).await.expect("reads").expect("there");
        assert_eq!(top.session.status, SessionStatus::Active);
        store.append(Some(&id("top")), request_allowed()).await.expect("the parent goes on");
    });
}
