//! `hallpass s3 admin`: users, policies, groups, service accounts and the server, where it is compatible with MinIO.

mod group;
mod heal;
mod info;
mod policy;
mod secret;
mod service_account;
mod user;

use std::ffi::OsStr;

use clap::{Args, Subcommand};
use hallpass_s3::admin::AdminClient;
use hallpass_s3::alias::CredentialsSource;
use hallpass_s3::error::S3Error;
use hallpass_s3::rights::Rights;
use hallpass_s3::target::Remote;

use super::stores::{Failed, Stores};
use crate::alias::{credentials, failure};
use crate::error::{CommandError, ErrorKind, ExitStatus};

/// Manage a server that is compatible with MinIO
///
/// Requests are signed with the alias's keys and session token. What holds secrets travels encrypted, over plain HTTP as
/// well. A store without such an API is exit status 7.
#[derive(Debug, Args)]
pub(crate) struct AdminArgs {
    #[command(subcommand)]
    command: AdminCommand,
}

#[derive(Debug, Subcommand)]
enum AdminCommand {
    #[command(subcommand)]
    User(user::UserCommand),
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    #[command(subcommand)]
    Group(group::GroupCommand),
    #[command(subcommand, visible_alias = "accesskey")]
    ServiceAccount(service_account::ServiceAccountCommand),
    Info(info::InfoArgs),
    Heal(heal::HealArgs),
}

impl AdminArgs {
    /// What its JSON is called.
    pub(super) fn family(&self) -> &'static str {
        match &self.command {
            AdminCommand::User(_) => user::FAMILY,
            AdminCommand::Policy(_) => policy::FAMILY,
            AdminCommand::Group(_) => group::FAMILY,
            AdminCommand::ServiceAccount(_) => service_account::FAMILY,
            AdminCommand::Info(_) => info::FAMILY,
            AdminCommand::Heal(_) => heal::FAMILY,
        }
    }
}

/// Dispatches.
pub(super) fn admin(stores: &Stores<'_>, args: AdminArgs) -> Result<ExitStatus, CommandError> {
    match args.command {
        AdminCommand::User(command) => user::user(stores, command),
        AdminCommand::Policy(command) => policy::policy(stores, command),
        AdminCommand::Group(command) => group::group(stores, command),
        AdminCommand::ServiceAccount(command) => service_account::service_account(stores, command),
        AdminCommand::Info(args) => info::info(stores, &args),
        AdminCommand::Heal(args) => heal::heal(stores, &args),
    }
}

/// The server that an argument names: an alias, and nothing below it.
fn server(stores: &Stores<'_>, path: &OsStr) -> Result<Remote, CommandError> {
    // A bare word is an alias here, and never a file.
    let remote = stores.remote(path)?;
    if remote.bucket.is_empty() {
        return Ok(remote);
    }
    let message = format!("`{}/{}` is more than an alias", remote.alias, crate::output::clean::line(&remote.bucket));
    Err(CommandError::usage("s3.not_an_alias", message).next(format!("write `{}`", remote.alias)))
}

/// Has something done at the server. `action`: the right that it takes there (MinIO, "Access management", `admin:*`).
fn with<F>(
    stores: &Stores<'_>,
    remote: &Remote,
    action: &'static str,
    work: impl FnOnce(AdminClient) -> F,
) -> Result<ExitStatus, CommandError>
where
    F: Future<Output = Result<(), Failed>>,
{
    let alias = stores.alias(&remote.alias).map_err(failure::of)?;
    if matches!(alias.credentials, CredentialsSource::Role(_) | CredentialsSource::Session(_)) {
        let message = format!("the alias `{}` borrows from AWS, which has no such API", alias.name);
        return Err(CommandError::new(ErrorKind::Unsupported, "s3.no_admin_api", message)
            .next("use an alias with keys of the server"));
    }
    let rights = Rights { actions: vec![action], resources: vec!["*".to_owned()] };
    if let Some(status) = stores.settled(&[(remote, rights)])? {
        return Ok(status);
    }
    let client = credentials::ready(stores.context, alias).and_then(|ready| {
        let options = stores.options()?;
        AdminClient::new(&ready.alias, ready.credentials, options)
    });
    let client = client.map_err(|error: S3Error| stores.failed(error))?;
    stores.run(work(client))?;
    Ok(ExitStatus::Success)
}

/// The policy document in a file; `-` is stdin.
fn document(path: &std::path::Path) -> Result<serde_json::Value, CommandError> {
    use std::io::Read;
    let shown = path.display();
    let unreadable = |error: std::io::Error| {
        let missing = error.kind() == std::io::ErrorKind::NotFound;
        let kind = if missing { ErrorKind::NotFound } else { ErrorKind::General };
        CommandError::new(kind, "s3.policy_file", format!("`{shown}` cannot be read")).because(&error)
    };
    let mut text = String::new();
    let limit = hallpass_core::limits::S3_ERROR_BYTES_MAX as u64;
    let source: Box<dyn Read> = match path.as_os_str() == "-" {
        true => Box::new(std::io::stdin().lock()),
        false => Box::new(std::fs::File::open(path).map_err(unreadable)?),
    };
    source.take(limit + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > limit {
        return Err(CommandError::usage("s3.policy_file", format!("`{shown}` has more than {limit} bytes")));
    }
    match serde_json::from_str(&text) {
        Ok(value @ serde_json::Value::Object(_)) => Ok(value),
        Ok(_) => Err(CommandError::usage("s3.policy_file", format!("`{shown}` holds no JSON object"))
            .next("a policy is an object with `Version` and `Statement`")),
        Err(error) => Err(CommandError::usage("s3.policy_file", format!("`{shown}` is no JSON")).because(&error)),
    }
}
