//! Past every limit of the gate.

use std::sync::Arc;
use std::time::Duration;

use hallpass_core::limits::{
    BUFFERED_BODY_BYTES_MAX, EXPIRY_CHECK_MS_MAX, GATE_CONNECTIONS_MAX, LINGER_S_MAX, REQUEST_HEAD_BYTES_MAX,
    REQUEST_HEAD_TIMEOUT_S, REQUEST_HEADERS_MAX, UPSTREAM_CONNECT_TIMEOUT_S, UPSTREAM_ERROR_PEEK_BYTES_MAX,
};
use hallpass_dataplane::gate::Closed;
use http::{HeaderValue, Method};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::Instant;

use crate::client::{Client, Payload, Sign, ask, exchange, get, raw};
use crate::upstream::{Upstream, reply};
use crate::world::{Setup, eventually};

#[tokio::test]
async fn a_head_past_its_limit_is_refused() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let long = "x".repeat(REQUEST_HEAD_BYTES_MAX);
    let headers = Sign::with(&world).headers(&Method::GET, "/bucket/key", &[], b"");
    for more in [format!("x-long: {long}\r\n"), "x-n: y\r\n".repeat(REQUEST_HEADERS_MAX)] {
        let answer = exchange(world.gate.address(), &raw("GET", "/bucket/key", &headers, &more, b"")).await;
        assert!(answer.starts_with("HTTP/1.1 4") && answer.ends_with("<closed>"), "{answer}");
    }
    let many: Vec<String> = (0..REQUEST_HEADERS_MAX - 10).map(|n| format!("x-n{n}")).collect();
    let mut request = Sign::with(&world).request(Method::GET, "/bucket/key", &[], b"");
    for name in &many {
        request.headers_mut().insert(http::HeaderName::try_from(name).expect("a name"), HeaderValue::from(1));
    }
    assert_eq!(ask(&world, request).await.status, 200, "within the limit");
    let token = "t".repeat(REQUEST_HEAD_BYTES_MAX / 4);
    let request = Sign::with(&world).request(Method::GET, "/bucket/key", &[("x-amz-meta-long", &token)], b"");
    assert_eq!(ask(&world, request).await.status, 200, "long session tokens must fit");
}

#[tokio::test]
async fn a_body_that_must_be_read_may_not_be_larger_than_its_limit() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let headers = Sign::with(&world).service("sqs").headers(&Method::POST, "/", &form, b"");
    let length = format!("content-length: {}\r\n", BUFFERED_BODY_BYTES_MAX + 1);
    let answer = exchange(world.gate.address(), &raw("POST", "/", &headers, &length, b"")).await;
    assert!(answer.contains("x-hallpass-reason: too-large"), "{answer}");
    let mut chunks = Vec::new();
    for _ in 0..=BUFFERED_BODY_BYTES_MAX / 0x0010_0000 {
        chunks.extend_from_slice(b"100000\r\n");
        chunks.resize(chunks.len() + 0x0010_0000, b'x');
        chunks.extend_from_slice(b"\r\n");
    }
    let chunked = raw("POST", "/", &headers, "transfer-encoding: chunked\r\n", &chunks);
    let answer = exchange(world.gate.address(), &chunked).await;
    assert!(answer.contains("x-hallpass-reason: too-large"), "{answer}");
    assert!(upstream.seen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_come_is_waited_for_no_longer_than_its_limit() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let begun = Instant::now();
    let mut socket = TcpStream::connect(world.gate.address()).await.expect("connects");
    socket.write_all(b"GET /bucket/key HTTP/1.1\r\nhost: ").await.expect("sent");
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer).await;
    let took = begun.elapsed().as_secs();
    assert!((REQUEST_HEAD_TIMEOUT_S..REQUEST_HEAD_TIMEOUT_S + LINGER_S_MAX + 2).contains(&took), "{took} s");
}

