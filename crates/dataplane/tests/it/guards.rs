//! Refusals of the gate that no other test missed when they were taken out, one by one.

use hallpass_core::budget::Caps;
use hallpass_core::denial::DenialCode;
use hallpass_dataplane::gate::UrlWish;
use http::Method;

use crate::client::{Client, Payload, Sign, ask, exchange, raw};
use crate::upstream::{Upstream, reply};
use crate::world::Setup;

/// The connection to an upstream is kept for the next request of the child's; another host never gets it.
#[tokio::test]
async fn a_connection_that_is_kept_never_carries_a_request_for_another_host() {
    let (stores, queues) = (Upstream::plain().await, Upstream::plain().await);
    let world = Setup::on(&stores.url()).host_at("sqs.us-east-1.amazonaws.com", &queues.url()).gate().await;
    let mut client = Client::connect(&world).await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let list = b"Action=ListQueues&Version=2012-11-05";
    for _ in 0..3 {
        let stored = client.ask(Sign::with(&world).request(Method::GET, "/bucket/key", &[], b"")).await;
        assert_eq!(stored.status, 200, "{stored:?}");
        let listed = client.ask(Sign::with(&world).service("sqs").request(Method::POST, "/", &form, list)).await;
        assert_eq!(listed.status, 200, "{listed:?}");
    }
    let scopes = |upstream: &Upstream, service: &str| {
        let seen = upstream.seen();
        assert_eq!(seen.len(), 3, "{service}");
        seen.iter().all(|one| one.header("authorization").contains(&format!("/{service}/aws4_request")))
    };
    assert!(scopes(&stores, "s3") && scopes(&queues, "sqs"), "each signature went to its own host");
}

#[tokio::test]
async fn no_other_protocol_is_begun_however_it_is_asked_for() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    for more in ["upgrade: websocket\r\n", "Upgrade: h2c\r\n", "http2-settings: AAMAAABkAAQAAP__\r\n", "upgrade:\r\n"] {
        let headers = Sign::with(&world).headers(&Method::GET, "/bucket/key", &[], b"");
        let more = format!("{more}connection: close\r\n");
        let answer = exchange(world.gate.address(), &raw("GET", "/bucket/key", &headers, &more, b"")).await;
        assert!(answer.contains("x-hallpass-reason: malformed"), "{more:?}: {answer}");
    }
    assert!(upstream.seen().is_empty());
}

/// What an upstream says of its own connection takes nothing from the answer that the child needs to find its end.
#[tokio::test]
async fn an_upstream_cannot_take_the_length_from_its_answer() {
    let named = [("connection", "content-length, x-secret"), ("x-secret", "s"), ("x-hallpass-reason", "forged")];
    let upstream = Upstream::answering(move |_| reply(200, &named, "ok")).await;
    let world = Setup::on(&upstream.url()).gate().await;
    let answer = crate::client::get(&world, "/bucket/key").await;
    assert_eq!((answer.text().as_str(), answer.headers["content-length"].to_str().expect("text")), ("ok", "2"));
    assert!(!answer.headers.contains_key("x-secret") && answer.reason().is_empty(), "{answer:?}");
}

/// What a URL is used for is counted by nobody.
#[tokio::test]
async fn a_session_with_a_cap_presigns_nothing() {
    let upstream = Upstream::plain().await;
    let text = |text: &str| text.to_owned();
    let (method, bucket, key, region) = (text("GET"), text("bucket"), text("key"), text("us-east-1"));
    let wish = UrlWish { method, bucket, key, region, life_s: 60 };
    for caps in [
        Caps { requests: Some(5), ..Caps::default() },
        Caps { bytes: Some(5), ..Caps::default() },
        Caps { resources: Some(5), ..Caps::default() },
    ] {
        let world = Setup::on(&upstream.url()).caps(caps).gate().await;
        let denial = world.gate.presigner().presign(&wish).await.expect_err("refused");
        assert_eq!(denial.code, DenialCode::BudgetExceeded);
        assert_eq!(world.gate.counts().signed, 0);
    }
    let world = Setup::on(&upstream.url()).gate().await;
    assert!(world.gate.presigner().presign(&wish).await.is_ok());
}

/// A body that is read for the decision is the one that was signed: no payload mode leaves it uncovered.
#[tokio::test]
async fn a_body_that_decides_is_never_an_event_stream() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).actions(&["s3:*", "dynamodb:*"]).gate().await;
    let events = Payload::Literal("STREAMING-AWS4-HMAC-SHA256-EVENTS");
    let json = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", "DynamoDB_20120810.PutItem")];
    let put = Sign::with(&world).service("dynamodb").payload(events.clone());
    let delete = Sign::with(&world).payload(events);
    let keys = b"<Delete><Object><Key>a</Key></Object></Delete>";
    for request in [
        put.request(Method::POST, "/", &json, br#"{"TableName":"t","Item":{}}"#),
        delete.request(Method::POST, "/bucket?delete", &[], keys),
    ] {
        let answer = ask(&world, request).await;
        assert_eq!(answer.status.as_u16() / 100, 4, "{answer:?}");
        assert!(answer.text().contains("STREAMING-AWS4-HMAC-SHA256-EVENTS"), "{}", answer.text());
    }
    assert!(upstream.seen().is_empty());
}

/// Authorities that were asked for and cannot be used are not left out in silence.
#[tokio::test]
async fn authorities_of_which_none_can_be_used_stop_requests() {
    let none = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let world = Setup::on("https://127.0.0.1:1").extra_roots(none).gate().await;
    let answer = crate::client::get(&world, "/bucket/key").await;
    assert!(answer.text().contains("none of the certificate authorities"), "{}", answer.text());
}
