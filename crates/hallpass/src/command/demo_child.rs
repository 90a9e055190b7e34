//! `hallpass __demo-child`.

use clap::Args;
use hallpass_control::clock::SystemClock;

use crate::command::Context;
use crate::demo::child;
use crate::error::{CommandError, ErrorKind, ExitStatus};

/// The command of the demo's story. Not for people
#[derive(Debug, Args)]
pub(crate) struct DemoChildArgs {}

/// Runs the command.
pub(crate) fn demo_child(_context: &Context, _args: DemoChildArgs) -> Result<ExitStatus, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CommandError::from)?;
    runtime.block_on(child::play(&SystemClock)).map_err(|error| {
        CommandError::new(ErrorKind::General, "demo.child", "the demo's command failed").because(&error)
    })?;
    Ok(ExitStatus::Success)
}
