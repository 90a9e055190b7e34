//! Child sessions: made only under a living parent, and ended with it.

use hallpass_core::id::SessionId;
use hallpass_core::session::{Session, SessionStatus};
use rusqlite::Connection;

use super::connection::from_sql;
use super::rows;
use crate::store::StoreError;

/// A child session needs an active parent that lives at least as long.
pub(super) fn check(connection: &Connection, child: &Session, parent: &SessionId) -> Result<(), StoreError> {
    let found = rows::find(connection, parent)?.ok_or_else(|| StoreError::NotFound(parent.to_string()))?.session;
    if found.status != SessionStatus::Active {
        return Err(StoreError::NotActive { id: parent.to_string(), status: found.status });
    }
    if child.expires_at > found.expires_at {
        return Err(StoreError::Invalid(format!("a child session may not outlive its parent `{parent}`")));
    }
    Ok(())
}

/// The children of a session that have not ended.
pub(super) fn live(connection: &Connection, parent: &SessionId) -> Result<Vec<(SessionId, SessionStatus)>, StoreError> {
    let select = "SELECT id, status FROM sessions WHERE parent_id = ?1 AND ended_at IS NULL ORDER BY id";
    let mut statement = connection.prepare_cached(select).map_err(from_sql)?;
    let pair = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
    let found = statement.query_map([parent.as_str()], pair).map_err(from_sql)?;
    found
        .map(|pair| {
            let (id, status) = pair.map_err(from_sql)?;
            let id = id.parse().map_err(|_| StoreError::Corrupt(format!("`{id}` is not a session id")))?;
            Ok((id, status.parse().map_err(StoreError::Corrupt)?))
        })
        .collect()
}
