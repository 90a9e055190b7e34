//! `hallpass alias list`.

use clap::Args;
use serde::Serialize;

use super::view::{AliasInfo, row};
use crate::alias::registry;
use crate::command::Context;
use crate::error::{CommandError, ExitStatus};
use crate::output::envelope;
use crate::output::table::Table;

/// List every alias, where it comes from, and how long it lasts
///
/// Variables (`HALLPASS_HOST_<NAME>`, `MC_HOST_<NAME>`, `RC_HOST_<NAME>`) come before the configuration file, and what
/// they hide is marked `shadowed`. An alias that cannot be used is listed with the reason. Secrets are never shown.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass alias list\n  \
    hallpass alias list --json | jq -r '.data.aliases[].name'")]
pub(crate) struct ListArgs {}

#[derive(Serialize)]
struct Listed {
    aliases: Vec<AliasInfo>,
}

/// Prints them.
pub(crate) fn list(context: &Context, _args: ListArgs) -> Result<ExitStatus, CommandError> {
    let (registry, now, printer) = (registry(context)?, context.now(), context.printer);
    if printer.is_json() {
        let aliases = registry.entries().iter().map(|entry| AliasInfo::of(entry, now)).collect();
        envelope::success(printer, "alias_list", &Listed { aliases })?;
        return Ok(ExitStatus::Success);
    }
    let mut table = Table::new(&["NAME", "KIND", "ENDPOINT", "REGION", "TOKEN", "EXPIRES", "ORIGIN", ""]);
    registry.entries().iter().for_each(|entry| table.row(row(entry, now)));
    printer.data(table.render(printer))?;
    Ok(ExitStatus::Success)
}
