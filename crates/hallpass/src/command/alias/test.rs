//! `hallpass alias test`.

use clap::Args;
use hallpass_s3::alias::{Alias, CredentialsSource};
use hallpass_s3::rights::Rights;
use serde::Serialize;

use super::view::AliasInfo;
use crate::alias::credentials::{is_inside, ready};
use crate::alias::probe::{Keys, Probed, has_ended, probe};
use crate::alias::{failure, registry};
use crate::command::Context;
use crate::command::s3::borrow;
use crate::command::s3::boundary::Boundary;
use crate::error::{CommandError, ExitStatus};
use crate::output::envelope;
use crate::output::time::relative;

/// Try an alias out: is there something to sign with, and does the store accept it
///
/// The store is asked for the names of its buckets. "Access denied" is a good answer: it knows the keys.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass alias test minio\n  \
    hallpass alias test lake --json")]
pub(crate) struct TestArgs {
    /// The alias
    name: String,
    /// Keep an alias whose session token has expired
    #[arg(long)]
    no_prune: bool,
}

#[derive(Serialize)]
struct Tested {
    alias: AliasInfo,
    credentials: &'static str,
    credentials_expire_at: Option<String>,
    reached_at: String,
    store: &'static str,
}

/// Asks for the credentials, then the store.
pub(crate) fn test(context: &Context, args: TestArgs) -> Result<ExitStatus, CommandError> {
    let registry = registry(context)?;
    let alias = registry.find(&args.name).map_err(failure::of)?;
    let entry = registry.entry(&args.name).ok_or_else(|| failure::of(registry.not_found(&args.name)))?;
    if let CredentialsSource::Role(role) = &alias.credentials
        && !is_inside()
    {
        return borrow::again_inside(context, alias, role, &[Rights::list_buckets()]);
    }
    let boundary = Boundary::new(context, entry, args.no_prune);
    let ready = ready(context, alias).map_err(|error| boundary.failed(error))?;
    let probed = probe(context, &ready)?.map_err(|error| boundary.failed(error))?;
    if let Keys::Found(expires_at) = probed.keys
        && has_ended(context, expires_at)
    {
        // The store takes them, and only this machine's clock says otherwise.
        context.printer.warn("by this machine's clock these keys have expired: is it right?");
    }
    show(context, AliasInfo::of(entry, context.now()), &ready.alias, &probed)?;
    Ok(ExitStatus::Success)
}

fn show(context: &Context, alias: AliasInfo, used: &Alias, probed: &Probed) -> Result<(), CommandError> {
    let (credentials, expires_at) = match probed.keys {
        Keys::Found(at) => ("found", at),
        Keys::NotNeeded => ("none_needed", None),
    };
    let printer = context.printer;
    if printer.is_json() {
        let credentials_expire_at = expires_at.map(|at| at.to_string());
        let reached_at = used.endpoint.clone();
        let tested = Tested { alias, credentials, credentials_expire_at, reached_at, store: probed.store.as_str() };
        return envelope::success(printer, "alias_test", &tested);
    }
    let found = match probed.keys {
        Keys::Found(Some(at)) => format!("keys found, ending {}", relative(at, context.now())),
        Keys::Found(None) => "keys found".to_owned(),
        Keys::NotNeeded => "no keys needed".to_owned(),
    };
    printer.data(format_args!("{}: {found}; the store ({}) {}", used.name, used.endpoint, probed.store.sentence()))
}
