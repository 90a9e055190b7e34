//! The log, from outside: verification, proofs and export over a read-only connection, in constant memory.

pub mod export;
pub mod finding;
pub mod proof;
pub mod verify;

use std::path::PathBuf;

use rusqlite::Connection;

use crate::files;
use crate::store::StoreError;
use crate::store::sqlite::connection::{from_sql, open_reader, schema_version};
use crate::store::sqlite::frames;
pub use export::{ExportFilter, export};
pub use finding::{Finding, Place};
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

/// A read-only connection in one transaction.
fn snapshot(source: &LogSource) -> Result<Connection, StoreError> {
    files::check_dir(&source.dir)?;
    let connection = open_reader(&source.dir.join(files::DATABASE))?;
    connection.execute_batch("BEGIN").map_err(from_sql)?;
    if schema_version(&connection)? == 0 {
        return Err(StoreError::Corrupt("there is no log in the database".into()));
    }
    Ok(connection)
}

/// Calls `look` with each entry from a position on, until it says false. Holds one run at a time.
fn each_entry(
    connection: &Connection,
    from_seq: u64,
    mut look: impl FnMut(u64, &[u8]) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    let select = "SELECT first_seq, bytes FROM audit_runs WHERE first_seq + entries > ?1 \
        AND first_seq >= coalesce((SELECT max(first_seq) FROM audit_runs WHERE first_seq <= ?1), 0) ORDER BY first_seq";
    let mut statement = connection.prepare(select).map_err(from_sql)?;
    let mut rows = statement.query([i64::try_from(from_seq).unwrap_or(i64::MAX)]).map_err(from_sql)?;
    while let Some(row) = rows.next().map_err(from_sql)? {
        let first_seq: u64 = row.get(0).map_err(from_sql)?;
        let bytes = row.get_ref(1).map_err(from_sql)?;
        let bytes = bytes.as_blob().map_err(|error| StoreError::Corrupt(error.to_string()))?;
        for (seq, entry) in (first_seq..).zip(frames::entries(bytes)) {
            let entry = entry.ok_or_else(|| StoreError::Corrupt(format!("entry {seq} is cut off")))?;
            if seq >= from_seq && !look(seq, entry)? {
                return Ok(());
            }
        }
    }
    Ok(())
}