#[tokio::test(start_paused = true)]
async fn a_refused_child_that_never_closes_is_let_go_after_the_limit() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let mut socket = TcpStream::connect(world.gate.address()).await.expect("connects");
    socket.set_nodelay(true).expect("each byte is sent at once");
    let head = raw("PUT", "/bucket/key", &http::HeaderMap::new(), "content-length: 1000000\r\n", b"");
    socket.write_all(&head).await.expect("sent");
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.expect("a refusal, then the end");
    assert!(answer.starts_with(b"HTTP/1.1 403"), "{}", String::from_utf8_lossy(&answer));
    let begun = Instant::now();
    while socket.write_all(b"x").await.is_ok() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let took = begun.elapsed().as_secs();
    assert!((LINGER_S_MAX - 2..=LINGER_S_MAX + 3).contains(&took), "{took} s");
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_does_not_accept_is_given_up_after_the_limit() {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("binds");
    let deaf = socket.listen(1).expect("listens");
    let address = deaf.local_addr().expect("an address");
    // Fills the queue, so that further connections hang.
    let mut waiting = Vec::new();
    while let Ok(Ok(queued)) = tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(address)).await {
        waiting.push(queued);
        assert!(waiting.len() < 64, "the queue does not fill");
    }
    let world = Setup::on(&format!("http://{address}")).gate().await;
    let begun = Instant::now();
    let answer = get(&world, "/bucket/key").await;
    assert_eq!(answer.reason(), "upstream-unreachable", "{answer:?}");
    let took = begun.elapsed().as_secs();
    assert!((UPSTREAM_CONNECT_TIMEOUT_S..=UPSTREAM_CONNECT_TIMEOUT_S + 1).contains(&took), "{took} s");
}

#[tokio::test]
async fn one_connection_too_many_is_closed_and_the_others_are_served() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).expect("more files");
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let mut open = Vec::new();
    for _ in 0..GATE_CONNECTIONS_MAX {
        open.push(TcpStream::connect(world.gate.address()).await.expect("connects"));
    }
    let mut refused = TcpStream::connect(world.gate.address()).await.expect("connects");
    let closed = tokio::time::timeout(Duration::from_secs(5), refused.read(&mut [0; 1])).await.expect("closed");
    assert!(matches!(closed, Ok(0) | Err(_)), "{closed:?}");
    open.truncate(GATE_CONNECTIONS_MAX - 1);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(get(&world, "/bucket/key").await.status, 200);
}

#[tokio::test]
async fn an_error_longer_than_what_is_read_ahead_arrives_whole() {
    let body = "x".repeat(4 * UPSTREAM_ERROR_PEEK_BYTES_MAX + 1);
    let answered = body.clone();
    let upstream = Upstream::answering(move |_| reply(400, &[], answered.clone())).await;
    let world = Setup::on(&upstream.url()).gate().await;
    assert_eq!(get(&world, "/bucket/key").await.text(), body);
}

#[tokio::test]
async fn a_clock_that_is_set_takes_effect_within_the_limit() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let switch = world.gate.switch();
    world.clock.advance_s(3_600);
    let begun = Instant::now();
    eventually("expiry", || switch.closed() == Some(Closed::Expired)).await;
    assert!(begun.elapsed() < Duration::from_millis(EXPIRY_CHECK_MS_MAX) + Duration::from_secs(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_connections_are_served_at_once() {
    let upstream = Upstream::plain().await;
    let world = Arc::new(Setup::on(&upstream.url()).gate().await);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..64 {
        let world = Arc::clone(&world);
        tasks.spawn(async move {
            let mut client = Client::connect(&world).await;
            for turn in 0..20 {
                let path = format!("/bucket/{number}-{turn}");
                let sign = Sign::with(&world).payload(if turn % 2 == 0 { Payload::Hash } else { Payload::Unsigned });
                let answer = client.ask(sign.request(Method::PUT, &path, &[], path.as_bytes())).await;
                assert_eq!(answer.status, 200, "{answer:?}");
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no panic");
    }
    let seen = upstream.seen();
    assert_eq!(seen.len(), 64 * 20);
    assert!(seen.iter().all(|one| one.uri.path().as_bytes() == one.body), "no body under another's name");
    assert_eq!(world.gate.counts().signed, 64 * 20);
}
