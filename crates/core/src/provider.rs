//! The seam to a cloud: what it can do, issue, revoke. Implementations live in `providers/src/<name>.rs`.

use std::fmt;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::credential::CredentialSource;
use crate::permit::Permit;
use crate::session::{Revocation, Session};

/// A boxed future, so that the seams stay object-safe.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The clouds and stores that a session can be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CloudProvider {
    /// Amazon Web Services.
    #[default]
    Aws,
    /// Google Cloud.
    Gcp,
    /// Microsoft Azure.
    Azure,
    /// A Kubernetes cluster.
    Kubernetes,
    /// Any S3-compatible store.
    S3,
}

impl CloudProvider {
    /// Every provider.
    pub const ALL: [Self; 5] = [Self::Aws, Self::Gcp, Self::Azure, Self::Kubernetes, Self::S3];

    /// The name in JSON, in the store and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Gcp => "gcp",
            Self::Azure => "azure",
            Self::Kubernetes => "kubernetes",
            Self::S3 => "s3",
        }
    }
}

impl fmt::Display for CloudProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for CloudProvider {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|p| p.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not a provider (aws, gcp, azure, kubernetes, s3)"))
    }
}

/// Who enforces a session's scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EnforcedBy {
    /// Only the gate: the real credential can do more.
    Gate,
    /// The gate, and the cloud with the same scope compiled into the credential.
    GateAndCloud,
}

/// What a provider is, for `doctor`, the docs page and the banner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Which provider.
    pub provider: CloudProvider,
    /// One sentence: where the base credential comes from.
    pub base: String,
    /// Who will enforce the scope.
    pub enforced_by: EnforcedBy,
}

/// A credential was issued.
#[derive(Debug, Clone)]
pub struct Issued {
    /// Hands out the current real credential and renews it; bounded by the session's own life.
    pub source: Arc<dyn CredentialSource>,
    /// Who enforces the scope of what was issued.
    pub enforced_by: EnforcedBy,
    /// Where the base credential came from, one sentence, no secret.
    pub base: String,
    /// Size of the compiled session policy in characters, where one was sent.
    pub session_policy_chars: Option<usize>,
    /// Access key id of the first real credential: an identifier, not a secret.
    pub access_key_id: String,
    /// The identity that the real credential stands for, where the cloud says it (`AssumedRoleUser.Arn`).
    pub identity: Option<String>,
    /// The account of the base identity, where its source tells it without a call; 12 digits.
    pub account: Option<String>,
    /// The policy that every session of this credential carries, as sent; for the audit log.
    pub session_policy: Option<String>,
    /// Why the cloud was not told the scope, in words; `None` where it was.
    pub not_narrowed: Option<String>,
}

/// What was really achieved by a revocation. Says nothing that is not true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// How far it reached.
    pub reach: Revocation,
    /// One sentence for people: what was done and what was not.
    pub detail: String,
}

/// Why a provider could not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// No base credential could be found.
    #[error("no base credential for {provider}: {detail}")]
    NoBaseCredential {
        /// Which provider.
        provider: CloudProvider,
        /// What was tried.
        detail: String,
    },
    /// The compiled policy does not fit.
    #[error("{0}")]
    PolicyTooLarge(String),
    /// The request itself is wrong (tags, names, durations).
    #[error("{0}")]
    Invalid(String),
    /// The cloud refused.
    #[error("{operation} was refused: {code}: {message}")]
    Refused {
        /// The call.
        operation: String,
        /// The cloud's error code.
        code: String,
        /// The cloud's message.
        message: String,
    },
    /// The cloud could not be reached.
    #[error("{operation} could not reach {endpoint}: {detail}")]
    Unreachable {
        /// The call.
        operation: String,
        /// Host or URL.
        endpoint: String,
        /// What went wrong.
        detail: String,
    },
    /// The session's own time is over: no renewal.
    #[error("the session has expired")]
    Expired,
}

/// Turns a permit into a real, short-lived credential. One of the four seams.
pub trait Provider: Send + Sync + Debug {
    /// What this provider is; makes no network call.
    fn describe(&self) -> Description;

    /// Issues a credential against a permit, once.
    fn issue(&self, permit: Permit) -> BoxFuture<'_, Result<Issued, ProviderError>>;

    /// Takes back what left the gate, as far as the cloud allows, and says how far that was.
    fn revoke<'a>(&'a self, session: &'a Session) -> BoxFuture<'a, Result<Revoked, ProviderError>>;
}
