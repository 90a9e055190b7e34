//! The same bytes twice: what changes something is carried out once, and an SDK's retry is not taken for a replay.

use std::sync::atomic::{AtomicUsize, Ordering};

use hallpass_core::denial::DenialCode;
use hallpass_core::limits::{REPLAY_SAME_SECOND_MS_MAX, SIGNATURE_SKEW_S_MAX};
use http::{Method, Request};
use http_body_util::Full;

use crate::client::{Client, Sign, ask, built};
use crate::faults::read_head;
use crate::upstream::{Upstream, reply};
use crate::world::{Setup, World};

/// As an SDK signs: no two of its calls have one invocation.
const INVOCATION: (&str, &str) = ("amz-sdk-invocation-id", "0b1c4d2e-4b52-4a8e-9b3f-1f6c1a1d5f10");

/// Equal calls that nothing tells apart pass for less.
const PAST_ITS_SECOND_S: i64 = REPLAY_SAME_SECOND_MS_MAX / 1_000 + 1;

type Signed = Request<Full<bytes::Bytes>>;

/// Calls that change something, each as the bytes that somebody captured.
fn changes(world: &World) -> Vec<(&'static str, Signed)> {
    let json = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", "AmazonSQS.SendMessage"), INVOCATION];
    let form = [("content-type", "application/x-www-form-urlencoded; charset=utf-8"), INVOCATION];
    let message = br#"{"QueueUrl":"https://sqs.us-east-1.amazonaws.com/123456789012/q","MessageBody":"x"}"#;
    let user = b"Action=CreateUser&Version=2010-05-08&UserName=eve";
    let with = Sign::with(world);
    vec![
        ("PutObject", with.request(Method::PUT, "/bucket/key", &[INVOCATION], b"body")),
        ("DeleteObject", with.request(Method::DELETE, "/bucket/key", &[INVOCATION], b"")),
        ("SendMessage", Sign::with(world).service("sqs").request(Method::POST, "/", &json, message)),
        ("CreateUser", Sign::with(world).service("iam").request(Method::POST, "/", &form, user)),
    ]
}

fn setup(upstream: &str) -> Setup {
    Setup::on(upstream).actions(&["s3:*", "sqs:*", "iam:*"])
}

#[tokio::test]
async fn the_same_bytes_a_second_time_are_refused_when_they_change_something() {
    let upstream = Upstream::plain().await;
    let world = setup(&upstream.url()).gate().await;
    for (number, (name, request)) in changes(&world).into_iter().enumerate() {
        let first = ask(&world, request.clone()).await;
        assert_eq!(first.status, 200, "{name}: {first:?}");
        for again in 0..3 {
            let replayed = ask(&world, request.clone()).await;
            assert!(
                replayed.status.is_client_error() && replayed.reason() == "replayed",
                "{name} {again}: {replayed:?}"
            );
            assert!(replayed.text().contains("sign it again"), "{name}: {}", replayed.text());
        }
        assert_eq!(upstream.seen().len(), number + 1, "{name}");
    }
    assert_eq!(world.gate.counts().signed, upstream.seen().len() as u64);
    assert!(world.log.denied().iter().all(|code| *code == DenialCode::Replayed) && world.log.denied().len() == 12);
}

#[tokio::test]
async fn a_replay_is_refused_for_as_long_as_its_signature_is_accepted_and_while_the_first_is_under_way() {
    let upstream = Upstream::plain().await;
    let world = setup(&upstream.url()).gate().await;
    let request = Sign::with(&world).request(Method::PUT, "/bucket/key", &[INVOCATION], b"body");
    assert_eq!(ask(&world, request.clone()).await.status, 200);
    world.clock.advance_s(SIGNATURE_SKEW_S_MAX);
    assert_eq!(ask(&world, request.clone()).await.reason(), "replayed");
    world.clock.advance_s(1);
    assert_eq!(ask(&world, request).await.reason(), "skew");

    let silent = Upstream::by_hand(|_, mut socket| async move {
        read_head(&mut socket).await;
        std::future::pending().await
    })
    .await;
    let world = setup(&silent.url()).gate().await;
    let request = Sign::with(&world).request(Method::PUT, "/bucket/key", &[INVOCATION], b"");
    let mut waiting = Client::connect(&world).await;
    let under_way = waiting.begin(request.clone());
    let second = async {
        crate::world::eventually("the first is recorded", || world.log.allowed() == 1).await;
        ask(&world, request.clone()).await
    };
    tokio::select! {
        answered = under_way => panic!("nobody answers: {answered:?}"),
        answer = second => assert_eq!(answer.reason(), "replayed"),
    }
}

