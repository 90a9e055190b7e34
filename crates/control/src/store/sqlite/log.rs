//! The end of the audit log: read at the beginning of a transaction, carried along, written back before the commit.
//! Appending costs the same however long the log is.

use std::collections::BTreeMap;

use hallpass_core::audit::entry::{GENESIS, Hash, leaf_hash};
use hallpass_core::audit::merkle::Frontier;
use hallpass_core::audit::{Entry, EntryError, Event};
use hallpass_core::id::SessionId;
use hallpass_core::limits::{AUDIT_RUN_BYTES_MAX, AUDIT_RUN_ENTRIES_MAX};
use jiff::Timestamp;
use rusqlite::{Connection, Row};

use super::connection::from_sql;
use super::frames;
use super::rows::integer;
use crate::store::{LogInfo, StoreError};

/// Version of the entry format, in `log_opened`.
const FORMAT: u32 = 1;
/// What one commit adds to a sum at most, so that no sum of an honest log ever leaves the integers.
const COUNTED_AT_ONCE: u64 = 1 << 53;

/// The head row.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    /// Random name of the log.
    pub(crate) log_id: String,
    /// Hash of the last entry.
    pub(crate) last_hash: Hash,
    /// Right-hand edge of the tree over all entries.
    pub(crate) frontier: Frontier,
    /// Entries covered by the last checkpoint.
    pub(crate) signed_size: u64,
    /// When that was signed.
    pub(crate) signed_at: Timestamp,
}

impl Head {
    /// Entries in the log.
    pub(crate) fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// Origin line of the checkpoints.
    pub(crate) fn origin(&self) -> String {
        format!("hallpass.local/{}", self.log_id)
    }

    /// Reads the head.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be one, or an outage.
    pub(crate) fn read(connection: &Connection) -> Result<Self, StoreError> {
        let select = "SELECT log_id, size, last_hash, frontier, signed_size, signed_at FROM audit_head WHERE id = 0";
        let mut statement = connection.prepare_cached(select).map_err(from_sql)?;
        let head = statement.query_row([], |row| Ok(Self::from_row(row))).map_err(|error| match error {
            rusqlite::Error::QueryReturnedNoRows => StoreError::Corrupt("the head of the audit log is missing".into()),
            error => from_sql(error),
        })?;
        head.map_err(from_sql)?.ok_or_else(|| StoreError::Corrupt("the head of the audit log is unreadable".into()))
    }

    /// The state of the log, with the key that verifies it.
    pub(crate) fn info(&self, vkey: String) -> LogInfo {
        LogInfo {
            log_id: self.log_id.clone(),
            origin: self.origin(),
            size: self.size(),
            last_hash: self.last_hash,
            signed_size: self.signed_size,
            vkey,
        }
    }

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Option<Self>> {
        let (size, signed_size) = (u64::try_from(row.get::<_, i64>(1)?), u64::try_from(row.get::<_, i64>(4)?));
        let (Ok(size), Ok(signed_size)) = (size, signed_size) else { return Ok(None) };
        let Ok(last_hash) = row.get_ref(2)?.as_blob()?.try_into() else { return Ok(None) };
        let Some(frontier) = Frontier::from_bytes(size, row.get_ref(3)?.as_blob()?) else { return Ok(None) };
        let Ok(signed_at) = Timestamp::from_microsecond(row.get(5)?) else { return Ok(None) };
        Ok(Some(Self { log_id: row.get(0)?, last_hash, frontier, signed_size, signed_at }))
    }

    fn write(&self, connection: &Connection) -> Result<(), StoreError> {
        let update = "UPDATE audit_head SET size = ?1, last_hash = ?2, frontier = ?3, signed_size = ?4, signed_at = ?5 \
            WHERE id = 0";
        let mut statement = connection.prepare_cached(update).map_err(from_sql)?;
        let values = (
            integer("size", self.size())?,
            self.last_hash.as_slice(),
            self.frontier.to_bytes(),
            integer("size", self.signed_size)?,
            self.signed_at.as_microsecond(),
        );
        statement.execute(values).map_err(from_sql).map(|_| ())
    }
}

