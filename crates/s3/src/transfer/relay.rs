//! An object of one store into another store, through this machine and never onto its disk.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use hallpass_core::limits::{S3_FLOW_BYTES_MAX, S3_SMALL_OBJECT_BYTES_MAX};
use tokio::io::{AsyncRead, AsyncWriteExt, DuplexStream, ReadBuf};

use super::download::{differs, download_stream};
use super::sums::Promise;
use super::upload::upload_stream;
use super::{TransferOptions, unless_stopped};
use crate::client::{Client, Flow, GetOptions, ObjectId, Payload, PutOptions, Written};
use crate::error::S3Error;

/// Copies an object from one store to another. `size`: the object's, if it is known from a listing; that saves memory
/// and time for small ones. The object is made only after all its bytes have come and are those that the first store
/// promised.
///
/// # Errors
/// [`S3Error`] of either side; then nothing was made.
pub async fn relay(
    (source, from): (&Client, &ObjectId),
    (target, to): (&Client, &ObjectId),
    size: Option<u64>,
    put: &PutOptions,
    options: &TransferOptions,
) -> Result<Written, S3Error> {
    // The bytes count once, on their way out, where what is sent again is taken back.
    let inbound = Flow { limit: options.flow.limit.clone(), progress: None };
    if size.is_some_and(|size| size <= S3_SMALL_OBJECT_BYTES_MAX) {
        let put = PutOptions { flow: options.flow.clone(), ..put.clone() };
        let work = small((source, from), (target, to), inbound.clone(), &put);
        if let Some(written) = unless_stopped(&options.stop, work).await? {
            if let Some(progress) = &options.flow.progress {
                progress.item();
            }
            return Ok(written);
        }
    }
    let (mut writer, reader) = tokio::io::duplex(usize::try_from(S3_FLOW_BYTES_MAX).unwrap_or(usize::MAX));
    let whole = Arc::new(AtomicBool::new(false));
    let reader = Whole { inner: reader, whole: Arc::clone(&whole) };
    let coming = async {
        let how = TransferOptions { flow: inbound, ..options.clone() };
        let came = download_stream(source, from, &mut writer, &GetOptions::default(), &how).await;
        whole.store(came.is_ok(), Ordering::Release);
        // The end of the stream is what the other side waits for; it may be gone.
        drop(writer.shutdown().await);
        drop(writer);
        came
    };
    let (came, written) = tokio::join!(coming, upload_stream(target, reader, to, put, options));
    match (came, written) {
        (_, Ok(written)) => Ok(written),
        // Whichever failed first made the other fail, with an error of the pipe between them.
        (Err(error @ S3Error::Local { .. }), Err(S3Error::Local { .. })) => Err(error),
        (Err(S3Error::Local { .. }) | Ok(_), Err(error)) => Err(error),
        (Err(error), Err(_)) => Err(error),
    }
}

/// `None`: it is not small (any more).
async fn small(
    (source, from): (&Client, &ObjectId),
    (target, to): (&Client, &ObjectId),
    flow: Flow,
    put: &PutOptions,
) -> Result<Option<Written>, S3Error> {
    let got = source.get(from, &GetOptions { flow, ..GetOptions::default() }).await?;
    if got.length > S3_SMALL_OBJECT_BYTES_MAX {
        return Ok(None);
    }
    if let Some(progress) = &put.flow.progress {
        progress.total(got.length);
    }
    let bytes = got.body.collect(usize::try_from(S3_SMALL_OBJECT_BYTES_MAX).unwrap_or(usize::MAX)).await?;
    let payload = Payload::bytes(bytes);
    if let Some(promise) = Promise::of(&got.head).filter(|_| source.verifies())
        && payload.checksum(promise.algorithm).await? != Some(promise.sum)
    {
        return Err(differs(from));
    }
    target.put(to, payload, put).await.map(Some)
}

/// A stream whose end counts only if everything came before it.
#[derive(Debug)]
struct Whole {
    inner: DuplexStream,
    whole: Arc<AtomicBool>,
}

impl AsyncRead for Whole {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(cx, buf);
        let ended = matches!(read, Poll::Ready(Ok(()))) && buf.filled().len() == before && buf.remaining() > 0;
        if ended && !self.whole.load(Ordering::Acquire) {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the source broke off")));
        }
        read
    }
}
