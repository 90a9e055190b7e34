//! `hallpass config check`.

use clap::Args;

use crate::command::Context;
use crate::error::{CommandError, ErrorKind, ExitStatus};

/// X
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {}

/// Runs the command.
pub(crate) fn check(_context: &Context, _args: CheckArgs) -> Result<ExitStatus, CommandError> {
    Err(CommandError::new(ErrorKind::Unsupported, "unsupported", "not built yet"))
}
