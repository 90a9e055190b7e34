//! An object into a file or a stream.

use std::path::{Path, PathBuf};

use bytes::{Buf, Bytes};
use hallpass_core::limits::{S3_BREAKS_MAX, S3_SMALL_OBJECT_BYTES_MAX};
use hallpass_core::sigv4::checksum::Checksum;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::partial::{self, Partial};
use super::sums::Promise;
use super::{TransferOptions, ranges, unless_stopped};
use crate::client::payload::off_thread;
use crate::client::{Client, Flow, GetOptions, ObjectHead, ObjectId, Payload};
use crate::error::{ErrorKind, S3Error};

/// What was downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Downloaded {
    /// What the store says about the object.
    pub head: ObjectHead,
    /// True when the store gave a checksum or MD5 of the whole object, and the bytes have it.
    pub verified: bool,
    /// Bytes that an interrupted download had left.
    pub resumed: u64,
}

/// Downloads an object into a file, which is replaced whole or not at all. Larger objects come in parallel ranges of
/// one state of the object, into `.<name>.hallpass-part` beside the file. `size`: the object's, if it is known from a
/// listing; that saves a request.
///
/// # Errors
/// [`S3Error`]; [`S3Error::Integrity`] when the bytes are not those that the store promised; of sort `Conflict` when
/// the object changed meanwhile.
pub async fn download(
    client: &Client,
    from: &ObjectId,
    to: &Path,
    size: Option<u64>,
    get: &GetOptions,
    options: &TransferOptions,
) -> Result<Downloaded, S3Error> {
    if get.range.is_some() {
        return Err(S3Error::usage("a range of an object is read as a stream, and not into a file"));
    }
    let get = GetOptions { flow: options.flow.clone(), ..get.clone() };
    let small = size.is_some_and(|size| size <= S3_SMALL_OBJECT_BYTES_MAX) && !options.resume;
    // A small one looks where it goes in the moment in which it is written: each change of the thread costs as much as
    // the look.
    if small && let Some(done) = unless_stopped(&options.stop, at_once(client, from, to, &get, options)).await? {
        return Ok(done);
    }
    let to = partial::target(to).await?;
    let head = unless_stopped(&options.stop, client.head(from, &get)).await?;
    if let Some(progress) = &options.flow.progress {
        progress.total(head.size);
    }
    let mut partial = Partial::open(&to, &head, options).await?;
    let resumed = partial.resumed();
    options.flow.moved(resumed);
    let fetched = unless_stopped(&options.stop, ranges::fetch(client, from, &head, &get, &mut partial, options)).await;
    match fetched {
        Ok(verified) => {
            partial.finish(options.durable).await?;
            if let Some(progress) = &options.flow.progress {
                progress.item();
            }
            Ok(Downloaded { head, verified, resumed })
        }
        Err(error) => {
            let broken = matches!(error, S3Error::Integrity(_)) || error.kind() == ErrorKind::Conflict;
            partial.leave(options.resume && !broken).await;
            Err(error)
        }
    }
}

/// A small object: one request, held in memory until it is whole and verified. `None`: it is not small (any more).
async fn at_once(
    client: &Client,
    from: &ObjectId,
    to: &Path,
    get: &GetOptions,
    options: &TransferOptions,
) -> Result<Option<Downloaded>, S3Error> {
    let limit = usize::try_from(S3_SMALL_OBJECT_BYTES_MAX).unwrap_or(usize::MAX);
    // Counted when it is whole: what breaks off is read again from the beginning.
    let flow = Flow { limit: get.flow.limit.clone(), progress: None };
    let get = GetOptions { flow, ..get.clone() };
    let mut breaks = 0;
    let (head, bytes) = loop {
        let got = client.get(from, &get).await?;
        if got.length > S3_SMALL_OBJECT_BYTES_MAX {
            return Ok(None);
        }
        match got.body.collect(limit).await {
            Ok(bytes) => break (got.head, bytes),
            Err(error) if error.retryable() && breaks < S3_BREAKS_MAX => breaks += 1,
            Err(error) => return Err(error),
        }
    };
    if let Some(progress) = &options.flow.progress {
        progress.total(head.size);
    }
    let promise = Promise::of(&head).filter(|_| client.verifies());
    if let Some(promise) = &promise
        && Payload::bytes(bytes.clone()).checksum(promise.algorithm).await?.as_ref() != Some(&promise.sum)
    {
        return Err(differs(from));
    }
    let (path, durable): (PathBuf, bool) = (to.to_owned(), options.durable);
    options.flow.moved(bytes.len() as u64);
    off_thread(move || partial::write_whole(&path, &bytes, durable)).await?;
    if let Some(progress) = &options.flow.progress {
        progress.item();
    }
    Ok(Some(Downloaded { head, verified: promise.is_some(), resumed: 0 }))
}

