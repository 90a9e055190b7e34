//! The proxy of a company: it takes CONNECT and nothing else, and leads every tunnel to one place.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Longest request head that it takes, bytes.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// A proxy on loopback. Dropping it ends it.
#[derive(Debug)]
pub struct ConnectProxy {
    address: SocketAddr,
    _serving: JoinSet<()>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl ConnectProxy {
    /// Every tunnel leads to `to`, whatever is asked for. With `authorization`, only requests that carry this value
    /// of `Proxy-Authorization` are served; others are answered with 407.
    ///
    /// # Errors
    /// When no socket can be had.
    pub async fn start(to: SocketAddr, authorization: Option<&str>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let (seen, wanted) = (Arc::clone(&asked), authorization.map(str::to_owned));
        let serving = async move {
            let mut tunnels = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                tunnels.spawn(serve(socket, to, Arc::clone(&seen), wanted.clone()));
            }
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(serving);
        Ok(Self { address, _serving: tasks, asked })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The heads of all requests, in order.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn serve(
    mut socket: TcpStream,
    to: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    wanted: Option<String>,
) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD_BYTES_MAX {
        head.push(socket.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let is_known = wanted.is_none_or(|value| head.contains(&format!("\r\nProxy-Authorization: {value}\r\n")));
    let is_connect = head.starts_with("CONNECT ");
    asked.lock().unwrap_or_else(PoisonError::into_inner).push(head);
    if !is_connect {
        return socket.write_all(b"HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\n\r\n").await;
    }
    if !is_known {
        return socket.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n").await;
    }
    let mut far = TcpStream::connect(to).await?;
    socket.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    copy_bidirectional(&mut socket, &mut far).await.map(drop)
}
