//! The proxy that the caller itself needs to reach the internet: what passes through ours goes on through that one.

use std::fmt;
use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use hallpass_core::limits::OUTER_PROXY_HEAD_BYTES_MAX;
use hallpass_core::secret::Secret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::super::socket::Ahead;
use super::dial::Dialled;

/// An HTTP proxy, `http://[user:password@]host[:port]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OuterProxy {
    host: String,
    port: u16,
    /// `user:password` in base 64.
    credentials: Option<Secret>,
}

/// The text names no proxy that can be gone through. It shows no password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("your own proxy cannot be gone through: {0}; only http://[user:password@]host[:port] can")]
pub struct OuterProxyError(&'static str);

impl OuterProxy {
    /// Reads the value of `HTTPS_PROXY` or `HTTP_PROXY`. Without a scheme it is http, as curl has it; without a port
    /// it is 1080 there and 80 elsewhere, so a port must be given then.
    ///
    /// # Errors
    /// [`OuterProxyError`] for TLS to the proxy, SOCKS, and what is no URL.
    pub fn parse(url: &str) -> Result<Self, OuterProxyError> {
        let rest = match url.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some(_) => return Err(OuterProxyError("it is not spoken to in plain http")),
            None => url,
        };
        let rest = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (credentials, place) = rest.rsplit_once('@').map_or((None, rest), |(who, place)| (Some(who), place));
        let place: http::uri::Authority = place.parse().map_err(|_| OuterProxyError("it names no host"))?;
        let host = place.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = match (place.port_u16(), url.contains("://")) {
            (Some(port), _) if port != 0 => port,
            (None, true) if place.port().is_none() => 80,
            _ => return Err(OuterProxyError("it names no port")),
        };
        let credentials = credentials.map(unescaped).transpose()?;
        let credentials = credentials.map(|plain| Secret::new(STANDARD.encode(plain)));
        Ok(Self { host, port, credentials })
    }

    /// The value of `Proxy-Authorization`, where the proxy wants one.
    pub(super) fn authorization(&self) -> Option<Secret> {
        self.credentials.as_ref().map(|credentials| Secret::new(format!("Basic {}", credentials.expose())))
    }

    /// A connection to the proxy itself.
    pub(super) async fn connect(&self) -> Result<Dialled, String> {
        let tcp = TcpStream::connect((self.host.as_str(), self.port)).await;
        let tcp = tcp.map_err(|e| format!("your own proxy {self} is not there: {e}"))?;
        tcp.set_nodelay(true).map_err(|e| e.to_string())?;
        Ok(Dialled { far: Ahead { bytes: Bytes::new(), tcp }, address: self.to_string() })
    }

    /// A tunnel through it for the gate's own requests.
    pub(in crate::gate) async fn reach(&self, host: &str, port: u16) -> Result<Ahead, String> {
        self.tunnel(host, port).await.map(|dialled| dialled.far)
    }

    /// A tunnel through it.
    pub(super) async fn tunnel(&self, host: &str, port: u16) -> Result<Dialled, String> {
        let mut dialled = self.connect().await?;
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let who = self.authorization().map(|value| format!("Proxy-Authorization: {}\r\n", value.expose()));
        let ask = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{}\r\n", who.unwrap_or_default());
        let failed = |e: io::Error| format!("your own proxy {self} broke off: {e}");
        dialled.far.tcp.write_all(ask.as_bytes()).await.map_err(failed)?;
        let mut head = BytesMut::new();
        let end = loop {
            if let Some(at) = memchr::memmem::find(&head, b"\r\n\r\n") {
                break at + 4;
            }
            if head.len() > OUTER_PROXY_HEAD_BYTES_MAX {
                return Err(format!("your own proxy {self} answers with too long a head"));
            }
            if dialled.far.tcp.read_buf(&mut head).await.map_err(failed)? == 0 {
                return Err(format!("your own proxy {self} closed the connection"));
            }
        };
        dialled.far.bytes = head.split_off(end).freeze();
        match status(&head) {
            Some(200..=299) => Ok(dialled),
            Some(status) => Err(format!("your own proxy {self} answered {status}")),
            None => Err(format!("your own proxy {self} does not speak HTTP")),
        }
    }
}

/// Host and port, no password.
impl fmt::Display for OuterProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            return write!(f, "[{}]:{}", self.host, self.port);
        }
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// The status of a head that begins with HTTP's status line (RFC 9112, 4).
fn status(head: &[u8]) -> Option<u16> {
    let line = head.split(|b| *b == b'\r').next()?;
    let rest = line.strip_prefix(b"HTTP/1.1 ").or_else(|| line.strip_prefix(b"HTTP/1.0 "))?;
    str::from_utf8(rest.get(..3)?).ok()?.parse().ok()
}

/// Percent-encoding undone: `user:p%40ss` is how a password with an at sign stands in a URL.
fn unescaped(text: &str) -> Result<Vec<u8>, OuterProxyError> {
    let bad = OuterProxyError("its user or password is not percent-encoded rightly");
    let (mut bytes, mut plain) = (text.bytes(), Vec::with_capacity(text.len()));
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            plain.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|b| char::from(b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
        let (Some(high), Some(low)) = (digit(), digit()) else { return Err(bad) };
        plain.push(high << 4 | low);
    }
    if plain.iter().any(u8::is_ascii_control) { Err(bad) } else { Ok(plain) }
}

#[cfg(test)]
mod tests {
    use hallpass_core::limits::OUTER_PROXY_HEAD_BYTES_MAX;
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::{OuterProxy, status};

    #[test]
    fn a_proxy_is_read_as_its_url_is_written() {
        let shown = |url: &str| OuterProxy::parse(url).map(|proxy| proxy.to_string()).ok();
        assert_eq!(shown("http://proxy.corp:3128").as_deref(), Some("proxy.corp:3128"));
        assert_eq!(shown("HTTP://proxy.corp/").as_deref(), Some("proxy.corp:80"));
        assert_eq!(shown("proxy.corp:3128").as_deref(), Some("proxy.corp:3128"));
        assert_eq!(shown("http://[::1]:3128").as_deref(), Some("[::1]:3128"));
        let who = OuterProxy::parse("http://me:p%40ss:w@proxy:1").expect("a proxy").authorization().expect("a user");
        assert_eq!(who.expose(), "Basic bWU6cEBzczp3");
        for bad in ["", "https://proxy:1", "socks5://proxy:1", "proxy", "http://proxy:0", "http://a%0ab:c@proxy:1"] {
            assert!(OuterProxy::parse(bad).is_err(), "{bad}");
        }
        let error = OuterProxy::parse("socks5://me:hunter2@proxy:1").expect_err("refused").to_string();
        assert!(!error.contains("hunter2"), "{error}");
        assert_eq!(
            (status(b"HTTP/1.1 200 OK\r\n"), status(b"SSH-2.0-x\r\n"), status(b"HTTP/1.1 ")),
            (Some(200), None, None)
        );
    }

    #[tokio::test]
    async fn a_head_past_the_limit_is_refused() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let proxy = OuterProxy::parse(&format!("http://{}", listener.local_addr().expect("bound"))).expect("a proxy");
        let serving = async {
            let (mut socket, _) = listener.accept().await.expect("accepts");
            let long = vec![b'a'; OUTER_PROXY_HEAD_BYTES_MAX * 2];
            let _ = socket.write_all(&long).await;
            socket
        };
        let (asked, _socket) = tokio::join!(proxy.tunnel("a.example", 443), serving);
        assert!(asked.expect_err("refused").contains("too long"));
    }
}
