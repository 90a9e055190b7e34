//! The domain operations, each run inside the batch's transaction.

use std::collections::HashMap;

use hallpass_core::audit::Event;
use hallpass_core::id::SessionId;
use hallpass_core::limits::PRUNED_AT_ONCE_MAX;
use hallpass_core::policy::{ActionPattern, ScopedPolicy};
use hallpass_core::session::{Session, SessionEvent, SessionStatus};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};

use super::children;
use super::connection::from_sql;
use super::log::Draft;
use super::rows::{self, integer};
use crate::store::{NewSession, Position, Pruned, Record, Retention, SignedCheckpoint, StoreError, Transition};

/// What somebody asked the writer to do.
#[derive(Debug)]
pub(super) enum Operation {
    Create(Box<NewSession>),
    Transition(Box<Transition>),
    Append(Option<SessionId>, Box<Event>),
    Import(Box<Session>, String),
    Prune(Retention),
    Checkpoint,
    Flush,
}

/// What the writer answers.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    Position(Position),
    Record(Box<Record>),
    Imported(bool),
    Pruned(Pruned),
    Checkpoint(SignedCheckpoint),
    Done,
}

impl Operation {
    /// True for what may use the reserve when the disk is full: the safe direction, which ends and lends nothing.
    pub(super) fn is_ending(&self) -> bool {
        match self {
            Self::Transition(change) => change.event != SessionEvent::Activate,
            Self::Append(_, event) => {
                matches!(
                    **event,
                    Event::SessionKilled { .. } | Event::CredentialsRevoked { .. } | Event::RequestsUnknown { .. }
                )
            }
            Self::Create(_) | Self::Import(..) | Self::Prune(_) | Self::Checkpoint | Self::Flush => false,
        }
    }

    /// True when a checkpoint must be signed in the same transaction.
    pub(super) fn wants_checkpoint(&self) -> bool {
        match self {
            Self::Create(_) | Self::Checkpoint => true,
            Self::Transition(change) => change.event != SessionEvent::Activate,
            Self::Append(..) | Self::Import(..) | Self::Prune(_) | Self::Flush => false,
        }
    }

    /// For `log_interrupted`: what was done although it could not be recorded.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Transition(change) => format!("session {} was to {}: {}", change.id, change.event, change.reason),
            Self::Append(session, event) => match session {
                Some(session) => format!("{} of session {session}", event.kind()),
                None => event.kind().to_owned(),
            },
            Self::Create(_) | Self::Import(..) | Self::Prune(_) | Self::Checkpoint | Self::Flush => String::new(),
        }
    }
}

/// One transaction under way.
#[derive(Debug)]
pub(super) struct Batch<'c> {
    pub(super) connection: &'c Connection,
    pub(super) draft: Draft,
    pub(super) now: Timestamp,
    /// State and end of the sessions that entries were appended to.
    sessions: HashMap<SessionId, (SessionStatus, i64)>,
}

impl<'c> Batch<'c> {
    pub(super) fn new(connection: &'c Connection, draft: Draft, now: Timestamp) -> Self {
        Self { connection, draft, now, sessions: HashMap::new() }
    }

    /// Runs one operation. When it is refused, nothing of it remains and the batch goes on; after an outage the batch
    /// must be abandoned.
    pub(super) fn run(&mut self, operation: &Operation) -> Result<Answer, StoreError> {
        match operation {
            Operation::Append(session, event) => {
                self.append(session.as_ref(), event).map(|seq| Answer::Position(Position(seq)))
            }
            Operation::Checkpoint | Operation::Flush => Ok(Answer::Done),
            Operation::Create(new) => self.savepoint(|batch| batch.create(new)),
            Operation::Transition(change) => self.savepoint(|batch| batch.transition(change)),
            Operation::Import(session, file) => self.savepoint(|batch| batch.import(session, file)),
            Operation::Prune(retention) => self.savepoint(|batch| batch.prune(*retention)),
        }
    }

    /// Appends an entry; see [`crate::store::Store::append`] for what is refused.
    pub(super) fn append(&mut self, session: Option<&SessionId>, event: &Event) -> Result<u64, StoreError> {
        if let Some(id) = session {
            let (status, expires_at) = self.state(id)?;
            let over = self.now.as_microsecond() >= expires_at;
            match (event, status) {
                (Event::RequestAllowed { .. } | Event::TunnelOpened { .. }, SessionStatus::Active) if !over => {}
                (Event::RequestAllowed { .. } | Event::TunnelOpened { .. }, SessionStatus::Active) => {
                    return Err(StoreError::NotActive { id: id.to_string(), status: SessionStatus::Expired });
                }
                (Event::RequestAllowed { .. } | Event::TunnelOpened { .. }, status) => {
                    return Err(StoreError::NotActive { id: id.to_string(), status });
                }
                _ => {}
            }
        } else if matches!(event, Event::RequestAllowed { .. } | Event::TunnelOpened { .. }) {
            return Err(StoreError::Invalid("what is let through belongs to a session".into()));
        }
        self.draft.append(session, event, self.now)
    }

