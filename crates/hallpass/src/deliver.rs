//! Ways to hand a session to the child. Each kind is a file; this one chooses.

pub(crate) mod ambient;
mod arrival;
pub(crate) mod credential_cache;
pub(crate) mod credential_endpoint;
mod env;
pub(crate) mod environment;
mod file;
mod memory;
pub(crate) mod place;
mod prefixed;
pub(crate) mod presigned;
mod proxy;
pub(crate) mod self_check;
mod trust;
pub(crate) mod via;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hallpass_core::clock::Clock;
use hallpass_core::credential::Credential;
use hallpass_core::delivery::Delivery;
use hallpass_core::id::SessionId;
use hallpass_core::provider::{EnforcedBy, Issued};
use hallpass_core::session::{Revocation, Session};
use hallpass_dataplane::gate::{Closed, Counts, Cut, Gate, GateConfig, Passthrough, Placeholder, Presigner, Switch};
use tokio_util::task::TaskTracker;

use credential_endpoint::{Endpoint, EndpointSwitch, Lending};
use environment::{Variables, cleaned, seal, set, set_region};
use file::CredentialFile;
use place::Place;
use via::Via;

use crate::command::run::gate_threads;
use crate::error::{CommandError, ErrorKind};

/// What a session is handed over with.
pub(crate) struct Handover<'a> {
    /// The session.
    pub(crate) session: &'a Session,
    /// What the provider issued.
    pub(crate) issued: &'a Issued,
    /// The environment that the caller gave us.
    pub(crate) original: &'a Variables,
    /// Where private files go.
    pub(crate) place: &'a Place,
    /// Tells the time.
    pub(crate) clock: Arc<dyn Clock>,
    /// By which way the child's requests reach the gate; for delivery `proxy` only.
    pub(crate) via: Via,
    /// Hosts that the proxy leaves alone.
    pub(crate) passthrough: &'a Passthrough,
    /// Background work of the delivery.
    pub(crate) tasks: &'a TaskTracker,
    /// Makes the gate's settings for a placeholder; called for delivery `proxy` only.
    pub(crate) gate: &'a dyn Fn(Placeholder) -> Result<GateConfig, CommandError>,
}

/// A session, handed over.
#[derive(Debug)]
pub(crate) struct Lent {
    /// The child's whole environment.
    pub(crate) variables: Variables,
    /// What the child's access hangs on.
    pub(crate) access: Access,
    /// The access key id that stands for the session.
    pub(crate) access_key_id: String,
    /// True when the access key is a placeholder's.
    pub(crate) placeholder: bool,
    /// How far it can be taken back.
    pub(crate) revocation: Revocation,
    /// The real credential that left, where it did: for the self-check, and to say until when it works.
    pub(crate) exposed: Option<Credential>,
}

/// What a child's access hangs on.
#[derive(Debug)]
pub(crate) enum Access {
    /// Every request passes it.
    Gate(Box<Gate>),
    /// Every refresh passes it.
    Endpoint(Endpoint),
    /// Every refresh reads it.
    File(CredentialFile),
    /// Nothing: the credential is with the child.
    Environment,
}

/// Ends a child's access, as far as it hangs on us. Every clone does the same.
#[derive(Debug, Clone)]
pub(crate) enum AccessSwitch {
    /// The gate refuses, and cuts live streams.
    Gate(Switch),
    /// The endpoint hands nothing out any more.
    Endpoint(EndpointSwitch),
    /// The file is removed.
    File(CredentialFile),
    /// There is nothing to switch.
    Environment,
}

impl Access {
    /// The handle that ends it.
    pub(crate) fn switch(&self) -> AccessSwitch {
        match self {
            Self::Gate(gate) => AccessSwitch::Gate(gate.switch()),
            Self::Endpoint(endpoint) => AccessSwitch::Endpoint(endpoint.switch()),
            Self::File(file) => AccessSwitch::File(file.clone()),
            Self::Environment => AccessSwitch::Environment,
        }
    }

    /// What makes its presigned URLs, where requests pass a gate.
    pub(crate) fn presigner(&self) -> Option<Presigner> {
        match self {
            Self::Gate(gate) => Some(gate.presigner()),
            Self::Endpoint(_) | Self::File(_) | Self::Environment => None,
        }
    }

    /// Ends it for good; what is in flight gets `grace` to be settled.
    pub(crate) async fn shutdown(self, grace: Duration) -> Counts {
        match self {
            Self::Gate(gate) => gate.shutdown(grace).await,
            Self::Endpoint(_) | Self::File(_) | Self::Environment => Counts::default(),
        }
    }
}

impl AccessSwitch {
    /// Access of a child session has ended when this returns; `None` when there is no such one here.
    pub(crate) fn refuse_child(&self, child: &SessionId, why: Closed) -> Option<Cut> {
        match self {
            Self::Gate(switch) => switch.refuse_child(child, why),
            Self::Endpoint(_) | Self::File(_) | Self::Environment => None,
        }
    }

