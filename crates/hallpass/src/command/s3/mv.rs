//! `hallpass s3 mv`.

use clap::Args;

use super::cp::{CopyArgs, copy};
use super::stores::Stores;
use super::transfer::report::Verb;
use crate::error::{CommandError, ExitStatus};

/// Move files and objects: copy them, make sure that the copy is right, and remove the source
///
/// Paths mean what they mean for `cp`. A source whose copy cannot be verified, or that changed meanwhile, stays.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 mv report.pdf minio/data/\n  \
    hallpass s3 mv minio/data/old.csv minio/archive/old.csv --storage-class GLACIER\n  \
    hallpass s3 mv -r ./outbox/ minio/inbox/ --older-than 1h")]
pub(crate) struct MvArgs {
    #[command(flatten)]
    copy: CopyArgs,
}

/// Moves.
pub(super) fn mv(stores: &Stores<'_>, args: &MvArgs) -> Result<ExitStatus, CommandError> {
    copy(stores, &args.copy, None, Verb::Mv)
}
