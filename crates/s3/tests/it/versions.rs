//! Versions, copies larger than one call, and URLs to give away.

use std::sync::{Arc, Mutex};

use hallpass_s3::client::{
    CopyOptions, CreateBucketOptions, Doomed, GetOptions, ListOptions, ObjectId, Payload, PutOptions,
};
use hallpass_s3::error::ErrorKind;
use hallpass_s3::transfer::{TransferOptions, copy};
use hallpass_testkit::clients;
use hallpass_testkit::servers::ministack::Ministack;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::chaos::{Act, Chaos, answer};
use crate::world::{Keys, Store, client, client_of};

#[tokio::test]
async fn versions_are_listed_read_and_deleted_one_by_one() {
    let store = Ministack::shared();
    let client = client_of(&store.url(), &store.owner.key, &store.owner.secret);
    client.create_bucket("versions", &CreateBucketOptions::default()).await.expect("made");
    let mut aws = store.client_as(&store.owner, "aws");
    aws.args(["s3api", "put-bucket-versioning", "--bucket", "versions"]);
    aws.args(["--versioning-configuration", "Status=Enabled"]);
    let outcome = clients::run(&mut aws);
    assert!(outcome.status.success(), "{}", outcome.shown());

    let at = ObjectId::new("versions", "a b");
    let mut written = Vec::new();
    for body in ["one", "two", "three"] {
        let put = client.put(&at, Payload::bytes(body), &PutOptions::default()).await.expect("written");
        written.push(put.version.expect("a version"));
    }
    assert!(client.delete(&at).await.expect("deleted").marker);
    assert_eq!(client.get(&at, &GetOptions::default()).await.expect_err("deleted").kind(), ErrorKind::NotFound);
    let first = at.clone().with_version(&written[0]);
    let got = client.get(&first, &GetOptions::default()).await.expect("there").body.collect(10).await;
    assert_eq!(got.expect("whole"), "one");

    let mut listing = client.list_versions("versions", ListOptions { page: Some(2), ..ListOptions::default() });
    let mut versions = Vec::new();
    while let Some(page) = listing.next().await.expect("a page") {
        versions.extend(page.versions);
    }
    assert_eq!(versions.len(), 4);
    assert!(versions.iter().all(|version| version.object.key == "a b"));
    assert_eq!(versions.iter().filter(|version| version.marker && version.latest).count(), 1);
    let doomed: Vec<_> = versions.into_iter().map(|v| Doomed { key: v.object.key, version: Some(v.version) }).collect();
    let outcome = client.delete_many("versions", &doomed, false).await.expect("deleted");
    assert_eq!((outcome.deleted.len(), outcome.failed), (4, vec![]));
    client.delete_bucket("versions").await.expect("empty");
}

#[tokio::test]
async fn an_object_above_5_gib_is_copied_part_by_part_of_one_state() {
    let size = 6_u64 << 30;
    let ranges = Arc::<Mutex<Vec<(String, String)>>>::default();
    let shared = Arc::clone(&ranges);
    let store = Chaos::start(move |seen, _| match seen.method.as_str() {
        "HEAD" => {
            Act::Answer(200, format!("etag: \"e\"\r\ncontent-type: a/b\r\ncontent-length: {size}\r\n"), Vec::new())
        }
        "PUT" => {
            let header = |name| seen.header(name).to_owned();
            let pair = (header("x-amz-copy-source-range"), header("x-amz-copy-source-if-match"));
            shared.lock().expect("no panic").push(pair);
            answer(200, "<CopyPartResult><ETag>\"p\"</ETag></CopyPartResult>")
        }
        _ if seen.target.contains("uploads=") => {
            assert_eq!(seen.header("content-type"), "a/b");
            answer(200, "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
        }
        _ => answer(200, "<CompleteMultipartUploadResult><ETag>\"e-12\"</ETag></CompleteMultipartUploadResult>"),
    })
    .await;
    let client = client(&store.url(), Keys::fixed());
    let (from, to) = (ObjectId::new("bucket", "a+b"), ObjectId::new("bucket", "to"));
    let options = TransferOptions::default();
    let written = copy(&client, &from, &to, None, &CopyOptions::default(), &options).await.expect("copied");
    assert_eq!(written.etag.as_deref(), Some("\"e-12\""));
    let mut ranges = ranges.lock().expect("no panic").clone();
    ranges.sort_by_key(|(range, _)| range["bytes=".len()..].split('-').next().and_then(|n| n.parse::<u64>().ok()));
    assert_eq!((ranges.len(), ranges[11].0.as_str()), (12, "bytes=5905580032-6442450943"));
    assert!(ranges.iter().all(|(_, etag)| etag == "\"e\""));
    assert!(store.seen().iter().any(|seen| seen.header("x-amz-copy-source") == "/bucket/a%2Bb"));
}

#[tokio::test]
async fn a_presigned_url_opens_the_object_and_nothing_else() {
    let store = Store::start().await;
    let client = store.client();
    client.create_bucket("bucket", &CreateBucketOptions::default()).await.expect("made");
    let at = ObjectId::new("bucket", "a b+c");
    client.put(&at, Payload::bytes("alpha"), &PutOptions::default()).await.expect("written");
    let signed = client.presign(&http::Method::GET, &at, 60).await.expect("signed");
    assert!(!format!("{signed:?}").contains("Signature"));
    let target = signed.url.strip_prefix(&store.url()).expect("the store's").to_owned();
    let host = store.url().strip_prefix("http://").expect("plain").to_owned();
    for (target, status) in [(target.clone(), "200"), (target.replace("b%2Bc", "other"), "403")] {
        let mut socket = TcpStream::connect(&host).await.expect("reached");
        let ask = format!("GET {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        socket.write_all(ask.as_bytes()).await.expect("asked");
        let mut got = String::new();
        socket.read_to_string(&mut got).await.expect("answered");
        assert_eq!(got.get(9..12), Some(status), "{got}");
    }
    client.presign(&http::Method::GET, &at, 0).await.expect_err("no life");
    // That the link opens this version, and no other, is shown with stores that have versions.
    let version = client.presign(&http::Method::GET, &at.with_version("v/1"), 60).await.expect("signed");
    assert!(version.url.contains("&versionId=v%2F1&X-Amz-Signature="), "{}", version.url);
}
