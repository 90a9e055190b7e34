//! What an attacker with the session's own placeholder tries on raw sockets: framings, paths, hosts, headers, trailers,
//! and the same bytes by another way in. Nothing of it may mean one thing to the policy and another to the cloud.

use hallpass_dataplane::gate::{Passthrough, Proxy};
use http::{HeaderMap, Method};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::{Payload, Sign, exchange, get, raw};
use crate::tunnel::{S3, basic, connect, encrypted, sign_for};
use crate::upstream::Upstream;
use crate::world::{Setup, World};

/// So that the end of an answer need not be waited for.
const CLOSE: &str = "connection: close\r\n";

/// Bytes through a tunnel of their own, until the gate closes or is silent.
async fn within(world: &World, proxy: &Proxy, bytes: &[u8]) -> String {
    let auth = format!("Proxy-Authorization: {}\r\n", basic(proxy));
    let (head, socket) = connect(world, &format!("{S3}:443"), &auth).await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let mut stream = encrypted(proxy, socket, S3).await.expect("trusted");
    // The gate may refuse and close before it has everything.
    let _ = stream.write_all(bytes).await;
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    let wait = std::time::Duration::from_millis(700);
    while let Ok(Ok(read @ 1..)) = tokio::time::timeout(wait, stream.read(&mut buffer)).await {
        answer.extend_from_slice(&buffer[..read]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// One request and another behind it that must never be served on its own.
fn with_another(sign: &Sign, headers: &HeaderMap, framing: &str, body: &[u8]) -> Vec<u8> {
    let next = raw("DELETE", "/bucket/key", &sign.headers(&Method::DELETE, "/bucket/key", &[], b""), "", b"");
    raw("PUT", "/bucket/key", headers, framing, &[body, &next].concat())
}

const FRAMINGS: [(&str, &str); 16] = [
    ("content-length: 4\r\ntransfer-encoding: chunked\r\n", "0\r\n\r\n"),
    ("transfer-encoding: chunked\r\ncontent-length: 4\r\n", "0\r\n\r\n"),
    ("transfer-encoding: xchunked\r\n", "0\r\n\r\n"),
    ("transfer-encoding: chunked, identity\r\n", "0\r\n\r\n"),
    ("transfer-encoding:\tchunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"),
    ("transfer_encoding: chunked\r\ncontent-length: 4\r\ncontent-length: 5\r\n", "body"),
    ("content-length: 4, 4\r\n", "body"),
    ("content-length: +4\r\n", "body"),
    ("content-length: 4 4\r\n", "body"),
    ("x: a\n\r\ncontent-length: 0\r\n", ""),
    ("x: a\r\n\tcontent-length: 4\r\n", "body"),
    // Sizes of chunks that two readers read differently.
    ("transfer-encoding: chunked\r\n", "+4\r\nbody\r\n0\r\n\r\n"),
    ("transfer-encoding: chunked\r\n", "0x4\r\nbody\r\n0\r\n\r\n"),
    ("transfer-encoding: chunked\r\n", "4\r\nbodyX\r\n0\r\n\r\n"),
    ("transfer-encoding: chunked\r\n", "FFFFFFFFFFFFFFFF4\r\nbody\r\n0\r\n\r\n"),
    ("transfer-encoding: chunked\r\n", "-1\r\nbody\r\n0\r\n\r\n"),
];

#[tokio::test]
async fn no_framing_brings_a_second_request_past_the_first_by_either_way_in() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let proxy = world.gate.open_proxy(Passthrough::default()).expect("a proxy");
    for (framing, body) in FRAMINGS {
        let own = Sign::with(&world).payload(Payload::Unsigned);
        let headers = own.headers(&Method::PUT, "/bucket/key", &[], b"");
        let answer = exchange(world.gate.address(), &with_another(&own, &headers, framing, body.as_bytes())).await;
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{framing:?} {body:?}: {answer}");
        assert!(answer.starts_with("HTTP/1.1 4"), "{framing:?} {body:?}: {answer}");
        let there = sign_for(&world, S3).payload(Payload::Unsigned);
        let headers = there.headers(&Method::PUT, "/bucket/key", &[], b"");
        let answer = within(&world, &proxy, &with_another(&there, &headers, framing, body.as_bytes())).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{framing:?} {body:?} in a tunnel: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{framing:?} {body:?} in a tunnel: {answer}");
    }
    assert!(upstream.seen().iter().all(|seen| !seen.whole), "none became an object");
    assert!(upstream.seen().iter().all(|seen| seen.method == Method::PUT), "and no second request was served");
    assert_eq!(get(&world, "/bucket/key").await.status, 200);
}

/// Extensions of chunks and trailers are HTTP's own, and no signature covers them.
#[tokio::test]
async fn neither_extensions_of_chunks_nor_trailers_reach_the_upstream() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let sign = Sign::with(&world).payload(Payload::Unsigned);
    let trailers = "x-amz-acl: public-read\r\nauthorization: AWS4-HMAC-SHA256 x\r\nhost: evil.example\r\n";
    for (path, body) in [
        ("/bucket/a", "4;name=value;other=\"x\"\r\nbody\r\n0\r\n\r\n".to_owned()),
        ("/bucket/b", format!("4\r\nbody\r\n0\r\n{trailers}\r\n")),
        ("/bucket/c", format!("0004\r\nbody\r\n000;last\r\n{trailers}\r\n")),
    ] {
        let headers = sign.headers(&Method::PUT, path, &[], b"");
        let framing = "transfer-encoding: chunked\r\ntrailer: x-amz-acl\r\n";
        let answer = exchange(world.gate.address(), &raw("PUT", path, &headers, framing, body.as_bytes())).await;
        assert!(answer.starts_with("HTTP/1.1 "), "{path}: {answer}");
    }
    for seen in upstream.seen() {
        assert!(!seen.whole || seen.body.as_ref() == b"body", "{seen:?}");
        assert!(!seen.headers.contains_key("x-amz-acl") && !seen.headers.contains_key("trailer"), "{seen:?}");
        assert!(seen.header("authorization").contains(crate::world::REAL_KEY), "{seen:?}");
    }
}

/// Only what lies under `mine/` is allowed. Whatever is asked for, in whatever spelling, the upstream sees a path that
/// is under it to every reader, or nothing.
#[tokio::test]
async fn no_spelling_of_a_path_leads_out_of_what_is_allowed() {
    const ONLY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject",
        "Resource":"arn:aws:s3:::bucket/mine/*"}]}"#;
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).document(ONLY).gate().await;
    for path in [
        "/bucket/mine/../theirs",
        "/bucket/mine/./../theirs",
        "/bucket/mine/%2e%2e/theirs",
        "/bucket/mine/%2E./theirs",
        "/bucket/mine/..%2ftheirs",
        "/bucket/mine%2f..%2ftheirs",
        "/bucket/mine/..;/theirs",
        "/bucket/mine/..%5ctheirs",
        "/bucket/mine/..\\theirs",
        "/bucket/mine/%252e%252e/theirs",
        "/bucket/mine/%00/../theirs",
        "/bucket/mine//../../theirs",
        "/bucket//mine/../theirs",
        "//bucket/theirs",
        "/./bucket/theirs",
        "/bucket/mine/x?versionId=1&versionId=2",
        "/bucket/mine/x?prefix=a&Prefix=b",
        "/bucket/mine/x%3Facl",
        "/bucket/mine/x?%61cl",
        "/bucket/mine/x?acl=",
        "/bucket/mine/x#/../theirs",
        "/bucket/mine/\u{2025}/theirs",
        "/bucket/mine/%c0%ae%c0%ae/theirs",
        "/bucket/mine/x%",
        "/bucket/mine/x%zz",
        "/Bucket/mine/x",
        "/bucket%2fmine/x",
        "/%62ucket/mine/x",
    ] {
        // Signed as the bytes that are sent, and as what one would normalise them to.
        for signed in [path, "/bucket/mine/x", "/bucket/theirs"] {
            let signable = signed.replace(['#', '\\', '\u{2025}'], "x");
            let signable =
                if signable.contains("%zz") || signable.ends_with('%') { "/bucket/mine/x" } else { &signable };
            let headers = Sign::with(&world).headers(&Method::GET, signable, &[], b"");
            let before = upstream.seen().len();
            let answer = exchange(world.gate.address(), &raw("GET", path, &headers, CLOSE, b"")).await;
            for seen in &upstream.seen()[before..] {
                let shown = seen.uri.path().to_ascii_lowercase();
                assert!(shown.starts_with("/bucket/mine/"), "{path}: {shown}: {answer}");
                assert!(seen.uri.query().is_none(), "{path}: {:?}", seen.uri);
                // S3 takes a key by its bytes. No other reader may find a parent in it that is not one of the bytes.
                assert!(!shown.split('/').any(|part| matches!(part, "." | "..")), "{path}: {shown}");
            }
        }
    }
}

