//! Groups of users.

use http::Method;
use serde::{Deserialize, Serialize};

use super::ask::Ask;
use super::{AdminClient, Status};
use crate::error::S3Error;

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// `enabled` or `disabled`, as the server words it.
    pub status: String,
    /// Access keys of the users in it.
    pub members: Vec<String>,
    /// Policies attached to it.
    pub policies: Vec<String>,
    /// When it was changed last, RFC 3339.
    pub updated_at: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupInfo {
    name: String,
    status: String,
    members: Option<Vec<String>>,
    policy: Option<String>,
    updated_at: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Members<'a> {
    group: &'a str,
    members: &'a [String],
    group_status: &'static str,
    is_remove: bool,
}

impl AdminClient {
    /// Names of all groups.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn groups(&self) -> Result<Vec<String>, S3Error> {
        let mut all: Vec<String> = self.told(&Ask::get("groups")).await?;
        all.sort();
        Ok(all)
    }

    /// One group.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `NotFound` when there is none.
    pub async fn group(&self, name: &str) -> Result<Group, S3Error> {
        let info: GroupInfo = self.told(&Ask::get("group").query("group", name)).await?;
        Ok(Group {
            name: info.name,
            status: info.status,
            members: info.members.unwrap_or_default(),
            policies: super::policy::names(info.policy.as_deref()),
            updated_at: info.updated_at.filter(|time| !time.starts_with("0001-")),
        })
    }

    /// Puts users into a group, and makes it if it is new.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `NotFound` when a user is not there.
    pub async fn add_to_group(&self, group: &str, members: &[String]) -> Result<(), S3Error> {
        self.members(group, members, false).await
    }

    /// Takes users out of a group; without any, removes the group, which must be empty.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `NotFound` when there is none; of sort `Conflict` when it is not empty.
    pub async fn remove_from_group(&self, group: &str, members: &[String]) -> Result<(), S3Error> {
        self.members(group, members, true).await
    }

    /// Enables a group or disables it.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `NotFound` when there is none.
    pub async fn set_group_status(&self, group: &str, status: Status) -> Result<(), S3Error> {
        let ask = Ask::new(Method::PUT, "set-group-status").query("group", group).query("status", status.as_str());
        self.change(&ask).await
    }

    async fn members(&self, group: &str, members: &[String], is_remove: bool) -> Result<(), S3Error> {
        let change = Members { group, members, group_status: Status::Enabled.as_str(), is_remove };
        self.change(&Ask::new(Method::PUT, "update-group-members").plain(&change)?).await
    }
}
