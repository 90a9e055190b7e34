//! Memory stays flat while bodies of any size pass. A process of its own, because the figure is the process's.

#[expect(dead_code, reason = "shared with the other tests, which use the rest")]
#[path = "it/client.rs"]
mod client;
#[expect(dead_code, reason = "shared with the other tests, which use the rest")]
#[path = "it/upstream.rs"]
mod upstream;
#[expect(dead_code, reason = "shared with the other tests, which use the rest")]
#[path = "it/world.rs"]
mod world;

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderValue, Method};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use client::{Client, Payload, Sign, built};
use upstream::Upstream;
use world::{Setup, World};

const BODY_BYTES: u64 = 256 << 20;
const PIECE_BYTES: u64 = 64 << 10;
const GROWTH_KIB_MAX: u64 = 64 << 10;

fn kib(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(field)).expect("the field");
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Runs `work` and says by how much memory was higher at any time.
async fn growth(work: impl Future<Output = ()>) -> u64 {
    let before = kib("VmRSS");
    work.await;
    kib("VmHWM").saturating_sub(before)
}

/// Reads a request of the given length, answers it; sends a body of that length for GET.
async fn store() -> Upstream {
    Upstream::by_hand(|_, mut socket| async move {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match socket.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return,
            }
        }
        let piece = vec![7; PIECE_BYTES as usize];
        if head.starts_with(b"GET") {
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {BODY_BYTES}\r\n\r\n");
            socket.write_all(answer.as_bytes()).await.expect("sent");
            for _ in 0..BODY_BYTES / PIECE_BYTES {
                socket.write_all(&piece).await.expect("sent");
            }
            return;
        }
        let (mut left, mut buffer) = (BODY_BYTES, piece);
        while left > 0 {
            left -= socket.read(&mut buffer).await.expect("a body") as u64;
        }
        socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.expect("sent");
    })
    .await
}

async fn download(world: &World) {
    let mut client = Client::connect(world).await;
    let request = Sign::with(world).request(Method::GET, "/bucket/key", &[], b"");
    let mut body = client.begin(request).await.expect("an answer").into_body();
    let mut read = 0;
    while let Some(frame) = body.frame().await {
        read += frame.expect("a piece").into_data().map_or(0, |piece| piece.len() as u64);
    }
    assert_eq!(read, BODY_BYTES);
}

async fn upload(world: &World, payload: Payload) {
    let mut headers = Sign::with(world).payload(payload).headers(&Method::PUT, "/bucket/key", &[], b"");
    headers.insert("content-length", HeaderValue::from(BODY_BYTES));
    let piece = Bytes::from(vec![7; PIECE_BYTES as usize]);
    let pieces = (0..BODY_BYTES / PIECE_BYTES).map(move |_| Ok::<_, Infallible>(Frame::data(piece.clone())));
    let body = StreamBody::new(futures_util::stream::iter(pieces));
    let answer = Client::connect(world).await.ask(built(Method::PUT, "/bucket/key", headers, body)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

fn hash_of_the_body() -> &'static str {
    let piece = vec![7; PIECE_BYTES as usize];
    let mut hasher = Sha256::new();
    (0..BODY_BYTES / PIECE_BYTES).for_each(|_| hasher.update(&piece));
    Box::leak(hex::encode(hasher.finalize()).into_boxed_str())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_body_passes_in_both_directions_with_flat_memory() {
    let upstream = store().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let hash = hash_of_the_body();
    let grown = growth(async {
        download(&world).await;
        upload(&world, Payload::Unsigned).await;
        upload(&world, Payload::Literal(hash)).await;
    })
    .await;
    assert!(grown <= GROWTH_KIB_MAX, "memory grew by {grown} KiB for bodies of {BODY_BYTES} bytes");
    let settled = world.log.settles(3).await;
    assert!(settled.iter().all(|outcome| outcome.4.is_none()), "{settled:?}");
    assert_eq!(settled.iter().map(|outcome| outcome.2 + outcome.3).sum::<u64>(), 3 * BODY_BYTES);
}
