//! `hallpass session revoke`.

use clap::Args;

use crate::command::Context;
use crate::error::{CommandError, ErrorKind, ExitStatus};

/// X
#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {}

/// Runs the command.
pub(crate) fn revoke(_context: &Context, _args: RevokeArgs) -> Result<ExitStatus, CommandError> {
    Err(CommandError::new(ErrorKind::Unsupported, "unsupported", "not built yet"))
}
