//! Disks that are full, read-only or broken. Root passes over permission bits, so the real ones are a small `tmpfs`
//! and a read-only remount in a mount namespace of their own; where the system forbids that, the injected errors of
//! the fail points remain, which run everywhere.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hallpass_control::audit::{LogSource, verify};
use hallpass_control::failpoint::FAIL_POINTS;
use hallpass_control::store::{EntryFilter, Store, StoreError, Transition, connect};
use hallpass_core::audit::Event;
use hallpass_core::clock::ManualClock;
use hallpass_core::limits::INTERRUPTION_ACTS_MAX;
use hallpass_core::session::{SessionEvent, SessionStatus};
use hallpass_testkit::store_fixtures::{
    activate, change, id, new_session, request_allowed, request_denied, request_settled, run, session, start,
};

use crate::support::{Place, child, child_command};

/// A test that breaks its own process's store, so it gets a process.
fn in_its_own_process(test: &str) {
    let place = Place::new();
    let cwd = place.dir().parent().expect("has one").to_owned();
    let output = child(test, &cwd).wait_with_output().expect("ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// The same inside a mount namespace; false when the system does not allow one.
fn in_its_own_mounts(test: &str, mount: &str) -> bool {
    let place = Place::new();
    let cwd = place.dir().parent().expect("has one").to_owned();
    fs::create_dir(place.dir()).expect("makes");
    let inner = child_command(test, &cwd);
    let mut command = Command::new("unshare");
    let script = format!("({mount}) || exit 97; exec \"$0\" \"$@\"");
    command.args(["--mount", "--propagation", "private", "sh", "-c", &script]);
    command.arg(inner.get_program()).args(inner.get_args()).current_dir(&cwd);
    let Ok(output) = command.output() else { return false };
    let text = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(97) || text.starts_with("unshare: ") {
        return false;
    }
    assert!(output.status.success(), "{}{text}", String::from_utf8_lossy(&output.stdout));
    true
}

fn open() -> Arc<dyn Store> {
    let clock = Arc::new(ManualClock::new(start()));
    connect(hallpass_control::StoreOptions::new("state", clock)).expect("opens")
}

async fn interruptions(store: &dyn Store) -> Vec<Event> {
    let filter = EntryFilter { kinds: vec!["log_interrupted".into()], ..EntryFilter::default() };
    let entries = store.entries(filter).await.expect("reads");
    entries.iter().map(|entry| entry.decode().expect("an entry").event).collect()
}

fn assert_intact() {
    let alive = |_: &hallpass_control::Keeper| true;
    let verdict = verify(&LogSource::new("state"), &alive).expect("reads");
    assert_eq!(verdict.findings, []);
}

#[test]
fn a_full_disk_refuses_requests_and_still_records_ends() {
    let mount = "mount -t tmpfs -o size=4m,mode=0700 tmpfs state";
    if !in_its_own_mounts("faults::on_a_full_disk", mount) {
        eprintln!("no mount namespace here: the injected full disk stands in");
    }
    in_its_own_process("faults::on_an_injected_full_disk");
}

/// Appends entries of this size until one is refused.
async fn fill(store: &dyn Store, size: usize) -> Option<StoreError> {
    for _ in 0..2_000 {
        let event = Event::LogInterrupted { since: start(), reason: "x".repeat(size), done: vec![] };
        if let Err(error) = store.append(None, event).await {
            return Some(error);
        }
    }
    None
}

#[test]
#[ignore = "started by another test in a mount namespace of its own"]
fn on_a_full_disk() {
    let store = open();
    let filler = Path::new("state/filler");
    fs::write(filler, vec![7; 1024 * 1024]).expect("fits");
    run(async {
        for name in ["killed", "other"] {
            activate(&*store, session(name)).await;
        }
        let mut error = None;
        for size in [30_000, 3_000, 300] {
            error = fill(&*store, size).await;
        }
        let error = error.expect("the disk became full");
        assert!(matches!(error, StoreError::DiskFull(_)), "{error:?}");
        assert_eq!(error.code(), "store-disk-full");
        for _ in 0..3 {
            let refused = store.append(Some(&id("killed")), request_allowed()).await;
            assert!(matches!(refused, Err(StoreError::DiskFull(_))), "{refused:?}");
        }
        assert!(store.create(new_session(session("new"))).await.is_err());
        let killed = store.transition(change("killed", SessionEvent::Revoke)).await.expect("from the reserve");
        assert_eq!(killed.session.status, SessionStatus::Revoked);
        let killed = store.transition(change("other", SessionEvent::Revoke)).await.expect("and another");
        assert_eq!(killed.session.status, SessionStatus::Revoked);
        assert!(store.create(new_session(session("new"))).await.is_err(), "the reserve is not for lending");
        assert!(!Path::new("state/reserve").exists(), "it was given up");
        assert_intact();
        fs::remove_file(filler).expect("removes");
        activate(&*store, session("new")).await;
        assert!(Path::new("state/reserve").exists(), "it is held again");
        let told = interruptions(&*store).await;
        let told =
            told.iter().filter(|e| matches!(e, Event::LogInterrupted { reason, .. } if !reason.starts_with("xx")));
        assert!(told.count() > 0, "the time without a log is in the log");
        assert_intact();
    });
}

#[test]
#[ignore = "started by another test as a process of its own"]
fn on_an_injected_full_disk() {
    let store = open();
    run(async {
        activate(&*store, session("s")).await;
        let before = store.log_info().await.expect("reads").size;
        // Full for the first try, room for the second, which is the one from the reserve.
        fail::cfg("store::after-entries", "1*return(full)->off").expect("configures");
        let killed = store.transition(change("s", SessionEvent::Revoke)).await.expect("from the reserve");
        assert_eq!(killed.session.status, SessionStatus::Revoked);
        assert!(store.log_info().await.expect("reads").size > before);
        fail::cfg("store::after-entries", "1*return(full)->off").expect("configures");
        let refused = store.append(None, request_denied(1)).await;
        assert_eq!(refused, Err(StoreError::DiskFull("injected".into())));
        store.append(None, request_denied(1)).await.expect("there is room again");
    });
    drop(store);
    assert_intact();
}

#[test]
fn a_store_that_becomes_read_only_says_so_and_goes_on_when_it_is_over() {
    let mount = "mount --bind state state";
    if !in_its_own_mounts("faults::on_a_read_only_folder", mount) {
        eprintln!("no mount namespace here: the injected errors stand in");
    }
}

#[test]
#[ignore = "started by another test in a mount namespace of its own"]
fn on_a_read_only_folder() {
    let remount = |how: &str| {
        let done = Command::new("mount").args(["-o", &format!("remount,bind,{how}"), "state"]).status();
        assert!(done.expect("runs").success());
    };
    drop(open());
    remount("ro");
    let clock = Arc::new(ManualClock::new(start()));
    let store = connect(hallpass_control::StoreOptions::new("state", clock));
    let refused = store.and_then(|store| run(store.create(new_session(session("s")))));
    let error = refused.expect_err("nothing is recorded on a read-only disk");
    assert!(error.is_outage() && ["store-read-only", "store-io"].contains(&error.code()), "{error:?}");
    remount("rw");
    let store = open();
    run(async { activate(&*store, session("s")).await });
    assert_intact();
}

#[test]
fn an_error_at_any_point_leaves_nothing_half_done() {
    in_its_own_process("faults::with_errors_everywhere");
}

#[test]
#[ignore = "started by another test as a process of its own"]
fn with_errors_everywhere() {
    let store = open();
    run(async {
        activate(&*store, session("s")).await;
        // These stand where nothing can fail any more.
        let only_kill = ["after-commit", "before-anchor", "after-anchor", "before-answer"];
        let points = FAIL_POINTS.into_iter().filter(|point| !only_kill.iter().any(|name| point.ends_with(name)));
        for (number, point) in points.enumerate() {
            for (kind, code) in [("full", "store-disk-full"), ("read-only", "store-read-only"), ("io", "store-io")] {
                let name = format!("n{number}-{kind}");
                let before = store.log_info().await.expect("reads");
                if point == "store::before-open" {
                    // Only passed when there is no connection, which an error makes sure of.
                    fail::cfg("store::before-begin", "1*return(io)->off").expect("configures");
                    store.append(None, request_denied(1)).await.expect_err("injected");
                }
                fail::cfg(point, &format!("1*return({kind})->off")).expect("configures");
                let refused = store.create(new_session(session(&name))).await.expect_err(point);
                assert_eq!(refused.code(), code, "{point}");
                assert!(refused.is_outage());
                assert_eq!(store.log_info().await.expect("reads"), before, "{point} {kind}");
                assert_eq!(store.session(&id(&name)).await, Ok(None), "{point} {kind}");
                fail::remove(point);
                store.create(new_session(session(&name))).await.expect("the next one works");
            }
        }
        assert_intact();
    });
}

#[test]
fn after_an_error_the_connection_is_a_new_one_and_the_gap_is_in_the_log() {
    in_its_own_process("faults::with_one_broken_commit");
}

#[test]
#[ignore = "started by another test as a process of its own"]
fn with_one_broken_commit() {
    static OPENED: AtomicU64 = AtomicU64::new(0);
    fail::cfg_callback("store::before-open", || _ = OPENED.fetch_add(1, Ordering::SeqCst)).expect("configures");
    let store = open();
    run(async {
        activate(&*store, session("s")).await;
        let of = store.append(Some(&id("s")), request_allowed()).await.expect("appended").0;
        let opened = OPENED.load(Ordering::SeqCst);
        store.append(None, request_denied(1)).await.expect("appended");
        assert_eq!(OPENED.load(Ordering::SeqCst), opened, "a good connection is kept");
        fail::cfg("store::before-commit", "return(io)").expect("configures");
        store.append_later(Some(&id("s")), request_settled(of));
        assert!(matches!(store.flush().await, Err(StoreError::Io(_))));
        let many = INTERRUPTION_ACTS_MAX + 5;
        for number in 0..many {
            let kill = Transition { reason: format!("attempt {number}"), ..change("s", SessionEvent::Revoke) };
            let refused = store.transition(kill).await;
            assert!(matches!(refused, Err(StoreError::Io(_))), "the caller is told, and kills all the same");
        }
        fail::remove("store::before-commit");
        store.transition(change("s", SessionEvent::Revoke)).await.expect("recorded now");
        assert_eq!(OPENED.load(Ordering::SeqCst) - opened, many as u64 + 1, "once after each failure");
        let gaps = interruptions(&*store).await;
        let [Event::LogInterrupted { since, reason, done }] = gaps.as_slice() else { panic!("{gaps:?}") };
        assert_eq!((*since, reason.contains("injected")), (start(), true));
        assert_eq!(done.len(), INTERRUPTION_ACTS_MAX, "bounded");
        assert!(done[0].contains("session s") && done[0].contains("attempt 0"), "{done:?}");
        let filter = EntryFilter { kinds: vec!["request_settled".into()], ..EntryFilter::default() };
        let settled = store.entries(filter).await.expect("reads");
        assert_eq!(settled.len(), 1, "the outcome was kept until it could be written");
        assert_intact();
    });
}

#[test]
fn a_writer_that_dies_leaves_nobody_waiting() {
    in_its_own_process("faults::with_a_dying_writer");
}

#[test]
#[ignore = "started by another test as a process of its own"]
fn with_a_dying_writer() {
    let store = open();
    fail::cfg("store::after-begin", "panic").expect("configures");
    run(async {
        assert_eq!(store.append(None, request_denied(1)).await, Err(StoreError::Closed));
        fail::remove("store::after-begin");
        assert_eq!(store.append(None, request_denied(1)).await, Err(StoreError::Closed), "it stays so");
        store.append_later(None, request_denied(1));
        assert_eq!(store.flush().await, Err(StoreError::Closed));
    });
}

#[test]
fn a_queue_that_is_full_makes_callers_wait_and_drops_no_request() {
    in_its_own_process("faults::with_a_slow_disk");
}

#[test]
#[ignore = "started by another test as a process of its own"]
fn with_a_slow_disk() {
    use hallpass_core::limits::{STORE_LATER_MAX, STORE_QUEUE_MAX};
    let store = open();
    run(async { activate(&*store, session("s")).await });
    fail::cfg("store::after-begin", "pause").expect("configures");
    let waiting = Arc::new(AtomicU64::new(0));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("starts");
    runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..STORE_QUEUE_MAX + 500 {
            let (store, waiting) = (Arc::clone(&store), Arc::clone(&waiting));
            tasks.spawn(async move {
                waiting.fetch_add(1, Ordering::SeqCst);
                store.append(Some(&id("s")), request_denied(1)).await
            });
        }
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        assert_eq!(waiting.load(Ordering::SeqCst), STORE_QUEUE_MAX as u64 + 500, "all have asked");
        assert!(tasks.try_join_next().is_none(), "nobody was answered");
        for _ in 0..STORE_LATER_MAX + 7 {
            store.append_later(Some(&id("s")), request_denied(1));
        }
        fail::remove("store::after-begin");
        while let Some(answer) = tasks.join_next().await {
            answer.expect("ends").expect("appended");
        }
        assert_eq!(store.flush().await, Err(StoreError::Dropped(7)));
        assert_eq!(store.flush().await, Ok(()));
    });
    let record = run(store.session(&id("s"))).expect("reads").expect("is there");
    assert_eq!(record.requests_denied, (STORE_QUEUE_MAX + 500 + STORE_LATER_MAX) as u64);
    assert_intact();
}
