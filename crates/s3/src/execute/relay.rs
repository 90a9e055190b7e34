//! From one store to another, through this machine: a stream, never a file.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use hallpass_core::limits::S3_PART_BYTES;
use tokio::io::{AsyncRead, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::sync::oneshot;

use super::item::done;
use super::property::merged;
use super::{Done, Orders};
use crate::client::{Client, GetOptions, ObjectId, PutOptions};
use crate::error::S3Error;
use crate::transfer::{TransferOptions, download_stream, part_size, unless_stopped, upload_stream};

/// Bytes between the two sides.
const PIPE_BYTES: usize = 1024 * 1024;

/// Copies an object. The new one is made only if the bytes of the old one came whole and as they were promised.
pub(super) async fn relay(
    (client, from): (&Client, &ObjectId),
    (other, to): (&Client, &ObjectId),
    orders: &Orders,
    transfer: &TransferOptions,
) -> Result<Done, S3Error> {
    let head = unless_stopped(&transfer.stop, client.head(from, &GetOptions::default())).await?;
    // How the other store encrypts and keeps it is not the first one's business.
    let mut source = head.properties.clone();
    (source.encryption, source.encryption_key, source.storage_class) = (None, None, None);
    let put = PutOptions {
        properties: merged(&source, &orders.properties),
        if_absent: orders.no_clobber,
        checksum: orders.checksum,
        ..PutOptions::default()
    };
    let get = GetOptions { if_match: head.etag.clone(), ..GetOptions::default() };
    // The bytes are counted once, on their way out.
    let mut down = transfer.clone();
    down.flow.progress = None;
    let size = part_size(head.size, transfer.part_size)?;
    let up = TransferOptions {
        part_size: (size > S3_PART_BYTES).then_some(size).or(transfer.part_size),
        ..transfer.clone()
    };

    let (mut writer, pipe) = tokio::io::duplex(PIPE_BYTES);
    let (tell, outcome) = oneshot::channel();
    let reader = Checked { pipe, outcome: Some(outcome), at_end: false };
    let downloading = async {
        let got = download_stream(client, from, &mut writer, &get, &down).await;
        // A receiver that is gone has failed itself.
        let _gone = tell.send(got.is_ok());
        drop(writer.shutdown().await);
        got
    };
    let uploading = upload_stream(other, reader, to, &put, &up);
    let (got, written) = tokio::join!(downloading, uploading);
    match (got, written) {
        // The pipe broke because the upload failed.
        (Err(S3Error::Local { .. }) | Ok(_), Err(error)) => Err(error),
        (Err(error), _) => Err(error),
        (Ok(_), Ok(written)) => Ok(done(written, head.size)),
    }
}

/// Ends only if the other end says that everything came.
#[derive(Debug)]
struct Checked {
    pipe: DuplexStream,
    outcome: Option<oneshot::Receiver<bool>>,
    at_end: bool,
}

impl AsyncRead for Checked {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.at_end {
            let before = buf.filled().len();
            match Pin::new(&mut this.pipe).poll_read(cx, buf) {
                Poll::Ready(Ok(())) if buf.filled().len() == before && buf.remaining() > 0 => this.at_end = true,
                other => return other,
            }
        }
        let Some(outcome) = &mut this.outcome else { return Poll::Ready(Ok(())) };
        match Pin::new(outcome).poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(true)) => {
                this.outcome = None;
                Poll::Ready(Ok(()))
            }
            Poll::Ready(_) => Poll::Ready(Err(io::Error::other("the source did not come whole"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::oneshot;

    use super::Checked;

    async fn read(outcome: Option<bool>) -> std::io::Result<Vec<u8>> {
        let (mut writer, pipe) = tokio::io::duplex(64);
        let (tell, heard) = oneshot::channel();
        writer.write_all(b"half").await.expect("writes");
        drop(writer);
        match outcome {
            Some(good) => drop(tell.send(good)),
            None => drop(tell),
        }
        let mut bytes = Vec::new();
        Checked { pipe, outcome: Some(heard), at_end: false }.read_to_end(&mut bytes).await?;
        Ok(bytes)
    }

    #[tokio::test]
    async fn a_source_that_breaks_off_is_no_end() {
        assert_eq!(read(Some(true)).await.expect("whole"), b"half");
        assert!(read(Some(false)).await.is_err());
        assert!(read(None).await.is_err());
    }
}
