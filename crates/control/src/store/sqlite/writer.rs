//! The one thread that writes: takes what waits, makes one transaction of it, answers after the commit.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hallpass_core::audit::Event;
use hallpass_core::audit::checkpoint::Checkpoint;
use hallpass_core::clock::Clock;
use hallpass_core::limits::{CHECKPOINT_ENTRIES_MAX, CHECKPOINT_INTERVAL_S_MAX, INTERRUPTION_ACTS_MAX};
use jiff::Timestamp;
use rusqlite::Connection;

use super::connection;
use super::log::{Draft, Head};
use super::operation::{Answer, Batch, Operation, execute};
use super::queue::{Job, Later, Queue, Work};
use super::reply::tell_all;
use super::reserve::Reserve;
use super::{checkpoints, log};
use crate::anchor;
use crate::failpoint::fail_point;
use crate::files;
use crate::keys::SigningKey;
use crate::store::{Durability, SignedCheckpoint, StoreError, StoreOptions};

/// Since when nothing could be recorded.
#[derive(Debug)]
struct Interruption {
    since: Timestamp,
    reason: String,
    done: Vec<String>,
}

/// Everything that writing needs. Lives on the writer's thread.
#[derive(Debug)]
pub(super) struct Writer {
    database: PathBuf,
    key_file: PathBuf,
    anchor: PathBuf,
    durability: Durability,
    clock: Arc<dyn Clock>,
    /// Dropped after every failure: after an error of `fsync` nothing that this connection believes is certain.
    connection: Option<Connection>,
    key: Option<SigningKey>,
    reserve: Reserve,
    interruption: Option<Interruption>,
    /// A checkpoint that is committed and not yet in the anchor file.
    unanchored: Option<SignedCheckpoint>,
    /// True when entries were written that no checkpoint covers.
    uncovered: bool,
}

/// What became of a batch.
struct Committed {
    answers: Vec<Result<Answer, StoreError>>,
    /// What was wrong with single outcomes.
    refused: Option<StoreError>,
}

impl Writer {
    pub(super) fn new(options: &StoreOptions) -> Self {
        let in_dir = |name| options.dir.join(name);
        Self {
            database: in_dir(files::DATABASE),
            key_file: options.key.clone().unwrap_or_else(|| in_dir(files::KEY)),
            anchor: in_dir(files::ANCHOR),
            durability: options.durability,
            clock: Arc::clone(&options.clock),
            connection: None,
            key: None,
            reserve: Reserve::new(in_dir(files::RESERVE)),
            interruption: None,
            unanchored: None,
            uncovered: false,
        }
    }

    /// Makes the schema, the log and its first checkpoint where they are missing.
    pub(super) fn initialise(&mut self) -> Result<(), StoreError> {
        self.reserve.hold();
        let mut connection = self.connection.take().map_or_else(|| self.open(), Ok)?;
        let now = self.clock.now();
        connection::migrate(&mut connection, |transaction| log::open(transaction, now))?;
        if let Some(dir) = self.database.parent() {
            files::sync_dir(dir)?;
        }
        self.connection = Some(connection);
        self.commit(&[&Operation::Checkpoint], &[]).map(|_| ())
    }

    /// Opens the connection before the first write needs it. Without its reserve, or after an error, that write tries
    /// again and reports.
    pub(super) fn open_ahead(&mut self) {
        if self.reserve.hold() {
            self.connection = self.open().ok();
        }
    }

    /// True while there is a connection.
    pub(super) fn is_open(&self) -> bool {
        self.connection.is_some()
    }

    /// Asks one question before the work begins. After an error the connection is not used again.
    pub(super) fn ask<T>(
        &mut self,
        question: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let connection = self.connection.take().map_or_else(|| self.open(), Ok)?;
        let answer = question(&connection);
        match &answer {
            Ok(_) => self.connection = Some(connection),
            Err(_) => connection::abandon(connection),
        }
        answer
    }

    /// Works until the queue is closed, then covers the end of the log with a checkpoint.
    pub(super) fn run(mut self, queue: &Queue) {
        let _gone = Gone(queue);
        loop {
            let idle = self.uncovered.then_some(Duration::from_secs(CHECKPOINT_INTERVAL_S_MAX.unsigned_abs()));
            match queue.take(idle) {
                Work::Batch(jobs, later) => self.batch(queue, jobs, later),
                Work::Idle => self.cover(&[]),
                Work::Closed(later) => {
                    if self.uncovered || !later.is_empty() {
                        self.cover(&later);
                    }
                    let connection = self.connection.take();
                    return connection
                        .into_iter()
                        .for_each(|it| connection::close(it, &self.database, self.durability));
                }
            }
        }
    }

    /// Commits outcomes and a checkpoint that nobody waits for.
    fn cover(&mut self, later: &[Later]) {
        self.uncovered = false;
        if let Err(error) = self.commit(&[&Operation::Checkpoint], later) {
            tracing::warn!(%error, "the end of the audit log could not be signed");
        }
    }

