//! Session files of the tools that came before.

use std::fs;
use std::path::PathBuf;

use hallpass_control::import::{FileOutcome, Outcome, import};
use hallpass_control::store::{Filter, Page};
use hallpass_core::clock::Clock;
use hallpass_core::delivery::Delivery;
use hallpass_core::limits::{IMPORT_FILE_BYTES_MAX, IMPORT_FILES_MAX};
use hallpass_core::session::{Revocation, SessionStatus};
use hallpass_testkit::store_fixtures::{id, run};

use crate::support::Place;

fn file(id: &str, status: &str, expires: &str) -> String {
    format!(
        r#"{{
  "id": "{id}", "created_at": "2025-11-22T07:45:06.991542124Z", "expires_at": "{expires}", "ttl_seconds": 300,
  "budget": null, "policy": {{ "actions": [ {{ "service": "s3", "action": "Get*" }} ], "resources": [ "*" ] }},
  "status": "{status}", "role_arn": "arn:aws:iam::123456789012:role/AgentRole", "command": [ "aws", "s3", "ls" ],
  "access_key_id": "ASIAEXAMPLEEXAMPLE00", "provider": "aws", "agent_id": "claude", "tags": {{ "ticket": "JIRA-1" }}
}}"#
    )
}

/// The tests' clock stands at the beginning of 2026.
const PAST: &str = "2025-11-22T07:50:06.991542124Z";
const FUTURE: &str = "2026-11-22T07:50:06Z";

fn directory(place: &Place, files: &[(&str, String)]) -> PathBuf {
    let dir = place.dir().parent().expect("has one").join("old");
    fs::create_dir(&dir).expect("makes");
    for (name, text) in files {
        fs::write(dir.join(name), text).expect("writes");
    }
    dir
}

fn imported(place: &Place, dir: &std::path::Path) -> Vec<FileOutcome> {
    let store = place.open();
    run(import(&*store, dir, place.clock.now())).expect("reads the directory")
}

#[test]
fn old_sessions_become_history_and_nothing_among_them_is_alive() {
    let place = Place::new();
    let files = [
        ("a.json", file("done", "completed", PAST)),
        ("b.json", file("stale", "active", PAST)),
        ("c.json", file("claims-life", "active", FUTURE)),
        ("d.json", file("old-alias", "revoked", PAST).replace("role_arn", "role_principal")),
        ("ignored.txt", "not a session".into()),
    ];
    let dir = directory(&place, &files);
    let outcomes = imported(&place, &dir);
    assert!(outcomes.iter().all(|outcome| outcome.outcome == Outcome::Imported), "{outcomes:?}");
    assert_eq!(outcomes.iter().map(|o| o.file.as_str()).collect::<Vec<_>>(), ["a.json", "b.json", "c.json", "d.json"]);
    let store = place.open();
    let live = run(store.list(Filter { live: true, ..Filter::default() }, Page::default())).expect("reads");
    assert!(live.records.is_empty());
    let status = |name: &str| {
        let record = run(store.session(&id(name))).expect("reads").expect("is there");
        (record.session.status, record.session.end_reason.is_some())
    };
    assert_eq!(status("done"), (SessionStatus::Completed, false));
    assert_eq!(status("stale"), (SessionStatus::Expired, true));
    assert_eq!(status("claims-life"), (SessionStatus::Failed, true));
    let alias = run(store.session(&id("old-alias"))).expect("reads").expect("is there").session;
    assert_eq!(alias.role_arn, "arn:aws:iam::123456789012:role/AgentRole");
    assert_eq!((alias.delivery, alias.revocation), (Delivery::Env, Revocation::OnExpiry), "what those tools did");
    assert_eq!(alias.tags["ticket"], "JIRA-1");
    drop(store);
    assert_eq!(place.codes(), [""; 0]);
}

#[test]
fn importing_again_changes_nothing() {
    let place = Place::new();
    let dir = directory(&place, &[("a.json", file("one", "failed", PAST))]);
    assert_eq!(imported(&place, &dir)[0].outcome, Outcome::Imported);
    let size = run(place.open().log_info()).expect("reads").size;
    assert_eq!(imported(&place, &dir)[0].outcome, Outcome::Known);
    assert_eq!(run(place.open().log_info()).expect("reads").size, size);
}

#[test]
fn one_bad_file_never_stops_the_rest_and_each_says_why() {
    let place = Place::new();
    let large = format!(
        "{}{}",
        file("large", "failed", PAST),
        " ".repeat(usize::try_from(IMPORT_FILE_BYTES_MAX).expect("fits"))
    );
    let files = [
        ("0-good.json", file("first", "failed", PAST)),
        ("1-large.json", large),
        ("2-not-json.json", "{".into()),
        ("3-not-a-session.json", "{}".into()),
        ("4-path.json", file("../../etc/passwd", "failed", PAST)),
        ("5-status.json", file("s", "glorious", PAST)),
        ("6-deep.json", "[".repeat(100_000)),
        ("9-good.json", file("last", "failed", PAST)),
    ];
    let dir = directory(&place, &files);
    fs::write(dir.join("7-binary.json"), [0xff, 0xfe, 0]).expect("writes");
    fs::create_dir(dir.join("8-directory.json")).expect("makes");
    let pipe = rustix::fs::Mode::RUSR;
    rustix::fs::mknodat(rustix::fs::CWD, dir.join("8-pipe.json"), rustix::fs::FileType::Fifo, pipe, 0).expect("makes");
    let outcomes = imported(&place, &dir);
    assert_eq!(outcomes.len(), 11);
    for outcome in &outcomes {
        let good = outcome.file.contains("good");
        assert_eq!(outcome.outcome == Outcome::Imported, good, "{outcome:?}");
        assert!(good || matches!(&outcome.outcome, Outcome::Skipped(why) if why.starts_with("it ")), "{outcome:?}");
    }
}

#[test]
fn the_bound_of_files_is_kept() {
    let place = Place::new();
    let dir = directory(&place, &[]);
    let one = dir.join("0.json");
    fs::write(&one, "").expect("writes");
    for number in 1..=IMPORT_FILES_MAX {
        fs::hard_link(&one, dir.join(format!("{number}.json"))).unwrap_or_else(|_| {
            // File systems bound the links of one file.
            fs::write(dir.join(format!("{number}.json")), "").expect("writes");
        });
    }
    let store = place.open();
    let error = run(import(&*store, &dir, place.clock.now())).expect_err("too many");
    assert!(error.to_string().contains("more than"), "{error}");
}

#[test]
fn a_directory_that_is_not_there_is_an_error() {
    let place = Place::new();
    let store = place.open();
    assert!(run(import(&*store, &place.dir().join("nowhere"), place.clock.now())).is_err());
}