    /// Access has ended when this returns. The first reason stays.
    pub(crate) fn refuse(&self, why: Closed) -> Cut {
        match self {
            Self::Gate(switch) => return switch.refuse(why),
            Self::Endpoint(switch) => switch.refuse(why),
            Self::File(file) => file.refuse(),
            Self::Environment => {}
        }
        Cut::default()
    }
}

/// How far a session of this kind can be taken back.
pub(crate) fn revocation(delivery: Delivery, role_arn: &str) -> Revocation {
    match (delivery.exposes_real_credential(), role_arn.is_empty()) {
        (false, _) => Revocation::Instant,
        (true, false) => Revocation::RoleWide,
        (true, true) => Revocation::OnExpiry,
    }
}

/// A real credential leaves only when the cloud itself holds it to the session's scope.
///
/// # Errors
/// [`ErrorKind::Denied`] with the way out.
pub(crate) fn may_leave(delivery: Delivery, enforced_by: EnforcedBy) -> Result<(), CommandError> {
    match (delivery.exposes_real_credential(), enforced_by) {
        (false, _) | (true, EnforcedBy::GateAndCloud) => Ok(()),
        (true, EnforcedBy::Gate) => Err(CommandError::new(
            ErrorKind::Denied,
            "delivery.not_enforced",
            format!("delivery `{}` would hand out a credential that can do more than the session", delivery.as_str()),
        )
        .cause("without a role only the gate holds the session to its scope, and this delivery goes past the gate")
        .next("name a role with `--role ARN`, so that the cloud enforces the scope, or use `--delivery proxy`")),
    }
}

/// Hands the session over.
///
/// # Errors
/// When the delivery is not safe here, or one of its parts cannot be made.
pub(crate) async fn deliver(handover: &Handover<'_>) -> Result<Lent, CommandError> {
    let Handover { session, issued, .. } = handover;
    let kind = session.delivery;
    may_leave(kind, issued.enforced_by)?;
    let mut variables = cleaned(handover.original, !kind.exposes_real_credential());
    let failed = |error: io::Error| {
        let message = format!("the session cannot be handed over by `{}`", kind.as_str());
        CommandError::new(ErrorKind::General, "delivery.failed", message).because(&error)
    };
    seal(&mut variables, handover.place).map_err(failed)?;
    set_region(&mut variables, session.region.as_deref());
    set(&mut variables, crate::environment::HALLPASS_SESSION_ID, session.id.as_str());
    let mut exposed = None;
    let mut access_key_id = issued.access_key_id.clone();
    let access = match kind {
        Delivery::Proxy => {
            let placeholder = Placeholder::generate().map_err(|e| failed(io::Error::other(e)))?;
            let gate = Gate::bind((handover.gate)(placeholder.clone())?).await.map_err(failed)?;
            gate.spread(gate_threads);
            let Handover { session, place, via, passthrough, .. } = *handover;
            proxy::deliver(&mut variables, place, &gate, &placeholder, session, via, passthrough).map_err(failed)?;
            access_key_id = placeholder.access_key_id;
            Access::Gate(Box::new(gate))
        }
        Delivery::Env => {
            let credential = issued.source.current().await?;
            env::deliver(&mut variables, &credential);
            exposed = Some(credential);
            Access::Environment
        }
        Delivery::File => {
            let credential = issued.source.current().await?;
            let written = file::deliver(&mut variables, handover.place, &credential).map_err(failed)?;
            let (source, clock) = (Arc::clone(&issued.source), Arc::clone(&handover.clock));
            let first = credential.expires_at;
            file::keep_fresh(handover.tasks, written.clone(), source, clock, first, session.expires_at);
            exposed = Some(credential);
            Access::File(written)
        }
        Delivery::CredentialEndpoint => {
            let lending = Lending {
                source: Arc::clone(&issued.source),
                clock: Arc::clone(&handover.clock),
                until: session.expires_at,
                role_arn: issued.identity.clone(),
            };
            let endpoint = Endpoint::bind(lending, handover.tasks).await.map_err(failed)?;
            endpoint.deliver(&mut variables);
            exposed = Some(issued.source.current().await?);
            Access::Endpoint(endpoint)
        }
    };
    let (placeholder, revocation) = (!kind.exposes_real_credential(), revocation(kind, &session.role_arn));
    Ok(Lent { variables, access, access_key_id, placeholder, revocation, exposed })
}

#[cfg(test)]
mod tests {
    use hallpass_core::delivery::Delivery;
    use hallpass_core::provider::EnforcedBy;

    use super::may_leave;

    #[test]
    fn no_real_credential_leaves_unless_the_cloud_enforces_the_scope() {
        for kind in Delivery::ALL {
            assert!(may_leave(kind, EnforcedBy::GateAndCloud).is_ok());
            let alone = may_leave(kind, EnforcedBy::Gate).map_err(|e| e.exit_status().code());
            assert_eq!(alone, if kind == Delivery::Proxy { Ok(()) } else { Err(77) }, "{kind:?}");
        }
    }
}
