//! `hallpass run`.

use clap::Args;

use crate::command::Context;
use crate::error::{CommandError, ErrorKind, ExitStatus};

/// Run a command in a session of its own
#[derive(Debug, Args)]
pub(crate) struct RunArgs {}

/// Runs the command.
pub(crate) fn run(_context: &Context, _args: RunArgs) -> Result<ExitStatus, CommandError> {
    Err(CommandError::new(ErrorKind::Unsupported, "unsupported", "not built yet"))
}
