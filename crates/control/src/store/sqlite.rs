//! The store on SQLite: one writer thread with group commit, readers on connections of their own.
//!
//! Several processes may write the same file: every transaction takes the write lock, reads the head of the log and
//! writes it back, so that all of them add to one chain.

pub(crate) mod checkpoints;
mod children;
pub(crate) mod columns;
mod company;
pub(crate) mod connection;
pub(crate) mod frames;
pub(crate) mod log;
mod operation;
mod queue;
mod read;
mod reply;
mod reserve;
mod rows;
mod writer;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use hallpass_core::audit::Event;
use hallpass_core::id::SessionId;
use hallpass_core::provider::BoxFuture;
use hallpass_core::session::Session;
use jiff::Timestamp;
use rusqlite::Connection;

use self::connection::{SCHEMA_VERSION, from_sql, schema_version};
use self::log::Head;
use self::operation::{Answer, Operation};
use self::queue::{Later, Queue};
use self::read::Readers;
use self::writer::Writer;
use super::{
    EntryFilter, Filter, Listing, LogInfo, NewSession, Page, Position, Pruned, Record, Retention, SignedCheckpoint,
    Store, StoreError, StoreOptions, StoredEntry, Transition,
};
use crate::authority::AuthorityKey;
use crate::failpoint::fail_point;
use crate::files;
use crate::keys::SigningKey;

/// A store in a directory.
#[derive(Debug)]
pub(super) struct SqliteStore {
    queue: Arc<Queue>,
    readers: Readers,
    key_file: PathBuf,
    /// Begins to work at the first write.
    writer: Mutex<WriterState>,
}

#[derive(Debug)]
enum WriterState {
    Waiting(Box<Writer>),
    Working(JoinHandle<()>),
    Gone,
}

impl SqliteStore {
    /// Opens or makes the store; see [`super::connect`].
    pub(super) fn connect(options: &StoreOptions) -> Result<Self, StoreError> {
        files::prepare_dir(&options.dir)?;
        let database = options.dir.join(files::DATABASE);
        let mut writer = Writer::new(options);
        let exists = files::open_existing(&database, files::Privacy::Unwritable)?.is_some();
        if !exists {
            writer.initialise()?;
        } else if options.writes {
            writer.open_ahead();
        }
        let store = Self {
            queue: Arc::new(Queue::new()),
            readers: Readers::new(database),
            key_file: options.key.clone().unwrap_or_else(|| options.dir.join(files::KEY)),
            writer: Mutex::new(WriterState::Waiting(Box::new(writer))),
        };
        if store.ask(unfinished)? {
            store.initialise()?;
        }
        Ok(store)
    }

    /// Asks the writer's connection while the writer does not work yet, and else one that cannot write.
    fn ask<T>(&self, question: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut state = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *state {
            WriterState::Waiting(writer) if writer.is_open() => writer.ask(question),
            WriterState::Waiting(_) | WriterState::Working(_) | WriterState::Gone => {
                drop(state);
                self.readers.ask(question)
            }
        }
    }

    fn initialise(&self) -> Result<(), StoreError> {
        let mut state = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *state {
            WriterState::Waiting(writer) => writer.initialise(),
            WriterState::Working(_) | WriterState::Gone => Ok(()),
        }
    }

    async fn submit(&self, operation: Operation) -> Result<Answer, StoreError> {
        self.work()?;
        fail_point!("store::enqueued", error);
        self.queue.submit(operation).await
    }

    /// Starts the writer's thread, once.
    fn work(&self) -> Result<(), StoreError> {
        let mut state = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*state, WriterState::Working(_)) {
            return Ok(());
        }
        let WriterState::Waiting(writer) = std::mem::replace(&mut *state, WriterState::Gone) else {
            return Err(StoreError::Closed);
        };
        let queue = Arc::clone(&self.queue);
        let thread = std::thread::Builder::new().name("hallpass-store".into());
        let thread = thread.spawn(move || writer.run(&queue));
        let thread = thread.map_err(|error| StoreError::Io(format!("the writer cannot start: {error}")))?;
        *state = WriterState::Working(thread);
        Ok(())
    }
}

impl Drop for SqliteStore {
    /// Waits until everything that was handed over is committed. The readers go first: SQLite moves the write-ahead log
    /// into the database when the last connection is closed, but only if that one may write, and a log that is left
    /// behind is read again at every start.
    fn drop(&mut self) {
        self.readers.close();
        self.queue.close();
        let state = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let WriterState::Working(thread) = std::mem::replace(state, WriterState::Gone) {
            drop(thread.join());
        }
    }
}

/// The writer answered something else than was asked: never, or the store is not to be trusted.
fn confused<T>(answer: &Answer) -> Result<T, StoreError> {
    Err(StoreError::Database(format!("unexpected answer {answer:?}")))
}

