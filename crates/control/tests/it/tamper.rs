//! Every way of tampering with the log that we know, each found and each under its own name.

use std::fs;

use hallpass_control::Keeper;
use hallpass_control::audit::{Finding, LogSource, Place as Where, verify};
use hallpass_control::files;
use hallpass_control::store::StoreError;
use hallpass_core::audit::checkpoint::Checkpoint;
use hallpass_core::audit::{Entry, Event};
use hallpass_core::limits::{AUDIT_FINDINGS_MAX, AUDIT_OPEN_SESSIONS_MAX};
use hallpass_core::session::{SessionEvent, SessionStatus};
use hallpass_testkit::store_fixtures::{activate, change, id, request_allowed, request_denied, run, session};
use rusqlite::params;

use crate::support::{Place, fix_head, relink, replace, stored};

fn populated() -> Place {
    let place = Place::new();
    place.populate();
    place
}

/// Position of an entry by kind, counted among its kind.
fn position(entries: &[Vec<u8>], kind: &str, nth: usize) -> usize {
    let decoded = entries.iter().map(|bytes| Entry::decode(bytes).expect("an entry"));
    let mut positions = decoded.enumerate().filter(|(_, entry)| entry.event.kind() == kind);
    positions.nth(nth).expect("is there").0
}

/// Takes the signatures away that cover more than `size`, as somebody would who reaches the anchor file too.
fn forget_checkpoints(place: &Place, size: u64) {
    place.raw().execute("DELETE FROM audit_checkpoints WHERE size > ?1", [size]).expect("deletes");
    place.raw().execute("UPDATE audit_head SET signed_size = min(signed_size, ?1)", [size]).expect("updates");
    let anchor = fs::read_to_string(place.file(files::ANCHOR)).expect("reads");
    let records = anchor.split_inclusive("\n\n").collect::<Vec<_>>();
    // A record is two pieces: the text with its blank line, the signature with its empty line.
    let kept = records.chunks(2).filter(|pair| {
        let note = pair.concat();
        Checkpoint::peek(&note[..note.len() - 1]).is_ok_and(|checkpoint| checkpoint.size <= size)
    });
    let kept: String = kept.map(<[&str]>::concat).collect();
    fs::write(place.file(files::ANCHOR), kept).expect("writes");
}

#[test]
fn an_untouched_log_is_intact() {
    let place = populated();
    let verdict = place.verify();
    assert_eq!(verdict.findings, []);
    assert!(verdict.is_intact());
    assert_eq!((verdict.entries, verdict.signed_size), (34, 34));
    assert_eq!(verdict.checkpoints, 14, "seven in the database and seven in the anchor file");
}

#[test]
fn one_flipped_bit_in_any_byte_is_found_at_its_entry() {
    let place = populated();
    let raw = place.raw();
    let entries = stored(&raw);
    let mut flips = 0;
    for (at, entry) in entries.iter().enumerate() {
        // Every byte of the first entries, of the others every so many, so that the test stays short.
        let step = if at < 2 || at + 1 == entries.len() { 1 } else { 23 };
        for byte in (0..entry.len()).step_by(step) {
            let mut edited = entries.clone();
            edited[at][byte] ^= 1 << (byte % 7);
            replace(&raw, &edited);
            let verdict = place.verify();
            let first = verdict.first().unwrap_or_else(|| panic!("byte {byte} of entry {at} was not missed"));
            assert_eq!(first.position(), Some(at as u64), "byte {byte}: {:?}", verdict.findings);
            assert!(matches!(first, Finding::Edited { .. } | Finding::Malformed { .. }), "byte {byte}: {first:?}");
            flips += 1;
        }
    }
    assert!(flips > 1_000, "{flips}");
    replace(&raw, &entries);
    assert!(place.verify().is_intact());
}

#[test]
fn an_edited_entry_is_named() {
    let place = populated();
    let raw = place.raw();
    let mut entries = stored(&raw);
    let at = position(&entries, "request_denied", 1);
    let text = String::from_utf8(entries[at].clone()).expect("text");
    entries[at] = text.replace("nothing allows it", "nobody was stopped").into_bytes();
    replace(&raw, &entries);
    assert_eq!(place.verify().findings, [Finding::Edited { at: at as u64 }]);
}

#[test]
fn two_swapped_entries_are_named_wherever_they_are() {
    let place = populated();
    let raw = place.raw();
    let entries = stored(&raw);
    for (a, b) in [(0, 1), (4, 5), (7, 20), (32, 33), (3, 4), (0, 33)] {
        let mut swapped = entries.clone();
        swapped.swap(a, b);
        replace(&raw, &swapped);
        let verdict = place.verify();
        assert_eq!(verdict.first(), Some(&Finding::Reordered { at: a as u64 }), "{a} {b}: {:?}", verdict.findings);
    }
}

