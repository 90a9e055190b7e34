//! Caps of a session, from the flag to the record: the cap that is used up ends the command, and everything says so.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::kill::members;
use crate::run::client;
use crate::run::world::{Done, World, finish, wait};

/// The session of `hallpass session list --json`.
fn only_session(world: &World) -> Value {
    let listed = finish(world.hallpass(&["session", "list", "--json"])).stdout_text();
    let listed: Value = serde_json::from_str(&listed).expect("json");
    listed["sessions"][0].clone()
}

/// As `World::lend_client`, but what is said on stderr is kept.
fn lend(world: &World, flags: &[&str], task: &str) -> Done {
    let child = client::command();
    let mut command = world.hallpass(&["run", "--allow", "s3:GetObject"]);
    command.args(flags).arg("--").args(child).env(client::TASK, task).env(client::REPORT, world.path("report"));
    finish(command)
}

#[test]
fn a_request_cap_that_is_used_up_ends_the_command_and_says_so_everywhere() {
    let world = World::new();
    let done = lend(&world, &["--max-requests", "10"], "requests");
    assert_eq!(done.code, Some(78), "{}", done.stderr);
    for text in [
        "at most 10 requests",
        "50 % of the session's request cap is used: 5 requests of 10 requests",
        "80 % of",
        "95 % of",
        "the session's request cap is used up: 10 requests of 10 requests are used, and the command was ended",
    ] {
        assert!(done.stderr.contains(text), "{text}: {}", done.stderr);
    }
    let lines = world.report();
    assert_eq!(lines.iter().filter(|line| *line == "200").count(), 10, "{lines:?}");
    // The eleventh may be told, or its asker is gone first.
    assert!(lines[11..].iter().all(|line| line.ends_with("budget-exceeded")), "{lines:?}");
    let session = only_session(&world);
    assert_eq!((session["status"].as_str(), session["max_requests"].as_u64()), (Some("budget_exceeded"), Some(10)));
    assert!(session["end_reason"].as_str().expect("a reason").contains("request cap is used up"), "{session}");
    let events = world.events();
    let refused = |event: &&Value| event["denial"]["code"] == "budget-exceeded";
    assert!(events.iter().any(|event| refused(&event)), "{events:?}");
    let of = |kind: &str| events.iter().filter(|event| event["type"] == kind).count();
    assert_eq!((of("request_allowed"), of("request_settled"), of("session_ended")), (10, 10, 1));
    let costs: u64 = events.iter().filter_map(|event| event["cost_nano_usd"].as_u64()).sum();
    assert!(costs >= 10 * 400, "{costs}");
    let spent = session["spent_usd"].as_f64().expect("a sum");
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let expected = costs as f64 / 1e9;
    assert!((spent - expected).abs() < 1e-12, "{spent} is not the sum of the log, {expected}");
    assert!(members(session["id"].as_str().expect("an id")).is_empty());
}

#[test]
fn a_byte_cap_cuts_a_download_and_ends_the_processes() {
    let world = World::new();
    let begun = Instant::now();
    // The stand-in announces its endless object, so it alone is past the cap: refused, and the session goes on.
    let child = world.lend_client(&["--max-bytes", "4MiB"], "stream").spawn().expect("starts");
    let session = world.session();
    while world.report().len() < 2 && begun.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(10));
    }
    let passed = world.report().iter().filter_map(|l| l.strip_prefix("bytes ")?.parse::<u64>().ok()).max();
    assert!(passed.is_none_or(|bytes| bytes < 5 << 20), "{passed:?}");
    assert_eq!(finish(world.hallpass(&["session", "kill", &session])).code, Some(0));
    wait(child);
}

#[test]
fn a_budget_of_less_than_one_request_refuses_it_and_the_command_goes_on() {
    let world = World::new();
    let done = lend(&world, &["--budget", "0.000000001"], "get");
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(done.stderr.contains("estimate") && done.stderr.contains("prices of"), "{}", done.stderr);
    assert!(world.report().last().expect("a line").ends_with("budget-exceeded"), "{:?}", world.report());
    let session = only_session(&world);
    assert_eq!((session["status"].as_str(), session["spent_usd"].as_f64()), (Some("completed"), Some(0.0)));
    assert!(world.upstream.sent() == 0 && world.events_of("request_allowed").is_empty());
}

#[test]
fn a_cap_that_is_no_cap_is_refused_before_anything_is_lent() {
    let world = World::new();
    for bad in ["NaN", "inf", "-5", "0", "x", "", "1e3", "1000001"] {
        assert_eq!(finish(world.lend(&["--budget", bad], &["true"])).code, Some(125), "{bad}");
    }
    for bad in [["--max-bytes", "0"], ["--max-bytes", "1.5GiB"], ["--max-requests", "-1"], ["--max-requests", "x"]] {
        assert_eq!(finish(world.lend(&bad, &["true"])).code, Some(125), "{bad:?}");
    }
    for none in [["--max-requests", "0"], ["--max-resources", "0"], ["--max-resources", "100001"]] {
        let done = finish(world.lend(&none, &["true"]));
        assert!(done.code == Some(125) && done.stderr.contains("budget.cap"), "{none:?}: {}", done.stderr);
    }
    let role = "arn:aws:iam::111122223333:role/r";
    let past = finish(world.lend(&["--budget", "1", "--delivery", "env", "--role", role], &["true"]));
    assert!(past.code == Some(7) && past.stderr.contains("goes past the gate"), "{:?} {}", past.code, past.stderr);
    assert!(finish(world.hallpass(&["session", "list"])).stderr.contains("no sessions"));
}
