//! `Expect: 100-continue`, end to end: a body that is refused anywhere is not sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hallpass_core::limits::{EXPECT_CONTINUE_BYTES_MIN, EXPECT_CONTINUE_WAIT_MS_MAX};
use http::{HeaderMap, HeaderValue, Method};
use http_body_util::Full;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Client, Payload, Sign, ask, built, exchange, raw};
use crate::upstream::Upstream;
use crate::world::{Setup, World};

const LARGE: usize = EXPECT_CONTINUE_BYTES_MIN as usize;
const REFUSAL: &[u8] = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 34\r\n\r\n<Error><Code>Nope</Code>...</Error>";

async fn head(socket: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match socket.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&head).to_lowercase()
}

fn plain_put(world: &World, bytes: usize) -> HeaderMap {
    let mut headers = Sign::with(world).payload(Payload::Unsigned).headers(&Method::PUT, "/bucket/key", &[], b"");
    headers.insert("content-length", HeaderValue::from(bytes));
    headers
}

fn put(world: &World, bytes: usize) -> http::Request<Full<Bytes>> {
    built(Method::PUT, "/bucket/key", plain_put(world, bytes), Full::new(Bytes::from(vec![7; bytes])))
}

/// Refuses every upload by its head, and counts the bytes of bodies that come all the same.
async fn refusing(bodies: &Arc<AtomicUsize>) -> Upstream {
    let bodies = Arc::clone(bodies);
    Upstream::by_hand(move |_, mut socket| {
        let bodies = Arc::clone(&bodies);
        async move {
            head(&mut socket).await;
            let _ = socket.write_all(REFUSAL).await;
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(read @ 1..) = socket.read(&mut buffer).await {
                bodies.fetch_add(read, Ordering::SeqCst);
            }
        }
    })
    .await
}

