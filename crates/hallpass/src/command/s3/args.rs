//! What every verb of `hallpass s3` takes.

use clap::Args;

use super::S3Command;

/// Work with S3 stores: local paths, `alias/bucket/key`, `s3://bucket/key`.
#[derive(Debug, Args)]
pub(crate) struct S3Args {
    #[command(flatten)]
    pub(crate) flags: S3Flags,
    #[command(subcommand)]
    pub(crate) command: S3Command,
}

/// Flags of every verb; `--json` and `--quiet` are those of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct S3Flags {
    /// Say which rights the command needs, and do nothing else
    #[arg(long, global = true)]
    pub(crate) explain: bool,
    /// Keep an alias whose session token has expired
    #[arg(long, global = true)]
    pub(crate) no_prune: bool,
}
