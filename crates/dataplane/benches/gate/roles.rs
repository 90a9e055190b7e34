//! What this binary is when it is started by itself: the upstream, the pass-through, or a gate.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;

use hallpass_core::clock::Clock;
use hallpass_core::credential::{Credential, FixedCredential};
use hallpass_core::id::SessionId;
use hallpass_core::policy::{PolicyDocument, ScopedPolicy};
use hallpass_core::secret::Secret;
use hallpass_dataplane::gate::{CallerIdentity, Gate, GateConfig, Journal, Limits, Placeholder, Upstreams};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::{Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use jiff::{SignedDuration, Timestamp};

use crate::{BODY_BYTES, journals, request};

/// Names the role.
pub(crate) const ROLE: &str = "HALLPASS_BENCH_ROLE";
/// Names the upstream of a role that has one.
pub(crate) const UPSTREAM: &str = "HALLPASS_BENCH_UPSTREAM";
/// Names a folder of its own.
pub(crate) const FOLDER: &str = "HALLPASS_BENCH_FOLDER";
/// Threads of the pass-through and of the gate.
const THREADS: usize = 2;
/// Asks for a profile of one of our own servers: its role.
const PROFILE: &str = "HALLPASS_BENCH_PROFILE";
/// Connections of that profile.
pub(crate) const CONNECTIONS: &str = "HALLPASS_BENCH_CONNECTIONS";
/// Large bodies instead of small requests in that profile: which way.
pub(crate) const WAY: &str = "HALLPASS_BENCH_WAY";
/// As the role to profile: all of our own servers, side by side, and nothing else.
const OWN: &str = "own";
/// Body of the small answer.
const SMALL_ANSWER_BYTES: usize = 290;

/// The role that was asked for.
pub(crate) fn asked() -> Option<String> {
    variable(ROLE)
}

/// The server that is to be profiled.
pub(crate) fn profiled() -> Option<&'static str> {
    let wanted = variable(PROFILE)?;
    ["pass", "sticky", "gate", "unlogged"].into_iter().find(|role| *role == wanted)
}

/// Whether the peers and the large bodies are left out, for a quick look at what a change brings.
pub(crate) fn only_own() -> bool {
    variable(PROFILE).is_some_and(|wanted| wanted == OWN)
}

#[expect(clippy::disallowed_methods, reason = "a child is told by its environment")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Plays the role until it is killed.
pub(crate) fn play(role: &str) -> ExitCode {
    let upstream = variable(UPSTREAM).and_then(|text| text.parse().ok());
    let played = match (role, upstream) {
        ("upstream", _) => answer_fast(),
        ("pass", Some(upstream)) => runtime().and_then(|runtime| runtime.block_on(pass_through(upstream))),
        ("sticky", Some(upstream)) => runtime().and_then(|runtime| runtime.block_on(sticky(upstream))),
        ("gate", Some(upstream)) => runtime().and_then(|runtime| {
            let folder = variable(FOLDER).ok_or_else(|| io::Error::other("no folder"))?;
            runtime.block_on(async { gate(upstream, journals::stored(folder.as_ref()).await).await })
        }),
        ("unlogged", Some(upstream)) => {
            runtime().and_then(|runtime| runtime.block_on(gate(upstream, journals::forgotten())))
        }
        _ => Err(io::Error::other("no such role")),
    };
    if played.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build()
}

fn ready(address: SocketAddr) {
    println!("{address}");
    let _ = io::stdout().flush();
}

/// Blocking threads and fixed answers: nothing here may be slower than a proxy.
fn answer_fast() -> io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    ready(listener.local_addr()?);
    for stream in listener.incoming() {
        let stream = stream?;
        std::thread::spawn(move || drop(serve(stream)));
    }
    Ok(())
}

fn serve(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let head = format!("HTTP/1.1 200 OK\r\nx-amz-request-id: R\r\ncontent-length: {SMALL_ANSWER_BYTES}\r\n\r\n");
    let small = [head.as_bytes(), &[b'x'; SMALL_ANSWER_BYTES]].concat();
    let nothing = b"HTTP/1.1 200 OK\r\nx-amz-request-id: R\r\ncontent-length: 0\r\n\r\n";
    let block = vec![b'x'; 256 << 10];
    let mut buffer = vec![0_u8; 256 << 10];
    let mut have = 0;
    loop {
        let end = loop {
            if let Some(at) = buffer[..have].windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            let read = stream.read(&mut buffer[have..])?;
            if read == 0 {
                return Ok(());
            }
            have += read;
        };
        let (method, length) = (buffer[0], length(&buffer[..end]));
        if buffer[..end].windows(12).any(|part| part.eq_ignore_ascii_case(b"100-continue")) {
            // As S3 does: whoever asks whether its body is wanted waits for this.
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let large = buffer[..end].windows(9).any(|part| part == b"large.bin");
        let mut left = length.saturating_sub(have - end);
        buffer.copy_within(end..have, 0);
        have = (have - end).saturating_sub(length);
        while left > 0 {
            let room = buffer.len().min(left);
            let read = stream.read(&mut buffer[..room])?;
            if read == 0 {
                return Ok(());
            }
            left -= read;
        }
        match (method, large) {
            (b'G', true) => {
                stream.write_all(format!("HTTP/1.1 200 OK\r\ncontent-length: {BODY_BYTES}\r\n\r\n").as_bytes())?;
                for _ in 0..BODY_BYTES / block.len() {
                    stream.write_all(&block)?;
                }
            }
            (b'G', false) => stream.write_all(&small)?,
            _ => stream.write_all(nothing)?,
        }
    }
}

fn length(head: &[u8]) -> usize {
    if head.first() == Some(&b'G') {
        return 0;
    }
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let value = text.lines().find_map(|line| line.strip_prefix("content-length:").map(str::trim).map(str::to_owned));
    value.and_then(|value| value.parse().ok()).unwrap_or_default()
}

/// A plain pass-through, as the library's users write it: its server, its pooled client, its many-threaded runtime.
async fn pass_through(upstream: SocketAddr) -> io::Result<()> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    ready(listener.local_addr()?);
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Client<_, Incoming> = Client::builder(TokioExecutor::new()).build(connector);
    let tasks = tokio_util::task::TaskTracker::new();
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let client = client.clone();
        tasks.spawn(async move {
            let service = hyper::service::service_fn(move |request| {
                let client = client.clone();
                async move { client.request(addressed(request, upstream)).await }
            });
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
        });
    }
}

