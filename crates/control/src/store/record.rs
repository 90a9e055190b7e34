//! What goes into the store and comes out of it: sessions with what only the store knows of them.

use hallpass_core::audit::Event;
use hallpass_core::budget::Usd;
use hallpass_core::id::SessionId;
use hallpass_core::session::{Revocation, Session, SessionEvent};
use jiff::Timestamp;

use crate::keeper::Keeper;

/// Position of an entry in the audit log, from 0. Having one means: the entry is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

/// A session as the store holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The session itself.
    pub session: Session,
    /// The process that answers for it; `None` for imported ones.
    pub keeper: Option<Keeper>,
    /// Requests that the gate allowed.
    pub requests_allowed: u64,
    /// Requests that the gate refused.
    pub requests_denied: u64,
    /// Exit code of the command, where it had one.
    pub exit_code: Option<i32>,
    /// Estimated cost of the settled requests.
    pub spent: Usd,
    /// Bytes of request and response bodies that passed, of the settled requests.
    pub bytes_passed: u64,
}

/// A session to be recorded. The store writes its `session_created` entry from these fields.
#[derive(Debug, Clone, PartialEq)]
pub struct NewSession {
    /// A pending session.
    pub session: Session,
    /// The process that answers for it.
    pub keeper: Option<Keeper>,
    /// Name of the OS user that asked.
    pub user: String,
}

/// A change of a session's state. The store appends `events`, then, in the same transaction, the entry that belongs
/// to the new state: `session_activated`, or `session_ended` with the counts and the reason.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// Which session.
    pub id: SessionId,
    /// What happens to it.
    pub event: SessionEvent,
    /// When; becomes `ended_at` of a session that ends.
    pub at: Timestamp,
    /// Why, one sentence; becomes `end_reason` of a session that ends.
    pub reason: String,
    /// New access key id of the session, where one is known now.
    pub access_key_id: Option<String>,
    /// How far the session can be taken back, where that is known now.
    pub revocation: Option<Revocation>,
    /// Exit code of the command.
    pub exit_code: Option<i32>,
    /// Entries that belong to the change and come before it (`credentials_issued`, `session_killed`, …).
    pub events: Vec<Event>,
}

impl Transition {
    /// A change with a reason and nothing else; set the other fields as needed.
    pub fn new(id: SessionId, event: SessionEvent, at: Timestamp, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { id, event, at, reason, access_key_id: None, revocation: None, exit_code: None, events: Vec::new() }
    }
}
