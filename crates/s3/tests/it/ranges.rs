//! Ranges, and stores that leave them out of account (RFC 9110, 14.2).

use hallpass_s3::client::{GetOptions, ObjectId};
use hallpass_s3::error::ErrorKind;
use hallpass_s3::transfer::{TransferOptions, download, download_stream};

use crate::chaos::{Act, Chaos};
use crate::world::{Keys, client};

/// Sends the whole, whatever is asked for.
async fn careless(bytes: Vec<u8>) -> Chaos {
    Chaos::start(move |_, _| Act::Answer(200, "etag: \"a\"\r\n".to_owned(), bytes.clone())).await
}

#[tokio::test]
async fn a_range_is_a_range_where_the_store_sends_the_whole() {
    let store = careless((0..100_000_u32).map(|n| (n % 251) as u8).collect()).await;
    let client = client(&store.url(), Keys::fixed());
    let all: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
    for (range, expected) in [
        (0..=2, &all[..3]),
        (70_000..=70_001, &all[70_000..70_002]),
        (99_990..=u64::MAX, &all[99_990..]),
        (5..=5_000_000, &all[5..]),
    ] {
        let mut out = Vec::new();
        let get = GetOptions { range: Some(range.clone()), ..GetOptions::default() };
        let at = ObjectId::new("bucket", "key");
        let done = download_stream(&client, &at, &mut out, &get, &TransferOptions::default()).await.expect("reads");
        assert!(out == expected && !done.verified, "{range:?}: {} bytes", out.len());
    }
    let get = GetOptions { range: Some(100_000..=100_001), ..GetOptions::default() };
    let error =
        download_stream(&client, &ObjectId::new("bucket", "key"), Vec::new(), &get, &TransferOptions::default())
            .await
            .expect_err("beyond the end");
    assert_eq!(error.code(), "InvalidRange");
}

#[tokio::test]
async fn a_file_in_ranges_is_refused_with_the_way_out_where_the_store_sends_the_whole() {
    let store = careless(vec![7; 20 << 20]).await;
    let client = client(&store.url(), Keys::fixed());
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("file");
    let (at, options) = (ObjectId::new("bucket", "key"), TransferOptions::default());
    let error = download(&client, &at, &path, None, &GetOptions::default(), &options).await.expect_err("refused");
    assert_eq!((error.kind(), error.code()), (ErrorKind::Unsupported, "ranges_ignored"));
    assert!(error.suggestion().is_some_and(|next| next.contains("--part-size")) && !path.exists());
    let one = TransferOptions { part_size: Some(64 << 20), ..options };
    download(&client, &at, &path, None, &GetOptions::default(), &one).await.expect("in one part");
    assert_eq!(std::fs::metadata(&path).expect("a file").len(), 20 << 20);
}