#[tokio::test]
async fn an_upload_that_the_upstream_refuses_by_its_head_is_not_sent() {
    let bodies = Arc::<AtomicUsize>::default();
    let upstream = refusing(&bodies).await;
    let world = Setup::on(&upstream.url()).gate().await;
    let answer = ask(&world, put(&world, 4 * LARGE)).await;
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("<Code>Nope</Code>"), "{answer:?}");
    assert_eq!(answer.headers["connection"], "close", "its body is not read, so nothing can follow it");
    let settled = world.log.settles(1).await;
    assert_eq!((settled[0].1, settled[0].2, settled[0].4.as_deref()), (Some(403), 0, None));
    assert_eq!(bodies.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_child_that_waits_hears_the_upstreams_refusal_and_is_never_invited() {
    let bodies = Arc::<AtomicUsize>::default();
    let upstream = refusing(&bodies).await;
    let world = Setup::on(&upstream.url()).gate().await;
    let headers = plain_put(&world, LARGE);
    let answer =
        exchange(world.gate.address(), &raw("PUT", "/bucket/key", &headers, "expect: 100-continue\r\n", b"")).await;
    assert!(answer.starts_with("HTTP/1.1 403") && answer.ends_with("<closed>"), "{answer}");
    assert_eq!(bodies.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_child_is_invited_when_the_upstream_has_invited_us_and_its_body_arrives() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let mut socket = TcpStream::connect(world.gate.address()).await.expect("connects");
    let headers = plain_put(&world, LARGE);
    socket.write_all(&raw("PUT", "/bucket/key", &headers, "expect: 100-continue\r\n", b"")).await.expect("sent");
    assert!(head(&mut socket).await.starts_with("http/1.1 100 continue"));
    socket.write_all(&vec![7; LARGE]).await.expect("sent");
    assert!(head(&mut socket).await.starts_with("http/1.1 200"));
    let seen = upstream.seen().pop().expect("seen");
    assert!(seen.whole && seen.body.len() == LARGE && seen.header("expect") == "100-continue");
}

#[tokio::test]
async fn a_small_body_is_not_announced() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    for (bytes, announced) in [(LARGE - 1, ""), (LARGE, "100-continue")] {
        assert_eq!(ask(&world, put(&world, bytes)).await.status, 200);
        assert_eq!(upstream.seen().pop().expect("seen").header("expect"), announced, "{bytes}");
    }
}

/// Reads heads and bodies of [`LARGE`] bytes, says nothing in between, and answers.
#[tokio::test]
async fn an_upstream_that_never_invites_gets_the_body_and_is_not_waited_for_again() {
    let upstream = Upstream::by_hand(|_, mut socket| async move {
        let mut body = vec![0; LARGE];
        for first in [true, false] {
            let head = head(&mut socket).await;
            let answer = match (head.contains("expect: 100-continue") == first, socket.read_exact(&mut body).await) {
                (true, Ok(_)) => "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
                _ => "HTTP/1.1 418 Teapot\r\ncontent-length: 0\r\n\r\n",
            };
            let _ = socket.write_all(answer.as_bytes()).await;
        }
    })
    .await;
    let world = Setup::on(&upstream.url()).gate().await;
    let mut client = Client::connect(&world).await;
    let begun = tokio::time::Instant::now();
    assert_eq!(client.ask(put(&world, LARGE)).await.status, 200);
    assert!(begun.elapsed() >= Duration::from_millis(EXPECT_CONTINUE_WAIT_MS_MAX));
    assert_eq!(client.ask(put(&world, LARGE)).await.status, 200);
}

/// Refuses every `Expect`, as some stores and proxies do, and counts the requests.
async fn without_expectations(asked: &Arc<AtomicUsize>) -> Upstream {
    let asked = Arc::clone(asked);
    Upstream::by_hand(move |_, mut socket| {
        let asked = Arc::clone(&asked);
        async move {
            let mut body = vec![0; LARGE];
            loop {
                let head = head(&mut socket).await;
                if head.is_empty() {
                    return;
                }
                asked.fetch_add(1, Ordering::SeqCst);
                let answer: &[u8] = match head.contains("expect:") {
                    true => b"HTTP/1.1 417 Expectation Failed\r\ncontent-length: 2\r\n\r\nno",
                    false if socket.read_exact(&mut body).await.is_ok() => {
                        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
                    }
                    false => return,
                };
                if socket.write_all(answer).await.is_err() {
                    return;
                }
            }
        }
    })
    .await
}

#[tokio::test]
async fn an_upload_whose_announcement_is_refused_is_sent_unannounced_once_and_so_are_the_next() {
    let asked = Arc::<AtomicUsize>::default();
    let upstream = without_expectations(&asked).await;
    let world = Setup::on(&upstream.url()).gate().await;
    let mut client = Client::connect(&world).await;
    for requests in [2, 3] {
        assert_eq!(client.ask(put(&world, LARGE)).await.status, 200);
        assert_eq!(asked.load(Ordering::SeqCst), requests, "the upstream is remembered");
    }
    let settled = world.log.settles(2).await;
    assert!(settled.iter().all(|(_, status, up, ..)| (*status, *up) == (Some(200), LARGE as u64)), "{settled:?}");
    assert_eq!((world.gate.counts().allowed, world.gate.counts().signed), (2, 2), "one signature for each entry");
}

#[tokio::test]
async fn a_417_that_comes_after_the_body_is_passed_on_and_nothing_is_sent_again() {
    let asked = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&asked);
    let upstream = Upstream::by_hand(move |_, mut socket| {
        let asked = Arc::clone(&counted);
        async move {
            let mut body = vec![0; LARGE];
            while !head(&mut socket).await.is_empty() {
                asked.fetch_add(1, Ordering::SeqCst);
                let _ = socket.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await;
                if socket.read_exact(&mut body).await.is_err() {
                    return;
                }
                let _ = socket.write_all(b"HTTP/1.1 417 Expectation Failed\r\ncontent-length: 0\r\n\r\n").await;
            }
        }
    })
    .await;
    let world = Setup::on(&upstream.url()).gate().await;
    assert_eq!(ask(&world, put(&world, LARGE)).await.status, 417);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}