    fn batch(&mut self, queue: &Queue, jobs: Vec<Job>, later: Vec<Later>) {
        let idle = later.is_empty() && self.interruption.is_none();
        if idle && jobs.iter().all(|job| matches!(job.operation, Operation::Flush)) {
            return jobs.into_iter().for_each(|job| answer(job, queue.trouble().map(|()| Answer::Done)));
        }
        // Without a reserve only ends are recorded, for which the last space is kept.
        let full = self.connection.is_none() && !self.reserve.hold();
        let (jobs, refused) = jobs.into_iter().partition::<Vec<_>, _>(|job| !full || job.operation.is_ending());
        let error = StoreError::DiskFull("what is left is kept for ending sessions".into());
        refused.into_iter().for_each(|job| answer(job, Err(error.clone())));
        let operations: Vec<&Operation> = jobs.iter().map(|job| &job.operation).collect();
        let outcomes = if full { &[] } else { later.as_slice() };
        match self.commit(&operations, outcomes) {
            Ok(committed) => {
                if full {
                    self.put_away();
                    queue.put_back(later, &error);
                }
                if let Some(refused) = &committed.refused {
                    queue.remember(refused);
                }
                finish(queue, jobs, committed.answers);
            }
            Err(error) => self.failed(queue, jobs, later, &error),
        }
    }

    /// Nothing of the batch was committed. On a full disk the reserve is given up for the ends in it.
    fn failed(&mut self, queue: &Queue, jobs: Vec<Job>, later: Vec<Later>, error: &StoreError) {
        tracing::warn!(%error, operations = jobs.len(), "the store could not be written");
        queue.put_back(later, error);
        let any = jobs.iter().any(|job| job.operation.is_ending());
        let saved = any && matches!(error, StoreError::DiskFull(_)) && self.reserve.release();
        let (endings, others) = jobs.into_iter().partition::<Vec<_>, _>(|job| saved && job.operation.is_ending());
        self.interrupt(error, &others);
        others.into_iter().for_each(|job| answer(job, Err(error.clone())));
        if endings.is_empty() {
            return;
        }
        let operations: Vec<&Operation> = endings.iter().map(|job| &job.operation).collect();
        match self.commit(&operations, &[]) {
            Ok(committed) => finish(queue, endings, committed.answers),
            Err(error) => {
                self.interrupt(&error, &endings);
                endings.into_iter().for_each(|job| answer(job, Err(error.clone())));
            }
        }
        self.put_away();
    }

    /// After an end was recorded on a full disk: the reserve must be asked for before anything else is accepted, and
    /// it is asked for when there is no connection.
    fn put_away(&mut self) {
        self.connection.take().into_iter().for_each(connection::abandon);
    }

    fn interrupt(&mut self, error: &StoreError, jobs: &[Job]) {
        let now = self.clock.now();
        let begin = || Interruption { since: now, reason: error.to_string(), done: Vec::new() };
        let interruption = self.interruption.get_or_insert_with(begin);
        let endings = jobs.iter().filter(|job| job.operation.is_ending());
        let room = INTERRUPTION_ACTS_MAX.saturating_sub(interruption.done.len());
        interruption.done.extend(endings.take(room).map(|job| job.operation.shown()));
    }

