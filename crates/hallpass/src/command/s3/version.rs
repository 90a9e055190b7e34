//! `hallpass s3 version`.

use std::ffi::OsString;

use clap::{Args, Subcommand};
use hallpass_s3::client::settings::Versioning;
use hallpass_s3::rights::Rights;
use serde::Serialize;

use super::show;
use super::stores::Stores;
use crate::error::{CommandError, ExitStatus};

/// Keep old versions of a bucket's objects, or stop
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 version enable minio/data\n  \
    hallpass s3 version info minio/data")]
pub(crate) struct VersionArgs {
    #[command(subcommand)]
    command: VersionCommand,
}

#[derive(Debug, Subcommand)]
enum VersionCommand {
    /// Keep old versions
    #[command(after_help = "Examples:\n  hallpass s3 version enable minio/data")]
    Enable(BucketArgs),
    /// Stop; the versions that there are stay
    #[command(after_help = "Examples:\n  hallpass s3 version suspend minio/data")]
    Suspend(BucketArgs),
    /// Say whether they are kept
    #[command(after_help = "Examples:\n  hallpass s3 version info minio/data --json")]
    Info(BucketArgs),
}

#[derive(Debug, Args)]
struct BucketArgs {
    /// The bucket
    #[arg(value_name = "BUCKET")]
    path: OsString,
}

#[derive(Serialize)]
struct State<'a> {
    bucket: &'a str,
    versioning: &'static str,
}

/// Does it.
pub(super) fn version(stores: &Stores<'_>, args: &VersionArgs) -> Result<ExitStatus, CommandError> {
    let (wanted, path) = match &args.command {
        VersionCommand::Enable(args) => (Some(true), &args.path),
        VersionCommand::Suspend(args) => (Some(false), &args.path),
        VersionCommand::Info(args) => (None, &args.path),
    };
    let remote = stores.bucket(path)?;
    let bucket = remote.bucket.as_str();
    let action = if wanted.is_some() { "s3:PutBucketVersioning" } else { "s3:GetBucketVersioning" };
    if let Some(status) = stores.settled(&[(&remote, Rights::on_bucket(&[action], bucket))])? {
        return Ok(status);
    }
    stores.run(async {
        let client = stores.client(&remote)?;
        let printer = stores.printer();
        let Some(enabled) = wanted else {
            let versioning = client.versioning(bucket).await?.as_str();
            show::one(printer, "s3_version", &State { bucket, versioning }, || versioning.to_owned())?;
            return Ok(ExitStatus::Success);
        };
        client.set_versioning(bucket, enabled).await?;
        let versioning = if enabled { Versioning::Enabled } else { Versioning::Suspended }.as_str();
        show::done(printer, "s3_version", &State { bucket, versioning }, || format!("versions: {versioning}"))?;
        Ok(ExitStatus::Success)
    })
}
