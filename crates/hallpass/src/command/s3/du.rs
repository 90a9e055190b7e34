//! `hallpass s3 du`.

use std::ffi::OsString;

use clap::Args;
use hallpass_core::budget::shown_bytes;
use hallpass_s3::rights::Rights;
use hallpass_s3::usage::{Group, Usage};
use hallpass_s3::walk::{Walk, WalkOptions};
use serde::Serialize;

use super::show;
use super::stores::Stores;
use crate::error::{CommandError, ExitStatus};
use crate::output::clean;

/// Sum up sizes
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 du minio/data\n  \
    hallpass s3 du minio/data --depth 1 --versions\n  \
    hallpass s3 du minio/data/reports/ --bytes")]
pub(crate) struct DuArgs {
    /// The bucket or prefix
    #[arg(value_name = "PATH")]
    path: OsString,
    /// Also each folder down to so many levels
    #[arg(short, long, value_name = "COUNT", default_value_t = 0)]
    depth: usize,
    /// All versions, not only the current ones
    #[arg(long)]
    versions: bool,
    /// Sizes in bytes
    #[arg(long)]
    bytes: bool,
}

#[derive(Serialize)]
struct Sum<'a> {
    bucket: &'a str,
    prefix: String,
    objects: u64,
    bytes: u64,
}

/// Sums them up.
pub(super) fn du(stores: &Stores<'_>, args: &DuArgs) -> Result<ExitStatus, CommandError> {
    let remote = stores.in_bucket(&args.path)?;
    let mut actions = vec!["s3:ListBucket"];
    actions.extend(args.versions.then_some("s3:ListBucketVersions"));
    let rights = Rights::on_bucket(&actions, &remote.bucket);
    if let Some(status) = stores.settled(&[(&remote, rights)])? {
        return Ok(status);
    }
    stores.run(async {
        let client = stores.client(&remote)?;
        let place = client.place(&remote.bucket, &remote.key).await?;
        let sum = |Group { prefix, objects, bytes }| Sum { bucket: &remote.bucket, prefix, objects, bytes };
        let line = |sum: &Sum<'_>| {
            let size = if args.bytes { sum.bytes.to_string() } else { shown_bytes(sum.bytes) };
            let name = format!("{}/{}/{}", remote.alias, remote.bucket, sum.prefix);
            format!("{size:>12} {:>10} {}", sum.objects, clean::quoted(&name))
        };
        let mut usage = Usage::new(&place.prefix, args.depth);
        let options = WalkOptions { prefix: place.prefix.clone(), versions: args.versions, ..WalkOptions::default() };
        let mut walk = Walk::new(&client, &remote.bucket, options);
        while let Some(step) = walk.next().await? {
            let entries = step.entries.iter().filter(|entry| !entry.is_marker() && place.holds(entry));
            let complete = entries.flat_map(|entry| usage.add(&entry.object().key, entry.object().size));
            show::all(stores.printer(), "s3_du", &complete.map(sum).collect::<Vec<_>>(), line)?;
        }
        let rest: Vec<Sum<'_>> = usage.finish().into_iter().map(sum).collect();
        show::all(stores.printer(), "s3_du", &rest, line)?;
        Ok(ExitStatus::Success)
    })
}
