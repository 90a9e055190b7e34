//! Hosts that are passed through: which ones, that they are recorded before a byte passes, and cut with the session.

use std::sync::atomic::Ordering;

use hallpass_core::audit::Event;
use hallpass_core::limits::PASSTHROUGH_CONNECTIONS_MAX;
use hallpass_dataplane::gate::{Closed, OuterProxy, Passthrough, Proxy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::client::exchange;
use crate::tunnel::{S3, basic, connect, encrypted};
use crate::world::{Setup, World, eventually};

/// A host that is not the cloud's, on this machine: gives back what it gets, and notes it.
struct Far {
    port: u16,
    seen: std::sync::Arc<std::sync::Mutex<Vec<u8>>>,
    _tasks: JoinSet<()>,
}

impl Far {
    /// Answers each connection with `greeting`, then with what comes.
    async fn new(greeting: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let port = listener.local_addr().expect("bound").port();
        let seen = std::sync::Arc::<std::sync::Mutex<Vec<u8>>>::default();
        let mut tasks = JoinSet::new();
        let noted = std::sync::Arc::clone(&seen);
        tasks.spawn(async move {
            let mut served = JoinSet::new();
            while let Ok((mut socket, _)) = listener.accept().await {
                let noted = std::sync::Arc::clone(&noted);
                served.spawn(async move {
                    let mut buffer = vec![0; 4096];
                    let mut greeted = greeting.is_empty();
                    while let Ok(read @ 1..) = socket.read(&mut buffer).await {
                        noted.lock().expect("no panic").extend_from_slice(&buffer[..read]);
                        let echo = if greeted { &buffer[..read] } else { greeting };
                        greeted = true;
                        if socket.write_all(echo).await.is_err() {
                            break;
                        }
                    }
                });
            }
        });
        Self { port, seen, _tasks: tasks }
    }

    fn seen(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().expect("no panic")).into_owned()
    }
}

/// A gate whose own upstream is an address, so that `localhost` is none of its hosts.
async fn world(passthrough: Passthrough) -> (World, Proxy) {
    let world = Setup::on("http://127.0.0.1:1").gate().await;
    let proxy = world.gate.open_proxy(passthrough).expect("a proxy");
    (world, proxy)
}

fn named(names: &[&str]) -> Passthrough {
    Passthrough::new(names.iter().map(|name| (*name).to_owned()).collect()).expect("names")
}

fn password(proxy: &Proxy) -> String {
    format!("Proxy-Authorization: {}\r\n", basic(proxy))
}

/// An open tunnel to the far host.
async fn tunnelled(world: &World, proxy: &Proxy, authority: &str) -> TcpStream {
    let (head, socket) = connect(world, authority, &password(proxy)).await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{authority}: {head}");
    socket
}

/// `(host, port, plain)` of every connection recorded, and `(bytes in, bytes out, fault)` of every end.
type Ended = (u64, u64, Option<String>);

fn opened(world: &World) -> Vec<(String, u16, bool)> {
    let of = |event: &Event| match event {
        Event::TunnelOpened { host, port, plain, .. } => Some((host.clone(), *port, *plain)),
        _ => None,
    };
    world.log.entries().iter().filter_map(of).collect()
}

fn closed(world: &World) -> Vec<Ended> {
    let of = |event: &Event| match event {
        Event::TunnelClosed { bytes_in, bytes_out, fault, .. } => Some((*bytes_in, *bytes_out, fault.clone())),
        _ => None,
    };
    world.log.entries().iter().filter_map(of).collect()
}

/// Whether the connection is reset, and not ended; ten seconds is long enough for either.
async fn cut(socket: &mut TcpStream, rest: &mut Vec<u8>) -> bool {
    let reading = tokio::time::timeout(std::time::Duration::from_secs(10), socket.read_to_end(rest));
    reading.await.is_ok_and(|read| read.is_err())
}

#[tokio::test]
async fn a_tunnel_to_another_host_is_recorded_when_it_opens_and_when_it_closes() {
    let far = Far::new(b"").await;
    let (world, proxy) = world(named(&["localhost"])).await;
    let mut socket = tunnelled(&world, &proxy, &format!("LOCALHOST:{}", far.port)).await;
    assert_eq!(opened(&world), [("localhost".to_owned(), far.port, false)]);
    socket.write_all(b"twelve bytes").await.expect("sent");
    let mut back = [0; 12];
    socket.read_exact(&mut back).await.expect("echoed");
    assert_eq!((&back, far.seen().as_str()), (b"twelve bytes", "twelve bytes"));
    assert!(closed(&world).is_empty(), "it is open still");
    drop(socket);
    eventually("the end", || closed(&world).len() == 1).await;
    assert_eq!(closed(&world), [(12, 12, None)]);
    assert!(world.log.entries().iter().any(|event| matches!(event, Event::TunnelClosed { of: 0, .. })));
}

