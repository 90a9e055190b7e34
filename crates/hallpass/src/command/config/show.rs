//! `hallpass config show`.

use clap::Args;
use serde::Serialize;

use crate::command::Context;
use crate::config::Entry;
use crate::error::{CommandError, ExitStatus};
use crate::output::table::Table;
use crate::output::{SCHEMA_VERSION, clean};

/// Show the settings in force
///
/// Strongest first: flag, variable, project (`hallpass.toml`), user (`config.toml`), default. A project's file can
/// only narrow.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass config show\n  \
    hallpass config show --origin\n  \
    hallpass config show --json")]
pub(crate) struct ShowArgs {
    /// Also show where each value came from
    #[arg(long)]
    origin: bool,
}

#[derive(Serialize)]
struct Shown<'a> {
    schema_version: u32,
    settings: Vec<Setting<'a>>,
}

#[derive(Serialize)]
struct Setting<'a> {
    key: &'a str,
    value: Option<&'a str>,
    layer: &'static str,
    origin: String,
}

/// Prints every setting.
pub(crate) fn show(context: &Context, args: ShowArgs) -> Result<ExitStatus, CommandError> {
    let entries = context.config()?.entries();
    let printer = context.printer;
    if printer.is_json() {
        let settings = entries.iter().map(setting).collect();
        printer.json(&Shown { schema_version: SCHEMA_VERSION, settings })?;
        return Ok(ExitStatus::Success);
    }
    let text = if args.origin { with_origin(&entries).render(printer) } else { plain(&entries) };
    printer.data(text)?;
    Ok(ExitStatus::Success)
}

fn setting(entry: &Entry) -> Setting<'_> {
    let (value, origin) = (entry.value.as_deref(), entry.origin.to_string());
    Setting { key: &entry.key, value, layer: entry.origin.layer(), origin }
}

fn with_origin(entries: &[Entry]) -> Table {
    let mut table = Table::new(&["KEY", "VALUE", "ORIGIN"]);
    for entry in entries {
        table.row(vec![
            entry.key.clone(),
            entry.value.clone().unwrap_or_else(|| "-".to_owned()),
            entry.origin.to_string(),
        ]);
    }
    table
}

fn plain(entries: &[Entry]) -> String {
    let set =
        entries.iter().filter_map(|entry| Some(format!("{} = {}", entry.key, clean::line(entry.value.as_ref()?))));
    set.collect::<Vec<_>>().join("\n")
}
