//! `hallpass alias test`.

use clap::Args;
use hallpass_s3::alias::{Alias, CredentialsSource};
use hallpass_s3::rights::Rights;
use serde::Serialize;

use super::view::AliasInfo;
use crate::alias::credentials::{is_inside, ready};
use crate::alias::probe::{Probed, has_ended, probe};
use crate::alias::{failure, registry};
use crate::command::Context;
use crate::command::s3::borrow;
use crate::command::s3::boundary::Boundary;
use crate::error::{CommandError, ErrorKind, ExitStatus};
use crate::output::envelope;
use crate::output::time::relative;

/// Try an alias out: is there something to sign with, and does it last
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

/// Asks for the credentials, and says what was not asked.
pub(crate) fn test(context: &Context, args: TestArgs) -> Result<ExitStatus, CommandError> {
    let registry = registry(context)?;
    let alias = registry.find(&args.name).map_err(failure::of)?;
    let entry = registry.entry(&args.name).ok_or_else(|| failure::of(registry.not_found(&args.name)))?;
    if let CredentialsSource::Role(role) = &alias.credentials
        && !is_inside()
    {
        return borrow::again_inside(context, alias, role, &Rights::list_buckets());
    }
    let boundary = Boundary::new(context, entry, args.no_prune);
    let ready = ready(context, alias).map_err(|error| boundary.failed(error))?;
    let probed = probe(&ready)?.map_err(|error| boundary.failed(error))?;
    if has_ended(context, &probed) {
        // Only this machine's clock says so: nothing is removed on its word.
        return Err(CommandError::new(
            ErrorKind::Auth,
            "alias.expired",
            format!("the keys of `{}` have expired", args.name),
        )
        .next("get new temporary keys, then set the alias again; or check this machine's clock"));
    }
    show(context, AliasInfo::of(entry, context.now()), &ready.alias, &probed)?;
    Ok(ExitStatus::Success)
}

fn show(context: &Context, alias: AliasInfo, used: &Alias, probed: &Probed) -> Result<(), CommandError> {
    let (credentials, expires_at) = match probed {
        Probed::Keys(at) => ("found", *at),
        Probed::Anonymous => ("none_needed", None),
    };
    let printer = context.printer;
    if printer.is_json() {
        let credentials_expire_at = expires_at.map(|at| at.to_string());
        let reached_at = used.endpoint.clone();
        let tested = Tested { alias, credentials, credentials_expire_at, reached_at, store: "not_asked" };
        return envelope::success(printer, "alias_test", &tested);
    }
    let found = match probed {
        Probed::Keys(Some(at)) => format!("keys found, ending {}", relative(*at, context.now())),
        Probed::Keys(None) => "keys found".to_owned(),
        Probed::Anonymous => "no keys needed".to_owned(),
    };
    printer.data(format_args!("{}: {found}; the store ({}) was not asked", used.name, used.endpoint))
}
