//! A store that verifies signatures with code that is not ours, and remembers every request that reached it.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use http::Request;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub(crate) const KEY: &str = "AKIACRASHCRASHCRASH0";
pub(crate) const SECRET: &str = "the real secret that never leaves hallpass";
pub(crate) const BUCKET: &str = "crash";

/// A request as it reached the store: its method and its key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Reached {
    pub(crate) method: String,
    pub(crate) key: String,
}

/// What the store has seen.
#[derive(Debug, Default)]
struct Seen {
    reached: Vec<Reached>,
    /// Answers that say that a signature was wrong.
    forged: Vec<Reached>,
}

/// A running store; it ends when it is dropped.
pub(crate) struct Upstream {
    url: String,
    bucket: PathBuf,
    seen: Arc<Mutex<Seen>>,
    arrivals: Receiver<()>,
    _runtime: tokio::runtime::Runtime,
}

impl Upstream {
    pub(crate) fn start(root: &Path) -> Self {
        let bucket = root.join(BUCKET);
        std::fs::create_dir_all(&bucket).expect("a folder");
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(root).expect("a folder"));
        builder.set_auth(SimpleAuth::from_single(KEY, SECRET));
        let store = builder.build();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let seen = Arc::<Mutex<Seen>>::default();
        let (arrived, arrivals) = channel();
        let remembered = Arc::clone(&seen);
        runtime.handle().spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let Ok((socket, _)) = listener.accept().await else { return };
                while connections.try_join_next().is_some() {}
                let (store, seen, arrived) = (store.clone(), Arc::clone(&remembered), arrived.clone());
                connections.spawn(async move {
                    let service = service_fn(move |request| serve(&store, &seen, &arrived, request));
                    // A gate that was killed leaves its connections in the middle of anything.
                    drop(
                        hyper::server::conn::http1::Builder::new()
                            .serve_connection(TokioIo::new(socket), service)
                            .await,
                    );
                });
            }
        });
        Self { url, bucket, seen, arrivals, _runtime: runtime }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// One message for each request from now on.
    pub(crate) fn arrivals(&self) -> &Receiver<()> {
        while self.arrivals.try_recv().is_ok() {}
        &self.arrivals
    }

    /// How many requests have reached it so far and were not taken.
    pub(crate) fn count(&self) -> usize {
        self.seen.lock().expect("no panic").reached.len()
    }

    /// What has reached it since the last call, and what of that was signed wrongly. Forgets the objects too.
    pub(crate) fn take(&self) -> (Vec<Reached>, Vec<Reached>) {
        for entry in std::fs::read_dir(&self.bucket).expect("the bucket").flatten() {
            drop(std::fs::remove_dir_all(entry.path()));
        }
        let seen = std::mem::take(&mut *self.seen.lock().expect("no panic"));
        (seen.reached, seen.forged)
    }
}

/// Remembers first, so that nothing which the store acts upon is missing.
fn serve(
    store: &s3s::service::S3Service,
    seen: &Arc<Mutex<Seen>>,
    arrived: &Sender<()>,
    request: Request<Incoming>,
) -> impl Future<Output = Result<s3s::HttpResponse, s3s::HttpError>> + use<> {
    let key = request.uri().path().trim_start_matches(&format!("/{BUCKET}/")).to_owned();
    let reached = Reached { method: request.method().to_string(), key };
    seen.lock().expect("no panic").reached.push(reached.clone());
    // The one who waits for arrivals may have gone with its world.
    let _ = arrived.send(());
    let (answer, seen) = (Service::call(store, request), Arc::clone(seen));
    async move {
        let answer = answer.await;
        if answer.as_ref().is_ok_and(|answer| answer.status() == 403) {
            seen.lock().expect("no panic").forged.push(reached);
        }
        answer
    }
}
