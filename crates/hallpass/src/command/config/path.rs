//! `hallpass config path`.

use std::path::Path;

use clap::Args;
use serde::Serialize;

use crate::command::Context;
use crate::error::{CommandError, ExitStatus};
use crate::output::SCHEMA_VERSION;
use crate::output::table::Table;

/// Show which files and folders are used
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass config path\n  \
    $EDITOR \"$(hallpass config path --json | jq -r .user.path)\"")]
pub(crate) struct PathArgs {}

#[derive(Serialize)]
struct Paths {
    schema_version: u32,
    user: Option<Place>,
    project: Option<Place>,
    state: Place,
}

#[derive(Serialize)]
struct Place {
    path: String,
    exists: bool,
}

/// Prints the user's file, the project's, and the state folder.
pub(crate) fn path(context: &Context, _args: PathArgs) -> Result<ExitStatus, CommandError> {
    let files = context.config_files();
    let paths = Paths {
        schema_version: SCHEMA_VERSION,
        user: files.user.as_deref().map(place),
        project: files.project.as_deref().map(place),
        state: place(&context.state_dir()?),
    };
    let printer = context.printer;
    if printer.is_json() {
        printer.json(&paths)?;
        return Ok(ExitStatus::Success);
    }
    let state = Some(paths.state);
    let mut table = Table::new(&["WHAT", "PATH", "EXISTS"]);
    for (what, place) in [("user", &paths.user), ("project", &paths.project), ("state", &state)] {
        let (path, exists) = place.as_ref().map_or(("-", false), |place| (place.path.as_str(), place.exists));
        table.row(vec![what.to_owned(), path.to_owned(), if exists { "yes" } else { "no" }.to_owned()]);
    }
    printer.data(table.render(printer))?;
    Ok(ExitStatus::Success)
}

fn place(path: &Path) -> Place {
    Place { path: path.display().to_string(), exists: path.exists() }
}
