//! State directories, raw access to the database behind the store's back, and processes of our own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use hallpass_control::audit::{Finding, LogSource, Verdict, verify};
use hallpass_control::clock::SystemClock;
use hallpass_control::files;
use hallpass_control::store::{Durability, Store, StoreError, StoreOptions, connect};
use hallpass_core::audit::Entry;
use hallpass_core::audit::entry::{GENESIS, Hash, leaf_hash};
use hallpass_core::audit::merkle::Frontier;
use hallpass_core::clock::{Clock, ManualClock};
use hallpass_core::session::SessionEvent;
use hallpass_testkit::store_fixtures::{
    activate, change, id, request_allowed, request_denied, request_settled, run, session, start,
};
use rusqlite::{Connection, params};
use tempfile::TempDir;

/// A state directory for one test.
pub(crate) struct Place {
    temporary: TempDir,
    pub(crate) clock: Arc<ManualClock>,
}

impl Place {
    pub(crate) fn new() -> Self {
        let temporary = tempfile::tempdir().expect("a directory");
        Self { temporary, clock: Arc::new(ManualClock::new(start())) }
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.temporary.path().join("state")
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    pub(crate) fn open(&self) -> Arc<dyn Store> {
        self.try_open().expect("opens")
    }

    pub(crate) fn try_open(&self) -> Result<Arc<dyn Store>, StoreError> {
        connect(StoreOptions::new(self.dir(), self.clock.clone()))
    }

    pub(crate) fn source(&self) -> LogSource {
        LogSource::new(self.dir())
    }

    /// Verifies with nobody alive.
    pub(crate) fn verify(&self) -> Verdict {
        verify(&self.source(), &|_| false).expect("can be read")
    }

    /// Codes of what is wrong.
    pub(crate) fn codes(&self) -> Vec<&'static str> {
        self.verify().findings.iter().map(Finding::code).collect()
    }

    /// A connection that writes past every guard.
    pub(crate) fn raw(&self) -> Connection {
        let connection = Connection::open(self.file(files::DATABASE)).expect("opens");
        connection.execute_batch("PRAGMA synchronous = OFF").expect("sets");
        let triggers = "SELECT name FROM sqlite_schema WHERE type = 'trigger'";
        let mut statement = connection.prepare(triggers).expect("prepares");
        let names = statement.query_map([], |row| row.get::<_, String>(0)).expect("reads");
        for name in names {
            connection.execute_batch(&format!("DROP TRIGGER {}", name.expect("reads"))).expect("drops");
        }
        drop(statement);
        connection
    }

    /// Three sessions that ran and ended, one after the other, and a refusal without a session.
    pub(crate) fn populate(&self) {
        let store = self.open();
        run(async {
            for name in ["first", "second", "third"] {
                activate(&*store, session(name)).await;
                for _ in 0..3 {
                    let position = store.append(Some(&id(name)), request_allowed()).await.expect("appended");
                    store.append_later(Some(&id(name)), request_settled(position.0));
                }
                store.append(Some(&id(name)), request_denied(1)).await.expect("appended");
                store.append(None, request_denied(1)).await.expect("appended");
                store.flush().await.expect("flushed");
                store.transition(change(name, SessionEvent::Complete)).await.expect("ends");
            }
        });
    }
}

/// Options with the real clock, for processes of their own.
pub(crate) fn real_options(dir: &Path) -> StoreOptions {
    StoreOptions { durability: Durability::Process, ..StoreOptions::new(dir, Arc::new(SystemClock) as Arc<dyn Clock>) }
}

/// Every stored entry, in order.
pub(crate) fn stored(connection: &Connection) -> Vec<Vec<u8>> {
    let mut statement = connection.prepare("SELECT bytes FROM audit_runs ORDER BY first_seq").expect("prepares");
    let runs = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("reads");
    let mut entries = Vec::new();
    for run in runs {
        let run = run.expect("reads");
        let mut rest = run.as_slice();
        while let Some((length, tail)) = rest.split_first_chunk::<2>() {
            let (entry, tail) = tail.split_at(usize::from(u16::from_be_bytes(*length)));
            entries.push(entry.to_vec());
            rest = tail;
        }
    }
    entries
}

/// Replaces the log by these entries, in runs of four, with an index that fits. The head stays as it was.
pub(crate) fn replace(connection: &Connection, entries: &[Vec<u8>]) {
    connection.execute_batch("DELETE FROM audit_runs; DELETE FROM audit_run_sessions").expect("deletes");
    for (number, run) in entries.chunks(4).enumerate() {
        let first_seq = number * 4;
        let mut bytes = Vec::new();
        for entry in run {
            bytes.extend_from_slice(&u16::try_from(entry.len()).expect("small").to_be_bytes());
            bytes.extend_from_slice(entry);
            if let Some(session) = Entry::decode(entry).ok().and_then(|entry| entry.session) {
                let upsert = "INSERT INTO audit_run_sessions VALUES (?1, ?2, 1) \
                    ON CONFLICT (session_id, first_seq) DO UPDATE SET entries = entries + 1";
                connection.execute(upsert, params![session.as_str(), first_seq]).expect("inserts");
            }
        }
        let insert = "INSERT INTO audit_runs VALUES (?1, ?2, ?3)";
        connection.execute(insert, params![first_seq, run.len(), bytes]).expect("inserts");
    }
}

/// Gives the entries new positions and links, as somebody would who covers up an edit.
pub(crate) fn relink(entries: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut prev = GENESIS;
    let relinked = entries.iter().enumerate().map(|(seq, bytes)| {
        let entry = Entry::decode(bytes).expect("an entry");
        let bytes = Entry::encode(seq as u64, &prev, entry.time, entry.session.as_ref(), &entry.event);
        let bytes = bytes.expect("encodes");
        prev = leaf_hash(&bytes);
        bytes
    });
    relinked.collect()
}

/// Makes the head fit these entries.
pub(crate) fn fix_head(connection: &Connection, entries: &[Vec<u8>]) {
    let mut tree = Frontier::default();
    entries.iter().for_each(|entry| tree.append(leaf_hash(entry)));
    let last: Hash = entries.last().map_or(GENESIS, |entry| leaf_hash(entry));
    let update = "UPDATE audit_head SET size = ?1, last_hash = ?2, frontier = ?3";
    connection.execute(update, params![entries.len(), last.as_slice(), tree.to_bytes()]).expect("updates");
}

/// Starts this test binary again, to run one ignored test in `dir` as a process of its own.
pub(crate) fn child(test: &str, dir: &Path) -> Child {
    child_command(test, dir).spawn().expect("starts")
}

pub(crate) fn child_command(test: &str, dir: &Path) -> Command {
    let binary = std::env::current_exe().expect("known");
    let mut command = Command::new(binary);
    command.args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"]).current_dir(dir);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    command
}
