//! Sessions on their way into their rows.

use hallpass_core::id::SessionId;
use hallpass_core::limits::{AUDIT_LIST_BYTES_MAX, COMMAND_ARGS_MAX};
use hallpass_core::session::Session;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, named_params};
use serde::Serialize;

use super::columns::{record, select_sessions};
use super::connection::from_sql;
use crate::authority::AuthorityKey;
use crate::keeper::Keeper;
use crate::store::{Record, StoreError};

const INSERT: &str = "INSERT INTO sessions (id, created_at, expires_at, ttl_seconds, budget, policy, status, role_arn, \
    principal_id, principal, command, access_key_id, provider, agent_id, tags, tenant, region, delivery, revocation, \
    ended_at, end_reason, authority, imported_from, keeper_pid, keeper_started_ticks, keeper_boot_id, keeper_socket, \
    keeper_user, requests_allowed, requests_denied, max_requests, max_bytes, max_resources, parent_id) VALUES (:id, \
    :created_at, :expires_at, :ttl_seconds, :budget, :policy, :status, :role_arn, :principal_id, :principal, :command, \
    :access_key_id, :provider, :agent_id, :tags, :tenant, :region, :delivery, :revocation, :ended_at, :end_reason, \
    :authority, :imported_from, :keeper_pid, :keeper_started_ticks, :keeper_boot_id, :keeper_socket, :keeper_user, 0, 0, \
    :max_requests, :max_bytes, :max_resources, :parent_id)";

/// Inserts a session with its labels.
pub(super) fn insert(
    connection: &Connection,
    session: &Session,
    keeper: Option<&Keeper>,
    imported_from: Option<&str>,
) -> Result<(), StoreError> {
    let socket = keeper.map(|keeper| keeper.control_socket.to_str().ok_or(&keeper.control_socket)).transpose();
    let socket = socket.map_err(|path| StoreError::Invalid(format!("`{}` is not UTF-8", path.display())))?;
    let mut statement = connection.prepare_cached(INSERT).map_err(from_sql)?;
    let inserted = statement.execute(named_params! {
        ":id": session.id.as_str(),
        ":created_at": session.created_at.as_microsecond(),
        ":expires_at": session.expires_at.as_microsecond(),
        ":ttl_seconds": integer("ttl_seconds", session.ttl_seconds)?,
        ":budget": session.budget.map(|budget| budget.to_string()),
        ":policy": json(&session.policy)?,
        ":status": session.status.as_str(),
        ":role_arn": session.role_arn,
        ":principal_id": session.principal_id,
        ":principal": session.principal_id(),
        ":command": json(&recorded_command(session))?,
        ":access_key_id": session.access_key_id,
        ":provider": session.provider.as_str(),
        ":agent_id": session.agent_id,
        ":tags": json(&session.tags)?,
        ":tenant": session.tenant,
        ":region": session.region,
        ":delivery": session.delivery.as_str(),
        ":revocation": session.revocation.as_str(),
        ":ended_at": session.ended_at.map(Timestamp::as_microsecond),
        ":end_reason": session.end_reason,
        ":authority": AuthorityKey::of(session).to_string(),
        ":imported_from": imported_from,
        ":keeper_pid": keeper.map(|keeper| keeper.pid),
        ":keeper_started_ticks": keeper.map(|keeper| integer("started_ticks", keeper.started_ticks)).transpose()?,
        ":keeper_boot_id": keeper.map(|keeper| keeper.boot_id.as_str()),
        ":keeper_socket": socket,
        ":keeper_user": keeper.map(|keeper| keeper.user.as_str()),
        ":max_requests": cap("max_requests", session.max_requests)?,
        ":max_bytes": cap("max_bytes", session.max_bytes)?,
        ":max_resources": cap("max_resources", session.max_resources)?,
        ":parent_id": session.parent.as_ref().map(SessionId::as_str),
    });
    inserted.map_err(from_sql)?;
    let tag = "INSERT INTO session_tags (session_id, tag_key, tag_value) VALUES (?1, ?2, ?3)";
    let mut tag = connection.prepare_cached(tag).map_err(from_sql)?;
    for (key, value) in &session.tags {
        tag.execute((session.id.as_str(), key, value)).map_err(from_sql)?;
    }
    Ok(())
}

/// The session with this id.
pub(super) fn find(connection: &Connection, id: &SessionId) -> Result<Option<Record>, StoreError> {
    let mut statement = connection.prepare_cached(select_sessions!(" WHERE id = ?1")).map_err(from_sql)?;
    statement.query_row([id.as_str()], record).optional().map_err(from_sql)
}

/// True when a session with this id exists or has ever existed: two lives of one id could not be told apart in the log.
pub(super) fn is_taken(connection: &Connection, id: &SessionId) -> Result<bool, StoreError> {
    let select = "SELECT EXISTS (SELECT 1 FROM sessions WHERE id = ?1) \
        OR EXISTS (SELECT 1 FROM audit_run_sessions WHERE session_id = ?1)";
    let mut statement = connection.prepare_cached(select).map_err(from_sql)?;
    statement.query_row([id.as_str()], |row| row.get(0)).map_err(from_sql)
}

/// An unsigned number for a column of signed ones.
pub(super) fn integer(what: &str, value: u64) -> Result<i64, StoreError> {
    i64::try_from(value).map_err(|_| StoreError::Invalid(format!("{what} {value} is too large to be stored")))
}

fn cap(what: &str, value: Option<u64>) -> Result<Option<i64>, StoreError> {
    value.map(|value| integer(what, value)).transpose()
}

/// The command as it is recorded: at most [`COMMAND_ARGS_MAX`] arguments and [`AUDIT_LIST_BYTES_MAX`] bytes.
pub(super) fn recorded_command(session: &Session) -> Vec<String> {
    let mut recorded = cut(session.command.iter().take(COMMAND_ARGS_MAX).cloned());
    if session.command.len() > COMMAND_ARGS_MAX && recorded.len() == COMMAND_ARGS_MAX {
        recorded.push(format!("... {} more", session.command.len() - COMMAND_ARGS_MAX));
    }
    recorded
}

/// As much of a list as [`AUDIT_LIST_BYTES_MAX`] holds, and how much is missing.
pub(super) fn cut(list: impl Iterator<Item = String>) -> Vec<String> {
    let (mut kept, mut left, mut missing) = (Vec::new(), AUDIT_LIST_BYTES_MAX, 0_u64);
    for item in list {
        if missing == 0 && item.len() <= left {
            left -= item.len();
            kept.push(item);
        } else {
            missing += 1;
        }
    }
    if missing > 0 {
        kept.push(format!("... {missing} more"));
    }
    kept
}

fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Invalid(error.to_string()))
}
