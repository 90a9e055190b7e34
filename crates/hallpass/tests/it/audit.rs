//! `hallpass audit`: listing, following, verifying, exporting, proving.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use hallpass_core::limits::PROOF_BYTES_MAX;
use hallpass_core::session::SessionEvent;
use serde_json::Value;

use crate::cli_world::{World, keys};

const A: &str = "aaaa1111-0000-4000-8000-000000000001";
const B: &str = "bbbb2222-0000-4000-8000-000000000002";

fn two() -> World {
    let world = World::new();
    world.ended(A, SessionEvent::Complete);
    world.ended(B, SessionEvent::Revoke);
    world
}

fn kinds(listed: &Value) -> Vec<&str> {
    let entries = listed["entries"].as_array().expect("a list");
    entries.iter().map(|entry| entry["event"]["type"].as_str().expect("a type")).collect()
}

#[test]
fn the_newest_entries_are_listed_newest_last() {
    let world = two();
    let all = world.json(&["audit", "list"]);
    let expected = [
        "log_opened",
        "session_created",
        "session_activated",
        "session_ended",
        "session_created",
        "session_activated",
        "session_ended",
    ];
    assert_eq!(kinds(&all), expected);
    assert_eq!(kinds(&world.json(&["audit", "list", "--limit", "2"])), expected[5..]);
    assert_eq!(kinds(&world.json(&["audit", "list", "--session", "aaaa"])), expected[1..4]);
    let ends = world.json(&["audit", "list", "--kind", "session_ended", "--session", B]);
    assert_eq!(kinds(&ends), ["session_ended"]);
    assert_eq!(kinds(&world.json(&["audit", "list", "--since", "2999-01-01T00:00:00Z"])), [] as [&str; 0]);
    assert_eq!(kinds(&world.json(&["audit", "list", "--since", "1h"])).len(), 7);
    let lines = world.ok(&["audit", "list"]);
    assert_eq!(lines.lines().count(), 7);
    assert!(
        lines.lines().last().is_some_and(|line| line.contains("session_ended") && line.contains("bbbb2222")),
        "{lines}"
    );
}

#[test]
fn an_entry_is_shown_as_stored_with_the_hash_that_its_successor_holds() {
    let world = two();
    let shown = world.json(&["audit", "show", "1"]);
    assert_eq!(
        keys(&shown).iter().filter(|key| !key.contains("event.")).cloned().collect::<Vec<_>>(),
        ["entry", "entry.event", "entry.prev", "entry.seq", "entry.session", "entry.time", "hash", "schema_version",]
    );
    assert_eq!(shown["hash"], world.json(&["audit", "show", "2"])["entry"]["prev"]);
    assert_eq!(world.say(&["audit", "show", "7"]).code, 5);
}

#[test]
fn an_intact_log_verifies_and_says_what_was_verified() {
    let world = two();
    let verified = world.json(&["audit", "verify"]);
    assert_eq!((verified["intact"].as_bool(), verified["entries"].as_u64()), (Some(true), Some(7)));
    assert!(verified["checkpoints"].as_u64() > Some(0));
    insta::assert_snapshot!("audit_verify_keys", keys(&verified).join("\n"));
    assert!(world.ok(&["audit", "verify"]).starts_with("intact: 7 entries"));
    let key = world.ok(&["audit", "key"]);
    world.ok(&["audit", "verify", "--vkey", key.trim()]);
}

#[test]
fn a_tampered_log_fails_and_names_the_first_bad_entry() {
    let world = two();
    world.edit_log(b"tester");
    for args in [&["audit", "verify"][..], &["audit", "verify", "--no-repair"]] {
        let said = world.say(&[args, &["--json"]].concat());
        assert_eq!(said.code, 1, "{said:?}");
        let verified: Value = serde_json::from_str(&said.out).expect("JSON");
        assert_eq!(verified["intact"], false);
        assert_eq!(verified["first"]["position"], 1, "{verified}");
        assert!(said.err.contains("audit.not_intact"), "{}", said.err);
    }
    let said = world.say(&["audit", "verify"]);
    assert!(said.out.contains("not intact") && said.out.contains("entry 1 was edited"), "{said:?}");
    assert!(said.err.contains("entry 1 was edited"), "{said:?}");
}

