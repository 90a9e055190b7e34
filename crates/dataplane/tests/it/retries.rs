//! An upstream that dies at each point of a request: what was not sent may go again, what was sent never does, and
//! nothing of ours invites a retry of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hallpass_core::limits::UPSTREAM_IDLE_S_MAX;
use http::{HeaderMap, HeaderValue, Method};
use http_body_util::Full;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Client, Payload, Sign, ask, built, exchange, raw};
use crate::faults::read_head;
use crate::upstream::Upstream;
use crate::world::{Setup, World};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
/// Statuses that every SDK takes for "send it again".
const RETRIED: [u16; 5] = [429, 500, 502, 503, 504];

/// Where an upstream dies, if it answers a whole first request before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dies {
    AtOnce,
    WithinTheHead,
    AfterTheHead,
    WithinTheBody,
    AfterTheBody,
    WithinTheAnswersHead,
}

const EVERYWHERE: [Dies; 6] = [
    Dies::AtOnce,
    Dies::WithinTheHead,
    Dies::AfterTheHead,
    Dies::WithinTheBody,
    Dies::AfterTheBody,
    Dies::WithinTheAnswersHead,
];

const BODY: usize = 256 * 1024;

async fn die(at: Dies, socket: &mut TcpStream) {
    match at {
        Dies::AtOnce => {}
        Dies::WithinTheHead => drop(socket.read_u8().await),
        Dies::AfterTheHead => drop(read_head(socket).await),
        Dies::WithinTheBody => {
            read_head(socket).await;
            let _ = socket.read_exact(&mut vec![0; BODY / 2]).await;
        }
        Dies::AfterTheBody | Dies::WithinTheAnswersHead => {
            read_head(socket).await;
            let _ = socket.read_exact(&mut vec![0; BODY]).await;
        }
    }
    if at == Dies::WithinTheAnswersHead {
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-le").await;
    }
}

/// Dies on its first connection; every later one counts the heads that it gets, and answers them.
async fn mortal(at: Dies) -> (Upstream, Arc<AtomicUsize>) {
    let again = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&again);
    let upstream = Upstream::by_hand(move |number, mut socket| {
        let again = Arc::clone(&counted);
        async move {
            if number == 0 {
                return die(at, &mut socket).await;
            }
            while read_head(&mut socket).await {
                again.fetch_add(1, Ordering::SeqCst);
                let _ = socket.write_all(OK).await;
            }
        }
    })
    .await;
    (upstream, again)
}

fn upload(world: &World, payload: Payload) -> (HeaderMap, Vec<u8>) {
    let body = vec![7; BODY];
    let mut headers = Sign::with(world).payload(payload).headers(&Method::PUT, "/bucket/key", &[], &body);
    headers.insert("content-length", HeaderValue::from(BODY));
    (headers, body)
}

#[tokio::test]
async fn an_upload_whose_upstream_dies_is_never_sent_twice_and_nothing_invites_a_retry() {
    for at in EVERYWHERE {
        for payload in [Payload::Hash, Payload::Unsigned] {
            let (upstream, again) = mortal(at).await;
            let world = Setup::on(&upstream.url()).gate().await;
            let (headers, body) = upload(&world, payload);
            let request = built(Method::PUT, "/bucket/key", headers, Full::new(Bytes::from(body)));
            let answer = ask(&world, request).await;
            let told = (answer.status.as_u16(), answer.reason());
            if at == Dies::AtOnce && told.1 == "upstream-unreachable" {
                assert!(told.0 == 503 && again.load(Ordering::SeqCst) == 0, "{at:?}: {answer:?}");
                continue;
            }
            assert_eq!(told, (400, "outcome-unknown"), "{at:?}: {}", answer.text());
            assert!(!RETRIED.contains(&told.0) && answer.text().contains("may have been carried out"), "{at:?}");
            assert_eq!(again.load(Ordering::SeqCst), 0, "{at:?}: sent twice");
            assert_eq!((world.gate.counts().signed, world.log.allowed()), (1, 1), "{at:?}");
            let settled = world.log.settles(1).await;
            assert!(settled[0].4.as_deref().is_some_and(|fault| fault.contains("broke")), "{at:?}: {settled:?}");
        }
    }
}

#[tokio::test]
async fn a_buffered_call_whose_upstream_dies_is_never_sent_twice_either() {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = b"Action=SendMessage&Version=2012-11-05&QueueUrl=https%3A%2F%2Fsqs.us-east-1.amazonaws.com%2F123456789012%2Fq&MessageBody=hi";
    for at in [Dies::WithinTheHead, Dies::AfterTheHead] {
        let (upstream, again) = mortal(at).await;
        let world = Setup::on(&upstream.url()).gate().await;
        let answer = ask(&world, Sign::with(&world).service("sqs").request(Method::POST, "/", &form, body)).await;
        assert_eq!((answer.status.as_u16(), answer.reason()), (400, "outcome-unknown"), "{at:?}: {}", answer.text());
        assert_eq!(again.load(Ordering::SeqCst), 0, "{at:?}");
    }
}

