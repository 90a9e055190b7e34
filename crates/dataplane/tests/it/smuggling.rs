//! Bytes that two readers could read differently. Whatever follows such a request on the same connection must be
//! nobody's: the gate refuses and closes, and the upstream sees nothing.

use http::{HeaderMap, Method};

use crate::client::{Sign, exchange, get, raw};
use crate::upstream::Upstream;
use crate::world::{Setup, World};

/// What an attacker wants to be taken for a request of its own.
fn smuggled(world: &World) -> Vec<u8> {
    let headers = Sign::with(world).headers(&Method::DELETE, "/bucket/smuggled", &[], b"");
    raw("DELETE", "/bucket/smuggled", &headers, "", b"")
}

fn signed(world: &World, method: Method, body: &[u8]) -> HeaderMap {
    Sign::with(world).headers(&method, "/bucket/key", &[], body)
}

#[tokio::test]
async fn an_ambiguous_framing_is_refused_and_what_follows_is_never_served() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let next = smuggled(&world);
    let length = next.len();
    for framing in [
        format!("content-length: {length}\r\ntransfer-encoding: chunked\r\n"),
        format!("transfer-encoding: chunked\r\ncontent-length: {length}\r\n"),
        "content-length: 0\r\ncontent-length: 0\r\n".to_owned(),
        format!("content-length: 0\r\ncontent-length: {length}\r\n"),
        "content-length: 0, 0\r\n".to_owned(),
        "content-length: +0\r\n".to_owned(),
        "content-length : 0\r\n".to_owned(),
        "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n".to_owned(),
        "transfer-encoding: identity\r\n".to_owned(),
        "transfer-encoding: gzip, chunked\r\n".to_owned(),
        "transfer-encoding: chunked, chunked\r\n".to_owned(),
        "transfer-encoding: xchunked\r\n".to_owned(),
        "transfer-encoding:\x0bchunked\r\n".to_owned(),
        "transfer-encoding : chunked\r\n".to_owned(),
        "x: y\ntransfer-encoding: chunked\r\n".to_owned(),
        "x: y\r\n transfer-encoding: chunked\r\n".to_owned(),
        "x: y\rtransfer-encoding: chunked\r\n".to_owned(),
        "x: a\0b\r\n".to_owned(),
        "upgrade: h2c\r\nconnection: upgrade\r\n".to_owned(),
        "connection: x-amz-date\r\n".to_owned(),
        "connection: close, authorization\r\n".to_owned(),
        "expect: 200-ok\r\n".to_owned(),
    ] {
        let body = [b"0\r\n\r\n".as_slice(), &next].concat();
        let bytes = raw("PUT", "/bucket/key", &signed(&world, Method::PUT, b""), &framing, &body);
        let answer = exchange(world.gate.address(), &bytes).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{framing:?}: {answer}");
        assert!(answer.ends_with("<closed>"), "{framing:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{framing:?}: one answer, then the end: {answer}");
    }
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
    assert_eq!(world.log.allowed(), 0);
    assert!(world.log.denied().len() >= 20, "{}", world.log.denied().len());
}

