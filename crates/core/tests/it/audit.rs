//! The hash tree against RFC 6962's published roots, and the checkpoint's text against C2SP.

use hallpass_core::audit::checkpoint::{Checkpoint, CheckpointError, VerifierKey};
use hallpass_core::audit::entry::{GENESIS, Hash, leaf_hash};
use hallpass_core::audit::merkle::{Frontier, PathBuilder, node_hash, verify_consistency, verify_inclusion};
use hallpass_core::audit::{Entry, EntryError, Event, Outline};
use hallpass_core::id::SessionId;
use hallpass_core::limits::{AUDIT_ENTRY_BYTES_MAX, CHECKPOINT_NOTE_BYTES_MAX};
use proptest::prelude::*;

/// The leaves and roots of the reference tests of Certificate Transparency.
const LEAVES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn leaf(index: u64) -> Hash {
    leaf_hash(&index.to_be_bytes())
}

fn frontier(size: u64) -> Frontier {
    let mut frontier = Frontier::default();
    (0..size).for_each(|index| frontier.append(leaf(index)));
    frontier
}

/// The definition of the RFC, word for word.
fn tree_hash(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => frontier(0).root(),
        [one] => *one,
        many => {
            let half = many.len().next_power_of_two() / 2;
            node_hash(&tree_hash(&many[..half]), &tree_hash(&many[half..]))
        }
    }
}

fn path(mut builder: PathBuilder, size: u64) -> Vec<Hash> {
    (0..size).for_each(|index| builder.push(leaf(index)));
    builder.finish().expect("all leaves passed")
}

#[test]
fn the_published_roots_of_certificate_transparency_come_out() {
    let mut frontier = Frontier::default();
    assert_eq!(hex::encode(frontier.root()), ROOTS[0]);
    for (leaf, root) in LEAVES.iter().zip(&ROOTS[1..]) {
        frontier.append(leaf_hash(&hex::decode(leaf).expect("hex")));
        assert_eq!(hex::encode(frontier.root()), *root);
    }
}

#[test]
fn the_edge_of_the_tree_gives_the_same_root_as_the_whole_tree() {
    let leaves: Vec<Hash> = (0..200).map(leaf).collect();
    for size in 0..=leaves.len() {
        let edge = frontier(size as u64);
        assert_eq!(edge.root(), tree_hash(&leaves[..size]), "{size}");
        assert_eq!(Frontier::from_bytes(size as u64, &edge.to_bytes()).expect("reads back"), edge);
        assert!(edge.to_bytes().len() <= 32 * 8, "the edge grows with the logarithm");
    }
}

#[test]
fn an_edge_that_cannot_belong_to_its_size_is_refused() {
    let bytes = frontier(7).to_bytes();
    assert!(Frontier::from_bytes(7, &bytes).is_some());
    assert!(Frontier::from_bytes(8, &bytes).is_none());
    assert!(Frontier::from_bytes(7, &bytes[1..]).is_none());
    assert!(Frontier::from_bytes(0, &bytes).is_none());
}

#[test]
fn every_leaf_of_every_small_tree_can_be_proved_and_only_at_its_place() {
    for size in 1..=33_u64 {
        let root = frontier(size).root();
        for index in 0..size {
            let proof = path(PathBuilder::inclusion(index, size).expect("in the tree"), size);
            assert!(verify_inclusion(&leaf(index), index, size, &proof, &root), "{index} of {size}");
            assert!(!verify_inclusion(&leaf(index + 1), index, size, &proof, &root), "another leaf");
            assert!(!verify_inclusion(&leaf(index), index, size, &proof, &leaf(0x77)), "another root");
            assert!(!verify_inclusion(&leaf(index), size, size, &proof, &root), "past the end");
            if size > 1 {
                assert!(!verify_inclusion(&leaf(index), index ^ 1, size, &proof, &root), "another place");
                assert!(!verify_inclusion(&leaf(index), index, size, &proof[1..], &root), "a short proof");
            }
            let long = [proof, vec![root]].concat();
            assert!(!verify_inclusion(&leaf(index), index, size, &long, &root), "a long proof");
        }
        assert!(PathBuilder::inclusion(size, size).is_none());
    }
}

