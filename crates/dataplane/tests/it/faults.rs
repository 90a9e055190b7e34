//! Upstreams that misbehave.

use std::time::Duration;

use http::Method;
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::client::{Client, Sign, get, put};
use crate::upstream::Upstream;
use crate::world::Setup;

/// Reads the head of one request; false at the end.
pub(crate) async fn read_head(socket: &mut TcpStream) -> bool {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match socket.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return false,
        }
    }
    true
}

pub(crate) async fn answer_all(mut socket: TcpStream) {
    while read_head(&mut socket).await {
        if socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn an_upstream_that_closes_idle_connections_costs_no_request() {
    let upstream = Upstream::by_hand(|_, mut socket| async move {
        if read_head(&mut socket).await {
            let _ = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
        }
    })
    .await;
    let world = Setup::on(&upstream.url()).gate().await;
    let mut client = Client::connect(&world).await;
    for _ in 0..10 {
        let answer = client.ask(Sign::with(&world).request(Method::GET, "/bucket/key", &[], b"")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    let settled = world.log.settles(10).await;
    assert!(settled.iter().all(|(_, status, .., fault)| *status == Some(200) && fault.is_none()), "{settled:?}");
}

#[tokio::test]
async fn an_upstream_that_refuses_connections_is_a_503_that_is_settled() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let world = Setup::on(&format!("http://{address}")).gate().await;
    let answer = get(&world, "/bucket/key").await;
    assert_eq!((answer.status.as_u16(), answer.reason()), (503, "upstream-unreachable"), "{}", answer.text());
    let settled = world.log.settles(1).await;
    assert_eq!(settled[0].1, None);
    assert!(settled[0].4.as_deref().is_some_and(|fault| fault.contains("not to be reached")), "{settled:?}");
    assert!(world.log.denied().is_empty(), "it was allowed, so it is not recorded as denied");
}

#[tokio::test]
async fn a_truncated_answer_never_looks_complete() {
    for head in ["content-length: 100\r\n\r\n0123456789", "transfer-encoding: chunked\r\n\r\na\r\n0123456789\r\n"] {
        let upstream = Upstream::by_hand(move |_, mut socket| async move {
            read_head(&mut socket).await;
            let _ = socket.write_all(format!("HTTP/1.1 200 OK\r\n{head}").as_bytes()).await;
        })
        .await;
        let world = Setup::on(&upstream.url()).gate().await;
        let mut client = Client::connect(&world).await;
        let request = Sign::with(&world).request(Method::GET, "/bucket/key", &[], b"");
        let body = match client.begin(request).await {
            Ok(response) => response.into_body().collect().await.map(|_| ()),
            Err(error) => Err(error),
        };
        assert!(body.is_err(), "{head:?}");
        let settled = world.log.settles(1).await;
        assert!(settled[0].4.as_deref().is_some_and(|fault| fault.contains("broke off")), "{settled:?}");
    }
}

#[tokio::test]
async fn a_slow_upstream_is_waited_for() {
    let upstream = Upstream::by_hand(|_, mut socket| async move {
        read_head(&mut socket).await;
        for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok" {
            tokio::time::sleep(Duration::from_millis(3)).await;
            if socket.write_all(&[*byte]).await.is_err() {
                return;
            }
        }
    })
    .await;
    let world = Setup::on(&upstream.url()).gate().await;
    assert_eq!(get(&world, "/bucket/key").await.text(), "ok");
}

#[tokio::test]
async fn an_upstream_that_wants_another_protocol_is_not_tunnelled() {
    let upstream = Upstream::by_hand(|_, mut socket| async move {
        read_head(&mut socket).await;
        let _ =
            socket.write_all(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n").await;
        let _ = socket.read_u8().await;
    })
    .await;
    let world = Setup::on(&upstream.url()).gate().await;
    let answer = put(&world, "/bucket/key", b"").await;
    assert_eq!((answer.status.as_u16(), answer.reason()), (400, "outcome-unknown"), "{}", answer.text());
}
