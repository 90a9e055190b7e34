//! S3 access points through the proxy: the host that was asked is the host that is sent to, and no other store.

use hallpass_dataplane::gate::Passthrough;
use http::Method;

use crate::client::{Sign, ask};
use crate::tunnel::get_within;
use crate::upstream::Upstream;
use crate::world::{REAL_KEY, Setup};

const POINT: &str = "lent-123456789012.s3-accesspoint.us-east-1.amazonaws.com";

#[tokio::test]
async fn a_request_to_an_access_point_is_signed_anew_for_its_own_host() {
    let upstream = Upstream::plain().await;
    let world = Setup::at_aws().host_at(POINT, &upstream.url()).gate().await;
    let proxy = world.gate.open_proxy(Passthrough::default()).expect("a proxy");
    let answer = get_within(&world, &proxy, POINT, "/a/key").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let seen = upstream.seen();
    assert_eq!((seen[0].uri.path(), seen[0].header("host")), ("/a/key", POINT));
    assert!(seen[0].header("authorization").contains(REAL_KEY));
    let entry = serde_json::to_string(&world.log.entries()[0]).expect("JSON");
    assert!(entry.contains("arn:aws:s3:us-east-1:123456789012:accesspoint/lent/object/a/key"), "{entry}");
}

#[tokio::test]
async fn a_deny_on_a_bucket_is_not_passed_by_through_an_access_point() {
    let upstream = Upstream::plain().await;
    let deny = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},
        {"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::vault/*"}]}"#;
    let world = Setup::at_aws().host_at(POINT, &upstream.url()).document(deny).gate().await;
    let proxy = world.gate.open_proxy(Passthrough::default()).expect("a proxy");
    let answer = get_within(&world, &proxy, POINT, "/a/key").await;
    assert_eq!((answer.status.as_u16(), answer.reason()), (403, "explicit-deny"), "{answer:?}");
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn an_access_points_key_never_becomes_a_bucket_of_another_store() {
    let upstream = Upstream::plain().await;
    for setup in [Setup::on(&upstream.url()), Setup::on_store(&upstream.url())] {
        let world = setup.gate().await;
        let proxy = world.gate.open_proxy(Passthrough::default()).expect("a proxy");
        let answer = get_within(&world, &proxy, POINT, "/bucket/key").await;
        assert_eq!((answer.status.as_u16(), answer.reason()), (403, "unmapped"), "{answer:?}");
    }
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn s3_control_is_no_bucket_of_another_store() {
    let upstream = Upstream::plain().await;
    let account = [("x-amz-account-id", "123456789012")];
    let path = "/v20180820/accesspoint/lent";
    let store = Setup::on_store(&upstream.url()).gate().await;
    let answer = ask(&store, Sign::with(&store).request(Method::GET, path, &account, b"")).await;
    assert_eq!((answer.status.as_u16(), answer.reason()), (403, "unmapped"), "{answer:?}");
    assert!(upstream.seen().is_empty());

    let world = Setup::on(&upstream.url()).gate().await;
    let port = world.gate.address().port();
    let by_host = Sign { host: format!("123456789012.localhost:{port}"), ..Sign::with(&world) };
    for sign in [Sign::with(&world), by_host] {
        let answer = ask(&world, sign.request(Method::GET, path, &account, b"")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    assert!(upstream.seen().iter().all(|one| one.uri.path() == path));
}