#[tokio::test]
async fn reads_and_presigned_urls_may_come_again() {
    let upstream = Upstream::plain().await;
    let world = setup(&upstream.url()).gate().await;
    let read = Sign::with(&world).request(Method::GET, "/bucket/key", &[INVOCATION], b"");
    let list = Sign::with(&world).request(Method::GET, "/bucket?list-type=2", &[INVOCATION], b"");
    let url = Sign::with(&world).presigned(&Method::PUT, "/bucket/new", &[], std::time::Duration::from_secs(60));
    let mut headers = http::HeaderMap::new();
    headers.insert("host", world.gate.address().to_string().parse().expect("a host"));
    let presigned = built(Method::PUT, &url, headers, Full::from("body"));
    for request in [read, list, presigned] {
        for _ in 0..2 {
            let answer = ask(&world, request.clone()).await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        world.clock.advance_s(PAST_ITS_SECOND_S);
        assert_eq!(ask(&world, request).await.status, 200);
    }
}

/// `curl` and older SDKs sign no invocation: two equal calls of one second are the same bytes, and both are meant.
#[tokio::test]
async fn equal_calls_of_one_second_pass_where_nothing_could_tell_them_apart_and_no_longer() {
    let upstream = Upstream::plain().await;
    let world = setup(&upstream.url()).gate().await;
    let request = Sign::with(&world).request(Method::PUT, "/bucket/key", &[], b"body");
    for _ in 0..3 {
        assert_eq!(ask(&world, request.clone()).await.status, 200);
    }
    world.clock.advance_s(PAST_ITS_SECOND_S);
    assert_eq!(ask(&world, request).await.reason(), "replayed");
    let anew = Sign::with(&world).request(Method::PUT, "/bucket/key", &[], b"body");
    assert_eq!(ask(&world, anew).await.status, 200, "signed again, it is another request");
    assert_eq!(upstream.seen().len(), 4);
}

/// Some SDKs sign a retry of the same second as they signed the first: the same bytes, and not a replay.
#[tokio::test]
async fn what_was_certainly_not_carried_out_may_be_sent_again() {
    let asked = AtomicUsize::new(0);
    let upstream = Upstream::answering(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => reply(503, &[], "<Error><Code>SlowDown</Code></Error>"),
        1 => reply(400, &[], "<Error><Code>RequestTimeout</Code></Error>"),
        _ => reply(200, &[], ""),
    })
    .await;
    let world = setup(&upstream.url()).gate().await;
    let request = Sign::with(&world).request(Method::PUT, "/bucket/key", &[INVOCATION], b"body");
    for status in [503, 400, 200, 403] {
        assert_eq!(ask(&world, request.clone()).await.status, status);
    }
    assert_eq!(world.log.denied(), [DenialCode::Replayed]);

    // The upstream is down and comes back; the credential, the log and the budget as well.
    let world = setup("http://127.0.0.1:1").gate().await;
    let request = Sign::with(&world).request(Method::PUT, "/bucket/key", &[INVOCATION], b"body");
    for _ in 0..2 {
        assert_eq!(ask(&world, request.clone()).await.reason(), "upstream-unreachable");
    }
    world.source.fails.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        assert_eq!(ask(&world, request.clone()).await.reason(), "credential-unavailable");
    }
    world.log.broken.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        assert_eq!(ask(&world, request.clone()).await.reason(), "audit-unavailable");
    }
}

#[tokio::test]
async fn what_may_have_been_carried_out_is_not_sent_again() {
    let upstream = Upstream::by_hand(|_, mut socket| async move {
        read_head(&mut socket).await;
    })
    .await;
    let world = setup(&upstream.url()).gate().await;
    let request = Sign::with(&world).request(Method::DELETE, "/bucket/key", &[INVOCATION], b"");
    assert_eq!(ask(&world, request.clone()).await.reason(), "outcome-unknown");
    assert_eq!(ask(&world, request).await.reason(), "replayed");
    assert_eq!(world.gate.counts().signed, 1);
}
