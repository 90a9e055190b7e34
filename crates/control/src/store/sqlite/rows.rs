//! A session's row: column by column, in both directions.

use std::path::PathBuf;

use hallpass_core::delivery::Delivery;
use hallpass_core::id::SessionId;
use hallpass_core::limits::{AUDIT_LIST_BYTES_MAX, COMMAND_ARGS_MAX};
use hallpass_core::provider::CloudProvider;
use hallpass_core::session::{Revocation, Session, SessionStatus};
use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, named_params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::connection::from_sql;
use crate::authority::AuthorityKey;
use crate::keeper::Keeper;
use crate::store::{Record, StoreError};

/// The columns that [`record`] reads, by name.
pub(super) const COLUMNS: &str = "id, created_at, expires_at, ttl_seconds, budget, policy, status, role_arn, \
    principal_id, command, access_key_id, provider, agent_id, tags, tenant, region, delivery, revocation, ended_at, \
    end_reason, exit_code, keeper_pid, keeper_started_ticks, keeper_boot_id, keeper_socket, keeper_user, \
    requests_allowed, requests_denied";

const INSERT: &str = "INSERT INTO sessions (id, created_at, expires_at, ttl_seconds, budget, policy, status, role_arn, \
    principal_id, principal, command, access_key_id, provider, agent_id, tags, tenant, region, delivery, revocation, \
    ended_at, end_reason, authority, imported_from, keeper_pid, keeper_started_ticks, keeper_boot_id, keeper_socket, \
    keeper_user, requests_allowed, requests_denied) VALUES (:id, :created_at, :expires_at, :ttl_seconds, :budget, \
    :policy, :status, :role_arn, :principal_id, :principal, :command, :access_key_id, :provider, :agent_id, :tags, \
    :tenant, :region, :delivery, :revocation, :ended_at, :end_reason, :authority, :imported_from, :keeper_pid, \
    :keeper_started_ticks, :keeper_boot_id, :keeper_socket, :keeper_user, 0, 0)";

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
    let select = format!("SELECT {COLUMNS} FROM sessions WHERE id = ?1");
    let mut statement = connection.prepare_cached(&select).map_err(from_sql)?;
    statement.query_row([id.as_str()], record).optional().map_err(from_sql)
}

/// A record from the columns of [`COLUMNS`].
pub(super) fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    let session = Session {
        id: parsed(row, "id", SessionId::new)?,
        created_at: time(row, "created_at")?,
        expires_at: time(row, "expires_at")?,
        ttl_seconds: count(row, "ttl_seconds")?,
        budget: optional(row, "budget", |text| text.parse::<f64>())?,
        policy: from_json(row, "policy")?,
        status: parsed(row, "status", |text| text.parse::<SessionStatus>())?,
        role_arn: row.get("role_arn")?,
        command: from_json(row, "command")?,
        access_key_id: row.get("access_key_id")?,
        provider: parsed(row, "provider", |text| text.parse::<CloudProvider>())?,
        agent_id: row.get("agent_id")?,
        principal_id: row.get("principal_id")?,
        tags: from_json(row, "tags")?,
        tenant: row.get("tenant")?,
        region: row.get("region")?,
        delivery: parsed(row, "delivery", |text| text.parse::<Delivery>())?,
        revocation: parsed(row, "revocation", |text| revocation(&text))?,
        ended_at: row.get::<_, Option<i64>>("ended_at")?.map(|_| time(row, "ended_at")).transpose()?,
        end_reason: row.get("end_reason")?,
    };
    Ok(Record {
        session,
        keeper: keeper(row)?,
        requests_allowed: count(row, "requests_allowed")?,
        requests_denied: count(row, "requests_denied")?,
        exit_code: row.get("exit_code")?,
    })
}

/// An unsigned number for a column of signed ones.
pub(super) fn integer(what: &str, value: u64) -> Result<i64, StoreError> {
    i64::try_from(value).map_err(|_| StoreError::Invalid(format!("{what} {value} is too large to be stored")))
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

/// The keeper in a row, if there is one.
pub(crate) fn keeper(row: &Row<'_>) -> rusqlite::Result<Option<Keeper>> {
    let Some(pid) = row.get("keeper_pid")? else { return Ok(None) };
    Ok(Some(Keeper {
        pid,
        started_ticks: count(row, "keeper_started_ticks")?,
        boot_id: row.get("keeper_boot_id")?,
        control_socket: PathBuf::from(row.get::<_, String>("keeper_socket")?),
        user: row.get("keeper_user")?,
    }))
}

fn revocation(text: &str) -> Result<Revocation, String> {
    let all = [Revocation::Instant, Revocation::RoleWide, Revocation::OnExpiry];
    all.into_iter().find(|known| known.as_str() == text).ok_or_else(|| format!("`{text}` is not a revocation"))
}

fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Invalid(error.to_string()))
}

fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    Timestamp::from_microsecond(row.get(column)?).map_err(|error| unreadable(column, error))
}

fn count(row: &Row<'_>, column: &str) -> rusqlite::Result<u64> {
    u64::try_from(row.get::<_, i64>(column)?).map_err(|error| unreadable(column, error))
}

fn from_json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    parsed(row, column, |text| serde_json::from_str(&text))
}

fn parsed<T, E: ToString>(
    row: &Row<'_>,
    column: &str,
    parse: impl FnOnce(String) -> Result<T, E>,
) -> rusqlite::Result<T> {
    parse(row.get(column)?).map_err(|error| unreadable(column, error.to_string()))
}

fn optional<T, E: ToString>(
    row: &Row<'_>,
    column: &str,
    parse: impl FnOnce(String) -> Result<T, E>,
) -> rusqlite::Result<Option<T>> {
    let Some(text) = row.get(column)? else { return Ok(None) };
    parse(text).map(Some).map_err(|error| unreadable(column, error.to_string()))
}

fn unreadable(column: &str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> rusqlite::Error {
    let text = format!("sessions.{column}: {}", error.into());
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, text.into())
}
