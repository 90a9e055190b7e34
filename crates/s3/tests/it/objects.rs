//! Operations against s3s-fs.

use hallpass_s3::client::{
    CompleteOptions, CopyOptions, CreateBucketOptions, Doomed, Flow, GetOptions, ListOptions, ObjectId, Payload,
    Properties, PutOptions,
};
use hallpass_s3::error::ErrorKind;

use crate::world::Store;

#[tokio::test]
async fn an_object_comes_back_as_it_went() {
    let store = Store::start().await;
    let client = store.client();
    client.create_bucket("reports", &CreateBucketOptions::default()).await.expect("made");
    let at = ObjectId::new("reports", "a/b.txt");
    let properties = Properties {
        content_type: Some("text/plain".into()),
        metadata: vec![("author".into(), "somebody".into())],
        ..Properties::default()
    };
    let options = PutOptions { properties, ..PutOptions::default() };
    let written = client.put(&at, Payload::bytes("alpha"), &options).await.expect("written");
    assert!(written.verified && written.etag.is_some(), "{written:?}");

    let head = client.head(&at, &GetOptions::default()).await.expect("there");
    assert_eq!((head.size, head.properties.content_type.as_deref()), (5, Some("text/plain")));
    assert_eq!(head.properties.metadata, [("author".to_owned(), "somebody".to_owned())]);
    let got = client.get(&at, &GetOptions::default()).await.expect("there");
    assert_eq!((got.length, got.partial), (5, false));
    assert_eq!(got.body.collect(10).await.expect("whole"), "alpha");
    let range = GetOptions { range: Some(1..=2), ..GetOptions::default() };
    let got = client.get(&at, &range).await.expect("there");
    assert_eq!((got.length, got.partial, got.head.size), (2, true, 5));
    assert_eq!(got.body.collect(10).await.expect("whole"), "lp");

    let to = ObjectId::new("reports", "copy of b.txt");
    client.copy(&at, &to, &CopyOptions::default()).await.expect("copied");
    client.delete(&at).await.expect("deleted");
    let gone = client.get(&at, &GetOptions::default()).await.expect_err("gone");
    assert_eq!((gone.kind(), gone.code()), (ErrorKind::NotFound, "NoSuchKey"));
    assert_eq!(client.head(&at, &GetOptions::default()).await.expect_err("gone").kind(), ErrorKind::NotFound);
    let copied = client.get(&to, &GetOptions::default()).await.expect("there").body.collect(10).await;
    assert_eq!(copied.expect("whole"), "alpha");
}

#[tokio::test]
async fn a_listing_is_read_page_by_page_and_a_batch_deletes_it() {
    let store = Store::start().await;
    let client = store.client();
    client.create_bucket("many", &CreateBucketOptions::default()).await.expect("made");
    for i in 0..25 {
        let at = ObjectId::new("many", format!("logs/{i:02}"));
        client.put(&at, Payload::bytes("x"), &PutOptions::default()).await.expect("written");
    }
    client.put(&ObjectId::new("many", "top"), Payload::empty(), &PutOptions::default()).await.expect("written");
    let options = ListOptions { prefix: "logs/".into(), page: Some(10), ..ListOptions::default() };
    let mut listing = client.list("many", options);
    let (mut keys, mut pages) = (Vec::new(), 0);
    while let Some(page) = listing.next().await.expect("a page") {
        pages += 1;
        keys.extend(page.objects.into_iter().map(|object| object.key));
    }
    assert_eq!((pages, keys.len(), keys[24].as_str()), (3, 25, "logs/24"));
    let folders = ListOptions { delimiter: Some("/".into()), ..ListOptions::default() };
    let page = client.list("many", folders).next().await.expect("a page").expect("one");
    assert_eq!((page.prefixes, page.objects[0].key.as_str()), (vec!["logs/".to_owned()], "top"));

    let doomed: Vec<_> = keys.into_iter().map(|key| Doomed { key, version: None }).collect();
    let outcome = client.delete_many("many", &doomed, false).await.expect("deleted");
    assert_eq!((outcome.deleted.len(), outcome.failed), (25, vec![]));
    client.delete(&ObjectId::new("many", "top")).await.expect("deleted");
    assert_eq!(client.list("many", ListOptions::default()).next().await.expect("a page").expect("one").objects, []);
    client.delete_bucket("many").await.expect("removed");
    let gone = client.list("many", ListOptions::default()).next().await.expect_err("gone");
    assert_eq!((gone.kind(), gone.code()), (ErrorKind::NotFound, "NoSuchBucket"));
    assert_eq!(client.list_buckets().await.expect("listed"), []);
}

#[tokio::test]
async fn parts_become_one_object_or_nothing() {
    let store = Store::start().await;
    let client = store.client();
    client.create_bucket("parts", &CreateBucketOptions::default()).await.expect("made");
    let at = ObjectId::new("parts", "big");
    let upload = client.create_multipart(&at, &Properties::default()).await.expect("begun");
    let flow = Flow::default();
    let first = client.upload_part(&upload, 1, Payload::bytes(vec![b'a'; 5 << 20]), &flow).await.expect("sent");
    let second = client.upload_part(&upload, 2, Payload::bytes("end"), &flow).await.expect("sent");
    let written = client.complete(&upload, &[first, second], &CompleteOptions::default()).await.expect("made");
    assert!(written.etag.is_some());
    assert_eq!(client.head(&at, &GetOptions::default()).await.expect("there").size, (5 << 20) + 3);

    let other = ObjectId::new("parts", "never");
    let upload = client.create_multipart(&other, &Properties::default()).await.expect("begun");
    client.upload_part(&upload, 1, Payload::bytes("x"), &flow).await.expect("sent");
    client.abort(&upload).await.expect("given up");
    assert_eq!(client.head(&other, &GetOptions::default()).await.expect_err("none").kind(), ErrorKind::NotFound);
}
