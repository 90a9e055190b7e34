//! Past the limits of the store that no other test goes past.

use std::sync::Arc;

use hallpass_control::files;
use hallpass_control::store::{EntryFilter, Retention, Store, StoreError};
use hallpass_core::audit::{Entry, Event};
use hallpass_core::limits::{
    AUDIT_ENTRY_BYTES_MAX, AUDIT_RUN_BYTES_MAX, AUDIT_RUN_ENTRIES_MAX, CHECKPOINT_ENTRIES_MAX, PRUNED_AT_ONCE_MAX,
    STORE_BATCH_MAX, STORE_BUSY_TIMEOUT_MS, STORE_LATER_DELAY_MS_MAX, STORE_READERS_MAX, STORE_RESERVE_BYTES,
};
use hallpass_testkit::store_fixtures::{activate, id, request_denied, run, session};
use rusqlite::Connection;

use crate::support::Place;

/// Appends `count` entries, all asked for at once.
fn append_at_once(store: &Arc<dyn Store>, count: usize, reason_bytes: usize) {
    run(async {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..count {
            let store = Arc::clone(store);
            let mut event = request_denied(1);
            if let Event::RequestDenied { denial, .. } = &mut event {
                denial.reason = "x".repeat(reason_bytes);
            }
            tasks.spawn(async move { store.append(None, event).await });
        }
        while let Some(answer) = tasks.join_next().await {
            answer.expect("ends").expect("appended");
        }
    });
}

fn number(place: &Place, sql: &str) -> usize {
    let connection = Connection::open(place.file(files::DATABASE)).expect("opens");
    connection.query_row(sql, [], |row| row.get(0)).expect("counts")
}

#[test]
fn one_run_holds_no_more_entries_than_the_limit_and_checkpoints_keep_up() {
    let place = Place::new();
    let store = place.open();
    let count = usize::try_from(CHECKPOINT_ENTRIES_MAX).expect("fits") + AUDIT_RUN_ENTRIES_MAX + STORE_BATCH_MAX;
    append_at_once(&store, count, 1);
    assert!(number(&place, "SELECT max(entries) FROM audit_runs") <= AUDIT_RUN_ENTRIES_MAX);
    assert!(number(&place, "SELECT count(*) FROM audit_runs") > count / STORE_BATCH_MAX);
    // The clock stands still, so only their number can have called for a checkpoint.
    assert!(number(&place, "SELECT signed_size FROM audit_head") > 1);
    drop(store);
    assert_eq!(place.codes(), Vec::<&str>::new());
}

#[test]
fn one_run_holds_no_more_bytes_than_the_limit() {
    let place = Place::new();
    let store = place.open();
    let each = AUDIT_ENTRY_BYTES_MAX - 1_024;
    append_at_once(&store, 3 * AUDIT_RUN_BYTES_MAX / each, each);
    // The lengths before the entries are not counted in the limit.
    let frames = 16 * AUDIT_RUN_ENTRIES_MAX;
    assert!(number(&place, "SELECT max(length(bytes)) FROM audit_runs") <= AUDIT_RUN_BYTES_MAX + frames);
    drop(store);
    assert_eq!(place.codes(), Vec::<&str>::new());
}

#[test]
fn whoever_waits_for_another_writer_longer_than_the_limit_is_told_so() {
    let place = Place::new();
    let store = place.open();
    let other = Connection::open(place.file(files::DATABASE)).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("takes the write lock");
    let refused = run(store.append(None, request_denied(1))).expect_err("nothing can be written");
    assert_eq!(refused, StoreError::Busy(STORE_BUSY_TIMEOUT_MS));
    other.execute_batch("ROLLBACK").expect("gives it back");
    run(store.append(None, request_denied(1))).expect("appended");
}

#[test]
fn an_outcome_is_written_without_anybody_waiting_for_it() {
    let place = Place::new();
    let store = place.open();
    let before = number(&place, "SELECT size FROM audit_head");
    store.append_later(None, request_denied(1));
    let patience = std::time::Duration::from_millis(STORE_LATER_DELAY_MS_MAX);
    let written = (0..1_000).any(|_| {
        std::thread::sleep(patience);
        number(&place, "SELECT size FROM audit_head") > before
    });
    assert!(written);
}

#[test]
fn readers_past_the_limit_share_and_the_reserve_has_its_size() {
    let place = Place::new();
    let store = place.open();
    run(async { activate(&*store, session("s")).await });
    run(async {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..STORE_READERS_MAX * 8 {
            let store = Arc::clone(&store);
            tasks.spawn(async move { store.session(&id("s")).await.expect("reads").is_some() });
        }
        assert!(tasks.join_all().await.into_iter().all(|found| found));
    });
    let database = place.file(files::DATABASE);
    let open = std::fs::read_dir("/proc/self/fd").expect("lists").flatten();
    let open = open.filter(|fd| std::fs::read_link(fd.path()).is_ok_and(|path| path == database)).count();
    assert!(open <= STORE_READERS_MAX + 1, "{open} connections");
    let sizes = std::fs::read_dir(place.dir()).expect("lists").flatten();
    let sizes: Vec<u64> = sizes.filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len()).collect();
    assert!(sizes.contains(&STORE_RESERVE_BYTES), "{sizes:?}");
}

#[test]
fn pruning_removes_no_more_at_once_than_the_limit() {
    let place = Place::new();
    place.populate();
    let raw = place.raw();
    raw.execute_batch(&format!(
        "CREATE TEMP TABLE one AS SELECT * FROM sessions WHERE ended_at IS NOT NULL LIMIT 1;
         CREATE TEMP TABLE many AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= {PRUNED_AT_ONCE_MAX})
           SELECT i, one.* FROM n, one;
         UPDATE many SET id = 'copy-' || i;
         ALTER TABLE many DROP COLUMN i;
         INSERT INTO sessions SELECT * FROM many;"
    ))
    .expect("copies");
    drop(raw);
    let store = place.open();
    let pruned = run(store.prune(Retention { kept_max: 0, ended_before: None })).expect("prunes");
    assert!(pruned.count > PRUNED_AT_ONCE_MAX);
    let filter = EntryFilter { kinds: vec!["sessions_pruned".into()], ..EntryFilter::default() };
    let steps = run(store.entries(filter)).expect("reads");
    let counts = steps.iter().map(|step| match Entry::decode(&step.bytes).expect("an entry").event {
        Event::SessionsPruned { count, .. } => count,
        other => unreachable!("{other:?}"),
    });
    let counts: Vec<u64> = counts.collect();
    assert_eq!(counts.iter().sum::<u64>(), pruned.count);
    assert!(counts.iter().all(|count| *count <= PRUNED_AT_ONCE_MAX), "{counts:?}");
}
