//! A file, or a stream of unknown length, into an object.

mod file;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use hallpass_core::limits::S3_STOP_GRACE_S_MAX;
use hallpass_core::sigv4::checksum::{Checksum, ChecksumAlgorithm};

use super::{Leftover, TransferOptions, ending, sums};
use crate::client::{Client, CompleteOptions, GetOptions, MultipartUpload, Part, PutOptions, Written};
use crate::error::S3Error;

pub use file::upload_file;
pub(crate) use file::{Source, holds_bytes, upload_source};
pub use stream::upload_stream;

/// Makes the object of its parts, and finds out whether it was made where the store does not say.
async fn complete(
    client: &Client,
    upload: &MultipartUpload,
    mut parts: Vec<Part>,
    put: &PutOptions,
    options: &TransferOptions,
) -> Result<Written, S3Error> {
    parts.sort_by_key(|part| part.number);
    let checksum = upload
        .checksum
        .and_then(|algorithm| sums::of_parts(algorithm, parts.iter().map(|p| (p.checksum.as_deref(), p.size))));
    let how = CompleteOptions { checksum, if_absent: put.if_absent, if_match: put.if_match.clone() };
    let error = match ending(&options.stop, client.complete(upload, &parts, &how)).await {
        Ok(written) => return Ok(written),
        Err(error) => error,
    };
    // Asked a second time after a broken answer, a store that had finished knows the upload no more.
    if error.code() == "NoSuchUpload"
        && let Some(expected) = etag_of(&parts)
        && let Ok(head) = client.head(&upload.object, &GetOptions::default()).await
        && head.etag.as_deref().is_some_and(|etag| etag.trim_matches('"') == expected)
    {
        return Ok(Written { etag: head.etag, version: head.version, checksums: head.checksums, verified: true });
    }
    Err(error)
}

/// The ETag of an object made of parts: the MD5 of their MD5s, and how many.
fn etag_of(parts: &[Part]) -> Option<String> {
    let mut md5 = Checksum::new(ChecksumAlgorithm::Md5)?;
    for part in parts {
        md5.update(&hex::decode(part.etag.trim_matches('"')).ok()?);
    }
    Some(format!("{}-{}", crate::client::object::hex_of(&md5.finish())?, parts.len()))
}

/// Gives an upload up, within the grace of a stop. What cannot be given up is said.
pub(super) async fn give_up(client: &Client, upload: &MultipartUpload, options: &TransferOptions) -> bool {
    let grace = Duration::from_secs(S3_STOP_GRACE_S_MAX);
    let why = match tokio::time::timeout(grace, client.abort(upload)).await {
        Ok(Ok(())) => return true,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "the store does not answer".to_owned(),
    };
    stays(client, upload, options, Some(why));
    false
}

/// An upload stays in the store. `why`: giving it up has failed; `None`: it can be gone on with.
fn stays(client: &Client, upload: &MultipartUpload, options: &TransferOptions, why: Option<String>) {
    tracing::warn!(object = %upload.object, why, "an unfinished upload stays in the store");
    let (alias, resumable) = (client.alias().to_owned(), why.is_none());
    options.leftovers.add(Leftover { upload: upload.clone(), alias, resumable, why });
}

/// Whether an upload that failed so can go on later.
fn goes_on(error: &S3Error, options: &TransferOptions) -> bool {
    // An upload whose token is over cannot be given up either: only the next one can go on or clean up.
    options.state.is_some() && (options.resume || matches!(error, S3Error::TokenExpired(_)))
}

/// A task that was cut off, or that panicked, has sent nothing.
fn joined<T>(result: Result<Result<T, S3Error>, tokio::task::JoinError>) -> Result<T, S3Error> {
    result.unwrap_or(Err(S3Error::Interrupted))
}

/// What the tasks of one upload share.
#[derive(Debug, Clone)]
struct Job {
    client: Client,
    upload: Arc<MultipartUpload>,
    flow: crate::client::Flow,
}