    fn state(&mut self, id: &SessionId) -> Result<(SessionStatus, i64), StoreError> {
        if let Some(state) = self.sessions.get(id) {
            return Ok(*state);
        }
        let select = "SELECT status, expires_at FROM sessions WHERE id = ?1";
        let mut statement = self.connection.prepare_cached(select).map_err(from_sql)?;
        let row = statement.query_row([id.as_str()], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)));
        let row = row.optional().map_err(from_sql)?;
        let (status, expires_at) = row.ok_or_else(|| StoreError::NotFound(id.to_string()))?;
        let state = (status.parse().map_err(StoreError::Corrupt)?, expires_at);
        self.sessions.insert(id.clone(), state);
        Ok(state)
    }

    /// All of an operation or nothing of it.
    fn savepoint(&mut self, run: impl FnOnce(&mut Self) -> Result<Answer, StoreError>) -> Result<Answer, StoreError> {
        let mark = self.draft.mark();
        execute(self.connection, "SAVEPOINT operation")?;
        self.sessions.clear();
        let answer = run(self);
        // What was read before a change of state must not let a request through after it.
        self.sessions.clear();
        if let Err(error) = &answer {
            self.draft.rewind(mark);
            if !error.is_outage() {
                execute(self.connection, "ROLLBACK TO operation")?;
            }
        }
        if answer.as_ref().err().is_none_or(|error| !error.is_outage()) {
            execute(self.connection, "RELEASE operation")?;
        }
        answer
    }

    fn create(&mut self, new: &NewSession) -> Result<Answer, StoreError> {
        let session = &new.session;
        if session.status != SessionStatus::Pending || session.ended_at.is_some() {
            return Err(StoreError::Invalid(format!("a new session must be pending, not {}", session.status)));
        }
        if rows::is_taken(self.connection, &session.id)? {
            return Err(StoreError::Exists(session.id.to_string()));
        }
        if let Some(parent) = &session.parent {
            children::check(self.connection, session, parent)?;
        }
        rows::insert(self.connection, session, new.keeper.as_ref(), None)?;
        let seq = self.draft.append(Some(&session.id), &created(session, &new.user), self.now)?;
        Ok(Answer::Position(Position(seq)))
    }

    fn transition(&mut self, change: &Transition) -> Result<Answer, StoreError> {
        let found = rows::find(self.connection, &change.id)?;
        let record = found.ok_or_else(|| StoreError::NotFound(change.id.to_string()))?;
        let before = record.session.status;
        let after = before.on(change.event).map_err(|_| StoreError::Conflict {
            id: change.id.to_string(),
            status: before,
            event: change.event,
        })?;
        for event in &change.events {
            self.append(Some(&change.id), event)?;
        }
        if after == before {
            return Ok(Answer::Record(Box::new(record)));
        }
        if after.is_final() {
            self.end_children(change)?;
        }
        self.update(change, before, after)?;
        self.draft.append(Some(&change.id), &self.mandatory(change, &record, after), self.now)?;
        let record = rows::find(self.connection, &change.id)?;
        let record = record.ok_or_else(|| StoreError::NotFound(change.id.to_string()))?;
        Ok(Answer::Record(Box::new(record)))
    }

    /// The children end with their parent, in the same transaction, and for the same reason.
    fn end_children(&mut self, change: &Transition) -> Result<(), StoreError> {
        for (id, status) in children::live(self.connection, &change.id)? {
            let reason = format!("its parent session ended: {}", change.reason);
            // What was never lent can neither complete nor spend.
            let event = status.on(change.event).map_or(SessionEvent::Fail, |_| change.event);
            self.transition(&Transition::new(id, event, change.at, reason))?;
        }
        Ok(())
    }

    fn update(&self, change: &Transition, before: SessionStatus, after: SessionStatus) -> Result<(), StoreError> {
        let update = "UPDATE sessions SET status = ?3, ended_at = ?4, end_reason = ?5, exit_code = ?6, \
            access_key_id = coalesce(?7, access_key_id), revocation = coalesce(?8, revocation) \
            WHERE id = ?1 AND status = ?2";
        let mut statement = self.connection.prepare_cached(update).map_err(from_sql)?;
        let changed = statement.execute((
            change.id.as_str(),
            before.as_str(),
            after.as_str(),
            after.is_final().then(|| change.at.as_microsecond()),
            after.is_final().then_some(&change.reason),
            change.exit_code,
            change.access_key_id.as_ref(),
            change.revocation.map(|revocation| revocation.as_str()),
        ));
        match changed.map_err(from_sql)? {
            1 => Ok(()),
            _ => Err(StoreError::Conflict { id: change.id.to_string(), status: before, event: change.event }),
        }
    }

    /// The entry that no change of state goes without.
    fn mandatory(&self, change: &Transition, record: &Record, after: SessionStatus) -> Event {
        if !after.is_final() {
            let pid = record.keeper.as_ref().map_or_else(std::process::id, |keeper| keeper.pid);
            return Event::SessionActivated { pid };
        }
        let (allowed, denied) = self.draft.counts(&change.id);
        Event::SessionEnded {
            status: after,
            reason: change.reason.clone(),
            exit_code: change.exit_code,
            requests_allowed: record.requests_allowed + allowed,
            requests_denied: record.requests_denied + denied,
        }
    }

    fn import(&mut self, session: &Session, file: &str) -> Result<Answer, StoreError> {
        if !session.status.is_final() || session.ended_at.is_none() {
            return Err(StoreError::Invalid(format!(
                "only an ended session is imported, not a {} one",
                session.status
            )));
        }
        if rows::is_taken(self.connection, &session.id)? {
            return Ok(Answer::Imported(false));
        }
        rows::insert(self.connection, session, None, Some(file))?;
        let event = Event::SessionImported { status: session.status, file: file.to_owned() };
        self.draft.append(Some(&session.id), &event, self.now)?;
        Ok(Answer::Imported(true))
    }

    fn prune(&mut self, retention: Retention) -> Result<Answer, StoreError> {
        // Both bounds cut off a beginning of the same order, so the longer one counts.
        let count = "SELECT count(*) FROM sessions WHERE ended_at IS NOT NULL AND ended_at < ?1";
        let mut count = self.connection.prepare_cached(count).map_err(from_sql)?;
        let mut ended_before = |us: i64| count.query_row([us], |row| row.get::<_, u64>(0)).map_err(from_sql);
        let surplus = ended_before(i64::MAX)?.saturating_sub(retention.kept_max);
        let old = retention.ended_before.map_or(Ok(0), |before| ended_before(before.as_microsecond()))?;
        let oldest = "SELECT id, ended_at FROM sessions WHERE ended_at IS NOT NULL ORDER BY ended_at, id LIMIT ?1";
        let mut oldest = self.connection.prepare_cached(oldest).map_err(from_sql)?;
        let limit = integer("count", surplus.max(old).min(PRUNED_AT_ONCE_MAX))?;
        let rows = oldest.query_map([limit], |row| Ok((row.get(0)?, row.get(1)?))).map_err(from_sql)?;
        let chosen: Vec<(String, i64)> = rows.collect::<rusqlite::Result<_>>().map_err(from_sql)?;
        let Some((_, last)) = chosen.last() else {
            return Ok(Answer::Pruned(Pruned { count: 0, ended_up_to: None }));
        };
        let last = Timestamp::from_microsecond(*last).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        for delete in ["DELETE FROM session_tags WHERE session_id = ?1", "DELETE FROM sessions WHERE id = ?1"] {
            let mut statement = self.connection.prepare_cached(delete).map_err(from_sql)?;
            for (id, _) in &chosen {
                statement.execute([id]).map_err(from_sql)?;
            }
        }
        let count = chosen.len() as u64;
        let one_more = jiff::SignedDuration::from_micros(1);
        let ended_before = last.checked_add(one_more).unwrap_or(Timestamp::MAX);
        self.draft.append(None, &Event::SessionsPruned { count, ended_before }, self.now)?;
        Ok(Answer::Pruned(Pruned { count, ended_up_to: Some(last) }))
    }
}