#[test]
fn a_log_whose_database_was_removed_is_reported_as_emptied() {
    let world = two();
    for name in ["hallpass.db", "hallpass.db-wal", "hallpass.db-shm"] {
        drop(std::fs::remove_file(world.state().join(name)));
    }
    let said = world.say(&["audit", "verify"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("emptied"), "{said:?}");
    assert!(!world.state().join("hallpass.db").exists(), "verification makes no new log");
}

#[test]
fn another_key_than_the_one_noted_down_is_detected() {
    let (world, other) = (two(), two());
    let said = world.say(&["audit", "verify", "--vkey", other.ok(&["audit", "key"]).trim()]);
    assert_eq!(said.code, 1, "{said:?}");
}

#[test]
fn an_export_is_the_stored_lines_and_a_redacted_one_leaves_out_what_is_sensitive() {
    let world = two();
    let whole = world.ok(&["audit", "export"]);
    assert!(whole.contains("tester") && whole.contains("arn:aws:s3:::data/*"));
    let of_one = world.ok(&["audit", "export", "--session", "bbbb"]);
    assert!(!of_one.contains(A) && of_one.contains(B));
    let redacted = world.ok(&["audit", "export", "--redact"]);
    for sensitive in ["tester", "arn:aws:s3:::data/*", "T-1", "\"ls\""] {
        assert!(!redacted.contains(sensitive), "{sensitive}: {redacted}");
    }
    assert!(redacted.contains("session_created"));
}

#[test]
fn an_export_to_a_file_is_whole_and_private_or_not_there() {
    use std::os::unix::fs::PermissionsExt;
    let world = two();
    world.ok(&["audit", "export", "-o", "audit.jsonl"]);
    let path = world.work().join("audit.jsonl");
    assert_eq!(std::fs::read_to_string(&path).expect("reads"), world.ok(&["audit", "export"]));
    assert_eq!(path.metadata().expect("meta").permissions().mode() & 0o777, 0o600);
    let said = world.say(&["audit", "export", "-o", "nowhere/audit.jsonl", "--json"]);
    assert!(said.code == 1 && said.err.contains("export.unwritable"), "{said:?}");
    let left: Vec<_> = std::fs::read_dir(world.work()).expect("folder").collect();
    assert_eq!(left.len(), 1, "nothing half-written stays: {left:?}");
}

#[test]
fn a_proof_convinces_who_has_only_the_key() {
    let world = two();
    let proof = world.ok(&["audit", "proof", "3"]);
    world.file("work/proof.json", &proof);
    let key = world.ok(&["audit", "key"]);
    let checked = world.json(&["audit", "proof", "--check", "proof.json", "--vkey", key.trim()]);
    assert_eq!((checked["valid"].as_bool(), checked["index"].as_u64()), (Some(true), Some(3)));
    world.file("work/proof.json", &proof.replace("completed", "Completed"));
    let said = world.say(&["audit", "proof", "--check", "proof.json", "--vkey", key.trim(), "--json"]);
    assert!(said.code == 1 && said.err.contains("proof.invalid"), "{said:?}");
    let other = two();
    world.file("work/proof.json", &proof);
    let foreign = other.ok(&["audit", "key"]);
    assert_eq!(world.say(&["audit", "proof", "--check", "proof.json", "--vkey", foreign.trim()]).code, 1);
    assert_eq!(world.say(&["audit", "proof", "99"]).code, 5);
}

#[test]
fn a_proof_file_past_the_limit_is_refused() {
    let world = two();
    let key = world.ok(&["audit", "key"]);
    let proof = world.ok(&["audit", "proof", "3"]);
    let pad = |size: u64| {
        let spaces = usize::try_from(size).expect("fits") - proof.len();
        world.file("work/proof.json", &format!("{}{proof}", " ".repeat(spaces)));
        world.say(&["audit", "proof", "--check", "proof.json", "--vkey", key.trim()]).code
    };
    assert_eq!(pad(PROOF_BYTES_MAX), 0);
    assert_eq!(pad(PROOF_BYTES_MAX + 100), 2);
}

#[test]
fn following_a_session_prints_what_is_written_and_stops_at_its_end() {
    let world = World::new();
    world.live(A);
    let mut command = world.command(&["audit", "follow", "--session", A, "--json", "--kind", "session_ended"]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("starts");
    let lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
    let store = world.store();
    let end = hallpass_control::store::Transition::new(
        hallpass_core::id::SessionId::new(A).expect("id"),
        SessionEvent::Complete,
        hallpass_core::clock::Clock::now(&hallpass_control::clock::SystemClock),
        "done",
    );
    crate::cli_world::block_on(store.transition(end)).expect("ends");
    let printed: Vec<String> = lines.map_while(Result::ok).collect();
    assert!(child.wait().expect("ends").success());
    assert_eq!(printed.len(), 1, "{printed:?}");
    let entry: Value = serde_json::from_str(&printed[0]).expect("one JSON object per line");
    assert_eq!(entry["event"]["type"], "session_ended");
}
