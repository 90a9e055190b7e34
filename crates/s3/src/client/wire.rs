//! One connection to a store, driven by the task that uses it, and the pool of those that wait.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use hallpass_core::limits::{
    S3_ANSWER_HEADERS_MAX, S3_CONNECT_TIMEOUT_S, S3_IDLE_CONNECTION_S_MAX, S3_IDLE_CONNECTIONS_MAX,
};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use super::endpoint::Host;
use super::payload::Upload;
use super::proxy::{self, Proxy};
use super::tls::Tls;

/// A connection that nothing else uses.
#[derive(Debug)]
pub(crate) struct Wire {
    host: Host,
    sender: SendRequest<Upload>,
    /// `None`: it has ended.
    driver: Option<Connection<TokioIo<Socket>, Upload>>,
    used: bool,
    idle_since: Instant,
}

/// Why a request got no answer.
#[derive(Debug)]
pub(crate) enum WireError {
    /// Not a byte of it was sent: it comes back.
    Unsent(Box<Request<Upload>>, hyper::Error),
    /// Nobody knows what the store did with it.
    Broken(hyper::Error),
}

impl Wire {
    /// Sends a request and waits for the head of its answer. Bytes move while this is polled.
    pub(crate) async fn send(&mut self, request: Request<Upload>) -> Result<Response<Incoming>, WireError> {
        let Self { sender, driver, .. } = self;
        let mut answer = pin!(sender.try_send_request(request));
        let sent = poll_fn(|cx| {
            if let Poll::Ready(sent) = answer.as_mut().poll(cx) {
                return Poll::Ready(sent);
            }
            drive(driver, cx);
            answer.as_mut().poll(cx)
        })
        .await;
        self.used = true;
        sent.map_err(|mut error| match error.take_message() {
            Some(request) => WireError::Unsent(Box::new(request), error.into_error()),
            None => WireError::Broken(error.into_error()),
        })
    }

    /// Moves bytes.
    pub(crate) fn drive(&mut self, cx: &mut Context<'_>) {
        drive(&mut self.driver, cx);
    }

    /// True when a request was answered on it before: a store may close such a connection at any time.
    pub(crate) fn was_used(&self) -> bool {
        self.used
    }

    /// Looks at the socket without waiting: true when it can take a request.
    fn is_healthy(&mut self) -> bool {
        drive(&mut self.driver, &mut Context::from_waker(Waker::noop()));
        self.driver.is_some() && self.sender.is_ready()
    }
}

fn drive(driver: &mut Option<Connection<TokioIo<Socket>, Upload>>, cx: &mut Context<'_>) {
    if let Some(running) = driver
        && Pin::new(running).poll(cx).is_ready()
    {
        *driver = None;
    }
}

/// Idle connections, the latest used first.
#[derive(Debug, Default)]
#[expect(clippy::vec_box, reason = "a wire is large, and moves from task to task all the time")]
pub(crate) struct Pool(Mutex<Vec<Box<Wire>>>);

impl Pool {
    /// A healthy connection to `host`, if one waits.
    pub(crate) fn take(&self, host: &Host) -> Option<Box<Wire>> {
        loop {
            let mut wire = {
                let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                let at = idle.iter().rposition(|wire| wire.host == *host)?;
                idle.remove(at)
            };
            let fresh = wire.idle_since.elapsed() < Duration::from_secs(S3_IDLE_CONNECTION_S_MAX);
            if fresh && wire.is_healthy() {
                return Some(wire);
            }
        }
    }

    /// Keeps a connection whose answer was read to its end; the one that waits longest makes room.
    pub(crate) fn keep(&self, mut wire: Box<Wire>) {
        if !wire.is_healthy() {
            return;
        }
        wire.idle_since = Instant::now();
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() == S3_IDLE_CONNECTIONS_MAX {
            idle.remove(0);
        }
        idle.push(wire);
    }
}

/// Connects: name, TCP, proxy, TLS and HTTP, all within [`S3_CONNECT_TIMEOUT_S`].
///
/// # Errors
/// Why not, for people.
pub(crate) async fn connect(host: &Host, tls: &Tls, proxy: &Proxy) -> Result<Box<Wire>, String> {
    let limit = Duration::from_secs(S3_CONNECT_TIMEOUT_S);
    let socket = match tokio::time::timeout(limit, open(host, tls, proxy)).await {
        Ok(opened) => opened?,
        Err(_) => return Err(format!("no connection to {} within {S3_CONNECT_TIMEOUT_S} s", host.authority())),
    };
    let mut builder = Builder::new();
    builder.max_headers(S3_ANSWER_HEADERS_MAX);
    let made = builder.handshake(TokioIo::new(socket)).await;
    let (sender, driver) = made.map_err(|e| format!("no HTTP connection to {}: {e}", host.authority()))?;
    Ok(Box::new(Wire { host: host.clone(), sender, driver: Some(driver), used: false, idle_since: Instant::now() }))
}

async fn open(host: &Host, tls: &Tls, proxy: &Proxy) -> Result<Socket, String> {
    let through = proxy.of(host);
    let (name, port) = through.map_or((host.name(), host.port()), |proxy| (proxy.host(), proxy.port()));
    let failed = |e: io::Error| match through {
        Some(_) => format!("no connection to the proxy {name}:{port}: {e}"),
        None => format!("no connection to {}: {e}", host.authority()),
    };
    let mut tcp = dial(name, port).await.map_err(failed)?;
    tcp.set_nodelay(true).map_err(failed)?;
    if let Some(proxy) = through {
        proxy::tunnel(proxy, &mut tcp, host).await?;
    }
    if !host.https() {
        return Ok(Either::Left(tcp));
    }
    let connector = tls.connector()?;
    let server = ServerName::try_from(host.name().to_owned()).map_err(|e| format!("`{}`: {e}", host.name()))?;
    let stream = connector.connect(server, tcp).await;
    let stream = stream.map_err(|e| format!("no TLS connection to {}: {e}", host.authority()))?;
    Ok(Either::Right(Box::new(stream)))
}

/// Every address of the name in turn. All but the last get a share of the time, so that one silent address does not
/// use it up.
async fn dial(name: &str, port: u16) -> io::Result<TcpStream> {
    let addresses: Vec<_> = tokio::net::lookup_host((name, port)).await?.collect();
    let share = Duration::from_secs(S3_CONNECT_TIMEOUT_S) / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match tokio::time::timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::Error::new(io::ErrorKind::TimedOut, format!("{address} does not answer")),
        }
    }
    Err(last)
}

/// TCP (left), or TLS over it (right).
type Socket = Either<TcpStream, Box<TlsStream<TcpStream>>>;