fn addressed(mut request: Request<Incoming>, upstream: SocketAddr) -> Request<Incoming> {
    let wanted = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    *request.uri_mut() = format!("http://{upstream}{wanted}").parse().expect("a URI");
    request
}

/// What the gate would be if it did nothing: no pool, one upstream connection for each of the client's, driven by the
/// same task.
async fn sticky(upstream: SocketAddr) -> io::Result<()> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    ready(listener.local_addr()?);
    let tasks = tokio_util::task::TaskTracker::new();
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        tasks.spawn(async move {
            let Ok(out) = tokio::net::TcpStream::connect(upstream).await else { return };
            let _ = out.set_nodelay(true);
            let Ok((sender, driver)) = hyper::client::conn::http1::handshake(TokioIo::new(out)).await else { return };
            let sender = Arc::new(tokio::sync::Mutex::new(sender));
            let service = hyper::service::service_fn(move |request| passed(Arc::clone(&sender), request));
            let serving = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service);
            let _ = tokio::join!(serving, driver);
        });
    }
}

type Sender = Arc<tokio::sync::Mutex<SendRequest<Incoming>>>;

async fn passed(sender: Sender, request: Request<Incoming>) -> Result<Response<Incoming>, hyper::Error> {
    let mut sender = sender.lock().await;
    sender.ready().await?;
    sender.send_request(request).await
}

async fn gate(upstream: SocketAddr, journal: Journal) -> io::Result<()> {
    let failed = |error: &dyn std::fmt::Display| io::Error::other(error.to_string());
    let clock = Arc::new(TimeOfDay);
    let config = GateConfig {
        session: SessionId::new(journals::SESSION).map_err(|error| failed(&error))?,
        placeholder: Placeholder {
            access_key_id: request::CHILD_KEY.to_owned(),
            secret_access_key: Secret::new(request::CHILD_SECRET),
            session_token: Secret::new(request::CHILD_TOKEN),
        },
        policy: policy(),
        expires_at: clock.now() + SignedDuration::from_hours(1),
        source: Arc::new(signed_in()),
        clock,
        journal,
        upstreams: Upstreams::aws().with_base(&format!("http://{upstream}")).map_err(|error| failed(&error))?,
        caller: CallerIdentity { partition: "aws".into(), account: "123456789012".into(), ..CallerIdentity::default() },
        region: None,
        allow_unmapped: Vec::new(),
        extra_roots: None,
        limits: Limits::none(),
        children: None,
    };
    let gate = Gate::bind(config).await?;
    gate.spread(|| THREADS);
    ready(gate.address());
    std::future::pending::<()>().await;
    drop(gate);
    Ok(())
}

/// Sixteen statements with wildcards and conditions; the last is the one that allows.
pub(crate) fn policy() -> ScopedPolicy {
    let mut statements: Vec<serde_json::Value> = (0..15)
        .map(|n| {
            serde_json::json!({
                "Effect": "Allow",
                "Action": ["s3:Get*", "s3:List*"],
                "Resource": format!("arn:aws:s3:::bucket-{n}-*/team/*"),
                "Condition": {"StringLike": {"aws:UserAgent": "aws-sdk-*"}},
            })
        })
        .collect();
    statements.push(serde_json::json!({
        "Effect": "Allow", "Action": ["s3:Get*", "s3:Put*"], "Resource": "arn:aws:s3:::my-bucket/path/*",
    }));
    let text = serde_json::json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    ScopedPolicy { documents: vec![PolicyDocument::parse(&text).expect("a policy")], ..ScopedPolicy::default() }
}

/// As `hallpass run` has it: signed in once, handed out again and again.
fn signed_in() -> FixedCredential {
    FixedCredential(Credential {
        access_key_id: request::REAL_KEY.into(),
        secret_access_key: Secret::new(request::REAL_SECRET),
        session_token: Some(Secret::new("t".repeat(request::REAL_TOKEN_CHARS))),
        expires_at: None,
    })
}

#[derive(Debug)]
struct TimeOfDay;

impl Clock for TimeOfDay {
    #[expect(clippy::disallowed_methods, reason = "the one clock of the bench")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
