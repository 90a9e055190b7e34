//! Child sessions: what a request of the command opens, recorded beside the command's own session.

use std::sync::Arc;

use hallpass_control::store::{NewSession, Transition};
use hallpass_control::{Keeper, Store, lifecycle};
use hallpass_core::clock::Clock;
use hallpass_core::denial::{Denial, DenialCode};
use hallpass_core::id::SessionId;
use hallpass_core::permit::{self, Bounds};
use hallpass_core::provider::BoxFuture;
use hallpass_core::session::{Revocation, Session, SessionEvent};
use hallpass_dataplane::gate::{Change, JournalError, NewChild, Opened, Registry};
use jiff::SignedDuration;

use super::issue::this_user;
use super::live::journal;
use super::new_id;

/// What child sessions take from the session that they are made under.
#[derive(Debug, Clone)]
pub(super) struct Family {
    /// The command's own session.
    pub(super) session: Session,
    /// Bounds of the configuration: they hold for child sessions too.
    pub(super) bounds: Bounds,
    /// The process that answers for all of them.
    pub(super) keeper: Keeper,
    /// Where they are recorded.
    pub(super) store: Arc<dyn Store>,
    /// Tells the time.
    pub(super) clock: Arc<dyn Clock>,
}

/// The gate's way to the records of child sessions.
pub(super) fn registry(family: Family) -> Registry {
    let altering = family.clone();
    let open = move |child| -> BoxFuture<'static, Result<Opened, Denial>> { Box::pin(open(family.clone(), child)) };
    let alter = move |id, change| -> BoxFuture<'static, Result<(), JournalError>> {
        Box::pin(alter(altering.clone(), id, change))
    };
    Registry::new(open, alter)
}

/// Authorises and records it, pending. Its bounds are those of every session, so a role that may not be lent to the
/// command cannot be had by assuming it either.
async fn open(family: Family, child: NewChild) -> Result<Opened, Denial> {
    let now = family.clock.now();
    let unrecorded = |error: String| {
        tracing::error!(%error, "a child session could not be recorded");
        Denial::new(DenialCode::AuditUnavailable, "the child session could not be recorded, so it was not opened")
    };
    let left = SignedDuration::from_secs(child.expires_at.duration_since(now).as_secs());
    let id = new_id().map_err(|error| unrecorded(error.to_string()))?;
    let own = &family.session;
    let role = child.role_arn.unwrap_or_else(|| own.role_arn.clone());
    let session = Session {
        parent: Some(child.parent),
        tags: own.tags.clone(),
        region: own.region.clone(),
        agent_id: own.agent_id.clone(),
        delivery: own.delivery,
        revocation: Revocation::Instant,
        ..Session::new(id.clone(), now, left, None, child.policy, role, own.command.clone())
    };
    let permit = permit::authorize(&session, &family.bounds, now)
        .map_err(|error| Denial::new(DenialCode::NotAllowed, format!("`sts:{}`: {error}", child.operation)))?;
    let new = NewSession { session, keeper: Some(family.keeper.clone()), user: this_user() };
    family.store.create(new).await.map_err(|error| unrecorded(error.to_string()))?;
    Ok(Opened { permit, journal: journal(&family.store, &id) })
}

async fn alter(family: Family, id: SessionId, change: Change) -> Result<(), JournalError> {
    let (store, now) = (&*family.store, family.clock.now());
    let altered = match change {
        Change::Issued(event, key) => lifecycle::activate(store, &id, now, *event, key, Revocation::Instant).await,
        Change::Failed(reason) => store.transition(Transition::new(id, SessionEvent::Fail, now, reason)).await,
        Change::Expired => {
            lifecycle::end(store, Transition::new(id, SessionEvent::Expire, now, "its time was over")).await
        }
    };
    altered.map(|_| ()).map_err(|error| JournalError(error.to_string()))
}
