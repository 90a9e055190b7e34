//! `hallpass audit export`.

use clap::Args;

use crate::command::Context;
use crate::error::{CommandError, ErrorKind, ExitStatus};

/// X
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {}

/// Runs the command.
pub(crate) fn export(_context: &Context, _args: ExportArgs) -> Result<ExitStatus, CommandError> {
    Err(CommandError::new(ErrorKind::Unsupported, "unsupported", "not built yet"))
}
