//! The client against SeaweedFS: a store that is not AWS.

use hallpass_s3::client::{CreateBucketOptions, Doomed, GetOptions, ListOptions, ObjectId, Payload, PutOptions};
use hallpass_s3::error::ErrorKind;
use hallpass_s3::transfer::{TransferOptions, download, upload_file};
use hallpass_testkit::servers::seaweedfs::{KEY, SECRET, Seaweedfs};

use crate::world::client_of;

#[tokio::test]
async fn seaweedfs_takes_and_gives_objects_parts_and_odd_keys() {
    let store = Seaweedfs::start().expect("started");
    let client = client_of(&store.url(), KEY, SECRET);
    client.create_bucket("reports", &CreateBucketOptions::default()).await.expect("made");
    let keys = ["a b", "a+b", "100%", "\u{e4}\u{1f600}", "x=1&y;z", "deep/er/key"];
    for key in keys {
        let at = ObjectId::new("reports", key);
        let written = client.put(&at, Payload::bytes(key), &PutOptions::default()).await.expect(key);
        assert!(written.verified, "{key}: {written:?}");
        let got = client.get(&at, &GetOptions::default()).await.expect(key).body.collect(100).await.expect(key);
        assert_eq!(got, key);
    }
    let mut listed = Vec::new();
    let mut listing = client.list("reports", ListOptions { page: Some(2), ..ListOptions::default() });
    while let Some(page) = listing.next().await.expect("a page") {
        listed.extend(page.objects.into_iter().map(|object| object.key));
    }
    listed.sort();
    let mut expected = keys.map(str::to_owned);
    expected.sort();
    assert_eq!(listed, expected);

    let folder = tempfile::tempdir().expect("a folder");
    let (path, back) = (folder.path().join("big"), folder.path().join("back"));
    let bytes: Vec<u8> = (0..17_000_003_u32).map(|i| (i % 251) as u8).collect();
    std::fs::write(&path, &bytes).expect("written");
    let (at, options) = (ObjectId::new("reports", "big"), TransferOptions::default());
    upload_file(&client, &path, &at, &PutOptions::default(), &options).await.expect("up");
    download(&client, &at, &back, None, &GetOptions::default(), &options).await.expect("down");
    assert!(std::fs::read(&back).expect("there") == bytes);

    let missing = client.head(&ObjectId::new("reports", "none"), &GetOptions::default()).await.expect_err("none");
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    let doomed: Vec<_> = keys.iter().map(|key| Doomed { key: (*key).to_owned(), version: None }).collect();
    let outcome = client.delete_many("reports", &doomed, false).await.expect("deleted");
    assert_eq!((outcome.deleted.len(), outcome.failed), (keys.len(), vec![]));
    let wrong = client_of(&store.url(), "NOBODY00000000000042", SECRET);
    assert_eq!(wrong.list_buckets().await.expect_err("refused").kind(), ErrorKind::Auth);
}
