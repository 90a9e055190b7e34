//! Sessions against their entries: every beginning has an end, and records say what the log says.

use std::collections::{HashMap, HashSet};

use hallpass_core::audit::{Entry, Event, Outline};
use hallpass_core::limits::{AUDIT_FINDINGS_MAX, AUDIT_OPEN_SESSIONS_MAX};
use hallpass_core::session::SessionStatus;
use rusqlite::{Connection, OptionalExtension};

use crate::audit::finding::{Finding, Findings};
use crate::keeper::Keeper;
use crate::store::StoreError;
use crate::store::sqlite::columns;
use crate::store::sqlite::connection::from_sql;

/// The sessions that have begun and not ended yet: as many as ran at the same time.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    open: HashMap<String, u64>,
    overflowed: bool,
    /// Sessions whose record was found wrong.
    wrong: HashSet<String>,
}

impl Sessions {
    /// Looks at one entry.
    pub(super) fn entry(
        &mut self,
        connection: &Connection,
        outline: &Outline<'_>,
        bytes: &[u8],
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        let Some(session) = outline.session else { return Ok(()) };
        let at = outline.seq;
        match outline.kind {
            "session_created" if self.open.len() < AUDIT_OPEN_SESSIONS_MAX => {
                self.open.insert(session.to_owned(), at);
            }
            "session_created" => {
                self.overflowed = true;
                findings.add(Finding::TooManyOpen { at });
            }
            "session_ended" => {
                if self.open.remove(session).is_none() && !self.overflowed {
                    findings.add(Finding::BeginningMissing { at, session: session.to_owned() });
                }
                self.ended(connection, session, at, bytes, findings)?;
            }
            "request_allowed" if !self.overflowed && !self.open.contains_key(session) => {
                findings.add(Finding::OutsideSession { at, session: session.to_owned() });
            }
            _ => {}
        }
        Ok(())
    }

    fn ended(
        &mut self,
        connection: &Connection,
        session: &str,
        at: u64,
        bytes: &[u8],
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        let Ok(Event::SessionEnded { status: logged, .. }) = Entry::decode(bytes).map(|entry| entry.event) else {
            findings.broken(Finding::Malformed { at });
            return Ok(());
        };
        // A session without a record was pruned.
        let Some((record, _)) = look_up(connection, session)? else { return Ok(()) };
        if record != logged {
            if self.wrong.len() < AUDIT_FINDINGS_MAX {
                self.wrong.insert(session.to_owned());
            }
            findings.add(Finding::Status { at, session: session.to_owned(), record, logged });
        }
        Ok(())
    }

    /// After the last entry: what is still open must be alive, and every record must have entries.
    pub(super) fn end(
        self,
        connection: &Connection,
        is_alive: &dyn Fn(&Keeper) -> bool,
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        let mut open: Vec<(&String, u64)> = self.open.iter().map(|(session, at)| (session, *at)).collect();
        open.sort_by_key(|(_, at)| *at);
        for (session, at) in open {
            let session = session.clone();
            match look_up(connection, &session)? {
                Some((record, _)) if record.is_final() => {
                    let logged = SessionStatus::Active;
                    findings.add(Finding::Status { at, session, record, logged });
                }
                Some((_, Some(keeper))) if is_alive(&keeper) => {}
                // Handed out by a process that did not stay: the first start after its time is over records the end.
                Some((SessionStatus::Active, None)) => {}
                _ => _ = findings.add(Finding::EndMissing { at, session }),
            }
        }
        let mut live = connection.prepare("SELECT id FROM sessions WHERE ended_at IS NULL").map_err(from_sql)?;
        let live = live.query_map([], |row| row.get::<_, String>(0)).map_err(from_sql)?;
        for session in live {
            let session = session.map_err(from_sql)?;
            if !self.open.contains_key(&session) && !self.wrong.contains(&session) && !self.overflowed {
                findings.add(Finding::Unrecorded { session });
            }
        }
        let silent = "SELECT id FROM sessions WHERE ended_at IS NOT NULL \
            AND NOT EXISTS (SELECT 1 FROM audit_run_sessions WHERE session_id = id)";
        let mut silent = connection.prepare(silent).map_err(from_sql)?;
        for session in silent.query_map([], |row| row.get(0)).map_err(from_sql)? {
            findings.add(Finding::Unrecorded { session: session.map_err(from_sql)? });
        }
        Ok(())
    }
}

/// State and keeper of a session's record.
pub(super) fn look_up(
    connection: &Connection,
    session: &str,
) -> Result<Option<(SessionStatus, Option<Keeper>)>, StoreError> {
    let select = "SELECT status, keeper_pid, keeper_started_ticks, keeper_boot_id, keeper_socket, keeper_user \
        FROM sessions WHERE id = ?1";
    let mut statement = connection.prepare_cached(select).map_err(from_sql)?;
    let row = statement.query_row([session], |row| Ok((row.get::<_, String>(0)?, columns::keeper(row, 1)?)));
    let Some((status, keeper)) = row.optional().map_err(from_sql)? else { return Ok(None) };
    Ok(Some((status.parse().map_err(StoreError::Corrupt)?, keeper)))
}

/// True when a process still keeps any session.
pub(super) fn is_any_kept(connection: &Connection, is_alive: &dyn Fn(&Keeper) -> bool) -> Result<bool, StoreError> {
    let select = "SELECT keeper_pid, keeper_started_ticks, keeper_boot_id, keeper_socket, keeper_user \
        FROM sessions WHERE ended_at IS NULL";
    let mut statement = connection.prepare(select).map_err(from_sql)?;
    for keeper in statement.query_map([], |row| columns::keeper(row, 0)).map_err(from_sql)? {
        if keeper.map_err(from_sql)?.is_some_and(|keeper| is_alive(&keeper)) {
            return Ok(true);
        }
    }
    Ok(false)
}
