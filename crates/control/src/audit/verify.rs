//! Verification over the stored bytes: every hash once, in constant memory.
//!
//! Nothing is held but the tree's edge, the sessions that are open at the moment, and a bounded number of findings.
//! The anchor file is measured before the database is read, and the database is read in one transaction, so that a
//! log which others are writing meanwhile verifies too.

mod chain;
mod sessions;
mod signatures;

use std::collections::BTreeMap;

use hallpass_core::audit::Outline;
use hallpass_core::audit::checkpoint::VerifierKey;
use rusqlite::Connection;

use self::chain::Chain;
use self::sessions::Sessions;
use self::signatures::Signatures;
use super::LogSource;
use super::finding::{Finding, Findings, Place};
use crate::anchor::Notes;
use crate::files;
use crate::keeper::Keeper;
use crate::keys::SigningKey;
use crate::store::StoreError;
use crate::store::sqlite::connection::{from_sql, open_reader, schema_version};
use crate::store::sqlite::frames;
use crate::store::sqlite::log::Head;

/// The result of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Random name of the log; empty when there is none left.
    pub log_id: String,
    /// Entries read.
    pub entries: u64,
    /// Checkpoints whose signature and root are right, in the database and in the anchor file.
    pub checkpoints: u64,
    /// Entries that the last good checkpoint covers.
    pub signed_size: u64,
    /// What is wrong; at most [`hallpass_core::limits::AUDIT_FINDINGS_MAX`].
    pub findings: Vec<Finding>,
    /// How many findings more there were.
    pub findings_left_out: u64,
}

impl Verdict {
    /// True when nothing is wrong.
    pub fn is_intact(&self) -> bool {
        self.findings.is_empty() && self.findings_left_out == 0
    }

    /// The first finding that names an entry, else the first of all.
    pub fn first(&self) -> Option<&Finding> {
        let named = self.findings.iter().filter(|finding| finding.position().is_some());
        named.min_by_key(|finding| finding.position()).or(self.findings.first())
    }
}

/// Verifies the whole log: chain, tree, checkpoints, anchor file, sessions. `is_alive` tells whether a keeper still
/// runs, because a session of a dead one must have an end.
///
/// # Errors
/// Only when the log cannot be read at all; what is wrong inside it is a [`Finding`].
pub fn verify(source: &LogSource, is_alive: &dyn Fn(&Keeper) -> bool) -> Result<Verdict, StoreError> {
    files::check_dir(&source.dir)?;
    let notes = Notes::open(&source.dir.join(files::ANCHOR))?;
    let database = source.dir.join(files::DATABASE);
    let connection = match open_reader(&database) {
        Ok(connection) => connection,
        Err(error) if database.exists() => return Err(error),
        Err(error) => return emptied(notes, error),
    };
    // One snapshot for everything that follows.
    connection.execute_batch("BEGIN").map_err(from_sql)?;
    if schema_version(&connection)? == 0 {
        return emptied(notes, StoreError::Corrupt("there is no log in the database".into()));
    }
    look(source, &connection, notes, is_alive)
}

/// There is no log. If there was one, the anchor file knows.
fn emptied(notes: Notes, error: StoreError) -> Result<Verdict, StoreError> {
    match signatures::anchored(notes) {
        0 => Err(error),
        signed => Ok(Verdict {
            log_id: String::new(),
            entries: 0,
            checkpoints: 0,
            signed_size: 0,
            findings: vec![Finding::Emptied { signed }],
            findings_left_out: 0,
        }),
    }
}

fn look(
    source: &LogSource,
    connection: &Connection,
    notes: Notes,
    is_alive: &dyn Fn(&Keeper) -> bool,
) -> Result<Verdict, StoreError> {
    let mut findings = Findings::default();
    let head = match Head::read(connection) {
        Ok(head) => Some(head),
        Err(StoreError::Corrupt(_)) => None,
        Err(error) => return Err(error),
    };
    let origin = head.as_ref().map(Head::origin).unwrap_or_default();
    let key = key(source, &origin, &mut findings)?;
    let mut statement = signatures::statement(connection)?;
    let rows = statement.query([]).map_err(from_sql)?;
    let signatures = Signatures::new(key.as_ref(), &origin, rows, notes, &mut findings)?;
    let (sessions, index) = (Sessions::default(), Index::default());
    let mut walk = Walk { connection, findings, chain: Chain::new(), signatures, sessions, index };
    walk.runs()?;
    let Walk { mut findings, mut chain, signatures, sessions, index, .. } = walk;
    chain.end(head.as_ref(), &mut findings);
    let entries = chain.tree.size();
    let ended = signatures.end(entries, chain.next, &mut findings)?;
    if entries == 0 {
        let signed = ended.largest.max(head.as_ref().map_or(0, Head::size));
        findings.broken(Finding::Emptied { signed });
    }
    if !findings.chain_broken {
        sessions.end(connection, is_alive, &mut findings)?;
        index.end(connection, &mut findings)?;
        if entries > ended.good_size && key.is_some() && !tail_is_kept(connection, ended.good_size, is_alive)? {
            findings.add(Finding::EndUnsigned { at: ended.good_size });
        }
    }
    if findings.chain_broken {
        findings.list.retain(|finding| !is_consequence(finding));
    }
    Ok(Verdict {
        log_id: head.map(|head| head.log_id).unwrap_or_default(),
        entries,
        checkpoints: ended.good,
        signed_size: ended.good_size,
        findings: findings.list,
        findings_left_out: findings.left_out,
    })
}

