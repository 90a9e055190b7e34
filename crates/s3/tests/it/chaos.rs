//! A store that misbehaves on demand, on a socket of its own. It checks nothing: what it answers is the test's.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// No connection lives longer.
const LIFE: Duration = Duration::from_secs(60);

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    /// A header's value; empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found =
            self.head.lines().filter_map(|line| line.split_once(':')).find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value.trim())
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let query = self.target.split_once('?')?.1;
        query.split('&').filter_map(|pair| pair.split_once('=')).find(|(n, _)| *n == name).map(|(_, value)| value)
    }
}

/// What it does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Status, more header lines, body.
    Answer(u16, String, Vec<u8>),
    /// Announces the whole body, or with header lines a range, and sends so much of it.
    Truncated(usize, String, Vec<u8>),
    /// Takes the request and says nothing.
    Silence,
    /// Closes the connection.
    Close,
}

pub(crate) fn answer(status: u16, body: impl Into<Vec<u8>>) -> Act {
    Act::Answer(status, String::new(), body.into())
}

pub(crate) fn refused(status: u16, code: &str) -> Act {
    answer(status, format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>No.</Message></Error>"))
}

/// Running; ends when dropped.
pub(crate) struct Chaos {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<Mutex<usize>>,
    _tasks: JoinSet<()>,
}

impl Chaos {
    /// `act` gets the request and how many came before it.
    pub(crate) async fn start(act: impl Fn(&Seen, usize) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let connections = Arc::<Mutex<usize>>::default();
        let (shared, counted, act) = (Arc::clone(&seen), Arc::clone(&connections), Arc::new(act));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut served = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                socket.set_nodelay(true).expect("no delay");
                *counted.lock().expect("no panic") += 1;
                let (seen, act) = (Arc::clone(&shared), Arc::clone(&act));
                served.spawn(async move {
                    let serving = serve(socket, move |request| {
                        let mut seen = seen.lock().expect("no panic");
                        seen.push(request.clone());
                        act(request, seen.len() - 1)
                    });
                    drop(tokio::time::timeout(LIFE, serving).await);
                });
            }
        });
        Self { address, seen, connections, _tasks: tasks }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic").clone()
    }

    pub(crate) fn connections(&self) -> usize {
        *self.connections.lock().expect("no panic")
    }
}

pub(crate) async fn serve(
    socket: impl AsyncRead + AsyncWrite + Unpin,
    mut act: impl FnMut(&Seen) -> Act,
) -> std::io::Result<()> {
    let mut socket = BufReader::new(socket);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if socket.read_line(&mut head).await? == 0 {
                return Ok(());
            }
        }
        let mut first = head.split(' ');
        let (method, target) =
            (first.next().unwrap_or_default().to_owned(), first.next().unwrap_or_default().to_owned());
        let mut seen = Seen { method, target, head, body: Vec::new() };
        if seen.header("x-amz-meta-early") == "yes" {
            // Refuses before it has read the body, and takes what comes until the client has understood.
            let Act::Answer(status, _, body) = act(&seen) else { return Ok(()) };
            let head = format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
            socket.write_all(&[head.as_bytes(), &body].concat()).await?;
            tokio::io::copy(&mut socket, &mut tokio::io::sink()).await?;
            return Ok(());
        }
        let length = seen.header("content-length").parse().unwrap_or(0);
        seen.body.resize(length, 0);
        socket.read_exact(&mut seen.body).await?;
        let (status, headers, body, sent) = match act(&seen) {
            Act::Close => return Ok(()),
            Act::Silence => std::future::pending().await,
            Act::Truncated(sent, headers, body) => (if headers.is_empty() { 200 } else { 206 }, headers, body, sent),
            Act::Answer(status, headers, body) => (status, headers, body, usize::MAX),
        };
        let length = if headers.contains("content-length") {
            String::new()
        } else {
            format!("content-length: {}\r\n", body.len())
        };
        socket.write_all(format!("HTTP/1.1 {status} X\r\n{length}{headers}\r\n").as_bytes()).await?;
        if seen.method != "HEAD" {
            socket.write_all(&body[..sent.min(body.len())]).await?;
        }
        socket.flush().await?;
        if sent < body.len() {
            return Ok(());
        }
    }
}
