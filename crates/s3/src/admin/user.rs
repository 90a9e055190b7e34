//! Users of a server.

use std::collections::BTreeMap;

use hallpass_core::secret::Secret;
use http::Method;
use serde::{Deserialize, Serialize};

use super::ask::Ask;
use super::{AdminClient, Status};
use crate::error::S3Error;

/// A user. The server never tells the secret key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Access key.
    pub name: String,
    /// `enabled` or `disabled`, as the server words it.
    pub status: String,
    /// Policies attached to the user itself.
    pub policies: Vec<String>,
    /// Groups that the user is in.
    pub groups: Vec<String>,
    /// When it was changed last, RFC 3339.
    pub updated_at: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserInfo {
    status: String,
    policy_name: Option<String>,
    member_of: Option<Vec<String>>,
    updated_at: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewUser<'a> {
    secret_key: &'a str,
    status: &'static str,
}

impl UserInfo {
    fn named(self, name: &str) -> User {
        User {
            name: name.to_owned(),
            status: self.status,
            policies: super::policy::names(self.policy_name.as_deref()),
            groups: self.member_of.unwrap_or_default(),
            updated_at: self.updated_at.filter(|time| !time.starts_with("0001-")),
        }
    }
}

impl AdminClient {
    /// Every user, by name.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn users(&self) -> Result<Vec<User>, S3Error> {
        let all: BTreeMap<String, UserInfo> = self.told_hidden(&Ask::get("list-users")).await?;
        Ok(all.into_iter().map(|(name, info)| info.named(&name)).collect())
    }

    /// One user.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `NotFound` when there is none.
    pub async fn user(&self, name: &str) -> Result<User, S3Error> {
        let info: UserInfo = self.told(&Ask::get("user-info").query("accessKey", name)).await?;
        Ok(info.named(name))
    }

    /// Makes a user, or gives one that is there another secret key and enables it.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn add_user(&self, name: &str, secret_key: &Secret) -> Result<(), S3Error> {
        let new = NewUser { secret_key: secret_key.expose(), status: Status::Enabled.as_str() };
        self.change(&Ask::new(Method::PUT, "add-user").query("accessKey", name).hidden(&new)?).await
    }

    /// Removes a user.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `NotFound` when there is none.
    pub async fn remove_user(&self, name: &str) -> Result<(), S3Error> {
        self.change(&Ask::new(Method::DELETE, "remove-user").query("accessKey", name)).await
    }

    /// Lets a user in or keeps it out.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `NotFound` when there is none.
    pub async fn set_user_status(&self, name: &str, status: Status) -> Result<(), S3Error> {
        let ask = Ask::new(Method::PUT, "set-user-status").query("accessKey", name).query("status", status.as_str());
        self.change(&ask).await
    }
}
