//! Why the store could not do what it was asked.

use hallpass_core::session::{SessionEvent, SessionStatus};

/// A refusal or a failure of the store. Nothing was changed, unless [`StoreError::is_uncertain`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no such session.
    #[error("there is no session `{0}`")]
    NotFound(String),
    /// A session with this id exists already.
    #[error("a session `{0}` exists already")]
    Exists(String),
    /// The session's state does not allow it, perhaps since another process changed it.
    #[error("session `{id}` is {status}, so it cannot {event}")]
    Conflict {
        /// Which session.
        id: String,
        /// The state that it is in.
        status: SessionStatus,
        /// What was asked.
        event: SessionEvent,
    },
    /// A request cannot be recorded as allowed, because its session is not active (any more).
    #[error("session `{id}` is {status}: nothing can be allowed in it")]
    NotActive {
        /// Which session.
        id: String,
        /// The state that it is in; expired also when only the time has come and nobody recorded it yet.
        status: SessionStatus,
    },
    /// What was handed in cannot be stored.
    #[error("{0}")]
    Invalid(String),
    /// The audit entry would be larger than the format allows.
    #[error("{0}")]
    EntryTooLarge(String),
    /// Another process has held the store for too long.
    #[error("the store is busy: another process has held it for {0} ms; try again")]
    Busy(u64),
    /// The disk is full. Ends of sessions are still recorded from a reserve.
    #[error("the disk is full: free some space in the state directory ({0})")]
    DiskFull(String),
    /// The store cannot be written.
    #[error("the store is read-only: {0}")]
    ReadOnly(String),
    /// The operating system reported an I/O error.
    #[error("reading or writing the store failed: {0}")]
    Io(String),
    /// The file is not a store, or is damaged.
    #[error("the store is damaged: {0}; keep the files and run `hallpass audit verify`")]
    Corrupt(String),
    /// The state directory or one of its files can be reached by somebody else.
    #[error("{0}")]
    Insecure(String),
    /// The store was written by a newer version.
    #[error("the store has schema version {found}, this program knows {known}: use a newer hallpass")]
    Newer {
        /// Version in the database.
        found: i64,
        /// Newest version that we know.
        known: i64,
    },
    /// Outcomes came faster than they could be written; some were dropped and stay unknown.
    #[error("{0} audit entries of outcomes were dropped: the store could not keep up")]
    Dropped(u64),
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
    /// The signing key could not be read, made or used.
    #[error("the checkpoint key: {0}")]
    Key(String),
    /// Anything else that the database says.
    #[error("the database refused: {0}")]
    Database(String),
}

impl StoreError {
    /// Stable code, for `--json` and for exit codes.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "session-not-found",
            Self::Exists(_) => "session-exists",
            Self::Conflict { .. } => "session-state",
            Self::NotActive { .. } => "session-not-active",
            Self::Invalid(_) => "store-invalid",
            Self::EntryTooLarge(_) => "audit-entry-too-large",
            Self::Busy(_) => "store-busy",
            Self::DiskFull(_) => "store-disk-full",
            Self::ReadOnly(_) => "store-read-only",
            Self::Io(_) => "store-io",
            Self::Corrupt(_) => "store-corrupt",
            Self::Insecure(_) => "store-insecure",
            Self::Newer { .. } => "store-newer",
            Self::Dropped(_) => "audit-dropped",
            Self::Closed => "store-closed",
            Self::Key(_) => "checkpoint-key",
            Self::Database(_) => "store-database",
        }
    }

    /// True when the store itself is in trouble, as opposed to a question that it answered with no.
    /// The gate then refuses with `audit-unavailable`.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::NotFound(_)
            | Self::Exists(_)
            | Self::Conflict { .. }
            | Self::NotActive { .. }
            | Self::Invalid(_)
            | Self::EntryTooLarge(_) => false,
            Self::Busy(_)
            | Self::DiskFull(_)
            | Self::ReadOnly(_)
            | Self::Io(_)
            | Self::Corrupt(_)
            | Self::Insecure(_)
            | Self::Newer { .. }
            | Self::Dropped(_)
            | Self::Closed
            | Self::Key(_)
            | Self::Database(_) => true,
        }
    }

    /// True when the change may have reached the disk in spite of the error: ask again before you act on it.
    pub fn is_uncertain(&self) -> bool {
        matches!(self, Self::Io(_) | Self::Database(_))
    }
}
