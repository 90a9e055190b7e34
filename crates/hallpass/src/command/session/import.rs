//! `hallpass session import`.

use std::path::PathBuf;

use clap::Args;
use hallpass_control::import::{FileOutcome, Outcome, import as import_dir};
use serde::Serialize;

use crate::command::Context;
use crate::error::{CommandError, ErrorKind, ExitStatus};
use crate::output::{SCHEMA_VERSION, clean};

/// Take over session records from the JSON files of another tool
///
/// Nothing that comes in is alive: what is marked active becomes expired or failed. The files stay as they are.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass session import ~/.local/share/audex/sessions\n  \
    hallpass session import ./sessions --json")]
pub(crate) struct ImportArgs {
    /// Folder with `*.json` files
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

#[derive(Serialize)]
struct Imported<'a> {
    schema_version: u32,
    imported: usize,
    known: usize,
    skipped: usize,
    files: Vec<FileView<'a>>,
}

#[derive(Serialize)]
struct FileView<'a> {
    file: &'a str,
    outcome: &'static str,
    reason: Option<&'a str>,
}

/// Imports, and says what became of each file.
pub(crate) fn import(context: &Context, args: ImportArgs) -> Result<ExitStatus, CommandError> {
    if !args.dir.is_dir() {
        let message = format!("`{}` is not a folder", args.dir.display());
        return Err(CommandError::new(ErrorKind::NotFound, "import.no_folder", message)
            .next("name the folder that holds the `*.json` files"));
    }
    let store = context.store()?;
    let files = context.block_on(import_dir(&*store, &args.dir, context.now()))??;
    let views: Vec<FileView<'_>> = files.iter().map(view).collect();
    let count = |outcome| views.iter().filter(|file| file.outcome == outcome).count();
    let (imported, known, skipped) = (count("imported"), count("known"), count("skipped"));
    let printer = context.printer;
    if printer.is_json() {
        printer.json(&Imported { schema_version: SCHEMA_VERSION, imported, known, skipped, files: views })?;
    } else {
        for file in views.iter().filter(|file| file.outcome == "skipped") {
            let why = file.reason.unwrap_or_default();
            printer.warn(format_args!("{}: {}", clean::line(file.file), clean::line(why)));
        }
        printer.data(format_args!("imported {imported}, known already {known}, skipped {skipped}"))?;
    }
    if skipped > 0 {
        let message = format!("{skipped} of {} files could not be taken over", files.len());
        return Err(CommandError::new(ErrorKind::General, "import.incomplete", message)
            .next("correct the files and import again: what is known already is left alone"));
    }
    Ok(ExitStatus::Success)
}

fn view(file: &FileOutcome) -> FileView<'_> {
    let (outcome, reason) = match &file.outcome {
        Outcome::Imported => ("imported", None),
        Outcome::Known => ("known", None),
        Outcome::Skipped(why) => ("skipped", Some(why.as_str())),
    };
    FileView { file: &file.file, outcome, reason }
}
