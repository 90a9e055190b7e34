//! Readers and writers that stand still: back-pressure holds everything up, and after a limit the stream is cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hallpass_core::limits::{STREAM_IDLE_S_MAX, UPSTREAM_RESPONSE_TIMEOUT_S};
use http::{HeaderValue, Method};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::io::AsyncWriteExt;

use crate::client::{Client, Payload, Sign, built};
use crate::faults::read_head;
use crate::upstream::Upstream;
use crate::world::{Setup, World, eventually};

const GIB: u64 = 1 << 30;
/// More than the kernel's buffers of four sockets and the gate's own ever hold.
const HELD_BYTES_MAX: u64 = 64 << 20;

/// Lets that much time pass for every timer, and the gate act on it.
async fn pass(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
    tokio::time::sleep(Duration::from_millis(50)).await;
}

/// Answers with one gibibyte, of which it sends `limit` bytes at most, and counts what was taken from it.
async fn sending(limit: u64) -> (Upstream, Arc<AtomicU64>) {
    let taken = Arc::<AtomicU64>::default();
    let counted = Arc::clone(&taken);
    let upstream = Upstream::by_hand(move |_, mut socket| {
        let taken = Arc::clone(&counted);
        async move {
            read_head(&mut socket).await;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {GIB}\r\n\r\n");
            let mut sent = socket.write_all(head.as_bytes()).await;
            let piece = vec![7; 64 * 1024];
            while sent.is_ok() && taken.load(Ordering::SeqCst) < limit {
                sent = socket.write_all(&piece).await;
                taken.fetch_add(piece.len() as u64, Ordering::SeqCst);
            }
            std::future::pending::<()>().await;
        }
    })
    .await;
    (upstream, taken)
}

/// Waits until a counter stands still, and says where.
async fn standing(counter: &AtomicU64) -> u64 {
    let mut seen = 0;
    loop {
        tokio::time::sleep(Duration::from_millis(300)).await;
        match counter.load(Ordering::SeqCst) {
            now if now == seen && now > 0 => return now,
            now => seen = now,
        }
    }
}

async fn cut_after_the_limit_and_not_before(world: &World) {
    pass(STREAM_IDLE_S_MAX - 10).await;
    assert!(world.log.settled().is_empty(), "before the limit");
    pass(20).await;
    assert_eq!(world.log.settles(1).await[0].4.as_deref(), Some("cut: nothing moved for too long"));
}

#[tokio::test]
async fn a_child_that_does_not_read_holds_the_upstream_up_and_is_cut_after_the_limit() {
    let (upstream, taken) = sending(u64::MAX).await;
    let world = Setup::on(&upstream.url()).gate().await;
    let mut client = Client::connect(&world).await;
    let request = Sign::with(&world).request(Method::GET, "/bucket/key", &[], b"");
    let body = client.begin(request).await.expect("an answer").into_body();
    let held = standing(&taken).await;
    assert!(held < HELD_BYTES_MAX, "{held} bytes were taken for a child that reads none");
    cut_after_the_limit_and_not_before(&world).await;
    drop(body);
}

#[tokio::test]
async fn an_upstream_that_does_not_go_on_is_cut_after_the_limit_and_never_looks_complete() {
    let (upstream, _) = sending(1 << 20).await;
    let world = Setup::on(&upstream.url()).gate().await;
    let mut client = Client::connect(&world).await;
    let request = Sign::with(&world).request(Method::GET, "/bucket/key", &[], b"");
    let mut body = client.begin(request).await.expect("an answer").into_body();
    let mut read = 0;
    while read < 1 << 20 {
        read += body.frame().await.expect("more").expect("a piece").into_data().map_or(0, |piece| piece.len());
    }
    cut_after_the_limit_and_not_before(&world).await;
    assert!(body.frame().await.is_some_and(|end| end.is_err()));
}

/// A slow stream is no stalled one: a byte every now and then keeps it.
#[tokio::test]
async fn a_download_that_moves_now_and_then_outlives_the_limit() {
    let (wants, wanted) = tokio::sync::mpsc::channel::<()>(1);
    let wanted = Arc::new(tokio::sync::Mutex::new(wanted));
    let upstream = Upstream::by_hand(move |_, mut socket| {
        let wanted = Arc::clone(&wanted);
        async move {
            read_head(&mut socket).await;
            let _ = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n").await;
            while wanted.lock().await.recv().await.is_some() {
                let _ = socket.write_all(b"x").await;
            }
        }
    })
    .await;
    let world = Setup::on(&upstream.url()).gate().await;
    let mut client = Client::connect(&world).await;
    let request = Sign::with(&world).request(Method::GET, "/bucket/key", &[], b"");
    let mut body = client.begin(request).await.expect("an answer").into_body();
    for _ in 0..5 {
        wants.send(()).await.expect("listens");
        assert!(body.frame().await.is_some_and(|frame| frame.is_ok()));
        pass(STREAM_IDLE_S_MAX - 10).await;
    }
    assert!(body.frame().await.is_none());
    assert_eq!(world.log.settles(1).await[0].4, None);
}

#[tokio::test]
async fn an_upstream_that_does_not_read_holds_the_child_up_and_is_given_up_after_the_limit() {
    let upstream = Upstream::by_hand(|_, mut socket| async move {
        read_head(&mut socket).await;
        let _ = socket.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await;
        std::future::pending::<()>().await;
    })
    .await;
    let world = Setup::on(&upstream.url()).gate().await;
    let mut headers = Sign::with(&world).payload(Payload::Unsigned).headers(&Method::PUT, "/bucket/key", &[], b"");
    headers.insert("content-length", HeaderValue::from(GIB));
    let given = Arc::<AtomicU64>::default();
    let counted = Arc::clone(&given);
    let pieces = futures_util::stream::repeat_with(move || {
        counted.fetch_add(64 * 1024, Ordering::SeqCst);
        Ok::<_, std::io::Error>(Frame::data(Bytes::from_static(&[7; 64 * 1024])))
    });
    let mut client = Client::connect(&world).await;
    let request = built(Method::PUT, "/bucket/key", headers, StreamBody::new(Box::pin(pieces)));
    let stalled = async {
        let held = standing(&given).await;
        assert!(held < HELD_BYTES_MAX, "{held} bytes were taken for an upstream that reads none");
        // The first round sees the bytes that moved, the second that none has since.
        pass(UPSTREAM_RESPONSE_TIMEOUT_S + 1).await;
        pass(UPSTREAM_RESPONSE_TIMEOUT_S + 1).await;
        eventually("the end", || !world.log.settled().is_empty()).await;
    };
    let (answer, ()) = tokio::join!(client.begin(request), stalled);
    let fault = world.log.settled()[0].4.clone();
    assert_eq!(fault.as_deref(), Some("neither the body nor an answer moved for too long"));
    // It may also find its connection closed while it still writes.
    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status() == 400));
}
