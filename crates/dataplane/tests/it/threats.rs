//! Attacks of docs/security/threats.md that no other file of this folder tries.

use std::collections::BTreeSet;

use hallpass_dataplane::gate::Passthrough;
use http::{Method, Request};
use http_body_util::Full;

use crate::client::{Client, Sign, ask, built, exchange, get, raw};
use crate::tunnel::{Tunnel, basic, connect, sign_for};
use crate::upstream::{Upstream, reply};
use crate::world::{REAL_KEY, REAL_SECRET, Setup};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_sessions_none_opens_anothers_gate() {
    const SESSIONS: usize = 50;
    let upstream = Upstream::plain().await;
    let mut worlds = Vec::new();
    for _ in 0..SESSIONS {
        worlds.push(Setup::on(&upstream.url()).gate().await);
    }
    for (own, world) in worlds.iter().enumerate() {
        let mut client = Client::connect(world).await;
        for (other, foreign) in worlds.iter().enumerate().filter(|(other, _)| *other != own) {
            let mut whole = Sign::with(foreign);
            whole.host = world.gate.address().to_string();
            // The id of the one and the key of the other.
            let mixed = Sign { key: Sign::with(world).key, ..whole.clone() };
            for (sign, reason) in [(whole, "unknown-key"), (mixed, "signature")] {
                let answer = client.ask(sign.request(Method::GET, "/bucket/key", &[], b"")).await;
                assert_eq!((answer.status.as_u16(), answer.reason()), (403, reason), "{other} at {own}");
            }
        }
        assert_eq!((world.log.allowed(), world.gate.counts().signed), (0, 0));
    }
    assert!(upstream.seen().is_empty());
    for world in &worlds {
        assert_eq!(get(world, "/bucket/key").await.status, 200, "and its own it opens");
    }
}

/// Every answer to somebody who is not this session's child, apart from what numbers it.
#[tokio::test]
async fn a_stranger_cannot_tell_a_live_session_from_one_that_never_was() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let live = Setup::on(&upstream.url()).gate().await;
    let ended = Setup::on(&upstream.url()).gate().await;
    ended.gate.switch().refuse(hallpass_dataplane::gate::Closed::Revoked);
    let mut told = BTreeSet::new();
    for key in [
        Sign::with(&live).key,
        Sign::with(&ended).key,
        "ASIAHALLPASS00000000".to_owned(),
        REAL_KEY.to_owned(),
        world.placeholder.access_key_id[..19].to_owned() + "0",
    ] {
        let mut sign = Sign::with(&world);
        sign.key = key;
        let answer = ask(&world, sign.request(Method::GET, "/bucket/key", &[], b"")).await;
        let id = answer.headers["x-amz-request-id"].to_str().expect("text").to_owned();
        let names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
        told.insert((answer.status, answer.reason().to_owned(), answer.text().replace(&id, "ID"), names));
    }
    assert_eq!(told.len(), 1, "{told:#?}");
}

