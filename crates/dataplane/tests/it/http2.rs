//! HTTP/2 to the upstream: where it speaks nothing else, and where a request streams events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hallpass_core::clock::Clock;
use hallpass_core::sigv4::events::{Event, EventDecoder, EventSigner, KeyOfDay};
use hallpass_core::sigv4::{Scope, Signature, SigningKey};
use hallpass_dataplane::gate::Closed;
use hallpass_testkit::tls::acceptor;
use http::{Method, Version};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use tokio::task::JoinSet;

use crate::client::{Client, Payload, Sign, ask, built, get, put};
use crate::upstream::{Seen, Upstream};
use crate::world::{REAL_SECRET, Setup, World, eventually};

async fn speaking(protocols: &[&str]) -> (Upstream, Setup) {
    let (acceptor, authority) = acceptor(&["127.0.0.1"], protocols).expect("a far end");
    let upstream = Upstream::secure(acceptor).await;
    let setup = Setup::on(&upstream.url().replace("http:", "https:")).extra_roots(&authority);
    (upstream, setup)
}

fn versions(upstream: &Upstream) -> Vec<Version> {
    upstream.seen().iter().map(|seen: &Seen| seen.version).collect()
}

#[tokio::test]
async fn an_upstream_that_speaks_only_http2_gets_each_request_as_it_was_signed() {
    let (upstream, setup) = speaking(&["h2"]).await;
    let world = setup.gate().await;
    let body = vec![7; 300_000];
    let path = "/bucket/a/%E2%82%AC/b%20c?versionId=a%2Bb";
    let mut client = Client::connect(&world).await;
    for _ in 0..2 {
        let request = Sign::with(&world).request(Method::GET, path, &[], b"");
        assert_eq!(client.ask(request).await.text(), "ok");
    }
    assert_eq!(put(&world, "/bucket/key", &body).await.text(), "ok");
    let seen = upstream.seen();
    assert_eq!(versions(&upstream), [Version::HTTP_2; 3]);
    assert_eq!(seen[0].uri.path_and_query().map(|path| path.as_str()), Some(path));
    assert_eq!(seen[0].uri.authority().map(|host| host.as_str()), Some(upstream.address().to_string().as_str()));
    assert!(seen[0].header("authorization").contains("SignedHeaders=host;"), "{:?}", seen[0].headers);
    assert_eq!((seen[2].body.as_ref(), seen[2].whole), (body.as_slice(), true));
}

#[tokio::test]
async fn an_upstream_that_speaks_both_is_asked_in_the_version_that_costs_less() {
    let (upstream, setup) = speaking(&["h2", "http/1.1"]).await;
    let world = setup.gate().await;
    assert_eq!(get(&world, "/bucket/key").await.text(), "ok");
    assert_eq!(versions(&upstream), [Version::HTTP_11]);
}

/// Keys of the day for event streams of `service`.
fn keys(secret: &str, service: &'static str) -> KeyOfDay {
    let secret = secret.to_owned();
    Box::new(move |day| Some(Arc::new(SigningKey::derive(&secret, Scope::new(day, "us-east-1", service)?))))
}

fn signature(authorization: &str) -> Signature {
    let (_, hex) = authorization.rsplit_once("Signature=").expect("signed");
    Signature::parse(hex.as_bytes()).expect("a signature")
}

/// Sends a stream of these events, and gives the answer's text.
async fn converse(world: &World, payloads: &[&[u8]]) -> String {
    let path = "/bots/ABCDEFGHIJ/botAliases/TSTALIASID/botLocales/en_US/sessions/s1/conversation";
    let sign = Sign::with(world).service("lex").payload(Payload::Literal("STREAMING-AWS4-HMAC-SHA256-EVENTS"));
    let headers = sign.headers(&Method::POST, path, &[], b"");
    let seed = signature(headers["authorization"].to_str().expect("text"));
    let mut signer = EventSigner::new(keys(world.placeholder.secret_access_key.expose(), "lex"), seed);
    let mut body = Vec::new();
    for payload in payloads {
        let event = Event { payload: payload.to_vec() };
        body.extend(signer.encode(event, world.clock.now()).expect("signs"));
    }
    ask(world, built(Method::POST, path, headers, Full::new(Bytes::from(body)))).await.text()
}

#[tokio::test]
async fn a_request_that_streams_events_speaks_http2_where_the_upstream_does() {
    for (protocols, version) in [(["h2", "http/1.1"].as_slice(), Version::HTTP_2), (&["http/1.1"], Version::HTTP_11)] {
        let (upstream, setup) = speaking(protocols).await;
        let world = setup.actions(&["lex:*"]).gate().await;
        let payloads = [b"one".as_slice(), &[7; 5_000], b""];
        assert_eq!(converse(&world, &payloads).await, "ok");
        let seen = upstream.seen().remove(0);
        assert_eq!((seen.version, seen.whole), (version, true));
        let mut events = EventDecoder::new(keys(REAL_SECRET, "lex"), signature(seen.header("authorization")));
        let mut rest = seen.body.as_ref();
        for payload in payloads {
            assert_eq!(events.decode(&mut rest).expect("ours").expect("whole").payload, payload);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_cuts_an_upload_that_never_becomes_an_object() {
    let (upstream, setup) = speaking(&["h2"]).await;
    let world = setup.gate().await;
    let endless = StreamBody::new(futures_util::stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Some((Ok::<_, Infallible>(Frame::data(Bytes::from_static(&[7; 16 * 1024]))), ()))
    }));
    let sign = Sign::with(&world).payload(Payload::Unsigned);
    let headers = sign.headers(&Method::PUT, "/bucket/key", &[], b"");
    let mut request = built(Method::PUT, "/bucket/key", headers, endless.boxed());
    request.headers_mut().insert("content-length", (1_u64 << 40).to_string().parse().expect("a number"));
    let mut client = Client::connect(&world).await;
    let mut sending = JoinSet::new();
    sending.spawn(async move { client.begin(request).await.map(|answer| answer.status()) });
    eventually("the upload runs", || upstream.seen().first().is_some_and(|seen| seen.body.len() > 60_000)).await;
    world.gate.switch().refuse(Closed::Revoked);
    tokio::time::timeout(Duration::from_secs(5), sending.join_next()).await.expect("cut");
    tokio::time::sleep(Duration::from_millis(100)).await;
    let before = upstream.seen()[0].body.len();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!upstream.seen()[0].whole);
    assert_eq!(upstream.seen()[0].body.len(), before, "it still flows");
}
