//! A connection that is plain or TLS: the child's, which becomes TLS within a tunnel, and the upstream's.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

/// TCP (left), or the TLS stream `T` over it (right).
pub(super) type Socket<T> = Either<TcpStream, Box<T>>;

/// What requests are read from.
pub(super) type ChildSocket = Socket<TlsStream<Ahead>>;

/// Closing it from now on resets the connection: what is not sent yet never is.
pub(super) fn set_zero_linger(socket: &ChildSocket) -> io::Result<()> {
    match socket {
        Either::Left(tcp) => tcp.set_zero_linger(),
        Either::Right(tls) => tls.get_ref().0.tcp.set_zero_linger(),
    }
}

/// A socket of which some bytes have been read already.
#[derive(Debug)]
pub(super) struct Ahead {
    pub(super) bytes: Bytes,
    pub(super) tcp: TcpStream,
}

impl AsyncRead for Ahead {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.bytes.has_remaining() {
            let many = self.bytes.len().min(buf.remaining());
            buf.put_slice(&self.bytes.split_to(many));
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for Ahead {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
