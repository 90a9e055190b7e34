//! What reaches the upstream and the child when a request is allowed.

use http::Method;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::{Client, Sign, ask, exchange, get, put, raw};
use crate::upstream::{Upstream, reply};
use crate::world::{REAL_KEY, REAL_TOKEN, Setup};

#[tokio::test]
async fn an_allowed_request_arrives_signed_anew_and_its_answer_comes_back() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let answer = get(&world, "/bucket/a%20b/c%2Bd?versionId=1").await;
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "ok"), "{answer:?}");
    let seen = upstream.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].header("host"), upstream.address().to_string());
    assert!(seen[0].header("authorization").contains(REAL_KEY));
    assert_eq!(seen[0].header("x-amz-security-token"), format!("{REAL_TOKEN}0"));
    let settled = world.log.settles(1).await;
    assert_eq!(settled[0].1, Some(200));
    assert_eq!(settled[0].3, 2);
    assert_eq!(settled[0].4, None);
    let counts = world.gate.shutdown(std::time::Duration::from_secs(1)).await;
    assert_eq!((counts.allowed, counts.denied, counts.settled, counts.signed), (1, 0, 1, 1));
}

#[tokio::test]
async fn no_canary_in_any_inbound_header_reaches_the_upstream() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let mut request = Sign::with(&world).request(Method::GET, "/bucket/key", &[], b"");
    for name in [
        "x-canary",
        "cookie",
        "referer",
        "via",
        "x-forwarded-for",
        "x-forwarded-proto",
        "te",
        "trailer",
        "range",
        "content-encoding",
        "content-language",
        "content-md5",
        "x-amzn-trace-id",
        "proxy-authorization",
        "expires",
        "x-api-key",
        "baggage",
        "traceparent",
        "x-real-ip",
        "x-hallpass-reason",
        "proxy-connection",
        "from",
        "link",
    ] {
        request.headers_mut().insert(name, "canary".parse().expect("a value"));
    }
    let answer = ask(&world, request).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let seen = upstream.seen();
    for (name, value) in &seen[0].headers {
        assert!(!value.as_bytes().windows(6).any(|w| w == b"canary") || name == "x-amz-security-token", "{name}");
    }
    let dump = format!("{:?}", seen[0]);
    for secret in [world.placeholder.access_key_id.as_str(), world.placeholder.session_token.expose()] {
        assert!(!dump.contains(secret), "the placeholder must not leave");
    }
}

#[tokio::test]
async fn headers_that_change_nothing_that_is_decided_pass_unsigned() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let mut request = Sign::with(&world).request(Method::GET, "/bucket/key", &[("range", "bytes=0-1")], b"");
    let harmless = ["user-agent", "accept", "accept-encoding", "if-none-match", "amz-sdk-request", "cache-control"];
    for name in harmless {
        request.headers_mut().insert(name, "kept".parse().expect("a value"));
    }
    assert_eq!(ask(&world, request).await.status, 200);
    let seen = upstream.seen();
    assert!(harmless.iter().all(|name| seen[0].header(name) == "kept"), "{:?}", seen[0]);
    assert_eq!(seen[0].header("range"), "bytes=0-1", "signed, so it passes");
}

