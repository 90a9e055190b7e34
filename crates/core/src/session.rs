//! A session: one lending. Same JSON names as the tools that came before, so their files can be read.

pub mod status;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::budget::{Caps, Usd, UsdError};
use crate::delivery::Delivery;
use crate::id::SessionId;
use crate::policy::ScopedPolicy;
use crate::provider::CloudProvider;
pub use status::{IllegalTransition, SessionEvent, SessionStatus};

/// How far a session's access can be taken back, truthfully.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Revocation {
    /// The real credential never left the gate: refusing is enough, at once.
    #[default]
    Instant,
    /// The credential left, and a deny on the role cuts every session of that role issued before now.
    RoleWide,
    /// The credential left and nothing takes it back before it expires.
    OnExpiry,
}

impl Revocation {
    /// The name in JSON, in the store and in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Instant => "instant",
            Self::RoleWide => "role-wide",
            Self::OnExpiry => "on-expiry",
        }
    }
}

/// One lending of access to one command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Identifier, also the handle for `kill`.
    pub id: SessionId,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When access ends at the latest.
    pub expires_at: Timestamp,
    /// Life asked for, seconds.
    pub ttl_seconds: u64,
    /// Money limit in USD, if any; finite and above zero.
    pub budget: Option<f64>,
    /// Most requests that may be sent, if limited; above zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_requests: Option<u64>,
    /// Most bytes of request and response bodies together, if limited; above zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
    /// Most distinct resources, if limited; above zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_resources: Option<u64>,
    /// What it may do.
    pub policy: ScopedPolicy,
    /// Where it is in its life.
    pub status: SessionStatus,
    /// Provider-neutral principal: IAM role ARN, service-account e-mail, subscription id. Historical name;
    /// `role_principal` is read too. Empty when the gate lends the caller's own identity.
    #[serde(alias = "role_principal")]
    pub role_arn: String,
    /// The command and its arguments.
    pub command: Vec<String>,
    /// Access key id that stands for this session (the placeholder's in `proxy` delivery).
    pub access_key_id: Option<String>,
    /// Cloud; files without the field are AWS.
    #[serde(default)]
    pub provider: CloudProvider,
    /// The AI agent that asked, if recognised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// Identity that disambiguates `role_arn` (Azure client or object id).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal_id: Option<String>,
    /// Labels for the audit log, also sent as STS session tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Tenant or account alias, where one applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Region the child is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// How it was handed over.
    #[serde(default)]
    pub delivery: Delivery,
    /// How far it can be taken back.
    #[serde(default)]
    pub revocation: Revocation,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Why it ended, one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_reason: Option<String>,
    /// The session whose request made this one, for a child session; it never outlives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<SessionId>,
}

impl Session {
    /// A pending AWS session. The id and the time come from the caller, because core has neither.
    pub fn new(
        id: SessionId,
        now: Timestamp,
        ttl: SignedDuration,
        budget: Option<f64>,
        policy: ScopedPolicy,
        role_arn: String,
        command: Vec<String>,
    ) -> Self {
        let ttl_s = ttl.as_secs().max(0);
        Self {
            id,
            created_at: now,
            expires_at: now.checked_add(SignedDuration::from_secs(ttl_s)).unwrap_or(Timestamp::MAX),
            ttl_seconds: ttl_s.unsigned_abs(),
            budget,
            max_requests: None,
            max_bytes: None,
            max_resources: None,
            policy,
            status: SessionStatus::Pending,
            role_arn,
            command,
            access_key_id: None,
            provider: CloudProvider::Aws,
            agent_id: None,
            principal_id: None,
            tags: BTreeMap::new(),
            tenant: None,
            region: None,
            delivery: Delivery::Proxy,
            revocation: Revocation::Instant,
            ended_at: None,
            end_reason: None,
            parent: None,
        }
    }

    /// A pending GCP session on a service account.
    pub fn new_gcp(
        id: SessionId,
        now: Timestamp,
        ttl: SignedDuration,
        budget: Option<f64>,
        policy: ScopedPolicy,
        service_account: String,
        command: Vec<String>,
    ) -> Self {
        let session = Self::new(id, now, ttl, budget, policy, service_account, command);
        Self { provider: CloudProvider::Gcp, ..session }
    }

    /// A pending Azure session on a subscription.
    pub fn new_azure(
        id: SessionId,
        now: Timestamp,
        ttl: SignedDuration,
        budget: Option<f64>,
        policy: ScopedPolicy,
        subscription_id: String,
        command: Vec<String>,
    ) -> Self {
        let session = Self::new(id, now, ttl, budget, policy, subscription_id, command);
        Self { provider: CloudProvider::Azure, ..session }
    }

