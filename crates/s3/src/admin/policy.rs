//! Policies of a server, and to whom they are attached.

use std::collections::BTreeMap;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::AdminClient;
use super::ask::Ask;
use crate::error::S3Error;

/// A policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// The document.
    pub document: Value,
    /// When it was made, RFC 3339.
    pub created_at: Option<String>,
    /// When it was changed last, RFC 3339.
    pub updated_at: Option<String>,
}

/// To whom policies are attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder<'a> {
    /// A user, by access key.
    User(&'a str),
    /// A group.
    Group(&'a str),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyInfo {
    policy_name: String,
    policy: Value,
    create_date: Option<String>,
    update_date: Option<String>,
}

#[derive(Serialize)]
struct Association<'a> {
    policies: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Associated {
    policies_attached: Option<Vec<String>>,
    policies_detached: Option<Vec<String>>,
}

/// Names in one text, with commas.
pub(super) fn names(text: Option<&str>) -> Vec<String> {
    text.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

impl AdminClient {
    /// Names of all policies.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn policies(&self) -> Result<Vec<String>, S3Error> {
        let all: BTreeMap<String, Value> = self.told(&Ask::get("list-canned-policies")).await?;
        Ok(all.into_keys().collect())
    }

    /// One policy.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `NotFound` when there is none.
    pub async fn policy(&self, name: &str) -> Result<Policy, S3Error> {
        let info: PolicyInfo = self.told(&Ask::get("info-canned-policy").query("name", name).query("v", "2")).await?;
        let (created_at, updated_at) = (info.create_date, info.update_date);
        Ok(Policy { name: info.policy_name, document: info.policy, created_at, updated_at })
    }

    /// Makes a policy, or replaces the one of that name.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn set_policy(&self, name: &str, document: &Value) -> Result<(), S3Error> {
        self.change(&Ask::new(Method::PUT, "add-canned-policy").query("name", name).plain(document)?).await
    }

    /// Removes a policy.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `NotFound` when there is none.
    pub async fn remove_policy(&self, name: &str) -> Result<(), S3Error> {
        self.change(&Ask::new(Method::DELETE, "remove-canned-policy").query("name", name)).await
    }

    /// Attaches policies. Answers those that were not attached before.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `Conflict` when all were attached already.
    pub async fn attach(&self, policies: &[String], holder: Holder<'_>) -> Result<Vec<String>, S3Error> {
        let done: Associated = self.associate("idp/builtin/policy/attach", policies, holder).await?;
        Ok(done.policies_attached.unwrap_or_default())
    }

    /// Detaches policies. Answers those that were attached before.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `Conflict` when none was attached.
    pub async fn detach(&self, policies: &[String], holder: Holder<'_>) -> Result<Vec<String>, S3Error> {
        let done: Associated = self.associate("idp/builtin/policy/detach", policies, holder).await?;
        Ok(done.policies_detached.unwrap_or_default())
    }

    async fn associate(&self, path: &str, policies: &[String], holder: Holder<'_>) -> Result<Associated, S3Error> {
        let (user, group) = match holder {
            Holder::User(user) => (Some(user), None),
            Holder::Group(group) => (None, Some(group)),
        };
        let ask = Ask::new(Method::POST, path).hidden(&Association { policies, user, group })?;
        self.change_told_hidden(&ask).await
    }
}
