//! `hallpass s3 pipe`.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;

use clap::Args;
use hallpass_s3::client::{ObjectId, Properties, PutOptions};
use hallpass_s3::rights::Rights;
use hallpass_s3::target::Remote;
use hallpass_s3::transfer::{TransferOptions, upload_stream};
use serde::Serialize;

use super::show;
use super::stores::{Failed, Stores};
use super::transfer::stop::Stop;
use crate::error::{CommandError, ErrorKind, ExitStatus};
use crate::output::clean;

/// Write what comes on stdin into an object
///
/// In parts, in bounded memory, whatever comes. The object appears when stdin ends, whole; Ctrl-C leaves nothing behind.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    pg_dump app | zstd | hallpass s3 pipe minio/backups/app.sql.zst\n  \
    date | hallpass s3 pipe minio/data/now.txt --content-type text/plain --if-absent")]
pub(crate) struct PipeArgs {
    /// The object
    #[arg(value_name = "OBJECT")]
    path: OsString,
    /// Its content type
    #[arg(long, value_name = "TYPE", default_value = "application/octet-stream")]
    content_type: String,
    /// Its storage class, whatever the store takes
    #[arg(long, value_name = "CLASS")]
    storage_class: Option<String>,
    /// User metadata, `NAME=VALUE`; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    metadata: Vec<(String, String)>,
    /// Only if there is no such object
    #[arg(long)]
    if_absent: bool,
}

#[derive(Serialize)]
struct Piped<'a> {
    bucket: &'a str,
    key: &'a str,
    etag: Option<String>,
    version_id: Option<String>,
    verified: bool,
}

/// `NAME=VALUE`.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it like `NAME=VALUE`".to_owned()),
    }
}

/// Writes it.
pub(super) fn pipe(stores: &Stores<'_>, args: &PipeArgs) -> Result<ExitStatus, CommandError> {
    let remote = stores.object(&args.path)?;
    let rights = Rights::on_object(&["s3:PutObject", "s3:AbortMultipartUpload"], &remote.bucket, &remote.key);
    if let Some(status) = stores.settled(&[(&remote, rights)])? {
        return Ok(status);
    }
    let watcher = Stop::new()?;
    let options = TransferOptions::default();
    let stop = options.stop.clone();
    let work = write(stores, args, &remote, &options);
    let done = stores.run(watcher.during(&stop, work));
    done.map_err(|error| match watcher.heard() {
        Some(signal) => error.by_signal(signal),
        None => error,
    })
}

async fn write(
    stores: &Stores<'_>,
    args: &PipeArgs,
    remote: &Remote,
    options: &TransferOptions,
) -> Result<ExitStatus, Failed> {
    let client = stores.client(remote)?;
    let properties = Properties {
        content_type: Some(args.content_type.clone()),
        storage_class: args.storage_class.clone(),
        metadata: args.metadata.clone(),
        ..Properties::default()
    };
    let put = PutOptions { properties, if_absent: args.if_absent, ..PutOptions::default() };
    let object = ObjectId::new(&remote.bucket, &remote.key);
    let stdin = tokio::fs::File::from_std(File::from(io::stdin().as_fd().try_clone_to_owned()?));
    let written = match upload_stream(&client, stdin, &object, &put, options).await {
        Err(error) if args.if_absent && error.code() == "PreconditionFailed" => {
            return Err(there_already(remote).into());
        }
        written => written?,
    };
    let Remote { bucket, key, alias } = remote;
    let etag = written.etag.map(show::bare);
    let told = Piped { bucket, key, etag, version_id: written.version, verified: written.verified };
    show::done(stores.printer(), "s3_pipe", &told, || clean::line(&format!("wrote {alias}/{bucket}/{key}")))?;
    Ok(ExitStatus::Success)
}

fn there_already(remote: &Remote) -> CommandError {
    let shown = clean::line(&format!("{}/{}/{}", remote.alias, remote.bucket, remote.key));
    let message = format!("there is an object `{shown}` already, so nothing was written");
    CommandError::new(ErrorKind::Conflict, "PreconditionFailed", message).next("leave out `--if-absent` to replace it")
}
