//! Processes of their own: several that write at once, and many that are killed in the middle.
//!
//! SIGKILL keeps the page cache, so it shows what a missing commit, a wrong order or a bad recovery loses, and cannot
//! show a missing fsync; that the settings which sync are in force is another test.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Child;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hallpass_control::Keeper;
use hallpass_control::audit::verify;
use hallpass_control::failpoint::FAIL_POINTS;
use hallpass_control::lifecycle::repair;
use hallpass_control::store::{EntryFilter, Store, Transition, connect};
use hallpass_core::audit::Event;
use hallpass_core::clock::Clock;
use hallpass_core::session::{Session, SessionEvent, SessionStatus};
use hallpass_testkit::store_fixtures::{id, new_session, request_allowed, request_denied, run, session};

use crate::support::{Place, child, real_options};

/// Rounds of each kill test in a normal run; each takes about a tenth of a second.
const ROUNDS: u64 = 100;
/// A child that nobody kills ends by itself.
const CHILD_TIME: Duration = Duration::from_secs(20);

fn random(number: u64) -> u64 {
    RandomState::new().hash_one(number)
}

/// Says to the parent, with one write, that something was answered.
fn acknowledge(what: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("\nack {what}\n").as_bytes()).expect("the parent reads");
    out.flush().expect("the parent reads");
}

fn mine() -> Session {
    let name = format!("s-{}-{:x}", std::process::id(), random(0));
    let real = hallpass_control::clock::SystemClock.now();
    let base = session(&name);
    let life = base.expires_at.duration_since(base.created_at);
    Session { created_at: real, expires_at: real + life, ..base }
}

async fn begin(store: &dyn Store) -> String {
    let session = mine();
    let name = session.id.to_string();
    store.create(new_session(session)).await.expect("created");
    acknowledge(&format!("created {name}"));
    let now = hallpass_control::clock::SystemClock.now();
    let change = Transition::new(id(&name), SessionEvent::Activate, now, "issued");
    store.transition(change).await.expect("activated");
    name
}

async fn finish(store: &dyn Store, name: &str) {
    let now = hallpass_control::clock::SystemClock.now();
    store.transition(Transition::new(id(name), SessionEvent::Complete, now, "exit 0")).await.expect("ends");
    acknowledge(&format!("ended {name}"));
}

/// The process that is killed. What it does stands in the file `role`.
#[test]
#[ignore = "started by other tests as a process of its own"]
fn a_process_of_its_own() {
    let role = fs::read_to_string("role").expect("a parent wrote it");
    let (role, argument) = role.split_once(' ').unwrap_or((&role, ""));
    let begun = Instant::now();
    if role == "make" {
        hallpass_control::failpoint::arm(argument).expect("a fail point");
    }
    let store = connect(real_options(Path::new("state"))).expect("opens");
    match role {
        "make" => run(finish(&*store, &run(begin(&*store)))),
        "count" => {
            let name = run(begin(&*store));
            for _ in 0..argument.parse().expect("a number") {
                let position = run(store.append(Some(&id(&name)), request_allowed())).expect("appended");
                acknowledge(&format!("allowed {}", position.0));
            }
            run(finish(&*store, &name));
        }
        "append" | "acknowledge-first" | "do-not-commit" => {
            let name = run(begin(&*store));
            while begun.elapsed() < CHILD_TIME {
                run(append(&*store, &name, role));
            }
        }
        "die-at" => {
            drop(store);
            let (point, turn) = argument.split_once(' ').expect("point and turn");
            let turn: u64 = turn.parse().expect("a number");
            for number in 0.. {
                assert!(begun.elapsed() < CHILD_TIME, "{point} was never passed");
                if number == turn {
                    fail::cfg_callback(point, || {
                        let own = rustix::process::getpid();
                        rustix::process::kill_process(own, rustix::process::Signal::KILL).expect("kills");
                        std::thread::sleep(CHILD_TIME);
                    })
                    .expect("a fail point");
                }
                let store = connect(real_options(Path::new("state"))).expect("opens");
                let name = run(begin(&*store));
                for _ in 0..3 {
                    run(append(&*store, &name, "append"));
                }
                run(finish(&*store, &name));
            }
        }
        other => panic!("unknown role {other}"),
    }
}