impl Store for SqliteStore {
    fn create(&self, new: NewSession) -> BoxFuture<'_, Result<Position, StoreError>> {
        Box::pin(async move {
            match self.submit(Operation::Create(Box::new(new))).await? {
                Answer::Position(position) => Ok(position),
                other => confused(&other),
            }
        })
    }

    fn transition(&self, change: Transition) -> BoxFuture<'_, Result<Record, StoreError>> {
        Box::pin(async move {
            match self.submit(Operation::Transition(Box::new(change))).await? {
                Answer::Record(record) => Ok(*record),
                other => confused(&other),
            }
        })
    }

    fn append(&self, session: Option<&SessionId>, event: Event) -> BoxFuture<'_, Result<Position, StoreError>> {
        let operation = Operation::Append(session.cloned(), Box::new(event));
        Box::pin(async move {
            match self.submit(operation).await? {
                Answer::Position(position) => Ok(position),
                other => confused(&other),
            }
        })
    }

    fn append_later(&self, session: Option<&SessionId>, event: Event) {
        match self.work() {
            Ok(()) => self.queue.submit_later(Later { session: session.cloned(), event }),
            Err(error) => self.queue.remember(&error),
        }
    }

    fn flush(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move { self.submit(Operation::Flush).await.map(|_| ()) })
    }

    fn session<'a>(&'a self, id: &'a SessionId) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(async move { self.ask(|connection| rows::find(connection, id)) })
    }

    fn matching<'a>(&'a self, prefix: &'a str, limit: u32) -> BoxFuture<'a, Result<Vec<Record>, StoreError>> {
        Box::pin(async move { self.ask(|connection| read::matching(connection, prefix, limit)) })
    }

    fn list(&self, filter: Filter, page: Page) -> BoxFuture<'_, Result<Listing, StoreError>> {
        Box::pin(async move { self.ask(|connection| read::list(connection, &filter, &page)) })
    }

    fn find_reusable<'a>(
        &'a self,
        authority: &'a AuthorityKey,
        min_remaining_s: u64,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(async move { self.ask(|connection| read::reusable(connection, authority, min_remaining_s, now)) })
    }

    fn entries(&self, filter: EntryFilter) -> BoxFuture<'_, Result<Vec<StoredEntry>, StoreError>> {
        Box::pin(async move { self.ask(|connection| read::entries(connection, &filter)) })
    }

    fn checkpoint(&self) -> BoxFuture<'_, Result<SignedCheckpoint, StoreError>> {
        Box::pin(async move {
            match self.submit(Operation::Checkpoint).await? {
                Answer::Checkpoint(signed) => Ok(signed),
                other => confused(&other),
            }
        })
    }

    fn checkpoints(&self, from_size: u64, limit: u32) -> BoxFuture<'_, Result<Vec<SignedCheckpoint>, StoreError>> {
        Box::pin(async move { self.ask(|connection| checkpoints::from(connection, from_size, limit)) })
    }

    fn prune(&self, retention: Retention) -> BoxFuture<'_, Result<Pruned, StoreError>> {
        Box::pin(async move {
            let mut pruned = Pruned { count: 0, ended_up_to: None };
            if retention.ended_before.is_none() && self.ask(sessions_at_most)? <= retention.kept_max {
                return Ok(pruned);
            }
            loop {
                match self.submit(Operation::Prune(retention)).await? {
                    Answer::Pruned(Pruned { count: 0, .. }) => return Ok(pruned),
                    Answer::Pruned(more) => {
                        pruned = Pruned { count: pruned.count + more.count, ended_up_to: more.ended_up_to };
                    }
                    other => return confused(&other),
                }
            }
        })
    }

    fn import(&self, session: Session, file: String) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(async move {
            match self.submit(Operation::Import(Box::new(session), file)).await? {
                Answer::Imported(new) => Ok(new),
                other => confused(&other),
            }
        })
    }

    fn log_info(&self) -> BoxFuture<'_, Result<LogInfo, StoreError>> {
        Box::pin(async move {
            let head = self.ask(Head::read)?;
            let missing = || StoreError::Key(format!("`{}` is missing", self.key_file.display()));
            let key = SigningKey::load(&self.key_file)?.ok_or_else(missing)?;
            let vkey = key.verifier(&head.origin())?.to_string();
            Ok(head.info(vkey))
        })
    }
}

/// True when the schema is old, or when a process died between making the log and signing its first checkpoint: then
/// there may be no key yet, and nothing else is in the log.
fn unfinished(connection: &Connection) -> Result<bool, StoreError> {
    if schema_version(connection)? < SCHEMA_VERSION {
        return Ok(true);
    }
    let only_opened = Head::read(connection).is_ok_and(|head| head.size() == 1);
    Ok(only_opened && checkpoints::newest(connection)?.is_none())
}

/// An upper bound of the number of sessions, without counting them.
fn sessions_at_most(connection: &Connection) -> Result<u64, StoreError> {
    let span = "SELECT coalesce((SELECT max(rowid) FROM sessions) - (SELECT min(rowid) FROM sessions) + 1, 0)";
    connection.query_row(span, [], |row| row.get(0)).map_err(from_sql)
}
