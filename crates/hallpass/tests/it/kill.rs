//! Taking a session back from another terminal, while it works.

use std::process::Stdio;
use std::time::{Duration, Instant};

use hallpass_core::limits::{
    CONTROL_CONNECTIONS_MAX, CONTROL_QUESTION_TIMEOUT_S_MAX, CONTROL_TIMEOUT_S, KILL_RECORD_WAIT_MS_MAX,
};
use rustix::process::Signal;

use crate::run::client;
use crate::run::world::{World, finish, runs, signal, until, wait};

/// Processes that carry the session in their environment.
pub(crate) fn members(session: &str) -> Vec<u32> {
    let marker = format!("HALLPASS_SESSION_ID={session}");
    let pids = std::fs::read_dir("/proc").expect("/proc").filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok());
    let holds = |pid: &u32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|b| *b == 0).any(|pair| pair == marker.as_bytes())
    };
    pids.filter(|pid| holds(pid) && runs(*pid)).collect()
}

#[test]
fn a_kill_cuts_a_download_ends_the_processes_and_stays_revoked() {
    let world = World::new();
    let child = world.lend_client(&[], "stream").spawn().expect("starts");
    let session = world.session();
    until("the download runs", || (world.upstream.sent() > 4 << 20).then_some(()));
    let begun = Instant::now();
    let killed = finish(world.hallpass(&["session", "kill", &session, "--json"]));
    assert_eq!(killed.code, Some(0), "{}", killed.stderr);
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(wait(child).code, Some(143));
    let report: serde_json::Value = serde_json::from_slice(&killed.stdout).expect("json");
    assert_eq!((report["outcome"].as_str(), report["status"].as_str()), (Some("killed"), Some("revoked")));
    assert_eq!(report["steps"]["streams_cut"], 1);
    assert!(report["steps"]["gate_refusing_us"].as_u64().expect("measured") < 100_000);
    std::thread::sleep(Duration::from_millis(100));
    let sent = world.upstream.sent();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(world.upstream.sent(), sent, "the upstream still sends");
    assert!(members(&session).is_empty());
    assert_eq!(world.only_status(), "revoked");
    let events = world.events_of("session_killed");
    assert_eq!(events.len(), 1);
    let times = ["gate_refusing_us", "streams_cut_us", "processes_signalled_us", "processes_gone_us"];
    let times: Vec<u64> = times.iter().map(|name| events[0][name].as_u64().expect("measured")).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!(world.events_of("session_ended").len(), 1);
    let again = finish(world.hallpass(&["session", "kill", &session]));
    assert!(again.code == Some(0) && again.stdout_text().contains("already"), "{}", again.stdout_text());
    assert_eq!(world.only_status(), "revoked");
}

#[test]
fn the_first_request_after_a_kill_is_refused() {
    let world = World::new();
    // A child that TERM does not end, so that its requests are seen being refused.
    let client = client::command().join(" ");
    let mut command = world.lend(&["--grace", "2s"], &["sh", "-c", &format!("trap '' TERM; {client}")]);
    command.env(client::TASK, "requests").env(client::REPORT, world.path("report")).stdout(Stdio::null());
    let child = command.spawn().expect("starts");
    let session = world.session();
    until("requests pass", || world.report().iter().any(|line| line == "200").then_some(()));
    let killed = finish(world.hallpass(&["session", "kill", &session]));
    assert_eq!(killed.code, Some(0), "{}", killed.stderr);
    wait(child);
    let lines = world.report();
    let first = lines.iter().position(|line| line.ends_with("revoked")).expect("a refusal");
    assert!(lines[first..].iter().all(|line| line.ends_with("revoked")), "{lines:?}");
    // The child outlives the wait for its end, so the record does not claim that it was gone.
    const { assert!(KILL_RECORD_WAIT_MS_MAX < 2_000) };
    assert!(world.events_of("session_killed")[0].get("processes_gone_us").is_none());
    // The last one may have been cut on its way back.
    let (allowed, answered) = (world.events_of("request_allowed").len(), lines.iter().filter(|l| *l == "200").count());
    assert!(allowed == answered || allowed == answered + 1, "{allowed} recorded, {answered} answered");
}

#[test]
fn a_daemon_of_the_child_is_ended_with_the_session() {
    let world = World::new();
    let mut command = world.lend_client(&[], "daemon");
    let child = command.env("HP_TEST_STAY", "1").spawn().expect("starts");
    let session = world.session();
    until("the daemon works", || world.report().iter().any(|line| line == "200").then_some(()));
    assert!(members(&session).len() >= 2, "{:?}", members(&session));
    assert_eq!(finish(world.hallpass(&["session", "kill", &session])).code, Some(0));
    wait(child);
    assert_eq!(members(&session), [0_u32; 0]);
}