#[test]
fn every_small_tree_is_shown_to_be_a_prefix_of_every_larger_one_and_of_no_other() {
    for new in 1..=33_u64 {
        let new_root = frontier(new).root();
        for old in 1..=new {
            let old_root = frontier(old).root();
            let proof = path(PathBuilder::consistency(old, new).expect("not empty"), new);
            assert!(verify_consistency(old, new, &old_root, &new_root, &proof), "{old} in {new}");
            assert!(!verify_consistency(old, new, &leaf(1_000), &new_root, &proof), "another old root");
            assert!(!verify_consistency(old, new, &old_root, &leaf(1_000), &proof), "another new root");
        }
        assert!(PathBuilder::consistency(new + 1, new).is_none());
    }
    assert!(PathBuilder::consistency(0, 5).is_none());
}

#[test]
fn a_proof_is_not_finished_before_every_leaf_has_passed() {
    let mut builder = PathBuilder::inclusion(0, 4).expect("in the tree");
    (0..3).for_each(|index| builder.push(leaf(index)));
    assert_eq!(builder.finish(), None);
}

proptest! {
    #[test]
    fn a_proof_from_a_large_tree_verifies(size in 1..3_000_u64, at in any::<prop::sample::Index>()) {
        let index = at.index(size as usize) as u64;
        let proof = path(PathBuilder::inclusion(index, size).expect("in the tree"), size);
        prop_assert!(proof.len() <= 12);
        prop_assert!(verify_inclusion(&leaf(index), index, size, &proof, &frontier(size).root()));
    }

    #[test]
    fn no_text_makes_the_note_reader_panic(text in "\\PC*", tail in "[\n\u{2014} a-zA-Z0-9+/=]*") {
        let _ = Checkpoint::peek(&format!("{text}\n\n{tail}\n"));
        let _ = text.parse::<VerifierKey>();
    }
}

/// The example key of Go's `sumdb/note`, from which C2SP signed-note comes.
const VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

#[test]
fn the_published_verifier_key_is_read_and_written_with_its_key_id() {
    let key: VerifierKey = VKEY.parse().expect("reads");
    assert_eq!((key.name(), hex::encode(key.id()).as_str()), ("PeterNeumann", "c74f20a3"));
    assert_eq!(key.to_string(), VKEY);
    assert!(VKEY.replace("c74f20a3", "c74f20a4").parse::<VerifierKey>().is_err());
    assert!(VKEY.replace("Peter", "Paul").parse::<VerifierKey>().is_err());
    assert!(VerifierKey::new("two words", [0; 32]).is_err());
}

fn key() -> VerifierKey {
    VerifierKey::new("hallpass.local/test", [7; 32]).expect("a name")
}

fn checkpoint() -> Checkpoint {
    Checkpoint { origin: "hallpass.local/test".into(), size: 17, root: [9; 32] }
}

/// Stands in for Ed25519: what matters here is which bytes are signed and which are looked at.
fn signed_by_nines(public: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    *public == [7; 32] && message == checkpoint().body().as_bytes() && signature == [9; 64]
}

#[test]
fn a_checkpoint_has_the_text_of_c2sp_and_reads_back() {
    let note = checkpoint().note(&key(), &[9; 64]);
    let lines: Vec<&str> = note.lines().collect();
    assert_eq!(lines[..4], ["hallpass.local/test", "17", "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=", ""]);
    assert!(lines[4].starts_with("\u{2014} hallpass.local/test "), "{note}");
    assert_eq!(Checkpoint::open(&note, &key(), signed_by_nines), Ok(checkpoint()));
}

#[test]
fn a_signature_of_another_key_or_over_another_text_does_not_count() {
    let wrong = Err(CheckpointError::Signature("hallpass.local/test".into()));
    let note = checkpoint().note(&key(), &[8; 64]);
    assert_eq!(Checkpoint::open(&note, &key(), signed_by_nines), wrong);
    let other = VerifierKey::new("hallpass.local/test", [6; 32]).expect("a name");
    assert_eq!(Checkpoint::open(&checkpoint().note(&other, &[9; 64]), &key(), |_, _, _| true), wrong);
    let larger = Checkpoint { size: 18, ..checkpoint() };
    assert_eq!(Checkpoint::open(&larger.note(&key(), &[9; 64]), &key(), signed_by_nines), wrong);
    let foreign = Checkpoint { origin: "elsewhere".into(), ..checkpoint() };
    assert_eq!(Checkpoint::open(&foreign.note(&key(), &[9; 64]), &key(), |_, _, _| true), wrong);
}

