//! Questions to the store, and its answers.

use std::fmt;
use std::str::FromStr;

use hallpass_core::audit::entry::Hash;
use hallpass_core::audit::{Entry, EntryError};
use hallpass_core::id::SessionId;
use hallpass_core::limits::{LIST_PAGE_MAX, SESSIONS_KEPT_MAX};
use hallpass_core::provider::CloudProvider;
use hallpass_core::session::SessionStatus;
use jiff::Timestamp;

use super::record::Record;

/// Which sessions; every condition that is set must hold. The default is all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// One of these states; empty means any.
    pub statuses: Vec<SessionStatus>,
    /// This cloud.
    pub provider: Option<CloudProvider>,
    /// This agent.
    pub agent: Option<String>,
    /// A label with this key and, if given, this value.
    pub tag: Option<(String, Option<String>)>,
    /// This principal (`principal_id` where set, else `role_arn`).
    pub principal: Option<String>,
    /// Created at this instant or later.
    pub since: Option<Timestamp>,
    /// Only pending and active ones.
    pub live: bool,
}

/// Which part of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Most records, 1 to [`LIST_PAGE_MAX`]; more is cut.
    pub limit: u32,
    /// Where the page before ended.
    pub after: Option<Cursor>,
}

impl Default for Page {
    fn default() -> Self {
        Self { limit: LIST_PAGE_MAX, after: None }
    }
}

/// The end of a page, as text safe for a command line and a URL: `<microseconds>.<id>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Creation time of the last record, microseconds since 1970.
    pub created_us: i64,
    /// Its id.
    pub id: SessionId,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.created_us, self.id)
    }
}

impl FromStr for Cursor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("`{}` is not a page cursor", text.escape_debug());
        let (created, id) = text.split_once('.').ok_or_else(wrong)?;
        let created_us = created.parse().map_err(|_| wrong())?;
        let id = SessionId::new(id).map_err(|_| wrong())?;
        Ok(Self { created_us, id })
    }
}

/// One page of sessions, newest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Listing {
    /// The records.
    pub records: Vec<Record>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<Cursor>,
}

/// Which audit entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryFilter {
    /// Only entries of this session.
    pub session: Option<SessionId>,
    /// First position to look at, in the direction of reading; `None` starts at that end of the log.
    pub from_seq: Option<u64>,
    /// Most entries, 1 to [`LIST_PAGE_MAX`]; more is cut.
    pub limit: u32,
    /// Only these kinds ([`hallpass_core::audit::Event::kind`]); empty means any.
    pub kinds: Vec<String>,
    /// Backwards from the end.
    pub newest_first: bool,
}

impl Default for EntryFilter {
    fn default() -> Self {
        Self { session: None, from_seq: None, limit: LIST_PAGE_MAX, kinds: Vec::new(), newest_first: false }
    }
}

/// An entry, exactly as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// Its position.
    pub seq: u64,
    /// Its bytes: one line of JSON without the line break.
    pub bytes: Vec<u8>,
}

impl StoredEntry {
    /// The entry, read.
    ///
    /// # Errors
    /// [`EntryError::Malformed`] when the stored bytes are not one.
    pub fn decode(&self) -> Result<Entry, EntryError> {
        Entry::decode(&self.bytes)
    }
}

/// A checkpoint as signed: a C2SP signed note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// Entries that it covers.
    pub size: u64,
    /// Root of the Merkle tree over them.
    pub root: Hash,
    /// When it was signed.
    pub at: Timestamp,
    /// The note, with its signature line.
    pub note: String,
}

/// What is to be kept of the sessions that have ended. Live ones are always kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Most ended sessions to keep; the oldest go first.
    pub kept_max: u64,
    /// Also remove what ended before this instant.
    pub ended_before: Option<Timestamp>,
}

impl Default for Retention {
    fn default() -> Self {
        Self { kept_max: SESSIONS_KEPT_MAX, ended_before: None }
    }
}

/// What a pruning removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pruned {
    /// How many sessions.
    pub count: u64,
    /// The latest end among them; `None` when nothing was removed.
    pub ended_up_to: Option<Timestamp>,
}

/// The state of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogInfo {
    /// Random name of this log.
    pub log_id: String,
    /// Origin line of its checkpoints, also the name of the key.
    pub origin: String,
    /// Entries in it.
    pub size: u64,
    /// Hash of the last entry.
    pub last_hash: Hash,
    /// Entries covered by the last checkpoint.
    pub signed_size: u64,
    /// The key that verifies the checkpoints, in the `vkey` form of C2SP signed-note.
    pub vkey: String,
}