/// What the child sees is what happened: its SDK's own rule decides, and no answer was made up.
#[tokio::test]
async fn a_read_whose_upstream_dies_is_broken_off_without_an_answer() {
    for at in [Dies::WithinTheHead, Dies::AfterTheHead] {
        for method in [Method::GET, Method::HEAD] {
            let (upstream, again) = mortal(at).await;
            let world = Setup::on(&upstream.url()).gate().await;
            let headers = Sign::with(&world).headers(&method, "/bucket/key", &[], b"");
            let answer = exchange(world.gate.address(), &raw(method.as_str(), "/bucket/key", &headers, "", b"")).await;
            assert_eq!(answer, "", "{at:?} {method}");
            assert_eq!(again.load(Ordering::SeqCst), 0, "{at:?} {method}");
            assert_eq!(world.log.settles(1).await[0].4.as_deref(), Some("the upstream broke the connection"));
        }
    }
}

/// The connection was closed while it was idle: not a byte of the next request had been sent on it.
#[tokio::test]
async fn a_request_of_which_nothing_was_sent_goes_on_a_new_connection() {
    let upstream = Upstream::by_hand(|_, mut socket| async move {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let Ok(byte) = socket.read_u8().await else { return };
            head.push(byte);
        }
        let _ = socket.read_exact(&mut [0; 4]).await;
        let _ = socket.write_all(OK).await;
    })
    .await;
    let world = Setup::on(&upstream.url()).gate().await;
    let mut client = Client::connect(&world).await;
    for _ in 0..5 {
        let answer = client.ask(Sign::with(&world).request(Method::PUT, "/bucket/key", &[], b"body")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    assert_eq!(world.gate.counts().signed, 5);
}

#[tokio::test]
async fn a_connection_that_was_idle_past_the_limit_is_not_used_again() {
    let connections = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&connections);
    let upstream = Upstream::by_hand(move |_, socket| {
        counted.fetch_add(1, Ordering::SeqCst);
        crate::faults::answer_all(socket)
    })
    .await;
    let world = Setup::on(&upstream.url()).gate().await;
    let mut client = Client::connect(&world).await;
    let get = || Sign::with(&world).request(Method::GET, "/bucket/key", &[], b"");
    for (idle_s, expected) in [(0, 1), (UPSTREAM_IDLE_S_MAX - 1, 1), (UPSTREAM_IDLE_S_MAX + 1, 2)] {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(idle_s)).await;
        tokio::time::resume();
        assert_eq!(client.ask(get()).await.status, 200);
        assert_eq!(connections.load(Ordering::SeqCst), expected, "after {idle_s} s");
    }
}

#[tokio::test]
async fn a_redirect_is_told_and_never_followed() {
    let elsewhere = Upstream::plain().await;
    let to = format!("{}/bucket/key", elsewhere.url());
    let upstream = Upstream::answering(move |_| {
        let headers = [("location", to.as_str()), ("x-amz-bucket-region", "eu-west-1")];
        crate::upstream::reply(307, &headers, "<Error><Code>TemporaryRedirect</Code></Error>")
    })
    .await;
    let world = Setup::on(&upstream.url()).gate().await;
    for method in [Method::GET, Method::PUT] {
        let answer = ask(&world, Sign::with(&world).request(method.clone(), "/bucket/key", &[], b"")).await;
        assert_eq!(answer.status, 307, "{method}");
        assert_eq!(answer.headers["x-amz-bucket-region"], "eu-west-1");
    }
    assert!(elsewhere.seen().is_empty());
    assert_eq!(upstream.seen().len(), 2);
}

#[tokio::test]
async fn ranges_and_conditions_pass_in_both_directions() {
    let upstream = Upstream::answering(|seen| {
        if seen.header("if-none-match") == "\"e\"" {
            return crate::upstream::reply(304, &[("etag", "\"e\"")], "");
        }
        let headers = [("content-range", "bytes 2-4/10"), ("accept-ranges", "bytes"), ("etag", "\"e\"")];
        crate::upstream::reply(206, &headers, "234")
    })
    .await;
    let world = Setup::on(&upstream.url()).gate().await;
    let range = [("range", "bytes=2-4"), ("if-match", "\"e\""), ("if-range", "\"e\"")];
    let answer = ask(&world, Sign::with(&world).request(Method::GET, "/bucket/key", &range, b"")).await;
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (206, "234"));
    assert_eq!(answer.headers["content-range"], "bytes 2-4/10");
    let seen = upstream.seen().pop().expect("seen");
    assert_eq!(
        (seen.header("range"), seen.header("if-match"), seen.header("if-range")),
        ("bytes=2-4", "\"e\"", "\"e\"")
    );
    for write in [("if-none-match", "*"), ("if-match", "\"e\"")] {
        ask(&world, Sign::with(&world).request(Method::PUT, "/bucket/key", &[write], b"")).await;
        assert_eq!(upstream.seen().pop().expect("seen").header(write.0), write.1);
    }
    let fresh = [("if-none-match", "\"e\"")];
    let answer = ask(&world, Sign::with(&world).request(Method::GET, "/bucket/key", &fresh, b"")).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (304, 0));
}
