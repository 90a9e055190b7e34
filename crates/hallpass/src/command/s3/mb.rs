//! `hallpass s3 mb`.

use std::ffi::OsString;

use clap::Args;
use hallpass_s3::bucket_name;
use hallpass_s3::client::CreateBucketOptions;
use hallpass_s3::error::S3Error;
use hallpass_s3::rights::Rights;
use serde::Serialize;

use super::show;
use super::stores::Stores;
use crate::alias::failure;
use crate::error::{CommandError, ExitStatus};

/// Make a bucket
///
/// The name is checked before the store is asked (Amazon S3 User Guide, "Bucket naming rules").
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 mb minio/reports\n  \
    hallpass s3 mb aws/reports-eu --region eu-central-1\n  \
    hallpass s3 mb minio/reports --ignore-existing --with-versioning")]
pub(crate) struct MbArgs {
    /// The bucket, as `alias/bucket`
    #[arg(value_name = "BUCKET")]
    path: OsString,
    /// Where [default: the alias's region]
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// A bucket that is there already and may be used is no failure
    #[arg(short = 'p', long)]
    ignore_existing: bool,
    /// With object lock, which keeps versions as well and cannot be added later
    #[arg(long)]
    with_lock: bool,
    /// Keep old versions
    #[arg(long)]
    with_versioning: bool,
}

#[derive(Serialize)]
struct Made<'a> {
    bucket: &'a str,
    created: bool,
}

/// Makes it.
pub(super) fn mb(stores: &Stores<'_>, args: &MbArgs) -> Result<ExitStatus, CommandError> {
    let remote = stores.bucket(&args.path)?;
    let bucket = remote.bucket.as_str();
    bucket_name::check(bucket).map_err(failure::of)?;
    let mut actions = vec!["s3:CreateBucket"];
    actions.extend(args.with_versioning.then_some("s3:PutBucketVersioning"));
    actions.extend(args.ignore_existing.then_some("s3:ListBucket"));
    actions.extend(args.with_lock.then_some("s3:PutBucketObjectLockConfiguration"));
    if let Some(status) = stores.settled(&[(&remote, Rights::on_bucket(&actions, bucket))])? {
        return Ok(status);
    }
    stores.run(async {
        let client = stores.client(&remote)?;
        let options = CreateBucketOptions { region: args.region.clone(), object_lock: args.with_lock };
        let created = match client.create_bucket(bucket, &options).await {
            Ok(()) => true,
            Err(error) if args.ignore_existing && is_there(&error) => {
                // Somebody else's bucket of that name is of no use.
                if client.head_bucket(bucket).await.is_err() {
                    return Err(error.into());
                }
                false
            }
            Err(error) => return Err(error.into()),
        };
        if args.with_versioning {
            client.set_versioning(bucket, true).await?;
        }
        show::done(stores.printer(), "s3_mb", &Made { bucket, created }, || match created {
            true => format!("made {}/{bucket}", remote.alias),
            false => format!("{}/{bucket} is there already", remote.alias),
        })?;
        Ok(ExitStatus::Success)
    })
}

fn is_there(error: &S3Error) -> bool {
    ["BucketAlreadyOwnedByYou", "BucketAlreadyExists"].contains(&error.code())
}
