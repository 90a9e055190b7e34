//! A store of an earlier version is brought up to date where it stands, and nothing in it is lost.

use hallpass_core::session::SessionStatus;
use hallpass_testkit::store_fixtures::{activate, id, request_settled, run, session};

use crate::support::Place;

/// Makes a store of the first version, as it was before sessions had caps.
fn first_version() -> Place {
    let place = Place::new();
    place.populate();
    let raw = place.raw();
    raw.execute_batch(
        "ALTER TABLE sessions DROP COLUMN max_requests; ALTER TABLE sessions DROP COLUMN max_bytes; \
         ALTER TABLE sessions DROP COLUMN max_resources; ALTER TABLE sessions DROP COLUMN spent_nano_usd; \
         ALTER TABLE sessions DROP COLUMN bytes_passed; DELETE FROM schema_version WHERE version > 1; \
         DROP INDEX sessions_live_children; ALTER TABLE sessions DROP COLUMN parent_id",
    )
    .expect("goes back");
    drop(raw);
    place
}

#[test]
fn a_store_of_the_first_version_gets_caps_and_sums_and_keeps_what_it_held() {
    let place = first_version();
    run(async {
        let store = place.open();
        activate(&*store, session("new")).await;
        store.append_later(Some(&id("new")), request_settled(1));
        store.flush().await.expect("flushed");
        let new = store.session(&id("new")).await.expect("reads").expect("is there");
        assert_eq!((new.spent.nano(), new.bytes_passed), (400, 5));
        let all = store.list(Default::default(), Default::default()).await.expect("reads").records;
        let old: Vec<_> = all.iter().filter(|record| record.session.status != SessionStatus::Active).collect();
        assert_eq!(old.len(), 3);
        assert!(old.iter().all(|record| record.spent.nano() == 0 && record.session.max_requests.is_none()));
    });
    let version: i64 =
        place.raw().query_row("SELECT max(version) FROM schema_version", [], |row| row.get(0)).expect("reads");
    assert_eq!(version, 3);
}

#[test]
fn what_a_session_may_use_up_and_has_used_does_not_go_back() {
    let place = Place::new();
    let store = place.open();
    run(async { activate(&*store, session("s")).await });
    let guarded = rusqlite::Connection::open(place.file(hallpass_control::files::DATABASE)).expect("opens");
    for change in
        ["max_requests = 1", "max_bytes = NULL", "max_resources = 9", "spent_nano_usd = -1", "bytes_passed = -1"]
    {
        let refused = guarded.execute(&format!("UPDATE sessions SET {change}"), []);
        assert!(refused.is_err(), "{change}");
    }
}
