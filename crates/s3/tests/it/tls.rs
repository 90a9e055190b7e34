//! TLS to the store, and through a proxy: only to who can prove its name.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use hallpass_s3::client::proxy::Proxy;
use hallpass_s3::client::{GetOptions, ObjectId, Payload, PutOptions};
use hallpass_s3::error::ErrorKind;
use hallpass_testkit::tls::acceptor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::chaos::{Act, Seen, serve};
use crate::world::{Keys, client_with, options};

/// The name of a [`Sealed`] store that only a proxy knows the way to.
const FAR: &str = "store.invalid";

/// A store for `127.0.0.1` and [`FAR`] behind TLS, which remembers what it gets.
struct Sealed {
    address: SocketAddr,
    authority: Vec<u8>,
    seen: Arc<Mutex<Vec<Seen>>>,
    _tasks: JoinSet<()>,
}

async fn sealed() -> Sealed {
    let (acceptor, authority) = acceptor(&["127.0.0.1", FAR], &[]).expect("a far end");
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let seen = Arc::<Mutex<Vec<Seen>>>::default();
    let shared = Arc::clone(&seen);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut served = JoinSet::new();
        while let Ok((socket, _)) = listener.accept().await {
            let (acceptor, seen) = (acceptor.clone(), Arc::clone(&shared));
            served.spawn(async move {
                let Ok(stream) = acceptor.accept(socket).await else { return };
                let serving = serve(stream, |request| {
                    seen.lock().expect("no panic").push(request.clone());
                    Act::Answer(200, "etag: \"e\"\r\n".into(), b"sealed".to_vec())
                });
                drop(serving.await);
            });
        }
    });
    Sealed { address, authority: authority.into_bytes(), seen, _tasks: tasks }
}

fn at() -> ObjectId {
    ObjectId::new("bucket", "key")
}

#[tokio::test]
async fn a_store_behind_tls_gets_an_unsigned_payload_and_a_signed_checksum() {
    let store = sealed().await;
    let mut known = options();
    known.extra_roots = Some(store.authority.clone());
    let client = client_with(&format!("https://{}", store.address), Keys::session(0), known);
    client.put(&at(), Payload::bytes("alpha"), &PutOptions::default()).await.expect("written");
    let seen = store.seen.lock().expect("no panic")[0].clone();
    assert_eq!(seen.header("x-amz-content-sha256"), "UNSIGNED-PAYLOAD");
    let signed = seen.header("authorization").split("SignedHeaders=").nth(1).expect("signed").to_owned();
    assert!(signed.contains("x-amz-checksum-crc32") && signed.contains("x-amz-security-token"), "{signed}");
    let got = client.get(&at(), &GetOptions::default()).await.expect("there");
    assert_eq!(got.body.collect(10).await.expect("whole"), "sealed");
}

#[tokio::test]
async fn a_store_that_cannot_prove_its_name_gets_no_request() {
    let store = sealed().await;
    let stranger = client_with(&format!("https://{}", store.address), Keys::fixed(), options());
    let mut known = options();
    (known.extra_roots, known.attempts) = (Some(store.authority.clone()), 1);
    let elsewhere = client_with(&format!("https://localhost:{}", store.address.port()), Keys::fixed(), known);
    for client in [stranger, elsewhere] {
        let error = client.get(&at(), &GetOptions::default()).await.expect_err("refused");
        assert_eq!((error.kind(), error.code()), (ErrorKind::Network, "connect"));
    }
    assert!(store.seen.lock().expect("no panic").is_empty());
}

/// Answers `status` to CONNECT, and lets bytes through for 200.
async fn proxy(status: &'static str) -> (SocketAddr, Arc<Mutex<Vec<String>>>, JoinSet<()>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let shared = Arc::clone(&asked);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(socket.read_u8().await.expect("a head"));
            }
            let head = String::from_utf8(head).expect("text");
            shared.lock().expect("no panic").push(head.clone());
            socket.write_all(format!("HTTP/1.1 {status}\r\nserver: p\r\n\r\n").as_bytes()).await.expect("sent");
            if status.starts_with('2') {
                let to = head.split(' ').nth(1).and_then(|to| to.rsplit_once(':')).expect("a target").1;
                let to = (std::net::Ipv4Addr::LOCALHOST, to.parse().expect("a port"));
                let mut store = TcpStream::connect(to).await.expect("reached");
                drop(tokio::io::copy_bidirectional(&mut socket, &mut store).await);
            }
        }
    });
    (address, asked, tasks)
}

#[tokio::test]
async fn https_goes_through_the_proxy_sealed_and_past_it_where_no_proxy_says_so() {
    let store = sealed().await;
    let (address, asked, _tasks) = proxy("200 OK").await;
    let far = format!("{FAR}:{}", store.address.port());
    let with = |host: &str, no_proxy: Option<&str>| {
        let mut through = options();
        through.attempts = 1;
        through.extra_roots = Some(store.authority.clone());
        through.proxy = Proxy::new(Some(&format!("http://user:pa%20ss@{address}")), no_proxy).expect("legal");
        client_with(&format!("https://{host}"), Keys::fixed(), through)
    };
    with(&far, None).get(&at(), &GetOptions::default()).await.expect("there");
    let head = asked.lock().expect("no panic")[0].clone();
    assert!(head.starts_with(&format!("CONNECT {far} HTTP/1.1\r\n")), "{head}");
    assert!(head.contains("Proxy-Authorization: Basic dXNlcjpwYSBzcw=="), "{head}");
    assert!(!head.contains("authorization: AWS4"), "{head}");
    with(&store.address.to_string(), None).get(&at(), &GetOptions::default()).await.expect("there, on this machine");
    with(&far, Some("invalid")).get(&at(), &GetOptions::default()).await.expect_err("nobody knows the way");
    assert_eq!(asked.lock().expect("no panic").len(), 1);
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_and_its_password_is_not() {
    let (address, _asked, _tasks) = proxy("407 Proxy Authentication Required").await;
    let mut through = options();
    through.attempts = 1;
    through.proxy = Proxy::new(Some(&format!("http://user:hunter2@{address}")), None).expect("legal");
    let client = client_with("https://s3.us-east-1.amazonaws.com", Keys::fixed(), through);
    let error = client.list_buckets().await.expect_err("refused").to_string();
    assert!(error.contains("407") && error.contains(&address.to_string()) && !error.contains("hunter2"), "{error}");
}
