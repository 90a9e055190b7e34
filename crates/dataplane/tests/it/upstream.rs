//! Upstreams: one that remembers what it gets, one that is written by hand, and a strict S3 store.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri, Version};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::world::{REAL_KEY, REAL_SECRET};

/// A request as the upstream got it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) version: Version,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The body came to its end.
    pub(crate) whole: bool,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }
}

pub(crate) type Reply = Response<BoxBody<Bytes, std::io::Error>>;

/// An answer with a body.
pub(crate) fn reply(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Reply {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Full::new(body.into()).map_err(|never| match never {}).boxed()).expect("a response")
}

/// A server that remembers, and ends with its test.
pub(crate) struct Upstream {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    _tasks: JoinSet<()>,
}

impl Upstream {
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic").clone()
    }

    /// Answers 200 with `ok`.
    pub(crate) async fn plain() -> Self {
        Self::answering(|_| reply(200, &[("x-amz-request-id", "UP1")], "ok")).await
    }

    pub(crate) async fn answering(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (remembered, answer) = (Arc::clone(&seen), Arc::new(answer));
        let (address, tasks) = serving(move |_, socket| {
            let (seen, answer) = (Arc::clone(&remembered), Arc::clone(&answer));
            async move {
                let service = service_fn(move |request: Request<Incoming>| {
                    let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                    async move {
                        let one = remember(&seen, request).await;
                        Ok::<_, Infallible>(answer(&one))
                    }
                });
                let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
            }
        })
        .await;
        Self { address, seen, _tasks: tasks }
    }

    /// Answers 200 with `ok`, over TLS, in the version that was agreed on.
    pub(crate) async fn secure(acceptor: TlsAcceptor) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let remembered = Arc::clone(&seen);
        let (address, tasks) = serving(move |_, socket| {
            let (seen, acceptor) = (Arc::clone(&remembered), acceptor.clone());
            async move {
                let Ok(stream) = acceptor.accept(socket).await else { return };
                let two = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                let service = service_fn(move |request: Request<Incoming>| {
                    let seen = Arc::clone(&seen);
                    async move {
                        remember(&seen, request).await;
                        Ok::<_, Infallible>(reply(200, &[], "ok"))
                    }
                });
                let io = TokioIo::new(stream);
                if two {
                    let _ = http2::Builder::new(TokioExecutor::new()).serve_connection(io, service).await;
                } else {
                    let _ = http1::Builder::new().serve_connection(io, service).await;
                }
            }
        })
        .await;
        Self { address, seen, _tasks: tasks }
    }

    /// A server whose connections are written by hand; the first argument counts them.
    pub(crate) async fn by_hand<F>(serve: impl Fn(usize, TcpStream) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (address, tasks) = serving(serve).await;
        Self { address, seen: Arc::default(), _tasks: tasks }
    }

    /// A store that verifies signatures and body hashes.
    pub(crate) async fn store(folder: &Path) -> Self {
        let files = s3s_fs::FileSystem::new(folder).expect("a folder");
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(REAL_KEY, REAL_SECRET));
        let service = builder.build();
        let (address, tasks) = serving(move |_, socket| {
            let service = service.clone();
            async move {
                let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
            }
        })
        .await;
        Self { address, seen: Arc::default(), _tasks: tasks }
    }
}

async fn serving<F>(serve: impl Fn(usize, TcpStream) -> F + Send + Sync + 'static) -> (SocketAddr, JoinSet<()>)
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.local_addr().expect("an address");
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        for number in 0.. {
            let Ok((socket, _)) = listener.accept().await else { return };
            let _ = socket.set_nodelay(true);
            connections.spawn(serve(number, socket));
        }
    });
    (address, tasks)
}

async fn remember(seen: &Mutex<Vec<Seen>>, request: Request<Incoming>) -> Seen {
    let (head, mut body) = request.into_parts();
    let (method, uri, version, headers) = (head.method, head.uri, head.version, head.headers);
    let mut one = Seen { method, uri, version, headers, body: Bytes::new(), whole: false };
    let index = {
        let mut seen = seen.lock().expect("no panic");
        seen.push(one.clone());
        seen.len() - 1
    };
    let mut all = Vec::new();
    one.whole = loop {
        match body.frame().await {
            Some(Ok(frame)) => all.extend_from_slice(&frame.into_data().unwrap_or_default()),
            Some(Err(_)) => break false,
            None => break true,
        }
        seen.lock().expect("no panic")[index].body = Bytes::copy_from_slice(&all[..all.len().min(1 << 20)]);
    };
    one.body = all.into();
    seen.lock().expect("no panic")[index] = one.clone();
    one
}
