//! Service accounts: more keys of a user, with at most its rights.

use hallpass_core::secret::Secret;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::AdminClient;
use super::ask::Ask;
use crate::error::S3Error;

/// A service account. The server never tells the secret key again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAccount {
    /// Access key.
    pub access_key: String,
    /// The user whose it is.
    pub parent: Option<String>,
    /// `on` or `off`, as the server words it.
    pub status: Option<String>,
    /// A name for people.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// When it ends, RFC 3339.
    pub expires_at: Option<String>,
    /// True when it has no policy of its own, and so all rights of its user.
    pub implied_policy: Option<bool>,
    /// The policy's document as the server tells it; only of a single account.
    pub policy: Option<String>,
}

/// What a new account is to be. What is `None`, the server chooses.
#[derive(Debug, Clone, Default)]
pub struct NewServiceAccount {
    /// Whose it is, if not the caller's own.
    pub user: Option<String>,
    /// Access key.
    pub access_key: Option<String>,
    /// Secret key.
    pub secret_key: Option<Secret>,
    /// A name for people.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// When it ends, RFC 3339.
    pub expires_at: Option<String>,
    /// Narrows its rights.
    pub policy: Option<Value>,
}

/// What changes; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct ServiceAccountChange {
    /// Secret key.
    pub secret_key: Option<Secret>,
    /// `on` or `off`.
    pub status: Option<&'static str>,
    /// A name for people.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// When it ends, RFC 3339.
    pub expires_at: Option<String>,
    /// Narrows its rights.
    pub policy: Option<Value>,
}

/// The keys of a new account; the server tells them once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKeys {
    /// Access key.
    pub access_key: String,
    /// Secret key.
    pub secret_key: Secret,
    /// When they end, RFC 3339.
    pub expires_at: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Info {
    access_key: Option<String>,
    parent_user: Option<String>,
    account_status: Option<String>,
    implied_policy: Option<bool>,
    policy: Option<String>,
    name: Option<String>,
    description: Option<String>,
    expiration: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    accounts: Option<Vec<Info>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Add<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Update<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    new_policy: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_secret_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_status: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_expiration: Option<&'a str>,
}

#[derive(Deserialize)]
struct Added {
    credentials: Keys,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Keys {
    access_key: String,
    #[serde(deserialize_with = "secret")]
    secret_key: Secret,
    expiration: Option<String>,
}

fn secret<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
    String::deserialize(from).map(Secret::new)
}

impl Info {
    fn account(self, named: Option<&str>) -> ServiceAccount {
        ServiceAccount {
            access_key: self.access_key.or_else(|| named.map(str::to_owned)).unwrap_or_default(),
            parent: self.parent_user,
            status: self.account_status,
            name: self.name.filter(|text| !text.is_empty()),
            description: self.description.filter(|text| !text.is_empty()),
            expires_at: self.expiration.and_then(end),
            implied_policy: self.implied_policy,
            policy: self.policy.filter(|text| !text.is_empty()),
        }
    }
}

/// The server's words for "never": no time, the zero time, or the beginning of Unix time.
fn end(time: String) -> Option<String> {
    (!time.starts_with("0001-") && !time.starts_with("1970-01-01T00:00:00")).then_some(time)
}

impl AdminClient {
    /// Service accounts of a user; of the caller's own where none is named.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `NotFound` when there is no such user.
    pub async fn service_accounts(&self, user: Option<&str>) -> Result<Vec<ServiceAccount>, S3Error> {
        let ask = Ask::get("list-service-accounts").query("user", user.unwrap_or_default());
        let listed: Listed = self.told_hidden(&ask).await?;
        Ok(listed.accounts.unwrap_or_default().into_iter().map(|info| info.account(None)).collect())
    }

    /// One account.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `NotFound` when there is none.
    pub async fn service_account(&self, access_key: &str) -> Result<ServiceAccount, S3Error> {
        let info: Info = self.told_hidden(&Ask::get("info-service-account").query("accessKey", access_key)).await?;
        Ok(info.account(Some(access_key)))
    }

    /// Makes an account. Its secret key is told now and never again.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn add_service_account(&self, new: &NewServiceAccount) -> Result<NewKeys, S3Error> {
        let add = Add {
            policy: new.policy.as_ref(),
            target_user: new.user.as_deref(),
            access_key: new.access_key.as_deref(),
            secret_key: new.secret_key.as_ref().map(|secret| secret.expose()),
            name: new.name.as_deref(),
            description: new.description.as_deref(),
            expiration: new.expires_at.as_deref(),
        };
        let added: Added = self.change_told_hidden(&Ask::new(Method::PUT, "add-service-account").hidden(&add)?).await?;
        let Keys { access_key, secret_key, expiration } = added.credentials;
        Ok(NewKeys { access_key, secret_key, expires_at: expiration.and_then(end) })
    }

    /// Changes an account.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `NotFound` when there is none.
    pub async fn edit_service_account(&self, access_key: &str, change: &ServiceAccountChange) -> Result<(), S3Error> {
        let update = Update {
            new_policy: change.policy.as_ref(),
            new_secret_key: change.secret_key.as_ref().map(|secret| secret.expose()),
            new_status: change.status,
            new_name: change.name.as_deref(),
            new_description: change.description.as_deref(),
            new_expiration: change.expires_at.as_deref(),
        };
        let ask = Ask::new(Method::POST, "update-service-account").query("accessKey", access_key).hidden(&update)?;
        self.change(&ask).await
    }

    /// Removes an account.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `NotFound` when there is none.
    pub async fn remove_service_account(&self, access_key: &str) -> Result<(), S3Error> {
        self.change(&Ask::new(Method::DELETE, "delete-service-account").query("accessKey", access_key)).await
    }
}
