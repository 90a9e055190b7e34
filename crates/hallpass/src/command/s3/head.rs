//! `hallpass s3 head`.

use std::ffi::OsString;

use clap::Args;
use hallpass_s3::client::{GetOptions, ObjectId};
use hallpass_s3::rights::Rights;

use super::stores::Stores;
use crate::error::{CommandError, ExitStatus};

/// Write the beginning of an object to stdout
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 head minio/data/table.csv\n  \
    hallpass s3 head minio/data/table.csv -n 3\n  \
    hallpass s3 head minio/data/image.png --bytes 16 | xxd")]
pub(crate) struct HeadArgs {
    /// The object
    #[arg(value_name = "OBJECT")]
    path: OsString,
    /// So many lines
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 10)]
    lines: u64,
    /// So many bytes instead
    #[arg(short = 'c', long, value_name = "BYTES", conflicts_with = "lines")]
    bytes: Option<u64>,
    /// One version
    #[arg(long, value_name = "ID")]
    version_id: Option<String>,
}

/// Writes it.
pub(super) fn head(stores: &Stores<'_>, args: &HeadArgs) -> Result<ExitStatus, CommandError> {
    let action = if args.version_id.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" };
    let remote = stores.object(&args.path)?;
    let rights = Rights::on_object(&[action], &remote.bucket, &remote.key);
    if let Some(status) = stores.settled(&[(&remote, rights)])? {
        return Ok(status);
    }
    stores.run(async {
        let client = stores.client(&remote)?;
        let version = args.version_id.clone();
        let object = ObjectId { version, ..ObjectId::new(&remote.bucket, &remote.key) };
        let (range, lines) = match args.bytes {
            Some(0) => (None, Some(0)),
            Some(bytes) => (Some(0..=bytes - 1), None),
            None => (None, Some(args.lines)),
        };
        let get = GetOptions { range, ..GetOptions::default() };
        stores.print_object(&client, &object, &get, lines).await?;
        Ok(ExitStatus::Success)
    })
}
