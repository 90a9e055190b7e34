//! `hallpass __shim`.

use clap::Args;

use crate::command::Context;
use crate::error::{CommandError, ErrorKind, ExitStatus};

/// Not for people
#[derive(Debug, Args)]
pub(crate) struct ShimArgs {}

/// Runs the command.
pub(crate) fn shim(_context: &Context, _args: ShimArgs) -> Result<ExitStatus, CommandError> {
    Err(CommandError::new(ErrorKind::Unsupported, "unsupported", "not built yet"))
}