/// Sends an object's bytes, or a range of them, into `writer`, in order. Goes on by itself where the connection breaks.
///
/// # Errors
/// [`S3Error`]; [`S3Error::Integrity`] when the bytes, which are written already, are not those that were promised.
pub async fn download_stream(
    client: &Client,
    from: &ObjectId,
    mut writer: impl AsyncWrite + Unpin + Send,
    get: &GetOptions,
    options: &TransferOptions,
) -> Result<Downloaded, S3Error> {
    let get = GetOptions { flow: options.flow.clone(), ..get.clone() };
    unless_stopped(&options.stop, streamed(client, from, &mut writer, get)).await
}

async fn streamed(
    client: &Client,
    from: &ObjectId,
    writer: &mut (impl AsyncWrite + Unpin + Send),
    mut get: GetOptions,
) -> Result<Downloaded, S3Error> {
    let start = get.range.as_ref().map_or(0, |range| *range.start());
    let last = get.range.as_ref().map_or(u64::MAX, |range| *range.end());
    let mut got = client.get(from, &get).await?;
    let head = got.head.clone();
    // A store may leave a range out of account and send the whole (RFC 9110, 14.2).
    let whole = get.range.is_some() && !got.partial;
    let length = if whole { cut(from, start, last, got.length)? } else { got.length };
    let mut before = if whole { start } else { 0 };
    if let Some(progress) = &get.flow.progress {
        progress.total(length);
    }
    let promise = Promise::of(&head).filter(|_| client.verifies() && get.range.is_none());
    let mut checksum = promise.as_ref().and_then(|promise| Checksum::new(promise.algorithm));
    let (mut moved, mut breaks) = (0, 0);
    while !whole || moved < length {
        let error = match got.body.next().await {
            Ok(None) if moved == length => break,
            Ok(None) => return Err(differs(from)),
            Ok(Some(mut bytes)) => {
                if whole {
                    bytes = within(bytes, &mut before, length - moved);
                }
                if let Some(checksum) = &mut checksum {
                    checksum.update(&bytes);
                }
                writer.write_all(&bytes).await.map_err(|e| output(&e))?;
                (moved, breaks) = (moved + bytes.len() as u64, 0);
                continue;
            }
            Err(error) => error,
        };
        breaks += 1;
        // Only the same state of the object can be gone on with.
        if !error.retryable() || breaks > S3_BREAKS_MAX || head.etag.is_none() {
            return Err(error);
        }
        get.range = Some(start + moved..=last);
        get.if_match = head.etag.clone();
        if moved == length {
            break;
        }
        got = client.get(from, &get).await?;
        if !got.partial || got.length != length - moved {
            return Err(differs(from));
        }
    }
    writer.flush().await.map_err(|e| output(&e))?;
    if let (Some(promise), Some(checksum)) = (&promise, checksum)
        && checksum.finish() != promise.sum
    {
        return Err(differs(from));
    }
    if let Flow { progress: Some(progress), .. } = &get.flow {
        progress.item();
    }
    Ok(Downloaded { head, verified: promise.is_some(), resumed: 0 })
}

/// How many bytes of the range an object of this length has.
fn cut(from: &ObjectId, first: u64, last: u64, length: u64) -> Result<u64, S3Error> {
    if first >= length && first > 0 {
        let message = format!("`{from}`: there is no byte {first}: the object has {length}");
        return Err(S3Error::refused(ErrorKind::General, "InvalidRange", message, "ask for fewer"));
    }
    Ok(length.min(last.saturating_add(1)) - first)
}

/// What of these bytes comes after the first `before` of the object, at most `left`.
fn within(mut bytes: Bytes, before: &mut u64, left: u64) -> Bytes {
    let skipped = usize::try_from(*before).map_or(bytes.len(), |before| before.min(bytes.len()));
    *before -= skipped as u64;
    bytes.advance(skipped);
    bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX));
    bytes
}

/// The bytes that came are not those that were promised.
pub(crate) fn differs(from: &ObjectId) -> S3Error {
    S3Error::Integrity(format!("`{from}`: other bytes came than the store promised: download it again"))
}

fn output(error: &std::io::Error) -> S3Error {
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        return S3Error::OutputClosed;
    }
    S3Error::Local { path: "the output".to_owned(), message: error.to_string(), kind: ErrorKind::General }
}
