//! `hallpass s3 rb`.

use std::ffi::OsString;

use clap::Args;
use hallpass_s3::client::Doomed;
use hallpass_s3::error::{ErrorKind, S3Error};
use hallpass_s3::removal::{RemovalOptions, empty_bucket, is_empty};
use hallpass_s3::rights::Rights;
use serde::Serialize;

use super::show;
use super::stores::{Failed, Stores};
use crate::error::{CommandError, ExitStatus};
use crate::output::count::counted;

/// Remove a bucket
///
/// A bucket that is not empty stays, unless `--force` says that everything in it goes too: objects, old versions, delete
/// markers, and uploads that were begun.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 rb minio/reports\n  \
    hallpass s3 rb minio/scratch --force")]
pub(crate) struct RbArgs {
    /// The bucket, as `alias/bucket`
    #[arg(value_name = "BUCKET")]
    path: OsString,
    /// With everything in it
    #[arg(long)]
    force: bool,
    /// Also what governance retention keeps, if you may
    #[arg(long, requires = "force")]
    bypass_governance: bool,
}

#[derive(Serialize)]
struct Removed<'a> {
    bucket: &'a str,
    objects: u64,
}

/// Removes it.
pub(super) fn rb(stores: &Stores<'_>, args: &RbArgs) -> Result<ExitStatus, CommandError> {
    let remote = stores.bucket(&args.path)?;
    let bucket = remote.bucket.as_str();
    let mut rights = Rights::on_bucket(&["s3:DeleteBucket", "s3:ListBucket", "s3:ListBucketVersions"], bucket);
    if args.force {
        let listing = ["s3:ListBucketMultipartUploads"];
        let mut deleting = vec!["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload"];
        deleting.extend(args.bypass_governance.then_some("s3:BypassGovernanceRetention"));
        rights = rights.and(Rights::on_bucket(&listing, bucket)).and(Rights::below(&deleting, bucket, ""));
    }
    if let Some(status) = stores.settled(&[(&remote, rights)])? {
        return Ok(status);
    }
    stores.run(async {
        let client = stores.client(&remote)?;
        let mut objects = 0;
        if args.force {
            let options = RemovalOptions { bypass_governance: args.bypass_governance, dry_run: false };
            empty_bucket(&client, bucket, options, |_: Doomed, failed| match failed {
                None => {
                    objects += 1;
                    Ok::<(), Failed>(())
                }
                Some(error) => Err(error.into()),
            })
            .await?;
        }
        if !args.force && !is_empty(&client, bucket).await? {
            let message = format!("the bucket `{}/{bucket}` is not empty", remote.alias);
            let next = format!("`hallpass s3 rb {}/{bucket} --force` removes everything in it", remote.alias);
            return Err(S3Error::refused(ErrorKind::Conflict, "BucketNotEmpty", message, next).into());
        }
        client.delete_bucket(bucket).await?;
        show::done(stores.printer(), "s3_rb", &Removed { bucket, objects }, || match objects {
            0 => format!("removed {}/{bucket}", remote.alias),
            some => {
                let what = counted(some, "object or version", "objects and versions");
                format!("removed {}/{bucket} and {what} in it", remote.alias)
            }
        })?;
        Ok(ExitStatus::Success)
    })
}