#[tokio::test]
async fn a_tunnel_is_cut_when_the_session_is_taken_back_and_when_it_expires() {
    for (why, expected) in [(Some(Closed::Revoked), "cut: revoked"), (None, "cut: expired")] {
        let far = Far::new(b"").await;
        let (world, proxy) = world(named(&["localhost"])).await;
        let mut socket = tunnelled(&world, &proxy, &format!("localhost:{}", far.port)).await;
        socket.write_all(b"x").await.expect("sent");
        socket.read_u8().await.expect("echoed");
        match why {
            Some(why) => assert_eq!(world.gate.switch().refuse(why).streams_cut, 1),
            None => world.clock.advance_s(3_601),
        }
        let mut rest = Vec::new();
        assert!(cut(&mut socket, &mut rest).await, "{expected}: an end, and not a cut");
        eventually("the end", || closed(&world).len() == 1).await;
        assert_eq!(closed(&world), [(1, 1, Some(expected.to_owned()))]);
        let (head, _) = connect(&world, &format!("localhost:{}", far.port), &password(&proxy)).await;
        assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
    }
}

#[tokio::test]
async fn nothing_passes_while_the_log_cannot_be_written() {
    let far = Far::new(b"").await;
    let (world, proxy) = world(named(&["localhost"])).await;
    world.log.broken.store(true, Ordering::SeqCst);
    let (head, mut socket) = connect(&world, &format!("localhost:{}", far.port), &password(&proxy)).await;
    assert!(head.starts_with("HTTP/1.1 503 ") && head.contains("audit-unavailable"), "{head}");
    let _ = socket.write_all(b"secret").await;
    let mut rest = Vec::new();
    let _ = socket.read_to_end(&mut rest).await;
    assert_eq!(far.seen(), "");
}

#[tokio::test]
async fn a_private_address_or_this_machine_is_reached_only_when_its_host_is_named() {
    let far = Far::new(b"").await;
    for passthrough in [Passthrough::public(), named(&["*"]), named(&["public", "*.localhost"])] {
        let (world, proxy) = world(passthrough).await;
        for host in ["localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "127.1", "2130706433", "0x7f.1"] {
            let (head, _) = connect(&world, &format!("{host}:{}", far.port), &password(&proxy)).await;
            assert!(head.starts_with("HTTP/1.1 403 ") || head.starts_with("HTTP/1.1 503 "), "{host}: {head}");
        }
        assert!(opened(&world).is_empty());
    }
    let (world, proxy) = world(named(&["169.254.169.254", "fd00:ec2::254"])).await;
    for host in ["169.254.169.254", "[fd00:ec2::254]", "[::ffff:169.254.169.254]"] {
        let (head, _) = connect(&world, &format!("{host}:80"), &password(&proxy)).await;
        assert!(head.starts_with("HTTP/1.1 403 "), "named or not, {host}: {head}");
    }
    assert_eq!(far.seen(), "");
}

/// The caller's own proxy: answers 200, then says nothing.
const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

fn outer(far: &Far) -> Option<OuterProxy> {
    Some(OuterProxy::parse(&format!("http://corp:p%40ss@127.0.0.1:{}", far.port)).expect("a proxy"))
}

