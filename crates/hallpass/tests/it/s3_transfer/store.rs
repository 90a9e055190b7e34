//! An S3 store in this process (s3s-fs: it verifies signatures and checksums) that can be told to misbehave, and keeps
//! a list of what it was asked.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::ledger::{Coming, Ledger};
use crate::cli_world::World;

const KEY: &str = "AKIDOFTHETRANSFERS42";
const SECRET: &str = "secret/of+the+transfers/0000000000000042";

/// What is done with a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Act {
    Pass,
    /// Status and code.
    Refuse(u16, &'static str),
    /// Waits first.
    Late(Duration),
    /// Takes the request and says nothing.
    Never,
    /// Announces the whole body, sends so much of it, and closes.
    Cut(usize),
    /// Sends the body in twenty pieces, with a pause before each.
    Drip(Duration),
}

/// A request: method, path with query, session token, range (empty: none).
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) token: String,
    pub(super) range: String,
}

type Hook = Arc<dyn Fn(&Seen) -> Act + Send + Sync>;

/// Running; ends when it is dropped.
pub(super) struct Store {
    address: SocketAddr,
    folder: TempDir,
    seen: Arc<Mutex<Vec<Seen>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Store {
    pub(super) fn start() -> Self {
        Self::with(|_| Act::Pass)
    }

    pub(super) fn with(hook: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for bucket in ["bkt", "other"] {
            std::fs::create_dir(folder.path().join(bucket)).expect("a bucket");
        }
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let (stop, stopped) = oneshot::channel();
        let (told, ready) = channel();
        let (path, all, hook): (_, _, Hook) = (folder.path().to_owned(), Arc::clone(&seen), Arc::new(hook));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                tokio::select! {
                    () = serve(&path, all, hook, |address| told.send(address).expect("heard")) => {}
                    _ = stopped => {}
                }
            });
            runtime.shutdown_background();
        });
        let address = ready.recv_timeout(Duration::from_secs(30)).expect("the store starts");
        Self { address, folder, seen, stop: Some(stop), thread: Some(thread) }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A world whose aliases `m` and `n` are this store.
    pub(super) fn set(&self, world: &World) {
        for alias in ["m", "n"] {
            world.ok(&["-q", "alias", "set", alias, &self.url(), KEY, SECRET, "--no-check"]);
        }
    }

    /// What `HALLPASS_HOST_<name>` holds for an alias of this store.
    pub(super) fn variable(&self) -> String {
        format!("http://{KEY}:{}@{}", SECRET.replace('/', "%2F"), self.address)
    }

    /// An alias whose keys have a session token that cannot be renewed.
    pub(super) fn set_with_token(&self, world: &World, alias: &str) {
        world.ok(&["-q", "alias", "set", alias, &self.url(), KEY, SECRET, "--session-token", "token-0"]);
    }

    /// An alias whose keys come from a program that gives another token each time.
    pub(super) fn set_renewable(&self, world: &World, alias: &str) {
        let count = world.home().join("asked");
        let script = format!(
            "echo x >> {0}; n=$(wc -l < {0} | tr -d ' '); echo '{{\"Version\":1,\"AccessKeyId\":\"{KEY}\",\
             \"SecretAccessKey\":\"{SECRET}\",\"SessionToken\":\"token-'$n'\",\"Expiration\":\"2999-01-01T00:00:00Z\"}}'",
            count.display()
        );
        let program = world.file("home/keys.sh", &script);
        let command = format!("sh {}", program.display());
        world.ok(&["-q", "alias", "set", alias, &self.url(), "--credential-process", &command]);
    }

    pub(super) fn bucket(&self) -> PathBuf {
        self.folder.path().join("bkt")
    }

    /// The bytes of an object; `None`: there is none.
    pub(super) fn object(&self, key: &str) -> Option<Vec<u8>> {
        std::fs::read(self.bucket().join(key)).ok()
    }

    /// Parts of uploads that are neither ended nor given up.
    pub(super) fn parts(&self) -> usize {
        let all = std::fs::read_dir(self.folder.path()).expect("the store");
        let parts = all.filter_map(Result::ok).map(|entry| entry.file_name().to_string_lossy().into_owned());
        parts.filter(|name| name.starts_with(".upload_id-") || name.contains(".upload-")).count()
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic").clone()
    }

    /// How many requests with this method had this in their target.
    pub(super) fn count(&self, method: &str, part: &str) -> usize {
        self.seen().iter().filter(|seen| seen.method == method && seen.target.contains(part)).count()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        drop(self.stop.take());
        drop(self.thread.take().map(std::thread::JoinHandle::join));
    }
}

