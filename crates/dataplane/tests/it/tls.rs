//! TLS to the upstream: only to who can prove its name.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hallpass_testkit::tls::acceptor;
use tokio::io::AsyncWriteExt;

use crate::client::get;
use crate::upstream::Upstream;
use crate::world::Setup;

/// A server for `name`, its authority as PEM, and a count of the requests that it could read.
pub(crate) async fn server(name: &str) -> (Upstream, String, Arc<AtomicUsize>) {
    let (acceptor, authority) = acceptor(&[name], &["h2", "http/1.1"]).expect("a far end");
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    let upstream = Upstream::by_hand(move |_, socket| {
        let (acceptor, counted) = (acceptor.clone(), Arc::clone(&counted));
        async move {
            let Ok(mut stream) = acceptor.accept(socket).await else { return };
            assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"http/1.1".as_slice()));
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                match tokio::io::AsyncReadExt::read_u8(&mut stream).await {
                    Ok(byte) => head.push(byte),
                    Err(_) => return,
                }
            }
            counted.fetch_add(1, Ordering::SeqCst);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret").await;
            let _ = stream.shutdown().await;
        }
    })
    .await;
    (upstream, authority, requests)
}

#[tokio::test]
async fn an_upstream_with_a_known_authority_and_the_right_name_is_served() {
    let (upstream, authority, _) = server("127.0.0.1").await;
    let url = upstream.url().replace("http:", "https:");
    let world = Setup::on(&url).extra_roots(&authority).gate().await;
    assert_eq!(get(&world, "/bucket/key").await.text(), "secret");
}

#[tokio::test]
async fn an_upstream_of_an_unknown_authority_or_another_name_gets_no_request() {
    let (upstream, authority, requests) = server("127.0.0.1").await;
    let (misnamed, its_authority, its_requests) = server("s3.example.com").await;
    let (_, unrelated, _) = server("127.0.0.1").await;
    let https = |upstream: &Upstream| upstream.url().replace("http:", "https:");
    for setup in [
        Setup::on(&https(&upstream)),
        Setup::on(&https(&upstream)).extra_roots(&unrelated),
        Setup::on(&https(&misnamed)).extra_roots(&its_authority),
        Setup::on(&https(&misnamed)).extra_roots(&authority),
    ] {
        let world = setup.gate().await;
        let answer = get(&world, "/bucket/key").await;
        assert_eq!((answer.status.as_u16(), answer.reason()), (503, "upstream-unreachable"), "{answer:?}");
    }
    assert_eq!((requests.load(Ordering::SeqCst), its_requests.load(Ordering::SeqCst)), (0, 0));
}

#[tokio::test]
async fn where_tls_does_not_come_about_it_is_said_what_to_look_at() {
    let (unknown, _, _) = server("127.0.0.1").await;
    let plain = Upstream::plain().await;
    for (upstream, advice) in [(&unknown, "AWS_CA_BUNDLE"), (&plain, "http://")] {
        let world = Setup::on(&upstream.url().replace("http:", "https:")).gate().await;
        let answer = get(&world, "/bucket/key").await;
        assert!(answer.text().contains(advice), "{answer:?}");
    }
}
