//! `hallpass completions`.

use std::io::Write;

use clap::Args;
use clap_complete::Shell;

use crate::command::Context;
use crate::complete;
use crate::error::{CommandError, ExitStatus};

/// Print the completions of a shell
///
/// Commands and flags, names of aliases, and in `hallpass s3` the names of buckets and keys: these the store is asked
/// for, for a second and a half at most, by aliases that hold keys. Print the script again after an upgrade.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    source <(hallpass completions bash)\n  \
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
    let script = complete::script(&args.shell.to_string())?;
    context.printer.write(|out| out.write_all(&script))?;
    Ok(ExitStatus::Success)
}
