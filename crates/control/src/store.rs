//! The seam to the database. Every method is one transaction; what changes something takes its audit record along.

pub mod error;
pub mod query;
pub mod record;
pub(crate) mod sqlite;

use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;

use hallpass_core::audit::Event;
use hallpass_core::clock::Clock;
use hallpass_core::id::SessionId;
use hallpass_core::provider::BoxFuture;
use hallpass_core::session::Session;
use jiff::Timestamp;

use crate::authority::AuthorityKey;
pub use error::StoreError;
pub use query::{
    Cursor, EntryFilter, Filter, Listing, LogInfo, Page, Pruned, Retention, SignedCheckpoint, StoredEntry,
};
pub use record::{NewSession, Position, Record, Transition};

/// Sessions and their audit log. One of the four seams.
///
/// Writes are answered after their transaction is committed. They need no particular async runtime; reads are bounded
/// by [`hallpass_core::limits::LIST_PAGE_MAX`], run on the calling thread and are complete when first polled.
pub trait Store: Send + Sync + Debug {
    /// Records a pending session together with its `session_created` entry, and signs a checkpoint over it.
    ///
    /// # Errors
    /// [`StoreError::Exists`], also for the id of a session that was pruned; [`StoreError::Invalid`] when it is not
    /// pending; or an outage.
    fn create(&self, new: NewSession) -> BoxFuture<'_, Result<Position, StoreError>>;

    /// Changes a session's state together with its audit entries, and answers with the session as it is now.
    /// Revoking what has ended already changes nothing, appends `events` only, and is no error.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Conflict`], or an outage.
    fn transition(&self, change: Transition) -> BoxFuture<'_, Result<Record, StoreError>>;

    /// Appends one entry and answers with its position after the commit. `request_allowed` and `tunnel_opened` are refused unless their
    /// session is active and has time left at the commit: what was revoked elsewhere cannot get a position.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::NotActive`], [`StoreError::EntryTooLarge`], or an outage.
    fn append(&self, session: Option<&SessionId>, event: Event) -> BoxFuture<'_, Result<Position, StoreError>>;

    /// Appends one entry soon, without waiting: for outcomes, which say what happened and permit nothing.
    /// What goes wrong is remembered until [`Self::flush`].
    fn append_later(&self, session: Option<&SessionId>, event: Event);

    /// Waits until everything given to [`Self::append_later`] is committed.
    ///
    /// # Errors
    /// The first error since the last call.
    fn flush(&self) -> BoxFuture<'_, Result<(), StoreError>>;

    /// The session with this id.
    fn session<'a>(&'a self, id: &'a SessionId) -> BoxFuture<'a, Result<Option<Record>, StoreError>>;

    /// Sessions whose id begins with `prefix`, in the order of their ids.
    fn matching<'a>(&'a self, prefix: &'a str, limit: u32) -> BoxFuture<'a, Result<Vec<Record>, StoreError>>;

    /// A page of sessions, newest first.
    fn list(&self, filter: Filter, page: Page) -> BoxFuture<'_, Result<Listing, StoreError>>;

    /// The active session of exactly this authority that lives longest, if it has `min_remaining_s` seconds or more
    /// left at `now`. The cost does not depend on how many sessions there are.
    fn find_reusable<'a>(
        &'a self,
        authority: &'a AuthorityKey,
        min_remaining_s: u64,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>>;

    /// Audit entries, exactly as stored. For a stream, ask again with `from_seq` one past the last.
    fn entries(&self, filter: EntryFilter) -> BoxFuture<'_, Result<Vec<StoredEntry>, StoreError>>;

    /// Signs a checkpoint over everything appended so far, unless the last one covers it already.
    fn checkpoint(&self) -> BoxFuture<'_, Result<SignedCheckpoint, StoreError>>;

    /// Checkpoints that cover at least `from_size` entries, in their order, at most
    /// [`hallpass_core::limits::LIST_PAGE_MAX`].
    fn checkpoints(&self, from_size: u64, limit: u32) -> BoxFuture<'_, Result<Vec<SignedCheckpoint>, StoreError>>;

    /// Removes ended sessions that need not be kept, with one `sessions_pruned` entry. Their audit entries stay.
    fn prune(&self, retention: Retention) -> BoxFuture<'_, Result<Pruned, StoreError>>;

    /// Takes over an ended session from another tool's `file` with its `session_imported` entry.
    /// False when a session with this id is known already, or was and has been pruned.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the session has not ended, or an outage.
    fn import(&self, session: Session, file: String) -> BoxFuture<'_, Result<bool, StoreError>>;

    /// The state of the log.
    fn log_info(&self) -> BoxFuture<'_, Result<LogInfo, StoreError>>;
}

/// What an answered write has survived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// The death of our process (SQLite `synchronous = NORMAL`): the default of local use.
    #[default]
    Process,
    /// A power failure (`synchronous = FULL`): the default of the server.
    Power,
}

/// Where the store is and how careful it is.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// State directory; made with mode 0700 if it is missing.
    pub dir: PathBuf,
    /// What an answered write must survive.
    pub durability: Durability,
    /// The key that signs checkpoints; `None` means `checkpoint.key` in `dir`. Made on first use.
    pub key: Option<PathBuf>,
    /// The clock of the audit entries.
    pub clock: Arc<dyn Clock>,
    /// Open for writing at once, for a program that is going to write: its first questions then cost no connection of
    /// their own. Where that fails, the first write says why.
    pub writes: bool,
}

impl StoreOptions {
    /// The usual options: key in the same directory, process durability.
    pub fn new(dir: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Self {
        Self { dir: dir.into(), durability: Durability::default(), key: None, clock, writes: false }
    }
}

/// Opens the store in `options.dir`, and makes it if there is none.
///
/// # Errors
/// [`StoreError::Insecure`] when the directory or a file in it belongs to another user or can be written by others,
/// [`StoreError::Newer`] for a store of a later version, or an outage.
pub fn connect(options: StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(sqlite::SqliteStore::connect(&options)?))
}
