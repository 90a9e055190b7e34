//! Why a request was refused, in a form that a person, an agent and the audit log can all use.

use serde::{Deserialize, Serialize};

/// The stable code of a refusal; also the value of the `x-hallpass-reason` response header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DenialCode {
    /// A Deny statement matched.
    ExplicitDeny,
    /// No Allow statement covers it.
    NotAllowed,
    /// The operation is not one that we know.
    Unmapped,
    /// The operation is known, the resource it touches is not.
    Unresolved,
    /// The signature is wrong.
    Signature,
    /// There is no signature.
    Unsigned,
    /// The access key or token is not this session's.
    UnknownKey,
    /// The request's time is too far from ours.
    Skew,
    /// The very same request was carried out already, or nobody knows whether it was.
    Replayed,
    /// The request is malformed or ambiguous.
    Malformed,
    /// The body is not what was signed.
    BodyMismatch,
    /// Something is larger than its limit.
    TooLarge,
    /// The request came from a web page or for another host.
    ForeignOrigin,
    /// The session's time is over.
    Expired,
    /// The session was taken back.
    Revoked,
    /// The session's budget or another of its caps has no room for it.
    BudgetExceeded,
    /// The audit log cannot be written, so nothing is signed.
    AuditUnavailable,
    /// The real credential is not to be had now.
    CredentialUnavailable,
    /// The upstream could not be reached: it has not seen the request, which may be sent again.
    UpstreamUnreachable,
    /// The request was sent and no answer came: it may have been carried out.
    OutcomeUnknown,
}

impl DenialCode {
    /// The name as on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ExplicitDeny => "explicit-deny",
            Self::NotAllowed => "not-allowed",
            Self::Unmapped => "unmapped",
            Self::Unresolved => "unresolved",
            Self::Signature => "signature",
            Self::Unsigned => "unsigned",
            Self::UnknownKey => "unknown-key",
            Self::Skew => "skew",
            Self::Replayed => "replayed",
            Self::Malformed => "malformed",
            Self::BodyMismatch => "body-mismatch",
            Self::TooLarge => "too-large",
            Self::ForeignOrigin => "foreign-origin",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::BudgetExceeded => "budget-exceeded",
            Self::AuditUnavailable => "audit-unavailable",
            Self::CredentialUnavailable => "credential-unavailable",
            Self::UpstreamUnreachable => "upstream-unreachable",
            Self::OutcomeUnknown => "outcome-unknown",
        }
    }
}

/// What an access lacks to be allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Missing {
    /// Anything that allows: the policy has no ceiling.
    Ceiling,
    /// An Allow that names the action.
    Action,
    /// The action is allowed, but not on this resource.
    Resource,
    /// The action is allowed on this resource, under a condition on this key that does not hold.
    Condition {
        /// As the policy writes it.
        key: String,
    },
    /// The action is allowed on this resource, under a condition on a key whose value is not known here.
    ContextKey {
        /// As the policy writes it.
        key: String,
    },
    /// The action mints credentials, and only a wildcard allows it.
    Name,
}

/// A structured refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// Stable code.
    pub code: DenialCode,
    /// The IAM action that was refused, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// The resource that was refused, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The statement that decided (`Sid`, or `statement 2`); where none allows, the Allow that came closest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    /// The ceiling that refused: `--allow`, `--deny`, `--read-only`, or a policy document by its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<String>,
    /// What an Allow would have needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Missing>,
    /// One sentence: what is wrong or missing.
    pub reason: String,
    /// One sentence: how to ask for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how_to_ask: Option<String>,
}

impl Denial {
    /// A refusal with a code and a sentence.
    pub fn new(code: DenialCode, reason: impl Into<String>) -> Self {
        Self {
            code,
            action: None,
            resource: None,
            statement: None,
            ceiling: None,
            missing: None,
            reason: reason.into(),
            how_to_ask: None,
        }
    }

    /// The sentence that the child's SDK shows: reason, then how to ask.
    pub fn message(&self) -> String {
        match &self.how_to_ask {
            Some(how) => format!("hallpass: {} ({how})", self.reason),
            None => format!("hallpass: {}", self.reason),
        }
    }
}
