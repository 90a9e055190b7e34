//! `session watch` and `session report`: what they show is what the log holds.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::run::client;
use crate::run::world::{World, finish, until, wait};

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

#[test]
fn a_watcher_sees_every_request_and_leaves_with_the_session() {
    let world = World::new();
    let child = world.lend_client(&["--max-requests", "8"], "requests").spawn().expect("starts");
    let session = world.session();
    // Through a pipe, from the middle of the session to its end.
    let watched = finish(world.hallpass(&["session", "watch", &session, "--json"]));
    assert_eq!(watched.code, Some(0), "{}", watched.stderr);
    assert_eq!(wait(child).code, Some(78));
    let rows = lines(&watched.stdout_text());
    let of = |verdict: &str| rows.iter().filter(|row| row["verdict"] == verdict).count();
    assert_eq!(of("allowed"), 8, "{rows:?}");
    assert!(of("denied") >= 1 && of("unknown") == 0, "{rows:?}");
    assert!(rows.iter().filter(|r| r["verdict"] == "allowed").all(|r| r["cost_usd"].as_f64().expect("a cost") > 0.0));
    assert_eq!(rows.last().expect("an end")["ended"], "budget_exceeded");

    let table = finish(world.hallpass(&["session", "watch", &session])).stdout_text();
    assert!(table.starts_with("TIME") && table.contains("s3 GetObject"), "{table}");
    assert_eq!(table.lines().filter(|line| line.contains("allowed")).count(), 8, "{table}");
    assert!(table.contains("budget-exceeded"), "{table}");
    assert!(table.lines().last().expect("an end").starts_with("budget_exceeded: "), "{table}");

    let none = finish(world.hallpass(&["session", "watch"]));
    assert!(none.code == Some(5) && none.stderr.contains("no session is live"), "{:?} {}", none.code, none.stderr);
}

#[test]
fn a_watcher_ends_with_a_session_whose_keeper_was_killed_and_with_its_reader() {
    let world = World::new();
    let mut child = world.lend_client(&[], "requests").spawn().expect("starts");
    let session = world.session();
    until("requests pass", || world.report().iter().any(|line| line == "200").then_some(()));
    let mut watcher = world.hallpass(&["session", "watch"]).stdout(Stdio::piped()).spawn().expect("starts");
    let mut reader = BufReader::new(watcher.stdout.take().expect("piped"));
    let mut first = String::new();
    reader.read_line(&mut first).expect("a line");
    assert!(first.starts_with("TIME"), "the newest live session is found: {first}");
    drop(reader);
    until("a watcher without a reader ends", || watcher.try_wait().expect("ours"));

    let watcher =
        world.hallpass(&["session", "watch", &session, "--json"]).stdout(Stdio::piped()).spawn().expect("starts");
    child.kill().expect("killed");
    child.wait().expect("reaped");
    let done = wait(watcher);
    let rows = lines(&done.stdout_text());
    assert_eq!(rows.last().expect("an end")["ended"], "failed", "{rows:?}");
}

#[test]
fn a_report_joins_intent_requests_refusals_cost_and_end() {
    let world = World::new();
    let child = client::command();
    let mut command = world.hallpass(&["run", "-q", "--allow", "s3:GetObject", "--max-requests", "5"]);
    command.args(["--tag", "ticket=T-1", "--"]).args(child);
    command.env(client::TASK, "requests").env(client::REPORT, world.path("report"));
    assert_eq!(finish(command).code, Some(78));
    let session = world.session();
    let report = finish(world.hallpass(&["session", "report", &session]));
    assert_eq!(report.code, Some(0), "{}", report.stderr);
    let page = report.stdout_text();
    for text in [
        "budget_exceeded",
        "ticket=T-1",
        "Policy",
        "s3 GetObject",
        "Over time",
        "passed  |",
        "Refused, and why",
        "[budget-exceeded]",
        "(estimate, list prices of",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let json = finish(world.hallpass(&["session", "report", &session, "--json"])).stdout_text();
    let json: Value = serde_json::from_str(&json).expect("json");
    assert_eq!(
        (json["operations"][0]["name"].as_str(), json["operations"][0]["allowed"].as_u64()),
        (Some("s3 GetObject"), Some(5))
    );
    let passed: u64 =
        json["timeline"].as_array().expect("columns").iter().map(|c| c["passed"].as_u64().expect("n")).sum();
    assert_eq!((passed, json["in_flight"].as_u64()), (5, Some(0)));
    assert_eq!(json["cost_usd_estimate"], json["session"]["spent_usd"]);
}
