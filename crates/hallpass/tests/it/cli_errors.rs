//! Failures: their numbers, their words, their JSON.

use serde_json::Value;

use crate::cli_world::{Said, World, keys};

/// Arguments, exit code, stable code.
const FAILURES: &[(&[&str], i32, &str)] = &[
    (&["--nonsense"], 2, "usage"),
    (&["session", "lst"], 2, "usage"),
    (&["session", "show"], 2, "usage"),
    (&["session", "list", "--limit", "0"], 2, "usage"),
    (&["session", "list", "--limit", "100001"], 2, "usage"),
    (&["session", "list", "--status", "dead"], 2, "usage"),
    (&["session", "list", "--since", "yesterday"], 2, "usage"),
    (&["session", "list", "--after", "nowhere"], 2, "usage"),
    (&["audit", "list", "--limit", "1001"], 2, "usage"),
    (&["audit", "list", "--kind", "request_allow"], 2, "usage"),
    (&["audit", "proof"], 2, "usage"),
    (&["session", "prune", "--older-than", "1d"], 2, "prune.not_confirmed"),
    (&["session", "show", "0123456789"], 5, "session.not_found"),
    (&["session", "kill", "0123456789"], 5, "session.not_found"),
    (&["session", "revoke", "0123456789"], 5, "session.not_found"),
    (&["session", "import", "nowhere"], 5, "import.no_folder"),
    (&["audit", "show", "1"], 5, "audit.no_log"),
    (&["audit", "verify"], 5, "audit.no_log"),
    (&["audit", "export"], 5, "audit.no_log"),
    (&["audit", "proof", "1"], 5, "audit.no_log"),
    (&["audit", "key"], 5, "audit.no_log"),
    (&["man", "nonsense"], 5, "man.no_page"),
    (&["--config", "nowhere.toml", "config", "show"], 2, "config.not_found"),
    (&["run", "--nonsense", "--", "true"], 125, "usage"),
    (&["run"], 125, "usage"),
    (&["run", "--role", "", "--read-only", "--", "true"], 125, "run.role"),
    (&["run", "--role", "agent", "--read-only", "--dry-run", "--", "true"], 125, "provider.invalid"),
    (&["run", "--region", "eu central", "--read-only", "--", "true"], 125, "run.region"),
    (&["run", "--tag", "a=1", "--tag", "a=2", "--read-only", "--", "true"], 125, "run.tag"),
    (&["run", "--tag", "aws:a=1", "--read-only", "--", "true"], 125, "run.tag"),
    (&["run", "--grace", "1h", "--read-only", "--", "true"], 125, "run.grace"),
    (&["run", "--passthrough", "http://x", "--read-only", "--", "true"], 125, "run.passthrough"),
    (&["run", "--policy", "nowhere.json", "--", "true"], 125, "policy.unreadable"),
    (&["run", "--policy", "{}", "--", "true"], 125, "policy.document"),
    (&["run", "--provider", "gcp", "--read-only", "--", "true"], 7, "run.provider"),
    (&["learn", "--merge", "nowhere.json", "--", "true"], 125, "policy.unreadable"),
    (&["learn", "-o", "nowhere/learned.json", "--", "true"], 125, "learn.unwritable"),
    (&["policy", "explain", "nowhere.json"], 5, "policy.unreadable"),
    (&["presign", "s3://data/x"], 2, "presign.session"),
    (&["session"], 2, "usage"),
];

#[test]
fn every_failure_has_its_number_and_its_code() {
    let world = World::new();
    for (args, exit, code) in FAILURES {
        let said = world.say(&[&["--json"], *args].concat());
        let error = error(&said);
        assert_eq!((said.code, error["code"].as_str()), (*exit, Some(*code)), "{args:?}: {said:?}");
        assert_eq!(error["exit_code"], *exit, "{args:?}");
        assert!(error["next_step"].is_string(), "{args:?}: no next step");
        assert_eq!(said.out, "", "{args:?}: stdout is data");
        let message = error["message"].as_str().expect("text");
        assert!(
            !message.is_empty() && !message.ends_with('.') && !message.starts_with(char::is_uppercase),
            "{message}"
        );
    }
}

#[test]
fn commands_that_are_only_for_ourselves_are_not_offered() {
    let world = World::new();
    for args in [["--json"].as_slice(), &["--json", "demo-chld"], &["--json", "shm"]] {
        let said = world.say(args);
        assert!(!said.err.contains("__"), "{args:?}: {}", said.err);
    }
    let message = error(&world.say(&["--json"]))["message"].as_str().map(str::to_owned).unwrap_or_default();
    assert!(message.ends_with("man]"), "{message}");
}

#[test]
fn a_failure_is_one_json_object_of_one_shape() {
    let said = World::new().say(&["session", "show", "0123456789", "--json"]);
    assert_eq!(said.err.lines().count(), 1);
    let value: Value = serde_json::from_str(&said.err).expect("JSON");
    let shape = ["error", "error.causes", "error.code", "error.exit_code", "error.message", "error.next_step"];
    assert_eq!(keys(&value), shape);
}

#[test]
fn a_failure_says_what_why_and_what_next() {
    let world = World::new();
    let said = world.say(&["session", "show", "0123456789"]);
    assert_eq!(
        said.err,
        "error: there is no session `0123456789` [session.not_found]\nnext: see `hallpass session list`\n"
    );
    let said = world.say(&["session", "list", "--statsu", "active"]);
    let lines: Vec<&str> = said.err.lines().collect();
    assert_eq!(lines[0], "error: unexpected argument `--statsu` found [usage]");
    assert_eq!(lines[1], "cause: a similar argument exists: `--status`");
    assert_eq!(lines[2], "next: see `hallpass session list --help`");
}

#[test]
fn words_after_the_double_dash_are_the_childs() {
    let said = World::new().say(&["run", "--nonsense", "--", "child", "--json"]);
    assert!(said.err.starts_with("error: "), "{}", said.err);
}

#[test]
fn control_characters_in_an_error_do_not_reach_the_terminal() {
    let world = World::new();
    for args in [
        &["session", "show", "a\u{1b}[2Jb"][..],
        &["man", "\u{1b}]0;x\u{7}"],
        &["--config", "\u{9b}2J", "config", "show"],
    ] {
        for json in [&["--json"][..], &[]] {
            let said = world.say(&[json, args].concat());
            assert_ne!(said.code, 0);
            assert!(!said.err.trim_end().chars().any(|c| c.is_control() && c != '\n'), "{:?}", said.err);
        }
    }
}

fn error(said: &Said) -> Value {
    let value: Value = serde_json::from_str(&said.err).map_err(|e| format!("{e}: {said:?}")).expect("one JSON object");
    value["error"].clone()
}
