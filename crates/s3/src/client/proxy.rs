//! The proxy on the way out: `HTTPS_PROXY` and `NO_PROXY`, as curl and the AWS tools read them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hallpass_core::limits::S3_PROXY_ANSWER_BYTES_MAX;
use hallpass_core::no_proxy::NoProxy;
use hallpass_core::secret::Secret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::endpoint::Host;
use crate::error::S3Error;

/// Which requests go through which proxy. Only https goes through one: its bytes stay sealed.
#[derive(Debug, Clone, Default)]
pub struct Proxy {
    https: Option<Through>,
    direct: NoProxy,
}

#[derive(Debug, Clone)]
pub(crate) struct Through {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// `Basic …`
    authorization: Option<Secret>,
}

impl Proxy {
    /// From the values of `HTTPS_PROXY` (`http://[user:password@]host[:port]`) and `NO_PROXY`.
    ///
    /// # Errors
    /// [`S3Error::Usage`] when the first is not such a URL.
    pub fn new(https: Option<&str>, no_proxy: Option<&str>) -> Result<Self, S3Error> {
        let https = https.map(str::trim).filter(|url| !url.is_empty()).map(Through::parse).transpose()?;
        Ok(Self { https, direct: NoProxy::new(no_proxy.unwrap_or_default()) })
    }

    pub(crate) fn of(&self, host: &Host) -> Option<&Through> {
        let through = self.https.as_ref().filter(|_| host.https())?;
        (!self.direct.holds(host.name(), host.port())).then_some(through)
    }
}

impl Through {
    fn parse(url: &str) -> Result<Self, S3Error> {
        let shown = url.rsplit_once('@').map_or(url, |(_, host)| host);
        let refuse = |why: &str| {
            S3Error::usage_with(
                format!("`{shown}` in `HTTPS_PROXY` cannot be used: {why}"),
                "give `http://[user:password@]host[:port]`, or unset it",
            )
        };
        let with_scheme = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let uri: http::Uri = with_scheme.parse().map_err(|_| refuse("it is not a URL"))?;
        if uri.scheme_str() != Some("http") {
            return Err(refuse("only proxies that are spoken to in plain HTTP are known"));
        }
        let authority = uri.authority().ok_or_else(|| refuse("it names no host"))?;
        let authorization = authority.as_str().rsplit_once('@').map(|(user, _)| {
            let plain = super::xml::percent_decoded(user, false).unwrap_or_else(|| user.to_owned());
            Secret::new(format!("Basic {}", STANDARD.encode(plain)))
        });
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { host, port: authority.port_u16().unwrap_or(80), authorization })
    }

    /// Asks the proxy for a tunnel to `host`.
    ///
    /// # Errors
    /// Why there is none, for people.
    pub(crate) async fn tunnel(&self, socket: &mut TcpStream, host: &Host) -> Result<(), String> {
        let shown = if host.name().contains(':') { format!("[{}]", host.name()) } else { host.name().to_owned() };
        let to = format!("{shown}:{}", host.port());
        let mut ask = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n");
        if let Some(authorization) = &self.authorization {
            ask.push_str("Proxy-Authorization: ");
            ask.push_str(authorization.expose());
            ask.push_str("\r\n");
        }
        ask.push_str("\r\n");
        let broken = |e: std::io::Error| format!("the proxy {}:{} broke the connection: {e}", self.host, self.port);
        socket.write_all(ask.as_bytes()).await.map_err(broken)?;
        let mut answer = Vec::with_capacity(256);
        // Byte by byte at the end of the head: what follows it belongs to TLS.
        while !answer.ends_with(b"\r\n\r\n") {
            if answer.len() == S3_PROXY_ANSWER_BYTES_MAX {
                return Err(format!("the proxy {}:{} answered without end", self.host, self.port));
            }
            answer.push(socket.read_u8().await.map_err(broken)?);
        }
        let status = answer.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(2..5));
        match status {
            Some([b'2', _, _]) => Ok(()),
            status => Err(format!(
                "the proxy {}:{} refused the tunnel with status {}",
                self.host,
                self.port,
                crate::error::text::cleaned(&String::from_utf8_lossy(status.unwrap_or(b"unknown")))
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Proxy;
    use crate::alias::Addressing;
    use crate::client::endpoint::Endpoint;

    fn goes_through(no_proxy: &str, url: &str) -> bool {
        let proxy = Proxy::new(Some("http://user:hunter2@proxy.example:3128"), Some(no_proxy)).expect("legal");
        let endpoint = Endpoint::parse(url, Addressing::Path).expect("legal");
        proxy.of(&endpoint.place(None, None, None).expect("legal").0).is_some()
    }

    #[test]
    fn only_https_goes_through_a_proxy_and_not_what_no_proxy_names() {
        assert!(goes_through("", "https://s3.amazonaws.com"));
        assert!(!goes_through("", "http://s3.amazonaws.com"));
        assert!(!goes_through("amazonaws.com:443", "https://s3.amazonaws.com"));
        assert!(goes_through("amazonaws.com:443", "https://s3.amazonaws.com:8443"));
        assert!(!goes_through("[fd12::1]", "https://[fd12::1]:9000"));
        assert!(!goes_through("", "https://[::1]:9000"), "what is on this machine");
    }

    #[test]
    fn a_proxys_password_is_never_shown() {
        let proxy = Proxy::new(Some("http://user:hunter2@proxy.example:3128"), None).expect("legal");
        assert!(!format!("{proxy:?}").contains("dXNlcjpodW50ZXIy"));
        let error = Proxy::new(Some("socks5://user:hunter2@proxy.example"), None).expect_err("refused").to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
