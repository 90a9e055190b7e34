//! The log, from outside: verification, proofs and export over a read-only connection, in constant memory.

pub mod export;
pub mod finding;
pub mod proof;
pub mod verify;

use std::path::PathBuf;

pub use export::{ExportFilter, export};
pub use finding::Finding;
pub use proof::{Proof, ProofError, proof, verify_proof};
pub use verify::{Verdict, verify};

/// Which log to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSource {
    /// State directory.
    pub dir: PathBuf,
    /// The key that signs checkpoints, where it is not `checkpoint.key` in `dir`.
    pub key: Option<PathBuf>,
    /// The key that must have signed, in `vkey` form, as noted down elsewhere; else the one in the key file counts.
    pub vkey: Option<String>,
}

impl LogSource {
    /// The log in `dir`, checked against the key that lies beside it.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), key: None, vkey: None }
    }
}