#[test]
fn a_missing_entry_in_the_middle_is_named() {
    let place = populated();
    let raw = place.raw();
    let entries = stored(&raw);
    for (at, missing) in [(0, 1), (9, 1), (12, 5), (32, 1)] {
        let mut shorter = entries.clone();
        shorter.drain(at..at + missing);
        replace(&raw, &shorter);
        let expected = Finding::Missing { at: at as u64, missing: missing as u64 };
        assert_eq!(place.verify().first(), Some(&expected), "{at}");
    }
}

#[test]
fn an_entry_that_occurs_twice_is_named() {
    let place = populated();
    let raw = place.raw();
    let mut entries = stored(&raw);
    entries.insert(10, entries[9].clone());
    replace(&raw, &entries);
    assert_eq!(place.verify().first(), Some(&Finding::Repeated { at: 9 }));
}

#[test]
fn a_cut_off_end_is_named_even_when_the_database_is_made_to_fit() {
    for k in [1, 2, 10, 33] {
        let place = populated();
        let raw = place.raw();
        let mut entries = stored(&raw);
        entries.truncate(34 - k);
        let at = entries.len() as u64;
        replace(&raw, &entries);
        let in_database = Finding::Truncated { at, signed: 34, place: Where::Database };
        assert_eq!(place.verify().first(), Some(&in_database), "nothing but the entries taken away");
        fix_head(&raw, &entries);
        raw.execute("DELETE FROM audit_checkpoints WHERE size > ?1", [at]).expect("deletes");
        let verdict = place.verify();
        let in_anchor = Finding::Truncated { at, signed: 34, place: Where::Anchor };
        assert_eq!(verdict.first(), Some(&in_anchor), "{:?}", verdict.findings);
    }
}

#[test]
fn an_emptied_log_is_named_however_thoroughly_it_was_emptied() {
    let place = populated();
    let raw = place.raw();
    raw.execute_batch("DELETE FROM audit_runs").expect("deletes");
    assert_eq!(place.verify().first(), Some(&Finding::Emptied { signed: 34 }));
    fix_head(&raw, &[]);
    raw.execute_batch("DELETE FROM audit_checkpoints; DELETE FROM audit_run_sessions; DELETE FROM sessions")
        .expect("deletes");
    assert_eq!(place.verify().first(), Some(&Finding::Emptied { signed: 34 }));
    raw.execute_batch("DELETE FROM audit_head").expect("deletes");
    assert!(place.codes().contains(&"log-emptied"));
    drop(raw);
    for name in ["hallpass.db", "hallpass.db-wal", "hallpass.db-shm"] {
        let _ = fs::remove_file(place.file(name));
    }
    assert_eq!(place.verify().findings, [Finding::Emptied { signed: 34 }]);
}

#[test]
fn a_directory_without_any_log_is_no_verdict() {
    let place = Place::new();
    fs::create_dir(place.dir()).expect("makes");
    assert!(verify(&place.source(), &|_| false).is_err());
}

#[test]
fn a_head_that_does_not_fit_is_named() {
    let place = populated();
    place.raw().execute("UPDATE audit_head SET last_hash = zeroblob(32)", []).expect("updates");
    assert_eq!(place.verify().findings, [Finding::Head { found: 34, recorded: 34 }]);
    let place = populated();
    let raw = place.raw();
    let mut longer = stored(&raw);
    longer.push(longer[0].clone());
    fix_head(&raw, &longer);
    assert_eq!(place.verify().findings, [Finding::Head { found: 34, recorded: 35 }]);
}

#[test]
fn history_that_was_rewritten_with_all_its_hashes_does_not_fit_what_was_signed() {
    let place = populated();
    let raw = place.raw();
    let mut entries = stored(&raw);
    let at = position(&entries, "request_denied", 2);
    let text = String::from_utf8(entries[at].clone()).expect("text");
    entries[at] = text.replace("nothing allows it", "a harmless thing!").into_bytes();
    let entries = relink(&entries);
    replace(&raw, &entries);
    fix_head(&raw, &entries);
    let verdict = place.verify();
    let Some(Finding::Rewritten { at: from, size }) = verdict.first() else { panic!("{:?}", verdict.findings) };
    assert!(*from <= at as u64 && (at as u64) < *size, "{from} <= {at} < {size}");
}