#[tokio::test]
async fn hosts_of_the_internet_pass_through_the_callers_own_proxy_and_no_host_of_aws_does() {
    let far = Far::new(ESTABLISHED).await;
    let (world, proxy) = world(Passthrough::public().through(outer(&far), None)).await;
    for refused in [
        "vpce-1.s3.us-east-1.vpce.amazonaws.com:443",
        "x.execute-api.us-east-1.amazonaws.com:443",
        "S3.us-east-1.amazonaws.com:443",
        "s3.us-east-1.amazonaws.com.:443",
        "s3.us-east-1.amazonaws.com:80",
        "s3.cn-north-1.amazonaws.com.cn:443",
        "signin.aws.amazon.com:443",
        "x.lambda-url.us-east-1.on.aws:443",
        "metadata.google.internal:80",
        "169.254.169.254:80",
        "intranet:443",
    ] {
        let (head, _) = connect(&world, refused, &password(&proxy)).await;
        assert!(head.starts_with("HTTP/1.1 403 ") && head.contains("foreign-origin"), "{refused}: {head}");
    }
    assert_eq!((far.seen().as_str(), opened(&world)), ("", vec![]));
    let (head, _) = connect(&world, "api.example.com:443", "").await;
    assert!(head.starts_with("HTTP/1.1 407 "), "{head}");
    let mut socket = tunnelled(&world, &proxy, "api.example.com:443").await;
    socket.write_all(b"hello").await.expect("sent");
    let mut back = [0; 5];
    socket.read_exact(&mut back).await.expect("echoed");
    let asked = far.seen();
    assert!(asked.starts_with("CONNECT api.example.com:443 HTTP/1.1\r\nHost: api.example.com:443\r\n"), "{asked}");
    assert!(asked.contains("Proxy-Authorization: Basic Y29ycDpwQHNz\r\n") && asked.ends_with("hello"), "{asked}");
    assert!(!asked.contains(&basic(&proxy)), "our own password has left");
    assert_eq!(opened(&world), [("api.example.com".to_owned(), 443, false)]);
}

