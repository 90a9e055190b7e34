//! Every input of the corpus, and a few thousand mutations of each target's, on every test run. A finding that was
//! fixed stays in the corpus, so it stays fixed.

use std::collections::BTreeSet;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use hallpass_fuzz::{TARGETS, Target};

/// Mutations of each target's corpus, beside the corpus itself.
const MUTATIONS: usize = 2_000;
/// The largest that a target's corpus may grow, bytes: it is for reading too.
const CORPUS_BYTES_MAX: usize = 256 * 1024;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

fn corpus(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let files = std::fs::read_dir(folder().join(target.name)).expect("a folder with the target's name");
    let mut paths: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), std::fs::read(path).expect("readable"))).collect()
}

fn held(target: &Target, input: &[u8], what: &str) {
    let run = target.run;
    if catch_unwind(|| run(input)).is_err() {
        panic!("{}: {what} breaks a promise: {:?}", target.name, String::from_utf8_lossy(input));
    }
}

/// xorshift64: the same numbers on every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).expect("64 bits") % bound.max(1)
    }
}

/// One input with up to four changes: a bit, a byte, a piece taken out, doubled, or taken from another.
fn mutated(numbers: &mut Numbers, input: &[u8], other: &[u8]) -> Vec<u8> {
    let mut out = input.to_vec();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(out.len() + 1);
        let upto = (at + numbers.below(24)).min(out.len());
        match numbers.below(5) {
            0 if at < out.len() => out[at] ^= 1 << numbers.below(8),
            1 => out.insert(at, [0, b'\n', b'/', b'%', b'"', b'*', 0xff, b'&'][numbers.below(8)]),
            2 => drop(out.drain(at..upto)),
            3 => {
                let piece = out[at..upto].to_vec();
                out.splice(at..at, piece);
            }
            _ => {
                let from = numbers.below(other.len() + 1);
                let piece = other[from..(from + numbers.below(32)).min(other.len())].to_vec();
                out.splice(at..upto, piece);
            }
        }
    }
    out
}

#[test]
fn every_input_of_the_corpus_is_taken_without_a_broken_promise() {
    for target in &TARGETS {
        for (path, input) in corpus(target) {
            held(target, &input, &path.display().to_string());
        }
    }
}

#[test]
fn mutations_of_the_corpus_break_no_promise() {
    for target in &TARGETS {
        let corpus = corpus(target);
        let mut numbers = Numbers(0x6861_6c6c_7061_7373);
        for n in 0..MUTATIONS {
            let (input, other) = (&corpus[numbers.below(corpus.len())].1, &corpus[numbers.below(corpus.len())].1);
            let input = mutated(&mut numbers, input, other);
            held(target, &input, &format!("mutation {n}"));
        }
    }
}

#[test]
fn every_target_has_a_corpus_and_every_corpus_a_target() {
    let named: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    let folders = std::fs::read_dir(folder()).expect("the corpus");
    let found: BTreeSet<String> =
        folders.map(|f| f.expect("a folder").file_name().into_string().expect("text")).collect();
    assert_eq!(named, found);
    for target in &TARGETS {
        let sizes: Vec<usize> = corpus(target).iter().map(|(_, input)| input.len()).collect();
        assert!(!sizes.is_empty() && sizes.iter().all(|size| *size <= target.bytes_max), "{}", target.name);
        assert!(sizes.iter().sum::<usize>() <= CORPUS_BYTES_MAX, "{}: minimise it", target.name);
    }
}