/// The text with one character of its last signature changed.
fn other_signature(text: &str) -> String {
    let at = text.trim_end().len() - 10;
    let other = if &text[at..=at] == "A" { "B" } else { "A" };
    format!("{}{other}{}", &text[..at], &text[at + 1..])
}

#[test]
fn a_forged_checkpoint_is_named_with_its_place() {
    let place = populated();
    let raw = place.raw();
    let note = "SELECT note FROM audit_checkpoints WHERE size = 13";
    let note = raw.query_row(note, [], |row| row.get::<_, String>(0)).expect("reads");
    let forge = "UPDATE audit_checkpoints SET note = ?1 WHERE size = 13";
    assert_eq!(raw.execute(forge, [other_signature(&note)]).expect("updates"), 1);
    assert_eq!(place.codes(), ["checkpoint-forged"]);
    let place = populated();
    let moved = "UPDATE audit_checkpoints SET root = zeroblob(32) WHERE size = 13";
    assert_eq!(place.raw().execute(moved, []).expect("updates"), 1);
    assert!(place.codes().contains(&"checkpoint-forged"));
    let place = populated();
    let anchor = fs::read_to_string(place.file(files::ANCHOR)).expect("reads");
    fs::write(place.file(files::ANCHOR), other_signature(&anchor)).expect("writes");
    let findings = place.verify().findings;
    assert!(matches!(findings[..], [Finding::Checkpoint { place: Where::Anchor, size: 34, .. }]), "{findings:?}");
}

#[test]
fn a_checkpoint_that_was_removed_from_the_database_is_named() {
    let place = populated();
    assert_eq!(place.raw().execute("DELETE FROM audit_checkpoints WHERE size = 13", []).expect("deletes"), 1);
    assert_eq!(place.verify().findings, [Finding::CheckpointRemoved { size: 13 }]);
}

#[test]
fn a_removed_anchor_file_is_named() {
    let place = populated();
    fs::remove_file(place.file(files::ANCHOR)).expect("removes");
    assert_eq!(place.verify().findings, [Finding::AnchorMissing]);
    fs::write(place.file(files::ANCHOR), "").expect("writes");
    assert!(place.codes().contains(&"anchor-missing"));
}

#[test]
fn another_log_in_the_same_place_is_named() {
    let place = populated();
    for name in ["hallpass.db", "hallpass.db-wal", "hallpass.db-shm"] {
        let _ = fs::remove_file(place.file(name));
    }
    place.populate();
    let first = place.verify().findings.remove(0);
    assert!(matches!(first, Finding::LogChanged { place: Where::Anchor, .. }), "{first:?}");
    let place = populated();
    place.raw().execute("UPDATE audit_head SET log_id = 'other'", []).expect("updates");
    assert!(place.codes().contains(&"log-changed"));
}

#[test]
fn the_key_that_was_noted_down_decides_and_not_the_one_that_lies_there() {
    let place = populated();
    let vkey = run(place.open().log_info()).expect("reads").vkey;
    let noted = LogSource { vkey: Some(vkey), ..place.source() };
    assert!(verify(&noted, &|_| false).expect("reads").is_intact());
    fs::remove_file(place.file(files::KEY)).expect("removes");
    assert!(place.codes().contains(&"key-missing"));
    assert!(verify(&noted, &|_| false).expect("reads").is_intact(), "the public key is enough");
    let other = Place::new();
    other.populate();
    fs::copy(other.file(files::KEY), place.file(files::KEY)).expect("copies");
    assert!(place.codes().contains(&"checkpoint-forged"), "another key signed nothing of this");
}

#[test]
fn a_dropped_end_of_a_session_is_named_even_when_all_signatures_over_it_are_gone() {
    let place = populated();
    let raw = place.raw();
    let mut entries = stored(&raw);
    let (begin, end) = (position(&entries, "session_created", 2), position(&entries, "session_ended", 2));
    assert_eq!(end, 33, "the very last entry");
    entries.truncate(end);
    replace(&raw, &entries);
    fix_head(&raw, &entries);
    let undo = "UPDATE sessions SET status = 'active', ended_at = NULL WHERE id = 'third'";
    raw.execute(undo, []).expect("updates");
    drop(raw);
    forget_checkpoints(&place, end as u64);
    let expected = Finding::EndMissing { at: begin as u64, session: "third".into() };
    let verdict = place.verify();
    assert_eq!(verdict.first(), Some(&expected), "{:?}", verdict.findings);
    let alive = verify(&place.source(), &|keeper: &Keeper| keeper.user == "tester").expect("reads");
    assert_eq!(alive.findings, [], "a session that is kept by a living process has no end yet");
}

