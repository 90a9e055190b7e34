//! Questions, answered from connections that cannot write.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use hallpass_core::audit::Outline;
use hallpass_core::limits::{LIST_PAGE_MAX, SESSION_ID_BYTES_MAX, STORE_READERS_MAX};
use jiff::{SignedDuration, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::columns::{record, select_sessions};
use super::connection::{self, from_sql};
use super::frames;
use crate::authority::AuthorityKey;
use crate::store::{Cursor, EntryFilter, Filter, Listing, Page, Record, StoreError, StoredEntry};

/// Connections that wait for the next question.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, idle: Mutex::default() }
    }

    /// Asks one question. After an error the connection is not used again.
    pub(super) fn ask<T>(&self, question: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = idle.map_or_else(|| connection::open_reader(&self.path), Ok)?;
        let answer = question(&connection)?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < STORE_READERS_MAX {
            idle.push(connection);
        }
        Ok(answer)
    }

    /// Closes every connection that is idle.
    pub(super) fn close(&mut self) {
        self.idle.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// See [`crate::store::Store::matching`].
pub(super) fn matching(connection: &Connection, prefix: &str, limit: u32) -> Result<Vec<Record>, StoreError> {
    if prefix.len() > SESSION_ID_BYTES_MAX {
        return Ok(Vec::new());
    }
    // Ids are ASCII, so DEL sorts behind every continuation of the prefix.
    let select = select_sessions!(" WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3");
    let mut statement = connection.prepare_cached(select).map_err(from_sql)?;
    let values = (prefix, format!("{prefix}\u{7f}"), limit.min(LIST_PAGE_MAX));
    let rows = statement.query_map(values, record).map_err(from_sql)?;
    rows.collect::<rusqlite::Result<_>>().map_err(from_sql)
}

/// See [`crate::store::Store::find_reusable`].
pub(super) fn reusable(
    connection: &Connection,
    authority: &AuthorityKey,
    min_remaining_s: u64,
    now: Timestamp,
) -> Result<Option<Record>, StoreError> {
    let remaining = SignedDuration::from_secs(i64::try_from(min_remaining_s).unwrap_or(i64::MAX));
    let Ok(needed) = now.checked_add(remaining) else { return Ok(None) };
    let select = select_sessions!(
        " WHERE status = 'active' AND parent_id IS NULL AND authority = ?1 AND expires_at >= ?2 AND expires_at > ?3 \
         ORDER BY expires_at DESC LIMIT 1"
    );
    let mut statement = connection.prepare_cached(select).map_err(from_sql)?;
    let values = (authority.to_string(), needed.as_microsecond(), now.as_microsecond());
    let mut rows = statement.query_map(values, record).map_err(from_sql)?;
    rows.next().transpose().map_err(from_sql)
}

/// See [`crate::store::Store::list`].
pub(super) fn list(connection: &Connection, filter: &Filter, page: &Page) -> Result<Listing, StoreError> {
    let limit = page.limit.clamp(1, LIST_PAGE_MAX);
    let (conditions, mut values) = conditions(filter, page.after.as_ref());
    // One more than asked for tells whether there is a next page.
    values.push(Value::Integer(i64::from(limit) + 1));
    let all = select_sessions!("");
    let select = format!("{all}{conditions} ORDER BY created_at DESC, id DESC LIMIT ?");
    let mut statement = connection.prepare_cached(&select).map_err(from_sql)?;
    let rows = statement.query_map(params_from_iter(values), record).map_err(from_sql)?;
    let mut records: Vec<Record> = rows.collect::<rusqlite::Result<_>>().map_err(from_sql)?;
    let more = records.len() > limit as usize;
    records.truncate(limit as usize);
    let last = records.last().filter(|_| more);
    let next =
        last.map(|last| Cursor { created_us: last.session.created_at.as_microsecond(), id: last.session.id.clone() });
    Ok(Listing { records, next })
}

fn conditions(filter: &Filter, after: Option<&Cursor>) -> (String, Vec<Value>) {
    let mut conditions: Vec<String> = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    let mut must = |condition: String, mut with: Vec<Value>| {
        conditions.push(condition);
        values.append(&mut with);
    };
    let text = |text: &str| Value::Text(text.to_owned());
    if !filter.statuses.is_empty() {
        let marks = vec!["?"; filter.statuses.len()].join(", ");
        must(format!("status IN ({marks})"), filter.statuses.iter().map(|status| text(status.as_str())).collect());
    }
    if filter.live {
        must("ended_at IS NULL".into(), Vec::new());
    }
    if let Some(provider) = filter.provider {
        must("provider = ?".into(), vec![text(provider.as_str())]);
    }
    if let Some(agent) = &filter.agent {
        must("agent_id = ?".into(), vec![text(agent)]);
    }
    if let Some(principal) = &filter.principal {
        must("principal = ?".into(), vec![text(principal)]);
    }
    if let Some(since) = filter.since {
        must("created_at >= ?".into(), vec![Value::Integer(since.as_microsecond())]);
    }
    if let Some((key, value)) = &filter.tag {
        let tagged = "EXISTS (SELECT 1 FROM session_tags WHERE session_id = sessions.id AND tag_key = ?";
        match value {
            Some(value) => must(format!("{tagged} AND tag_value = ?)"), vec![text(key), text(value)]),
            None => must(format!("{tagged})"), vec![text(key)]),
        }
    }
    if let Some(after) = after {
        let created = Value::Integer(after.created_us);
        must("(created_at, id) < (?, ?)".into(), vec![created, text(after.id.as_str())]);
    }
    let all = if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
    (all, values)
}

/// See [`crate::store::Store::entries`].
pub(super) fn entries(connection: &Connection, filter: &EntryFilter) -> Result<Vec<StoredEntry>, StoreError> {
    let limit = filter.limit.clamp(1, LIST_PAGE_MAX) as usize;
    let backwards = filter.newest_first;
    let from = filter.from_seq.unwrap_or(if backwards { u64::MAX } else { 0 });
    let order = if backwards { "DESC" } else { "ASC" };
    // The run that holds `from` may begin before it.
    let bound = if backwards {
        "first_seq <= ?1"
    } else {
        "first_seq >= coalesce((SELECT max(first_seq) FROM audit_runs WHERE first_seq <= ?1), 0)"
    };
    let select = match filter.session {
        None => format!("SELECT first_seq, bytes FROM audit_runs WHERE {bound} ORDER BY first_seq {order}"),
        Some(_) => format!(
            "SELECT first_seq, bytes FROM audit_run_sessions JOIN audit_runs USING (first_seq) \
             WHERE session_id = ?2 AND audit_run_sessions.{bound} ORDER BY first_seq {order}"
        ),
    };
    let mut statement = connection.prepare_cached(&select).map_err(from_sql)?;
    let mut values = vec![Value::Integer(i64::try_from(from).unwrap_or(i64::MAX))];
    values.extend(filter.session.as_ref().map(|session| Value::Text(session.as_str().to_owned())));
    let mut rows = statement.query(params_from_iter(values)).map_err(from_sql)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(from_sql)? {
        let first_seq: u64 = row.get(0).map_err(from_sql)?;
        let bytes = row.get_ref(1).map_err(from_sql)?;
        let bytes = bytes.as_blob().map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let mut run = chosen(first_seq, bytes, filter, from);
        if backwards {
            run.reverse();
        }
        found.append(&mut run);
        if found.len() >= limit {
            found.truncate(limit);
            break;
        }
    }
    Ok(found)
}

/// The entries of a run that the filter lets through. What has no outline passes, so that damage is seen.
fn chosen(first_seq: u64, bytes: &[u8], filter: &EntryFilter, from: u64) -> Vec<StoredEntry> {
    let wanted = |seq: u64, entry: &[u8]| {
        let inside = if filter.newest_first { seq <= from } else { seq >= from };
        let fits = |outline: Outline<'_>| {
            let session = filter.session.as_ref().is_none_or(|id| outline.session == Some(id.as_str()));
            session && (filter.kinds.is_empty() || filter.kinds.iter().any(|kind| kind == outline.kind))
        };
        inside && Outline::of(entry).is_none_or(fits)
    };
    let entries = (first_seq..).zip(frames::entries(bytes).flatten());
    let chosen = entries.filter(|(seq, entry)| wanted(*seq, entry));
    chosen.map(|(seq, entry)| StoredEntry { seq, bytes: entry.to_vec() }).collect()
}
