//! Signed checkpoints: the text of C2SP `tlog-checkpoint`, signed as a C2SP `signed-note` with Ed25519.
//!
//! Core has no key: the caller signs and verifies bytes, this file only says which.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::entry::Hash;
use crate::limits::CHECKPOINT_NOTE_BYTES_MAX;

/// Algorithm byte of Ed25519 in key ids and verifier keys (C2SP signed-note).
const ED25519: u8 = 1;
/// A signature line begins with an em dash and a space (C2SP signed-note).
const SIGNATURE_MARK: &str = "\u{2014} ";

/// What a checkpoint says: this log had these entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Name of the log.
    pub origin: String,
    /// Entries covered.
    pub size: u64,
    /// Root of the Merkle tree over them.
    pub root: Hash,
}

/// The text is not a checkpoint, a note or a key of the form that we write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// It does not have the form.
    #[error("not a signed checkpoint: {0}")]
    Malformed(&'static str),
    /// The key's signature is missing or wrong.
    #[error("the checkpoint has no valid signature of `{0}`")]
    Signature(String),
    /// The text is no verifier key.
    #[error("not a verifier key: {0}")]
    Key(&'static str),
}

impl Checkpoint {
    /// The text that is signed, with its final line break.
    pub fn body(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    /// The signed note, from the signature of `key` over [`Self::body`].
    pub fn note(&self, key: &VerifierKey, signature: &[u8; 64]) -> String {
        let blob = [key.id().as_slice(), signature].concat();
        format!("{}\n{SIGNATURE_MARK}{} {}\n", self.body(), key.name, STANDARD.encode(blob))
    }

    /// Reads a note and checks that `key` signed it; `verify` gets the public key, the message and the signature.
    /// Signatures of other keys (witnesses) are passed over.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`] or [`CheckpointError::Signature`].
    pub fn open(
        note: &str,
        key: &VerifierKey,
        verify: impl Fn(&[u8; 32], &[u8], &[u8]) -> bool,
    ) -> Result<Self, CheckpointError> {
        let (body, signatures) = split_note(note)?;
        let checkpoint = Self::parse(body)?;
        let signed = signatures.lines().filter_map(|line| signature_of(line, key));
        let mut signed = signed.map(|signature| verify(&key.public, body.as_bytes(), &signature));
        if checkpoint.origin == key.name && signed.any(|good| good) {
            return Ok(checkpoint);
        }
        Err(CheckpointError::Signature(key.name.clone()))
    }

    /// Reads the text of a note without looking at its signatures, to learn which log it speaks of.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`].
    pub fn peek(note: &str) -> Result<Self, CheckpointError> {
        let (body, _) = split_note(note)?;
        Self::parse(body)
    }

    fn parse(body: &str) -> Result<Self, CheckpointError> {
        let malformed = CheckpointError::Malformed;
        let mut lines = body.split_terminator('\n');
        let (Some(origin), Some(size), Some(root), None) = (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(malformed("it must have exactly three lines"));
        };
        if !is_name(origin) {
            return Err(malformed("the origin is not a name"));
        }
        let digits = size.bytes().all(|b| b.is_ascii_digit()) && (size == "0" || !size.starts_with('0'));
        let size = size.parse().ok().filter(|_| digits).ok_or(malformed("the size is not a decimal number"))?;
        let root = STANDARD.decode(root).ok().and_then(|bytes| Hash::try_from(bytes).ok());
        let root = root.ok_or(malformed("the root is not 32 bytes of base64"))?;
        Ok(Self { origin: origin.to_owned(), size, root })
    }
}

/// The public half of the key that signs checkpoints. As text it is `<name>+<key id>+<base64>`, the `vkey` form of
/// C2SP signed-note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    public: [u8; 32],
}

impl VerifierKey {
    /// A key under a name; the name is the origin of the log.
    ///
    /// # Errors
    /// [`CheckpointError::Key`] when the name is empty or holds white space or `+`.
    pub fn new(name: impl Into<String>, public: [u8; 32]) -> Result<Self, CheckpointError> {
        let name = name.into();
        if !is_name(&name) {
            return Err(CheckpointError::Key("the name is empty, or holds white space or `+`"));
        }
        Ok(Self { name, public })
    }

    /// The name of the key: the origin of the log.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The Ed25519 public key.
    pub fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// The key id: the first four bytes of `SHA-256(name || 0x0A || 0x01 || public key)`.
    pub fn id(&self) -> [u8; 4] {
        let hash = Sha256::new().chain_update(&self.name).chain_update([b'\n', ED25519]).chain_update(self.public);
        let hash: Hash = hash.finalize().into();
        [hash[0], hash[1], hash[2], hash[3]]
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blob = [&[ED25519], self.public.as_slice()].concat();
        write!(f, "{}+{}+{}", self.name, hex::encode(self.id()), STANDARD.encode(blob))
    }
}

impl FromStr for VerifierKey {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = CheckpointError::Key;
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(blob)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong("it must have the form `<name>+<key id>+<base64>`"));
        };
        let blob = STANDARD.decode(blob).map_err(|_| wrong("its last part is not base64"))?;
        let [ED25519, public @ ..] = blob.as_slice() else { return Err(wrong("it is not an Ed25519 key")) };
        let public = public.try_into().map_err(|_| wrong("it is not an Ed25519 key"))?;
        let key = Self::new(name, public)?;
        if hex::encode(key.id()) != id {
            return Err(wrong("its key id does not belong to its name and key"));
        }
        Ok(key)
    }
}

/// The text of a note with its final line break, and its signature lines.
fn split_note(note: &str) -> Result<(&str, &str), CheckpointError> {
    let malformed = CheckpointError::Malformed;
    if note.len() > CHECKPOINT_NOTE_BYTES_MAX {
        return Err(malformed("it is too large"));
    }
    if note.chars().any(|c| c.is_control() && c != '\n') || !note.ends_with('\n') {
        return Err(malformed("it holds control characters, or lacks the last line break"));
    }
    let blank = note.rfind("\n\n").ok_or(malformed("it has no signatures"))?;
    let (body, signatures) = (&note[..=blank], &note[blank + 2..]);
    if signatures.is_empty() || !signatures.lines().all(|line| line.starts_with(SIGNATURE_MARK)) {
        return Err(malformed("a signature line does not begin with a dash"));
    }
    Ok((body, signatures))
}

/// The signature in a line, if it claims to be one of `key`.
fn signature_of(line: &str, key: &VerifierKey) -> Option<Vec<u8>> {
    let (name, blob) = line.strip_prefix(SIGNATURE_MARK)?.split_once(' ')?;
    let blob = STANDARD.decode(blob).ok()?;
    (name == key.name && blob.len() == 68).then_some(())?;
    blob.strip_prefix(&key.id()).map(<[u8]>::to_vec)
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+' || c.is_control())
}
