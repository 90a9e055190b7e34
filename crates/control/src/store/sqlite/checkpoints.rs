//! The signed checkpoints in the database.

use std::path::Path;

use hallpass_core::limits::LIST_PAGE_MAX;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};

use super::connection::from_sql;
use super::log::Head;
use super::rows::integer;
use crate::keys::{self, SigningKey};
use crate::store::{SignedCheckpoint, StoreError};

/// Stores a checkpoint.
pub(super) fn insert(connection: &Connection, signed: &SignedCheckpoint) -> Result<(), StoreError> {
    let insert = "INSERT INTO audit_checkpoints (size, root, signed_at, note) VALUES (?1, ?2, ?3, ?4)";
    let mut statement = connection.prepare_cached(insert).map_err(from_sql)?;
    let size = integer("size", signed.size)?;
    let values = (size, signed.root.as_slice(), signed.at.as_microsecond(), &signed.note);
    statement.execute(values).map_err(from_sql).map(|_| ())
}

/// The newest checkpoint.
pub(crate) fn last(connection: &Connection) -> Result<SignedCheckpoint, StoreError> {
    newest(connection)?.ok_or_else(|| StoreError::Corrupt("the log has no checkpoint".into()))
}

/// Checkpoints of at least this size, in their order.
pub(super) fn from(connection: &Connection, size: u64, limit: u32) -> Result<Vec<SignedCheckpoint>, StoreError> {
    let select = "SELECT size, root, signed_at, note FROM audit_checkpoints WHERE size >= ?1 ORDER BY size LIMIT ?2";
    let mut statement = connection.prepare_cached(select).map_err(from_sql)?;
    let values = (i64::try_from(size).unwrap_or(i64::MAX), limit.min(LIST_PAGE_MAX));
    let rows = statement.query_map(values, read).map_err(from_sql)?;
    rows.collect::<rusqlite::Result<_>>().map_err(from_sql)
}

/// The key that signs this log: made for a new log only, and refused when it is not the one that signed before.
pub(super) fn key_of(connection: &Connection, head: &Head, path: &Path) -> Result<SigningKey, StoreError> {
    let Some(last) = newest(connection)? else { return SigningKey::load_or_make(path) };
    let missing = "is missing, though it signed this log: restore it, or move the state directory away";
    let key = SigningKey::load(path)?.ok_or_else(|| StoreError::Key(format!("`{}` {missing}", path.display())))?;
    let foreign = "is not the key that signed this log: restore it, or move the state directory away";
    let opened = keys::open_note(&last.note, &key.verifier(&head.origin())?);
    opened.map_err(|_| StoreError::Key(format!("`{}` {foreign}", path.display())))?;
    Ok(key)
}

/// The newest checkpoint, if there is any.
pub(super) fn newest(connection: &Connection) -> Result<Option<SignedCheckpoint>, StoreError> {
    let select = "SELECT size, root, signed_at, note FROM audit_checkpoints ORDER BY size DESC LIMIT 1";
    let mut statement = connection.prepare_cached(select).map_err(from_sql)?;
    statement.query_row([], read).optional().map_err(from_sql)
}

fn read(row: &Row<'_>) -> rusqlite::Result<SignedCheckpoint> {
    let at = Timestamp::from_microsecond(row.get(2)?);
    let at = at.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    Ok(SignedCheckpoint { size: row.get(0)?, root: row.get(1)?, at, note: row.get(3)? })
}
