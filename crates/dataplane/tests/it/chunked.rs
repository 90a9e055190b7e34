//! aws-chunked bodies in all three modes, and bodies that are not what was signed.

use std::fmt::Write;
use std::path::Path;

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use http_body_util::Full;
use sha2::{Digest, Sha256};

use crate::client::{Answer, Payload, Sign, ask, built, exchange, get, put, raw};
use crate::upstream::Upstream;
use crate::world::{Setup, World};

pub(crate) const SIGNED: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
pub(crate) const SIGNED_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
pub(crate) const UNSIGNED_TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
const CHUNK: usize = 64 * 1024;

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The next signature of a chain, by the formula in the S3 API reference.
fn next(sign: &Sign, headers: &HeaderMap, kind: &str, previous: &str, hashes: &str) -> String {
    let date = headers["x-amz-date"].to_str().expect("text");
    let scope = format!("{}/us-east-1/s3/aws4_request", &date[..8]);
    let text = format!("AWS4-HMAC-SHA256-{kind}\n{date}\n{scope}\n{previous}\n{hashes}");
    let key = generate_signing_key(&sign.secret, sign.time, "us-east-1", "s3");
    calculate_signature(key, text.as_bytes())
}

/// An upload in an aws-chunked mode: the headers, and the framed body.
pub(crate) fn framed(world: &World, mode: &'static str, path: &str, body: &[u8]) -> (HeaderMap, Vec<u8>) {
    framed_by(CHUNK, world, mode, path, body)
}

/// As [`framed`], in chunks of this many bytes.
pub(crate) fn framed_by(
    chunk: usize,
    world: &World,
    mode: &'static str,
    path: &str,
    body: &[u8],
) -> (HeaderMap, Vec<u8>) {
    let sign = Sign::with(world).payload(Payload::Literal(mode));
    let length = body.len().to_string();
    let mut headers = vec![("content-encoding", "aws-chunked"), ("x-amz-decoded-content-length", length.as_str())];
    let trailer = mode != SIGNED;
    if trailer {
        headers.push(("x-amz-trailer", "x-amz-checksum-sha256"));
    }
    let (mut signed, mut previous) = sign.signed(&Method::PUT, path, &headers, b"");
    let mut out = Vec::new();
    for piece in body.chunks(chunk).chain([b"".as_slice()]) {
        let mut header = format!("{:x}", piece.len());
        if mode != UNSIGNED_TRAILER {
            previous = next(&sign, &signed, "PAYLOAD", &previous, &format!("{}\n{}", sha256(b""), sha256(piece)));
            write!(header, ";chunk-signature={previous}").expect("writes");
        }
        out.extend_from_slice(format!("{header}\r\n").as_bytes());
        out.extend_from_slice(piece);
        if !piece.is_empty() {
            out.extend_from_slice(b"\r\n");
        }
    }
    if trailer {
        let checksum = base64(&Sha256::digest(body));
        out.extend_from_slice(format!("x-amz-checksum-sha256:{checksum}\r\n").as_bytes());
        if mode == SIGNED_TRAILER {
            let hash = sha256(format!("x-amz-checksum-sha256:{checksum}\n").as_bytes());
            let signature = next(&sign, &signed, "TRAILER", &previous, &hash);
            out.extend_from_slice(format!("x-amz-trailer-signature:{signature}\r\n").as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n");
    signed.insert("content-length", HeaderValue::from(out.len()));
    (signed, out)
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * place)) as usize & 63];
            out.push(if place <= group.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

pub(crate) fn body(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|n| (n % 251) as u8).collect()
}

pub(crate) async fn send(world: &World, path: &str, headers: HeaderMap, body: Vec<u8>) -> Answer {
    ask(world, built(Method::PUT, path, headers, Full::new(Bytes::from(body)))).await
}

pub(crate) async fn store(folder: &Path) -> (Upstream, World) {
    let upstream = Upstream::store(folder).await;
    let world = Setup::on(&upstream.url()).long_term_keys().gate().await;
    assert_eq!(put(&world, "/bucket", b"").await.status, 200);
    (upstream, world)
}

#[tokio::test]
async fn every_mode_arrives_at_a_strict_store_chunk_by_chunk() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_upstream, world) = store(folder.path()).await;
    for mode in [SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER] {
        for size in [0, 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7] {
            let path = format!("/bucket/{mode}-{size}");
            let (headers, framed) = framed(&world, mode, &path, &body(size));
            let answer = send(&world, &path, headers, framed).await;
            assert_eq!(answer.status, 200, "{mode} {size}: {}", answer.text());
            assert_eq!(get(&world, &path).await.body, body(size), "{mode} {size}");
        }
    }
}

