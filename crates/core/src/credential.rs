//! Real credentials and the seam that hands them out.

use std::fmt::Debug;

use jiff::Timestamp;

use crate::provider::{BoxFuture, ProviderError};
use crate::secret::Secret;

/// A real AWS-shaped credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Access key id: an identifier, not a secret.
    pub access_key_id: String,
    /// The secret key.
    pub secret_access_key: Secret,
    /// Present in every temporary credential.
    pub session_token: Option<Secret>,
    /// When the cloud stops accepting it; `None` for long-term keys.
    pub expires_at: Option<Timestamp>,
}

/// Hands out the current credential. One of the four seams: a provider with refresh, the control API, a fixed one.
pub trait CredentialSource: Send + Sync + Debug {
    /// The credential to sign with now; renews it when it is about to expire.
    ///
    /// # Errors
    /// [`ProviderError::Expired`] when the session's own time is over, else why renewal failed.
    fn current(&self) -> BoxFuture<'_, Result<Credential, ProviderError>>;

    /// Forgets the cached credential, so that the next [`Self::current`] asks the cloud again. Called after the
    /// upstream said that *our* credential has expired. Does nothing where there is nothing to renew.
    fn invalidate(&self) {}
}

/// A credential that never changes: long-term keys, the demo's store, tests.
#[derive(Debug, Clone)]
pub struct FixedCredential(pub Credential);

impl CredentialSource for FixedCredential {
    fn current(&self) -> BoxFuture<'_, Result<Credential, ProviderError>> {
        let credential = self.0.clone();
        Box::pin(std::future::ready(Ok(credential)))
    }
}
