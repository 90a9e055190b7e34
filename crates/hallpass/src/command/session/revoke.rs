//! `hallpass session revoke`.

use std::io::{self, BufRead, IsTerminal, Write};

use clap::Args;
use hallpass_control::Store;
use hallpass_control::store::{Record, Transition};
use hallpass_core::audit::Event;
use hallpass_core::provider::{Provider, Revoked};
use hallpass_core::session::{Revocation, SessionEvent};
use hallpass_providers::aws::{AwsOptions, AwsProvider};
use serde::Serialize;

use super::find::{find, not_found};
use super::kill;
use crate::command::Context;
use crate::environment;
use crate::error::{CommandError, ErrorKind, ExitStatus};
use crate::output::{Paint, SCHEMA_VERSION, clean};

/// End a session, and take back the credential that left the gate
///
/// A session in `proxy` delivery is taken back at once, because its credential never left. One that was handed out
/// (`env`, `file`, `credential-endpoint`) can only be denied at its role, which ends every session of that role that
/// was issued before now; what is printed says how far it reached.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass session revoke 3f2a91c0\n  \
    hallpass session revoke 3f2a91c0 --yes --json")]
pub(crate) struct RevokeArgs {
    /// The session: its id, or at least four characters of its beginning
    #[arg(value_name = "SESSION")]
    session: String,
    /// Do not ask before a denial that reaches other sessions of the role
    #[arg(short, long)]
    yes: bool,
}

#[derive(Serialize)]
struct Taken<'a> {
    schema_version: u32,
    session: &'a str,
    status: &'a str,
    reach: &'static str,
    detail: &'a str,
}

/// Ends the session, then takes back what left, and says how far that reached.
pub(crate) fn revoke(context: &Context, args: RevokeArgs) -> Result<ExitStatus, CommandError> {
    if !context.has_store()? {
        return Err(not_found(&args.session));
    }
    let store = context.store_for_kill()?;
    let record = find(context, &*store, &args.session)?;
    let left = record.session.delivery.exposes_real_credential();
    if left && !args.yes {
        confirm(&record)?;
    }
    let report = kill::end(context, &*store, &record)?;
    if !context.printer.is_json() {
        kill::print(context, &report)?;
    }
    let revoked = if left { take_back(context, &*store, &record)? } else { never_left() };
    print(context, &record, &report.status, &revoked)?;
    match revoked.reach {
        Revocation::Instant | Revocation::RoleWide => Ok(ExitStatus::Success),
        Revocation::OnExpiry => Err(still_valid(&record)),
    }
}

/// Nothing took the credential back, and a script must not believe that something did.
fn still_valid(record: &Record) -> CommandError {
    let message = format!("the credential that left stays valid until {:.0}", record.session.expires_at);
    CommandError::new(ErrorKind::Unsupported, "revoke.on_expiry", message)
        .next("have somebody who may change the role deny it there")
}

fn never_left() -> Revoked {
    let detail = "its credential never left the gate, which refuses every request".to_owned();
    Revoked { reach: Revocation::Instant, detail }
}

/// Asks the cloud, and records what that achieved.
fn take_back(context: &Context, store: &dyn Store, record: &Record) -> Result<Revoked, CommandError> {
    let provider = AwsProvider::new(options(context, record)?, context.clock());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let revoked = runtime.block_on(provider.revoke(&record.session)).map_err(|error| {
        CommandError::from(error).next("the credential stays valid until it expires; deny it at the role by hand")
    })?;
    let event = Event::CredentialsRevoked { reach: revoked.reach, detail: revoked.detail.clone() };
    let id = record.session.id.clone();
    let change =
        Transition { events: vec![event], ..Transition::new(id, SessionEvent::Revoke, context.now(), "revoked") };
    context.block_on(store.transition(change))??;
    Ok(revoked)
}

fn options(context: &Context, record: &Record) -> Result<AwsOptions, CommandError> {
    let aws = &context.config()?.aws;
    let text = |value: &Option<crate::config::Located<String>>| value.as_ref().map(|v| v.value.clone());
    // What is not text is no variable of the SDK's.
    let pairs = environment::all().filter_map(|(k, v)| Some((k.to_str()?.to_owned(), v.to_str()?.to_owned())));
    Ok(AwsOptions {
        environment: pairs.collect(),
        profile: text(&aws.profile),
        region: record.session.region.clone(),
        endpoint_url: text(&aws.endpoint_url),
        sts_endpoint_url: text(&aws.sts_endpoint_url),
        external_id: text(&aws.external_id),
        source_identity: text(&aws.source_identity),
    })
}

fn confirm(record: &Record) -> Result<(), CommandError> {
    let refused = |message: &str| {
        CommandError::usage("revoke.not_confirmed", message)
            .next("pass `--yes`; `hallpass session kill` ends this session's own processes only")
    };
    if !io::stdin().is_terminal() {
        return Err(refused("the denial may reach other sessions of the role, and nobody is here to confirm"));
    }
    let role = clean::line(&record.session.role_arn);
    write!(io::stderr().lock(), "deny every session of `{role}` that was issued before now? [y/N] ")?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(CommandError::new(ErrorKind::Interrupted, "revoke.declined", "nothing was revoked")),
    }
}

fn print(context: &Context, record: &Record, status: &str, revoked: &Revoked) -> Result<(), CommandError> {
    let printer = context.printer;
    let reach = revoked.reach.as_str();
    if printer.is_json() {
        let (session, detail) = (record.session.id.as_str(), revoked.detail.as_str());
        return printer.json(&Taken { schema_version: SCHEMA_VERSION, session, status, reach, detail });
    }
    let paint = match revoked.reach {
        Revocation::Instant | Revocation::RoleWide => Paint::Good,
        Revocation::OnExpiry => Paint::Warn,
    };
    printer.data(format_args!("{}  {}", printer.paint(paint, reach), clean::line(&revoked.detail)))
}
