//! `hallpass audit key`.

use clap::Args;

use crate::command::Context;
use crate::error::{CommandError, ErrorKind, ExitStatus};

/// X
#[derive(Debug, Args)]
pub(crate) struct KeyArgs {}

/// Runs the command.
pub(crate) fn key(_context: &Context, _args: KeyArgs) -> Result<ExitStatus, CommandError> {
    Err(CommandError::new(ErrorKind::Unsupported, "unsupported", "not built yet"))
}