#[tokio::test]
async fn the_length_is_kept_and_every_signature_is_made_anew() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    for mode in [SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER] {
        let (headers, framed) = framed(&world, mode, "/bucket/key", &body(2 * CHUNK + 5));
        let (length, sent) = (headers["content-length"].clone(), framed.clone());
        assert_eq!(send(&world, "/bucket/key", headers, framed).await.status, 200, "{mode}");
        let seen = upstream.seen().pop().expect("seen");
        assert!(seen.whole);
        assert_eq!(seen.header("content-length"), length.to_str().expect("text"));
        assert_eq!(seen.body.len(), sent.len());
        assert_eq!(seen.header("x-amz-content-sha256"), mode);
        assert_eq!(seen.body == sent, mode == UNSIGNED_TRAILER, "{mode}: signatures of the child must not leave");
    }
}

#[tokio::test]
async fn a_flipped_bit_in_any_chunk_never_becomes_an_object() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_upstream, world) = store(folder.path()).await;
    for mode in [SIGNED, SIGNED_TRAILER] {
        let (_, good) = framed(&world, mode, "/bucket/flipped", &body(3 * CHUNK));
        let stride = CHUNK + 5 + 17 + 64 + 4;
        for place in [200, stride + 200, 2 * stride + 200, good.len() - 100, good.len() - 10] {
            let (headers, mut framed) = framed(&world, mode, "/bucket/flipped", &body(3 * CHUNK));
            framed[place] ^= 1;
            let answer = send(&world, "/bucket/flipped", headers, framed).await;
            assert!(answer.status.is_client_error(), "{mode} {place}: {answer:?}");
            assert_eq!(get(&world, "/bucket/flipped").await.status, 404, "{mode} {place}");
        }
    }
    let faults: Vec<String> = world.log.settled().into_iter().filter_map(|outcome| outcome.4).collect();
    assert!(faults.iter().any(|fault| fault == "signature"), "{faults:?}");
}

/// The store is one that takes every byte: what stops the upload is the gate.
#[tokio::test]
async fn a_flipped_bit_under_an_unsigned_trailer_never_completes_upstream() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let (_, good) = framed(&world, UNSIGNED_TRAILER, "/bucket/flipped", &body(3 * CHUNK));
    for place in [200, CHUNK + 200, 2 * CHUNK + 200, good.len() - 100, good.len() - 10] {
        let (headers, mut framed) = framed(&world, UNSIGNED_TRAILER, "/bucket/flipped", &body(3 * CHUNK));
        framed[place] ^= 1;
        let answer = send(&world, "/bucket/flipped", headers, framed).await;
        assert_eq!((answer.status.as_u16(), answer.reason()), (400, "body-mismatch"), "{place}: {answer:?}");
    }
    assert!(upstream.seen().iter().all(|seen| !seen.whole), "{:?}", upstream.seen());
}

