//! `hallpass alias rename`.

use clap::Args;
use hallpass_s3::alias::check_name;
use serde::Serialize;

use super::owned;
use crate::alias::{failure, file, registry};
use crate::command::Context;
use crate::error::{CommandError, ExitStatus};
use crate::output::envelope;

/// Give an alias of the configuration file another name
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  hallpass alias rename minio minio-old")]
pub(crate) struct RenameArgs {
    /// The alias
    #[arg(value_name = "NAME")]
    from: String,
    /// Its new name
    #[arg(value_name = "NEW_NAME")]
    to: String,
}

#[derive(Serialize)]
struct Renamed<'a> {
    from: &'a str,
    to: &'a str,
}

/// Renames it; a name that is taken stays taken.
pub(crate) fn rename(context: &Context, args: RenameArgs) -> Result<ExitStatus, CommandError> {
    let RenameArgs { from, to } = args;
    check_name(&to).map_err(failure::of)?;
    let registry = registry(context)?;
    owned::check(&registry, &from)?;
    let renamed = file(context)?.edit(|change| change.rename(&from, &to)).map_err(failure::of)?;
    if !renamed {
        // Somebody else has removed it in this moment.
        return Err(failure::of(registry.not_found(&from)));
    }
    if context.printer.is_json() {
        envelope::success(context.printer, "alias_rename", &Renamed { from: &from, to: &to })?;
    } else {
        context.printer.say(format_args!("alias `{from}` is now `{to}`"));
    }
    Ok(ExitStatus::Success)
}
