//! The caller's own proxy: how its URL is read, and what it is asked and answers (RFC 9110, 9.3.6). No I/O.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::secret::Secret;

/// An HTTP proxy, `http://[user:password@]host[:port]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpProxy {
    host: String,
    port: u16,
    /// `Basic …`
    authorization: Option<Secret>,
}

/// Why a text names no proxy that can be gone through. It shows nothing of the text, in which a password may stand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}; only http://[user:password@]host[:port] can be gone through")]
pub struct HttpProxyError(&'static str);

impl HttpProxy {
    /// Reads the value of `HTTPS_PROXY` or `HTTP_PROXY`. A URL without a port means 80; a host without a scheme needs
    /// one, because tools read 80, 1080 and 3128 into it.
    ///
    /// # Errors
    /// [`HttpProxyError`] for TLS to the proxy, SOCKS, and what is no URL.
    pub fn parse(url: &str) -> Result<Self, HttpProxyError> {
        let (rest, has_scheme) = match url.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (rest, true),
            Some(_) => return Err(HttpProxyError("it is not spoken to in plain http")),
            None => (url, false),
        };
        let rest = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (user, place) = rest.rsplit_once('@').map_or((None, rest), |(user, place)| (Some(user), place));
        let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, after)) => (host, Some(after.strip_prefix(':').ok_or(NO_HOST)?)),
            None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
        };
        let legal = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b) || place.starts_with('[') && b == b':';
        if host.is_empty() || !host.bytes().all(legal) {
            return Err(NO_HOST);
        }
        let port = match port.map(|port| (port.bytes().all(|b| b.is_ascii_digit()), port.parse::<u16>())) {
            Some((true, Ok(port))) if port != 0 => port,
            None if has_scheme => 80,
            _ => return Err(HttpProxyError("it names no port")),
        };
        let plain = user.map(unescaped).transpose()?;
        let authorization = plain.map(|plain| Secret::new(format!("Basic {}", STANDARD.encode(plain))));
        Ok(Self { host: host.to_owned(), port, authorization })
    }

    /// Its name or address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port, never 0.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The value of `Proxy-Authorization`, where the proxy wants one.
    pub fn authorization(&self) -> Option<&Secret> {
        self.authorization.as_ref()
    }

    /// How the request for a tunnel to `host` begins; `Proxy-Authorization` and an empty line follow. An IPv6 address
    /// comes without brackets.
    pub fn connect(host: &str, port: u16) -> String {
        let to = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n")
    }
}

const NO_HOST: HttpProxyError = HttpProxyError("it names no host");

/// Host and port, no password.
impl fmt::Display for HttpProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            return write!(f, "[{}]:{}", self.host, self.port);
        }
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// The status of a head that begins with HTTP/1's status line (RFC 9112, 4); any from 200 to 299 grants a tunnel.
pub fn status(head: &[u8]) -> Option<u16> {
    let line = head.split(|b| *b == b'\r').next()?;
    let rest = line.strip_prefix(b"HTTP/1.1 ").or_else(|| line.strip_prefix(b"HTTP/1.0 "))?;
    str::from_utf8(rest.get(..3)?).ok()?.parse().ok()
}

/// Percent-encoding undone: `user:p%40ss` is how a password with an at sign stands in a URL.
fn unescaped(text: &str) -> Result<Vec<u8>, HttpProxyError> {
    let bad = HttpProxyError("its user or password is not percent-encoded rightly");
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
    use super::{HttpProxy, status};

    #[test]
    fn a_proxy_is_read_as_its_url_is_written() {
        let shown = |url: &str| HttpProxy::parse(url).map(|proxy| proxy.to_string()).ok();
        assert_eq!(shown("http://proxy.corp:3128").as_deref(), Some("proxy.corp:3128"));
        assert_eq!(shown("HTTP://proxy.corp/").as_deref(), Some("proxy.corp:80"));
        assert_eq!(shown("proxy.corp:3128").as_deref(), Some("proxy.corp:3128"));
        assert_eq!(shown("http://[::1]:3128").as_deref(), Some("[::1]:3128"));
        assert_eq!(shown("http://[::1]").as_deref(), Some("[::1]:80"));
        let who = HttpProxy::parse("http://me:p%40ss:w@proxy:1").expect("a proxy");
        assert_eq!(who.authorization().expect("a user").expose(), "Basic bWU6cEBzczp3");
        for bad in ["", "https://proxy:1", "socks5://proxy:1", "proxy", "http://a%0ab:c@proxy:1", "http://me:p%4@proxy"]
        {
            assert!(HttpProxy::parse(bad).is_err(), "{bad}");
        }
        for bad in ["http://proxy:0", "http://proxy:", "http://proxy:+1", "http://proxy:65536", "http://a:1:2"] {
            assert!(HttpProxy::parse(bad).is_err(), "{bad}");
        }
        for bad in ["http://:80", "http://a b:80", "http://[::1]x:80", "http://a\r\nb:80", "http://::1:80", "http://[a"]
        {
            assert!(HttpProxy::parse(bad).is_err(), "{bad}");
        }
        let error = HttpProxy::parse("socks5://me:hunter2@proxy:1").expect_err("refused").to_string();
        assert!(!error.contains("hunter2"), "{error}");
        assert!(!format!("{who:?} {who}").contains("bWU6"));
    }

    #[test]
    fn a_tunnel_is_asked_for_by_host_and_port() {
        assert_eq!(HttpProxy::connect("a.example", 443), "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n");
        assert_eq!(HttpProxy::connect("fd12::1", 1), "CONNECT [fd12::1]:1 HTTP/1.1\r\nHost: [fd12::1]:1\r\n");
    }

    #[test]
    fn an_answer_is_http_1_or_nothing() {
        assert_eq!(status(b"HTTP/1.1 200 OK\r\n"), Some(200));
        assert_eq!(status(b"HTTP/1.0 407 \r\n"), Some(407));
        for other in ["SSH-2.0-x\r\n", "HTTP/1.1 ", "HTTP/1.1 2x0", "HTTP/2 200"] {
            assert_eq!(status(other.as_bytes()), None, "{other}");
        }
    }
}