    /// The first eight characters of the id, for display.
    pub fn short_id(&self) -> &str {
        self.id.short()
    }

    /// True from the instant of expiry on.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires_at
    }

    /// Seconds of life left, never negative.
    pub fn remaining_seconds(&self, now: Timestamp) -> i64 {
        self.expires_at.duration_since(now).as_secs().max(0)
    }

    /// The principal: `principal_id` where it is set, else `role_arn`.
    pub fn principal_id(&self) -> &str {
        self.principal_id.as_deref().unwrap_or(&self.role_arn)
    }

    /// What it may use up.
    ///
    /// # Errors
    /// [`UsdError`] when the budget is no amount of money.
    pub fn caps(&self) -> Result<Caps, UsdError> {
        let budget = self.budget.map(Usd::from_budget).transpose()?;
        Ok(Caps { budget, requests: self.max_requests, bytes: self.max_bytes, resources: self.max_resources })
    }

    /// Moves to the next state, or says why it may not.
    pub fn apply(&mut self, event: SessionEvent) -> Result<(), IllegalTransition> {
        self.status = self.status.on(event)?;
        Ok(())
    }

    /// [`SessionEvent::Complete`].
    pub fn complete(&mut self) -> Result<(), IllegalTransition> {
        self.apply(SessionEvent::Complete)
    }

    /// [`SessionEvent::Expire`].
    pub fn expire(&mut self) -> Result<(), IllegalTransition> {
        self.apply(SessionEvent::Expire)
    }

    /// [`SessionEvent::Revoke`].
    pub fn revoke(&mut self) -> Result<(), IllegalTransition> {
        self.apply(SessionEvent::Revoke)
    }

    /// [`SessionEvent::Fail`].
    pub fn fail(&mut self) -> Result<(), IllegalTransition> {
        self.apply(SessionEvent::Fail)
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::{Session, SessionStatus};
    use crate::id::SessionId;
    use crate::policy::ScopedPolicy;
    use crate::provider::CloudProvider;

    /// A file as the first two seeds' store writes it.
    const SEED: &str = r#"{
      "id": "9e03b5df-995f-47d1-a3a0-e29e16359514",
      "created_at": "2026-11-22T07:45:06.991542124Z",
      "expires_at": "2026-11-22T07:50:06.991542124Z",
      "ttl_seconds": 300,
      "budget": null,
      "policy": {"actions": [{"service": "s3", "action": "ListAllMyBuckets"}], "resources": ["*"]},
      "status": "budget_exceeded",
      "role_principal": "arn:aws:iam::123456789012:role/AgentRole",
      "command": ["aws", "s3", "ls"],
      "access_key_id": "ASIAEXAMPLEEXAMPLE00",
      "agent_id": "claude",
      "tags": {"ticket": "JIRA-1"}
    }"#;

    #[test]
    fn a_seed_session_file_is_read_with_its_alias_and_defaults() {
        let session: Session = serde_json::from_str(SEED).expect("reads");
        assert_eq!(session.provider, CloudProvider::Aws);
        assert_eq!(session.status, SessionStatus::BudgetExceeded);
        assert_eq!(session.role_arn, "arn:aws:iam::123456789012:role/AgentRole");
        assert_eq!(session.principal_id(), session.role_arn);
        assert_eq!(session.short_id(), "9e03b5df");
        let written = serde_json::to_value(&session).expect("writes");
        for name in ["role_arn", "ttl_seconds", "access_key_id", "policy", "status", "provider", "command", "budget"] {
            assert!(written.get(name).is_some(), "{name}");
        }
        assert_eq!(written["policy"]["actions"][0]["service"], "s3");
        assert_eq!(written["status"], "budget_exceeded");
    }

    #[test]
    fn remaining_time_stops_at_zero_and_the_instant_of_expiry_is_expired() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().expect("time");
        let id = SessionId::new("a").expect("id");
        let ttl = SignedDuration::from_secs(60);
        let session = Session::new_gcp(id, now, ttl, None, ScopedPolicy::default(), "sa@x".into(), vec![]);
        assert_eq!(session.provider, CloudProvider::Gcp);
        assert_eq!(session.remaining_seconds(now), 60);
        assert!(!session.is_expired(now));
        assert!(session.is_expired(session.expires_at));
        assert_eq!(session.remaining_seconds(session.expires_at + ttl), 0);
    }
}