async fn append(store: &dyn Store, name: &str, role: &str) {
    match role {
        // The broken variants: the answer comes before the entry is there.
        "acknowledge-first" => {
            acknowledge(&format!("allowed {}", store.log_info().await.expect("reads").size));
            store.append(Some(&id(name)), request_allowed()).await.expect("appended");
        }
        "do-not-commit" => {
            store.append_later(Some(&id(name)), request_allowed());
            acknowledge(&format!("allowed {}", store.log_info().await.expect("reads").size));
        }
        _ => {
            let position = store.append(Some(&id(name)), request_allowed()).await.expect("appended");
            acknowledge(&format!("allowed {}", position.0));
        }
    }
}

/// What a child was told, read to the end of its output.
fn acknowledged(child: &mut Child) -> Vec<String> {
    let out = BufReader::new(child.stdout.take().expect("piped"));
    // The last line may be torn by the kill: then nobody was told.
    let lines = out.split(b'\n').map_while(Result::ok);
    lines.filter_map(|line| String::from_utf8(line).ok()?.strip_prefix("ack ").map(str::to_owned)).collect()
}

/// Runs a child in this role, kills it some time after its first word, and gives what it was told.
fn killed(place: &Place, role: &str, after: Duration) -> Vec<String> {
    let cwd = place.dir().parent().expect("has one").to_owned();
    fs::write(cwd.join("role"), role).expect("writes");
    let mut child = child("crash::a_process_of_its_own", &cwd);
    let pid = rustix::process::Pid::from_child(&child);
    let (first, begun) = std::sync::mpsc::channel::<()>();
    let (running, ended) = std::sync::mpsc::channel::<()>();
    let killer = std::thread::spawn(move || {
        let _ = begun.recv_timeout(CHILD_TIME);
        if ended.recv_timeout(after) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            // The parent has not waited for it yet, so the id is still its own.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    });
    let out = BufReader::new(child.stdout.take().expect("piped"));
    let mut told = Vec::new();
    for line in out.split(b'\n').map_while(Result::ok) {
        if let Some(word) = String::from_utf8_lossy(&line).strip_prefix("ack ") {
            let _ = first.send(());
            told.push(word.to_owned());
        }
    }
    drop((first, running));
    killer.join().expect("ends");
    child.wait().expect("waits");
    told
}

/// What is in the store of all that was told; the names of what is missing.
fn missing(place: &Place, told: &[String]) -> Vec<String> {
    let store = connect(real_options(&place.dir())).expect("the next start opens it");
    let now = hallpass_control::clock::SystemClock.now();
    run(repair(&*store, now, &Keeper::is_alive)).expect("repairs");
    let mut kinds: BTreeMap<u64, Event> = BTreeMap::new();
    let mut from = told.iter().filter_map(|word| word.strip_prefix("allowed ")?.parse().ok()).min().unwrap_or(0);
    loop {
        let filter = EntryFilter { from_seq: Some(from), ..EntryFilter::default() };
        let entries = run(store.entries(filter)).expect("reads");
        let Some(last) = entries.last() else { break };
        from = last.seq + 1;
        kinds.extend(entries.iter().map(|entry| (entry.seq, entry.decode().expect("an entry").event)));
    }
    let status = |name: &str| run(store.session(&id(name))).expect("reads").map(|record| record.session.status);
    let there = |word: &&String| match word.split_once(' ').expect("two words") {
        ("allowed", seq) => {
            matches!(kinds.get(&seq.parse().expect("a number")), Some(Event::RequestAllowed { .. }))
        }
        ("created", name) => status(name).is_some_and(SessionStatus::is_final),
        ("ended", name) => status(name) == Some(SessionStatus::Completed),
        _ => false,
    };
    told.iter().filter(|word| !there(word)).cloned().collect()
}

fn assert_intact(place: &Place) {
    let verdict = verify(&place.source(), &Keeper::is_alive).expect("reads");
    assert_eq!(verdict.findings, []);
    assert_eq!(verdict.signed_size, verdict.entries);
}

#[test]
fn killed_at_any_moment_everything_that_was_acknowledged_is_there() {
    let place = Place::new();
    drop(place.open());
    let mut told_in_all = 0;
    for round in 0..ROUNDS {
        let told = killed(&place, "append", Duration::from_micros(random(round) % 12_000));
        told_in_all += told.len();
        assert_eq!(missing(&place, &told), [""; 0], "round {round}");
        if round % 10 == 9 {
            assert_intact(&place);
        }
    }
    assert!(told_in_all > 1_000, "{told_in_all} acknowledgements are too few to mean anything");
    assert_intact(&place);
}

#[test]
fn killed_at_every_fail_point_everything_that_was_acknowledged_is_there() {
    let place = Place::new();
    drop(place.open());
    for point in FAIL_POINTS {
        for turn in [0, 1, 2] {
            let told = killed(&place, &format!("die-at {point} {turn}"), CHILD_TIME);
            assert_eq!(missing(&place, &told), [""; 0], "{point} {turn}");
            assert!(told.len() >= turn * 5, "{point}: it lived until its turn: {told:?}");
            assert_intact(&place);
        }
    }
}

#[test]
fn killed_while_the_store_is_being_made_the_next_start_makes_it() {
    for point in FAIL_POINTS {
        for nth in [1, 2] {
            let place = Place::new();
            let told = killed(&place, &format!("make {point}@{nth}"), CHILD_TIME);
            assert_eq!(missing(&place, &told), [""; 0], "{point} {nth}");
            run(begin_and_finish(&place));
            assert_intact(&place);
        }
    }
}

async fn begin_and_finish(place: &Place) {
    let store = connect(real_options(&place.dir())).expect("opens");
    let name = begin(&*store).await;
    finish(&*store, &name).await;
}

/// The kill test itself is put to the test: two stores that answer too early must not pass it.
#[test]
fn the_check_notices_when_the_answer_comes_before_the_entry() {
    for role in ["acknowledge-first", "do-not-commit"] {
        let place = Place::new();
        drop(place.open());
        let caught = (0..ROUNDS).any(|round| {
            let told = killed(&place, role, Duration::from_micros(random(round) % 12_000));
            !missing(&place, &told).is_empty()
        });
        assert!(caught, "{role} went unnoticed");
    }
}

#[test]
fn several_processes_write_one_valid_log() {
    let place = Place::new();
    let cwd = place.dir().parent().expect("has one").to_owned();
    fs::write(cwd.join("role"), "count 150").expect("writes");
    // All of them find no store at first: one makes it.
    let mut children: Vec<Child> = (0..3).map(|_| child("crash::a_process_of_its_own", &cwd)).collect();
    let outputs: Vec<_> = std::thread::scope(|scope| {
        let readers: Vec<_> = children.iter_mut().map(|child| scope.spawn(|| acknowledged(child))).collect();
        readers.into_iter().map(|reader| reader.join().expect("ends")).collect()
    });
    for child in &mut children {
        assert!(child.wait().expect("waits").success());
    }
    let mut positions: Vec<u64> =
        outputs.iter().flatten().filter_map(|word| word.strip_prefix("allowed ")?.parse().ok()).collect();
    assert_eq!(positions.len(), 450);
    positions.sort_unstable();
    positions.dedup();
    assert_eq!(positions.len(), 450, "no position was given twice");
    let told: Vec<String> = outputs.into_iter().flatten().collect();
    assert_eq!(missing(&place, &told), [""; 0]);
    assert_intact(&place);
    let entries = verify(&place.source(), &Keeper::is_alive).expect("reads").entries;
    assert_eq!(entries, 1 + 3 * 153);
}

#[test]
fn two_stores_of_one_process_write_one_valid_log() {
    let place = Place::new();
    let stores: [Arc<dyn Store>; 2] = [place.open(), place.open()];
    std::thread::scope(|scope| {
        for store in &stores {
            scope.spawn(move || {
                for _ in 0..200 {
                    run(store.append(None, request_denied(1))).expect("appended");
                }
            });
        }
    });
    drop(stores);
    assert_intact(&place);
    assert_eq!(place.verify().entries, 401);
}
