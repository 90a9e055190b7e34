//! A store without a disk: it takes everything, gives zeros, and lists keys that it makes up. It verifies nothing, so
//! that what is measured is the client; it counts, so that a client which did nothing is not called fast.

use std::convert::Infallible;
use std::fmt::Write;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;

use super::sizes::Sizes;

static ZEROS: [u8; 256 * 1024] = [0; 256 * 1024];

static OBJECTS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
static REMOVED: AtomicU64 = AtomicU64::new(0);

/// What was sent to the sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    /// Objects that were put whole.
    pub(super) objects: u64,
    /// Bytes of objects and parts.
    pub(super) bytes: u64,
    /// Keys that were deleted.
    pub(super) removed: u64,
}

/// What came since the last question.
pub(super) fn taken() -> Taken {
    let [objects, bytes, removed] = [&OBJECTS, &BYTES, &REMOVED].map(|count| count.swap(0, Ordering::Relaxed));
    Taken { objects, bytes, removed }
}

/// So many zeros, or a document.
pub(super) enum Answer {
    Zeros(u64),
    Text(Option<Bytes>),
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = match self.get_mut() {
            Self::Zeros(0) => None,
            Self::Zeros(left) => {
                let piece = (*left).min(ZEROS.len() as u64);
                *left -= piece;
                Some(Bytes::from_static(&ZEROS[..usize::try_from(piece).expect("fits")]))
            }
            Self::Text(text) => text.take(),
        };
        Poll::Ready(next.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Zeros(left) => SizeHint::with_exact(*left),
            Self::Text(text) => SizeHint::with_exact(text.as_ref().map_or(0, |text| text.len() as u64)),
        }
    }
}

/// Starts it on a thread that lives as long as the process.
pub(super) fn start(sizes: Sizes) -> SocketAddr {
    let (told, ready) = channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
            told.send(listener.local_addr().expect("an address")).expect("heard");
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                drop(socket.set_nodelay(true));
                let answer =
                    service_fn(move |request| async move { Ok::<_, Infallible>(answered(request, sizes).await) });
                connections.spawn(async move {
                    drop(
                        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), answer).await,
                    );
                });
            }
        });
    });
    ready.recv().expect("the sink starts")
}

async fn answered(request: Request<Incoming>, sizes: Sizes) -> Response<Answer> {
    let (head, mut body) = request.into_parts();
    let batch = head.method == Method::POST && has(head.uri.query().unwrap_or_default(), "delete");
    let mut keys = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        if let (true, Ok(data)) = (batch, frame.into_data()) {
            keys.extend_from_slice(&data);
        }
    }
    count(&head, &keys);
    let path = head.uri.path().trim_matches('/');
    let query = head.uri.query().unwrap_or_default();
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let document = match head.method {
        Method::POST if has(query, "uploads") => {
            "<InitiateMultipartUploadResult><UploadId>sink</UploadId></InitiateMultipartUploadResult>".to_owned()
        }
        Method::POST if has(query, "uploadId") => {
            "<CompleteMultipartUploadResult><ETag>\"sink-1\"</ETag></CompleteMultipartUploadResult>".to_owned()
        }
        Method::POST => "<DeleteResult></DeleteResult>".to_owned(),
        Method::GET if bucket.is_empty() => {
            "<ListAllMyBucketsResult><Buckets><Bucket><Name>bkt</Name></Bucket></Buckets></ListAllMyBucketsResult>"
                .to_owned()
        }
        Method::GET if has(query, "location") => "<LocationConstraint></LocationConstraint>".to_owned(),
        Method::GET if key.is_empty() => listing(query, sizes),
        Method::GET | Method::HEAD if !key.is_empty() => return object(&head, key, sizes),
        _ => String::new(),
    };
    let status = if head.method == Method::DELETE { StatusCode::NO_CONTENT } else { StatusCode::OK };
    let answer =
        Response::builder().status(status).header("etag", "\"sink-1\"").header("content-type", "application/xml");
    answer.body(Answer::Text((!document.is_empty()).then(|| document.into()))).expect("an answer")
}