#[test]
fn entries_that_nobody_signed_and_nobody_will_are_named() {
    let place = populated();
    forget_checkpoints(&place, 24);
    assert_eq!(place.verify().findings, [Finding::EndUnsigned { at: 24 }]);
}

#[test]
fn a_record_that_says_something_else_than_the_log_is_named() {
    let place = populated();
    let raw = place.raw();
    let at = position(&stored(&raw), "session_ended", 1) as u64;
    let session = || "second".to_owned();
    raw.execute("UPDATE sessions SET status = 'revoked' WHERE id = 'second'", []).expect("updates");
    let (record, logged) = (SessionStatus::Revoked, SessionStatus::Completed);
    assert_eq!(place.verify().findings, [Finding::Status { at, session: session(), record, logged }]);
    raw.execute("UPDATE sessions SET status = 'active', ended_at = NULL WHERE id = 'second'", []).expect("updates");
    let record = SessionStatus::Active;
    assert_eq!(place.verify().findings, [Finding::Status { at, session: session(), record, logged }]);
}

#[test]
fn a_record_that_ended_without_an_end_in_the_log_is_named() {
    let place = Place::new();
    let store = place.open();
    run(activate(&*store, session("s")));
    run(store.checkpoint()).expect("signed");
    drop(store);
    place.raw().execute("UPDATE sessions SET status = 'completed', ended_at = 1", []).expect("updates");
    let (record, logged) = (SessionStatus::Completed, SessionStatus::Active);
    assert_eq!(place.verify().findings, [Finding::Status { at: 1, session: "s".into(), record, logged }]);
}

#[test]
fn a_record_without_entries_is_named() {
    let place = populated();
    let columns = "expires_at, ttl_seconds, policy, role_arn, principal, command, provider, tags, delivery, revocation, \
        authority, requests_allowed, requests_denied";
    for (name, status, ended) in [("ghost", "completed", "1"), ("spectre", "active", "NULL")] {
        let copy = format!(
            "INSERT INTO sessions (id, created_at, status, ended_at, {columns}) \
             SELECT '{name}', 0, '{status}', {ended}, {columns} FROM sessions WHERE id = 'first'"
        );
        place.raw().execute(&copy, []).expect("inserts");
    }
    let findings = place.verify().findings;
    let unrecorded = |session: &str| Finding::Unrecorded { session: session.into() };
    assert_eq!(findings, [unrecorded("spectre"), unrecorded("ghost")]);
}

#[test]
fn an_index_that_does_not_fit_is_named() {
    let edits = [
        "UPDATE audit_run_sessions SET entries = entries + 1 WHERE session_id = 'second' AND first_seq = \
         (SELECT min(first_seq) FROM audit_run_sessions WHERE session_id = 'second')",
        "DELETE FROM audit_run_sessions WHERE session_id = 'second' AND first_seq = \
         (SELECT min(first_seq) FROM audit_run_sessions WHERE session_id = 'second')",
        "INSERT INTO audit_run_sessions VALUES ('nobody', 0, 1)",
        "UPDATE audit_runs SET entries = entries + 1 WHERE first_seq = 0",
        "UPDATE audit_runs SET first_seq = first_seq + 1 WHERE first_seq = (SELECT max(first_seq) FROM audit_runs)",
    ];
    for edit in edits {
        let place = populated();
        assert_eq!(place.raw().execute(edit, []).expect("edits"), 1);
        assert!(place.codes().contains(&"run-index-mismatch"), "{edit}: {:?}", place.verify().findings);
    }
}

#[test]
fn bytes_that_are_no_entry_are_named() {
    let place = populated();
    let raw = place.raw();
    let mut entries = stored(&raw);
    entries[8] = b"not an entry".to_vec();
    replace(&raw, &entries);
    assert_eq!(place.verify().first(), Some(&Finding::Malformed { at: 8 }));
    replace(&raw, &stored(&raw)[..8]);
    raw.execute("UPDATE audit_runs SET bytes = substr(bytes, 1, length(bytes) - 3) WHERE first_seq = 4", [])
        .expect("updates");
    assert_eq!(place.verify().first(), Some(&Finding::Malformed { at: 7 }), "a frame that is cut off");
}

/// Writes entries as only somebody with full control of the files could.
fn forged_log(events: &[(Option<&str>, Event)]) -> Place {
    let place = Place::new();
    drop(place.open());
    let raw = place.raw();
    let mut entries = stored(&raw);
    for (session, event) in events {
        let session = session.map(id);
        let time = hallpass_testkit::store_fixtures::start();
        entries.push(Entry::encode(0, &[0; 32], time, session.as_ref(), event).expect("encodes"));
    }
    let entries = relink(&entries);
    replace(&raw, &entries);
    fix_head(&raw, &entries);
    drop(raw);
    place
}

