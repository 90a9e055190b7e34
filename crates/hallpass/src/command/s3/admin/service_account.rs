//! `hallpass s3 admin service-account`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use hallpass_s3::admin::service_account::{NewServiceAccount, ServiceAccount, ServiceAccountChange};
use jiff::Timestamp;
use serde::Serialize;

use super::secret::SecretKeyArgs;
use super::{document, server, with};
use crate::command::s3::show;
use crate::command::s3::stores::{Failed, Stores};
use crate::command::since::parse_time;
use crate::error::{CommandError, ExitStatus};
use crate::output::clean;

pub(super) const FAMILY: &str = "s3_admin_service_account";

/// List, make, change and remove service accounts: more keys of a user, with at most its rights
#[derive(Debug, Subcommand)]
pub(super) enum ServiceAccountCommand {
    #[command(visible_alias = "ls")]
    List(ListArgs),
    /// Say what is known about a service account
    #[command(after_help = "Examples:\n  \
    hallpass s3 admin service-account info minio KEY")]
    Info(NameArgs),
    Add(Box<AddArgs>),
    Edit(Box<EditArgs>),
    /// Remove a service account
    #[command(visible_alias = "rm")]
    #[command(after_help = "Examples:\n  \
    hallpass s3 admin service-account remove minio KEY")]
    Remove(NameArgs),
}

/// List service accounts
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 admin service-account list minio --user anna")]
pub(super) struct ListArgs {
    /// The server
    alias: OsString,
    /// Those of this user [default: your own]
    #[arg(long, value_name = "USER")]
    user: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct NameArgs {
    /// The server
    alias: OsString,
    /// The account's access key
    access_key: String,
}

/// What an account may be given.
#[derive(Debug, Args)]
struct Properties {
    /// A name for people
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// When it ends, such as `2030-01-31` (midnight UTC) or `2030-01-31T12:00:00Z`
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    expires_at: Option<Timestamp>,
    /// A document that narrows its rights, JSON; `-` is stdin
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    secret: SecretKeyArgs,
}

/// Make a service account, and print its keys
///
/// The server tells the secret key this once, on stdout, and never again.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 admin service-account add minio --name ci --policy reading.json --expires-at 2030-01-31T12:00:00Z")]
pub(super) struct AddArgs {
    /// The server
    alias: OsString,
    /// For this user [default: yourself]
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Its access key [default: the server's choice]
    #[arg(long, value_name = "KEY")]
    access_key: Option<String>,
    #[command(flatten)]
    properties: Properties,
}

/// Change a service account
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 admin service-account edit minio KEY --status off\n  \
    hallpass s3 admin service-account edit minio KEY --secret-key-env NEW_SECRET")]
pub(super) struct EditArgs {
    /// The server
    alias: OsString,
    /// The account's access key
    access_key: String,
    /// Let it in, or keep it out
    #[arg(long, value_name = "STATUS")]
    status: Option<OnOff>,
    #[command(flatten)]
    properties: Properties,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OnOff {
    On,
    Off,
}

/// A service account, or what was done to one. What is not known is `null`.
#[derive(Debug, Default, Serialize)]
struct Shown {
    action: &'static str,
    access_key: String,
    secret_key: Option<String>,
    parent: Option<String>,
    status: Option<String>,
    name: Option<String>,
    description: Option<String>,
    expires_at: Option<String>,
    implied_policy: Option<bool>,
    policy: Option<String>,
}

impl Shown {
    fn of(action: &'static str, account: ServiceAccount) -> Self {
        Self {
            action,
            access_key: account.access_key,
            secret_key: None,
            parent: account.parent,
            status: account.status,
            name: account.name,
            description: account.description,
            expires_at: account.expires_at,
            implied_policy: account.implied_policy,
            policy: account.policy,
        }
    }

