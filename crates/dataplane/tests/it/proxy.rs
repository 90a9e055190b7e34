//! The forward proxy: who may use it, which hosts it stands in for, and that what passes a tunnel passes the gate.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hallpass_core::denial::DenialCode;
use hallpass_core::limits::TUNNEL_HANDSHAKE_TIMEOUT_S;
use hallpass_core::resolve::catalog::Variant;
use hallpass_dataplane::gate::{Closed, Passthrough};
use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::{ask, exchange, raw};
use crate::tunnel::{S3, Tunnel, basic, connect, encrypted, get_within, sign_for};
use crate::upstream::Upstream;
use crate::world::{REAL_KEY, Setup, World, eventually};

async fn world() -> (Upstream, World) {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).actions(&["s3:*", "sqs:*", "dynamodb:*", "iam:*"]).gate().await;
    (upstream, world)
}

#[tokio::test]
async fn what_passes_a_tunnel_is_verified_resolved_recorded_and_signed_anew() {
    let (upstream, world) = world().await;
    let proxy = world.gate.open_proxy(Passthrough::default()).expect("a proxy");
    let mut tunnel = Tunnel::to(&world, &proxy, S3).await;
    for _ in 0..2 {
        let answer = tunnel.ask(sign_for(&world, S3).request(Method::GET, "/bucket/key", &[], b"")).await;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "ok"), "{answer:?}");
    }
    let answer = tunnel.ask(sign_for(&world, S3).request(Method::PUT, "/bucket/new", &[], b"body")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let seen = upstream.seen();
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|one| one.header("authorization").contains(REAL_KEY)));
    assert_eq!((world.log.allowed(), world.gate.counts().signed), (3, 3));
    let names = |name: &str| seen.iter().any(|one| one.headers.contains_key(name));
    assert!(!names("proxy-authorization"), "the proxy's password has left");
}

#[tokio::test]
async fn a_virtual_host_is_the_same_bucket_as_its_path_through_the_proxy_and_at_the_gate() {
    let (upstream, world) = world().await;
    let proxy = world.gate.open_proxy(Passthrough::default()).expect("a proxy");
    let port = world.gate.address().port();
    for host in ["lent.s3.us-east-1.amazonaws.com", "lent.s3.amazonaws.com"] {
        for path in ["/a/key", "/?list-type=2"] {
            let answer = get_within(&world, &proxy, host, path).await;
            assert_eq!(answer.status, 200, "{host}{path}: {answer:?}");
        }
    }
    for host in [format!("lent.localhost:{port}"), format!("lent.s3.localhost:{port}")] {
        for path in ["/a/key", "/?list-type=2"] {
            let answer = ask(&world, sign_for(&world, &host).request(Method::GET, path, &[], b"")).await;
            assert_eq!(answer.status, 200, "{host}{path}: {answer:?}");
        }
    }
    let seen: Vec<String> = upstream.seen().iter().map(|one| one.uri.to_string()).collect();
    assert_eq!(seen, ["/lent/a/key", "/lent?list-type=2"].repeat(4));
    let sqs = sign_for(&world, &format!("lent.localhost:{port}")).service("sqs");
    let json = [("x-amz-target", "AmazonSQS.ListQueues"), ("content-type", "application/x-amz-json-1.0")];
    let answer = ask(&world, sqs.request(Method::POST, "/", &json, b"{}")).await;
    assert_eq!(answer.reason(), "foreign-origin", "{answer:?}");
}

