//! A stream of unknown length into an object.

use std::sync::Arc;

use hallpass_core::limits::{S3_PART_BYTES, S3_PART_NUMBER_MAX, S3_TRANSFER_MEMORY_BYTES_MAX};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::task::JoinSet;

use super::{Job, complete, give_up, joined};
use crate::client::{Client, ObjectId, Part, Payload, PutOptions, Written};
use crate::error::{ErrorKind, S3Error};
use crate::transfer::memory::Buffers;
use crate::transfer::parts::{Gauge, part_size};
use crate::transfer::{TransferOptions, end_parts, ending, unless_stopped};

/// Uploads all that `reader` gives. Up to 8 MiB in one request, above in parts that grow with their number, so that
/// 10,000 of them hold 234 GiB in bounded memory; for more, or for stores that want equal parts beyond 15 GiB, set
/// [`TransferOptions::part_size`]. Cannot be resumed: a stream cannot be read twice.
///
/// # Errors
/// [`S3Error`]; [`S3Error::Local`] when the reader fails: then nothing was made of it.
pub async fn upload_stream(
    client: &Client,
    mut reader: impl AsyncRead + Unpin + Send,
    to: &ObjectId,
    put: &PutOptions,
    options: &TransferOptions,
) -> Result<Written, S3Error> {
    let buffers = Buffers::default();
    let asked = options.part_size.map(|size| part_size(0, Some(size))).transpose()?;
    if let Some(size) = asked.filter(|size| *size > S3_TRANSFER_MEMORY_BYTES_MAX) {
        let limit = format!("parts of a stream have at most {S3_TRANSFER_MEMORY_BYTES_MAX} bytes");
        return Err(S3Error::usage_with(format!("parts of {size} bytes do not fit the memory"), limit));
    }
    let first = unless_stopped(&options.stop, read(&mut reader, &buffers, length_of(1, asked))).await?;
    let written = if first.len() < length_of(1, asked) {
        let put = PutOptions { flow: options.flow.clone(), ..put.clone() };
        unless_stopped(&options.stop, client.put(to, first, &put)).await?
    } else {
        let checksum = put.checksum.or(client.checksum());
        let begin = client.create_multipart_with(to, &put.properties, checksum);
        let upload = Arc::new(ending(&options.stop, begin).await?);
        let job = Job { client: client.clone(), upload: Arc::clone(&upload), flow: options.flow.clone() };
        let mut tasks = JoinSet::new();
        let sending = parts(&job, first, &mut reader, (&buffers, asked), options, &mut tasks);
        let sent = unless_stopped(&options.stop, sending).await;
        // No part may arrive after the upload was given up.
        end_parts(&mut tasks).await;
        let made = match sent {
            Ok(parts) => complete(client, &upload, parts, put, options).await,
            Err(error) => Err(error),
        };
        if made.is_err() {
            give_up(client, &upload, options).await;
        }
        made?
    };
    if let Some(progress) = &options.flow.progress {
        progress.item();
    }
    Ok(written)
}

/// Bytes of a part by its number.
fn length_of(number: u32, asked: Option<u64>) -> u64 {
    asked.unwrap_or(match number {
        ..=2_000 => S3_PART_BYTES,
        2_001..=4_000 => 2 * S3_PART_BYTES,
        _ => 4 * S3_PART_BYTES,
    })
}

async fn parts(
    job: &Job,
    first: Payload,
    reader: &mut (impl AsyncRead + Unpin + Send),
    (buffers, asked): (&Buffers, Option<u64>),
    options: &TransferOptions,
    tasks: &mut JoinSet<Result<Part, S3Error>>,
) -> Result<Vec<Part>, S3Error> {
    let mut gauge = Gauge::new(options, length_of(1, asked));
    let mut parts = Vec::new();
    let mut next = Some(first);
    let mut number = 0;
    while let Some(payload) = next.take() {
        if number == S3_PART_NUMBER_MAX {
            return Err(S3Error::usage_with(
                format!("the stream has more than {S3_PART_NUMBER_MAX} parts"),
                "set a larger part size, or upload it from a file",
            ));
        }
        number += 1;
        let (length, last) = (length_of(number + 1, asked), payload.len() < length_of(number, asked));
        let job = job.clone();
        tasks.spawn(async move { job.client.upload_part(&job.upload, number, payload, &job.flow).await });
        // The part that is read now needs room as well.
        let room = usize::try_from(options.memory() / length).unwrap_or(1).saturating_sub(1).max(1);
        while tasks.len() >= gauge.limit().min(room) || last {
            let Some(done) = tasks.join_next().await else { break };
            let done = joined(done)?;
            gauge.done(done.size);
            parts.push(done);
        }
        if !last {
            next = Some(read(reader, buffers, length).await?).filter(|payload| !payload.is_empty());
        }
    }
    while let Some(done) = tasks.join_next().await {
        parts.push(joined(done)?);
    }
    Ok(parts)
}

/// Up to `length` bytes: fewer only at the end of the stream.
async fn read(reader: &mut (impl AsyncRead + Unpin), buffers: &Buffers, length: u64) -> Result<Payload, S3Error> {
    let mut lent = buffers.lend(usize::try_from(length).unwrap_or(usize::MAX));
    let mut filled = 0;
    loop {
        let rest = lent.as_mut().get_mut(filled..).unwrap_or_default();
        if rest.is_empty() {
            break;
        }
        match reader.read(rest).await {
            Ok(0) => break,
            Ok(bytes) => filled += bytes,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => {
                let (path, message) = ("the input".to_owned(), error.to_string());
                return Err(S3Error::Local { path, message, kind: ErrorKind::General });
            }
        }
    }
    Ok(Payload::bytes(lent.filled(filled)))
}
