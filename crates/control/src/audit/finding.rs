//! What can be wrong with a log; each kind has its own name and sentence.

use std::fmt;

use hallpass_core::session::SessionStatus;

/// Where a checkpoint lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the database.
    Database,
    /// In `checkpoints.log` beside it.
    Anchor,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Database => "the database",
            Self::Anchor => "checkpoints.log",
        })
    }
}

/// One thing that is wrong. `at` is always the position of the first bad entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// The bytes of an entry are not those that its successor links to.
    #[error("entry {at} was edited: its hash is not the one that was recorded after it")]
    Edited {
        /// Position.
        at: u64,
    },
    /// The bytes are no entry.
    #[error("entry {at} is malformed: its bytes are not those of an audit entry")]
    Malformed {
        /// Position.
        at: u64,
    },
    /// Entries are all there, in another order.
    #[error("entries from {at} on were swapped: they are not in the order in which they were written")]
    Reordered {
        /// Position.
        at: u64,
    },
    /// An entry is there twice.
    #[error("entry {at} occurs more than once")]
    Repeated {
        /// Position.
        at: u64,
    },
    /// Entries are missing, with later ones still there.
    #[error("{missing} entries from {at} on are missing in the middle of the log")]
    Missing {
        /// Position.
        at: u64,
        /// How many.
        missing: u64,
    },
    /// The end of the log is missing.
    #[error("the log was truncated: it ends before entry {at}, but a checkpoint in {place} covers {signed} entries")]
    Truncated {
        /// Position of the first missing entry.
        at: u64,
        /// Entries that were signed.
        signed: u64,
        /// Where that checkpoint lies.
        place: Place,
    },
    /// Nothing is left of the log.
    #[error("the log was emptied: it has no entries, but there were {signed}")]
    Emptied {
        /// Entries that were recorded or signed.
        signed: u64,
    },
    /// The end of the log is not the one that the head recorded.
    #[error(
        "the head of the log does not fit: it speaks of {recorded} entries, there are {found}, or its hash differs"
    )]
    Head {
        /// Entries that there are.
        found: u64,
        /// Entries that the head speaks of.
        recorded: u64,
    },
    /// A checkpoint is not what was signed.
    #[error("the checkpoint over {size} entries in {place} is not genuine: {why}")]
    Checkpoint {
        /// Entries that it claims to cover.
        size: u64,
        /// Where it lies.
        place: Place,
        /// What is wrong.
        why: String,
    },
    /// All hashes fit each other, but not what was signed.
    #[error("history was rewritten: an entry from {at} on differs from what the checkpoint over {size} entries signed")]
    Rewritten {
        /// Everything before this position was confirmed by an earlier checkpoint.
        at: u64,
        /// Size of the first checkpoint that does not fit.
        size: u64,
    },
    /// A checkpoint was anchored and is no longer in the database.
    #[error("the checkpoint over {size} entries was removed from the database: it is in checkpoints.log")]
    CheckpointRemoved {
        /// Entries that it covers.
        size: u64,
    },
    /// The anchor file is gone.
    #[error("checkpoints.log is missing or empty, though checkpoints were signed")]
    AnchorMissing,
    /// The log is another one than the one that was signed.
    #[error("this is another log: it calls itself `{found}`, but {place} speaks of `{signed}`")]
    LogChanged {
        /// Origin of the log in the database.
        found: String,
        /// Origin in the checkpoint or key.
        signed: String,
        /// Where that is.
        place: Place,
    },
    /// There is no key to verify signatures with.
    #[error("the signatures cannot be verified: the key file is missing and no vkey was given")]
    KeyMissing,
    /// The last entries are not signed and nobody is there who still could.
    #[error("the last checkpoint is missing: entries from {at} on are not signed and no process is writing them")]
    EndUnsigned {
        /// First position that no checkpoint covers.
        at: u64,
    },
    /// A session has no end in the log.
    #[error("the end of session {session} (created in entry {at}) is missing, and no process keeps it any more")]
    EndMissing {
        /// Position of its `session_created`.
        at: u64,
        /// Which.
        session: String,
    },
    /// The log ends a session that it never began.
    #[error("entry {at} ends session {session}, which no entry created")]
    BeginningMissing {
        /// Position of its `session_ended`.
        at: u64,
        /// Which.
        session: String,
    },
    /// A request was allowed outside the life of its session.
    #[error("entry {at} allows a request in session {session}, which was not running")]
    OutsideSession {
        /// Position.
        at: u64,
        /// Which.
        session: String,
    },
    /// The session's record and its entries disagree.
    #[error("the record of session {session} says {record}, but the log says {logged} (entry {at})")]
    Status {
        /// Position of the entry that says otherwise.
        at: u64,
        /// Which.
        session: String,
        /// State in the record.
        record: SessionStatus,
        /// State in the log; `active` when it has no end there.
        logged: SessionStatus,
    },
    /// A session's record has no entries.
    #[error("session {session} is recorded without any entry in the log")]
    Unrecorded {
        /// Which.
        session: String,
    },
    /// The index from sessions to runs is wrong.
    #[error("the index of the run at entry {at} does not fit its entries")]
    Index {
        /// First position of the run.
        at: u64,
    },
    /// More sessions without an end than a verification can hold.
    #[error("from entry {at} on, more sessions have no end than can be followed")]
    TooManyOpen {
        /// Position of the first one that was not followed.
        at: u64,
    },
}

