//! Checkpoints in the database and in the anchor file, walked side by side with the entries.

use std::iter::Peekable;

use hallpass_core::audit::checkpoint::{Checkpoint, VerifierKey};
use hallpass_core::audit::entry::Hash;
use hallpass_core::audit::merkle::Frontier;
use rusqlite::{Connection, Row, Rows};

use crate::anchor::Notes;
use crate::audit::finding::{Finding, Findings, Place};
use crate::keys;
use crate::store::StoreError;
use crate::store::sqlite::connection::from_sql;

pub(super) const SELECT: &str = "SELECT size, root, note FROM audit_checkpoints ORDER BY size";

/// A checkpoint that is waiting for the entries to come that far.
#[derive(Debug)]
struct Waiting {
    size: u64,
    root: Hash,
    trust: Trust,
}

/// What a checkpoint is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// Signed by the key.
    Genuine,
    /// There is no key to tell.
    Unknown,
    /// Found forged already; it only marks its place.
    Forged,
}

/// Both sources of checkpoints.
pub(super) struct Signatures<'s> {
    key: Option<&'s VerifierKey>,
    origin: &'s str,
    rows: Rows<'s>,
    row: Option<Waiting>,
    notes: Peekable<Box<dyn Iterator<Item = Result<String, String>>>>,
    note: Option<Waiting>,
    /// How many were genuine and had the right root.
    pub(super) good: u64,
    /// Entries covered by the last of those.
    pub(super) good_size: u64,
    /// Notes read of each place.
    seen: [u64; 2],
    /// The first root that did not fit. It is news only if no entry was found edited, which the links tell later.
    rewritten: Option<Finding>,
    /// The largest size that was signed, and where.
    largest: Option<(u64, Place)>,
    last_row: u64,
}

impl<'s> Signatures<'s> {
    pub(super) fn new(
        key: Option<&'s VerifierKey>,
        origin: &'s str,
        rows: Rows<'s>,
        mut notes: Notes,
        findings: &mut Findings,
    ) -> Result<Self, StoreError> {
        let notes: Box<dyn Iterator<Item = _>> = Box::new(std::iter::from_fn(move || notes.next()));
        let notes = notes.peekable();
        let mut signatures = Self {
            key,
            origin,
            rows,
            row: None,
            notes,
            note: None,
            good: 0,
            good_size: 0,
            seen: [0; 2],
            rewritten: None,
            largest: None,
            last_row: 0,
        };
        signatures.next_row(findings)?;
        signatures.next_note(findings);
        Ok(signatures)
    }

    /// Compares every checkpoint over exactly these entries.
    pub(super) fn compare(&mut self, tree: &Frontier, findings: &mut Findings) -> Result<(), StoreError> {
        let due = |waiting: &Option<Waiting>| waiting.as_ref().is_some_and(|waiting| waiting.size <= tree.size());
        while due(&self.row) || due(&self.note) {
            let in_row = self.row.as_ref().map_or(u64::MAX, |row| row.size);
            let in_note = self.note.as_ref().map_or(u64::MAX, |note| note.size);
            if in_note < in_row {
                // Committed before it was anchored, so it was in the database once.
                findings.add(Finding::CheckpointRemoved { size: in_note });
            }
            if in_row <= in_note {
                self.fits(Place::Database, tree);
                self.next_row(findings)?;
            }
            if in_note <= in_row {
                self.fits(Place::Anchor, tree);
                self.next_note(findings);
            }
        }
        Ok(())
    }

    fn fits(&mut self, place: Place, tree: &Frontier) {
        let waiting = match place {
            Place::Database => self.row.take(),
            Place::Anchor => self.note.take(),
        };
        let Some(waiting) = waiting else { return };
        // A smaller one came out of order, which was found already.
        if waiting.size < tree.size() || waiting.trust == Trust::Forged {
            return;
        }
        if tree.root() != waiting.root {
            self.rewritten.get_or_insert(Finding::Rewritten { at: self.good_size, size: waiting.size });
        } else if waiting.trust == Trust::Genuine && self.rewritten.is_none() {
            self.good += 1;
            self.good_size = waiting.size;
        }
    }

