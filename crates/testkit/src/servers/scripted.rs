//! A store whose every answer is written by the test: for refusals, expiry and odd stores that no real one can be
//! brought to give. It checks nothing; that our signatures are right is shown against stores that do.

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One that is forgotten ends after this many connections.
const CONNECTIONS_MAX: usize = 10_000;
/// No connection waits longer for its peer.
const PATIENCE: Duration = Duration::from_secs(30);
/// No body of a request is longer.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Heard {
    /// `GET`.
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Heard {
    /// The value of a header; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

/// What is said.
#[derive(Debug, Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Reply {
    /// A status and a body.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// A refusal as S3 words it.
    pub fn refusal(status: u16, code: &str) -> Self {
        Self::new(status, format!("<Error><Code>{code}</Code><Message>Words about {code}.</Message></Error>"))
            .header("content-type", "application/xml")
    }

    /// The same with a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

type Script = dyn Fn(&Heard) -> Reply + Send + Sync;

struct Shared {
    script: Box<Script>,
    heard: Mutex<Vec<Heard>>,
    stop: AtomicBool,
}

/// A running store; ends when dropped.
pub struct Scripted {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scripted").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Scripted {
    /// Starts one on loopback. A HEAD gets the head of its answer, and no body, as HTTP has it.
    ///
    /// # Panics
    /// There is no port left.
    pub fn start(script: impl Fn(&Heard) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared =
            Arc::new(Shared { script: Box::new(script), heard: Mutex::default(), stop: AtomicBool::new(false) });
        let of_thread = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().take(CONNECTIONS_MAX) {
                let shared = Arc::clone(&of_thread);
                if shared.stop.load(Ordering::SeqCst) {
                    return;
                }
                if let Ok(stream) = stream {
                    std::thread::spawn(move || drop(serve(stream, &shared)));
                }
            }
        });
        Self { address, shared }
    }

    /// One that answers everything with this refusal.
    pub fn refusing(status: u16, code: &'static str) -> Self {
        Self::start(move |_| Reply::refusal(status, code))
    }

    /// One whose every bucket list is empty, and that has nothing else.
    pub fn empty() -> Self {
        Self::start(|heard| match heard.target.split('?').next() {
            Some("/") => Reply::new(200, "<ListAllMyBucketsResult><Buckets></Buckets></ListAllMyBucketsResult>"),
            _ => Reply::refusal(404, "NoSuchBucket"),
        })
    }

    /// Its address, `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request so far.
    ///
    /// # Panics
    /// A connection's thread has panicked.
    pub fn heard(&self) -> Vec<Heard> {
        self.shared.heard.lock().expect("not poisoned").clone()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
    }
}

fn serve(mut stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(heard) = hear(&mut reader, &mut stream)? {
        shared.heard.lock().expect("not poisoned").push(heard.clone());
        let reply = (shared.script)(&heard);
        let mut head = format!("HTTP/1.1 {} Said\r\n", reply.status);
        for (name, value) in &reply.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let is_head = heard.method == "HEAD";
        if reply.status != 204 {
            head.push_str(&format!("content-length: {}\r\n", if is_head { 0 } else { reply.body.len() }));
        }
        stream.write_all(format!("{head}\r\n").as_bytes())?;
        if !is_head && reply.status != 204 {
            stream.write_all(&reply.body)?;
        }
    }
    Ok(())
}

fn hear(reader: &mut BufReader<TcpStream>, stream: &mut TcpStream) -> std::io::Result<Option<Heard>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split(' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.trim().to_owned())),
            None => break,
        }
    }
    let heard = Heard { method, target, headers, body: Vec::new() };
    if heard.header("expect") == "100-continue" {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let length: usize = heard.header("content-length").parse().unwrap_or(0);
    let mut body = vec![0; length.min(BODY_BYTES_MAX)];
    reader.read_exact(&mut body)?;
    Ok(Some(Heard { body, ..heard }))
}
