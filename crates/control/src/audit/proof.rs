//! Inclusion proofs: that one entry is in the log which a checkpoint describes, shown without the log.

use hallpass_core::audit::Entry;
use hallpass_core::audit::checkpoint::VerifierKey;
use hallpass_core::audit::entry::{Hash, leaf_hash};
use hallpass_core::audit::merkle::{self, Frontier, PathBuilder};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::{LogSource, each_entry, snapshot};
use crate::keys;
use crate::store::StoreError;
use crate::store::sqlite::checkpoints;

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
    let connection = snapshot(source)?;
    let signed = checkpoints::last(&connection)?;
    let uncovered = || {
        let size = signed.size;
        StoreError::Invalid(format!("entry {seq} is not covered by a checkpoint: the last one covers {size} entries"))
    };
    let path = PathBuilder::inclusion(seq, signed.size).ok_or_else(uncovered)?;
    let (entry, path, root) = walk(&connection, seq, signed.size, path)?;
    let damaged = || StoreError::Corrupt("the log does not have the root that was signed".into());
    if root != signed.root {
        return Err(damaged());
    }
    let hashes = path.iter().map(hex::encode).collect();
    let entry = String::from_utf8(entry).map_err(|_| damaged())?;
    Ok(Proof { entry, index: seq, size: signed.size, hashes, checkpoint: signed.note })
}

/// Checks a proof against a verifier key, without any log.
///
/// # Errors
/// [`ProofError`], with what does not fit.
pub fn verify_proof(proof: &Proof, vkey: &str) -> Result<(), ProofError> {
    let malformed = |error: &dyn std::fmt::Display| ProofError::Malformed(error.to_string());
    let key: VerifierKey = vkey.parse().map_err(|error| malformed(&error))?;
    let checkpoint = keys::open_note(&proof.checkpoint, &key).map_err(|_| ProofError::Signature)?;
    let entry = Entry::decode(proof.entry.as_bytes()).map_err(|error| malformed(&error))?;
    let hashes = proof.hashes.iter().map(|text| {
        let mut hash: Hash = [0; 32];
        hex::decode_to_slice(text, &mut hash).map(|()| hash)
    });
    let hashes: Vec<Hash> = hashes.collect::<Result<_, _>>().map_err(|error| malformed(&error))?;
    let leaf = leaf_hash(proof.entry.as_bytes());
    let included = merkle::verify_inclusion(&leaf, proof.index, checkpoint.size, &hashes, &checkpoint.root);
    if entry.seq == proof.index && proof.size == checkpoint.size && included {
        Ok(())
    } else {
        Err(ProofError::NotIncluded)
    }
}

/// The entry, its audit path and the root over the first `size` entries.
fn walk(
    connection: &Connection,
    seq: u64,
    size: u64,
    mut path: PathBuilder,
) -> Result<(Vec<u8>, Vec<Hash>, Hash), StoreError> {
    let mut tree = Frontier::default();
    let mut wanted = Vec::new();
    each_entry(connection, 0, |at, entry| {
        let hash = leaf_hash(entry);
        path.push(hash);
        tree.append(hash);
        if at == seq {
            wanted = entry.to_vec();
        }
        Ok(at + 1 < size)
    })?;
    let path = path.finish().ok_or_else(|| StoreError::Corrupt("the log is shorter than was signed".into()))?;
    Ok((wanted, path, tree.root()))
}
