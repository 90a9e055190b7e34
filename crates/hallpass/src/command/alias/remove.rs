//! `hallpass alias remove`.

use clap::Args;
use serde::Serialize;

use super::owned;
use crate::alias::{failure, file, registry};
use crate::command::Context;
use crate::error::{CommandError, ExitStatus};
use crate::output::envelope;

/// Remove aliases from the configuration file
///
/// All of them or none: a name that is not there changes nothing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass alias remove minio\n  \
    hallpass alias remove old-1 old-2")]
pub(crate) struct RemoveArgs {
    /// Which ones
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
}

#[derive(Serialize)]
struct Removed<'a> {
    removed: &'a [String],
}

/// Removes them.
pub(crate) fn remove(context: &Context, args: RemoveArgs) -> Result<ExitStatus, CommandError> {
    let mut names = args.names;
    names.sort_unstable();
    names.dedup();
    let registry = registry(context)?;
    names.iter().try_for_each(|name| owned::check(&registry, name))?;
    let removed = file(context)?.edit(|change| names.iter().try_for_each(|name| change.remove(name).map(drop)));
    removed.map_err(failure::of)?;
    if context.printer.is_json() {
        envelope::success(context.printer, "alias_remove", &Removed { removed: &names })?;
    } else {
        context.printer.say(format_args!("removed {}", names.join(", ")));
    }
    Ok(ExitStatus::Success)
}
