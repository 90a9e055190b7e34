//! What signs, and where it comes from.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use hallpass_core::secret::Secret;
use jiff::Timestamp;

use crate::error::S3Error;

/// Keys as they are kept in an alias.
#[derive(Clone, PartialEq, Eq)]
pub struct StaticCredentials {
    /// Access key id; not secret, but personal.
    pub access_key_id: String,
    /// Secret key.
    pub secret_access_key: Secret,
    /// Session token of temporary credentials.
    pub session_token: Option<Secret>,
    /// When they end, if that is known.
    pub expires_at: Option<Timestamp>,
}

impl fmt::Debug for StaticCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticCredentials")
            .field("access_key_id", &self.access_key_id)
            .field("secret_access_key", &self.secret_access_key)
            .field("session_token", &self.session_token)
            .field("expires_at", &self.expires_at)
            .finish()
    }
}

/// The kind of an alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialsSource {
    /// Requests are not signed.
    Anonymous,
    /// Keys, with or without a session token. Cannot be renewed.
    Static(StaticCredentials),
    /// A running Hallpass session, by id: its placeholder, its gate.
    Session(String),
    /// A role that is borrowed for each command, with only the rights that the command needs.
    Role(String),
    /// A profile of the AWS configuration files.
    Profile(String),
    /// A program that prints credentials (the `credential_process` contract of the AWS SDKs).
    Process(String),
    /// The standard chain: the alias `aws` that is always there.
    Chain,
}

/// Gives the credentials of the moment to the client; renews what can be renewed.
pub trait Credentials: Send + Sync + fmt::Debug {
    /// What signs now. `None`: do not sign.
    ///
    /// # Errors
    /// [`S3Error`] of sort `Auth` or `TokenExpired` if there is nothing that would be accepted.
    fn current(&self) -> Pin<Box<dyn Future<Output = Result<Option<StaticCredentials>, S3Error>> + Send + '_>>;

    /// The store said that these (their access key id) have expired: fetch others. `Ok(false)`: cannot be renewed.
    ///
    /// # Errors
    /// Those of [`Credentials::current`].
    fn renew(&self, refused: &str) -> Pin<Box<dyn Future<Output = Result<bool, S3Error>> + Send + '_>>;
}

/// What an `async` method of [`Credentials`] answers with.
type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, S3Error>> + Send + 'a>>;

/// Credentials that cannot be renewed: the keys of an alias, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed(Option<StaticCredentials>);

impl Fixed {
    /// Signs with these keys. Whether they have expired is the store's word, not that of this machine's clock.
    pub fn keys(keys: StaticCredentials) -> Self {
        Self(Some(keys))
    }

    /// Does not sign.
    pub fn anonymous() -> Self {
        Self(None)
    }
}

impl Credentials for Fixed {
    fn current(&self) -> Answer<'_, Option<StaticCredentials>> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }

    fn renew(&self, _refused: &str) -> Answer<'_, bool> {
        Box::pin(std::future::ready(Ok(false)))
    }
}