#[test]
fn a_witness_may_sign_beside_us() {
    let note = checkpoint().note(&key(), &[9; 64]);
    let witnessed = format!("{note}\u{2014} witness.example AAAAAAAA\n");
    assert_eq!(Checkpoint::open(&witnessed, &key(), signed_by_nines), Ok(checkpoint()));
}

#[test]
fn what_is_not_a_checkpoint_is_refused() {
    let note = checkpoint().note(&key(), &[9; 64]);
    for bad in [
        note.replace("17", "017"),
        note.replace("17", "+17"),
        note.replace("17", ""),
        note.replace("CQkJ", "CQk"),
        note.replace("\n\n", "\nextra\n\n"),
        note.replace('\u{2014}', "-"),
        note.trim_end().to_owned(),
        note.replace('\n', "\r\n"),
        checkpoint().body(),
        String::new(),
        format!("{note}{}", "\u{2014} a b\n".repeat(CHECKPOINT_NOTE_BYTES_MAX / 8)),
    ] {
        assert!(matches!(Checkpoint::peek(&bad), Err(CheckpointError::Malformed(_))), "{bad:?}");
    }
}

#[test]
fn an_entry_larger_than_the_format_allows_is_refused_and_the_largest_is_not() {
    let now = "2026-01-01T00:00:00Z".parse().expect("time");
    let entry = |reason: usize| {
        let event = Event::LogInterrupted { since: now, reason: "x".repeat(reason), done: vec![] };
        Entry::encode(0, &GENESIS, now, None, &event)
    };
    let overhead = entry(0).expect("fits").len();
    assert_eq!(entry(AUDIT_ENTRY_BYTES_MAX - overhead).expect("fits").len(), AUDIT_ENTRY_BYTES_MAX);
    assert_eq!(entry(AUDIT_ENTRY_BYTES_MAX - overhead + 1), Err(EntryError::TooLarge(AUDIT_ENTRY_BYTES_MAX + 1)));
}

#[test]
fn the_fast_path_reads_the_same_links_as_the_whole_entry() {
    let now = "2026-01-01T00:00:00Z".parse().expect("time");
    for seq in [0, 9, 10, u64::MAX] {
        let event = Event::SessionActivated { pid: 1 };
        let bytes = Entry::encode(seq, &leaf(seq), now, None, &event).expect("encodes");
        assert_eq!(Entry::links(&bytes), Some((seq, leaf(seq))));
        assert_eq!(Entry::decode(&bytes).map(|e| (e.seq, e.prev)), Ok((seq, hex::encode(leaf(seq)))));
    }
    let zeros = format!("{{\"seq\":01,\"prev\":\"{}\",\"time\":0}}", hex::encode(leaf(0)));
    assert_eq!(Entry::links(zeros.as_bytes()), None, "one number has one spelling");
}

#[test]
fn the_outline_of_stored_bytes_says_what_the_whole_entry_says() {
    let now = "2026-01-01T00:00:00Z".parse().expect("time");
    let id = SessionId::new("s-1").expect("id");
    for session in [None, Some(&id)] {
        let event = Event::SessionActivated { pid: 1 };
        let bytes = Entry::encode(3, &leaf(3), now, session, &event).expect("encodes");
        let outline = Outline::of(&bytes).expect("reads");
        assert_eq!((outline.seq, outline.prev, outline.kind), (3, leaf(3), "session_activated"));
        assert_eq!(outline.session, session.map(SessionId::as_str));
        let kind = "session_activated";
        let end_of_kind = bytes.windows(kind.len()).position(|w| w == kind.as_bytes()).expect("is there") + kind.len();
        assert!((0..=end_of_kind).all(|end| Outline::of(&bytes[..end]).is_none()), "a cut entry has no outline");
    }
}
