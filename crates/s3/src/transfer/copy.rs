//! An object into another, inside the store.

use std::sync::Arc;

use hallpass_core::limits::S3_PART_BYTES_MAX;
use tokio::task::JoinSet;

use super::parts::{Gauge, part_size, ranges};
use super::{TransferOptions, end_parts, ending, unless_stopped};
use crate::client::{
    Client, CompleteOptions, CopyOptions, GetOptions, MultipartUpload, ObjectHead, ObjectId, Part, Written,
};
use crate::error::S3Error;

/// Bytes of a part that is copied inside the store: nothing of it passes here.
const COPIED_PART_BYTES: u64 = 512 * 1024 * 1024;

/// Copies an object inside the store: in one call up to 5 GiB, in parallel parts above. `head`: what the store says
/// about the source, if that is known already. Tags are copied in one call only.
///
/// # Errors
/// [`S3Error`]; of sort `Conflict` when the source changed meanwhile: then nothing was made of it.
pub async fn copy(
    client: &Client,
    from: &ObjectId,
    to: &ObjectId,
    head: Option<ObjectHead>,
    how: &CopyOptions,
    options: &TransferOptions,
) -> Result<Written, S3Error> {
    let head = match head {
        Some(head) => head,
        None => unless_stopped(&options.stop, client.head(from, &GetOptions::default())).await?,
    };
    let written = if head.size <= S3_PART_BYTES_MAX {
        unless_stopped(&options.stop, client.copy(from, to, how)).await?
    } else {
        large(client, from, to, &head, how, options).await?
    };
    if let Some(progress) = &options.flow.progress {
        progress.item();
    }
    Ok(written)
}

async fn large(
    client: &Client,
    from: &ObjectId,
    to: &ObjectId,
    head: &ObjectHead,
    how: &CopyOptions,
    options: &TransferOptions,
) -> Result<Written, S3Error> {
    let properties = how.properties.as_ref().unwrap_or(&head.properties);
    let begin = client.create_multipart_with(to, properties, None);
    let upload = Arc::new(ending(&options.stop, begin).await?);
    let etag = how.if_match.clone().or_else(|| head.etag.clone());
    let mut tasks = JoinSet::new();
    let copying = parts(client, &upload, from, (head.size, etag), options, &mut tasks);
    let copied = unless_stopped(&options.stop, copying).await;
    end_parts(&mut tasks).await;
    let made = match copied {
        Ok(mut parts) => {
            parts.sort_by_key(|part| part.number);
            ending(&options.stop, client.complete(&upload, &parts, &CompleteOptions::default())).await
        }
        Err(error) => Err(error),
    };
    if made.is_err() {
        super::upload::give_up(client, &upload, options).await;
    }
    made
}

async fn parts(
    client: &Client,
    upload: &Arc<MultipartUpload>,
    from: &ObjectId,
    (size, etag): (u64, Option<String>),
    options: &TransferOptions,
    tasks: &mut JoinSet<Result<Part, S3Error>>,
) -> Result<Vec<Part>, S3Error> {
    let mut gauge = Gauge::new(options, 1);
    let mut waiting = ranges(size, part_size(size, None)?.max(COPIED_PART_BYTES));
    let mut parts = Vec::new();
    loop {
        while tasks.len() < gauge.limit()
            && let Some(range) = waiting.next()
        {
            let (client, upload, from, etag) = (client.clone(), Arc::clone(upload), from.clone(), etag.clone());
            tasks.spawn(async move {
                let bytes = range.offset..=range.offset + range.length - 1;
                client.copy_part(&upload, range.number, &from, bytes, etag.as_deref()).await
            });
        }
        let Some(done) = tasks.join_next().await else { return Ok(parts) };
        let done = done.unwrap_or(Err(S3Error::Interrupted))?;
        gauge.done(done.size);
        options.flow.moved(done.size);
        parts.push(done);
    }
}
