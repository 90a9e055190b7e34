//! The admin API of MinIO and servers compatible with it: users, groups, policies, service accounts, the server itself.
//!
//! | file | what it knows |
//! |---|---|
//! | [`user`], [`group`], [`policy`], [`service_account`] | who may use the server |
//! | [`server`], [`heal`] | the server and its drives |
//! | `ask` | one request: signed with keys and session token, its answer judged |
//! | `seal` | how bodies with secrets are hidden |
//!
//! Requests go to `/minio/admin/v3/…`, signed as S3's are (service `s3`). Source: the API's own client, `madmin-go`.

mod ask;
pub mod group;
pub mod heal;
pub mod policy;
mod seal;
pub mod server;
pub mod service_account;
pub mod user;

use std::fmt;
use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::alias::{Addressing, Alias, Credentials};
use crate::client::{Client, ClientOptions, PayloadSigning};
use crate::error::S3Error;

/// A client of one server's admin API.
pub struct AdminClient {
    alias: Alias,
    credentials: Arc<dyn Credentials>,
    options: ClientOptions,
    is_there: OnceCell<()>,
}

impl fmt::Debug for AdminClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminClient").field("alias", &self.alias).finish_non_exhaustive()
    }
}

impl AdminClient {
    /// A client for the server of `alias`. Connects to nothing yet. `credentials` sign and encrypt, whatever the alias
    /// holds.
    ///
    /// # Errors
    /// [`S3Error::Usage`] when the endpoint is no URL of a store; [`S3Error::Refused`] of sort `Unsupported` for AWS.
    pub fn new(alias: &Alias, credentials: Arc<dyn Credentials>, options: ClientOptions) -> Result<Self, S3Error> {
        // The API's paths stand where buckets stand, never in the host name.
        let alias = Alias { addressing: Addressing::Path, ..alias.clone() };
        // Bodies are small, and what they change is worth a signature over every byte.
        let options = ClientOptions { payload_signing: PayloadSigning::Always, ..options };
        let client = Client::new(&alias, Arc::clone(&credentials), options.clone())?;
        if client.is_aws() {
            return Err(ask::no_admin_api(&alias.name));
        }
        Ok(Self { alias, credentials, options, is_there: OnceCell::new() })
    }
}

/// Whether an account may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It may.
    Enabled,
    /// It may not.
    Disabled,
}

impl Status {
    /// The API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
        }
    }
}