/// True for what edited or missing entries bring about by themselves.
fn is_consequence(finding: &Finding) -> bool {
    matches!(finding, Finding::Index { .. } | Finding::OutsideSession { .. } | Finding::BeginningMissing { .. })
}

/// One pass over the stored runs.
struct Walk<'w> {
    connection: &'w Connection,
    findings: Findings,
    chain: Chain,
    signatures: Signatures<'w>,
    sessions: Sessions,
    index: Index,
}

impl Walk<'_> {
    fn runs(&mut self) -> Result<(), StoreError> {
        let select = "SELECT first_seq, entries, bytes FROM audit_runs ORDER BY first_seq";
        let mut statement = self.connection.prepare(select).map_err(from_sql)?;
        let mut rows = statement.query([]).map_err(from_sql)?;
        while let Some(row) = rows.next().map_err(from_sql)? {
            let (first_seq, entries) = (row.get(0).map_err(from_sql)?, row.get(1).map_err(from_sql)?);
            let bytes = row.get_ref(2).map_err(from_sql)?;
            let bytes = bytes.as_blob().map_err(|error| StoreError::Corrupt(error.to_string()))?;
            self.run(first_seq, entries, bytes)?;
        }
        Ok(())
    }

    fn run(&mut self, first_seq: u64, counted: u64, bytes: &[u8]) -> Result<(), StoreError> {
        let in_place = first_seq == self.chain.next;
        let mut in_run: BTreeMap<&str, u64> = BTreeMap::new();
        let mut entries = 0_u64;
        for entry in frames::entries(bytes) {
            entries += 1;
            // A torn frame counts as an entry that cannot be read.
            let entry = entry.unwrap_or_default();
            if let Some(outline) = self.chain.entry(entry, &mut self.findings) {
                self.sessions.entry(self.connection, &outline, entry, &mut self.findings)?;
                outline.session.into_iter().for_each(|session| *in_run.entry(session).or_default() += 1);
            }
            self.signatures.compare(&self.chain.tree, &mut self.findings)?;
        }
        if (!in_place || counted != entries) && !self.findings.chain_broken {
            self.findings.add(Finding::Index { at: first_seq });
        }
        self.index.run(self.connection, first_seq, &in_run, &mut self.findings)
    }
}

/// The key that must have signed: the one given, else the one in the key file.
fn key(source: &LogSource, origin: &str, findings: &mut Findings) -> Result<Option<VerifierKey>, StoreError> {
    if let Some(vkey) = &source.vkey {
        let key: VerifierKey = vkey.parse().map_err(|error| StoreError::Invalid(format!("{error}")))?;
        if key.name() != origin {
            let (found, signed) = (origin.to_owned(), key.name().to_owned());
            findings.add(Finding::LogChanged { found, signed, place: Place::Database });
        }
        return Ok(Some(key));
    }
    let path = source.key.clone().unwrap_or_else(|| source.dir.join(files::KEY));
    match SigningKey::load(&path)? {
        Some(key) if !origin.is_empty() => key.verifier(origin).map(Some),
        Some(_) => Ok(None),
        None => {
            findings.add(Finding::KeyMissing);
            Ok(None)
        }
    }
}

/// True when a process still runs that will sign the entries which no checkpoint covers: one that keeps a session, or
/// that wrote them.
fn tail_is_kept(connection: &Connection, signed: u64, is_alive: &dyn Fn(&Keeper) -> bool) -> Result<bool, StoreError> {
    if sessions::is_any_kept(connection, is_alive)? {
        return Ok(true);
    }
    let select = "SELECT first_seq, bytes FROM audit_runs WHERE first_seq + entries > ?1 ORDER BY first_seq DESC";
    let mut statement = connection.prepare(select).map_err(from_sql)?;
    let mut rows = statement.query([signed]).map_err(from_sql)?;
    while let Some(row) = rows.next().map_err(from_sql)? {
        let bytes: Vec<u8> = row.get(1).map_err(from_sql)?;
        let mut asked = std::collections::BTreeSet::new();
        for session in frames::entries(&bytes).flatten().filter_map(|entry| Outline::of(entry)?.session) {
            if asked.insert(session)
                && let Some((_, Some(keeper))) = sessions::look_up(connection, session)?
                && is_alive(&keeper)
            {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// The index from sessions to runs, compared both ways: every pair that there is, and their number.
#[derive(Debug, Default)]
struct Index {
    pairs: u64,
}

impl Index {
    fn run(
        &mut self,
        connection: &Connection,
        first_seq: u64,
        in_run: &BTreeMap<&str, u64>,
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        let select =
            "SELECT coalesce(sum(entries), 0) FROM audit_run_sessions WHERE session_id = ?1 AND first_seq = ?2";
        let mut statement = connection.prepare_cached(select).map_err(from_sql)?;
        for (session, entries) in in_run {
            self.pairs += 1;
            let indexed: u64 = statement.query_row((session, first_seq), |row| row.get(0)).map_err(from_sql)?;
            if indexed != *entries && !findings.chain_broken {
                findings.add(Finding::Index { at: first_seq });
            }
        }
        Ok(())
    }

    fn end(&self, connection: &Connection, findings: &mut Findings) -> Result<(), StoreError> {
        let pairs = connection.query_row("SELECT count(*) FROM audit_run_sessions", [], |row| row.get::<_, u64>(0));
        if pairs.map_err(from_sql)? != self.pairs && !findings.list.iter().any(|f| matches!(f, Finding::Index { .. })) {
            findings.add(Finding::Index { at: 0 });
        }
        Ok(())
    }
}
