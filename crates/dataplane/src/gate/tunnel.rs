//! The forward proxy: tunnels to the AWS hosts that the gate stands in for, for whoever holds the session's password.

use std::sync::{Arc, OnceLock, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hallpass_catalog::CATALOG;
use hallpass_core::denial::{Denial, DenialCode};
use hallpass_core::limits::TUNNEL_HANDSHAKE_TIMEOUT_S;
use hallpass_core::resolve::host::AwsHost;
use hallpass_core::secret::Secret;
use http::{HeaderValue, Method, Response, StatusCode, header, request};
use http_body_util::Full;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::authority::Authority;
use super::connection::Connection;
use super::download::Answer;
use super::passthrough::{self, Passthrough};
use super::placeholder::password;
use super::refuse::{self, Asked, Known, Refused};
use super::resolve::partition;
use super::socket::{Ahead, ChildSocket, Socket};
use super::wire::{Fault, Framing};
use super::{Proxy, ProxyError, Shared};

/// The user of the proxy's URL; the password is what counts.
const USER: &str = "hallpass";

/// What a gate needs to be a proxy.
#[derive(Debug)]
pub(super) struct Tunnels {
    authority: Authority,
    /// `user:password` in base 64, as it is sent.
    credentials: Secret,
    url: Secret,
    passthrough: Passthrough,
}

/// What a CONNECT was granted.
#[derive(Debug)]
pub(super) enum Granted {
    /// A tunnel to an AWS host, for which the gate stands in.
    Aws(Arc<AwsHost>),
    /// A connection to another host, which the gate leaves alone.
    Elsewhere(TcpStream),
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
    Ok(slot.get_or_init(|| Tunnels { authority, credentials, url, passthrough }))
}

/// Answers a CONNECT. When the answer is 200, the connection becomes a tunnel as soon as it has been sent.
pub(super) async fn connect(
    gate: &Shared,
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
        Err(denial) => {
            let asked = Asked { method: Method::CONNECT.as_str(), path: "", headers: view };
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
    }
}

fn needs_password(denial: &Denial) -> bool {
    matches!(denial.code, DenialCode::Unsigned | DenialCode::UnknownKey)
}

async fn admit(gate: &Shared, head: &request::Parts) -> Result<Granted, Denial> {
    authorized(gate, head)?;
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
    if authority.as_str().contains('@') || authority.port_u16() != Some(443) {
        return Err(foreign("only port 443 is reached through this proxy"));
    }
    let host = authority.host();
    match known(gate, host) {
        Ok(host) => Ok(Granted::Aws(Arc::new(host))),
        Err(_) if gate.tunnels.get().is_some_and(|tunnels| tunnels.passthrough.covers(host)) => {
            passthrough::connect(host).await.map(Granted::Elsewhere)
        }
        Err(denial) => Err(denial),
    }
}

/// Whether the gate stands in for a host: the one check, for tunnels and for plain requests through the proxy.
pub(super) fn known(gate: &Shared, host: &str) -> Result<AwsHost, Denial> {
    AwsHost::named(CATALOG, partition(&gate.caller), host).map_err(|denial| {
        let how = "this proxy reaches AWS and nothing else: to reach another host start the session with \
                   `--passthrough HOST` or `--via endpoint`, or name the host in NO_PROXY";
        Denial { how_to_ask: Some(how.to_owned()), ..foreign(&denial.reason) }
    })
}

/// Other users of the machine, and pages in a browser, do not know the password.
pub(super) fn authorized(gate: &Shared, head: &request::Parts) -> Result<(), Denial> {
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
        return Ok(());
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
    fits.then(|| Socket::Tls(Box::new(stream)))
}