/// Begins a log: its head, and its first entry.
pub(super) fn open(connection: &Connection, now: Timestamp) -> Result<(), StoreError> {
    let log_id = uuid::Uuid::new_v4().simple().to_string();
    let insert = "INSERT INTO audit_head (id, log_id, size, last_hash, frontier, signed_size, signed_at) \
        VALUES (0, ?1, 0, ?2, ?3, 0, ?4)";
    let empty: &[u8] = &[];
    let values = (&log_id, GENESIS.as_slice(), empty, now.as_microsecond());
    connection.execute(insert, values).map_err(from_sql)?;
    let mut draft = Draft::new(Head::read(connection)?);
    draft.append(None, &Event::LogOpened { log_id, format: FORMAT }, now)?;
    draft.write(connection)?;
    draft.head.write(connection)
}

/// What one entry adds to the counts of its session.
#[derive(Debug, Clone, Copy, Default)]
struct Counted {
    allowed: u64,
    denied: u64,
    cost_nano_usd: u64,
    bytes: u64,
}

impl Counted {
    fn is_any(&self) -> bool {
        self.allowed + self.denied > 0 || self.cost_nano_usd > 0 || self.bytes > 0
    }
}

#[derive(Debug)]
struct Drafted {
    session: Option<SessionId>,
    counted: Counted,
    hash: Hash,
    /// Where its frame ends in the bytes of the draft.
    end: usize,
}

/// Entries that will become part of the log when the transaction commits.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) head: Head,
    bytes: Vec<u8>,
    entries: Vec<Drafted>,
}

/// A place in a draft to go back to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark(usize);

impl Draft {
    pub(super) fn new(head: Head) -> Self {
        Self { head, bytes: Vec::new(), entries: Vec::new() }
    }

    /// Entries in the log and in the draft.
    pub(super) fn size(&self) -> u64 {
        self.head.size() + self.entries.len() as u64
    }

    /// Adds one entry and answers with its position.
    pub(super) fn append(
        &mut self,
        session: Option<&SessionId>,
        event: &Event,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let seq = self.size();
        let prev = self.entries.last().map_or(&self.head.last_hash, |entry| &entry.hash);
        let entry = Entry::encode(seq, prev, now, session, event).map_err(|error| match error {
            EntryError::TooLarge(_) => StoreError::EntryTooLarge(error.to_string()),
            EntryError::Malformed(_) => StoreError::Invalid(error.to_string()),
        })?;
        frames::push(&mut self.bytes, &entry);
        let counted = match event {
            Event::RequestAllowed { .. } => Counted { allowed: 1, ..Counted::default() },
            Event::RequestDenied { count, .. } => Counted { denied: *count, ..Counted::default() },
            Event::RequestSettled { cost_nano_usd, bytes_in, bytes_out, .. } => Counted {
                cost_nano_usd: cost_nano_usd.unwrap_or(0),
                bytes: bytes_in.saturating_add(*bytes_out),
                ..Counted::default()
            },
            _ => Counted::default(),
        };
        let (hash, end) = (leaf_hash(&entry), self.bytes.len());
        self.entries.push(Drafted { session: session.cloned(), counted, hash, end });
        Ok(seq)
    }

    /// The present place.
    pub(super) fn mark(&self) -> Mark {
        Mark(self.entries.len())
    }

    /// Forgets what was added since.
    pub(super) fn rewind(&mut self, mark: Mark) {
        self.entries.truncate(mark.0);
        self.bytes.truncate(self.entries.last().map_or(0, |entry| entry.end));
    }