#[tokio::test]
async fn a_host_takes_no_signature_for_any_other_service() {
    let upstream = Upstream::plain().await;
    let names: BTreeSet<&'static str> = hallpass_catalog::all().map(|service| service.signing).collect();
    assert!(names.len() > 250, "{}", names.len());
    let actions = ["s3:*", "sqs:*", "iam:*", "sts:*", "dynamodb:*"];
    let mut refused = 0;
    for (host, own) in [
        ("s3.us-east-1.amazonaws.com", "s3"),
        ("iam.amazonaws.com", "iam"),
        ("sqs.us-east-1.amazonaws.com", "sqs"),
        ("dynamodb.us-east-1.amazonaws.com", "dynamodb"),
    ] {
        let world = Setup::on(&upstream.url()).actions(&actions).gate().await;
        let proxy = world.gate.open_proxy(Passthrough::default()).expect("a proxy");
        let mut tunnel = Tunnel::to(&world, &proxy, host).await;
        for name in names.iter().filter(|name| **name != own) {
            let mut sign = sign_for(&world, host);
            sign.service = name;
            let answer = tunnel.ask(sign.request(Method::GET, "/bucket/key", &[], b"")).await;
            assert_eq!(answer.reason(), "foreign-origin", "{name} at {host}: {answer:?}");
            assert!(
                answer.text().contains("but the request is signed for"),
                "by its scope, before anything is resolved: {answer:?}"
            );
            refused += 1;
        }
        assert_eq!((world.log.allowed(), world.gate.counts().signed), (0, 0), "{host}");
    }
    assert_eq!(refused, 4 * (names.len() - 1));
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn no_host_that_the_child_or_the_upstream_names_ever_sees_a_signature() {
    let attacker = Upstream::plain().await;
    let named = attacker.address().to_string();
    let location = format!("http://{named}/stolen");
    let upstream = Upstream::answering(move |_| reply(307, &[("location", &location)], "")).await;
    let world = Setup::on(&upstream.url()).gate().await;
    let proxy = world.gate.open_proxy(Passthrough::default()).expect("a proxy");
    // A redirect, which is handed back.
    assert_eq!(get(&world, "/bucket/key").await.status, 307);
    // A host of the child's choosing: as Host, as an absolute request line, behind a proxy's CONNECT, as headers.
    let sign = Sign { host: named.clone(), ..Sign::with(&world) };
    assert!(ask(&world, sign.request(Method::GET, "/bucket/key", &[], b"")).await.status.is_client_error());
    let headers = Sign::with(&world).headers(&Method::GET, "/bucket/key", &[], b"");
    let line = format!("http://{named}/bucket/key");
    let auth = format!("proxy-authorization: {}\r\n", basic(&proxy));
    for more in ["", auth.as_str()] {
        let answer = exchange(world.gate.address(), &raw("GET", &line, &headers, more, b"")).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    let (head, _) = connect(&world, &named, &auth).await;
    assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
    for (name, value) in
        [("x-forwarded-host", named.as_str()), ("x-amz-website-redirect-location", "/x"), ("forwarded", "host=x")]
    {
        let answer = ask(&world, Sign::with(&world).request(Method::GET, "/bucket/key", &[(name, value)], b"")).await;
        assert!(answer.status == 307 || answer.status.is_client_error(), "{name}: {answer:?}");
    }
    assert!(attacker.seen().is_empty(), "{:?}", attacker.seen());
    assert!(upstream.seen().iter().all(|one| one.header("authorization").contains(REAL_KEY)));
}

#[tokio::test]
async fn the_placeholder_is_worth_nothing_past_the_gate() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Upstream::store(folder.path()).await;
    let world = Setup::on(&store.url()).long_term_keys().gate().await;
    assert_eq!(crate::client::put(&world, "/lent", b"").await.status, 200);
    let direct = |sign: Sign| {
        let request = sign.request(Method::GET, "/lent?list-type=2", &[], b"");
        let address = store.address();
        async move {
            let bytes = raw("GET", "/lent?list-type=2", request.headers(), "", b"");
            exchange(address, &bytes).await
        }
    };
    let past = Sign { host: store.address().to_string(), ..Sign::with(&world) };
    let refused = direct(past.clone()).await;
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
    let real = Sign { key: REAL_KEY.into(), secret: REAL_SECRET.into(), token: None, ..past };
    let passed = direct(real).await;
    assert!(passed.starts_with("HTTP/1.1 200"), "the store asks for a signature: {passed}");
}

/// Zeros as gzip, as small as they can be: 158 times larger once inflated.
fn bomb() -> Vec<u8> {
    // RFC 1951: a final block of fixed codes, a zero, then copies of 258 bytes (code 285, distance 1), the end.
    let once = |bits: &'static str| bits.bytes().map(|bit| bit == b'1');
    let copies = std::iter::repeat_n("1100010100000", 400_000).flat_map(once);
    let bits: Vec<bool> = once("11000110000").chain(copies).chain(once("0000000")).collect();
    let bytes = bits.chunks(8).map(|eight| eight.iter().rev().fold(0_u8, |byte, bit| byte << 1 | u8::from(*bit)));
    [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff].into_iter().chain(bytes).chain([0; 8]).collect()
}

#[tokio::test]
async fn a_compressed_body_that_decides_something_is_refused_and_never_inflated() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).actions(&["s3:*", "sqs:*", "dynamodb:*", "iam:*"]).gate().await;
    let bomb = bomb();
    let encoded = |more: &[(&'static str, &'static str)]| [more, &[("content-encoding", "gzip")]].concat();
    let form = encoded(&[("content-type", "application/x-www-form-urlencoded")]);
    let json =
        encoded(&[("content-type", "application/x-amz-json-1.0"), ("x-amz-target", "DynamoDB_20120810.PutItem")]);
    let delete = encoded(&[]);
    let requests: [(&str, Request<Full<bytes::Bytes>>); 3] = [
        ("form", Sign::with(&world).service("iam").request(Method::POST, "/", &form, &bomb)),
        ("json", Sign::with(&world).service("dynamodb").request(Method::POST, "/", &json, &bomb)),
        ("multi-delete", Sign::with(&world).request(Method::POST, "/bucket?delete", &delete, &bomb)),
    ];
    for (name, request) in requests {
        let answer = ask(&world, request).await;
        assert!(answer.status.is_client_error(), "{name}: {answer:?}");
        assert!(answer.text().contains("compress") || answer.text().contains("ncod"), "{name}: {answer:?}");
    }
    assert!(upstream.seen().is_empty());
    // What decides nothing is data, and passes as it is.
    let put = Sign::with(&world).request(Method::PUT, "/bucket/key", &delete, &bomb);
    assert_eq!(ask(&world, put).await.status, 200);
    assert_eq!(upstream.seen()[0].body.len(), bomb.len());
}

/// Headers of AWS's own models and of AWS's proxies, each added after signing.
#[tokio::test]
async fn no_header_that_was_not_signed_reaches_the_upstream_unless_it_decides_nothing() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let names = include_str!("../data/headers.txt");
    let mut client = Client::connect(&world).await;
    let (mut refused, mut dropped) = (0, 0);
    for name in names.lines() {
        let mut headers = Sign::with(&world).headers(&Method::PUT, "/bucket/key", &[], b"body");
        headers.insert(http::HeaderName::from_static(name), "smuggled-value".parse().expect("a value"));
        let before = upstream.seen().len();
        let answer = client.ask(built(Method::PUT, "/bucket/key", headers, Full::from("body"))).await;
        if answer.status == 200 {
            let seen = upstream.seen();
            assert_eq!(seen.len(), before + 1);
            assert!(!format!("{:?}", seen[before].headers).contains("smuggled-value"), "{name} passed");
            dropped += 1;
        } else {
            assert!(answer.status.is_client_error(), "{name}: {answer:?}");
            assert_eq!(upstream.seen().len(), before, "{name}");
            refused += 1;
            client = Client::connect(&world).await;
        }
        let amz = name.starts_with("x-amz-");
        assert!(!amz || answer.status != 200, "{name}: what begins with x-amz- must be signed");
    }
    assert!(refused > 100 && dropped > 20, "{refused} refused, {dropped} dropped");
}
