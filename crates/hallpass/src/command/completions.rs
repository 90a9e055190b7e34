//! `hallpass completions`.

use std::io::Write;

use clap::Args;
use clap_complete::Shell;

use crate::cli;
use crate::command::Context;
use crate::error::{CommandError, ExitStatus};

/// Print the completions of a shell
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass completions bash > ~/.local/share/bash-completion/completions/hallpass\n  \
    hallpass completions zsh > \"${fpath[1]}/_hallpass\"\n  \
    hallpass completions fish > ~/.config/fish/completions/hallpass.fish")]
pub(crate) struct CompletionsArgs {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script.
pub(crate) fn completions(context: &Context, args: CompletionsArgs) -> Result<ExitStatus, CommandError> {
    // Into memory first: the generator panics when its sink fails, and a closed pipe is no reason to panic.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut cli::definition(), "hallpass", &mut script);
    context.printer.write(|out| out.write_all(&script))?;
    Ok(ExitStatus::Success)
}