    /// Requests of a session in this draft: allowed, denied.
    pub(super) fn counts(&self, session: &SessionId) -> (u64, u64) {
        let own = self.entries.iter().filter(|entry| entry.session.as_ref() == Some(session));
        own.fold((0, 0), |(allowed, denied), entry| (allowed + entry.counted.allowed, denied + entry.counted.denied))
    }

    /// Writes the entries as runs, with their index and their sessions' counts, and moves the head in memory.
    pub(super) fn write(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let mut begin = 0;
        let mut rest = self.entries.as_slice();
        let mut first_seq = self.head.size();
        while let Some(first) = rest.first() {
            let fits = |entry: &Drafted| entry.end - begin <= AUDIT_RUN_BYTES_MAX || entry.end == first.end;
            let length = rest.iter().take(AUDIT_RUN_ENTRIES_MAX).take_while(|entry| fits(entry)).count();
            let (run, later) = rest.split_at(length);
            let end = run.last().map_or(begin, |entry| entry.end);
            write_run(connection, first_seq, run, &self.bytes[begin..end])?;
            (begin, rest, first_seq) = (end, later, first_seq + length as u64);
        }
        write_counts(connection, &self.entries)?;
        for entry in self.entries.drain(..) {
            self.head.frontier.append(entry.hash);
            self.head.last_hash = entry.hash;
        }
        self.bytes.clear();
        Ok(())
    }

    /// Writes the head; the last act before the commit.
    pub(super) fn write_head(&self, connection: &Connection) -> Result<(), StoreError> {
        self.head.write(connection)
    }
}

fn write_run(connection: &Connection, first_seq: u64, run: &[Drafted], bytes: &[u8]) -> Result<(), StoreError> {
    let first_seq = integer("position", first_seq)?;
    let insert = "INSERT INTO audit_runs (first_seq, entries, bytes) VALUES (?1, ?2, ?3)";
    let mut statement = connection.prepare_cached(insert).map_err(from_sql)?;
    statement.execute((first_seq, run.len(), bytes)).map_err(from_sql)?;
    let mut sessions: BTreeMap<&str, usize> = BTreeMap::new();
    for session in run.iter().filter_map(|entry| entry.session.as_ref()) {
        *sessions.entry(session.as_str()).or_default() += 1;
    }
    let insert = "INSERT INTO audit_run_sessions (session_id, first_seq, entries) VALUES (?1, ?2, ?3)";
    let mut statement = connection.prepare_cached(insert).map_err(from_sql)?;
    for (session, entries) in sessions {
        statement.execute((session, first_seq, entries)).map_err(from_sql)?;
    }
    Ok(())
}

fn write_counts(connection: &Connection, entries: &[Drafted]) -> Result<(), StoreError> {
    let mut sessions: BTreeMap<&str, Counted> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.counted.is_any()) {
        let Some(session) = &entry.session else { continue };
        let counts = sessions.entry(session.as_str()).or_default();
        counts.allowed += entry.counted.allowed;
        counts.denied += entry.counted.denied;
        counts.cost_nano_usd = counts.cost_nano_usd.saturating_add(entry.counted.cost_nano_usd);
        counts.bytes = counts.bytes.saturating_add(entry.counted.bytes);
    }
    let update = "UPDATE sessions SET requests_allowed = requests_allowed + ?2, \
        requests_denied = requests_denied + ?3, spent_nano_usd = spent_nano_usd + ?4, \
        bytes_passed = bytes_passed + ?5 WHERE id = ?1";
    let mut statement = connection.prepare_cached(update).map_err(from_sql)?;
    for (session, counts) in sessions {
        let values = (
            session,
            integer("count", counts.allowed)?,
            integer("count", counts.denied)?,
            integer("cost", counts.cost_nano_usd.min(COUNTED_AT_ONCE))?,
            integer("bytes", counts.bytes.min(COUNTED_AT_ONCE))?,
        );
        statement.execute(values).map_err(from_sql)?;
    }
    Ok(())
}
