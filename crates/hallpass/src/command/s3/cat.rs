//! `hallpass s3 cat`.

use std::ffi::OsString;

use clap::Args;
use hallpass_s3::client::{GetOptions, ObjectId};
use hallpass_s3::rights::Rights;

use super::stores::Stores;
use crate::error::{CommandError, ExitStatus};

/// Write objects to stdout, one after the other
///
/// The bytes go out as they come, and are verified at the end where the store keeps a checksum; a stream that breaks is
/// gone on with.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 cat minio/data/a.txt\n  \
    hallpass s3 cat minio/logs/2026-01.gz minio/logs/2026-02.gz | zcat\n  \
    hallpass s3 cat minio/logs/app.log --tail 4096")]
pub(crate) struct CatArgs {
    /// The objects
    #[arg(value_name = "OBJECT", required = true)]
    paths: Vec<OsString>,
    /// Begin after so many bytes
    #[arg(long, value_name = "BYTES")]
    offset: Option<u64>,
    /// Write at most so many bytes
    #[arg(long, value_name = "BYTES")]
    length: Option<u64>,
    /// Only the last so many bytes
    #[arg(long, value_name = "BYTES", conflicts_with_all = ["offset", "length"])]
    tail: Option<u64>,
    /// One version
    #[arg(long, value_name = "ID")]
    version_id: Option<String>,
}

/// Writes them.
pub(super) fn cat(stores: &Stores<'_>, args: &CatArgs) -> Result<ExitStatus, CommandError> {
    let action = if args.version_id.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" };
    let remotes = args.paths.iter().map(|path| stores.object(path)).collect::<Result<Vec<_>, _>>()?;
    let needs: Vec<_> = remotes.iter().map(|r| (r, Rights::on_object(&[action], &r.bucket, &r.key))).collect();
    if let Some(status) = stores.settled(&needs)? {
        return Ok(status);
    }
    stores.run(async {
        for remote in &remotes {
            let client = stores.client(remote)?;
            let version = args.version_id.clone();
            let object = ObjectId { version, ..ObjectId::new(&remote.bucket, &remote.key) };
            let mut get = GetOptions::default();
            if let Some(tail) = args.tail {
                let head = client.head(&object, &get).await?;
                if tail.min(head.size) == 0 {
                    continue;
                }
                get.range = Some(head.size.saturating_sub(tail)..=head.size - 1);
                // Another state of the object has another end.
                get.if_match = head.etag;
            } else if args.length == Some(0) {
                continue;
            } else if args.offset.is_some() || args.length.is_some() {
                let first = args.offset.unwrap_or(0);
                let last = args.length.map_or(u64::MAX, |length| first.saturating_add(length - 1));
                get.range = Some(first..=last);
            }
            stores.print_object(&client, &object, &get, None).await?;
        }
        Ok(ExitStatus::Success)
    })
}
