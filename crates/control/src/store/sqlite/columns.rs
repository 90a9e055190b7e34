//! Sessions on their way out of their rows: column by column, in the order in which they are selected.

use std::path::PathBuf;

use hallpass_core::budget::Usd;
use hallpass_core::id::SessionId;
use hallpass_core::session::{Revocation, Session};
use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::Type;
use serde::de::DeserializeOwned;

use crate::keeper::Keeper;
use crate::store::Record;

/// The statement that selects what [`record`] reads, with its end.
macro_rules! select_sessions {
    ($end:literal) => {
        concat!(
            "SELECT id, created_at, expires_at, ttl_seconds, budget, policy, status, role_arn, command, ",
            "access_key_id, provider, agent_id, principal_id, tags, tenant, region, delivery, revocation, ended_at, ",
            "end_reason, keeper_pid, keeper_started_ticks, keeper_boot_id, keeper_socket, keeper_user, ",
            "requests_allowed, requests_denied, exit_code, max_requests, max_bytes, max_resources, spent_nano_usd, ",
            "bytes_passed, parent_id FROM sessions",
            $end
        )
    };
}
pub(super) use select_sessions;

/// A record from a row of [`select_sessions`]. The fields stand in the order of its columns.
pub(super) fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    let mut columns = Columns { row, next: 0 };
    let mut session = Session {
        id: columns.parsed(str::parse::<SessionId>)?,
        created_at: columns.time()?,
        expires_at: columns.time()?,
        ttl_seconds: columns.next()?,
        budget: columns.optional(str::parse::<f64>)?,
        policy: columns.json()?,
        status: columns.parsed(str::parse)?,
        role_arn: columns.next()?,
        command: columns.json()?,
        access_key_id: columns.next()?,
        provider: columns.parsed(str::parse)?,
        agent_id: columns.next()?,
        principal_id: columns.next()?,
        tags: columns.json()?,
        tenant: columns.next()?,
        region: columns.next()?,
        delivery: columns.parsed(str::parse)?,
        revocation: columns.parsed(revocation)?,
        ended_at: columns.optional_time()?,
        end_reason: columns.next()?,
        max_requests: None,
        max_bytes: None,
        max_resources: None,
        parent: None,
    };
    let keeper = columns.keeper()?;
    let (requests_allowed, requests_denied) = (columns.next()?, columns.next()?);
    let exit_code = columns.next()?;
    session.max_requests = columns.next()?;
    session.max_bytes = columns.next()?;
    session.max_resources = columns.next()?;
    let (spent, bytes_passed) = (Usd::from_nano(columns.next()?), columns.next()?);
    session.parent = columns.optional(str::parse::<SessionId>)?;
    Ok(Record { session, keeper, requests_allowed, requests_denied, exit_code, spent, bytes_passed })
}

/// The keeper in the five columns from `first` on, if there is one.
pub(crate) fn keeper(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<Keeper>> {
    Columns { row, next: first }.keeper()
}

fn revocation(text: &str) -> Result<Revocation, String> {
    let all = [Revocation::Instant, Revocation::RoleWide, Revocation::OnExpiry];
    all.into_iter().find(|known| known.as_str() == text).ok_or_else(|| format!("`{text}` is not a revocation"))
}

/// Reads one column after the other.
struct Columns<'r, 's> {
    row: &'r Row<'s>,
    next: usize,
}

impl Columns<'_, '_> {
    fn next<T: rusqlite::types::FromSql>(&mut self) -> rusqlite::Result<T> {
        self.next += 1;
        self.row.get(self.next - 1)
    }

    fn time(&mut self) -> rusqlite::Result<Timestamp> {
        let us = self.next()?;
        Timestamp::from_microsecond(us).map_err(|error| self.unreadable(&error.to_string()))
    }

    fn optional_time(&mut self) -> rusqlite::Result<Option<Timestamp>> {
        let us: Option<i64> = self.next()?;
        us.map(Timestamp::from_microsecond).transpose().map_err(|error| self.unreadable(&error.to_string()))
    }

    fn json<T: DeserializeOwned>(&mut self) -> rusqlite::Result<T> {
        self.parsed(|text| serde_json::from_str(text))
    }

    fn parsed<T, E: ToString>(&mut self, parse: impl FnOnce(&str) -> Result<T, E>) -> rusqlite::Result<T> {
        self.next += 1;
        let value = parse(self.row.get_ref(self.next - 1)?.as_str()?);
        value.map_err(|error| self.unreadable(&error.to_string()))
    }

    fn optional<T, E: ToString>(&mut self, parse: impl FnOnce(&str) -> Result<T, E>) -> rusqlite::Result<Option<T>> {
        self.next += 1;
        let value = self.row.get_ref(self.next - 1)?.as_str_or_null()?.map(parse).transpose();
        value.map_err(|error| self.unreadable(&error.to_string()))
    }

    fn keeper(&mut self) -> rusqlite::Result<Option<Keeper>> {
        let Some(pid) = self.next()? else {
            self.next += 4;
            return Ok(None);
        };
        Ok(Some(Keeper {
            pid,
            started_ticks: self.next()?,
            boot_id: self.next()?,
            control_socket: PathBuf::from(self.next::<String>()?),
            user: self.next()?,
        }))
    }

    /// The column that was read last does not hold what it should.
    fn unreadable(&self, why: &str) -> rusqlite::Error {
        let column = self.next - 1;
        let name = self.row.as_ref().column_name(column).unwrap_or("?").to_owned();
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, format!("sessions.{name}: {why}").into())
    }
}
