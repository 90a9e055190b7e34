//! `hallpass s3 admin user`.

use std::ffi::OsString;

use clap::{Args, Subcommand};
use hallpass_s3::admin::Status;
use hallpass_s3::admin::user::User;
use serde::Serialize;

use super::secret::SecretKeyArgs;
use super::{server, with};
use crate::alias::secrets::{Argument, asked_for};
use crate::command::s3::show;
use crate::command::s3::stores::Stores;
use crate::error::{CommandError, ExitStatus};
use crate::output::clean;

pub(super) const FAMILY: &str = "s3_admin_user";

/// List, make, change and remove users
#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    #[command(visible_alias = "ls")]
    List(ListArgs),
    /// Say what is known about a user
    #[command(after_help = "Examples:\n  \
    hallpass s3 admin user info minio anna --json")]
    Info(NameArgs),
    Add(AddArgs),
    /// Remove a user
    #[command(visible_alias = "rm")]
    #[command(after_help = "Examples:\n  \
    hallpass s3 admin user remove minio anna")]
    Remove(NameArgs),
    /// Let a user in again
    #[command(after_help = "Examples:\n  \
    hallpass s3 admin user enable minio anna")]
    Enable(NameArgs),
    /// Keep a user out
    #[command(after_help = "Examples:\n  \
    hallpass s3 admin user disable minio anna")]
    Disable(NameArgs),
}

/// List users
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 admin user list minio")]
pub(super) struct ListArgs {
    /// The server
    alias: OsString,
}

#[derive(Debug, Args)]
pub(super) struct NameArgs {
    /// The server
    alias: OsString,
    /// The user's access key
    user: String,
}

/// Make a user, or give one another secret key
///
/// The secret key is asked for on a terminal, unless it is given.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 admin user add minio anna\n  \
    pass show minio/anna | hallpass s3 admin user add minio anna --secret-key-stdin")]
pub(super) struct AddArgs {
    /// The server
    alias: OsString,
    /// The user's access key
    user: String,
    /// The secret key; everybody on this machine can see it in `ps`
    #[arg(conflicts_with_all = ["secret_key_stdin", "secret_key_file", "secret_key_env"])]
    secret_key: Option<Argument>,
    #[command(flatten)]
    secret: SecretKeyArgs,
}

/// A user, or what was done to one. What is not known is `null`.
#[derive(Debug, Default, Serialize)]
struct Shown {
    action: &'static str,
    name: String,
    status: Option<String>,
    policies: Option<Vec<String>>,
    groups: Option<Vec<String>>,
    updated_at: Option<String>,
}

impl Shown {
    fn of(action: &'static str, user: User) -> Self {
        let (policies, groups) = (Some(user.policies), Some(user.groups));
        Self { action, name: user.name, status: Some(user.status), policies, groups, updated_at: user.updated_at }
    }

    fn line(&self) -> String {
        let list = |names: &Option<Vec<String>>| names.as_deref().unwrap_or_default().join(",");
        let (status, policies, groups) =
            (self.status.as_deref().unwrap_or("-"), list(&self.policies), list(&self.groups));
        clean::line(&format!("{status:<9} {:<24} policies={policies} groups={groups}", self.name))
    }
}

/// Dispatches.
pub(super) fn user(stores: &Stores<'_>, command: UserCommand) -> Result<ExitStatus, CommandError> {
    let printer = stores.printer();
    match command {
        UserCommand::List(args) => {
            with(stores, &server(stores, &args.alias)?, "admin:ListUsers", |client| async move {
                let users: Vec<_> = client.users().await?.into_iter().map(|user| Shown::of("list", user)).collect();
                Ok(show::all(printer, FAMILY, &users, Shown::line)?)
            })
        }
        UserCommand::Info(args) => with(stores, &server(stores, &args.alias)?, "admin:GetUser", |client| async move {
            let user = Shown::of("info", client.user(&args.user).await?);
            Ok(show::one(printer, FAMILY, &user, || user.line())?)
        }),
        UserCommand::Add(args) => add(stores, args),
        UserCommand::Remove(args) => {
            with(stores, &server(stores, &args.alias)?, "admin:DeleteUser", |client| async move {
                client.remove_user(&args.user).await?;
                done(stores, "remove", "removed", args.user, None)
            })
        }
        UserCommand::Enable(args) => {
            with(stores, &server(stores, &args.alias)?, "admin:EnableUser", |client| async move {
                client.set_user_status(&args.user, Status::Enabled).await?;
                done(stores, "enable", "enabled", args.user, Some(Status::Enabled))
            })
        }
        UserCommand::Disable(args) => {
            with(stores, &server(stores, &args.alias)?, "admin:DisableUser", |client| async move {
                client.set_user_status(&args.user, Status::Disabled).await?;
                done(stores, "disable", "disabled", args.user, Some(Status::Disabled))
            })
        }
    }
}

fn add(stores: &Stores<'_>, args: AddArgs) -> Result<ExitStatus, CommandError> {
    let remote = server(stores, &args.alias)?;
    with(stores, &remote, "admin:CreateUser", |client| async move {
        let secret_key = match args.secret.given(stores.printer(), args.secret_key)? {
            Some(secret) => secret,
            None => asked_for("Secret key of the user (not shown)")?,
        };
        client.add_user(&args.user, &secret_key).await?;
        done(stores, "add", "set", args.user, Some(Status::Enabled))
    })
}

fn done(
    stores: &Stores<'_>,
    action: &'static str,
    verb: &str,
    name: String,
    status: Option<Status>,
) -> Result<(), crate::command::s3::stores::Failed> {
    let said = format!("user `{}` {verb}", clean::line(&name));
    let shown = Shown { action, name, status: status.map(|status| status.as_str().to_owned()), ..Shown::default() };
    Ok(show::done(stores.printer(), FAMILY, &shown, || said)?)
}