#[test]
fn a_daemon_that_outlives_its_session_has_no_access() {
    let world = World::new();
    let mut child = world.lend_client(&[], "daemon").spawn().expect("starts");
    let session = world.session();
    assert_eq!(child.wait().expect("reaped").code(), Some(0));
    let begun = world.report().len();
    until("it tries again", || (world.report().len() > begun + 3).then_some(()));
    let left = members(&session);
    assert!(!left.is_empty(), "it was ended, and nobody asked for that");
    let late = world.report()[begun + 1..].to_vec();
    assert!(late.iter().all(|line| line.starts_with("unreachable") || line.starts_with("403")), "{late:?}");
    for pid in left {
        signal(pid, Signal::KILL);
    }
}

#[test]
fn a_keeper_that_does_not_answer_is_ended_itself() {
    let world = World::new();
    let mut child = world.lend_client(&[], "requests").spawn().expect("starts");
    let session = world.session();
    until("requests pass", || world.report().iter().any(|line| line == "200").then_some(()));
    // It answers nothing, so the limit on waiting for an answer is what lets the kill go on.
    const { assert!(CONTROL_TIMEOUT_S > CONTROL_QUESTION_TIMEOUT_S_MAX) };
    signal(child.id(), Signal::STOP);
    let killed = finish(world.hallpass(&["session", "kill", &session, "--json"]));
    assert_eq!(killed.code, Some(0), "{}", killed.stderr);
    assert!(killed.stdout_text().contains("keeper_ended"), "{}", killed.stdout_text());
    child.wait().expect("reaped");
    until("the child is gone", || members(&session).is_empty().then_some(()));
    world.events();
    assert_ne!(world.only_status(), "active");
}

#[test]
fn a_kill_after_the_keeper_died_repairs_the_record_and_says_so() {
    let world = World::new();
    let mut child = world.lend_client(&[], "requests").spawn().expect("starts");
    let session = world.session();
    until("requests pass", || world.report().iter().any(|line| line == "200").then_some(()));
    signal(child.id(), Signal::KILL);
    child.wait().expect("reaped");
    until("the child dies with it", || members(&session).is_empty().then_some(()));
    let killed = finish(world.hallpass(&["session", "kill", &session, "--json"]));
    assert_eq!(killed.code, Some(0), "{}", killed.stderr);
    assert!(killed.stdout_text().contains("keeper_gone"), "{}", killed.stdout_text());
    assert_eq!(world.only_status(), "failed");
    world.events();
}

#[test]
fn the_control_socket_is_its_owners_alone() {
    use std::os::unix::fs::MetadataExt;
    let world = World::new();
    let child = world.lend_client(&[], "requests").spawn().expect("starts");
    let session = world.session();
    let root =
        std::fs::read_dir(world.path("runtime/hallpass")).expect("root").next().expect("one").expect("entry").path();
    let folder = root.join(&session);
    let socket = folder.join("control");
    until("it listens", || socket.exists().then_some(()));
    assert_eq!(std::fs::metadata(&socket).expect("there").mode() & 0o777, 0o600);
    for above in [folder, root, world.path("runtime/hallpass")] {
        assert_eq!(std::fs::metadata(&above).expect("there").mode() & 0o777, 0o700, "{}", above.display());
    }
    for bad in
        ["{}\n".to_owned(), "nonsense\n".to_owned(), "x".repeat(hallpass_core::limits::CONTROL_MESSAGE_BYTES_MAX + 1)]
    {
        use std::io::{Read, Write};
        let mut stream = std::os::unix::net::UnixStream::connect(&socket).expect("connects");
        drop(stream.write_all(bad.as_bytes()));
        let mut answer = String::new();
        drop(stream.read_to_string(&mut answer));
        assert!(answer.contains("error") || answer.is_empty(), "{answer}");
    }
    // Silent visitors take every place, and a kill comes through all the same.
    let visitors: Vec<_> = (0..=CONTROL_CONNECTIONS_MAX)
        .map(|_| std::os::unix::net::UnixStream::connect(&socket).expect("connects"))
        .collect();
    let begun = Instant::now();
    let killed = finish(world.hallpass(&["session", "kill", &session, "--json"]));
    assert!(killed.stdout_text().contains("\"killed\""), "{}", killed.stdout_text());
    assert!(begun.elapsed() < Duration::from_secs(CONTROL_QUESTION_TIMEOUT_S_MAX + 5));
    drop(visitors);
    wait(child);
    assert!(!socket.exists());
}