    /// After the last entry: what still waits covers entries that are not there.
    pub(super) fn end(mut self, entries: u64, next: u64, findings: &mut Findings) -> Result<Ended, StoreError> {
        if !findings.chain_broken {
            self.rewritten.take().into_iter().for_each(|rewritten| _ = findings.broken(rewritten));
        }
        while self.row.is_some() {
            self.next_row(findings)?;
        }
        while let Some(note) = self.note.take() {
            if note.size > self.last_row && note.trust == Trust::Genuine {
                findings.add(Finding::CheckpointRemoved { size: note.size });
            }
            self.next_note(findings);
        }
        if let Some((signed, place)) = self.largest
            && entries > 0
            && signed > next
        {
            findings.broken(Finding::Truncated { at: next, signed, place });
        }
        let [rows, notes] = self.seen;
        if rows > 1 && notes == 0 {
            findings.add(Finding::AnchorMissing);
        }
        let largest = self.largest.map_or(0, |(size, _)| size);
        Ok(Ended { good: self.good, good_size: self.good_size, largest })
    }

    fn next_row(&mut self, findings: &mut Findings) -> Result<(), StoreError> {
        self.row = None;
        if let Some(row) = self.rows.next().map_err(from_sql)? {
            let (size, root, note) = columns(row).map_err(from_sql)?;
            self.seen[0] += 1;
            self.last_row = size;
            let forged = Waiting { size, root: [0; 32], trust: Trust::Forged };
            let waiting = self.check(&note, Place::Database, size, findings).unwrap_or(forged);
            let differs = waiting.size != size || waiting.root.as_slice() != root;
            if differs && waiting.trust != Trust::Forged {
                let why = "its columns are not what its note says".to_owned();
                findings.add(Finding::Checkpoint { size, place: Place::Database, why });
            }
            self.row = Some(Waiting { size, trust: if differs { Trust::Forged } else { waiting.trust }, ..waiting });
            return Ok(());
        }
        Ok(())
    }

    fn next_note(&mut self, findings: &mut Findings) {
        let before = self.note.take().map_or(0, |note| note.size);
        let place = Place::Anchor;
        while let Some(note) = self.notes.next() {
            self.seen[1] += 1;
            let note = match note {
                Ok(note) => note,
                Err(why) => {
                    findings.add(Finding::Checkpoint { size: 0, place, why });
                    return;
                }
            };
            let Some(waiting) = self.check(&note, place, 0, findings) else { continue };
            if waiting.size < before {
                let why = "it comes after a larger one".to_owned();
                findings.add(Finding::Checkpoint { size: waiting.size, place, why });
                continue;
            }
            self.note = Some(waiting);
            return;
        }
    }

    /// Reads a note and checks who signed it.
    fn check(&mut self, note: &str, place: Place, size: u64, findings: &mut Findings) -> Option<Waiting> {
        let read = match Checkpoint::peek(note) {
            Ok(read) => read,
            Err(error) => {
                findings.add(Finding::Checkpoint { size, place, why: error.to_string() });
                return None;
            }
        };
        if read.origin != self.origin {
            let (found, signed) = (self.origin.to_owned(), read.origin);
            findings.add(Finding::LogChanged { found, signed, place });
            return None;
        }
        let trust = match self.key {
            Some(key) => keys::open_note(note, key).map(|_| Trust::Genuine),
            None => Ok(Trust::Unknown),
        };
        match trust {
            Ok(trust) => {
                if self.largest.is_none_or(|(largest, _)| largest < read.size) {
                    self.largest = Some((read.size, place));
                }
                Some(Waiting { size: read.size, root: read.root, trust })
            }
            Err(error) => {
                findings.add(Finding::Checkpoint { size: read.size, place, why: error.to_string() });
                None
            }
        }
    }
}

/// What the checkpoints said in the end.
pub(super) struct Ended {
    /// Genuine ones with the right root.
    pub(super) good: u64,
    /// Entries covered by the last of those.
    pub(super) good_size: u64,
    /// The largest size that was signed.
    pub(super) largest: u64,
}

/// The largest size in the anchor file, for a log that has nothing else left.
pub(super) fn anchored(mut notes: Notes) -> u64 {
    let notes = std::iter::from_fn(move || notes.next()).map_while(Result::ok);
    notes.filter_map(|note| Checkpoint::peek(&note).ok()).map(|read| read.size).max().unwrap_or(0)
}

/// Prepares nothing but the statement; the rows live as long as it.
pub(super) fn statement(connection: &Connection) -> Result<rusqlite::Statement<'_>, StoreError> {
    connection.prepare(SELECT).map_err(from_sql)
}

fn columns(row: &Row<'_>) -> rusqlite::Result<(u64, Vec<u8>, String)> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
}
