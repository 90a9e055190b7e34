//! URLs that the child presigns with its placeholder: good for this gate, for as long as the session lives.

use std::time::Duration;

use bytes::Bytes;
use hallpass_core::denial::DenialCode;
use hallpass_core::limits::{PRESIGNED_EXPIRES_S_MAX, SIGNATURE_SKEW_S_MAX};
use hallpass_dataplane::gate::{Closed, Passthrough};
use http::{HeaderMap, Method, Request};
use http_body_util::Full;

use crate::client::{Answer, Payload, Sign, ask, built};
use crate::tunnel::{S3, Tunnel, sign_for};
use crate::upstream::Upstream;
use crate::world::{REAL_KEY, Setup, World};

const MINUTE: Duration = Duration::from_secs(60);

async fn world() -> (Upstream, World) {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).actions(&["s3:*", "sts:GetCallerIdentity"]).gate().await;
    (upstream, world)
}

/// What a browser or `curl` makes of a URL: nothing but the host is sent.
fn bare(host: &str, method: Method, target: &str, more: &[(&'static str, &str)], body: &[u8]) -> Request<Full<Bytes>> {
    let mut headers = HeaderMap::new();
    for (name, value) in [("host", host)].iter().chain(more) {
        headers.insert(*name, value.parse().expect("a value"));
    }
    built(method, target, headers, Full::new(Bytes::copy_from_slice(body)))
}

async fn open(world: &World, method: Method, target: &str) -> Answer {
    ask(world, bare(&world.gate.address().to_string(), method, target, &[], b"")).await
}

#[tokio::test]
async fn a_presigned_url_works_and_becomes_an_ordinary_signed_request() {
    let (upstream, world) = world().await;
    let target = Sign::with(&world).presigned(&Method::GET, "/bucket/a%20key?versionId=v1", &[], MINUTE);
    for _ in 0..2 {
        assert_eq!(open(&world, Method::GET, &target).await.text(), "ok", "it may be used again");
    }
    let host = world.gate.address().to_string();
    let put = Sign::with(&world).presigned(&Method::PUT, "/bucket/new", &[], MINUTE);
    let answer = ask(&world, bare(&host, Method::PUT, &put, &[("content-type", "text/x")], b"any body")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let seen = upstream.seen();
    assert_eq!(seen[0].uri.to_string(), "/bucket/a%20key?versionId=v1");
    assert_eq!((seen[2].uri.to_string().as_str(), &seen[2].body[..]), ("/bucket/new", &b"any body"[..]));
    assert!(seen.iter().all(|one| one.header("authorization").contains(REAL_KEY)));
    assert!(seen.iter().all(|one| !format!("{one:?}").contains(world.placeholder.session_token.expose())));
}

#[tokio::test]
async fn a_presigned_url_works_through_a_tunnel_and_as_a_virtual_host() {
    let (upstream, world) = world().await;
    let proxy = world.gate.open_proxy(Passthrough::default()).expect("a proxy");
    for (host, path) in [(S3, "/bucket/key"), ("bucket.s3.amazonaws.com", "/key")] {
        let target = sign_for(&world, host).presigned(&Method::GET, path, &[], MINUTE);
        let answer = Tunnel::to(&world, &proxy, host).await.ask(bare(host, Method::GET, &target, &[], b"")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    assert!(upstream.seen().iter().all(|one| one.uri == "/bucket/key"));
}

#[tokio::test]
async fn headers_in_the_query_are_decided_on_and_sent_as_headers() {
    let (upstream, world) = world().await;
    let path = "/bucket/key?x-amz-acl=public-read&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&x-amz-checksum-mode=ENABLED";
    let target = Sign::with(&world).presigned(&Method::PUT, path, &[], MINUTE);
    assert_eq!(open(&world, Method::PUT, &target).await.status, 200);
    assert_eq!(upstream.seen()[0].header("x-amz-acl"), "public-read");
    assert_eq!(upstream.seen()[0].uri.to_string(), "/bucket/key");
    let narrow = Setup::on(&upstream.url()).actions(&["s3:PutObject"]).gate().await;
    let target = Sign::with(&narrow).presigned(&Method::PUT, path, &[], MINUTE);
    let answer = open(&narrow, Method::PUT, &target).await;
    assert_eq!(answer.reason(), "not-allowed", "s3:PutObjectAcl is needed too: {answer:?}");
    let host = world.gate.address().to_string();
    let twice =
        Sign::with(&world).presigned(&Method::PUT, "/b/key?x-amz-acl=private", &[("x-amz-acl", "private")], MINUTE);
    let answer = ask(&world, bare(&host, Method::PUT, &twice, &[("x-amz-acl", "private")], b"")).await;
    assert_eq!(answer.reason(), "malformed", "{answer:?}");
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn a_service_that_signs_its_body_does_so_in_a_presigned_url_too() {
    let (upstream, world) = world().await;
    let path = "/?Action=GetCallerIdentity&Version=2011-06-15";
    let target = Sign::with(&world).service("sts").presigned(&Method::GET, path, &[], MINUTE);
    let answer = open(&world, Method::GET, &target).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let host = world.gate.address().to_string();
    let target = Sign::with(&world).service("sts").presigned(&Method::POST, path, &[], MINUTE);
    let answer = ask(&world, bare(&host, Method::POST, &target, &[], b"Action=Other")).await;
    assert_eq!(answer.reason(), "signature", "the body was not signed: {answer:?}");
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn a_presigned_url_of_a_foreign_key_secret_or_token_is_refused() {
    let (upstream, world) = world().await;
    let (_, other) = self::world().await;
    let mut refused = 0;
    for mixed in 1..8_u8 {
        let (mut sign, from) = (Sign::with(&world), Sign::with(&other));
        if mixed & 1 != 0 {
            sign.key = from.key;
        }
        if mixed & 2 != 0 {
            sign.secret = from.secret;
        }
        if mixed & 4 != 0 {
            sign.token = from.token;
        }
        for path in ["/bucket/key", "/", "/bucket?list-type=2"] {
            let answer = open(&world, Method::GET, &sign.presigned(&Method::GET, path, &[], MINUTE)).await;
            assert_eq!(answer.status, 403, "{mixed} {path}: {answer:?}");
            refused += 1;
        }
    }
    let mut sign = Sign::with(&world);
    sign.token = None;
    let answer = open(&world, Method::GET, &sign.presigned(&Method::GET, "/bucket/key", &[], MINUTE)).await;
    assert_eq!(answer.reason(), "unknown-key", "without a token: {answer:?}");
    assert_eq!(world.log.denied().len(), refused + 1);
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn a_presigned_url_is_refused_after_its_time_and_long_before_it() {
    let (upstream, world) = world().await;
    let target = Sign::with(&world).presigned(&Method::GET, "/bucket/key", &[], MINUTE);
    world.clock.advance_s(59);
    assert_eq!(open(&world, Method::GET, &target).await.status, 200);
    world.clock.advance_s(1);
    let answer = open(&world, Method::GET, &target).await;
    assert_eq!(answer.reason(), "skew", "{answer:?}");
    assert!(answer.text().contains("expired"), "{answer:?}");
    let mut early = Sign::with(&world);
    early.time += Duration::from_secs(SIGNATURE_SKEW_S_MAX.unsigned_abs() + 2);
    let answer = open(&world, Method::GET, &early.presigned(&Method::GET, "/bucket/key", &[], MINUTE)).await;
    assert_eq!(answer.reason(), "skew", "{answer:?}");
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn a_presigned_url_dies_with_its_session_however_long_it_says_it_lives() {
    let (upstream, world) = world().await;
    let week = Duration::from_secs(PRESIGNED_EXPIRES_S_MAX.unsigned_abs());
    let target = Sign::with(&world).presigned(&Method::GET, "/bucket/key", &[], week);
    assert_eq!(open(&world, Method::GET, &target).await.status, 200);
    world.gate.switch().refuse(Closed::Revoked);
    assert_eq!(open(&world, Method::GET, &target).await.reason(), "revoked");
    let (_, next) = self::world().await;
    let host = world.gate.address().to_string();
    assert_ne!(ask(&next, bare(&host, Method::GET, &target, &[], b"")).await.status, 200);
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn the_life_of_a_presigned_url_is_bounded() {
    let (upstream, world) = world().await;
    for life in ["0", "-1", "604801", "9999999999999", "", "1e3", "+60", "60.0"] {
        let good = Sign::with(&world).presigned(&Method::GET, "/bucket/key", &[], MINUTE);
        let target = good.replace("X-Amz-Expires=60", &format!("X-Amz-Expires={life}"));
        assert_ne!(target, good);
        let answer = open(&world, Method::GET, &target).await;
        assert_eq!(answer.reason(), "malformed", "{life}: {answer:?}");
    }
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn whatever_was_changed_after_signing_is_refused() {
    let (upstream, world) = world().await;
    let good = Sign::with(&world).presigned(&Method::GET, "/bucket/key", &[], MINUTE);
    let changed = [
        good.replace("/key", "/other"),
        good.replace("X-Amz-Expires=60", "X-Amz-Expires=61"),
        format!("{good}&versionId=v2"),
        format!("{good}&x-amz-acl=public-read"),
        format!("{good}&X-Amz-Expires=60"),
        format!("{good}&x-amz-expires=60"),
        good.replace("X-Amz-Expires", "x-amz-expires"),
        good.replace("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders="),
        good.replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
        good.replace("us-east-1", "eu-west-1"),
        good.split("&X-Amz-Signature=").next().expect("a part").to_owned(),
        good.replace("X-Amz-Date", "X-Amz-Gate"),
    ];
    for target in changed {
        assert_ne!(target, good);
        let answer = open(&world, Method::GET, &target).await;
        assert!(answer.status.is_client_error() && !answer.reason().is_empty(), "{target}: {answer:?}");
    }
    let answer = open(&world, Method::DELETE, &good).await;
    assert_eq!(answer.reason(), "signature", "another method: {answer:?}");
    let host = world.gate.address().to_string();
    for (name, value) in
        [("x-amz-acl", "private"), ("authorization", "AWS4-HMAC-SHA256 Credential=a"), ("host", "localhost")]
    {
        let answer = ask(&world, bare(&host, Method::GET, &good, &[(name, value)], b"")).await;
        assert!(answer.status.is_client_error(), "{name}: {answer:?}");
    }
    assert!(upstream.seen().is_empty());
    assert_eq!(world.gate.counts().signed, 0);
}

#[tokio::test]
async fn chunked_bodies_have_no_place_in_a_presigned_url() {
    for literal in [
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "STREAMING-AWS4-HMAC-SHA256-EVENTS",
    ] {
        let (upstream, world) = world().await;
        let path = format!("/bucket/key?X-Amz-Content-Sha256={literal}");
        let sign = Sign::with(&world).payload(Payload::Literal(literal));
        let answer = open(&world, Method::PUT, &sign.presigned(&Method::PUT, &path, &[], MINUTE)).await;
        assert_eq!(answer.reason(), "malformed", "{literal}: {answer:?}");
        assert!(upstream.seen().is_empty());
    }
}

#[tokio::test]
async fn a_body_hash_that_was_presigned_holds() {
    let (upstream, world) = world().await;
    let hash = "230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5"; // sha256("body")
    let path = format!("/bucket/key?X-Amz-Content-Sha256={hash}");
    let target = Sign::with(&world).payload(Payload::Literal(hash)).presigned(&Method::PUT, &path, &[], MINUTE);
    let host = world.gate.address().to_string();
    let answer = ask(&world, bare(&host, Method::PUT, &target, &[], b"bodY")).await;
    assert_eq!(answer.reason(), "body-mismatch", "{answer:?}");
    assert!(upstream.seen().iter().all(|one| !one.whole));
    assert_eq!(ask(&world, bare(&host, Method::PUT, &target, &[], b"body")).await.status, 200);
}

#[tokio::test]
async fn a_policy_can_tell_a_presigned_request() {
    let (upstream, world) = world().await;
    let target = Sign::with(&world).presigned(&Method::GET, "/bucket/key", &[], MINUTE);
    assert_eq!(open(&world, Method::GET, &target).await.status, 200);
    let deny = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"s3:*","Resource":"*"},
        {"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"s3:authType":"REST-QUERY-STRING"}}}]}"#;
    let world = Setup::on(&upstream.url()).document(deny).gate().await;
    let target = Sign::with(&world).presigned(&Method::GET, "/bucket/key", &[], MINUTE);
    assert_eq!(open(&world, Method::GET, &target).await.reason(), "explicit-deny");
    assert_eq!(crate::client::get(&world, "/bucket/key").await.status, 200);
    assert_eq!(world.log.denied(), [DenialCode::ExplicitDeny]);
}
