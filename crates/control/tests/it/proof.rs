//! Proofs that stand without the log, and exports.

use std::sync::Arc;

use hallpass_control::audit::{ExportFilter, LogSource, Proof, ProofError, export, proof, verify_proof};
use hallpass_control::store::{Store, StoreError};
use hallpass_core::audit::{Class, Entry, Event};
use hallpass_testkit::store_fixtures::{activate, full_session, id, request_denied, run};
use serde_json::Value;

use crate::support::{Place, fix_head, relink, replace, stored};

fn vkey(store: &Arc<dyn Store>) -> String {
    run(store.log_info()).expect("reads").vkey
}

#[test]
fn every_entry_can_be_proved_with_nothing_but_the_key() {
    let place = Place::new();
    place.populate();
    let vkey = vkey(&place.open());
    for seq in 0..34 {
        let proof = proof(&place.source(), seq).expect("proves");
        let text = serde_json::to_string(&proof).expect("writes");
        let read: Proof = serde_json::from_str(&text).expect("reads");
        assert_eq!(verify_proof(&read, &vkey), Ok(()), "{seq}");
        assert_eq!(Entry::decode(read.entry.as_bytes()).expect("an entry").seq, seq);
        assert!(read.hashes.len() <= 6);
    }
}

#[test]
fn a_proof_that_was_changed_in_anything_proves_nothing() {
    let place = Place::new();
    place.populate();
    let vkey = vkey(&place.open());
    let good = proof(&place.source(), 3).expect("proves");
    let changed = |change: fn(&mut Proof)| {
        let mut proof = good.clone();
        change(&mut proof);
        verify_proof(&proof, &vkey)
    };
    assert_eq!(changed(|_| ()), Ok(()));
    assert_eq!(changed(|p| p.index = 4), Err(ProofError::NotIncluded));
    assert_eq!(changed(|p| p.size = 33), Err(ProofError::NotIncluded));
    assert_eq!(changed(|p| _ = p.hashes.pop()), Err(ProofError::NotIncluded));
    assert_eq!(changed(|p| p.hashes[0] = "00".repeat(32)), Err(ProofError::NotIncluded));
    assert_eq!(changed(|p| p.entry = p.entry.replace("us-east-1", "us-east-2")), Err(ProofError::NotIncluded));
    assert_eq!(changed(|p| p.checkpoint = p.checkpoint.replace("34", "33")), Err(ProofError::Signature));
    assert!(matches!(changed(|p| p.hashes[0].clear()), Err(ProofError::Malformed(_))));
    assert!(matches!(changed(|p| p.entry.clear()), Err(ProofError::Malformed(_))));
    let other = Place::new();
    assert_eq!(verify_proof(&good, &self::vkey(&other.open())), Err(ProofError::Signature));
    assert!(matches!(verify_proof(&good, "nonsense"), Err(ProofError::Malformed(_))));
}

#[test]
fn what_no_checkpoint_covers_is_not_proved() {
    let place = Place::new();
    let store = place.open();
    run(store.append(None, request_denied(1))).expect("appended");
    let refused = proof(&place.source(), 1);
    assert!(matches!(&refused, Err(StoreError::Invalid(text)) if text.contains("not covered")), "{refused:?}");
    assert!(matches!(proof(&place.source(), u64::MAX), Err(StoreError::Invalid(_))));
    run(store.checkpoint()).expect("signed");
    assert!(proof(&place.source(), 1).is_ok());
}

#[test]
fn a_rewritten_log_gives_no_proofs() {
    let place = Place::new();
    place.populate();
    let raw = place.raw();
    let mut entries = stored(&raw);
    let text = String::from_utf8(entries[5].clone()).expect("text");
    entries[5] = text.replace("us-east-1", "us-east-2").into_bytes();
    let entries = relink(&entries);
    replace(&raw, &entries);
    fix_head(&raw, &entries);
    assert!(matches!(proof(&place.source(), 3), Err(StoreError::Corrupt(_))));
}

fn exported(place: &Place, filter: &ExportFilter) -> Vec<String> {
    let mut out = Vec::new();
    let count = export(&place.source(), filter, &mut out).expect("exports");
    let lines: Vec<String> = String::from_utf8(out).expect("text").lines().map(str::to_owned).collect();
    assert_eq!(count, lines.len() as u64);
    lines
}

#[test]
fn an_export_holds_the_stored_bytes() {
    let place = Place::new();
    place.populate();
    let stored: Vec<String> =
        stored(&place.raw()).into_iter().map(|bytes| String::from_utf8(bytes).expect("text")).collect();
    assert_eq!(exported(&place, &ExportFilter::default()), stored);
    assert_eq!(exported(&place, &ExportFilter { from_seq: 30, ..ExportFilter::default() }), stored[30..]);
    let own = exported(&place, &ExportFilter { session: Some(id("second")), ..ExportFilter::default() });
    assert_eq!(own.len(), 10);
    assert!(own.iter().all(|line| line.contains("\"session\":\"second\"")));
}

#[test]
fn a_redacted_export_has_public_fields_only() {
    let place = Place::new();
    run(activate(&*place.open(), full_session("s")));
    let lines = exported(&place, &ExportFilter { redacted: true, ..ExportFilter::default() });
    assert_eq!(lines.len(), 3);
    for line in &lines {
        let value: Value = serde_json::from_str(line).expect("JSON");
        let event = value["event"].as_object().expect("an event");
        let kind = event["type"].as_str().expect("a kind");
        for field in event.keys().filter(|field| *field != "type") {
            assert_eq!(Event::class(kind, field), Class::Public, "{kind}.{field}");
        }
    }
    let all = lines.concat();
    assert!(all.contains("s3/GetObject") && all.contains("claude-code"), "{all}");
    for sensitive in ["Grüße", "tester", "\"ls\"", "T-1"] {
        assert!(!all.contains(sensitive), "{sensitive} in {all}");
    }
}

#[test]
fn a_sink_that_fails_is_an_error() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let place = Place::new();
    place.populate();
    let failed = export(&LogSource::new(place.dir()), &ExportFilter::default(), &mut Full);
    assert!(matches!(failed, Err(StoreError::Io(_))), "{failed:?}");
}
