//! A session's way through the store: issue bookkeeping, activation, end, and the repair after a killed process.

use std::collections::BTreeSet;

use hallpass_core::audit::Event;
use hallpass_core::id::SessionId;
use hallpass_core::limits::UNKEPT_START_S_MAX;
use hallpass_core::session::{Revocation, SessionEvent, SessionStatus};
use jiff::Timestamp;

use crate::keeper::Keeper;
use crate::store::{EntryFilter, Filter, Page, Record, Retention, Store, StoreError, Transition};

/// Positions that fit into one `requests_unknown` entry with room to spare.
const UNKNOWN_AT_ONCE: usize = 2_000;

/// A credential was issued and delivery is ready: the session becomes active. `issued` is its `credentials_issued`
/// entry; `access_key_id` is the one that the child sees.
///
/// # Errors
/// As [`Store::transition`].
pub async fn activate(
    store: &dyn Store,
    id: &SessionId,
    at: Timestamp,
    issued: Event,
    access_key_id: String,
    revocation: Revocation,
) -> Result<Record, StoreError> {
    let change = Transition {
        access_key_id: Some(access_key_id),
        revocation: Some(revocation),
        events: vec![issued],
        ..Transition::new(id.clone(), SessionEvent::Activate, at, "issued")
    };
    store.transition(change).await
}

/// The session ends: outcomes still under way are committed first, so that the counts in `session_ended` are right.
/// An outcome that could not be written does not stop the end from being recorded.
///
/// # Errors
/// As [`Store::transition`].
pub async fn end(store: &dyn Store, change: Transition) -> Result<Record, StoreError> {
    if let Err(error) = store.flush().await {
        tracing::warn!(%error, session = %change.id, "outcomes of requests could not be recorded");
    }
    store.transition(change).await
}

/// What [`repair`] did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Repaired {
    /// Sessions that were ended because their keeper is gone.
    pub ended: Vec<Record>,
    /// Requests of them whose outcome nobody knows, over all sessions.
    pub requests_unknown: u64,
}

/// Ends every live session whose keeper is gone: expired when its time is over, failed otherwise, with
/// `requests_unknown` entries for what was allowed and never settled. One that was handed out and never had a keeper
/// lives until its time is over, because its credential does. Then signs a checkpoint over what a killed process left
/// uncovered, and removes ended sessions beyond [`hallpass_core::limits::SESSIONS_KEPT_MAX`].
///
/// # Errors
/// An outage of the store.
pub async fn repair(
    store: &dyn Store,
    now: Timestamp,
    is_alive: &(dyn Fn(&Keeper) -> bool + Send + Sync),
) -> Result<Repaired, StoreError> {
    let mut repaired = Repaired::default();
    let mut kept = 0_u64;
    let mut page = Page::default();
    loop {
        let listing = store.list(Filter { live: true, ..Filter::default() }, page).await?;
        for record in listing.records {
            if record.keeper.as_ref().is_some_and(is_alive) {
                kept += 1;
                continue;
            }
            if lives_unkept(&record, now) {
                continue;
            }
            end_orphan(store, record, now, &mut repaired).await?;
        }
        match listing.next {
            Some(after) => page = Page { after: Some(after), ..Page::default() },
            None => break,
        }
    }
    let log = store.log_info().await?;
    if kept == 0 && log.signed_size < log.size {
        store.checkpoint().await?;
    }
    store.prune(Retention::default()).await?;
    Ok(repaired)
}

/// True for a session whose credential was handed out by a process that did not stay, while the credential may live.
fn lives_unkept(record: &Record, now: Timestamp) -> bool {
    let session = &record.session;
    let handed_out = match session.status {
        SessionStatus::Active => true,
        // Being handed out at this moment, or never any more.
        SessionStatus::Pending => now.duration_since(session.created_at).as_secs() <= UNKEPT_START_S_MAX,
        SessionStatus::Completed
        | SessionStatus::Expired
        | SessionStatus::Revoked
        | SessionStatus::BudgetExceeded
        | SessionStatus::Failed => false,
    };
    record.keeper.is_none() && handed_out && !session.is_expired(now)
}

async fn end_orphan(
    store: &dyn Store,
    record: Record,
    now: Timestamp,
    repaired: &mut Repaired,
) -> Result<(), StoreError> {
    let session = record.session;
    let (event, reason) = if session.is_expired(now) {
        (SessionEvent::Expire, "its time ran out and its process is gone")
    } else {
        (SessionEvent::Fail, "its process ended without ending it")
    };
    let (events, unknown) = unknown(store, &session.id).await?;
    let change = Transition { events, ..Transition::new(session.id, event, now, reason) };
    match store.transition(change).await {
        Ok(record) => {
            repaired.requests_unknown += unknown;
            repaired.ended.push(record);
            Ok(())
        }
        // Another process repaired it, or its keeper ended it after all.
        Err(StoreError::Conflict { .. } | StoreError::NotFound(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The `requests_unknown` entries of a session whose keeper is gone, and how many requests they name. They belong into
/// the transition that ends it.
///
/// # Errors
/// An outage of the store.
pub async fn unknown(store: &dyn Store, id: &SessionId) -> Result<(Vec<Event>, u64), StoreError> {
    let unknown = unsettled(store, id).await?;
    let events = unknown.chunks(UNKNOWN_AT_ONCE).map(|of| Event::RequestsUnknown { of: of.to_vec() }).collect();
    Ok((events, unknown.len() as u64))
}

/// Positions of a session's allowed requests without an outcome. Reads only the runs of that session.
async fn unsettled(store: &dyn Store, id: &SessionId) -> Result<Vec<u64>, StoreError> {
    let kinds = ["request_allowed", "request_settled", "requests_unknown"].map(str::to_owned).to_vec();
    let mut filter = EntryFilter { session: Some(id.clone()), kinds, ..EntryFilter::default() };
    let mut open = BTreeSet::new();
    loop {
        let entries = store.entries(filter.clone()).await?;
        let Some(last) = entries.last() else { return Ok(open.into_iter().collect()) };
        filter.from_seq = Some(last.seq + 1);
        for entry in &entries {
            match entry.decode().map_err(|error| StoreError::Corrupt(error.to_string()))?.event {
                Event::RequestAllowed { .. } => _ = open.insert(entry.seq),
                Event::RequestSettled { of, .. } => _ = open.remove(&of),
                Event::RequestsUnknown { of } => of.iter().for_each(|seq| _ = open.remove(seq)),
                _ => {}
            }
        }
    }
}