async fn serve(folder: &Path, seen: Arc<Mutex<Vec<Seen>>>, hook: Hook, told: impl FnOnce(SocketAddr)) {
    let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder).expect("a store"));
    builder.set_auth(SimpleAuth::from_single(KEY, SECRET));
    let service = builder.build();
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.set_nonblocking(true).expect("a socket");
    told(listener.local_addr().expect("an address"));
    let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
    let mut connections = JoinSet::new();
    let ledger = Arc::<Ledger>::default();
    while let Ok((socket, _)) = listener.accept().await {
        let (service, seen, hook) = (service.clone(), Arc::clone(&seen), Arc::clone(&hook));
        let ledger = Arc::clone(&ledger);
        connections.spawn(async move {
            let answer = service_fn(move |request: Request<Incoming>| {
                let (service, seen, hook) = (service.clone(), Arc::clone(&seen), Arc::clone(&hook));
                let ledger = Arc::clone(&ledger);
                async move {
                    let header = |name: &str| {
                        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
                        value.unwrap_or_default().to_owned()
                    };
                    let asked = Seen {
                        method: request.method().to_string(),
                        target: request.uri().to_string(),
                        token: header("x-amz-security-token"),
                        range: header("range"),
                    };
                    seen.lock().expect("no panic").push(asked.clone());
                    let act = hook(&asked);
                    match act {
                        Act::Refuse(status, code) => {
                            // As stores do, lest the answer is lost with the connection.
                            drop(BodyExt::collect(request.into_body()).await);
                            return Ok::<_, s3s::HttpError>(refused(status, code));
                        }
                        Act::Never => std::future::pending().await,
                        Act::Late(wait) => tokio::time::sleep(wait).await,
                        Act::Pass | Act::Cut(_) | Act::Drip(_) => {}
                    }
                    if let Some(list) = ledger.list(&request) {
                        return Ok(Response::new(s3s::Body::from(list)));
                    }
                    let part = Coming::of(&request);
                    let answer = hyper::service::Service::call(&service, request).await?;
                    if let Some(part) = part {
                        ledger.keep(part, &answer);
                    }
                    Ok(match act {
                        Act::Cut(length) => in_pieces(answer, Some(length), Duration::ZERO).await,
                        Act::Drip(pause) => in_pieces(answer, None, pause).await,
                        _ => answer,
                    })
                }
            });
            drop(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), answer).await);
        });
    }
}

/// The same answer piece by piece; after so many bytes the connection breaks.
async fn in_pieces(answer: Response<s3s::Body>, cut: Option<usize>, pause: Duration) -> Response<s3s::Body> {
    let (mut head, body) = answer.into_parts();
    let whole = BodyExt::collect(body).await.expect("a body").to_bytes();
    head.headers.insert("content-length", whole.len().into());
    let piece = whole.len().div_ceil(20).max(1);
    let sent = whole.slice(..cut.unwrap_or(whole.len()).min(whole.len()));
    let pieces: Vec<_> = sent.chunks(piece).map(|piece| Ok(Frame::data(whole.slice_ref(piece)))).collect();
    let end = cut.map(|_| Err(std::io::Error::other("cut")));
    let frames = futures_util::stream::iter(pieces.into_iter().chain(end)).then(move |frame| async move {
        tokio::time::sleep(pause).await;
        frame
    });
    Response::from_parts(head, s3s::Body::http_body_unsync(StreamBody::new(frames)))
}

fn refused(status: u16, code: &str) -> Response<s3s::Body> {
    let document = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>No.</Message></Error>");
    Response::builder().status(status).body(s3s::Body::from(document)).expect("an answer")
}
