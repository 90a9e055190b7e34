//! Web pages and other hosts' names (DNS rebinding): refused on every route, before anything else is looked at.

use http::Method;

use crate::client::{Sign, ask};
use crate::upstream::Upstream;
use crate::world::Setup;

const ROUTES: [(Method, &str); 4] =
    [(Method::GET, "/"), (Method::GET, "/bucket/key"), (Method::PUT, "/bucket/key"), (Method::POST, "/")];

#[tokio::test]
async fn a_host_that_is_not_the_literal_we_gave_out_is_refused_even_when_it_is_signed() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let port = world.gate.address().port();
    let near = port.wrapping_add(1).max(1);
    for host in [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        "127.0.0.1".to_owned(),
        format!("127.0.0.1:{near}"),
        format!("127.0.0.2:{port}"),
        format!("127.1:{port}"),
        format!("2130706433:{port}"),
        format!("[::1]:{port}"),
        format!("0.0.0.0:{port}"),
        format!("LOCALHOST:{port}"),
        format!("localhost.:{port}"),
        format!("bucket.localhost:{near}"),
        format!(".localhost:{port}"),
        format!("BUCKET.localhost:{port}"),
        format!("a/b.localhost:{port}"),
        format!("bucket.localhost.:{port}"),
        format!("bucket.127.0.0.1:{port}"),
        format!("bucket.localhost.evil.example:{port}"),
        format!("127.0.0.1:0{port}"),
    ] {
        for (method, path) in ROUTES {
            let mut sign = Sign::with(&world);
            sign.host.clone_from(&host);
            let answer = ask(&world, sign.request(method, path, &[], b"")).await;
            assert_eq!(answer.reason(), "foreign-origin", "{host}: {answer:?}");
        }
    }
    assert!(upstream.seen().is_empty());
    let mut sign = Sign::with(&world);
    sign.host = format!("localhost:{port}");
    assert_eq!(ask(&world, sign.request(Method::GET, "/bucket/key", &[], b"")).await.status, 200);
}

#[tokio::test]
async fn whatever_a_browser_sends_is_refused_even_when_it_is_signed() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let own = world.gate.endpoint_url();
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", own.as_str()),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "none"),
        ("sec-fetch-mode", "cors"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ] {
        for (method, path) in ROUTES {
            let request = Sign::with(&world).request(method, path, &[(name, value)], b"");
            let answer = ask(&world, request).await;
            assert_eq!(answer.reason(), "foreign-origin", "{name}: {value}");
            let cors = answer.headers.keys().any(|name| name.as_str().starts_with("access-control-"));
            assert!(!cors, "{answer:?}");
        }
    }
    let preflight = Sign::with(&world).request(Method::OPTIONS, "/bucket/key", &[], b"");
    assert_eq!(ask(&world, preflight).await.reason(), "malformed");
    assert!(upstream.seen().is_empty());
}
