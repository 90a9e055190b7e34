//! Every place of a signature × every payload mode × every way in: whoever does not hold the session's key, with a
//! wrong, missing or foreign signature, is refused before anything is routed.

use std::time::Duration;

use bytes::Bytes;
use hallpass_dataplane::gate::Passthrough;
use http::{HeaderMap, Method, Request};
use http_body_util::Full;

use crate::client::{Answer, Payload, Sign, ask, built};
use crate::tunnel::{S3, Tunnel, sign_for};
use crate::upstream::Upstream;
use crate::world::{Setup, World};

const HASH: &str = "230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5";

const MODES: [Payload; 7] = [
    Payload::Hash,
    Payload::Unsigned,
    Payload::Literal(HASH),
    Payload::Literal("STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
    Payload::Literal("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
    Payload::Literal("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"),
    Payload::Silent,
];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Header,
    Query,
}

#[derive(Debug, Clone, Copy)]
enum Way {
    Endpoint,
    Prefix,
    BucketHost,
    Tunnel,
    VirtualHost,
}

const WAYS: [Way; 5] = [Way::Endpoint, Way::Prefix, Way::BucketHost, Way::Tunnel, Way::VirtualHost];
const ROUTES: [(Method, &str); 4] =
    [(Method::GET, "/key"), (Method::PUT, "/key"), (Method::POST, "/?delete"), (Method::GET, "/?list-type=2")];

#[derive(Debug, Clone, Copy)]
enum Flaw {
    None,
    Wrong,
    Missing,
    Foreign,
}

impl Way {
    /// The host, and the path of `rest` in the bucket.
    fn to(self, world: &World, rest: &str) -> (String, String) {
        let gate = world.gate.address();
        let (port, prefix) = (gate.port(), world.gate.service_endpoint_url());
        let prefix = prefix.expose().split_once(&gate.to_string()).expect("ours").1.to_owned();
        match self {
            Self::Endpoint => (gate.to_string(), format!("/bucket{rest}")),
            Self::Prefix => (gate.to_string(), format!("{prefix}/bucket{rest}")),
            Self::BucketHost => (format!("bucket.localhost:{port}"), rest.to_owned()),
            Self::Tunnel => (S3.to_owned(), format!("/bucket{rest}")),
            Self::VirtualHost => (format!("bucket.{S3}"), rest.to_owned()),
        }
    }

    async fn ask(self, world: &World, host: &str, request: Request<Full<Bytes>>) -> Answer {
        match self {
            Self::Endpoint | Self::Prefix | Self::BucketHost => ask(world, request).await,
            Self::Tunnel | Self::VirtualHost => {
                let proxy = world.gate.open_proxy(Passthrough::default()).expect("a proxy");
                Tunnel::to(world, &proxy, host).await.ask(request).await
            }
        }
    }
}

fn request(sign: &Sign, place: Place, flaw: Flaw, method: &Method, path: &str) -> Request<Full<Bytes>> {
    let body = if *method == Method::GET { "" } else { "body" };
    let (target, mut headers) = match place {
        Place::Header => (path.to_owned(), sign.headers(method, path, &[], body.as_bytes())),
        Place::Query => {
            let target = sign.presigned(method, path, &[], Duration::from_secs(60));
            (target, HeaderMap::from_iter([(http::header::HOST, sign.host.parse().expect("a host"))]))
        }
    };
    let target = match flaw {
        Flaw::Missing => {
            headers.remove("authorization");
            target.split("&X-Amz-Signature=").next().expect("a part").to_owned()
        }
        Flaw::None | Flaw::Wrong | Flaw::Foreign => target,
    };
    built(method.clone(), &target, headers, Full::from(body))
}

#[tokio::test]
async fn no_place_mode_way_or_route_lets_a_wrong_missing_or_foreign_signature_through() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let other = Setup::on(&upstream.url()).gate().await;
    let mut refused = 0;
    for (place, way, mode) in product() {
        for (method, rest) in ROUTES {
            for flaw in [Flaw::Wrong, Flaw::Missing, Flaw::Foreign] {
                let (host, path) = way.to(&world, rest);
                let mut sign = sign_for(if matches!(flaw, Flaw::Foreign) { &other } else { &world }, &host);
                if matches!(flaw, Flaw::Wrong) {
                    sign.secret = "not-the-secret-not-the-secret-not-the-se".into();
                }
                let request = request(&sign.payload(mode.clone()), place, flaw, &method, &path);
                let answer = way.ask(&world, &host, request).await;
                assert!(answer.status.is_client_error(), "{place:?} {way:?} {method} {rest} {flaw:?}: {answer:?}");
                let reasons = ["signature", "unsigned", "unknown-key", "malformed"];
                assert!(reasons.contains(&answer.reason()), "{place:?} {way:?} {method} {rest} {flaw:?}: {answer:?}");
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 2 * 5 * 7 * 4 * 3);
    assert!(upstream.seen().is_empty(), "something reached the upstream");
    assert_eq!((world.log.allowed(), world.gate.counts().signed), (0, 0));
}

#[tokio::test]
async fn the_right_signature_passes_in_every_place_and_by_every_way() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    for place in [Place::Header, Place::Query] {
        for way in WAYS {
            for (method, rest) in ROUTES.into_iter().filter(|(method, _)| *method != Method::POST) {
                let (host, path) = way.to(&world, rest);
                let request = request(&sign_for(&world, &host), place, Flaw::None, &method, &path);
                let answer = way.ask(&world, &host, request).await;
                assert_eq!(answer.status, 200, "{place:?} {way:?} {method} {rest}: {answer:?}");
            }
        }
    }
    let seen: Vec<String> = upstream.seen().iter().map(|one| one.uri.to_string()).collect();
    assert_eq!(seen.len(), 30);
    assert!(
        seen.iter().all(|uri| uri == "/bucket/key"
            || uri.trim_end_matches('=') == "/bucket?list-type=2"
            || uri == "/bucket/?list-type=2"),
        "{seen:?}"
    );
}

fn product() -> impl Iterator<Item = (Place, Way, Payload)> {
    let places = [Place::Header, Place::Query].into_iter();
    places.flat_map(|place| WAYS.into_iter().flat_map(move |way| MODES.into_iter().map(move |mode| (place, way, mode))))
}

#[tokio::test]
async fn another_prefix_is_no_prefix() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let (_, path) = Way::Prefix.to(&world, "/key");
    for wrong in [path.replacen('/', "/x", 1), path.to_uppercase()] {
        let answer = crate::client::get(&world, &wrong).await;
        assert_ne!(answer.status, 200, "{wrong}: it was taken for a bucket and is no legal name: {answer:?}");
    }
    assert!(upstream.seen().is_empty());
}
