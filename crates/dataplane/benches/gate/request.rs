//! The child's requests, signed once, and the keys on both sides.

use hallpass_core::sigv4::chunked::{Chunk, ChunkChain, ChunkMode, Encoder, End, Event, LineEnding};
use hallpass_core::sigv4::{self, AmzDate, Parts, PathStyle, PayloadHash, Scope, Signed, Signer, SigningKey};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The placeholder of the gate under test.
pub(crate) const CHILD_KEY: &str = "ASIAHALLPASSBENCH000";
pub(crate) const CHILD_SECRET: &str = "bench-placeholder-secret-of-40-characters";
pub(crate) const CHILD_TOKEN: &str = "hallpass-placeholder.bench-token-of-a-session-0000000";
/// The credential that the gate signs with; its token has the length of a real one.
pub(crate) const REAL_KEY: &str = "ASIABENCHREALREALREA";
pub(crate) const REAL_SECRET: &str = "bench-real-secret";
pub(crate) const REAL_TOKEN_CHARS: usize = 1_024;

pub(crate) const SMALL: &str = "/my-bucket/path/to/key.txt";
pub(crate) const SMALL_QUERY: &str = "versionId=3sL4kqtJlcpXroDTDmJrmSpXd3dIbrHY&x-id=GetObject";
pub(crate) const LARGE: &str = "/my-bucket/path/to/large.bin";
const REGION: &str = "eu-west-1";
const CHUNK_BYTES: usize = 64 << 10;

/// The key of one side.
pub(crate) fn key(secret: &str, at: AmzDate) -> SigningKey {
    SigningKey::derive(secret, Scope::new(at.date(), REGION, "s3").expect("a legal scope"))
}

/// A small signed GET, as bytes.
pub(crate) fn get(host: &str, path: &str, query: &str, at: AmzDate) -> Vec<u8> {
    let (head, _) = signed("GET", host, path, query, at, PayloadHash::of_body(b""), &[]);
    head
}

/// A signed PUT: its head, and its body as it goes over the wire.
pub(crate) fn put(host: &str, at: AmzDate, payload: Put, body: &Arc<[u8]>) -> (Vec<u8>, Arc<[u8]>) {
    let length = |bytes: usize| ("content-length", bytes.to_string());
    match payload {
        Put::Unsigned => {
            (signed("PUT", host, LARGE, "", at, PayloadHash::Unsigned, &[length(body.len())]).0, body.clone())
        }
        Put::Signed => {
            (signed("PUT", host, LARGE, "", at, PayloadHash::of_body(body), &[length(body.len())]).0, body.clone())
        }
        Put::Chunked => {
            let more = [
                length(wire_bytes(body.len())),
                ("content-encoding", "aws-chunked".to_owned()),
                ("x-amz-decoded-content-length", body.len().to_string()),
            ];
            let (head, made) = signed("PUT", host, LARGE, "", at, PayloadHash::StreamingSigned, &more);
            let chain = ChunkChain::new(Arc::new(key(CHILD_SECRET, at)), at, made.signature);
            (head, framed(chain, body).into())
        }
    }
}

/// How a PUT's body is covered.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Put {
    Unsigned,
    Signed,
    Chunked,
}

fn signed(
    method: &str,
    host: &str,
    path: &str,
    query: &str,
    at: AmzDate,
    payload: PayloadHash,
    more: &[(&'static str, String)],
) -> (Vec<u8>, Signed) {
    // Another one for each call, as SDKs do: what changes something is taken once.
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let invocation = format!("0b1c4d2e-4b52-4a8e-9b3f-{:012x}", CALLS.fetch_add(1, Ordering::Relaxed));
    let mut headers: Vec<(&str, &[u8])> = vec![
        ("host", host.as_bytes()),
        ("user-agent", b"aws-sdk-rust/1.3 os/linux lang/rust/1.95.0"),
        ("accept-encoding", b"identity"),
        ("amz-sdk-invocation-id", invocation.as_bytes()),
        ("amz-sdk-request", b"attempt=1; max=3"),
    ];
    headers.extend(more.iter().map(|(name, value)| (*name, value.as_bytes())));
    let signer = Signer {
        access_key_id: CHILD_KEY,
        key: &key(CHILD_SECRET, at),
        token: Some(CHILD_TOKEN),
        at,
        payload,
        send_content_sha256: true,
        path_style: PathStyle::S3,
    };
    let parts = Parts { method, path, query, headers: &headers };
    let made = sigv4::sign(&parts, &signer).expect("signable");
    let glue = if made.query.is_empty() { "" } else { "?" };
    let mut head = format!("{method} {}{glue}{} HTTP/1.1\r\n", made.path, made.query).into_bytes();
    let added: Vec<(&str, &[u8])> = made.headers().map(|(name, value)| (name, value.as_bytes())).collect();
    for (name, value) in headers.iter().chain(&added) {
        head.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    head.extend_from_slice(b"\r\n");
    (head, made)
}

fn framed(chain: ChunkChain, body: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new(ChunkMode::Signed, Some(chain)).expect("a chain");
    let mut wire = Vec::with_capacity(wire_bytes(body.len()));
    for piece in body.chunks(CHUNK_BYTES) {
        let chunk = Event::Chunk(Chunk { data: piece.to_vec(), sha256: Sha256::digest(piece).into() });
        let frame = encoder.encode(&chunk).expect("in order");
        wire.extend_from_slice(&frame.before);
        wire.extend_from_slice(piece);
        wire.extend_from_slice(frame.after);
    }
    let end = Event::End(End { trailers: Vec::new(), lines: LineEnding::CrLf });
    wire.extend_from_slice(&encoder.encode(&end).expect("in order").before);
    assert_eq!(wire.len(), wire_bytes(body.len()));
    wire
}

/// Length of a body of whole chunks once it is framed.
fn wire_bytes(body: usize) -> usize {
    let around = |size: usize| format!("{size:x};chunk-signature=").len() + 64 + 4;
    body + body / CHUNK_BYTES * around(CHUNK_BYTES) + around(0)
}
