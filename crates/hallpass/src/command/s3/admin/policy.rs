//! `hallpass s3 admin policy`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use hallpass_s3::admin::policy::Holder;
use serde::Serialize;
use serde_json::Value;

use super::{document, server, with};
use crate::command::s3::show;
use crate::command::s3::stores::{Failed, Stores};
use crate::error::{CommandError, ExitStatus};
use crate::output::clean;

pub(super) const FAMILY: &str = "s3_admin_policy";

/// List, make, attach and remove policies
#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    #[command(visible_alias = "ls")]
    List(ListArgs),
    /// Show a policy
    #[command(after_help = "Examples:\n  \
    hallpass s3 admin policy info minio readwrite > readwrite.json")]
    Info(NameArgs),
    Create(CreateArgs),
    /// Remove a policy
    #[command(visible_alias = "rm")]
    #[command(after_help = "Examples:\n  \
    hallpass s3 admin policy remove minio reading")]
    Remove(NameArgs),
    /// Attach policies to a user or a group
    #[command(after_help = "Examples:\n  \
    hallpass s3 admin policy attach minio reading --user anna\n  \
    hallpass s3 admin policy attach minio reading writing --group team")]
    Attach(HolderArgs),
    /// Detach policies from a user or a group
    #[command(after_help = "Examples:\n  \
    hallpass s3 admin policy detach minio reading --user anna")]
    Detach(HolderArgs),
}

/// List policies
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 admin policy list minio")]
pub(super) struct ListArgs {
    /// The server
    alias: OsString,
}

#[derive(Debug, Args)]
pub(super) struct NameArgs {
    /// The server
    alias: OsString,
    /// The policy
    name: String,
}

/// Make a policy, or replace the one of that name
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 admin policy create minio reading reading.json\n  \
    hallpass policy compile --allow s3:GetObject --resource 'arn:aws:s3:::data/*' | hallpass s3 admin policy create minio reading -")]
pub(super) struct CreateArgs {
    /// The server
    alias: OsString,
    /// The policy
    name: String,
    /// The document, JSON; `-` is stdin
    file: PathBuf,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("holder").required(true))]
pub(super) struct HolderArgs {
    /// The server
    alias: OsString,
    /// The policies
    #[arg(required = true)]
    policies: Vec<String>,
    /// A user, by access key
    #[arg(long, group = "holder", value_name = "USER")]
    user: Option<String>,
    /// A group
    #[arg(long, group = "holder", value_name = "GROUP")]
    group: Option<String>,
}

impl HolderArgs {
    fn holder(&self) -> Holder<'_> {
        match (&self.user, &self.group) {
            (Some(user), _) => Holder::User(user),
            (None, group) => Holder::Group(group.as_deref().unwrap_or_default()),
        }
    }
}

/// A policy, or what was done to one. What is not known is `null`.
#[derive(Debug, Default, Serialize)]
struct Shown {
    action: &'static str,
    name: String,
    document: Option<Value>,
    created_at: Option<String>,
    updated_at: Option<String>,
    user: Option<String>,
    group: Option<String>,
}

/// Dispatches.
pub(super) fn policy(stores: &Stores<'_>, command: PolicyCommand) -> Result<ExitStatus, CommandError> {
    let printer = stores.printer();
    match command {
        PolicyCommand::List(args) => {
            with(stores, &server(stores, &args.alias)?, "admin:ListUserPolicies", |client| async move {
                let named = |name| Shown { action: "list", name, ..Shown::default() };
                let all: Vec<_> = client.policies().await?.into_iter().map(named).collect();
                Ok(show::all(printer, FAMILY, &all, |policy| clean::line(&policy.name))?)
            })
        }
        PolicyCommand::Info(args) => {
            with(stores, &server(stores, &args.alias)?, "admin:GetPolicy", |client| async move {
                let policy = client.policy(&args.name).await?;
                let text = clean::json(format!("{:#}", policy.document));
                let (created_at, updated_at) = (policy.created_at, policy.updated_at);
                let document = Some(policy.document);
                let shown =
                    Shown { action: "info", name: policy.name, document, created_at, updated_at, ..Shown::default() };
                Ok(show::one(printer, FAMILY, &shown, || text)?)
            })
        }
        PolicyCommand::Create(args) => {
            let (remote, document) = (server(stores, &args.alias)?, document(&args.file)?);
            with(stores, &remote, "admin:CreatePolicy", |client| async move {
                client.set_policy(&args.name, &document).await?;
                done(stores, "create", "set", args.name)
            })
        }
        PolicyCommand::Remove(args) => {
            with(stores, &server(stores, &args.alias)?, "admin:DeletePolicy", |client| async move {
                client.remove_policy(&args.name).await?;
                done(stores, "remove", "removed", args.name)
            })
        }
        PolicyCommand::Attach(args) => associate(stores, args, true),
        PolicyCommand::Detach(args) => associate(stores, args, false),
    }
}

fn associate(stores: &Stores<'_>, args: HolderArgs, attach: bool) -> Result<ExitStatus, CommandError> {
    let remote = server(stores, &args.alias)?;
    with(stores, &remote, "admin:UpdatePolicyAssociation", |client| async move {
        let changed = match attach {
            true => client.attach(&args.policies, args.holder()).await?,
            false => client.detach(&args.policies, args.holder()).await?,
        };
        let action = if attach { "attach" } else { "detach" };
        for name in changed {
            let said = format!("policy `{}` {action}ed", clean::line(&name));
            let (user, group) = (args.user.clone(), args.group.clone());
            let shown = Shown { action, name, user, group, ..Shown::default() };
            show::done(stores.printer(), FAMILY, &shown, || said)?;
        }
        Ok(())
    })
}

fn done(stores: &Stores<'_>, action: &'static str, verb: &str, name: String) -> Result<(), Failed> {
    let said = format!("policy `{}` {verb}", clean::line(&name));
    let shown = Shown { action, name, ..Shown::default() };
    Ok(show::done(stores.printer(), FAMILY, &shown, || said)?)
}
