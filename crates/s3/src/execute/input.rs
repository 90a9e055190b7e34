//! Standard input, and pipes, read on a thread of its own: one that waits for a person, or for a pipe that nobody closes, must not
//! keep the process from ending.

use std::io::{self, Read};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::mpsc::{Receiver, channel};

/// Bytes that are read at once.
const READ_AT_ONCE_BYTES: usize = 256 * 1024;
/// Pieces that wait.
const WAITING: usize = 4;

/// What the thread reads.
#[derive(Debug)]
pub(super) struct Input {
    pieces: Receiver<io::Result<Bytes>>,
    rest: Bytes,
    read: Arc<AtomicU64>,
}

impl Input {
    /// Begins to read.
    pub(super) fn new(mut from: impl Read + Send + 'static) -> io::Result<Self> {
        let (send, pieces) = channel(WAITING);
        let read = move || {
            loop {
                let mut piece = vec![0; READ_AT_ONCE_BYTES];
                let read = match from.read(&mut piece) {
                    Ok(0) => return,
                    Ok(length) => {
                        piece.truncate(length);
                        Ok(Bytes::from(piece))
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                let failed = read.is_err();
                if send.blocking_send(read).is_err() || failed {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("input".to_owned()).spawn(read)?;
        Ok(Self { pieces, rest: Bytes::new(), read: Arc::default() })
    }

    /// Tells at any time how many bytes it has given.
    pub(super) fn given(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.read)
    }
}

impl AsyncRead for Input {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.rest.is_empty() {
            match ready!(this.pieces.poll_recv(cx)) {
                None => return Poll::Ready(Ok(())),
                Some(piece) => this.rest = piece?,
            }
        }
        let length = this.rest.len().min(buf.remaining());
        buf.put_slice(&this.rest[..length]);
        this.rest.advance(length);
        this.read.fetch_add(length as u64, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};

    use tokio::io::AsyncReadExt;

    use super::{Input, READ_AT_ONCE_BYTES};

    #[tokio::test]
    async fn all_bytes_come_in_order_and_a_failure_is_no_end() {
        let bytes: Vec<u8> = (0..READ_AT_ONCE_BYTES * 6 + 7).map(|n| (n % 251) as u8).collect();
        let mut read = Vec::new();
        Input::new(io::Cursor::new(bytes.clone())).expect("a thread").read_to_end(&mut read).await.expect("all");
        assert_eq!(read, bytes);

        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("gone"))
            }
        }
        assert!(Input::new(Broken).expect("a thread").read_to_end(&mut Vec::new()).await.is_err());
    }
}
