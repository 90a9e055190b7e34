//! `hallpass s3`: the S3 client.

mod args;
pub(crate) mod borrow;
pub(crate) mod boundary;
mod which;

use clap::Subcommand;

pub(crate) use args::S3Args;

use crate::command::Context;
use crate::error::{CommandError, ExitStatus};

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum S3Command {
    Which(which::WhichArgs),
}

/// Dispatches; a failure gets the envelope of its verb.
pub(crate) fn s3(context: &Context, args: S3Args) -> Result<ExitStatus, CommandError> {
    let (family, done) = match args.command {
        S3Command::Which(which) => ("s3_which", which::which(context, &args.flags, which)),
    };
    done.map_err(|error| error.in_family(family))
}
