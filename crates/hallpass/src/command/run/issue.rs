//! From a wish to a credential: recorded, permitted, issued.

use std::sync::Arc;

use hallpass_control::store::{NewSession, Transition};
use hallpass_control::{Keeper, Store};
use hallpass_core::audit::Event;
use hallpass_core::clock::Clock;
use hallpass_core::permit;
use hallpass_core::provider::{Issued, Provider};
use hallpass_core::session::{Revocation, Session, SessionEvent};

use super::wish::Wish;
use crate::control_socket::server::user_name;
use crate::error::CommandError;

/// The user that we run as.
pub(crate) fn this_user() -> String {
    user_name(rustix::process::geteuid().as_raw())
}

/// Permits, records and issues. From the record on, a failure ends the session truthfully as failed.
///
/// # Errors
/// [`permit::NotPermitted`] before anything is recorded; then whatever the store or the provider says.
pub(crate) async fn issue(
    wish: &Wish,
    session: &Session,
    keeper: Option<Keeper>,
    provider: &dyn Provider,
    store: &dyn Store,
    clock: &Arc<dyn Clock>,
) -> Result<Issued, CommandError> {
    let permit = permit::authorize(session, &wish.bounds, clock.now())?;
    let new = NewSession { session: session.clone(), keeper, user: this_user() };
    store.create(new).await?;
    fail_point!("run::created");
    let issued = match provider.issue(permit).await {
        Ok(issued) => issued,
        Err(error) => {
            let error = CommandError::from(error);
            failed(store, session, clock, &error).await;
            return Err(error);
        }
    };
    fail_point!("run::issued");
    Ok(issued)
}

/// Records that the session could not be lent. The error itself is what the caller reports.
pub(crate) async fn failed(store: &dyn Store, session: &Session, clock: &Arc<dyn Clock>, error: &CommandError) {
    let reason = format!("could not be lent: {}", error.code());
    let change = Transition::new(session.id.clone(), SessionEvent::Fail, clock.now(), reason);
    if let Err(error) = store.transition(change).await {
        tracing::warn!(%error, session = %session.id, "the failure could not be recorded; the next start repairs it");
    }
}

/// The `credentials_issued` entry.
///
/// # Errors
/// When the credential that was issued is not to be had any more.
pub(crate) async fn issued_event(
    issued: &Issued,
    placeholder_key_id: Option<String>,
    revocation: Revocation,
) -> Result<Event, CommandError> {
    let credential = issued.source.current().await?;
    Ok(Event::CredentialsIssued {
        access_key_id: issued.access_key_id.clone(),
        placeholder_key_id,
        base: issued.base.clone(),
        identity: issued.identity.clone(),
        expires_at: credential.expires_at,
        enforced_by: issued.enforced_by,
        session_policy_chars: issued.session_policy_chars,
        revocation,
    })
}
