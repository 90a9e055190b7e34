//! `hallpass credential-process`.

use clap::Args;

use crate::command::Context;
use crate::error::{CommandError, ErrorKind, ExitStatus};

/// Print a session's credential in the form that AWS SDKs read
#[derive(Debug, Args)]
pub(crate) struct CredentialProcessArgs {}

/// Runs the command.
pub(crate) fn credential_process(_context: &Context, _args: CredentialProcessArgs) -> Result<ExitStatus, CommandError> {
    Err(CommandError::new(ErrorKind::Unsupported, "unsupported", "not built yet"))
}