#[tokio::test]
async fn chunks_that_are_left_out_swapped_or_added_never_become_an_object() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_upstream, world) = store(folder.path()).await;
    let stride = 5 + 17 + 64 + 2 + CHUNK + 2;
    for change in ["left out", "swapped", "twice", "no end", "more"] {
        let (mut headers, good) = framed(&world, SIGNED, "/bucket/changed", &body(3 * CHUNK));
        let (one, two) = (&good[..stride], &good[stride..2 * stride]);
        let (three, end) = (&good[2 * stride..3 * stride], &good[3 * stride..]);
        let changed = match change {
            "left out" => [one, three, end].concat(),
            "swapped" => [two, one, three, end].concat(),
            "twice" => [one, one, two, three, end].concat(),
            "no end" => [one, two, three].concat(),
            _ => [one, two, three, end, b"more"].concat(),
        };
        headers.insert("content-length", HeaderValue::from(changed.len()));
        let answer = send(&world, "/bucket/changed", headers, changed).await;
        assert!(answer.status.is_client_error(), "{change}: {answer:?}");
        assert_eq!(get(&world, "/bucket/changed").await.status, 404, "{change}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_what_was_signed_never_becomes_an_object() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_upstream, world) = store(folder.path()).await;
    for size in [1, 1000, 5 * CHUNK] {
        let (signed, mut sent) = (body(size), body(size));
        let headers = Sign::with(&world).headers(&Method::PUT, "/bucket/other", &[], &signed);
        sent[size / 2] ^= 1;
        let answer = send(&world, "/bucket/other", headers.clone(), sent).await;
        assert_eq!((answer.status.as_u16(), answer.reason()), (400, "body-mismatch"), "{size}: {answer:?}");
        for other in [body(size - 1), body(size + 1)] {
            let answer = send(&world, "/bucket/other", headers.clone(), other).await;
            assert_eq!(answer.reason(), "body-mismatch", "{size}");
        }
        assert_eq!(get(&world, "/bucket/other").await.status, 404, "{size}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_what_was_signed_never_completes_upstream() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let headers = Sign::with(&world).headers(&Method::PUT, "/bucket/key", &[], b"0123456789");
    for (framing, body) in [
        ("content-length: 10\r\n", "x123456789"),
        ("transfer-encoding: chunked\r\n", "5\r\nx1234\r\n5\r\n56789\r\n0\r\n\r\n"),
        ("transfer-encoding: chunked\r\n", "5\r\n01234\r\n0\r\n\r\n"),
        ("transfer-encoding: chunked\r\n", "0\r\n\r\n"),
        ("transfer-encoding: chunked\r\n", "a\r\n0123456789\r\n0\r\nx-trailer: 1\r\n\r\n"),
        ("transfer-encoding: chunked\r\n", "a\r\n0123456789\r\nzz\r\n\r\n"),
    ] {
        let bytes = raw("PUT", "/bucket/key", &headers, framing, body.as_bytes());
        let answer = exchange(world.gate.address(), &bytes).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{body:?}: {answer}");
        assert!(answer.ends_with("<closed>"), "{body:?}: {answer}");
    }
    assert!(upstream.seen().iter().all(|seen| !seen.whole), "{:?}", upstream.seen());
    let good = raw("PUT", "/bucket/key", &headers, "transfer-encoding: chunked\r\n", b"a\r\n0123456789\r\n0\r\n\r\n");
    let answer = exchange(world.gate.address(), &good).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("<closed>"), "{answer}");
    assert_eq!(upstream.seen().last().map(|seen| seen.body.as_ref() == b"0123456789"), Some(true));
}

#[tokio::test]
async fn a_body_that_must_be_read_loses_its_framing_and_keeps_its_checksum() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let xml = b"<Delete><Object><Key>a</Key></Object><Object><Key>b</Key></Object></Delete>";
    let sign = Sign::with(&world).payload(Payload::Literal(UNSIGNED_TRAILER));
    let length = xml.len().to_string();
    let headers = [
        ("content-encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", length.as_str()),
        ("x-amz-trailer", "x-amz-checksum-sha256"),
    ];
    let mut signed = sign.headers(&Method::POST, "/bucket?delete", &headers, b"");
    let checksum = base64(&Sha256::digest(xml));
    let mut framed = format!("{:x}\r\n", xml.len()).into_bytes();
    framed.extend_from_slice(xml);
    framed.extend_from_slice(format!("\r\n0\r\nx-amz-checksum-sha256:{checksum}\r\n\r\n").as_bytes());
    signed.insert("content-length", HeaderValue::from(framed.len()));
    let answer = ask(&world, built(Method::POST, "/bucket?delete", signed, Full::new(Bytes::from(framed)))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = upstream.seen().pop().expect("seen");
    assert_eq!(seen.body.as_ref(), xml);
    assert_eq!(seen.header("x-amz-checksum-sha256"), checksum);
    assert_eq!(seen.header("x-amz-content-sha256"), sha256(xml));
    for gone in ["content-encoding", "x-amz-trailer", "x-amz-decoded-content-length"] {
        assert!(!seen.headers.contains_key(gone), "{gone}");
    }
}

#[tokio::test]
async fn a_body_that_is_read_for_the_decision_must_be_what_was_signed_too() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let xml = |key: &str| format!("<Delete><Object><Key>{key}</Key></Object></Delete>").into_bytes();
    let headers = Sign::with(&world).headers(&Method::POST, "/bucket?delete", &[], &xml("mine"));
    for (body, reason) in [(xml("mine"), ""), (xml("else"), "body-mismatch"), (Vec::new(), "body-mismatch")] {
        let request = built(Method::POST, "/bucket?delete", headers.clone(), Full::new(Bytes::from(body)));
        assert_eq!(ask(&world, request).await.reason(), reason);
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let sign = Sign::with(&world).service("sqs");
    let headers = sign.headers(&Method::POST, "/", &form, b"Action=ListQueues&Version=2012-11-05");
    let other = Full::new(Bytes::from("Action=CreateQueue&Version=2012-11-05&QueueName=q"));
    assert_eq!(ask(&world, built(Method::POST, "/", headers, other)).await.reason(), "signature");
    let headers =
        sign.payload(Payload::Hash).headers(&Method::POST, "/", &form, b"Action=ListQueues&Version=2012-11-05");
    let other = Full::new(Bytes::from("Action=CreateQueue&Version=2012-11-05&QueueName=q"));
    assert_eq!(ask(&world, built(Method::POST, "/", headers, other)).await.reason(), "body-mismatch");
    assert_eq!(upstream.seen().len(), 1);
}
