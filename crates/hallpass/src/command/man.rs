//! `hallpass man`.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::cli;
use crate::command::Context;
use crate::environment;
use crate::error::{CommandError, ErrorKind, ExitStatus};

/// Print a manual page, or write all of them to a folder
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass man session kill | man -l -\n  \
    hallpass man --dir ~/.local/share/man/man1")]
pub(crate) struct ManArgs {
    /// The command whose page to print; none for the page of hallpass itself
    #[arg(value_name = "COMMAND", conflicts_with = "dir")]
    command: Vec<String>,
    /// Write every page into this folder
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Prints or writes pages.
pub(crate) fn man(context: &Context, args: ManArgs) -> Result<ExitStatus, CommandError> {
    let mut root = cli::definition();
    root.build();
    if let Some(dir) = args.dir {
        let count = write_all(&root, &dir)?;
        context.printer.say(format_args!("{count} pages in {}", dir.display()));
        return Ok(ExitStatus::Success);
    }
    let mut command = &root;
    for word in &args.command {
        command = command.get_subcommands().find(|c| c.get_name() == word && !c.is_hide_set()).ok_or_else(|| {
            CommandError::new(ErrorKind::NotFound, "man.no_page", format!("there is no command `{word}`"))
                .next("see `hallpass --help`")
        })?;
    }
    let page = page(command, args.command.is_empty())?;
    context.printer.write(|out| out.write_all(&page))?;
    Ok(ExitStatus::Success)
}

fn write_all(root: &clap::Command, dir: &std::path::Path) -> Result<usize, CommandError> {
    let failed = |error: &std::io::Error| {
        CommandError::new(ErrorKind::General, "man.unwritable", format!("`{}` cannot be written", dir.display()))
            .because(error)
    };
    fs::create_dir_all(dir).map_err(|e| failed(&e))?;
    let mut waiting = vec![root];
    let mut count = 0;
    while let Some(command) = waiting.pop() {
        let is_root = count == 0;
        let name = command.get_display_name().unwrap_or_else(|| command.get_name());
        fs::write(dir.join(format!("{name}.1")), page(command, is_root)?).map_err(|e| failed(&e))?;
        waiting.extend(command.get_subcommands().filter(|c| !c.is_hide_set()));
        count += 1;
    }
    Ok(count)
}

fn page(command: &clap::Command, is_root: bool) -> Result<Vec<u8>, CommandError> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let mut page = Vec::new();
    Man::new(command.clone().name(name)).render(&mut page)?;
    if is_root {
        environment_section().to_writer(&mut page)?;
        exit_status_section().to_writer(&mut page)?;
    }
    Ok(page)
}

fn environment_section() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["ENVIRONMENT"]);
    for variable in environment::ALL {
        roff.control("TP", []).text([bold(variable.name)]).text([roman(variable.help.trim())]);
    }
    roff
}

fn exit_status_section() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for (status, meaning) in ExitStatus::DOCUMENTED {
        roff.control("TP", []).text([bold(status.code().to_string())]).text([roman(meaning)]);
    }
    roff.control("TP", []).text([bold("other")]);
    roff.text([roman("the child's own code, or 128 plus the signal that ended it")]);
    roff
}