#[tokio::test]
async fn a_host_in_another_spelling_is_another_host_in_a_tunnel() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let proxy = world.gate.open_proxy(Passthrough::default()).expect("a proxy");
    for host in [
        "S3.us-east-1.amazonaws.com",
        "s3.us-east-1.amazonaws.com.",
        "s3.us-east-1.amazonaws.com:80",
        "s3.us-east-1.amazonaws.com:0443",
        "s3.us-east-1.amazonaws.com:443:443",
        "x@s3.us-east-1.amazonaws.com",
        "s3.us-east-1.amazonaws.com/x",
        "s3.us-east-1.amazonaws.com,evil.example",
        "s3.us-east-1.amazonaws.com evil.example",
        "s3\u{3002}us-east-1.amazonaws.com",
        "xn--s3-x.us-east-1.amazonaws.com",
        "bucket.s3.us-east-1.amazonaws.com",
        "s3.amazonaws.com",
        "",
    ] {
        let headers = sign_for(&world, S3).headers(&Method::GET, "/bucket/key", &[], b"");
        let bytes = String::from_utf8(raw("GET", "/bucket/key", &headers, CLOSE, b"")).expect("text");
        let bytes = bytes.replace(&format!("host: {S3}"), &format!("host: {host}"));
        let answer = within(&world, &proxy, bytes.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{host}: {answer}");
    }
    for line in [format!("https://{S3}/bucket/key"), format!("http://{S3}/bucket/key"), format!("{S3}:443")] {
        let headers = sign_for(&world, S3).headers(&Method::GET, "/bucket/key", &[], b"");
        let answer = within(&world, &proxy, &raw("GET", &line, &headers, CLOSE, b"")).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{line} within a tunnel: {answer}");
    }
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
}