impl Finding {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Edited { .. } => "entry-edited",
            Self::Malformed { .. } => "entry-malformed",
            Self::Reordered { .. } => "entries-reordered",
            Self::Repeated { .. } => "entry-repeated",
            Self::Missing { .. } => "entries-missing",
            Self::Truncated { .. } => "log-truncated",
            Self::Emptied { .. } => "log-emptied",
            Self::Head { .. } => "head-mismatch",
            Self::Checkpoint { .. } => "checkpoint-forged",
            Self::Rewritten { .. } => "history-rewritten",
            Self::CheckpointRemoved { .. } => "checkpoint-removed",
            Self::AnchorMissing => "anchor-missing",
            Self::LogChanged { .. } => "log-changed",
            Self::KeyMissing => "key-missing",
            Self::EndUnsigned { .. } => "end-unsigned",
            Self::EndMissing { .. } => "session-end-missing",
            Self::BeginningMissing { .. } => "session-beginning-missing",
            Self::OutsideSession { .. } => "request-outside-session",
            Self::Status { .. } => "session-status-mismatch",
            Self::Unrecorded { .. } => "session-unrecorded",
            Self::Index { .. } => "run-index-mismatch",
            Self::TooManyOpen { .. } => "sessions-too-many-open",
        }
    }

    /// Position of the first bad entry; `None` when what is wrong is not an entry.
    pub fn position(&self) -> Option<u64> {
        match self {
            Self::Edited { at }
            | Self::Malformed { at }
            | Self::Reordered { at }
            | Self::Repeated { at }
            | Self::Missing { at, .. }
            | Self::Truncated { at, .. }
            | Self::Rewritten { at, .. }
            | Self::EndUnsigned { at }
            | Self::EndMissing { at, .. }
            | Self::BeginningMissing { at, .. }
            | Self::OutsideSession { at, .. }
            | Self::Status { at, .. }
            | Self::Index { at }
            | Self::TooManyOpen { at } => Some(*at),
            Self::Emptied { .. } => Some(0),
            Self::Head { .. }
            | Self::Checkpoint { .. }
            | Self::CheckpointRemoved { .. }
            | Self::AnchorMissing
            | Self::LogChanged { .. }
            | Self::KeyMissing
            | Self::Unrecorded { .. } => None,
        }
    }
}

/// Findings as they come, bounded in number.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) list: Vec<Finding>,
    pub(super) left_out: u64,
    /// True when entries themselves are wrong, so that roots which do not fit are no news.
    pub(super) chain_broken: bool,
}

impl Findings {
    /// Adds one; answers with its place in the list, if it got one.
    pub(super) fn add(&mut self, finding: Finding) -> Option<usize> {
        if self.list.contains(&finding) {
            return None;
        }
        if self.list.len() >= hallpass_core::limits::AUDIT_FINDINGS_MAX {
            self.left_out += 1;
            return None;
        }
        self.list.push(finding);
        Some(self.list.len() - 1)
    }

    /// Adds one about the entries themselves.
    pub(super) fn broken(&mut self, finding: Finding) -> Option<usize> {
        self.chain_broken = true;
        self.add(finding)
    }
}
