//! The gate's own requests behind a company's proxy.

use std::sync::atomic::Ordering;

use hallpass_dataplane::gate::Outward;
use hallpass_testkit::connect_proxy::ConnectProxy;

use crate::client::get;
use crate::tls::server;
use crate::upstream::Upstream;
use crate::world::Setup;

const HOST: &str = "s3.us-east-1.amazonaws.com";
/// `corp:p@ss` in base 64.
const BASIC: &str = "Basic Y29ycDpwQHNz";

fn through(proxy: &ConnectProxy, no_proxy: &str) -> Outward {
    Outward::new(Some(&format!("http://corp:p%40ss@{}", proxy.address())), Some(no_proxy))
}

#[tokio::test]
async fn requests_to_aws_go_through_the_callers_proxy_sealed() {
    let (upstream, authority, requests) = server(HOST).await;
    let proxy = ConnectProxy::start(upstream.address(), Some(BASIC)).await.expect("a proxy");
    let world = Setup::at_aws().outward(through(&proxy, "localhost, 10.0.0.0/8")).extra_roots(&authority).gate().await;
    assert_eq!(get(&world, "/bucket/key").await.text(), "secret");
    assert_eq!(requests.load(Ordering::SeqCst), 1);
    let asked = proxy.asked();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].starts_with(&format!("CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n")), "{asked:?}");
    assert!(!asked[0].contains("AKIA") && !asked[0].contains("bucket"), "{asked:?}");
}

#[tokio::test]
async fn a_proxy_that_reads_along_or_refuses_gets_no_request() {
    let (upstream, _, requests) = server(HOST).await;
    let (_, unrelated, _) = server(HOST).await;
    let reading = ConnectProxy::start(upstream.address(), Some(BASIC)).await.expect("a proxy");
    let world = Setup::at_aws().outward(through(&reading, "")).extra_roots(&unrelated).gate().await;
    assert_eq!(get(&world, "/bucket/key").await.reason(), "upstream-unreachable", "another's certificate");
    let closed = ConnectProxy::start(upstream.address(), Some("Basic another")).await.expect("a proxy");
    let world = Setup::at_aws().outward(through(&closed, "")).extra_roots(&unrelated).gate().await;
    let answer = get(&world, "/bucket/key").await;
    assert_eq!((answer.status.as_u16(), answer.reason()), (503, "upstream-unreachable"));
    assert!(answer.text().contains("407") && !answer.text().contains("p@ss"), "{}", answer.text());
    assert_eq!(requests.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn upstreams_on_this_machine_never_go_through_a_proxy() {
    let nowhere = "127.0.0.1:1".parse().expect("an address");
    let proxy = ConnectProxy::start(nowhere, None).await.expect("a proxy");
    let plain = Upstream::plain().await;
    let world = Setup::on(&plain.url()).outward(through(&proxy, "")).gate().await;
    assert_eq!(get(&world, "/bucket/key").await.status, 200);
    let (sealed, authority, _) = server("127.0.0.1").await;
    let url = sealed.url().replace("http:", "https:");
    let world = Setup::on(&url).outward(through(&proxy, "")).extra_roots(&authority).gate().await;
    assert_eq!(get(&world, "/bucket/key").await.text(), "secret");
    assert_eq!(proxy.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn a_proxy_that_cannot_be_gone_through_stops_requests_and_nothing_goes_around_it() {
    let world = Setup::at_aws().outward(Outward::new(Some("socks5://me:hunter2@127.0.0.1:1"), None)).gate().await;
    let answer = get(&world, "/bucket/key").await;
    assert_eq!(answer.reason(), "upstream-unreachable");
    assert!(answer.text().contains("plain http") && !answer.text().contains("hunter2"), "{}", answer.text());
}
