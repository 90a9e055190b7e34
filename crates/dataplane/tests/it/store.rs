//! Against a store that verifies signatures and body hashes.

use http::Method;

use crate::client::{Sign, ask, get, put};
use crate::upstream::Upstream;
use crate::world::Setup;

#[tokio::test]
async fn a_strict_store_accepts_what_the_gate_signs() {
    let folder = tempfile::tempdir().expect("a folder");
    let upstream = Upstream::store(folder.path()).await;
    let world = Setup::on(&upstream.url()).long_term_keys().gate().await;
    assert_eq!(put(&world, "/bucket", b"").await.status, 200);
    for key in ["plain", "a%20b/c%2Bd", "%C3%BC", "p%40th~-_.x"] {
        let path = format!("/bucket/{key}");
        let stored = put(&world, &path, key.as_bytes()).await;
        assert_eq!(stored.status, 200, "{key}: {}", stored.text());
        assert_eq!(get(&world, &path).await.text(), key);
    }
    let listed = get(&world, "/bucket?list-type=2&prefix=a%20b%2F&max-keys=5").await;
    assert_eq!(listed.status, 200, "{}", listed.text());
    assert!(listed.text().contains("a b/c+d"), "{}", listed.text());
    let gone = ask(&world, Sign::with(&world).request(Method::DELETE, "/bucket/plain", &[], b"")).await;
    assert_eq!(gone.status, 204);
    assert_eq!(get(&world, "/bucket/plain").await.status, 404);
    assert_eq!(world.gate.counts().signed as usize, world.log.allowed());
}

#[tokio::test]
async fn a_session_on_a_store_never_goes_anywhere_else() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("bucket")).expect("a bucket");
    let upstream = Upstream::store(folder.path()).await;
    // That the policy does not allow it either is no reason to ask for it.
    let world = Setup::on_store(&upstream.url()).actions(&["s3:*"]).long_term_keys().gate().await;
    assert_eq!(put(&world, "/bucket/key", b"body").await.status, 200);
    assert_eq!(get(&world, "/bucket/key").await.text(), "body");
    let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", "AmazonSQS.ListQueues")];
    let queues = Sign::with(&world).service("sqs").request(http::Method::POST, "/", &headers, b"{}");
    let refused = ask(&world, queues).await;
    assert_eq!(refused.reason(), "unmapped", "{refused:?}");
    assert!(refused.text().contains("S3-compatible store"), "{refused:?}");
    assert_eq!(world.gate.counts().signed, 2, "nothing was signed for AWS");
}
