//! Evidence that authorisation said yes.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::budget::Cap;
use crate::delivery::Delivery;
use crate::id::SessionId;
use crate::limits::{DISTINCT_RESOURCES_MAX, SESSION_TTL_S_MAX, SESSION_TTL_S_MIN};
use crate::policy::ScopedPolicy;
use crate::provider::CloudProvider;
use crate::session::Session;

/// Bounds that an organisation, a project file or a user's own configuration puts on every session.
/// Only narrows: an absent bound is the product's own limit.
#[derive(Debug, Clone, Default)]
pub struct Bounds {
    /// Longest life, seconds.
    pub ttl_s_max: Option<u64>,
    /// Roles that may be borrowed; empty means any.
    pub roles: Vec<String>,
    /// Deliveries that may be used; empty means any.
    pub deliveries: Vec<Delivery>,
}

/// Authorisation said yes to exactly this lending. Made only by [`authorize`], used once: not `Clone`.
#[derive(Debug)]
#[must_use = "a permit that is not used to issue lends nothing"]
pub struct Permit {
    session: SessionId,
    provider: CloudProvider,
    role_arn: String,
    policy: ScopedPolicy,
    tags: BTreeMap<String, String>,
    delivery: Delivery,
    not_after: Timestamp,
}

/// Authorisation said no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotPermitted {
    /// The life asked for is outside what is allowed.
    #[error("a session may live {min} to {max} seconds, {asked} were asked for")]
    Ttl {
        /// Shortest.
        min: u64,
        /// Longest.
        max: u64,
        /// What was asked.
        asked: u64,
    },
    /// The budget is not a positive, finite number.
    #[error("{0}")]
    Budget(String),
    /// A cap of zero lends nothing, and too many distinct resources cannot be remembered.
    #[error("`{}` may be 1 to {max}, not {limit}", cap.flag())]
    Cap {
        /// Which cap.
        cap: Cap,
        /// The most that it may be.
        max: u64,
        /// What was asked.
        limit: u64,
    },
    /// Only the gate counts, and this delivery goes past it.
    #[error("delivery `{0}` goes past the gate, which alone enforces budget and caps: use `--delivery proxy`")]
    NotCapped(&'static str),
    /// The role is not on the list.
    #[error("{}", role_refused(.0))]
    Role(String),
    /// The delivery is not on the list.
    #[error("delivery `{0}` is not allowed here: it is not in `allowed_deliveries`")]
    Delivery(&'static str),
    /// An empty policy lends nothing.
    #[error("the session would be allowed nothing: name at least one action")]
    NothingAllowed,
    /// The session is not waiting to be issued.
    #[error("the session is {0}, so nothing can be issued for it")]
    NotPending(&'static str),
}

fn role_refused(role: &str) -> String {
    match role {
        "" => "your own identity may not be lent here: `allowed_roles` names the roles that may".to_owned(),
        role => format!("the role `{role}` may not be borrowed here: it is not in `allowed_roles`"),
    }
}

/// Decides whether `session` may be lent within `bounds`, and gives the evidence that issuing demands.
///
/// # Errors
/// [`NotPermitted`], with the bound that was broken.
pub fn authorize(session: &Session, bounds: &Bounds, now: Timestamp) -> Result<Permit, NotPermitted> {
    if session.status != crate::session::SessionStatus::Pending {
        return Err(NotPermitted::NotPending(session.status.as_str()));
    }
    let max = bounds.ttl_s_max.unwrap_or(SESSION_TTL_S_MAX).min(SESSION_TTL_S_MAX);
    if session.ttl_seconds < SESSION_TTL_S_MIN || session.ttl_seconds > max {
        return Err(NotPermitted::Ttl { min: SESSION_TTL_S_MIN, max, asked: session.ttl_seconds });
    }
    let caps = session.caps().map_err(|error| NotPermitted::Budget(error.to_string()))?;
    for cap in Cap::ALL {
        let max = if cap == Cap::Resources { DISTINCT_RESOURCES_MAX } else { i64::MAX.unsigned_abs() };
        if let Some(limit) = caps.limit(cap).filter(|limit| !(1..=max).contains(limit)) {
            return Err(NotPermitted::Cap { cap, max, limit });
        }
    }
    if !caps.is_empty() && session.delivery.exposes_real_credential() {
        return Err(NotPermitted::NotCapped(session.delivery.as_str()));
    }
    if !bounds.roles.is_empty() && !bounds.roles.contains(&session.role_arn) {
        return Err(NotPermitted::Role(session.role_arn.clone()));
    }
    if !bounds.deliveries.is_empty() && !bounds.deliveries.contains(&session.delivery) {
        return Err(NotPermitted::Delivery(session.delivery.as_str()));
    }
    if session.policy.allows_nothing() {
        return Err(NotPermitted::NothingAllowed);
    }
    let ttl = SignedDuration::from_secs(i64::try_from(session.ttl_seconds).unwrap_or(i64::MAX));
    let not_after = now.checked_add(ttl).unwrap_or(Timestamp::MAX).min(session.expires_at);
    Ok(Permit {
        session: session.id.clone(),
        provider: session.provider,
        role_arn: session.role_arn.clone(),
        policy: session.policy.clone(),
        tags: session.tags.clone(),
        delivery: session.delivery,
        not_after,
    })
}

impl Permit {
    /// The session that it is for.
    pub fn session(&self) -> &SessionId {
        &self.session
    }

    /// The cloud.
    pub fn provider(&self) -> CloudProvider {
        self.provider
    }

    /// The role to assume; empty means: lend the base identity, the gate alone enforces.
    pub fn role_arn(&self) -> &str {
        &self.role_arn
    }

    /// What may be done.
    pub fn policy(&self) -> &ScopedPolicy {
        &self.policy
    }

    /// Session tags.
    pub fn tags(&self) -> &BTreeMap<String, String> {
        &self.tags
    }

    /// How it will be handed over.
    pub fn delivery(&self) -> Delivery {
        self.delivery
    }

    /// No credential may be issued or renewed from this instant on.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }
}
