//! Bodies of any size pass in both directions, byte for byte, with flat memory. A process of its own, because the
//! figure is the process's: gate, client and upstream together.
//!
//! ```text
//! cargo test -p hallpass-dataplane --test large -- --ignored --nocapture     5 GiB each way
//! ```

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
use std::time::Instant;

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use client::{Client, Payload, Sign, built};
use upstream::Upstream;
use world::{Setup, World};

const PIECE_BYTES: usize = 64 << 10;
const RSS_KIB_MAX: u64 = 64 << 10;
const CHUNKED: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";

/// The n-th piece of the data: no two are the same, so that none can be left out, doubled or swapped.
fn piece(number: u64) -> Bytes {
    let mut piece = vec![(number % 251) as u8; PIECE_BYTES];
    piece[..8].copy_from_slice(&number.to_be_bytes());
    piece.into()
}

fn pieces(bytes: u64) -> impl Iterator<Item = Bytes> + Send {
    (0..bytes / PIECE_BYTES as u64).map(piece)
}

fn sha256(bytes: u64) -> String {
    let mut hasher = Sha256::new();
    pieces(bytes).for_each(|piece| hasher.update(&piece));
    hex::encode(hasher.finalize())
}

async fn head(socket: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match socket.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return String::new(),
        }
    }
    String::from_utf8_lossy(&head).to_lowercase()
}

/// GET is answered with the data; the body of a PUT is answered with its SHA-256, without the framing of chunks.
async fn store(bytes: u64) -> Upstream {
    Upstream::by_hand(move |_, mut socket| async move {
        let head = head(&mut socket).await;
        if head.starts_with("get") {
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {bytes}\r\n\r\n");
            let mut sent = socket.write_all(answer.as_bytes()).await;
            for piece in pieces(bytes) {
                sent = sent.and(socket.write_all(&piece).await);
            }
            return sent.expect("sent");
        }
        if head.contains("expect: 100-continue") {
            socket.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.expect("sent");
        }
        let mut hasher = Sha256::new();
        let mut data = vec![0; PIECE_BYTES];
        for _ in 0..bytes / PIECE_BYTES as u64 {
            if head.contains("streaming-") {
                let mut around = [0; "10000;chunk-signature=\r\n".len() + 64];
                socket.read_exact(&mut around).await.expect("a chunk header");
            }
            socket.read_exact(&mut data).await.expect("a piece");
            hasher.update(&data);
            if head.contains("streaming-") {
                socket.read_exact(&mut [0; 2]).await.expect("the end of a chunk");
            }
        }
        if head.contains("streaming-") {
            let mut end = [0; "0;chunk-signature=\r\n\r\n".len() + 64];
            socket.read_exact(&mut end).await.expect("the end");
        }
        let hash = hex::encode(hasher.finalize());
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 64\r\n\r\n{hash}");
        socket.write_all(answer.as_bytes()).await.expect("sent");
    })
    .await
}

async fn download(world: &World) -> String {
    let mut client = Client::connect(world).await;
    let request = Sign::with(world).request(Method::GET, "/bucket/key", &[], b"");
    let mut body = client.begin(request).await.expect("an answer").into_body();
    let mut hasher = Sha256::new();
    while let Some(frame) = body.frame().await {
        hasher.update(frame.expect("a piece").into_data().unwrap_or_default());
    }
    hex::encode(hasher.finalize())
}

async fn upload(world: &World, headers: HeaderMap, pieces: impl Iterator<Item = Bytes> + Send + 'static) -> String {
    let frames = pieces.map(|piece| Ok::<_, Infallible>(Frame::data(piece)));
    let body = StreamBody::new(futures_util::stream::iter(frames));
    let answer = Client::connect(world).await.ask(built(Method::PUT, "/bucket/key", headers, body)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.text()
}

fn plain(world: &World, payload: Payload, bytes: u64) -> HeaderMap {
    let mut headers = Sign::with(world).payload(payload).headers(&Method::PUT, "/bucket/key", &[], b"");
    headers.insert("content-length", HeaderValue::from(bytes));
    headers
}

/// A chunk-signed upload, each chunk signed as it is sent.
fn chunked(world: &World, bytes: u64) -> (HeaderMap, impl Iterator<Item = Bytes> + Send + use<>) {
    let sign = Sign::with(world).payload(Payload::Literal(CHUNKED));
    let length = bytes.to_string();
    let framing = [("content-encoding", "aws-chunked"), ("x-amz-decoded-content-length", length.as_str())];
    let (mut headers, mut previous) = sign.signed(&Method::PUT, "/bucket/key", &framing, b"");
    let chunk = PIECE_BYTES as u64 + "10000;chunk-signature=\r\n\r\n".len() as u64 + 64;
    let whole = bytes / PIECE_BYTES as u64 * chunk + "0;chunk-signature=\r\n\r\n".len() as u64 + 64;
    headers.insert("content-length", HeaderValue::from(whole));
    let date = headers["x-amz-date"].to_str().expect("text").to_owned();
    let key = generate_signing_key(&sign.secret, sign.time, "us-east-1", "s3").as_ref().to_vec();
    let empty = hex::encode(Sha256::digest(b""));
    let framed = pieces(bytes).chain([Bytes::new()]).map(move |piece| {
        let (day, hash) = (&date[..8], hex::encode(Sha256::digest(&piece)));
        let scope = format!("{day}/us-east-1/s3/aws4_request");
        let text = format!("AWS4-HMAC-SHA256-PAYLOAD\n{date}\n{scope}\n{previous}\n{empty}\n{hash}");
        previous = calculate_signature(&key, text.as_bytes());
        let header = format!("{:x};chunk-signature={previous}\r\n", piece.len());
        Bytes::from([header.as_bytes(), &piece, b"\r\n"].concat())
    });
    (headers, framed)
}

fn rss_peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the field");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[expect(clippy::print_stderr, reason = "what was measured is asked for with --nocapture")]
async fn passes(bytes: u64) {
    let upstream = store(bytes).await;
    let world = Setup::on(&upstream.url()).gate().await;
    let hash: &'static str = Box::leak(sha256(bytes).into_boxed_str());
    let report = |what: &str, begun: Instant| {
        let (took, peak) = (begun.elapsed().as_secs_f64(), rss_peak_kib());
        eprintln!("{what}: {:.0} MiB/s, peak {} MiB", (bytes >> 20) as f64 / took, peak >> 10);
        assert!(peak <= RSS_KIB_MAX, "{what} of {bytes} bytes: {peak} KiB");
    };
    let begun = Instant::now();
    assert_eq!(download(&world).await, hash);
    report("download", begun);
    for (what, payload) in [("upload, not signed", Payload::Unsigned), ("upload, signed", Payload::Literal(hash))] {
        let begun = Instant::now();
        assert_eq!(upload(&world, plain(&world, payload, bytes), pieces(bytes)).await, hash, "{what}");
        report(what, begun);
    }
    let begun = Instant::now();
    let (headers, framed) = chunked(&world, bytes);
    assert_eq!(upload(&world, headers, framed).await, hash);
    report("upload, signed chunks", begun);
    let settled = world.log.settles(4).await;
    assert!(settled.iter().all(|outcome| outcome.1 == Some(200) && outcome.4.is_none()), "{settled:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quarter_of_a_gibibyte_passes_each_way_unchanged_with_flat_memory() {
    passes(256 << 20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "5 GiB in each mode: a minute or two; run alone"]
async fn five_gibibytes_pass_each_way_unchanged_with_flat_memory() {
    passes(5 << 30).await;
}