    /// One transaction. After an error nothing of it remains, and the connection is gone.
    fn commit(&mut self, operations: &[&Operation], later: &[Later]) -> Result<Committed, StoreError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.open()?,
        };
        let done = self.transaction(&connection, operations, later);
        let done = done.and_then(|done| end_transaction(&connection, operations).map(|()| done));
        let (committed, signed) = match done {
            Ok(done) => done,
            Err(error) => {
                connection::abandon(connection);
                return Err(error);
            }
        };
        fail_point!("store::after-commit");
        self.connection = Some(connection);
        self.interruption = None;
        if signed.is_some() {
            self.unanchored = signed;
        }
        self.anchor();
        fail_point!("store::before-answer");
        Ok(committed)
    }

    fn open(&self) -> Result<Connection, StoreError> {
        fail_point!("store::before-open", error);
        connection::open_writer(&self.database, self.durability)
    }

    fn transaction(
        &mut self,
        connection: &Connection,
        operations: &[&Operation],
        later: &[Later],
    ) -> Result<(Committed, Option<SignedCheckpoint>), StoreError> {
        fail_point!("store::before-begin", error);
        execute(connection, "BEGIN IMMEDIATE")?;
        fail_point!("store::after-begin", error);
        let now = self.clock.now();
        let mut batch = Batch::new(connection, Draft::new(Head::read(connection)?), now);
        if let Some(Interruption { since, reason, done }) = &self.interruption {
            let event = Event::LogInterrupted { since: *since, reason: reason.clone(), done: done.clone() };
            batch.append(None, &event)?;
        }
        let mut refused = None;
        for outcome in later {
            match batch.append(outcome.session.as_ref(), &outcome.event) {
                Err(error) if error.is_outage() => return Err(error),
                Err(error) => refused = refused.or(Some(error)),
                Ok(_) => {}
            }
        }
        let mut answers = Vec::with_capacity(operations.len());
        for operation in operations {
            let answer = batch.run(operation);
            if let Err(error) = &answer
                && error.is_outage()
            {
                return Err(error.clone());
            }
            answers.push(answer);
        }
        fail_point!("store::after-operations", error);
        let mut draft = batch.draft;
        draft.write(connection)?;
        fail_point!("store::after-entries", error);
        let signed = self.sign_when_due(connection, &mut draft.head, operations, now)?;
        draft.write_head(connection)?;
        self.uncovered = draft.head.signed_size < draft.head.size();
        for (operation, answer) in operations.iter().zip(&mut answers) {
            if matches!(operation, Operation::Checkpoint) && answer.is_ok() {
                *answer = checkpoints::last(connection).map(Answer::Checkpoint);
            }
        }
        Ok((Committed { answers, refused }, signed))
    }

    /// Signs a checkpoint when an operation wants one, when many entries wait for one, or when the last one is old.
    fn sign_when_due(
        &mut self,
        connection: &Connection,
        head: &mut Head,
        operations: &[&Operation],
        now: Timestamp,
    ) -> Result<Option<SignedCheckpoint>, StoreError> {
        let waiting = head.size().saturating_sub(head.signed_size);
        let old = now.duration_since(head.signed_at).as_secs() >= CHECKPOINT_INTERVAL_S_MAX;
        let wanted = operations.iter().any(|operation| operation.wants_checkpoint());
        if waiting == 0 || !(wanted || old || waiting >= CHECKPOINT_ENTRIES_MAX) {
            return Ok(None);
        }
        fail_point!("store::before-checkpoint", error);
        let key = match self.key.take() {
            Some(key) => key,
            None => checkpoints::key_of(connection, head, &self.key_file)?,
        };
        let checkpoint = Checkpoint { origin: head.origin(), size: head.size(), root: head.frontier.root() };
        let note = key.sign(&checkpoint)?;
        self.key = Some(key);
        let signed = SignedCheckpoint { size: checkpoint.size, root: checkpoint.root, at: now, note };
        checkpoints::insert(connection, &signed)?;
        (head.signed_size, head.signed_at) = (signed.size, now);
        fail_point!("store::after-checkpoint", error);
        Ok(Some(signed))
    }

    /// Appends the newest checkpoint to the anchor file. The commit stands, whatever happens here; what fails is tried
    /// again with the next batch.
    fn anchor(&mut self) {
        let Some(signed) = &self.unanchored else { return };
        fail_point!("store::before-anchor");
        let sync = self.durability == Durability::Power;
        match anchor::append(&self.anchor, &signed.note, signed.size, sync) {
            Ok(()) => self.unanchored = None,
            Err(error) => tracing::warn!(%error, "a checkpoint could not be anchored"),
        }
        fail_point!("store::after-anchor");
    }
}

#[cfg_attr(not(feature = "failpoints"), expect(unused_variables, reason = "only the broken variant looks at them"))]
fn end_transaction(connection: &Connection, operations: &[&Operation]) -> Result<(), StoreError> {
    fail_point!("store::before-commit", error);
    #[cfg(feature = "failpoints")]
    if operations.iter().all(|operation| matches!(operation, Operation::Append(..)))
        && crate::failpoint::broken("mutant::acknowledge_without_commit")
    {
        return execute(connection, "ROLLBACK");
    }
    execute(connection, "COMMIT")
}

/// Tells whoever still waits that nobody will answer, also when the thread dies.
struct Gone<'q>(&'q Queue);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

fn finish(queue: &Queue, jobs: Vec<Job>, answers: Vec<Result<Answer, StoreError>>) {
    tell_all(jobs.into_iter().zip(answers).map(|(job, result)| match job.operation {
        Operation::Flush => (job.answer, queue.trouble().map(|()| Answer::Done)),
        _ => (job.answer, result),
    }));
}

fn answer(job: Job, result: Result<Answer, StoreError>) {
    job.answer.tell(result);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hallpass_core::clock::ManualClock;
    use hallpass_core::limits::STORE_LOG_PAGES_MAX;
    use jiff::Timestamp;

    use super::Writer;
    use crate::store::sqlite::operation::Operation;
    use crate::store::{Durability, StoreOptions};

    #[test]
    fn the_durability_that_was_asked_for_is_in_force_also_after_a_failure() {
        for (durability, number) in [(Durability::Process, 1), (Durability::Power, 2)] {
            let dir = tempfile::tempdir().expect("a directory");
            let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
            let options = StoreOptions { durability, ..StoreOptions::new(dir.path(), clock) };
            crate::files::prepare_dir(dir.path()).expect("ours");
            let mut writer = Writer::new(&options);
            writer.initialise().expect("opens");
            for _ in 0..2 {
                let connection = writer.connection.take().expect("is open");
                let pragma =
                    |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).expect("reads");
                assert_eq!(pragma("synchronous"), number, "{durability:?}");
                let mode = connection.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0));
                assert_eq!(mode.expect("reads"), "wal");
                assert_eq!(pragma("wal_autocheckpoint"), i64::from(STORE_LOG_PAGES_MAX));
                // The connection is gone now, as after a failure; the next commit opens another.
                drop(connection);
                writer.commit(&[&Operation::Checkpoint], &[]).expect("commits");
            }
        }
    }
}
