//! The real credential: not to be had, expired, renewed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::Method;
use http_body_util::StreamBody;
use hyper::body::Frame;

use crate::client::{Client, Payload, Sign, ask, built, get, put};
use crate::upstream::{Upstream, reply};
use crate::world::Setup;

const EXPIRED: &str = "<?xml version=\"1.0\"?><Error><Code>ExpiredToken</Code><Message>old</Message></Error>";

/// Says that the first `times` credentials have expired.
async fn expiring(times: usize) -> Upstream {
    let asked = Arc::new(AtomicUsize::new(0));
    Upstream::answering(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        turn if turn < times => reply(400, &[], EXPIRED),
        _ => reply(200, &[], "ok"),
    })
    .await
}

#[tokio::test]
async fn a_credential_that_is_not_to_be_had_is_a_503_and_the_entry_says_that_nothing_was_signed() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    world.source.fails.store(true, Ordering::SeqCst);
    let answer = get(&world, "/bucket/key").await;
    assert_eq!((answer.status.as_u16(), answer.reason()), (503, "credential-unavailable"));
    let settled = world.log.settles(1).await;
    assert_eq!(settled[0].4.as_deref(), Some("not signed: credential-unavailable"));
    assert_eq!(world.gate.counts().signed, 0);
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn an_expired_credential_is_renewed_once_and_the_child_never_sees_it() {
    let upstream = expiring(1).await;
    let world = Setup::on(&upstream.url()).gate().await;
    assert_eq!(get(&world, "/bucket/key").await.text(), "ok");
    assert_eq!(world.source.invalidated.load(Ordering::SeqCst), 1);
    let seen = upstream.seen();
    assert_eq!(seen.len(), 2);
    assert_ne!(seen[0].header("x-amz-security-token"), seen[1].header("x-amz-security-token"));
    assert_eq!((world.log.allowed(), world.gate.counts().signed), (2, 2), "each signature has its entry");
    let settled = world.log.settles(2).await;
    assert_eq!(settled[0].4.as_deref(), Some("the real credential had expired"));
    assert_eq!((settled[1].1, settled[1].4.as_deref()), (Some(200), None));
}

#[tokio::test]
async fn a_body_in_memory_is_sent_again_with_the_renewed_credential() {
    let upstream = expiring(1).await;
    let world = Setup::on(&upstream.url()).gate().await;
    let body = b"Action=SendMessage&Version=2012-11-05&QueueUrl=https%3A%2F%2Fsqs.us-east-1.amazonaws.com%2F123456789012%2Fq&MessageBody=hi";
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let request = Sign::with(&world).service("sqs").request(Method::POST, "/", &headers, body);
    assert_eq!(ask(&world, request).await.text(), "ok");
    assert!(upstream.seen().iter().all(|seen| seen.body.as_ref() == body));
}

#[tokio::test]
async fn a_credential_that_stays_expired_is_a_503_and_not_the_childs_expiry() {
    let upstream = expiring(usize::MAX).await;
    let world = Setup::on(&upstream.url()).gate().await;
    let answer = get(&world, "/bucket/key").await;
    assert_eq!((answer.status.as_u16(), answer.reason()), (503, "credential-unavailable"));
    assert!(!answer.text().contains("ExpiredToken"), "{}", answer.text());
    assert_eq!(upstream.seen().len(), 2);
}

#[tokio::test]
async fn a_streamed_body_is_not_sent_again() {
    let upstream = expiring(usize::MAX).await;
    let world = Setup::on(&upstream.url()).gate().await;
    let headers = Sign::with(&world).payload(Payload::Unsigned).headers(&Method::PUT, "/bucket/key", &[], b"");
    let pieces = futures_util::stream::iter((0..4).map(|_| Ok::<_, std::io::Error>(Frame::data(Bytes::from("piece")))));
    let mut client = Client::connect(&world).await;
    let answer = client.ask(built(Method::PUT, "/bucket/key", headers, StreamBody::new(pieces))).await;
    assert_eq!((answer.status.as_u16(), answer.reason()), (503, "credential-unavailable"), "{answer:?}");
    assert_eq!(upstream.seen().len(), 1);
    assert_eq!(world.source.invalidated.load(Ordering::SeqCst), 1, "the next request gets a new credential");
}

#[tokio::test]
async fn a_head_that_fails_when_the_credentials_time_is_over_is_asked_again() {
    let asked = Arc::new(AtomicUsize::new(0));
    let upstream = Upstream::answering(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => reply(400, &[], ""),
        _ => reply(200, &[], ""),
    })
    .await;
    let world = Setup::on(&upstream.url()).credential_life_s(-1).gate().await;
    let head = Sign::with(&world).request(Method::HEAD, "/bucket/key", &[], b"");
    assert_eq!(ask(&world, head).await.status, 200);
    assert_eq!(world.source.invalidated.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_ordinary_refusal_of_the_upstream_is_passed_on_unchanged() {
    let body = format!("<Error><Code>AccessDenied</Code><Message>{}</Message></Error>", "x".repeat(100_000));
    let answered = body.clone();
    let upstream = Upstream::answering(move |_| reply(403, &[("x-amz-request-id", "UP")], answered.clone())).await;
    let world = Setup::on(&upstream.url()).gate().await;
    let answer = put(&world, "/bucket/key", b"body").await;
    assert_eq!((answer.status.as_u16(), answer.text()), (403, body));
    assert_eq!(world.source.invalidated.load(Ordering::SeqCst), 0);
    let settled = world.log.settles(1).await;
    assert_eq!((settled[0].1, settled[0].2, settled[0].4.as_deref()), (Some(403), 4, None));
}
