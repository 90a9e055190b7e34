//! One entry: its bytes, written once and hashed as they stand.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::event::Event;
use crate::id::SessionId;
use crate::limits::AUDIT_ENTRY_BYTES_MAX;

/// A hash of the chain or the tree: SHA-256.
pub type Hash = [u8; 32];

/// `prev` of the first entry.
pub const GENESIS: Hash = [0; 32];

/// An entry as read back from its bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Position in the log, from 0; also the leaf's index in the tree.
    pub seq: u64,
    /// Hash of the entry before, hex.
    pub prev: String,
    /// When it was written, by the writer's clock.
    pub time: Timestamp,
    /// The session that it belongs to, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// What happened.
    pub event: Event,
}

/// The bytes are not an entry, or would not make one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Larger than [`AUDIT_ENTRY_BYTES_MAX`].
    #[error("an audit entry may have {AUDIT_ENTRY_BYTES_MAX} bytes, this one has {0}")]
    TooLarge(usize),
    /// Not the JSON of an entry.
    #[error("not an audit entry: {0}")]
    Malformed(String),
}

impl Entry {
    /// The bytes to store and to hash: compact JSON, no line break.
    ///
    /// # Errors
    /// [`EntryError::TooLarge`] past the limit.
    pub fn encode(
        seq: u64,
        prev: &Hash,
        time: Timestamp,
        session: Option<&SessionId>,
        event: &Event,
    ) -> Result<Vec<u8>, EntryError> {
        #[derive(Serialize)]
        struct Wire<'a> {
            seq: u64,
            prev: &'a str,
            time: Timestamp,
            #[serde(skip_serializing_if = "Option::is_none")]
            session: Option<&'a SessionId>,
            event: &'a Event,
        }
        let mut prev_hex = [0_u8; 64];
        hex::encode_to_slice(prev, &mut prev_hex).map_err(|e| EntryError::Malformed(e.to_string()))?;
        let prev = std::str::from_utf8(&prev_hex).map_err(|e| EntryError::Malformed(e.to_string()))?;
        let wire = Wire { seq, prev, time, session, event };
        let bytes = serde_json::to_vec(&wire).map_err(|e| EntryError::Malformed(e.to_string()))?;
        if bytes.len() > AUDIT_ENTRY_BYTES_MAX {
            return Err(EntryError::TooLarge(bytes.len()));
        }
        Ok(bytes)
    }

    /// Reads an entry back.
    ///
    /// # Errors
    /// [`EntryError::Malformed`] when the bytes are not one.
    pub fn decode(bytes: &[u8]) -> Result<Self, EntryError> {
        serde_json::from_slice(bytes).map_err(|e| EntryError::Malformed(e.to_string()))
    }

    /// `seq` and `prev` of stored bytes, without reading the rest: the verifier's fast path.
    pub fn links(bytes: &[u8]) -> Option<(u64, Hash)> {
        Outline::links(bytes).map(|(seq, prev, _)| (seq, prev))
    }
}

/// What can be told of stored bytes without reading their JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outline<'a> {
    /// Position that the entry claims.
    pub seq: u64,
    /// Hash of the entry before that it claims.
    pub prev: Hash,
    /// Session that it belongs to, if any.
    pub session: Option<&'a str>,
    /// Kind of the event ([`Event::kind`]).
    pub kind: &'a str,
}

impl<'a> Outline<'a> {
    /// Reads the fixed beginning that [`Entry::encode`] writes; `None` when the bytes begin otherwise.
    pub fn of(bytes: &'a [u8]) -> Option<Self> {
        let (seq, prev, rest) = Self::links(bytes)?;
        let (_time, rest) = text(rest.strip_prefix(b"\"time\":\"")?)?;
        let (session, rest) = match rest.strip_prefix(b"\"session\":\"") {
            Some(rest) => text(rest).map(|(id, rest)| (Some(id), rest))?,
            None => (None, rest),
        };
        let rest = rest.strip_prefix(b"\"event\":{\"type\":\"")?;
        let end = rest.iter().position(|b| *b == b'"')?;
        Some(Self { seq, prev, session, kind: std::str::from_utf8(&rest[..end]).ok()? })
    }

    fn links(bytes: &[u8]) -> Option<(u64, Hash, &[u8])> {
        let rest = bytes.strip_prefix(b"{\"seq\":")?;
        let digits = rest.iter().position(|b| !b.is_ascii_digit())?;
        let number = std::str::from_utf8(&rest[..digits]).ok()?;
        let rest = rest[digits..].strip_prefix(b",\"prev\":\"")?;
        let mut prev = GENESIS;
        hex::decode_to_slice(rest.get(..64)?, &mut prev).ok()?;
        if number.len() > 1 && number.starts_with('0') {
            return None;
        }
        Some((number.parse().ok()?, prev, rest[64..].strip_prefix(b"\",")?))
    }
}

/// A JSON string without escapes up to its quote, and what follows the comma after it.
fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().position(|b| *b == b'"' || *b == b'\\')?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, bytes[end..].strip_prefix(b"\",")?))
}

/// The leaf hash of RFC 6962, section 2.1: `SHA-256(0x00 || entry)`. Also the chain's link.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(entry).finalize().into()
}