#[tokio::test]
async fn a_request_line_for_a_proxy_or_an_older_protocol_is_refused() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let headers = signed(&world, Method::GET, b"");
    let host = world.gate.address();
    for line in [
        "GET http://169.254.169.254/latest HTTP/1.1".to_owned(),
        format!("GET http://{host}/bucket/key HTTP/1.1"),
        "CONNECT 169.254.169.254:80 HTTP/1.1".to_owned(),
        format!("CONNECT {host} HTTP/1.1"),
        "OPTIONS * HTTP/1.1".to_owned(),
        "TRACE /bucket/key HTTP/1.1".to_owned(),
        "PROPFIND /bucket/key HTTP/1.1".to_owned(),
        "get /bucket/key HTTP/1.1".to_owned(),
        "GET /bucket/key HTTP/1.0".to_owned(),
        "GET /bucket/key HTTP/2.0".to_owned(),
        "GET /bucket/key".to_owned(),
        "PRI * HTTP/2.0".to_owned(),
        "GET  /bucket/key HTTP/1.1".to_owned(),
        "GET bucket HTTP/1.1".to_owned(),
    ] {
        let whole = String::from_utf8(raw("GET", "/bucket/key", &headers, "", b"")).expect("text");
        let (_, rest) = whole.split_once("\r\n").expect("a line");
        let answer = exchange(world.gate.address(), format!("{line}\r\n{rest}").as_bytes()).await;
        assert!(!answer.contains(" 200 "), "{line}: {answer}");
        assert!(
            answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.0 4") || answer == "<closed>",
            "{line}: {answer}"
        );
    }
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn an_http_1_0_request_with_a_chunked_body_is_refused() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let bytes =
        raw("PUT", "/bucket/key", &signed(&world, Method::PUT, b""), "transfer-encoding: chunked\r\n", b"0\r\n\r\n");
    let bytes = String::from_utf8(bytes).expect("text").replace("HTTP/1.1", "HTTP/1.0");
    let answer = exchange(world.gate.address(), bytes.as_bytes()).await;
    assert!(answer.contains(" 400 ") && answer.ends_with("<closed>"), "{answer}");
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn every_header_that_decides_something_may_come_once() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let headers = Sign::with(&world).headers(
        &Method::PUT,
        "/bucket/key",
        &[("range", "bytes=0-1"), ("content-type", "a/b")],
        b"",
    );
    for name in
        ["host", "authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "content-type", "range"]
    {
        let value = headers[name].to_str().expect("text");
        for twice in [format!("{name}: {value}\r\n"), format!("{}: other\r\n", name.to_uppercase())] {
            let bytes = raw("PUT", "/bucket/key", &headers, &format!("{twice}content-length: 0\r\n"), b"");
            let answer = exchange(world.gate.address(), &bytes).await;
            assert!(answer.starts_with("HTTP/1.1 4"), "{twice}: {answer}");
        }
    }
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn a_header_that_overrides_the_request_line_is_refused_even_when_it_is_signed() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    for name in ["x-http-method-override", "x-http-method", "x-method-override", "x-original-url", "x-forwarded-host"] {
        let request = Sign::with(&world).request(Method::GET, "/bucket/key", &[(name, "DELETE")], b"");
        assert_eq!(crate::client::ask(&world, request).await.reason(), "malformed", "{name}");
    }
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn the_rest_of_a_refused_body_is_not_the_next_request() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).actions(&["s3:GetObject"]).gate().await;
    let next = smuggled(&world);
    let headers = signed(&world, Method::PUT, &next);
    let bytes = raw("PUT", "/bucket/key", &headers, &format!("content-length: {}\r\n", next.len()), &next);
    let answer = exchange(world.gate.address(), &bytes).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn pipelined_requests_are_served_in_order_each_with_its_own_verdict() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let sign = Sign::with(&world);
    let put = raw(
        "PUT",
        "/bucket/key",
        &sign.headers(&Method::PUT, "/bucket/key", &[], b"GET / HTTP/1.1"),
        "content-length: 14\r\n",
        b"GET / HTTP/1.1",
    );
    let get_ = raw("GET", "/bucket/key", &sign.headers(&Method::GET, "/bucket/key", &[], b""), "", b"");
    let answer = exchange(world.gate.address(), &[put.as_slice(), &get_, &put].concat()).await;
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 3, "{answer}");
    let methods: Vec<String> = upstream.seen().iter().map(|seen| seen.method.to_string()).collect();
    assert_eq!(methods, ["PUT", "GET", "PUT"]);
    assert_eq!(upstream.seen()[0].body.as_ref(), b"GET / HTTP/1.1");
}

#[tokio::test]
async fn what_the_http_library_cannot_read_is_recorded_too() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    for nonsense in
        [b"\x16\x03\x01\x02\x00\x01\x00".as_slice(), b"SSH-2.0-x\r\n\r\n", b"GET / HTTP/1.1\r\nbad header\r\n\r\n"]
    {
        let before = world.log.denied().len();
        let answer = exchange(world.gate.address(), nonsense).await;
        assert!(!answer.contains(" 200 "), "{answer}");
        crate::world::eventually("its record", || world.log.denied().len() > before).await;
    }
    assert_eq!(get(&world, "/bucket/key").await.status, 200);
}

#[tokio::test]
async fn one_signed_value_may_not_come_as_two_headers() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    for name in ["x-amz-copy-source", "x-amz-meta-a", "x-amz-acl", "if-match"] {
        // The signature covers the values joined with a comma, so it is right for both forms.
        let mut headers = Sign::with(&world).headers(&Method::PUT, "/bucket/key", &[(name, "a,b")], b"");
        headers.remove(name);
        let twice = format!("{name}: a\r\n{name}: b\r\ncontent-length: 0\r\n");
        let answer = exchange(world.gate.address(), &raw("PUT", "/bucket/key", &headers, &twice, b"")).await;
        assert!(answer.contains("x-hallpass-reason: malformed"), "{name}: {answer}");
    }
    assert!(upstream.seen().is_empty());
}

/// Found by fuzzing: the URL says one thing, and a form body beside it another. Only the URL was decided on.
#[tokio::test]
async fn a_get_with_a_body_is_refused_before_its_body_could_say_something_else() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).actions(&["sts:GetCallerIdentity"]).gate().await;
    let path = "/?Action=GetCallerIdentity&Version=2011-06-15";
    let form = b"Action=AssumeRole&Version=2011-06-15";
    let framed = format!("content-length: {}\r\n", form.len());
    let chunks = [format!("{:x}\r\n", form.len()).as_bytes(), form, b"\r\n0\r\n\r\n"].concat();
    for method in [Method::GET, Method::HEAD] {
        for service in ["sts", "s3"] {
            let headers = Sign::with(&world).service(service).headers(&method, path, &[], form);
            for (framing, body) in [(framed.as_str(), &form[..]), ("transfer-encoding: chunked\r\n", &chunks)] {
                let answer = exchange(world.gate.address(), &raw(method.as_str(), path, &headers, framing, body)).await;
                assert!(answer.starts_with("HTTP/1.1 400"), "{method} {service} {framing}: {answer}");
                assert!(answer.ends_with("<closed>"), "{method} {service} {framing}: {answer}");
            }
        }
    }
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
    let headers = Sign::with(&world).service("sts").headers(&Method::GET, path, &[], b"");
    let answer = exchange(world.gate.address(), &raw("GET", path, &headers, "content-length: 0\r\n", b"")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "nothing is no body: {answer}");
}