    fn line(&self) -> String {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let (status, end, name) = (text(&self.status), text(&self.expires_at), text(&self.name));
        clean::line(&format!("{status:<4} {:<24} until={end} of={} {name}", self.access_key, text(&self.parent)))
    }
}

/// Dispatches.
pub(super) fn service_account(stores: &Stores<'_>, command: ServiceAccountCommand) -> Result<ExitStatus, CommandError> {
    let printer = stores.printer();
    match command {
        ServiceAccountCommand::List(args) => {
            with(stores, &server(stores, &args.alias)?, "admin:ListServiceAccounts", |client| async move {
                let all = client.service_accounts(args.user.as_deref()).await?;
                let all: Vec<_> = all.into_iter().map(|account| Shown::of("list", account)).collect();
                Ok(show::all(printer, FAMILY, &all, Shown::line)?)
            })
        }
        ServiceAccountCommand::Info(args) => {
            with(stores, &server(stores, &args.alias)?, "admin:ListServiceAccounts", |client| async move {
                let shown = Shown::of("info", client.service_account(&args.access_key).await?);
                Ok(show::one(printer, FAMILY, &shown, || shown.line())?)
            })
        }
        ServiceAccountCommand::Add(args) => add(stores, *args),
        ServiceAccountCommand::Edit(args) => edit(stores, *args),
        ServiceAccountCommand::Remove(args) => {
            with(stores, &server(stores, &args.alias)?, "admin:RemoveServiceAccount", |client| async move {
                client.remove_service_account(&args.access_key).await?;
                done(stores, "remove", "removed", args.access_key)
            })
        }
    }
}

fn add(stores: &Stores<'_>, args: AddArgs) -> Result<ExitStatus, CommandError> {
    let (remote, given) = (server(stores, &args.alias)?, args.properties);
    let policy = given.policy.as_deref().map(document).transpose()?;
    let printer = stores.printer();
    with(stores, &remote, "admin:CreateServiceAccount", |client| async move {
        let new = NewServiceAccount {
            user: args.user,
            access_key: args.access_key,
            secret_key: given.secret.given(printer, None)?,
            name: given.name,
            description: given.description,
            expires_at: given.expires_at.map(|at| at.to_string()),
            policy,
        };
        let made = client.add_service_account(&new).await?;
        let shown = Shown {
            action: "add",
            access_key: made.access_key,
            secret_key: Some(made.secret_key.expose().to_owned()),
            name: new.name,
            description: new.description,
            expires_at: made.expires_at,
            ..Shown::default()
        };
        let lines = || format!("access_key  {}\nsecret_key  {}", shown.access_key, made.secret_key.expose());
        Ok(show::one(printer, FAMILY, &shown, || clean::lines(&lines()))?)
    })
}

fn edit(stores: &Stores<'_>, args: EditArgs) -> Result<ExitStatus, CommandError> {
    let (remote, given) = (server(stores, &args.alias)?, args.properties);
    let policy = given.policy.as_deref().map(document).transpose()?;
    let change = ServiceAccountChange {
        secret_key: given.secret.given(stores.printer(), None)?,
        status: args.status.map(|status| match status {
            OnOff::On => "on",
            OnOff::Off => "off",
        }),
        name: given.name,
        description: given.description,
        expires_at: given.expires_at.map(|at| at.to_string()),
        policy,
    };
    let is_any = change.secret_key.is_some()
        || change.status.is_some()
        || change.name.is_some()
        || change.description.is_some()
        || change.expires_at.is_some()
        || change.policy.is_some();
    if !is_any {
        return Err(CommandError::usage("s3.nothing_to_change", "nothing is to be changed")
            .next("see `hallpass s3 admin service-account edit --help`"));
    }
    with(stores, &remote, "admin:UpdateServiceAccount", |client| async move {
        client.edit_service_account(&args.access_key, &change).await?;
        done(stores, "edit", "changed", args.access_key)
    })
}

fn done(stores: &Stores<'_>, action: &'static str, verb: &str, access_key: String) -> Result<(), Failed> {
    let said = format!("service account `{}` {verb}", clean::line(&access_key));
    let shown = Shown { action, access_key, ..Shown::default() };
    Ok(show::done(stores.printer(), FAMILY, &shown, || said)?)
}
