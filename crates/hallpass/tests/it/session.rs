//! `hallpass session`: finding, listing, pruning, importing.

use std::time::Instant;

use hallpass_core::session::SessionEvent;
use serde_json::Value;

use crate::cli_world::{World, block_on, keys, said, session};

const A: &str = "aaaa1111-0000-4000-8000-000000000001";
const B: &str = "aaaa2222-0000-4000-8000-000000000002";
const C: &str = "bbbb3333-0000-4000-8000-000000000003";

fn three() -> World {
    let world = World::new();
    world.ended(A, SessionEvent::Complete);
    world.ended(B, SessionEvent::Revoke);
    world.live(C);
    world
}

fn ids(listed: &Value) -> Vec<&str> {
    listed["sessions"].as_array().expect("a list").iter().map(|s| s["id"].as_str().expect("an id")).collect()
}

fn code(world: &World, args: &[&str]) -> (i32, String) {
    let said = world.say(&[args, &["--json"]].concat());
    let value: Value = serde_json::from_str(&said.err).unwrap_or_default();
    (said.code, value["error"]["code"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn a_beginning_names_a_session_only_if_it_is_long_enough_and_the_only_one() {
    let world = three();
    assert_eq!(world.json(&["session", "show", C])["session"]["id"], C);
    assert_eq!(world.json(&["session", "show", "bbbb"])["session"]["id"], C);
    assert_eq!(world.json(&["session", "show", "aaaa1"])["session"]["id"], A);
    for verb in ["show", "kill", "revoke"] {
        assert_eq!(code(&world, &["session", verb, ""]), (2, "session.id_empty".to_owned()), "{verb}");
        assert_eq!(code(&world, &["session", verb, "bbb"]), (2, "session.id_too_short".to_owned()), "{verb}");
        assert_eq!(code(&world, &["session", verb, "aaaa"]), (2, "session.id_ambiguous".to_owned()), "{verb}");
        assert_eq!(code(&world, &["session", verb, "cccc"]), (5, "session.not_found".to_owned()), "{verb}");
        assert_eq!(code(&world, &["session", verb, "%%%%"]), (2, "session.id_invalid".to_owned()), "{verb}");
        assert_eq!(code(&world, &["session", verb, "____"]), (5, "session.not_found".to_owned()), "{verb}");
    }
    assert_eq!(world.json(&["session", "show", C])["session"]["status"], "active", "nothing above hit a live session");
    let said = world.say(&["session", "show", "aaaa"]);
    assert!(said.err.contains(A) && said.err.contains(B) && !said.err.contains(C), "{}", said.err);
}

#[test]
fn filters_narrow_the_listing_and_combine() {
    let world = three();
    let list = |args: &[&str]| {
        let listed = world.json(&[&["session", "list"], args].concat());
        ids(&listed).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(list(&[]), [C, B, A], "newest first");
    assert_eq!(list(&["--live"]), [C]);
    assert_eq!(list(&["--status", "revoked,completed"]), [B, A]);
    assert_eq!(list(&["--agent", "claude-code", "--status", "revoked"]), [B]);
    assert_eq!(list(&["--agent", "codex"]), [] as [&str; 0]);
    assert_eq!(list(&["--tag", "ticket=T-1"]).len(), 3);
    assert_eq!(list(&["--tag", "ticket:T-2"]).len(), 0);
    assert_eq!(list(&["--tag", "ticket"]).len(), 3);
    assert_eq!(list(&["--provider", "aws"]).len(), 3);
    assert_eq!(list(&["--provider", "gcp"]).len(), 0);
    assert_eq!(list(&["--principal", "arn:aws:iam::111122223333:role/reader"]).len(), 3);
    assert_eq!(list(&["--principal", "arn:aws:iam::111122223333:role/other"]).len(), 0);
    assert_eq!(list(&["--since", "1h"]).len(), 3);
    assert_eq!(list(&["--since", "2999-01-01T00:00:00Z"]).len(), 0);
}

#[test]
fn pages_join_without_a_gap_or_a_repetition() {
    let world = three();
    let first = world.json(&["session", "list", "--limit", "2"]);
    assert_eq!(ids(&first), [C, B]);
    let next = first["next"].as_str().expect("a cursor");
    let second = world.json(&["session", "list", "--limit", "2", "--after", next]);
    assert_eq!(ids(&second), [A]);
    assert_eq!(second["next"], Value::Null);
}

#[test]
fn the_json_of_a_session_keeps_its_names() {
    let world = three();
    let listed = world.json(&["session", "list", "--limit", "1"]);
    insta::assert_snapshot!("session_list_keys", keys(&listed).join("\n"));
    let shown = world.json(&["session", "show", C]);
    insta::assert_snapshot!("session_show_keys", keys(&shown).join("\n"));
    assert_eq!(shown["schema_version"], 1);
}

#[test]
fn the_table_shows_short_ids_that_are_still_unambiguous() {
    let world = World::new();
    world.ended("aaaaaaaa-1111-4000-8000-000000000001", SessionEvent::Complete);
    world.ended("aaaaaaaa-2222-4000-8000-000000000002", SessionEvent::Complete);
    world.live(C);
    for args in
        [&["session", "list"][..], &["session", "list", "--limit", "2"], &["session", "list", "--status", "completed"]]
    {
        let table = world.ok(args);
        for line in table.lines().skip(1) {
            let id = line.split_whitespace().next().expect("an id");
            world.ok(&["session", "show", id]);
        }
        assert!(table.contains("aaaaaaaa-2 "), "{table}");
    }
}

#[test]
fn a_hostile_command_line_cannot_steer_the_terminal() {
    let world = World::new();
    let store = world.store();
    let hostile = session("hhhh-1", &["sh", "-c", "\u{1b}[2J\u{9b}31mä\n\u{202e}x"]);
    let new = hallpass_control::store::NewSession { session: hostile, keeper: None, user: "tester".to_owned() };
    block_on(store.create(new)).expect("creates");
    drop(store);
    let verbs = [
        &["session", "list"][..],
        &["session", "show", "hhhh-1"],
        &["audit", "list"],
        &["session", "list", "--json"],
        &["audit", "list", "--json"],
    ];
    for args in verbs {
        let out = world.ok(args);
        let steering = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
        assert!(!out.chars().any(steering), "{args:?}: {out:?}");
    }
}

#[test]
fn ten_thousand_sessions_are_listed_whole_and_in_order() {
    const MANY: usize = 10_000;
    let world = World::new();
    let store = world.store();
    block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..MANY {
            let store = std::sync::Arc::clone(&store);
            tasks.spawn(async move {
                let mut old = session(&format!("{n:08x}-many"), &["true"]);
                old.created_at -= jiff::SignedDuration::from_secs(i64::try_from(MANY - n).expect("small"));
                old.apply(SessionEvent::Activate).and_then(|()| old.complete()).expect("ends");
                old.ended_at = Some(old.created_at);
                assert!(store.import(old, "many.json".to_owned()).await.expect("imports"));
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.expect("imported");
        }
    });
    drop(store);
    let begun = Instant::now();
    let table = world.ok(&["session", "list"]);
    println!("the newest 50 of {MANY}: {:?}", begun.elapsed());
    assert_eq!(table.lines().count(), 51);
    let begun = Instant::now();
    let all = world.json(&["session", "list", "--limit", "100000"]);
    println!("all {MANY} as JSON: {:?}", begun.elapsed());
    let listed = ids(&all);
    let expected: Vec<String> = (0..MANY).rev().map(|n| format!("{n:08x}-many")).collect();
    assert_eq!(listed, expected);
}

#[test]
fn prune_removes_what_has_ended_and_never_what_lives() {
    let world = three();
    let dry = world.json(&["session", "prune", "--keep", "0", "--dry-run"]);
    assert_eq!((dry["removed"].as_u64(), dry["dry_run"].as_bool()), (Some(2), Some(true)));
    assert_eq!(ids(&world.json(&["session", "list"])).len(), 3, "a dry run removes nothing");
    assert_eq!(world.json(&["session", "prune", "--older-than", "1d", "--yes"])["removed"], 0);
    assert_eq!(world.json(&["session", "prune", "--keep", "0", "--yes"])["removed"], 2);
    assert_eq!(ids(&world.json(&["session", "list"])), [C]);
    assert_eq!(
        world.json(&["session", "prune", "--older-than", "2999-01-01T00:00:00Z", "--keep", "0", "--yes"])["removed"],
        0
    );
    assert_eq!(ids(&world.json(&["session", "list"])), [C]);
    world.ok(&["audit", "verify"]);
}

#[test]
fn prune_without_a_person_and_without_yes_removes_nothing() {
    let world = three();
    let said = world.say(&["session", "prune", "--keep", "0"]);
    assert_eq!(said.code, 2);
    assert_eq!(ids(&world.json(&["session", "list"])).len(), 3);
}

#[test]
fn a_session_whose_keeper_died_is_not_listed_as_live() {
    let world = World::new();
    world.lost("dead-keeper");
    let said = world.say(&["session", "list", "--live", "--json"]);
    assert_eq!(ids(&serde_json::from_str(&said.out).expect("JSON")), [] as [&str; 0]);
    assert!(said.err.contains("its keeper is gone"), "{}", said.err);
    assert_eq!(world.json(&["session", "show", "dead-keeper"])["session"]["status"], "failed");
}

#[test]
fn killing_what_has_ended_is_no_failure_and_changes_nothing() {
    let world = three();
    let report = world.json(&["session", "kill", A]);
    assert_eq!((report["outcome"].as_str(), report["status"].as_str()), (Some("ended_already"), Some("completed")));
    assert_eq!(world.json(&["session", "show", A])["session"]["status"], "completed");
}

#[test]
fn a_mistake_in_the_configuration_does_not_stand_before_a_kill() {
    let world = three();
    world.file("work/hallpass.toml", "nonsense");
    let said = world.say(&["session", "kill", A]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.err.contains("hallpass.toml:1:"), "{}", said.err);
}

#[test]
fn session_files_of_another_tool_are_taken_over_and_bad_ones_named() {
    let world = World::new();
    let good = serde_json::to_string(&session("old-session-1", &["aws"])).expect("JSON");
    world.file("work/old/good.json", &good);
    world.file("work/old/bad.json", "{");
    let said = world.say(&["session", "import", "old", "--json"]);
    assert_eq!(said.code, 1, "{said:?}");
    let report: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!((report["imported"].as_u64(), report["skipped"].as_u64()), (Some(1), Some(1)));
    assert_eq!(report["files"][0]["file"], "bad.json");
    let shown = world.json(&["session", "show", "old-session-1"]);
    assert_eq!(shown["session"]["live"], false, "nothing that comes in is alive");
    let again = world.say(&["session", "import", "old", "--json"]);
    let report: Value = serde_json::from_str(&again.out).expect("JSON");
    assert_eq!(report["known"], 1);
}

#[test]
fn revoking_what_never_left_the_gate_is_instant_and_says_so() {
    let world = World::new();
    world.lost("never-left");
    let taken = world.json(&["session", "revoke", "never-left"]);
    assert_eq!((taken["reach"].as_str(), taken["status"].as_str()), (Some("instant"), Some("failed")));
    insta::assert_snapshot!("session_revoke_keys", keys(&taken).join("\n"));
}

#[test]
fn a_denial_that_may_reach_other_sessions_is_not_made_without_a_yes() {
    let world = World::new();
    world.handed_out("handed-out");
    assert_eq!(code(&world, &["session", "revoke", "handed-out"]), (2, "revoke.not_confirmed".to_owned()));
    let done = world.json(&["audit", "list", "--kind", "session_killed,credentials_revoked"]);
    assert_eq!(done["entries"], serde_json::json!([]));
}

#[test]
fn a_credential_that_left_is_not_called_revoked_when_the_cloud_was_not_asked() {
    let world = World::new();
    world.handed_out("handed-out");
    let mut command = world.command(&["session", "revoke", "handed-out", "--yes"]);
    let said = said(command.env("AWS_EC2_METADATA_DISABLED", "true").output().expect("runs"));
    assert!(said.code != 0, "{said:?}");
    assert!(!said.out.contains("role-wide"), "{said:?}");
    let events = world.json(&["audit", "list", "--kind", "credentials_revoked"]);
    let reach = |entry: &Value| entry["event"]["reach"].as_str().unwrap_or_default().to_owned();
    let all: Vec<String> = events["entries"].as_array().expect("a list").iter().map(reach).collect();
    assert!(!all.contains(&"role-wide".to_owned()) && !all.contains(&"instant".to_owned()), "{all:?}");
    assert_eq!(world.json(&["session", "show", "handed-out"])["session"]["live"], false, "its own processes are ended");
}

#[test]
fn a_state_folder_that_is_no_folder_is_an_error_and_not_an_empty_list() {
    let world = World::new();
    let file = world.file("no-folder", "");
    let dir = file.to_str().expect("text");
    for verb in [
        &["session", "list"][..],
        &["session", "show", "x"],
        &["audit", "list"],
        &["audit", "verify"],
        &["session", "kill", "abcd"],
    ] {
        let args = [&["--state-dir", dir], verb].concat();
        assert_eq!(code(&world, &args), (2, "state_dir.unusable".to_owned()), "{verb:?}");
        let said = world.say(&args);
        assert!(said.err.contains(dir) && said.err.contains("--state-dir"), "{said:?}");
    }
    let doctor = world.say(&["--state-dir", dir, "doctor"]);
    assert!(doctor.out.contains("is no folder") && doctor.code != 0, "{doctor:?}");
}
