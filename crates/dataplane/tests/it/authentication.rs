//! Who is answered: the child that holds this session's placeholder, and nobody else.

use std::time::Duration;

use hallpass_core::denial::DenialCode;
use hallpass_core::limits::{REFUSALS_RECORDED_PER_S_MAX, SIGNATURE_SKEW_S_MAX};
use http::Method;

use crate::client::{Client, Payload, Sign, ask, built, get};
use crate::upstream::Upstream;
use crate::world::{REAL_KEY, Setup, World, eventually};
use http_body_util::Full;

const MODES: [Payload; 6] = [
    Payload::Hash,
    Payload::Unsigned,
    Payload::Literal("STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
    Payload::Literal("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
    Payload::Literal("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"),
    Payload::Literal("STREAMING-AWS4-HMAC-SHA256-EVENTS"),
];

async fn world() -> (Upstream, World) {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    (upstream, world)
}

/// Refused with a 4xx, recorded, and nothing has reached the upstream.
fn assert_refused(upstream: &Upstream, world: &World, answer: &crate::client::Answer, what: &str) {
    assert!(answer.status.is_client_error(), "{what}: {answer:?}");
    assert!(!answer.reason().is_empty(), "{what}: {answer:?}");
    assert!(upstream.seen().is_empty(), "{what}: it reached the upstream");
    assert_eq!((world.log.allowed(), world.log.denied().len()), (0, 1), "{what}: it is recorded as refused");
    assert_eq!(world.gate.counts().signed, 0, "{what}");
}

#[tokio::test]
async fn a_wrong_signature_is_refused_in_every_payload_mode_and_for_every_route() {
    for (number, payload) in MODES.into_iter().enumerate() {
        for (method, path) in [(Method::GET, "/bucket/key"), (Method::PUT, "/bucket/key"), (Method::POST, "/b?delete")]
        {
            let (upstream, world) = world().await;
            let mut sign = Sign::with(&world).payload(payload.clone());
            sign.secret = "not-the-secret-not-the-secret-not-the-se".into();
            let headers = [("x-amz-decoded-content-length", "4"), ("x-amz-trailer", "x-amz-checksum-crc32")];
            let request = sign.request(method.clone(), path, &headers, b"body");
            let answer = ask(&world, request).await;
            assert_refused(&upstream, &world, &answer, &format!("mode {number}, {method} {path}"));
        }
    }
}

#[tokio::test]
async fn a_forged_signature_in_the_query_is_refused_in_every_payload_mode() {
    for (number, payload) in MODES.into_iter().enumerate() {
        let (upstream, world) = world().await;
        let sign = Sign::with(&world).payload(payload);
        let mut headers = sign.headers(&Method::PUT, "/bucket/key", &[], b"body");
        headers.remove("authorization");
        let path = format!(
            "/bucket/key?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}%2F20260101%2Fus-east-1%2Fs3%2Faws4_request\
             &X-Amz-Date=20260101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature={}",
            sign.key,
            "0".repeat(64)
        );
        let answer = ask(&world, built(Method::PUT, &path, headers, Full::from("body"))).await;
        assert_refused(&upstream, &world, &answer, &format!("mode {number}"));
    }
}

#[tokio::test]
async fn every_other_way_to_authenticate_is_refused() {
    for authorization in [
        None,
        Some("AWS AKIDEXAMPLE:c2lnbmF0dXJl"),
        Some("Bearer token"),
        Some("Basic dXNlcjpwYXNz"),
        Some("AWS4-ECDSA-P256-SHA256 Credential=a/20260101/s3/aws4_request, SignedHeaders=host, Signature=00"),
        Some("AWS4-HMAC-SHA256"),
        Some(""),
    ] {
        let (upstream, world) = world().await;
        let mut headers = Sign::with(&world).headers(&Method::GET, "/bucket/key", &[], b"");
        headers.remove("authorization");
        if let Some(value) = authorization {
            headers.insert("authorization", value.parse().expect("a value"));
        }
        let answer = ask(&world, built(Method::GET, "/bucket/key", headers, Full::default())).await;
        assert_refused(&upstream, &world, &answer, &format!("{authorization:?}"));
    }
}

#[tokio::test]
async fn header_and_query_authentication_together_are_refused() {
    let (upstream, world) = world().await;
    let path = "/bucket/key?X-Amz-Signature=00";
    let answer = ask(&world, Sign::with(&world).request(Method::GET, path, &[], b"")).await;
    assert_refused(&upstream, &world, &answer, "both");
}

#[tokio::test]
async fn no_gate_answers_to_another_sessions_key_secret_or_token() {
    let (upstream, one) = world().await;
    let other = Setup::on(&upstream.url()).gate().await;
    let mut denied = 0;
    for mixed in 1..8_u8 {
        let mut sign = Sign::with(&one);
        let from = Sign::with(&other);
        if mixed & 1 != 0 {
            sign.key = from.key;
        }
        if mixed & 2 != 0 {
            sign.secret = from.secret;
        }
        if mixed & 4 != 0 {
            sign.token = from.token;
        }
        let answer = ask(&one, sign.request(Method::GET, "/bucket/key", &[], b"")).await;
        assert!(answer.status.is_client_error(), "{mixed:03b}: {answer:?}");
        denied += 1;
    }
    assert_eq!(one.log.denied().len(), denied);
    assert!(upstream.seen().is_empty());
    assert_eq!(get(&one, "/bucket/key").await.status, 200, "and its own it knows");
}

#[tokio::test]
async fn a_missing_or_altered_token_is_refused_even_with_the_right_signature() {
    let good = |world: &World| world.placeholder.session_token.expose().to_owned();
    for change in [
        |_: String| None,
        |token: String| Some(format!("{token}x")),
        |token: String| Some(token[..token.len() - 1].to_owned()),
    ] {
        let (upstream, world) = world().await;
        let mut sign = Sign::with(&world);
        sign.token = change(good(&world));
        let answer = ask(&world, sign.request(Method::GET, "/bucket/key", &[], b"")).await;
        assert_eq!(answer.reason(), "unknown-key");
        assert_refused(&upstream, &world, &answer, "token");
    }
}

#[tokio::test]
async fn the_real_keys_themselves_open_nothing() {
    let (upstream, world) = world().await;
    let mut sign = Sign::with(&world);
    sign.key = REAL_KEY.into();
    sign.secret = crate::world::REAL_SECRET.into();
    let answer = ask(&world, sign.request(Method::GET, "/bucket/key", &[], b"")).await;
    assert_refused(&upstream, &world, &answer, "the real credential");
}

#[tokio::test]
async fn an_amz_header_that_is_not_signed_is_refused() {
    for name in ["x-amz-acl", "x-amz-copy-source", "x-amz-target", "x-amz-meta-a", "x-amz-security-token2"] {
        let (upstream, world) = world().await;
        let mut request = Sign::with(&world).request(Method::PUT, "/bucket/key", &[], b"body");
        request.headers_mut().insert(name, "public-read".parse().expect("a value"));
        let answer = ask(&world, request).await;
        assert_eq!(answer.reason(), "signature", "{name}");
        assert_refused(&upstream, &world, &answer, name);
    }
}

#[tokio::test]
async fn what_was_signed_cannot_be_changed_afterwards() {
    let (upstream, world) = world().await;
    let sign = Sign::with(&world);
    let headers = sign.headers(&Method::GET, "/bucket/key?a=1", &[("range", "bytes=0-1")], b"");
    for (method, path, range) in [
        (Method::DELETE, "/bucket/key?a=1", "bytes=0-1"),
        (Method::GET, "/bucket/other?a=1", "bytes=0-1"),
        (Method::GET, "/bucket/key?a=2", "bytes=0-1"),
        (Method::GET, "/bucket/key?a=1&b=1", "bytes=0-1"),
        (Method::GET, "/bucket/key?a=1", "bytes=0-2"),
    ] {
        let mut headers = headers.clone();
        headers.insert("range", range.parse().expect("a value"));
        let answer = ask(&world, built(method.clone(), path, headers, Full::default())).await;
        assert_eq!(answer.reason(), "signature", "{method} {path} {range}");
    }
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn a_request_from_another_time_is_refused_and_says_so() {
    for (offset_s, passes) in [
        (SIGNATURE_SKEW_S_MAX + 1, false),
        (-SIGNATURE_SKEW_S_MAX - 1, false),
        (SIGNATURE_SKEW_S_MAX, true),
        (-SIGNATURE_SKEW_S_MAX, true),
    ] {
        let (upstream, world) = world().await;
        let mut sign = Sign::with(&world);
        let offset = Duration::from_secs(offset_s.unsigned_abs());
        sign.time = if offset_s > 0 { sign.time + offset } else { sign.time - offset };
        let answer = ask(&world, sign.request(Method::GET, "/bucket/key", &[], b"")).await;
        if passes {
            assert_eq!(answer.status, 200, "{offset_s}");
        } else {
            assert_eq!(answer.reason(), "skew", "{offset_s}");
            assert_refused(&upstream, &world, &answer, "skew");
        }
    }
}

#[tokio::test]
async fn a_strangers_body_is_never_read_into_memory() {
    let (_upstream, world) = world().await;
    let mut sign = Sign::with(&world).service("sqs");
    sign.token = Some("hallpass-placeholder.guess".into());
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("expect", "100-continue")];
    let signed = sign.headers(&Method::POST, "/", &headers[..1], b"Action=ListQueues");
    let mut request = built(Method::POST, "/", signed, ());
    request.headers_mut().insert("expect", "100-continue".parse().expect("a value"));
    request.headers_mut().insert("content-length", "16000000".parse().expect("a value"));
    let bytes = crate::client::raw("POST", "/", request.headers(), "", b"");
    let answer = crate::client::exchange(world.gate.address(), &bytes).await;
    assert!(!answer.contains("100 Continue"), "{answer}");
    assert!(answer.contains("x-hallpass-reason: unknown-key"), "{answer}");
}

#[tokio::test]
async fn strangers_learn_nothing_of_the_session() {
    let (_upstream, world) = world().await;
    let mut sign = Sign::with(&world);
    sign.secret = "not-the-secret-not-the-secret-not-the-se".into();
    let request = || sign.request(Method::GET, "/bucket/key", &[], b"");
    let while_open = ask(&world, request()).await;
    world.gate.switch().refuse(hallpass_dataplane::gate::Closed::Revoked);
    let after = ask(&world, request()).await;
    assert_eq!((while_open.status, while_open.reason()), (after.status, after.reason()));
    assert!(!while_open.headers.contains_key("x-hallpass-entry"), "{while_open:?}");
    assert!(!while_open.text().contains(&world.placeholder.access_key_id), "{while_open:?}");
}

#[tokio::test]
async fn a_flood_of_strangers_is_counted_and_does_not_fill_the_log() {
    let (_upstream, world) = world().await;
    let mut client = Client::connect(&world).await;
    let mut sign = Sign::with(&world);
    sign.key = "AKIASTRANGERSTRANGER".into();
    let total = 8 * u64::from(REFUSALS_RECORDED_PER_S_MAX);
    let request = sign.request(Method::GET, "/bucket/key", &[], b"");
    for _ in 0..total {
        assert_eq!(client.ask(request.clone()).await.reason(), "unknown-key");
    }
    let counted = || -> u64 {
        let counts = world.log.entries().into_iter().map(|event| match event {
            hallpass_core::audit::Event::RequestDenied { count, .. } => count,
            _ => 0,
        });
        counts.sum()
    };
    eventually("the count of what was not recorded", || counted() == total).await;
    assert!(world.log.entries().len() < total as usize / 2, "{} entries", world.log.entries().len());
    assert_eq!(get(&world, "/bucket/key").await.status, 200);
    let own = Sign::with(&world).request(Method::GET, "/bucket/key?tagging&acl", &[], b"");
    let refused = ask(&world, own).await;
    assert!(refused.status.is_client_error() && refused.headers.contains_key("x-hallpass-entry"), "{refused:?}");
    assert_ne!(world.log.denied().last(), Some(&DenialCode::UnknownKey), "the child's own refusals are recorded each");
}
