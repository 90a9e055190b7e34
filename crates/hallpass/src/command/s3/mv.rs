//! `hallpass s3 mv`.

use std::ffi::OsString;

use clap::Args;

use super::cp::{Asked, copy};
use super::stores::Stores;
use super::transfer::args::{PropertyArgs, TransferArgs};
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
    /// From here, and last: to here
    #[arg(value_names = ["SOURCE", "TARGET"], required = true, num_args = 2..)]
    paths: Vec<OsString>,
    /// Folders and prefixes, with all that is in them
    #[arg(short, long)]
    recursive: bool,
    /// Leave what the target has already as it is
    #[arg(long)]
    no_clobber: bool,
    #[command(flatten)]
    transfer: TransferArgs,
    #[command(flatten)]
    properties: PropertyArgs,
}

/// Moves.
pub(super) fn mv(stores: &Stores<'_>, args: &MvArgs) -> Result<ExitStatus, CommandError> {
    let asked = Asked {
        paths: &args.paths,
        recursive: args.recursive,
        no_clobber: args.no_clobber,
        transfer: &args.transfer,
        properties: &args.properties,
    };
    copy(stores, &asked, Verb::Mv)
}
