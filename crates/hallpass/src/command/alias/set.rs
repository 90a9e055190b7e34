//! `hallpass alias set`.

use clap::{ArgGroup, Args};
use hallpass_core::clock::Clock;
use hallpass_s3::alias::{
    Addressing, Alias, CredentialsSource, Origin, StaticCredentials, check_name, normalise_endpoint,
};
use jiff::Timestamp;
use serde::Serialize;

use super::view::AliasInfo;
use crate::alias::credentials::ready;
use crate::alias::probe::{StoreSays, probe};
use crate::alias::secrets::{Argument, SecretArgs};
use crate::alias::{failure, file, registry};
use crate::command::Context;
use crate::command::since::parse_time;
use crate::error::{CommandError, ExitStatus};
use crate::output::envelope;

/// Name a store, and say what signs for it
///
/// The alias goes into your own configuration file, for you alone (mode 0600). Keys are asked for on a terminal; in
/// scripts they come from stdin, files or variables. Borrowed credentials (`--session`, `--role`, `--profile`,
/// `--credential-process`) are not kept: they are asked for when they are needed, and renewed.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("kind").multiple(false),
    after_help = "Examples:\n  \
    hallpass alias set minio http://127.0.0.1:9000 minioadmin\n  \
    printf '%s\\n%s\\n' \"$SECRET\" \"$TOKEN\" | hallpass alias set ci https://s3.example.com \"$KEY\" --secrets-stdin\n  \
    hallpass alias set lake https://s3.eu-west-1.amazonaws.com --region eu-west-1 --profile analyst\n  \
    hallpass alias set open https://data.example.org --anonymous"
)]
pub(crate) struct SetArgs {
    /// The alias: 1 to 64 letters, digits, `-` or `_`
    name: String,
    /// Where the store is, such as `https://s3.example.com:9000`
    url: String,
    /// Access key id
    #[arg(group = "kind")]
    access_key: Option<String>,
    /// Secret key; everybody on this machine can see it in `ps`
    #[arg(requires = "access_key")]
    secret_key: Option<Argument>,
    #[command(flatten)]
    secrets: SecretArgs,
    /// When temporary keys end, such as `2030-01-31` (midnight UTC) or `2030-01-31T12:00:00Z`
    #[arg(long, value_name = "TIME", value_parser = parse_time, conflicts_with_all = ["session", "role", "profile", "credential_process",
        "anonymous"])]
    expires_at: Option<Timestamp>,
    /// Borrow from a running session
    #[arg(long, value_name = "SESSION", group = "kind", help_heading = "Borrowed credentials")]
    session: Option<String>,
    /// Borrow this role for each command, with only the rights that the command needs
    #[arg(long, value_name = "ROLE", group = "kind", help_heading = "Borrowed credentials")]
    role: Option<String>,
    /// Use a profile of the AWS files
    #[arg(long, value_name = "PROFILE", group = "kind", help_heading = "Borrowed credentials")]
    profile: Option<String>,
    /// Run this program, which prints keys as `credential_process` of the AWS files does
    #[arg(long, value_name = "COMMAND", group = "kind", help_heading = "Borrowed credentials")]
    credential_process: Option<String>,
    /// Do not sign requests
    #[arg(long, group = "kind")]
    anonymous: bool,
    /// Region to sign for
    #[arg(long, value_name = "REGION", default_value = "us-east-1")]
    region: String,
    /// Put bucket names into the path [default: except on AWS]
    #[arg(long, conflicts_with = "virtual_host")]
    path_style: bool,
    /// Put bucket names into the host name
    #[arg(long)]
    virtual_host: bool,
    /// Do not ask the store whether it accepts the keys
    #[arg(long)]
    no_check: bool,
}

#[derive(Serialize)]
struct SetAnswer {
    alias: AliasInfo,
    replaced: bool,
    shadowed_by: Option<String>,
}

/// Writes the alias.
pub(crate) fn set(context: &Context, args: SetArgs) -> Result<ExitStatus, CommandError> {
    check_name(&args.name).map_err(failure::of)?;
    let no_check = args.no_check;
    let alias = args.alias(context)?;
    alias.check().map_err(failure::of)?;
    let says = if no_check { None } else { check(context, &alias)? };
    let replaced = file(context)?.edit(|change| change.set(&alias)).map_err(failure::of)?;
    let registry = registry(context)?;
    let shadowed_by = registry.entry(&alias.name).and_then(|entry| match &entry.origin {
        Origin::Environment(variable) => Some(variable.clone()),
        Origin::File | Origin::BuiltIn => None,
    });
    let printer = context.printer;
    if let Some(variable) = &shadowed_by {
        printer.warn(format_args!("the variable {variable} hides the alias `{}` that was set", alias.name));
    }
    if printer.is_json() {
        let answer = SetAnswer { alias: AliasInfo::of_alias(&alias, context.now()), replaced, shadowed_by };
        envelope::success(printer, "alias_set", &answer)?;
    } else {
        let verb = if replaced { "changed" } else { "set" };
        let asked = says.map_or("was not asked", StoreSays::sentence);
        printer.say(format_args!("alias `{}` {verb}; the store {asked}", alias.name));
    }
    Ok(ExitStatus::Success)
}

/// Keys that the store refuses are found out now, and so is a store that is not there. What can be borrowed only later is
/// taken as it is.
fn check(context: &Context, alias: &Alias) -> Result<Option<StoreSays>, CommandError> {
    if matches!(alias.credentials, CredentialsSource::Role(_) | CredentialsSource::Session(_)) {
        return Ok(None);
    }
    let ready = ready(context, alias).map_err(failure::of)?;
    match probe(context, &ready)? {
        Ok(probed) => Ok(Some(probed.store)),
        Err(error) => Err(failure::of(error).next("correct it, or pass `--no-check` to set the alias all the same")),
    }
}

impl SetArgs {
    fn alias(self, context: &Context) -> Result<Alias, CommandError> {
        let endpoint = normalise_endpoint(&self.url).map_err(failure::of)?;
        let addressing = match (self.path_style, self.virtual_host) {
            (true, _) => Addressing::Path,
            (_, true) => Addressing::VirtualHost,
            _ => Addressing::Auto,
        };
        let borrowed = self
            .session
            .map(CredentialsSource::Session)
            .or_else(|| self.role.map(CredentialsSource::Role))
            .or_else(|| self.profile.map(CredentialsSource::Profile))
            .or_else(|| self.credential_process.map(CredentialsSource::Process))
            .or_else(|| self.anonymous.then_some(CredentialsSource::Anonymous));
        let credentials = match borrowed {
            Some(_) if self.secrets.is_any() => {
                return Err(CommandError::usage("alias.two_kinds", "keys were given, and another sort of credentials")
                    .next("choose one of them"));
            }
            Some(borrowed) => borrowed,
            None => {
                let found = self.secrets.found(context.printer, self.access_key, self.secret_key)?;
                CredentialsSource::Static(StaticCredentials {
                    access_key_id: found.access_key,
                    secret_access_key: found.secret_key,
                    session_token: found.session_token,
                    expires_at: checked_expiry(self.expires_at, &*context.clock())?,
                })
            }
        };
        Ok(Alias { name: self.name, endpoint, region: self.region, addressing, credentials })
    }
}

fn checked_expiry(at: Option<Timestamp>, clock: &dyn Clock) -> Result<Option<Timestamp>, CommandError> {
    match at {
        Some(past) if past <= clock.now() => {
            Err(CommandError::usage("alias.expired", format!("`--expires-at {past}` has passed"))
                .next("get new temporary keys"))
        }
        at => Ok(at),
    }
}
