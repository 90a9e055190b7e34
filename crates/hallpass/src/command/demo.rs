//! `hallpass demo`.

use clap::Args;

use crate::command::Context;
use crate::error::{CommandError, ErrorKind, ExitStatus};

/// Show the whole idea on an embedded store, without cloud or network
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {}

/// Runs the command.
pub(crate) fn demo(_context: &Context, _args: DemoArgs) -> Result<ExitStatus, CommandError> {
    Err(CommandError::new(ErrorKind::Unsupported, "unsupported", "not built yet"))
}
