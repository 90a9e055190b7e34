//! The forward proxy: tunnels to the AWS hosts that the gate stands in for, for whoever holds the session's password.

use std::pin::pin;
use std::sync::{Arc, OnceLock, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hallpass_catalog::CATALOG;
use hallpass_core::denial::{Denial, DenialCode};
use hallpass_core::limits::{PASSTHROUGH_CONNECTIONS_MAX, TUNNEL_HANDSHAKE_TIMEOUT_S};
use hallpass_core::resolve::host::{AwsHost, belongs_to_aws};
use hallpass_core::secret::Secret;
use http::{HeaderValue, Response, StatusCode, header, request};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::either::Either;

use super::authority::Authority;
use super::connection::Connection;
use super::download::Answer;
use super::passthrough::{self, Passage, Passthrough, Reach};
use super::pipeline::unless_closed;
use super::placeholder::password;
use super::refuse::{self, Asked, Known, Refused};
use super::resolve::partition;
use super::socket::{Ahead, ChildSocket};
use super::wire::{Fault, Framing};
use super::{Proxy, ProxyError, Shared};

/// The user of the proxy's URL; the password is what counts.
const USER: &str = "hallpass";

/// Longest name of a host (RFC 1035 2.3.4), characters; more of one is not repeated.
const HOST_CHARS_SHOWN: usize = 253;

/// What a gate needs to be a proxy.
#[derive(Debug)]
pub(super) struct Tunnels {
    authority: Authority,
    /// `user:password` in base 64, as it is sent.
    credentials: Secret,
    url: Secret,
    pub(super) passthrough: Passthrough,
    /// For connections to other hosts.
    pub(super) places: Arc<Semaphore>,
}

/// What a CONNECT was granted.
#[derive(Debug)]
pub(super) enum Granted {
    /// A tunnel to an AWS host, for which the gate stands in.
    Aws(Arc<AwsHost>),
    /// A connection to another host, which the gate leaves alone.
    Elsewhere(Box<Passage>),
}

impl Tunnels {
    pub(super) fn proxy(&self) -> Proxy {
        Proxy { url: self.url.clone(), certificate: self.authority.certificate().to_owned() }
    }
}

/// Makes the authority and the password, once.
pub(super) fn open(gate: &Shared, port: u16, passthrough: Passthrough) -> Result<&Tunnels, ProxyError> {
    let slot: &OnceLock<Tunnels> = &gate.tunnels;
    if let Some(tunnels) = slot.get() {
        return Ok(tunnels);
    }
    let authority = Authority::new(gate.session.short(), gate.clock.now(), gate.expires_at);
    let authority = authority.map_err(|e| ProxyError(e.to_string()))?;
    let password = password().map_err(|e| ProxyError(e.to_string()))?;
    let credentials = Secret::new(STANDARD.encode(format!("{USER}:{}", password.expose())));
    let url = Secret::new(format!("http://{USER}:{}@127.0.0.1:{port}", password.expose()));
    let places = Arc::new(Semaphore::new(PASSTHROUGH_CONNECTIONS_MAX));
    Ok(slot.get_or_init(|| Tunnels { authority, credentials, url, passthrough, places }))
}

/// Answers a CONNECT. When the answer is 200, the connection becomes a tunnel as soon as it has been sent.
pub(super) async fn connect(
    gate: &Arc<Shared>,
    connection: &Connection,
    head: &request::Parts,
    view: &[(&str, &[u8])],
    framing: Result<Framing, Fault>,
) -> Response<Answer> {
    let admitted = match framing {
        Ok(Framing::None | Framing::Length(0)) => admit(gate, head).await,
        Ok(Framing::Length(_) | Framing::Chunked) | Err(_) => {
            Err(Denial::new(DenialCode::Malformed, "a CONNECT has no body and one reading only"))
        }
    };
    let established = admitted.map(|granted| {
        *connection.tunnel.lock().unwrap_or_else(PoisonError::into_inner) = Some(granted);
    });
    match established {
        Ok(()) => Response::new(Answer::Made(Full::new(Bytes::new()))),
        Err(denial) => refused(gate, head, view, denial).await,
    }
}

/// A refusal of the proxy, which asks for the password where it is missing.
async fn refused(gate: &Shared, head: &request::Parts, view: &[(&str, &[u8])], denial: Denial) -> Response<Answer> {
    let asked = Asked { method: head.method.as_str(), path: "", headers: view };
    let challenge = needs_password(&denial);
    let mut answer = refuse::answer(gate, asked, Refused { denial, known: Known::default() }).await;
    if answer.status() != StatusCode::SERVICE_UNAVAILABLE {
        *answer.status_mut() = StatusCode::FORBIDDEN;
    }
    if challenge {
        *answer.status_mut() = StatusCode::PROXY_AUTHENTICATION_REQUIRED;
        let ask = HeaderValue::from_static("Basic realm=\"hallpass\"");
        answer.headers_mut().insert(header::PROXY_AUTHENTICATE, ask);
    }
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    answer
}

fn needs_password(denial: &Denial) -> bool {
    matches!(denial.code, DenialCode::Unsigned | DenialCode::UnknownKey)
}

async fn admit(gate: &Arc<Shared>, head: &request::Parts) -> Result<Granted, Denial> {
    let tunnels = authorized(gate, head)?;
    if let Some(why) = gate.switch.closed() {
        return Err(why.denial());
    }
    let authority = head.uri.authority().ok_or_else(|| foreign("CONNECT must name a host and a port"))?;
    let mut named = head.headers.get_all(header::HOST).iter();
    if let (Some(host), None) = (named.next(), named.next())
        && host.as_bytes() != authority.as_str().as_bytes()
        && host.as_bytes() != authority.host().as_bytes()
    {
        return Err(foreign("the Host header names another host than the CONNECT"));
    }
    let port = authority.port_u16().filter(|port| *port != 0);
    let port = port.filter(|_| !authority.as_str().contains('@'));
    let port = port.ok_or_else(|| foreign("CONNECT must name a host and a port, and nothing else"))?;
    match (known(gate, authority.host()), elsewhere(gate, tunnels, authority.host())) {
        (Ok(host), _) if port == 443 => Ok(Granted::Aws(Arc::new(host))),
        (Ok(_), _) => Err(foreign("only port 443 of AWS is reached through this proxy")),
        (Err(_), Some((host, reach))) => {
            let opened = passthrough::open(gate, tunnels, (&host, port), reach, false).await;
            opened.map(|passage| Granted::Elsewhere(Box::new(passage)))
        }
        (Err(denial), None) => Err(denial),
    }
}

/// How far a connection to a host that is not the cloud's may reach; `None` when there is to be none. Where the
/// session's own requests go, emulators and stores, nothing passes untouched.
fn elsewhere(gate: &Shared, tunnels: &Tunnels, named: &str) -> Option<(String, Reach)> {
    let host = named.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let reach = tunnels.passthrough.covers(&host).filter(|_| !gate.upstreams.lead_to(&host));
    reach.map(|reach| (host, reach))
}

/// The host of a plain request, `http://`, that is passed on; `None` when it is not for such a host.
pub(super) fn passes_on(gate: &Shared, head: &request::Parts) -> Option<(String, u16, Reach)> {
    let authority = head.uri.authority().filter(|_| head.uri.scheme_str() == Some("http"))?;
    let (host, reach) = elsewhere(gate, gate.tunnels.get()?, authority.host())?;
    let port = if authority.as_str().ends_with(authority.host()) { Some(80) } else { authority.port_u16() };
    let port = port.filter(|port| *port != 0 && !authority.as_str().contains('@'))?;
    Some((host, port, reach))
}

/// Passes a plain request on to another host.
pub(super) async fn pass_on(
    gate: &Arc<Shared>,
    connection: &Connection,
    head: &request::Parts,
    view: &[(&str, &[u8])],
    framing: Result<Framing, Fault>,
    body: Incoming,
    (host, port, reach): (String, u16, Reach),
) -> Response<Answer> {
    // From here on a throw of the switch counts this request, and wakes its task.
    connection.live.begin(None);
    let passing = async {
        let tunnels = authorized(gate, head)?;
        framing.map_err(|_| Denial::new(DenialCode::Malformed, "the request can be read in more ways than one"))?;
        let passage = passthrough::open(gate, tunnels, (&host, port), reach, true).await?;
        passthrough::forward(&connection.live, head, body, &tunnels.passthrough, passage).await
    };
    match unless_closed(&gate.switch, pin!(passing)).await.unwrap_or_else(|why| Err(why.denial())) {
        Ok(answer) => answer,
        Err(denial) => {
            connection.live.end();
            refused(gate, head, view, denial).await
        }
    }
}

/// Whether the gate stands in for a host: the one check, for tunnels and for plain requests through the proxy.
pub(super) fn known(gate: &Shared, host: &str) -> Result<AwsHost, Denial> {
    AwsHost::named(CATALOG, partition(&gate.caller), host).map_err(|denial| {
        let how = if belongs_to_aws(host) {
            "hosts of AWS that hallpass does not know are never passed through: use another endpoint of the service, \
             or start the session with `--via endpoint`"
        } else {
            "to reach another host start the session with `--passthrough HOST` or `--via endpoint`, or name the host \
             in NO_PROXY; `--passthrough public` is every host of the internet"
        };
        let shown: String = host.chars().take(HOST_CHARS_SHOWN).collect();
        Denial { how_to_ask: Some(how.to_owned()), ..foreign(&format!("`{shown}`: {}", denial.reason)) }
    })
}

/// Other users of the machine, and pages in a browser, do not know the password.
pub(super) fn authorized<'a>(gate: &'a Shared, head: &request::Parts) -> Result<&'a Tunnels, Denial> {
    let Some(tunnels) = gate.tunnels.get() else {
        return Err(foreign("this session has no proxy: it was started with `--via endpoint`"));
    };
    let mut sent = head.headers.get_all(header::PROXY_AUTHORIZATION).iter();
    let (Some(sent), None) = (sent.next(), sent.next()) else {
        let why = "the proxy wants the user and password of its URL, once";
        return Err(Denial::new(DenialCode::Unsigned, why));
    };
    let given = sent.to_str().ok().and_then(|text| text.split_once(' '));
    let given = given.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
    let given = given.map(|(_, credentials)| Secret::new(credentials.trim()));
    if given.as_ref() == Some(&tunnels.credentials) {
        return Ok(tunnels);
    }
    Err(Denial::new(DenialCode::UnknownKey, "the user and password are not those of this session's proxy"))
}

fn foreign(why: &str) -> Denial {
    Denial::new(DenialCode::ForeignOrigin, why)
}

/// Speaks TLS to the child as the host that it asked for. `None` when the child does not want to.
pub(super) async fn accept(gate: &Shared, tcp: TcpStream, bytes: Bytes, host: &AwsHost) -> Option<ChildSocket> {
    let tunnels = gate.tunnels.get()?;
    let server = tunnels.authority.server(&host.host, gate.clock.now());
    let server = server.inspect_err(|error| tracing::error!(%error, "a host could not be certified")).ok()?;
    let handshake = TlsAcceptor::from(server).accept(Ahead { bytes, tcp });
    let handshake = tokio::time::timeout(Duration::from_secs(TUNNEL_HANDSHAKE_TIMEOUT_S), handshake);
    let made = tokio::select! {
        () = gate.phase.closing() => return None,
        made = handshake => made,
    };
    let stream = match made {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::info!(%error, host = host.host, "the command does not trust the session's certificate");
            return None;
        }
        Err(_) => return None,
    };
    // A client that names another host in its handshake would be shown the wrong certificate anyway.
    let fits = stream.get_ref().1.server_name().is_none_or(|name| name == host.host);
    fits.then(|| Either::Right(Box::new(stream)))
}