#[tokio::test]
async fn a_redirect_is_handed_back_and_never_followed() {
    let elsewhere = Upstream::plain().await;
    let location = format!("{}/stolen", elsewhere.url());
    for status in [301, 302, 303, 307, 308] {
        let location = location.clone();
        let upstream = Upstream::answering(move |_| reply(status, &[("location", &location)], "")).await;
        let world = Setup::on(&upstream.url()).gate().await;
        assert_eq!(get(&world, "/bucket/key").await.status.as_u16(), status);
        assert_eq!(upstream.seen().len(), 1);
    }
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn an_answer_loses_its_hop_by_hop_headers_and_cannot_speak_for_the_gate() {
    let headers = [
        ("connection", "x-hop"),
        ("x-hop", "1"),
        ("keep-alive", "timeout=5"),
        ("x-hallpass-reason", "forged"),
        ("x-hallpass-entry", "7"),
        ("etag", "\"e\""),
    ];
    let upstream = Upstream::answering(move |_| reply(200, &headers, "ok")).await;
    let world = Setup::on(&upstream.url()).gate().await;
    let answer = get(&world, "/bucket/key").await;
    for gone in ["connection", "x-hop", "keep-alive", "x-hallpass-reason", "x-hallpass-entry"] {
        assert!(!answer.headers.contains_key(gone), "{gone}: {answer:?}");
    }
    assert_eq!(answer.headers["etag"], "\"e\"");
}

#[tokio::test]
async fn answers_without_a_body_keep_their_length_and_the_connection() {
    let upstream = Upstream::answering(|seen| match seen.uri.path() {
        "/bucket/none" => reply(204, &[], ""),
        "/bucket/same" => reply(304, &[("etag", "\"e\"")], ""),
        _ => reply(200, &[("content-length", "5")], if seen.method == Method::HEAD { "" } else { "12345" }),
    })
    .await;
    let world = Setup::on(&upstream.url()).gate().await;
    let mut client = Client::connect(&world).await;
    let sign = Sign::with(&world);
    let head = client.ask(sign.request(Method::HEAD, "/bucket/key", &[], b"")).await;
    assert_eq!((head.status.as_u16(), &head.headers["content-length"]), (200, &"5".parse().expect("a value")));
    assert_eq!(client.ask(sign.request(Method::DELETE, "/bucket/none", &[], b"")).await.status, 204);
    assert_eq!(client.ask(sign.request(Method::GET, "/bucket/same", &[], b"")).await.status, 304);
    assert_eq!(client.ask(sign.request(Method::GET, "/bucket/key", &[], b"")).await.text(), "12345");
    let settled = world.log.settles(4).await;
    assert!(settled.iter().all(|(.., fault)| fault.is_none()), "{settled:?}");
}

#[tokio::test]
async fn requests_of_one_connection_share_one_connection_of_the_upstream() {
    let connections = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = connections.clone();
    let upstream = Upstream::by_hand(move |number, socket| {
        counted.store(number + 1, std::sync::atomic::Ordering::SeqCst);
        crate::faults::answer_all(socket)
    })
    .await;
    let world = Setup::on(&upstream.url()).gate().await;
    let mut client = Client::connect(&world).await;
    for _ in 0..20 {
        let request = Sign::with(&world).request(Method::GET, "/bucket/key", &[], b"");
        assert_eq!(client.ask(request).await.status, 200);
    }
    assert_eq!(connections.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_empty_put_says_that_it_is_empty() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    assert_eq!(put(&world, "/bucket/key", b"").await.status, 200);
    assert_eq!(upstream.seen()[0].header("content-length"), "0");
}

#[tokio::test]
async fn a_service_that_names_its_operation_in_the_body_is_buffered_and_passes_whole() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let body = b"Action=SendMessage&Version=2012-11-05&QueueUrl=https%3A%2F%2Fsqs.us-east-1.amazonaws.com%2F123456789012%2Fq&MessageBody=hi";
    let headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
    let sign = Sign::with(&world).service("sqs");
    let answer = ask(&world, sign.request(Method::POST, "/", &headers, body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = upstream.seen();
    assert_eq!(seen[0].body.as_ref(), body);
    assert!(seen[0].header("authorization").contains("/sqs/aws4_request"));
    assert_eq!(seen[0].header("x-amz-content-sha256"), "", "what the child did not send is not made up");
}

#[tokio::test]
async fn a_body_is_asked_for_only_after_the_decision() {
    let upstream = Upstream::plain().await;
    for (actions, invited) in [(["s3:PutObject"], true), (["s3:GetObject"], false)] {
        let world = Setup::on(&upstream.url()).actions(&actions).gate().await;
        let headers = Sign::with(&world).headers(&Method::PUT, "/bucket/key", &[], b"body");
        let more = "expect: 100-continue\r\ncontent-length: 4\r\n";
        let answer = exchange(world.gate.address(), &raw("PUT", "/bucket/key", &headers, more, b"")).await;
        assert_eq!(answer.starts_with("HTTP/1.1 100 Continue"), invited, "{answer}");
        assert_eq!(answer.starts_with("HTTP/1.1 403"), !invited, "{answer}");
        assert_eq!(world.log.allowed(), usize::from(invited), "the entry comes before the invitation");
    }
}

#[tokio::test]
async fn a_child_that_sends_a_whole_body_before_it_reads_still_gets_its_refusal() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).actions(&["s3:GetObject"]).gate().await;
    let body = vec![7; 24 << 20];
    let headers = Sign::with(&world).headers(&Method::PUT, "/bucket/key", &[], &body);
    let bytes = raw("PUT", "/bucket/key", &headers, &format!("content-length: {}\r\n", body.len()), &body);
    let mut socket = tokio::net::TcpStream::connect(world.gate.address()).await.expect("connects");
    socket.write_all(&bytes).await.expect("all of it is taken");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.expect("a refusal, and no reset");
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("AccessDenied"), "{answer}");
}