fn count(head: &http::request::Parts, keys: &[u8]) {
    let query = head.uri.query().unwrap_or_default();
    let length = |name: &str| head.headers.get(name)?.to_str().ok()?.parse::<u64>().ok();
    let add = |counter: &AtomicU64, number: u64| {
        counter.fetch_add(number, Ordering::Relaxed);
    };
    let part = has(query, "partNumber");
    match head.method {
        Method::PUT => {
            // A body in signed chunks is longer than what it holds.
            add(&BYTES, length("x-amz-decoded-content-length").or_else(|| length("content-length")).unwrap_or(0));
            add(&OBJECTS, u64::from(!part));
        }
        Method::POST if has(query, "uploadId") => add(&OBJECTS, 1),
        Method::POST => add(&REMOVED, String::from_utf8_lossy(keys).matches("<Key>").count() as u64),
        Method::DELETE if !has(query, "uploadId") => add(&REMOVED, 1),
        _ => {}
    }
}

fn has(query: &str, name: &str) -> bool {
    query.split('&').any(|pair| pair.split('=').next() == Some(name))
}

fn value<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').filter_map(|pair| pair.split_once('=')).find(|(n, _)| *n == name).map(|(_, value)| value)
}

fn object(head: &http::request::Parts, key: &str, sizes: Sizes) -> Response<Answer> {
    let Some(size) = sizes.of(key) else {
        return Response::builder().status(StatusCode::NOT_FOUND).body(Answer::Text(None)).expect("an answer");
    };
    let range =
        head.headers.get("range").and_then(|range| range.to_str().ok()?.strip_prefix("bytes=")?.split_once('-'));
    let (first, last) = range.map_or((0, size.saturating_sub(1)), |(first, last)| {
        (first.parse().unwrap_or(0), last.parse().unwrap_or(u64::MAX).min(size - 1))
    });
    let length = if size == 0 { 0 } else { last + 1 - first };
    let mut answer = Response::builder().header("etag", "\"sink-1\"").header("accept-ranges", "bytes");
    answer = answer.header("last-modified", "Sun, 22 Nov 2026 00:00:00 GMT").header("content-length", length);
    if range.is_some() {
        answer = answer.status(StatusCode::PARTIAL_CONTENT);
        answer = answer.header("content-range", format!("bytes {first}-{last}/{size}"));
    }
    answer.body(Answer::Zeros(if head.method == Method::HEAD { 0 } else { length })).expect("an answer")
}

/// 1,000 keys a page; the token, or the marker, is the last key of the page before.
fn listing(query: &str, sizes: Sizes) -> String {
    let prefix = value(query, "prefix").unwrap_or_default().replace("%2F", "/");
    let folder = prefix.split('/').next().unwrap_or_default();
    let after = ["continuation-token", "marker", "start-after"].iter().find_map(|name| value(query, name));
    let after = after.and_then(|key| key.rsplit(|c: char| !c.is_ascii_digit()).next()?.parse::<u64>().ok());
    let (first, all) = (after.map_or(0, |last| last + 1), sizes.keys(folder));
    let end = (first + 1_000).min(all);
    let size = sizes.of(&format!("{folder}/x")).unwrap_or(0);
    let mut page = format!("<ListBucketResult><Name>bkt</Name><Prefix>{prefix}</Prefix><MaxKeys>1000</MaxKeys>");
    for number in first..end {
        write!(
            page,
            "<Contents><Key>{folder}/{number:08}</Key><LastModified>2026-11-22T00:00:00.000Z</LastModified>\
             <ETag>&quot;sink-1&quot;</ETag><Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        )
        .expect("memory");
    }
    let last = format!("{folder}/{:08}", end.saturating_sub(1));
    let count = end.saturating_sub(first);
    let truncated = end < all;
    write!(page, "<KeyCount>{count}</KeyCount><IsTruncated>{truncated}</IsTruncated>").expect("memory");
    if truncated {
        write!(page, "<NextContinuationToken>{last}</NextContinuationToken><NextMarker>{last}</NextMarker>")
            .expect("memory");
    }
    page.push_str("</ListBucketResult>");
    page
}
