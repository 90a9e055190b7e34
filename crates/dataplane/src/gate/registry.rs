//! The way to the records of child sessions, without knowing where they are kept.

use std::fmt;
use std::sync::Arc;

use hallpass_core::audit::Event;
use hallpass_core::denial::Denial;
use hallpass_core::id::SessionId;
use hallpass_core::permit::Permit;
use hallpass_core::policy::ScopedPolicy;
use hallpass_core::provider::BoxFuture;
use jiff::Timestamp;

use super::{Journal, JournalError};

/// A child session that a request asks for.
#[derive(Debug, Clone)]
pub struct NewChild {
    /// The session whose request it is.
    pub parent: SessionId,
    /// What it may do: a subset of what its parent may.
    pub policy: ScopedPolicy,
    /// The role that it stands for; `None` for its parent's own identity.
    pub role_arn: Option<String>,
    /// When it ends at the latest; never after its parent.
    pub expires_at: Timestamp,
    /// The API operation that asks.
    pub operation: &'static str,
}

/// A child session is recorded and permitted, and pending.
#[derive(Debug)]
pub struct Opened {
    /// Evidence that it may be lent.
    pub permit: Permit,
    /// Takes its audit entries.
    pub journal: Journal,
}

/// What happens to a child session's record.
#[derive(Debug, Clone)]
pub enum Change {
    /// Its credential was issued: it becomes active, with this `credentials_issued` entry and this access key id.
    Issued(Box<Event>, String),
    /// It could not be lent.
    Failed(String),
    /// Its time is over.
    Expired,
}

type Open = dyn Fn(NewChild) -> BoxFuture<'static, Result<Opened, Denial>> + Send + Sync;
type Alter = dyn Fn(SessionId, Change) -> BoxFuture<'static, Result<(), JournalError>> + Send + Sync;

/// Keeps the records of child sessions: two closures, so that the dataplane does not know the store.
#[derive(Clone)]
pub struct Registry {
    open: Arc<Open>,
    alter: Arc<Alter>,
}

impl Registry {
    /// `open` authorises and records a pending session, or says why not; `alter` changes its record.
    pub fn new(
        open: impl Fn(NewChild) -> BoxFuture<'static, Result<Opened, Denial>> + Send + Sync + 'static,
        alter: impl Fn(SessionId, Change) -> BoxFuture<'static, Result<(), JournalError>> + Send + Sync + 'static,
    ) -> Self {
        Self { open: Arc::new(open), alter: Arc::new(alter) }
    }

    pub(super) fn open(&self, child: NewChild) -> BoxFuture<'static, Result<Opened, Denial>> {
        (self.open)(child)
    }

    pub(super) fn alter(&self, id: SessionId, change: Change) -> BoxFuture<'static, Result<(), JournalError>> {
        (self.alter)(id, change)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Registry")
    }
}
