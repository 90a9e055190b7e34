//! The ranges of an object, fetched in parallel into one file.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hallpass_core::limits::{S3_BACKOFF_MS_MIN, S3_BREAKS_MAX};
use hallpass_core::sigv4::checksum::{Checksum, ChecksumAlgorithm};
use tokio::task::JoinSet;

use super::TransferOptions;
use super::download::differs;
use super::partial::Partial;
use super::parts::{Gauge, Range, ranges};
use super::sums::{Promise, of_parts};
use crate::client::{Client, Download, GetOptions, ObjectHead, ObjectId, Payload};
use crate::error::{ErrorKind, S3Error};

/// Bytes that are gathered before they are written: one call for many small frames.
const WRITTEN_AT_ONCE_BYTES: usize = 1024 * 1024;

/// Fetches what is not there yet. True: the whole was compared with what the store promised.
pub(crate) async fn fetch(
    client: &Client,
    from: &ObjectId,
    head: &ObjectHead,
    get: &GetOptions,
    partial: &mut Partial,
    options: &TransferOptions,
) -> Result<bool, S3Error> {
    let promise = Promise::of(head).filter(|_| client.verifies());
    let algorithm = promise.as_ref().filter(|promise| promise.joins()).map(|promise| promise.algorithm);
    // All ranges must be of the state that was promised.
    let get = GetOptions { if_match: head.etag.clone().or_else(|| get.if_match.clone()), ..get.clone() };
    let mut sums: BTreeMap<u32, (Option<String>, u64)> = BTreeMap::new();
    // Without an ETag nothing holds the ranges together.
    let size = if head.etag.is_some() { partial.part_size } else { head.size.max(1) };
    let mut gauge = Gauge::new(options, 2 * WRITTEN_AT_ONCE_BYTES as u64);
    let mut waiting = ranges(head.size, size);
    let mut tasks: JoinSet<Result<(Range, Option<String>), S3Error>> = JoinSet::new();
    loop {
        while tasks.len() < gauge.limit()
            && let Some(range) = waiting.next()
        {
            let one = One { client: client.clone(), from: from.clone(), file: Arc::clone(&partial.file), algorithm };
            if head.etag.is_some() && partial.done.contains(&range.number) {
                tasks.spawn(async move { one.there(range).await });
            } else {
                let (get, size) = (get.clone(), head.size);
                tasks.spawn(async move { one.fetched(range, size, get).await });
            }
        }
        let Some(done) = tasks.join_next().await else { break };
        let (range, sum) = done.unwrap_or(Err(S3Error::Interrupted))?;
        gauge.done(range.length);
        sums.insert(range.number, (sum, range.length));
        partial.has(range).await;
    }
    let Some(promise) = promise else { return Ok(false) };
    let sum = if promise.joins() && head.size > 0 {
        of_parts(promise.algorithm, sums.values().map(|(sum, length)| (sum.as_deref(), *length)))
    } else {
        let whole = Payload::file(Arc::clone(&partial.file), &from.to_string(), 0, head.size);
        whole.checksum(promise.algorithm).await?
    };
    if sum.as_ref() == Some(&promise.sum) { Ok(true) } else { Err(differs(from)) }
}

/// What one range needs.
#[derive(Debug)]
struct One {
    client: Client,
    from: ObjectId,
    file: Arc<File>,
    algorithm: Option<ChecksumAlgorithm>,
}

impl One {
    /// A range that an interrupted download left.
    async fn there(self, range: Range) -> Result<(Range, Option<String>), S3Error> {
        let Some(algorithm) = self.algorithm else { return Ok((range, None)) };
        let payload = Payload::file(self.file, &self.from.to_string(), range.offset, range.length);
        Ok((range, payload.checksum(algorithm).await?))
    }

    /// A range of the store. Where the connection breaks, it goes on from there.
    async fn fetched(self, range: Range, size: u64, mut get: GetOptions) -> Result<(Range, Option<String>), S3Error> {
        let mut checksum = self.algorithm.and_then(Checksum::new);
        let (mut at, end) = (range.offset, range.offset + range.length);
        let mut breaks = 0;
        while at < end {
            let before = at;
            get.range = (range.length < size || at > 0).then_some(at..=end - 1);
            let got = self.client.get(&self.from, &get).await?;
            if get.range.is_some() && !got.partial {
                return Err(whole_came(&self.from));
            }
            if got.length != end - at || got.head.size != size {
                return Err(differs(&self.from));
            }
            match self.written(got, &mut at, &mut checksum).await {
                Ok(()) if at == end => break,
                Ok(()) => return Err(differs(&self.from)),
                Err(error) => {
                    breaks = if at > before { 0 } else { breaks + 1 };
                    if !error.retryable() || breaks > S3_BREAKS_MAX {
                        return Err(error);
                    }
                    tokio::time::sleep(Duration::from_millis(S3_BACKOFF_MS_MIN << breaks)).await;
                }
            }
        }
        Ok((range, checksum.map(Checksum::finish)))
    }

    /// Writes what comes, while more comes. `at`: up to where the file has it; it may not go past what was asked for.
    async fn written(&self, got: Download, at: &mut u64, checksum: &mut Option<Checksum>) -> Result<(), S3Error> {
        let mut body = got.body;
        let mut gathered = Vec::new();
        let mut bytes = 0;
        let mut writing: Option<tokio::task::JoinHandle<std::io::Result<()>>> = None;
        let ended = loop {
            let next = body.next().await;
            if let Ok(Some(piece)) = &next {
                if let Some(checksum) = checksum {
                    checksum.update(piece);
                }
                bytes += piece.len();
                gathered.push(piece.clone());
            }
            let over = !matches!(next, Ok(Some(_)));
            if bytes >= WRITTEN_AT_ONCE_BYTES || (over && bytes > 0) {
                settled(writing.take()).await?;
                let (file, pieces, from) = (Arc::clone(&self.file), std::mem::take(&mut gathered), *at);
                *at += bytes as u64;
                bytes = 0;
                writing = Some(tokio::task::spawn_blocking(move || write(&file, &pieces, from)));
            }
            if over {
                break next.map(drop);
            }
        };
        settled(writing).await?;
        ended
    }
}

/// A store may leave a range out of account (RFC 9110, 14.2). Fetching the whole for each range would help nobody.
fn whole_came(from: &ObjectId) -> S3Error {
    let message = format!("`{from}`: the store sends the whole object where a part of it is asked for");
    let next = "download it in one part: `--part-size 5GiB`, or `hallpass s3 cat`";
    S3Error::refused(ErrorKind::Unsupported, "ranges_ignored", message, next)
}

fn write(file: &File, pieces: &[Bytes], mut at: u64) -> std::io::Result<()> {
    for piece in pieces {
        file.write_all_at(piece, at)?;
        at += piece.len() as u64;
    }
    Ok(())
}

async fn settled(writing: Option<tokio::task::JoinHandle<std::io::Result<()>>>) -> Result<(), S3Error> {
    let Some(writing) = writing else { return Ok(()) };
    let written = writing.await.unwrap_or_else(|e| Err(std::io::Error::other(e)));
    written.map_err(|error| S3Error::Local {
        path: "the file of the download".to_owned(),
        message: error.to_string(),
        kind: ErrorKind::General,
    })
}