/// A name that some server folds into one that was not signed.
#[tokio::test]
async fn no_spelling_of_a_header_smuggles_one_past_the_signature() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    for line in [
        "X-AMZ-ACL: public-read",
        "x_amz_acl: public-read",
        "x-amz_acl: public-read",
        "x-amz-acl : public-read",
        "x-amz-acl\u{b}: public-read",
        "x-amz-acl\0: public-read",
        " x-amz-acl: public-read",
        "\u{b5}-amz-acl: public-read",
        "x-amz-acl:public-read\r x: y",
        "a: b\rx-amz-acl: public-read",
        "a: b\nx-amz-acl: public-read",
        "a: b\u{0}x-amz-acl: public-read",
        "a: b\u{85}x-amz-acl: public-read",
        "content-type: a/b\r\nContent-Type: x-amz-acl/public-read",
    ] {
        let headers = Sign::with(&world).headers(&Method::PUT, "/bucket/key", &[], b"");
        let more = format!("{line}\r\ncontent-length: 0\r\n{CLOSE}");
        let answer = exchange(world.gate.address(), &raw("PUT", "/bucket/key", &headers, &more, b"")).await;
        let passed: Vec<String> = upstream.seen().iter().map(|seen| format!("{:?}", seen.headers)).collect();
        assert!(!passed.concat().contains("public-read"), "{line:?}: {answer} {passed:?}");
    }
}

/// The same signature proves the same request, whether it came in a tunnel or as a proxy's plain request.
#[tokio::test]
async fn a_request_passes_once_whichever_way_it_comes() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let proxy = world.gate.open_proxy(Passthrough::default()).expect("a proxy");
    // An id of the call, as SDKs sign one: two equal calls are two signatures.
    let call = [("amz-sdk-invocation-id", "11111111-2222-4333-8444-555555555555")];
    let headers = sign_for(&world, S3).headers(&Method::PUT, "/bucket/key", &call, b"");
    let empty = "content-length: 0\r\n";
    let sealed = raw("PUT", "/bucket/key", &headers, empty, b"");
    let auth = format!("{empty}proxy-authorization: {}\r\n", basic(&proxy));
    let plain = raw("PUT", &format!("http://{S3}/bucket/key"), &headers, &auth, b"");
    assert!(within(&world, &proxy, &sealed).await.starts_with("HTTP/1.1 200 "));
    let again = exchange(world.gate.address(), &plain).await;
    assert!(again.contains("x-hallpass-reason: replayed"), "{again}");
    assert!(within(&world, &proxy, &sealed).await.contains("x-hallpass-reason: replayed"));
    assert_eq!(upstream.seen().len(), 1);
}

/// Two proofs of who asks: a reader that takes the other one would find another caller.
#[tokio::test]
async fn a_request_with_two_signatures_is_refused() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let sign = Sign::with(&world);
    let url = sign.presigned(&Method::GET, "/bucket/key", &[], std::time::Duration::from_secs(60));
    let headers = sign.headers(&Method::GET, &url, &[], b"");
    let bare = HeaderMap::from_iter([(http::header::HOST, world.gate.address().to_string().parse().expect("a host"))]);
    let signature = url.split('&').find(|part| part.starts_with("X-Amz-Signature=")).expect("a signature").to_owned();
    for (path, headers) in [
        (url.clone(), &headers),
        (format!("{url}&{signature}"), &bare),
        (format!("{url}&x-amz-signature=0"), &bare),
        (format!("{url}&X-Amz-Credential=evil"), &bare),
        (format!("{url}&X-Amz-Security-Token=x"), &bare),
        (format!("{url}&AWSAccessKeyId=x&Signature=y&Expires=9999999999"), &bare),
        (format!("{url}&X-Amz-Expires=604800"), &bare),
    ] {
        let answer = exchange(world.gate.address(), &raw("GET", &path, headers, CLOSE, b"")).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{path}: {answer}");
    }
    assert!(upstream.seen().is_empty());
    assert!(exchange(world.gate.address(), &raw("GET", &url, &bare, "", b"")).await.starts_with("HTTP/1.1 200 "));
}
