//! `hallpass config show`.

use clap::Args;

use crate::command::Context;
use crate::error::{CommandError, ErrorKind, ExitStatus};

/// X
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {}

/// Runs the command.
pub(crate) fn show(_context: &Context, _args: ShowArgs) -> Result<ExitStatus, CommandError> {
    Err(CommandError::new(ErrorKind::Unsupported, "unsupported", "not built yet"))
}
