//! `hallpass alias import`.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use clap::Args;
use hallpass_core::limits::CONFIG_BYTES_MAX;
use hallpass_s3::alias::{self as s3, Alias};
use hallpass_s3::error::{ErrorKind as Sort, S3Error};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::alias::{failure, file};
use crate::command::Context;
use crate::error::{CommandError, ErrorKind, ExitStatus};
use crate::output::envelope;

/// Read aliases from a file: our own export, `config.toml` of rc, or `config.json` of mc
///
/// An alias that cannot be used here is skipped, and the reason is said. When a name is taken, nothing is imported
/// unless `--force` says that the old ones may go.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass alias import ~/.mc/config.json\n  \
    hallpass alias import ~/.config/rc/config.toml --force\n  \
    hallpass alias export --include-secrets --yes | ssh host hallpass alias import -")]
pub(crate) struct ImportArgs {
    /// The file; `-` is stdin
    #[arg(value_name = "FILE")]
    from: PathBuf,
    /// Replace aliases of the same name
    #[arg(long)]
    force: bool,
}

#[derive(Serialize)]
struct Imported {
    imported: Vec<String>,
    skipped: Vec<Skipped>,
}

#[derive(Serialize)]
struct Skipped {
    name: String,
    reason: String,
}

/// Imports them in one change.
pub(crate) fn import(context: &Context, args: ImportArgs) -> Result<ExitStatus, CommandError> {
    let text = read(&args.from)?;
    let mut good: Vec<Alias> = Vec::new();
    let mut skipped = Vec::new();
    for (name, alias) in s3::import(&args.from, &text).map_err(failure::of)? {
        match alias {
            Ok(alias) => good.push(alias),
            Err(error) => skipped.push(Skipped { name, reason: error.to_string() }),
        }
    }
    for Skipped { name, reason } in &skipped {
        context.printer.warn(format_args!("`{name}` is skipped: {reason}"));
    }
    if good.is_empty() {
        let message = format!("`{}` holds no alias that can be used", args.from.display());
        return Err(CommandError::usage("alias.import_empty", message));
    }
    let changed = file(context)?.edit(|change| {
        let taken = |alias: &&Alias| change.find(&alias.name).is_some_and(|old| old.as_ref() != Ok(*alias));
        if let Some(alias) = good.iter().find(taken).filter(|_| !args.force) {
            let message = format!("there is another alias `{}` already", alias.name);
            let next = "pass `--force` to replace it, or rename the old one first";
            return Err(S3Error::refused(Sort::Conflict, "alias_exists", message, next));
        }
        good.iter().try_for_each(|alias| change.set(alias).map(drop))
    });
    changed.map_err(failure::of)?;
    let imported: Vec<String> = good.into_iter().map(|alias| alias.name).collect();
    if context.printer.is_json() {
        envelope::success(context.printer, "alias_import", &Imported { imported, skipped })?;
    } else {
        context.printer.say(format_args!("imported {}", imported.join(", ")));
    }
    Ok(ExitStatus::Success)
}

fn read(from: &PathBuf) -> Result<Zeroizing<String>, CommandError> {
    let unreadable = |error: io::Error| {
        let kind = if error.kind() == io::ErrorKind::NotFound { ErrorKind::NotFound } else { ErrorKind::General };
        CommandError::new(kind, "alias.import", format!("`{}` cannot be read", from.display())).because(&error)
    };
    let mut text = Zeroizing::new(String::new());
    let limit = CONFIG_BYTES_MAX + 1;
    let read = if from.as_os_str() == "-" {
        io::stdin().lock().take(limit).read_to_string(&mut text)
    } else {
        File::open(from).and_then(|file| file.take(limit).read_to_string(&mut text))
    };
    read.map_err(unreadable)?;
    Ok(text)
}
