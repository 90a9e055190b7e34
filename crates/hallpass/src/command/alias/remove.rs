//! `hallpass alias remove`.

use clap::Args;
use hallpass_s3::alias::Origin;
use serde::Serialize;

use crate::alias::{failure, file, registry};
use crate::command::Context;
use crate::error::{CommandError, ErrorKind, ExitStatus};
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
    for name in &names {
        let mut known = registry.entries().iter().filter(|entry| entry.name == *name).map(|entry| &entry.origin);
        if known.clone().any(|origin| *origin == Origin::File) {
            continue;
        }
        return Err(match known.next() {
            None => failure::of(registry.not_found(name)),
            Some(Origin::Environment(variable)) => {
                let message = format!("the alias `{name}` comes from the variable {variable}");
                CommandError::new(ErrorKind::Conflict, "alias.not_in_file", message).next(format!("unset {variable}"))
            }
            Some(_) => {
                let message = format!("the alias `{name}` is built in");
                CommandError::new(ErrorKind::Conflict, "alias.not_in_file", message).next("it cannot be removed")
            }
        });
    }
    let removed = file(context)?.edit(|change| names.iter().try_for_each(|name| change.remove(name).map(drop)));
    removed.map_err(failure::of)?;
    if context.printer.is_json() {
        envelope::success(context.printer, "alias_remove", &Removed { removed: &names })?;
    } else {
        context.printer.say(format_args!("removed {}", names.join(", ")));
    }
    Ok(ExitStatus::Success)
}
