//! Event streams: taken as uploads only where an operation takes them, passed as answers as they are.

use std::time::Duration;

use hallpass_dataplane::gate::Closed;
use http::Method;
use http_body_util::BodyExt;
use tokio::io::AsyncWriteExt;

use crate::client::{Client, Payload, Sign, ask};
use crate::faults::read_head;
use crate::upstream::Upstream;
use crate::world::Setup;

const EVENTS: Payload = Payload::Literal("STREAMING-AWS4-HMAC-SHA256-EVENTS");

#[tokio::test]
async fn an_event_stream_for_an_operation_that_takes_none_is_refused_by_name() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let json = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", "AmazonSQS.ListQueues")];
    let sqs = Sign::with(&world).service("sqs").payload(EVENTS);
    let request = sqs.request(Method::POST, "/", &json, b"{}");
    let answer = ask(&world, request).await;
    assert_eq!(answer.reason(), "malformed", "{}", answer.text());
    assert!(answer.text().contains("STREAMING-AWS4-HMAC-SHA256-EVENTS"), "{}", answer.text());
    let s3 = Sign::with(&world).payload(EVENTS).request(Method::PUT, "/bucket/key", &[], b"body");
    let answer = ask(&world, s3).await;
    assert!(answer.text().contains("STREAMING-AWS4-HMAC-SHA256-EVENTS"), "{}", answer.text());
    assert!(upstream.seen().is_empty());
}

/// An answer of events: each arrives when it is sent, and the switch ends it in the middle.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_an_answer_arrive_one_by_one_and_are_cut_at_once() {
    let (go, gone) = tokio::sync::mpsc::channel::<()>(1);
    let gone = std::sync::Arc::new(tokio::sync::Mutex::new(gone));
    let upstream = Upstream::by_hand(move |_, mut socket| {
        let gone = std::sync::Arc::clone(&gone);
        async move {
            read_head(&mut socket).await;
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\n\
                transfer-encoding: chunked\r\n\r\n";
            let _ = socket.write_all(head.as_bytes()).await;
            while gone.lock().await.recv().await.is_some() {
                let _ = socket.write_all(b"5\r\nevent\r\n").await;
            }
        }
    })
    .await;
    let world = Setup::on(&upstream.url()).gate().await;
    let mut client = Client::connect(&world).await;
    let request = Sign::with(&world).request(Method::GET, "/bucket/key", &[], b"");
    let answer = client.begin(request).await.expect("an answer");
    assert_eq!(answer.headers()["content-type"], "application/vnd.amazon.eventstream");
    let mut body = answer.into_body();
    for _ in 0..5 {
        go.send(()).await.expect("listens");
        let event = body.frame().await.expect("more").expect("a piece").into_data().expect("data");
        assert_eq!(event.as_ref(), b"event");
    }
    assert_eq!(world.gate.switch().refuse(Closed::Revoked).streams_cut, 1);
    let end = tokio::time::timeout(Duration::from_secs(5), body.frame()).await.expect("cut");
    assert!(end.is_some_and(|end| end.is_err()));
    assert_eq!(world.log.settles(1).await[0].4.as_deref(), Some("cut: revoked"));
}
