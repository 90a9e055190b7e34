//! Inclusion proofs: that one entry is in the log which a checkpoint describes, shown without the log.

use serde::{Deserialize, Serialize};

use super::LogSource;
use crate::store::StoreError;

/// Everything that a stranger needs besides the log's `vkey`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The entry, exactly as stored.
    pub entry: String,
    /// Its position, which is the leaf's index.
    pub index: u64,
    /// Size of the tree that the checkpoint describes.
    pub size: u64,
    /// The audit path of RFC 6962, section 2.1.1, hex, from the leaf's sibling up.
    pub hashes: Vec<String>,
    /// The signed checkpoint (C2SP signed note).
    pub checkpoint: String,
}

/// A proof does not prove.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Something in it cannot be read.
    #[error("the proof cannot be read: {0}")]
    Malformed(String),
    /// The checkpoint is not signed by this key.
    #[error("the checkpoint is not signed by this key")]
    Signature,
    /// The hashes do not lead to the signed root.
    #[error("the entry is not in the tree that the checkpoint describes")]
    NotIncluded,
}

/// Proves that the entry at `seq` is covered by the last checkpoint. Reads the log once, in constant memory.
///
/// # Errors
/// [`StoreError::Invalid`] when the entry does not exist or no checkpoint covers it yet; [`StoreError::Corrupt`] when
/// the log does not have the root that was signed.
pub fn proof(source: &LogSource, seq: u64) -> Result<Proof, StoreError> {
    let _ = (source, seq);
    Err(StoreError::Closed)
}

/// Checks a proof against a verifier key, without any log.
///
/// # Errors
/// [`ProofError`], with what does not fit.
pub fn verify_proof(proof: &Proof, vkey: &str) -> Result<(), ProofError> {
    let _ = (proof, vkey);
    Err(ProofError::Signature)
}