#[tokio::test]
async fn the_policy_holds_in_a_tunnel_for_the_bucket_of_the_host() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).actions(&["s3:PutObject"]).gate().await;
    let proxy = world.gate.open_proxy(Passthrough::default()).expect("a proxy");
    let answer = get_within(&world, &proxy, "lent.s3.us-east-1.amazonaws.com", "/key").await;
    assert_eq!((answer.status.as_u16(), answer.reason()), (403, "not-allowed"), "{answer:?}");
    assert!(answer.text().contains("arn:aws:s3:::lent/key"), "{answer:?}");
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn without_the_sessions_password_there_is_no_tunnel() {
    let (upstream, world) = world().await;
    let (_, other) = self::world().await;
    let proxy = world.gate.open_proxy(Passthrough::default()).expect("a proxy");
    let foreign = other.gate.open_proxy(Passthrough::default()).expect("a proxy");
    let good = basic(&proxy);
    let wrong = format!("Basic {}", STANDARD.encode("hallpass:wrong"));
    let longer = format!("Basic {}", STANDARD.encode(format!("hallpass:{}x", "y".repeat(42))));
    for headers in [
        String::new(),
        format!("Proxy-Authorization: {wrong}\r\n"),
        format!("Proxy-Authorization: {longer}\r\n"),
        format!("Proxy-Authorization: {}\r\n", basic(&foreign)),
        format!("Proxy-Authorization: {}\r\n", good.replace("Basic", "Bearer")),
        format!("Proxy-Authorization: {}\r\n", good.trim_start_matches("Basic ")),
        format!("Proxy-Authorization: {good}\r\nProxy-Authorization: {good}\r\n"),
        format!("Proxy-Authorization: {wrong}\r\nProxy-Authorization: {good}\r\n"),
        format!("Authorization: {good}\r\n"),
        "Proxy-Authorization: Basic \r\n".to_owned(),
    ] {
        let (head, _) = connect(&world, &format!("{S3}:443"), &headers).await;
        assert!(head.starts_with("HTTP/1.1 407 ") && head.contains("proxy-authenticate: Basic"), "{headers}: {head}");
    }
    assert_eq!(world.log.denied().len(), 10, "each is recorded");
    let (head, _) = connect(&world, &format!("{S3}:443"), &format!("proxy-authorization: {good}\r\n")).await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn no_tunnel_leads_to_another_host_or_port() {
    let (upstream, world) = world().await;
    let proxy = world.gate.open_proxy(Passthrough::default()).expect("a proxy");
    let auth = format!("Proxy-Authorization: {}\r\n", basic(&proxy));
    let gate = world.gate.address().to_string();
    let own = upstream.address().to_string();
    for authority in [
        "example.com:443",
        "169.254.169.254:80",
        "169.254.169.254:443",
        "[::ffff:169.254.169.254]:443",
        "[fd00:ec2::254]:443",
        "localhost:443",
        "127.0.0.1:443",
        gate.as_str(),
        own.as_str(),
        "s3.us-east-1.amazonaws.com:80",
        "s3.us-east-1.amazonaws.com:4430",
        "s3.us-east-1.amazonaws.com",
        "s3.us-east-1.amazonaws.com.:443",
        "S3.us-east-1.amazonaws.com:443",
        "s3.us-east-1.amazonaws.com.example.com:443",
        "s3-fips.cn-north-1.amazonaws.com.cn:443",
        "s3-website-us-east-1.amazonaws.com:443",
        "ec2-1-2-3-4.compute-1.amazonaws.com:443",
        "s3.cn-north-1.amazonaws.com.cn:443",
    ] {
        let (head, _) = connect(&world, authority, &auth).await;
        assert!(head.starts_with("HTTP/1.1 403 "), "{authority}: {head}");
        assert!(head.contains("x-hallpass-reason: foreign-origin"), "{authority}: {head}");
    }
    let (head, _) = connect(&world, &format!("user@{S3}:443"), &auth).await;
    assert!(head.starts_with("HTTP/1.1 4"), "{head}");
    let body = exchange(world.gate.address(), format!("CONNECT a.example:443 HTTP/1.1\r\n{auth}\r\n").as_bytes()).await;
    assert!(body.contains("--passthrough HOST") && body.contains("--via endpoint"), "the way out is named: {body}");
    let mixed = format!("CONNECT {S3}:443 HTTP/1.1\r\nHost: example.com\r\n{auth}\r\n");
    assert!(exchange(world.gate.address(), mixed.as_bytes()).await.starts_with("HTTP/1.1 403 "));
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn a_connect_with_a_body_or_within_a_tunnel_is_refused() {
    let (_, world) = world().await;
    let proxy = world.gate.open_proxy(Passthrough::default()).expect("a proxy");
    let auth = format!("Proxy-Authorization: {}\r\n", basic(&proxy));
    for more in
        ["Content-Length: 4\r\n", "Transfer-Encoding: chunked\r\n", "Content-Length: 0\r\nContent-Length: 0\r\n"]
    {
        let (head, _) = connect(&world, &format!("{S3}:443"), &format!("{auth}{more}")).await;
        assert!(head.starts_with("HTTP/1.1 403 ") || head.starts_with("HTTP/1.1 400 "), "{more}: {head}");
    }
    let (_, socket) = connect(&world, &format!("{S3}:443"), &auth).await;
    let mut stream = encrypted(&proxy, socket, S3).await.expect("TLS");
    let again = format!("CONNECT {S3}:443 HTTP/1.1\r\nHost: {S3}:443\r\n{auth}\r\n");
    stream.write_all(again.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("malformed"), "{answer}");
}

#[tokio::test]
async fn within_a_tunnel_only_its_own_host_is_served() {
    let (upstream, world) = world().await;
    let proxy = world.gate.open_proxy(Passthrough::default()).expect("a proxy");
    let gate = world.gate.address().to_string();
    for other in [
        "iam.amazonaws.com",
        "lent.s3.us-east-1.amazonaws.com",
        "s3.eu-west-1.amazonaws.com",
        "S3.us-east-1.amazonaws.com",
        &gate,
    ] {
        let request = sign_for(&world, other).request(Method::GET, "/bucket/key", &[], b"");
        let answer = Tunnel::to(&world, &proxy, S3).await.ask(request).await;
        assert_eq!((answer.status.as_u16(), answer.reason()), (403, "foreign-origin"), "{other}: {answer:?}");
    }
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn the_scope_of_the_signature_must_be_the_hosts() {
    let (upstream, world) = world().await;
    let proxy = world.gate.open_proxy(Passthrough::default()).expect("a proxy");
    let json = [("x-amz-target", "AmazonSQS.ListQueues"), ("content-type", "application/x-amz-json-1.0")];
    for host in [S3, "s3.eu-west-1.amazonaws.com", "iam.amazonaws.com", "dynamodb.us-east-1.amazonaws.com"] {
        let request = sign_for(&world, host).service("sqs").request(Method::POST, "/", &json, b"{}");
        let answer = Tunnel::to(&world, &proxy, host).await.ask(request).await;
        assert_eq!(answer.reason(), "foreign-origin", "{host}: {answer:?}");
    }
    let request = sign_for(&world, "s3.eu-west-1.amazonaws.com").request(Method::GET, "/bucket/key", &[], b"");
    let answer = Tunnel::to(&world, &proxy, "s3.eu-west-1.amazonaws.com").await.ask(request).await;
    assert_eq!(answer.reason(), "foreign-origin", "signed for us-east-1: {answer:?}");
    let streams =
        [("x-amz-target", "DynamoDBStreams_20120810.ListStreams"), ("content-type", "application/x-amz-json-1.0")];
    let host = "dynamodb.us-east-1.amazonaws.com";
    let request = sign_for(&world, host).service("dynamodb").request(Method::POST, "/", &streams, b"{}");
    let answer = Tunnel::to(&world, &proxy, host).await.ask(request).await;
    assert_eq!(answer.reason(), "foreign-origin", "an operation of another host: {answer:?}");
    assert!(upstream.seen().is_empty());
    let host = "sqs.us-east-1.amazonaws.com";
    let request = sign_for(&world, host).service("sqs").request(Method::POST, "/", &json, b"{}");
    assert_eq!(Tunnel::to(&world, &proxy, host).await.ask(request).await.status, 200);
}

#[tokio::test]
async fn a_tunnel_does_not_replace_the_signature() {
    let (upstream, world) = world().await;
    let proxy = world.gate.open_proxy(Passthrough::default()).expect("a proxy");
    let wrong = {
        let mut sign = sign_for(&world, S3);
        sign.secret = "not-the-secret-not-the-secret-not-the-se".into();
        sign
    };
    let missing = {
        let mut request = sign_for(&world, S3).request(Method::GET, "/bucket/key", &[], b"");
        request.headers_mut().remove("authorization");
        request
    };
    let answer = Tunnel::to(&world, &proxy, S3).await.ask(wrong.request(Method::GET, "/bucket/key", &[], b"")).await;
    assert_eq!(answer.reason(), "signature", "{answer:?}");
    let answer = Tunnel::to(&world, &proxy, S3).await.ask(missing).await;
    assert_eq!(answer.reason(), "unsigned", "{answer:?}");
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn web_pages_are_refused_within_a_tunnel_too() {
    let (upstream, world) = world().await;
    let proxy = world.gate.open_proxy(Passthrough::default()).expect("a proxy");
    let request = sign_for(&world, S3).request(Method::GET, "/bucket/key", &[("origin", "https://evil.example")], b"");
    assert_eq!(Tunnel::to(&world, &proxy, S3).await.ask(request).await.reason(), "foreign-origin");
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn a_session_without_a_proxy_has_no_tunnels() {
    let (_, world) = world().await;
    let (head, _) = connect(&world, &format!("{S3}:443"), "Proxy-Authorization: Basic aGFsbHBhc3M6\r\n").await;
    assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
    assert_eq!(world.log.denied(), [DenialCode::ForeignOrigin]);
}

#[tokio::test]
async fn a_session_that_was_taken_back_opens_no_tunnel_and_refuses_in_those_that_are_open() {
    let (upstream, world) = world().await;
    let proxy = world.gate.open_proxy(Passthrough::default()).expect("a proxy");
    let mut open = Tunnel::to(&world, &proxy, S3).await;
    world.gate.switch().refuse(Closed::Revoked);
    let answer = open.ask(sign_for(&world, S3).request(Method::GET, "/bucket/key", &[], b"")).await;
    assert_eq!(answer.reason(), "revoked", "{answer:?}");
    let auth = format!("Proxy-Authorization: {}\r\n", basic(&proxy));
    let (head, _) = connect(&world, &format!("{S3}:443"), &auth).await;
    assert!(head.starts_with("HTTP/1.1 403 ") && head.contains("x-hallpass-reason: revoked"), "{head}");
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn a_plain_request_through_the_proxy_needs_the_password_and_an_aws_host_as_well() {
    let (upstream, world) = world().await;
    let proxy = world.gate.open_proxy(Passthrough::default()).expect("a proxy");
    let auth = format!("proxy-authorization: {}\r\n", basic(&proxy));
    let headers = sign_for(&world, S3).headers(&Method::GET, "/bucket/key", &[], b"");
    let url = format!("http://{S3}/bucket/key");
    let sent =
        async |url: &str, more: &str| exchange(world.gate.address(), &raw("GET", url, &headers, more, b"")).await;
    let answer = sent(&url, "").await;
    assert!(answer.contains("x-hallpass-reason: unsigned"), "{answer}");
    for other in
        ["http://example.com/", "http://169.254.169.254/latest/", "https://s3.us-east-1.amazonaws.com/bucket/key"]
    {
        let answer = sent(other, &auth).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{other}: {answer}");
    }
    let answer = sent("http://iam.amazonaws.com/", &auth).await;
    assert!(answer.contains("foreign-origin"), "Host and request line differ: {answer}");
    assert!(upstream.seen().is_empty());
    assert!(sent(&url, &auth).await.starts_with("HTTP/1.1 200 "));
    assert_eq!(upstream.seen()[0].uri.to_string(), "/bucket/key");
    assert!(!upstream.seen()[0].headers.contains_key("proxy-authorization"));
}

#[tokio::test(start_paused = true)]
async fn a_tunnel_without_a_handshake_is_closed_after_the_limit() {
    let (_, world) = world().await;
    let proxy = world.gate.open_proxy(Passthrough::default()).expect("a proxy");
    let auth = format!("Proxy-Authorization: {}\r\n", basic(&proxy));
    let begun = tokio::time::Instant::now();
    let (_, mut socket) = connect(&world, &format!("{S3}:443"), &auth).await;
    let mut rest = Vec::new();
    let _ = socket.read_to_end(&mut rest).await;
    assert!(begun.elapsed().as_secs() >= TUNNEL_HANDSHAKE_TIMEOUT_S, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn an_upload_in_a_tunnel_is_cut_when_the_session_is_taken_back() {
    let (upstream, world) = world().await;
    let proxy = world.gate.open_proxy(Passthrough::default()).expect("a proxy");
    let auth = format!("Proxy-Authorization: {}\r\n", basic(&proxy));
    let (_, socket) = connect(&world, &format!("{S3}:443"), &auth).await;
    let mut stream = encrypted(&proxy, socket, S3).await.expect("TLS");
    let body = vec![7_u8; 1_000_000];
    let headers = sign_for(&world, S3).headers(&Method::PUT, "/bucket/big", &[], &body);
    let length = format!("content-length: {}\r\n", body.len());
    stream.write_all(&raw("PUT", "/bucket/big", &headers, &length, &body[..500_000])).await.expect("sent");
    eventually("the upload", || world.log.allowed() == 1).await;
    assert_eq!(world.gate.switch().refuse(Closed::Revoked).streams_cut, 1);
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(!String::from_utf8_lossy(&rest).contains("200 OK"));
    assert!(upstream.seen().iter().all(|one| !one.whole), "a part became an object");
}

#[tokio::test]
async fn what_is_written_of_the_proxy_shows_no_password() {
    let (_, world) = world().await;
    let proxy = world.gate.open_proxy(Passthrough::default()).expect("a proxy");
    let shown = format!("{proxy:?} {:?}", world.gate);
    let password = basic(&proxy);
    assert!(!shown.contains(password.trim_start_matches("Basic ")), "{shown}");
    assert!(!shown.contains(proxy.url.expose()) && !shown.contains("PRIVATE KEY"), "{shown}");
}

#[tokio::test]
async fn a_host_at_another_address_is_addressed_by_its_own_name_and_no_other_host_goes_there() {
    let upstream = Upstream::plain().await;
    let world = Setup::at_aws().host_at(S3, &upstream.url()).gate().await;
    let proxy = world.gate.open_proxy(Passthrough::default()).expect("a proxy");
    assert_eq!(get_within(&world, &proxy, S3, "/bucket/key").await.status, 200);
    assert_eq!(crate::client::get(&world, "/bucket/key").await.status, 200, "the same by the endpoint");
    let seen = upstream.seen();
    assert!(seen.iter().all(|one| one.header("host") == S3), "{seen:?}");
    let (allowed, address) = (world.log.entries(), upstream.address());
    let shown = serde_json::to_string(&allowed[0]).expect("JSON");
    assert!(shown.contains(&format!("{S3} at {address}")), "{shown}");
}

#[tokio::test]
async fn a_request_for_a_fips_or_dual_stack_host_goes_to_this_host() {
    for host in ["s3-fips.us-east-1.amazonaws.com", "s3.dualstack.us-east-1.amazonaws.com"] {
        let upstream = Upstream::plain().await;
        let world = Setup::at_aws().host_at(host, &upstream.url()).gate().await;
        let proxy = world.gate.open_proxy(Passthrough::default()).expect("a proxy");
        assert_eq!(get_within(&world, &proxy, host, "/bucket/key").await.status, 200, "{host}");
        assert_eq!(get_within(&world, &proxy, &format!("bucket.{host}"), "/key").await.status, 200, "{host}");
        let seen = upstream.seen();
        assert!(seen.len() == 2 && seen.iter().all(|one| one.header("host") == host), "{seen:?}");
    }
}

#[tokio::test]
async fn a_session_that_demands_fips_goes_nowhere_else() {
    let (fips, plain) = (Upstream::plain().await, Upstream::plain().await);
    let setup = Setup::at_aws().host_at("s3-fips.us-east-1.amazonaws.com", &fips.url()).host_at(S3, &plain.url());
    let world = setup.variant(Variant { fips: true, dual_stack: false }).gate().await;
    let proxy = world.gate.open_proxy(Passthrough::default()).expect("a proxy");
    assert_eq!(get_within(&world, &proxy, S3, "/bucket/key").await.status, 200);
    assert_eq!(crate::client::get(&world, "/bucket/key").await.status, 200, "the same by the endpoint");
    assert_eq!((fips.seen().len(), plain.seen().len()), (2, 0));
}

#[tokio::test]
async fn a_host_that_is_passed_through_needs_the_password_and_never_leads_to_this_machine() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let all = Passthrough::new(vec!["*".to_owned()]).expect("a name");
    let proxy = world.gate.open_proxy(all).expect("a proxy");
    let auth = format!("Proxy-Authorization: {}\r\n", basic(&proxy));
    let (head, _) = connect(&world, "localhost:443", "").await;
    assert!(head.starts_with("HTTP/1.1 407 "), "{head}");
    for authority in ["localhost:443", "127.0.0.1:443", "[::1]:443", "169.254.169.254:443", "[::ffff:127.0.0.1]:443"] {
        let (head, _) = connect(&world, authority, &auth).await;
        assert!(head.starts_with("HTTP/1.1 403 ") || head.starts_with("HTTP/1.1 503 "), "{authority}: {head}");
    }
    let (head, _) = connect(&world, &upstream.address().to_string(), &auth).await;
    assert!(head.starts_with("HTTP/1.1 403 "), "another port: {head}");
    let answer = get_within(&world, &proxy, S3, "/bucket/key").await;
    assert_eq!(answer.status, 200, "AWS hosts still end at the gate: {answer:?}");
    assert_eq!(world.log.allowed(), 1);
}

#[tokio::test]
async fn a_gate_within_a_gate_reaches_the_outer_one_by_its_secret_path() {
    let (upstream, outer) = world().await;
    let secret = outer.gate.service_endpoint_url();
    let prefix = secret.expose().rsplit_once('/').map(|(_, prefix)| format!("/{prefix}")).expect("a path");
    let signed = sign_for(&outer, &outer.gate.address().to_string());
    for path in ["/bucket/key", "/"] {
        let answer = ask(&outer, signed.request(Method::GET, &format!("{prefix}{path}"), &[], b"")).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }
    let inner = Setup::on(secret.expose()).gate().await;
    let refused = crate::client::get(&inner, "/bucket/key").await;
    assert_eq!(refused.status, 403, "the outer gate does not know the inner one's key: {refused:?}");
    assert_eq!((upstream.seen().len(), outer.log.denied()), (2, vec![DenialCode::UnknownKey]));
    assert_eq!(upstream.seen()[0].uri.to_string(), "/bucket/key", "the path is the child's secret");
}
