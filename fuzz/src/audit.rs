//! What is read back from an audit log, and from strangers: entries, checkpoints, verifier keys, the hashes of proofs.

use hallpass_core::audit::checkpoint::{Checkpoint, VerifierKey};
use hallpass_core::audit::entry::{Hash, leaf_hash};
use hallpass_core::audit::merkle::{Frontier, PathBuilder, verify_consistency, verify_inclusion};
use hallpass_core::audit::{Entry, Outline};

use crate::input;

/// A key that signs nothing.
const VKEY: &str = "log.example+5d23591e+AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";

/// Any bytes, read in every way.
pub fn run(data: &[u8]) {
    entry(data);
    tree(data);
    if let Ok(text) = std::str::from_utf8(data) {
        checkpoint(text);
        if let Ok(key) = text.parse::<VerifierKey>() {
            assert_eq!(key.to_string().parse::<VerifierKey>().as_ref(), Ok(&key));
        }
    }
}

/// The fast reader and the whole one tell the same.
fn entry(data: &[u8]) {
    let (outline, entry) = (Outline::of(data), Entry::decode(data));
    assert_eq!(outline.map(|o| (o.seq, o.prev)), outline.and(Entry::links(data)));
    let Ok(entry) = entry else { return };
    if let Some(outline) = outline {
        assert_eq!((outline.seq, outline.kind), (entry.seq, entry.event.kind()));
        assert_eq!(outline.session, entry.session.as_ref().map(|id| id.as_str()));
    }
    let mut prev: Hash = [0; 32];
    prev[0] = 7;
    let Ok(bytes) = Entry::encode(entry.seq, &prev, entry.time, entry.session.as_ref(), &entry.event) else { return };
    let again = Entry::decode(&bytes).expect("what is written reads back");
    assert_eq!((&again.session, &again.event, again.seq), (&entry.session, &entry.event, entry.seq));
    let outline = Outline::of(&bytes).expect("what is written has the fixed beginning");
    assert_eq!((outline.seq, outline.prev, outline.kind), (entry.seq, prev, entry.event.kind()));
}

fn checkpoint(text: &str) {
    let key: VerifierKey = VKEY.parse().expect("a key");
    let opened = Checkpoint::open(text, &key, |_, message, _| text.as_bytes().starts_with(message));
    let peeked = Checkpoint::peek(text);
    if let Ok(opened) = opened {
        assert_eq!(peeked.as_ref(), Ok(&opened));
        assert!(text.starts_with(&opened.body()), "what is signed is what is read");
    }
    if let Ok(checkpoint) = peeked {
        let note = checkpoint.note(&key, &[0; 64]);
        assert_eq!(Checkpoint::peek(&note).as_ref(), Ok(&checkpoint));
    }
    assert!(Checkpoint::open(text, &key, |_, _, _| false).is_err(), "no signature is good, and it opened");
}

/// A tree of a size that the input says: its proofs prove, and nothing else does.
fn tree(data: &[u8]) {
    let [size, index, old, rest @ ..] = data else { return };
    let size = u64::from(*size) % 40 + 1;
    let (index, old) = (u64::from(*index) % size, u64::from(*old) % size + 1);
    let leaf = |n: u64| leaf_hash(&[rest, &n.to_be_bytes()].concat());
    let (mut inclusion, mut consistency) =
        (PathBuilder::inclusion(index, size).expect("inside"), PathBuilder::consistency(old, size).expect("older"));
    let (mut frontier, mut old_root) = (Frontier::default(), [0; 32]);
    for n in 0..size {
        frontier.append(leaf(n));
        inclusion.push(leaf(n));
        consistency.push(leaf(n));
        if n + 1 == old {
            old_root = frontier.root();
        }
    }
    let root = frontier.root();
    let kept = Frontier::from_bytes(size, &frontier.to_bytes()).expect("reads back");
    assert_eq!(kept.root(), root);
    let (inclusion, consistency) = (inclusion.finish().expect("whole"), consistency.finish().expect("whole"));
    assert!(verify_inclusion(&leaf(index), index, size, &inclusion, &root));
    assert!(!verify_inclusion(&leaf(index + 1), index, size, &inclusion, &root));
    assert!(verify_consistency(old, size, &old_root, &root, &consistency));
    let given: Vec<Hash> = rest.chunks_exact(32).filter_map(|part| part.try_into().ok()).collect();
    let at = input::choice(rest) as u64;
    assert!(
        given == inclusion || !verify_inclusion(&leaf(index), index, size, &given, &root),
        "two proofs for one leaf"
    );
    let _ = verify_consistency(at % 300, at / 300 % 300, &old_root, &root, &given);
    let _ = Frontier::from_bytes(at % 1_024, rest);
}