#[tokio::test]
async fn a_refusal_of_the_callers_own_proxy_is_told() {
    let far = Far::new(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
    let (world, proxy) = world(Passthrough::public().through(outer(&far), None)).await;
    let (head, _) = connect(&world, "api.example.com:443", &password(&proxy)).await;
    assert!(head.starts_with("HTTP/1.1 403 ") || head.starts_with("HTTP/1.1 503 "), "{head}");
    assert!(head.contains("upstream-unreachable"), "{head}");
    assert!(opened(&world).is_empty());
}

#[tokio::test]
async fn a_plain_request_passes_on_without_what_is_ours() {
    let far =
        Far::new(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: x-hop\r\nx-hop: 1\r\nx-b: 2\r\n\r\nthere").await;
    let (world, proxy) = world(named(&["localhost"])).await;
    let request = |more: &str| {
        format!(
            "POST http://localhost:{}/a?b HTTP/1.1\r\nHost: s3.amazonaws.com\r\nContent-Length: 4\r\nTE: trailers\r\n\
             x-a: 1\r\n{more}\r\nbody",
            far.port
        )
    };
    let refused = exchange(world.gate.address(), request("").as_bytes()).await;
    assert!(refused.starts_with("HTTP/1.1 407 "), "{refused}");
    let twice = request(&format!("{}Content-Length: 5\r\n", password(&proxy)));
    let refused = exchange(world.gate.address(), twice.as_bytes()).await;
    assert!(refused.starts_with("HTTP/1.1 4"), "{refused}");
    assert_eq!(far.seen(), "");
    let answer =
        exchange(world.gate.address(), request(&format!("{}Connection: close\r\n", password(&proxy))).as_bytes()).await;
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.contains("\r\n\r\nthere") && answer.contains("x-b: 2"),
        "{answer}"
    );
    assert!(!answer.contains("x-hop"), "{answer}");
    eventually("the body", || far.seen().ends_with("body")).await;
    let seen = far.seen().to_ascii_lowercase();
    assert!(seen.starts_with(&format!("post /a?b http/1.1\r\nhost: localhost:{}\r\n", far.port)), "{seen}");
    assert!(
        seen.contains("x-a: 1") && seen.ends_with("body") && !seen.contains("proxy-") && !seen.contains("te:"),
        "{seen}"
    );
    eventually("the end", || closed(&world).len() == 1).await;
    assert_eq!((opened(&world), closed(&world)), (vec![("localhost".into(), far.port, true)], vec![(4, 5, None)]));
}

#[tokio::test]
async fn a_plain_request_goes_to_the_callers_own_proxy_as_one_for_a_proxy() {
    let far = Far::new(b"HTTP/1.1 204 No Content\r\n\r\n").await;
    let (world, proxy) = world(Passthrough::public().through(None, outer(&far))).await;
    for refused in ["http://169.254.169.254/latest/meta-data/", "http://x.elb.us-east-1.amazonaws.com/"] {
        let ask = format!("GET {refused} HTTP/1.1\r\nHost: x\r\n{}\r\n", password(&proxy));
        let answer = exchange(world.gate.address(), ask.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{refused}: {answer}");
    }
    let ask = format!(
        "GET http://deb.example.org/a HTTP/1.1\r\nHost: deb.example.org\r\n{}Connection: close\r\n\r\n",
        password(&proxy)
    );
    let answer = exchange(world.gate.address(), ask.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
    let seen = far.seen().to_ascii_lowercase();
    assert!(seen.starts_with("get http://deb.example.org/a http/1.1\r\n"), "{seen}");
    assert!(seen.contains("proxy-authorization: basic y29ycdpwqhnz"), "{seen}");
}

#[tokio::test]
async fn a_plain_answer_is_cut_when_the_session_is_taken_back() {
    let far = Far::new(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nthere").await;
    let (world, proxy) = world(named(&["localhost"])).await;
    let mut socket = TcpStream::connect(world.gate.address()).await.expect("connects");
    let ask = format!("GET http://localhost:{}/ HTTP/1.1\r\nHost: x\r\n{}\r\n", far.port, password(&proxy));
    socket.write_all(ask.as_bytes()).await.expect("sent");
    let mut head = vec![0; 64];
    let read = socket.read(&mut head).await.expect("a head");
    assert!(head[..read].starts_with(b"HTTP/1.1 200 "));
    assert_eq!(world.gate.switch().refuse(Closed::Revoked).streams_cut, 1);
    let mut rest = Vec::new();
    assert!(cut(&mut socket, &mut rest).await, "an end, and not a cut");
    eventually("the end", || closed(&world).len() == 1).await;
    assert_eq!(closed(&world)[0].2.as_deref(), Some("cut: revoked"));
}

#[tokio::test]
async fn connections_to_other_hosts_past_the_limit_are_refused_and_leave_room_for_the_cloud() {
    let far = Far::new(b"").await;
    let (world, proxy) = world(named(&["localhost"])).await;
    let authority = format!("localhost:{}", far.port);
    let mut open = Vec::new();
    for _ in 0..PASSTHROUGH_CONNECTIONS_MAX {
        open.push(tunnelled(&world, &proxy, &authority).await);
    }
    let (head, _) = connect(&world, &authority, &password(&proxy)).await;
    assert!(head.starts_with("HTTP/1.1 403 ") && head.contains("too-large"), "{head}");
    let (head, _) = connect(&world, "s3.us-east-1.amazonaws.com:443", &password(&proxy)).await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    open.pop();
    eventually("a place", || closed(&world).len() == 1).await;
    tunnelled(&world, &proxy, &authority).await;
}

/// What passes is what a client asks of a proxy: not a probe of who stands behind it, and not from within a tunnel.
#[tokio::test]
async fn no_trace_passes_and_nothing_from_within_a_tunnel() {
    let far = Far::new(b"HTTP/1.1 204 No Content\r\n\r\n").await;
    let world = Setup::on("http://127.0.0.1:1").gate().await;
    let proxy = world.gate.open_proxy(named(&["localhost"])).expect("a proxy");
    let url = format!("http://localhost:{}/", far.port);
    let sealed = url.replace("http:", "https:");
    let user = url.replace("http://", "http://deb.example.org@");
    for line in [format!("TRACE {url}"), format!("GET {sealed}"), format!("GET {user}"), format!("POST ftp{sealed}")] {
        let ask = format!("{line} HTTP/1.1\r\nHost: x\r\n{}\r\n", password(&proxy));
        let answer = exchange(world.gate.address(), ask.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{line}: {answer}");
    }
    let (head, socket) = connect(&world, &format!("{S3}:443"), &password(&proxy)).await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let mut stream = encrypted(&proxy, socket, S3).await.expect("trusted");
    let ask = format!("GET {url} HTTP/1.1\r\nHost: {S3}\r\n{}Connection: close\r\n\r\n", password(&proxy));
    stream.write_all(ask.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    // Some ends of a connection are no end of TLS.
    let _ = stream.read_to_string(&mut answer).await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    assert_eq!(far.seen(), "");
}

/// The session's own upstream is reached by the gate, and by nobody beside it.
#[tokio::test]
async fn the_upstream_of_a_session_is_never_passed_through_to_its_command() {
    let far = Far::new(b"").await;
    let world = Setup::on(&format!("http://localhost:{}", far.port)).gate().await;
    let proxy = world.gate.open_proxy(named(&["localhost"])).expect("a proxy");
    let (head, _) = connect(&world, &format!("localhost:{}", far.port), &password(&proxy)).await;
    assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
    let ask = format!("GET http://LOCALHOST:{}/ HTTP/1.1\r\nHost: x\r\n{}\r\n", far.port, password(&proxy));
    let answer = exchange(world.gate.address(), ask.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    assert_eq!(far.seen(), "");
}
