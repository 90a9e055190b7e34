//! The sticky upstream connection: each connection of the child owns at most one, so that no pool is shared and no
//! lock is contended. It is driven by the same task as the child's connection.
//!
//! It speaks HTTP/1.1, and HTTP/2 where the upstream takes nothing else, or where a request streams events: their
//! services want it so.

mod version;

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Context;
use std::time::Duration;

use bytes::Bytes;
use hallpass_core::limits::{UPSTREAM_CONNECT_TIMEOUT_S, UPSTREAM_IDLE_S_MAX};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use super::meter::{Meter, Metered};
use super::outward::Outward;
use super::socket::{Ahead, Socket};
use super::tls::{HTTP_2, Offer, Tls};
use super::upload::Upload;
use super::upstreams::Target;
use version::{Driver, Sender};

type UpstreamSocket = Socket<TlsStream<Ahead>>;

/// How a connection to an upstream is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct WayOut<'a> {
    pub(super) tls: &'a Tls,
    /// The caller's own proxy, where there is one.
    pub(super) outward: &'a Outward,
    /// What the upstream is offered to speak.
    pub(super) offer: Offer,
}

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
pub(super) enum LinkError {
    /// No connection could be made: the upstream has not seen the request.
    #[error("{0}")]
    Connect(String),
    /// The connection broke before a byte of the request was written: the upstream has not seen it.
    #[error("the upstream closed the connection: {0}")]
    Unsent(#[source] hyper::Error),
    /// The connection broke after the request was begun: nobody knows what the upstream did.
    #[error("the upstream broke the connection: {0}")]
    Broken(#[source] hyper::Error),
}

/// The upstream connection of one connection of the child.
#[derive(Default)]
pub(super) struct Link(Mutex<State>);

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("Link").field("target", &state.target).field("meter", &state.meter).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct State {
    target: Option<Target>,
    /// What the upstream was offered to speak.
    offered: Offer,
    sender: Option<Sender>,
    driver: Option<Driver>,
    meter: Arc<Meter>,
    /// It does not say `100 Continue`, so it is not waited for again.
    silent: bool,
}

impl Link {
    /// Moves bytes to and from the upstream. Called by the task of the child's connection, at every wake.
    pub(super) fn drive(&self, cx: &mut Context<'_>) {
        let mut state = self.state();
        if let Some(driver) = &mut state.driver
            && driver.as_mut().poll(cx).is_ready()
        {
            *state = State { target: state.target.take(), silent: state.silent, ..State::default() };
        }
    }

    /// Drops the connection: what was being uploaded never completes.
    pub(super) fn cut(&self) {
        *self.state() = State::default();
    }

    /// Whether this upstream is known to let a body wait in vain.
    pub(super) fn is_silent(&self, target: &Target) -> bool {
        let state = self.state();
        state.silent && state.target.as_ref() == Some(target)
    }

    /// How long no byte has moved on the connection, in either direction.
    pub(super) fn idle(&self) -> Duration {
        self.state().meter.idle()
    }

    /// From here on no body waits for this upstream's invitation.
    pub(super) fn silent(&self) {
        self.state().silent = true;
    }

    /// Sends one request. A connection that turns out to be closed before anything was sent is replaced, once; a
    /// request of which a byte was written is never sent again.
    pub(super) async fn send(
        &self,
        target: &Target,
        out: WayOut<'_>,
        mut request: Request<Upload>,
    ) -> Result<Response<Incoming>, LinkError> {
        if let Some(mut sender) = self.reusable(target, out.offer)
            && sender.ready().await.is_ok()
        {
            match self.try_send(&mut sender, request).await {
                Ok(response) => return Ok(self.keep(sender, response)),
                Err((Some(unsent), _)) => request = unsent,
                Err((None, error)) => return Err(error),
            }
        }
        // Boxed: a TLS handshake is large, and most requests need none.
        let mut sender = Box::pin(self.connect(target, out)).await?;
        match self.try_send(&mut sender, request).await {
            Ok(response) => Ok(self.keep(sender, response)),
            Err((_, error)) => Err(error),
        }
    }

    /// The request comes back where nothing of it was begun.
    async fn try_send(
        &self,
        sender: &mut Sender,
        request: Request<Upload>,
    ) -> Result<Response<Incoming>, (Option<Request<Upload>>, LinkError)> {
        let meter = Arc::clone(&self.state().meter);
        let before = meter.written();
        let mut error = match sender.try_send(request).await {
            Ok(response) => return Ok(response),
            Err(error) => error,
        };
        let unsent = error.take_message();
        let error = error.into_error();
        if unsent.is_some() || meter.written() == before {
            return Err((unsent, LinkError::Unsent(error)));
        }
        Err((None, LinkError::Broken(error)))
    }

    fn keep(&self, sender: Sender, response: Response<Incoming>) -> Response<Incoming> {
        self.state().sender = Some(sender);
        response
    }

    fn reusable(&self, target: &Target, offer: Offer) -> Option<Sender> {
        let mut state = self.state();
        if state.target.as_ref() != Some(target) || state.offered < offer {
            *state = State::default();
            return None;
        }
        let stale = state.meter.idle() > Duration::from_secs(UPSTREAM_IDLE_S_MAX);
        state.sender.take().filter(|sender| !stale && !sender.is_closed())
    }

    async fn connect(&self, target: &Target, out: WayOut<'_>) -> Result<Sender, LinkError> {
        let silent = self.is_silent(target);
        self.cut();
        let limit = Duration::from_secs(UPSTREAM_CONNECT_TIMEOUT_S);
        let connecting = tokio::time::timeout(limit, open(target, out)).await;
        let stream = match connecting {
            Ok(opened) => opened.map_err(|e| LinkError::Connect(format!("{}: {e}{}", target.shown(), advice(&e))))?,
            Err(_) => {
                return Err(LinkError::Connect(format!(
                    "{} did not answer within {UPSTREAM_CONNECT_TIMEOUT_S} s",
                    target.shown()
                )));
            }
        };
        let meter = Arc::<Meter>::default();
        let two = speaks_two(&stream);
        let metered = Metered::new(stream, Arc::clone(&meter));
        let made = version::handshake(TokioIo::new(metered), two).await;
        let (sender, driver) = made.map_err(|e| LinkError::Connect(e.to_string()))?;
        let target = Some(target.clone());
        *self.state() = State { target, offered: out.offer, sender: None, driver: Some(driver), meter, silent };
        Ok(sender)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn open(target: &Target, out: WayOut<'_>) -> io::Result<UpstreamSocket> {
    if !target.is_https() {
        return tcp(target.host(), target.port()).await.map(Either::Left);
    }
    let name = ServerName::try_from(target.certified_name().to_owned()).map_err(io::Error::other)?;
    let shake = async |offer| {
        let connector = out.tls.connector(offer).map_err(io::Error::other)?;
        connector.connect(name.clone(), far(target, out.outward).await?).await
    };
    let stream = match shake(out.offer).await {
        Err(error) if out.offer == Offer::One && wants_another(&error) => shake(Offer::Both).await?,
        stream => stream?,
    };
    Ok(Either::Right(Box::new(stream)))
}

/// A connection to the upstream, through the caller's proxy where there is one.
async fn far(target: &Target, outward: &Outward) -> io::Result<Ahead> {
    let (host, port) = (target.host(), target.port());
    match outward.before(host, port).map_err(|error| io::Error::other(error.clone()))? {
        Some(proxy) => proxy.reach(host, port).await.map_err(io::Error::other),
        None => Ok(Ahead { bytes: Bytes::new(), tcp: tcp(host, port).await? }),
    }
}

async fn tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    let tcp = TcpStream::connect((host, port)).await?;
    tcp.set_nodelay(true)?;
    Ok(tcp)
}

/// What to look at where TLS did not come about, as far as it shows.
fn advice(error: &io::Error) -> &'static str {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidMessage(_)) => " (it does not speak TLS there: is its endpoint one of http://?)",
        Some(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            " (name the file with its authority in AWS_CA_BUNDLE)"
        }
        _ => "",
    }
}

/// True when the upstream speaks nothing of what it was offered (RFC 7301, 3.2).
fn wants_another(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(inner, Some(rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol)))
}

fn speaks_two(socket: &UpstreamSocket) -> bool {
    match socket {
        Either::Left(_) => false,
        Either::Right(tls) => tls.get_ref().1.alpn_protocol() == Some(HTTP_2),
    }
}
