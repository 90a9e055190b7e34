//! The proxy that the caller itself needs to reach the internet: what passes through ours goes on through that one.

use std::fmt;
use std::io;

use bytes::{Bytes, BytesMut};
use hallpass_core::http_proxy::{HttpProxy, HttpProxyError, status};
use hallpass_core::limits::OUTER_PROXY_HEAD_BYTES_MAX;
use hallpass_core::secret::Secret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::super::socket::Ahead;
use super::dial::Dialled;

/// An HTTP proxy, `http://[user:password@]host[:port]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OuterProxy(HttpProxy);

/// The text names no proxy that can be gone through. It shows no password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("your own proxy cannot be used: {0}")]
pub struct OuterProxyError(#[from] HttpProxyError);

impl OuterProxy {
    /// Reads the value of `HTTPS_PROXY` or `HTTP_PROXY`; see [`HttpProxy::parse`].
    ///
    /// # Errors
    /// [`OuterProxyError`] for TLS to the proxy, SOCKS, and what is no URL.
    pub fn parse(url: &str) -> Result<Self, OuterProxyError> {
        Ok(Self(HttpProxy::parse(url)?))
    }

    /// The value of `Proxy-Authorization`, where the proxy wants one.
    pub(super) fn authorization(&self) -> Option<&Secret> {
        self.0.authorization()
    }

    /// A connection to the proxy itself.
    pub(super) async fn connect(&self) -> Result<Dialled, String> {
        let tcp = TcpStream::connect((self.0.host(), self.0.port())).await;
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
        let who = self.authorization().map(|value| format!("Proxy-Authorization: {}\r\n", value.expose()));
        let ask = format!("{}{}\r\n", HttpProxy::connect(host, port), who.unwrap_or_default());
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
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use hallpass_core::limits::OUTER_PROXY_HEAD_BYTES_MAX;
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::OuterProxy;

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