/// Runs a statement without parameters and results.
pub(super) fn execute(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(from_sql)?;
    statement.execute([]).map_err(from_sql).map(|_| ())
}

/// The entry of a new session. Long lists are cut, so that the entry always fits; the policy's hash stands for all.
fn created(session: &Session, user: &str) -> Event {
    let shown = |actions: &[ActionPattern]| rows::cut(actions.iter().map(|action| action.shown(session.provider)));
    Event::SessionCreated {
        provider: session.provider,
        role_arn: session.role_arn.clone(),
        ttl_seconds: session.ttl_seconds,
        budget: session.budget,
        max_requests: session.max_requests,
        max_bytes: session.max_bytes,
        max_resources: session.max_resources,
        allowed_actions: shown(&session.policy.actions),
        denied_actions: shown(&session.policy.denied),
        resources: rows::cut(session.policy.resources.iter().cloned()),
        policy_sha256: session.policy.sha256_hex(),
        shadow_sha256: session.policy.shadow.as_deref().map(ScopedPolicy::sha256_hex),
        delivery: session.delivery,
        region: session.region.clone(),
        agent_id: session.agent_id.clone(),
        user: user.to_owned(),
        tags: session.tags.clone(),
        command: rows::recorded_command(session),
        parent: session.parent.as_ref().map(ToString::to_string),
    }
}
