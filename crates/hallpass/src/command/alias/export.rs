//! `hallpass alias export`.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use hallpass_s3::alias::{self as s3, Alias, Origin};
use serde::Serialize;

use crate::alias::{failure, registry};
use crate::command::Context;
use crate::error::{CommandError, ErrorKind, ExitStatus};
use crate::output::count::counted;
use crate::output::envelope;

/// Write aliases as a file that `alias import` reads
///
/// Without `--include-secrets`, keys, tokens and commands are left out, and what is left has to be given keys again.
/// The built-in alias is not exported.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass alias export > aliases.toml\n  \
    hallpass alias export minio --include-secrets --yes --output minio.toml")]
pub(crate) struct ExportArgs {
    /// Which ones [default: all]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Write keys and tokens as well; also needs `--yes`
    #[arg(long, requires = "yes")]
    include_secrets: bool,
    /// Yes, the file may hold secrets
    #[arg(long)]
    yes: bool,
    /// Write to this file, for you alone (mode 0600), instead of stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Overwrite the file
    #[arg(long, requires = "output")]
    force: bool,
}

#[derive(Serialize)]
struct Exported<'a> {
    aliases: Vec<&'a str>,
    includes_secrets: bool,
    file: Option<String>,
    document: Option<&'a str>,
}

/// Writes them.
pub(crate) fn export(context: &Context, args: ExportArgs) -> Result<ExitStatus, CommandError> {
    let registry = registry(context)?;
    let chosen: Vec<&Alias> = if args.names.is_empty() {
        let mut usable = Vec::new();
        for entry in registry.entries().iter().filter(|entry| !entry.shadowed && entry.origin != Origin::BuiltIn) {
            match &entry.alias {
                Ok(alias) => usable.push(alias),
                Err(error) => context.printer.warn(format_args!("`{}` is left out: {error}", entry.name)),
            }
        }
        usable
    } else {
        args.names.iter().map(|name| registry.find(name)).collect::<Result<_, _>>().map_err(failure::of)?
    };
    if chosen.iter().any(|alias| alias.name == s3::BUILT_IN) {
        return Err(CommandError::usage(
            "alias.built_in",
            "the alias `aws` is built in, so there is nothing to export",
        ));
    }
    let text = s3::export(&chosen, args.include_secrets);
    if let Some(path) = &args.output {
        write(path, text.as_bytes(), args.force)?;
    }
    if context.printer.is_json() {
        let exported = Exported {
            aliases: chosen.iter().map(|alias| alias.name.as_str()).collect(),
            includes_secrets: args.include_secrets,
            file: args.output.as_ref().map(|path| path.display().to_string()),
            document: args.output.is_none().then_some(&text),
        };
        envelope::success(context.printer, "alias_export", &exported)?;
    } else if let Some(path) = &args.output {
        context.printer.say(format_args!(
            "{} written to {}",
            counted(chosen.len(), "alias", "aliases"),
            path.display()
        ));
    } else {
        context.printer.data(text.trim_end())?;
    }
    Ok(ExitStatus::Success)
}

/// The mode is there before the first byte. An old file is replaced only once the new one is whole.
fn write(path: &Path, bytes: &[u8], force: bool) -> Result<(), CommandError> {
    let create = |path: &Path| -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    let written = if force {
        let mut beside = path.as_os_str().to_owned();
        beside.push(format!(".{}.new", std::process::id()));
        create(Path::new(&beside)).and_then(|()| std::fs::rename(&beside, path))
    } else {
        create(path)
    };
    written.map_err(|error| {
        let shown = path.display();
        if error.kind() == io::ErrorKind::AlreadyExists {
            return CommandError::new(
                ErrorKind::Conflict,
                "alias.export_exists",
                format!("`{shown}` is there already"),
            )
            .next("choose another name, or pass `--force`");
        }
        CommandError::new(ErrorKind::General, "alias.export", format!("`{shown}` cannot be written")).because(&error)
    })
}
