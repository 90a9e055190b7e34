//! The proxy on the way out: `HTTPS_PROXY` and `NO_PROXY`, as curl and the AWS tools read them.

use hallpass_core::http_proxy::{self, HttpProxy};
use hallpass_core::limits::S3_PROXY_ANSWER_BYTES_MAX;
use hallpass_core::no_proxy::NoProxy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::endpoint::Host;
use crate::error::S3Error;

/// Which requests go through which proxy. Only https goes through one: its bytes stay sealed.
#[derive(Debug, Clone, Default)]
pub struct Proxy {
    https: Option<HttpProxy>,
    direct: NoProxy,
}

impl Proxy {
    /// From the values of `HTTPS_PROXY` (`http://[user:password@]host[:port]`) and `NO_PROXY`.
    ///
    /// # Errors
    /// [`S3Error::Usage`] when the first is not such a URL.
    pub fn new(https: Option<&str>, no_proxy: Option<&str>) -> Result<Self, S3Error> {
        let https = https.map(str::trim).filter(|url| !url.is_empty()).map(parsed).transpose()?;
        Ok(Self { https, direct: NoProxy::new(no_proxy.unwrap_or_default()) })
    }

    pub(crate) fn of(&self, host: &Host) -> Option<&HttpProxy> {
        let through = self.https.as_ref().filter(|_| host.https())?;
        (!self.direct.holds(host.name(), host.port())).then_some(through)
    }
}

fn parsed(url: &str) -> Result<HttpProxy, S3Error> {
    HttpProxy::parse(url).map_err(|why| {
        let shown = url.rsplit_once('@').map_or(url, |(_, host)| host);
        S3Error::usage_with(
            format!("`{shown}` in `HTTPS_PROXY` cannot be used: {why}"),
            "give `http://[user:password@]host[:port]`, or unset it",
        )
    })
}

/// Asks the proxy at the other end of `socket` for a tunnel to `host`.
///
/// # Errors
/// Why there is none, for people.
pub(crate) async fn tunnel(proxy: &HttpProxy, socket: &mut TcpStream, host: &Host) -> Result<(), String> {
    let broken = |e: std::io::Error| format!("the proxy {proxy} broke the connection: {e}");
    let who = proxy.authorization().map(|value| format!("Proxy-Authorization: {}\r\n", value.expose()));
    let ask = format!("{}{}\r\n", HttpProxy::connect(host.name(), host.port()), who.unwrap_or_default());
    socket.write_all(ask.as_bytes()).await.map_err(broken)?;
    let mut answer = Vec::with_capacity(256);
    // Byte by byte at the end of the head: what follows it belongs to TLS.
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() == S3_PROXY_ANSWER_BYTES_MAX {
            return Err(format!("the proxy {proxy} answered without end"));
        }
        answer.push(socket.read_u8().await.map_err(broken)?);
    }
    match http_proxy::status(&answer) {
        Some(200..=299) => Ok(()),
        Some(status) => Err(format!("the proxy {proxy} refused the tunnel with status {status}")),
        None => Err(format!("the proxy {proxy} does not speak HTTP")),
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
