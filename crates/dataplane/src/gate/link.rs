//! The sticky upstream connection: each connection of the child owns at most one, so that no pool is shared and no
//! lock is contended. It is driven by the same task as the child's connection.

use std::io;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hallpass_core::limits::UPSTREAM_CONNECT_TIMEOUT_S;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::tls::Tls;
use super::upload::Upload;
use super::upstreams::Target;

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
pub(super) enum LinkError {
    /// No connection could be made: the upstream has not seen the request.
    #[error("{0}")]
    Connect(String),
    /// The connection broke after the request was begun: nobody knows what the upstream did.
    #[error("the upstream broke the connection: {0}")]
    Broken(#[source] hyper::Error),
}

/// The upstream connection of one connection of the child.
#[derive(Debug, Default)]
pub(super) struct Link(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    target: Option<Target>,
    sender: Option<SendRequest<Upload>>,
    driver: Option<Connection<TokioIo<Stream>, Upload>>,
}

impl Link {
    /// Moves bytes to and from the upstream. Called by the task of the child's connection, at every wake.
    pub(super) fn drive(&self, cx: &mut Context<'_>) {
        let mut state = self.state();
        if let Some(driver) = &mut state.driver
            && Pin::new(driver).poll(cx).is_ready()
        {
            *state = State::default();
        }
    }

    /// Drops the connection: what was being uploaded never completes.
    pub(super) fn cut(&self) {
        *self.state() = State::default();
    }

    /// Sends one request. A connection that turns out to be closed before anything was sent is replaced, once.
    pub(super) async fn send(
        &self,
        target: &Target,
        tls: &Tls,
        mut request: Request<Upload>,
    ) -> Result<Response<Incoming>, LinkError> {
        if let Some(mut sender) = self.reusable(target)
            && sender.ready().await.is_ok()
        {
            match sender.try_send_request(request).await {
                Ok(response) => return Ok(self.keep(sender, response)),
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(LinkError::Broken(error.into_error())),
                },
            }
        }
        // Boxed: a TLS handshake is large, and most requests need none.
        let mut sender = Box::pin(self.connect(target, tls)).await?;
        match sender.send_request(request).await {
            Ok(response) => Ok(self.keep(sender, response)),
            Err(error) => Err(LinkError::Broken(error)),
        }
    }

    fn keep(&self, sender: SendRequest<Upload>, response: Response<Incoming>) -> Response<Incoming> {
        self.state().sender = Some(sender);
        response
    }

    fn reusable(&self, target: &Target) -> Option<SendRequest<Upload>> {
        let mut state = self.state();
        if state.target.as_ref() != Some(target) {
            *state = State::default();
            return None;
        }
        state.sender.take().filter(|sender| !sender.is_closed())
    }

    async fn connect(&self, target: &Target, tls: &Tls) -> Result<SendRequest<Upload>, LinkError> {
        self.cut();
        let limit = Duration::from_secs(UPSTREAM_CONNECT_TIMEOUT_S);
        let connecting = tokio::time::timeout(limit, open(target, tls)).await;
        let stream = match connecting {
            Ok(opened) => opened.map_err(|e| LinkError::Connect(format!("{}: {e}", target.shown())))?,
            Err(_) => {
                return Err(LinkError::Connect(format!(
                    "{} did not answer within {UPSTREAM_CONNECT_TIMEOUT_S} s",
                    target.shown()
                )));
            }
        };
        let made = Builder::new().handshake(TokioIo::new(stream)).await;
        let (sender, driver) = made.map_err(|e| LinkError::Connect(e.to_string()))?;
        *self.state() = State { target: Some(target.clone()), sender: None, driver: Some(driver) };
        Ok(sender)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn open(target: &Target, tls: &Tls) -> io::Result<Stream> {
    let tcp = TcpStream::connect((target.host(), target.port())).await?;
    tcp.set_nodelay(true)?;
    if !target.is_https() {
        return Ok(Stream::Plain(tcp));
    }
    let connector = tls.connector().map_err(io::Error::other)?;
    let name = ServerName::try_from(target.certified_name().to_owned()).map_err(io::Error::other)?;
    Ok(Stream::Tls(Box::new(connector.connect(name, tcp).await?)))
}

/// A socket of the upstream.
#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_read(cx, buf),
            Self::Tls(io) => Pin::new(io).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_write(cx, buf),
            Self::Tls(io) => Pin::new(io).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_write_vectored(cx, bufs),
            Self::Tls(io) => Pin::new(io).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(io) => io.is_write_vectored(),
            Self::Tls(io) => io.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_flush(cx),
            Self::Tls(io) => Pin::new(io).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_shutdown(cx),
            Self::Tls(io) => Pin::new(io).poll_shutdown(cx),
        }
    }
}