#[test]
fn a_request_outside_its_session_and_an_end_without_a_beginning_are_named() {
    let ended = Event::SessionEnded {
        status: SessionStatus::Completed,
        reason: "done".into(),
        exit_code: None,
        requests_allowed: 0,
        requests_denied: 0,
    };
    let place = forged_log(&[(Some("s"), request_allowed()), (Some("s"), ended)]);
    let findings = place.verify().findings;
    assert!(findings.contains(&Finding::OutsideSession { at: 1, session: "s".into() }), "{findings:?}");
    assert!(findings.contains(&Finding::BeginningMissing { at: 2, session: "s".into() }), "{findings:?}");
}

#[test]
fn findings_are_bounded_and_the_rest_is_counted() {
    let events: Vec<_> = (0..AUDIT_FINDINGS_MAX + 50).map(|_| (Some("s"), request_allowed())).collect();
    let verdict = forged_log(&events).verify();
    assert_eq!(verdict.findings.len(), AUDIT_FINDINGS_MAX);
    assert!(verdict.findings_left_out >= 50, "{}", verdict.findings_left_out);
    assert!(!verdict.is_intact());
}

#[test]
fn more_open_sessions_than_can_be_held_are_a_finding_and_no_memory() {
    let place = Place::new();
    let store = place.open();
    run(activate(&*store, session("s")));
    drop(store);
    let raw = place.raw();
    let created = Entry::decode(&stored(&raw)[1]).expect("an entry");
    let mut entries = vec![stored(&raw)[0].clone()];
    for number in 0..=AUDIT_OPEN_SESSIONS_MAX {
        let session = id(&format!("s{number}"));
        let bytes = Entry::encode(0, &[0; 32], created.time, Some(&session), &created.event);
        entries.push(bytes.expect("encodes"));
    }
    let entries = relink(&entries);
    raw.execute_batch("BEGIN").expect("begins");
    replace(&raw, &entries);
    fix_head(&raw, &entries);
    raw.execute_batch("COMMIT").expect("commits");
    let findings = place.verify().findings;
    let at = AUDIT_OPEN_SESSIONS_MAX as u64 + 1;
    assert!(findings.contains(&Finding::TooManyOpen { at }), "{:?}", &findings[..3]);
}

#[test]
fn a_log_that_is_being_written_verifies() {
    let place = Place::new();
    let store = place.open();
    run(activate(&*store, session("s")));
    let writing = std::sync::atomic::AtomicBool::new(true);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..400 {
                run(store.append(Some(&id("s")), request_denied(1))).expect("appended");
                if number % 20 == 0 {
                    run(store.checkpoint()).expect("signed");
                }
            }
            writing.store(false, std::sync::atomic::Ordering::SeqCst);
        });
        let mut rounds = 0;
        while writing.load(std::sync::atomic::Ordering::SeqCst) || rounds == 0 {
            let verdict = verify(&place.source(), &Keeper::is_alive).expect("reads");
            assert_eq!(verdict.findings, []);
            rounds += 1;
        }
    });
}

#[test]
fn a_record_that_was_torn_by_a_power_failure_is_no_tampering_and_is_healed() {
    let place = populated();
    let whole = fs::read(place.file(files::ANCHOR)).expect("reads");
    let torn_at = whole.len() - 60;
    fs::write(place.file(files::ANCHOR), &whole[..torn_at]).expect("writes");
    assert_eq!(place.verify().findings, []);
    let store = place.open();
    run(async {
        activate(&*store, session("fourth")).await;
        store.transition(change("fourth", SessionEvent::Complete)).await.expect("ends");
    });
    drop(store);
    assert_eq!(place.verify().findings, []);
    let healed = fs::read_to_string(place.file(files::ANCHOR)).expect("reads");
    assert_eq!(healed.matches("\n\n\u{2014}").count() * 2, healed.matches("\n\n").count(), "{healed}");
}

#[test]
fn a_log_of_a_newer_version_is_refused_and_not_judged() {
    let place = populated();
    place.raw().execute("UPDATE schema_version SET version = 99", params![]).expect("updates");
    let newer = StoreError::Newer { found: 99, known: 3 };
    assert_eq!(verify(&place.source(), &|_| false), Err(newer.clone()));
    assert_eq!(place.try_open().err(), Some(newer));
}
