//! `hallpass s3 admin group`.

use std::ffi::OsString;

use clap::{Args, Subcommand};
use hallpass_s3::admin::Status;
use serde::Serialize;

use super::{server, with};
use crate::command::s3::show;
use crate::command::s3::stores::{Failed, Stores};
use crate::error::{CommandError, ExitStatus};
use crate::output::clean;

pub(super) const FAMILY: &str = "s3_admin_group";

/// List, make, change and remove groups
#[derive(Debug, Subcommand)]
pub(super) enum GroupCommand {
    #[command(visible_alias = "ls")]
    List(ListArgs),
    /// Say what is known about a group
    #[command(after_help = "Examples:\n  \
    hallpass s3 admin group info minio team --json")]
    Info(NameArgs),
    /// Put users into a group, and make it if it is new
    #[command(after_help = "Examples:\n  \
    hallpass s3 admin group add minio team anna ben")]
    Add(AddArgs),
    #[command(visible_alias = "rm")]
    Remove(RemoveArgs),
    /// Let a group's policies count again
    #[command(after_help = "Examples:\n  \
    hallpass s3 admin group enable minio team")]
    Enable(NameArgs),
    /// Let a group's policies count no more
    #[command(after_help = "Examples:\n  \
    hallpass s3 admin group disable minio team")]
    Disable(NameArgs),
}

/// List groups
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 admin group list minio")]
pub(super) struct ListArgs {
    /// The server
    alias: OsString,
}

#[derive(Debug, Args)]
pub(super) struct NameArgs {
    /// The server
    alias: OsString,
    /// The group
    group: String,
}

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    /// The server
    alias: OsString,
    /// The group
    group: String,
    /// The users, by access key
    #[arg(required = true)]
    users: Vec<String>,
}

/// Take users out of a group; without any, remove the group, which must be empty
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 admin group remove minio team anna\n  \
    hallpass s3 admin group remove minio team")]
pub(super) struct RemoveArgs {
    /// The server
    alias: OsString,
    /// The group
    group: String,
    /// The users, by access key
    users: Vec<String>,
}

/// A group, or what was done to one. What is not known is `null`.
#[derive(Debug, Default, Serialize)]
struct Shown {
    action: &'static str,
    name: String,
    status: Option<String>,
    members: Option<Vec<String>>,
    policies: Option<Vec<String>>,
    updated_at: Option<String>,
}

impl Shown {
    fn line(&self) -> String {
        let list = |names: &Option<Vec<String>>| names.as_deref().unwrap_or_default().join(",");
        let (members, policies) = (list(&self.members), list(&self.policies));
        let status = self.status.as_deref().unwrap_or("-");
        clean::line(&format!("{status:<9} {:<24} members={members} policies={policies}", self.name))
    }
}

/// Dispatches.
pub(super) fn group(stores: &Stores<'_>, command: GroupCommand) -> Result<ExitStatus, CommandError> {
    let printer = stores.printer();
    match command {
        GroupCommand::List(args) => {
            with(stores, &server(stores, &args.alias)?, "admin:ListGroups", |client| async move {
                let named = |name| Shown { action: "list", name, ..Shown::default() };
                let all: Vec<_> = client.groups().await?.into_iter().map(named).collect();
                Ok(show::all(printer, FAMILY, &all, |group| clean::line(&group.name))?)
            })
        }
        GroupCommand::Info(args) => {
            with(stores, &server(stores, &args.alias)?, "admin:GetGroup", |client| async move {
                let group = client.group(&args.group).await?;
                let (members, policies) = (Some(group.members), Some(group.policies));
                let (status, updated_at) = (Some(group.status), group.updated_at);
                let shown = Shown { action: "info", name: group.name, status, members, policies, updated_at };
                Ok(show::one(printer, FAMILY, &shown, || shown.line())?)
            })
        }
        GroupCommand::Add(args) => {
            with(stores, &server(stores, &args.alias)?, "admin:AddUserToGroup", |client| async move {
                client.add_to_group(&args.group, &args.users).await?;
                let said = format!("{} put into group `{}`", args.users.join(", "), args.group);
                let members = Some(args.users);
                done(stores, Shown { action: "add", name: args.group, members, ..Shown::default() }, &said)
            })
        }
        GroupCommand::Remove(args) => {
            with(stores, &server(stores, &args.alias)?, "admin:RemoveUserFromGroup", |client| async move {
                client.remove_from_group(&args.group, &args.users).await?;
                let said = match args.users.is_empty() {
                    true => format!("group `{}` removed", args.group),
                    false => format!("{} taken out of group `{}`", args.users.join(", "), args.group),
                };
                let members = Some(args.users);
                done(stores, Shown { action: "remove", name: args.group, members, ..Shown::default() }, &said)
            })
        }
        GroupCommand::Enable(args) => set(stores, args, Status::Enabled),
        GroupCommand::Disable(args) => set(stores, args, Status::Disabled),
    }
}

fn set(stores: &Stores<'_>, args: NameArgs, status: Status) -> Result<ExitStatus, CommandError> {
    let (action, right) = match status {
        Status::Enabled => ("enable", "admin:EnableGroup"),
        Status::Disabled => ("disable", "admin:DisableGroup"),
    };
    with(stores, &server(stores, &args.alias)?, right, |client| async move {
        client.set_group_status(&args.group, status).await?;
        let said = format!("group `{}` {action}d", args.group);
        let status = Some(status.as_str().to_owned());
        done(stores, Shown { action, name: args.group, status, ..Shown::default() }, &said)
    })
}

fn done(stores: &Stores<'_>, shown: Shown, said: &str) -> Result<(), Failed> {
    Ok(show::done(stores.printer(), FAMILY, &shown, || clean::line(said))?)
}
