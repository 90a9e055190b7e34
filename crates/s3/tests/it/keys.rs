//! Keys that are easy to get wrong.

use hallpass_s3::client::Client;
use hallpass_s3::client::{
    CopyOptions, CreateBucketOptions, Doomed, GetOptions, ListOptions, ObjectId, Payload, PutOptions,
};
use hallpass_testkit::servers::ministack::Ministack;

use crate::chaos::{Chaos, answer};
use crate::world::{Keys, Store, client, client_of};

fn odd_keys() -> Vec<String> {
    let plain =
        ["a b", "a+b", "a%2Fb", "100%", "\u{e4}\u{f6}\u{1f600}", "q?x=1&y#z", "quote\"'<>&;", "a=b:c@d", "(x)*!~$,"];
    let mut keys: Vec<String> = plain.map(str::to_owned).to_vec();
    keys.push("\u{fc}".repeat(40));
    keys
}

async fn all_come_back(client: &Client, bucket: &str, keys: &[String]) {
    for (number, key) in keys.iter().enumerate() {
        let at = ObjectId::new(bucket, key);
        let body = format!("body {number}");
        client.put(&at, Payload::bytes(body.clone()), &PutOptions::default()).await.expect(key);
        let got = client.get(&at, &GetOptions::default()).await.expect(key).body.collect(100).await.expect(key);
        assert_eq!(got, body, "{key}");
        assert_eq!(client.head(&at, &GetOptions::default()).await.expect(key).size, body.len() as u64, "{key}");
    }
    let mut listed = Vec::new();
    let mut listing = client.list(bucket, ListOptions { page: Some(3), ..ListOptions::default() });
    while let Some(page) = listing.next().await.expect("a page") {
        listed.extend(page.objects.into_iter().map(|object| object.key));
    }
    let mut expected = keys.to_vec();
    listed.sort();
    expected.sort();
    assert_eq!(listed, expected);
    let to = ObjectId::new(bucket, "copied");
    client.copy(&ObjectId::new(bucket, &keys[0]), &to, &CopyOptions::default()).await.expect("copied");
    client.delete(&to).await.expect("deleted");
    let doomed: Vec<_> = keys.iter().map(|key| Doomed { key: key.clone(), version: None }).collect();
    let outcome = client.delete_many(bucket, &doomed, false).await.expect("deleted");
    assert_eq!((outcome.deleted.len(), outcome.failed), (keys.len(), vec![]));
    assert_eq!(client.list(bucket, ListOptions::default()).next().await.expect("a page").expect("one").objects, []);
}

#[tokio::test]
async fn odd_keys_come_back_from_s3s_fs() {
    let store = Store::start().await;
    let client = store.client();
    client.create_bucket("odd", &CreateBucketOptions::default()).await.expect("made");
    // It keeps objects as files, so a key is a path of short names to it.
    all_come_back(&client, "odd", &odd_keys()).await;
}

#[tokio::test]
async fn odd_keys_come_back_from_ministack() {
    let store = Ministack::shared();
    let client = client_of(&store.url(), &store.owner.key, &store.owner.secret);
    client.create_bucket("odd-keys", &CreateBucketOptions::default()).await.expect("made");
    let mut keys = odd_keys();
    keys.extend([
        "in//side".to_owned(),
        "dot/./s".to_owned(),
        "up/../s".to_owned(),
        "/lead".to_owned(),
        "trail/".to_owned(),
        "k".repeat(1_024),
        "\u{e4}".repeat(512),
        "t\tab".to_owned(),
    ]);
    all_come_back(&client, "odd-keys", &keys).await;
}

#[tokio::test]
async fn keys_are_asked_for_encoded_only_where_xml_cannot_carry_them() {
    let store = Chaos::start(|seen, _| match (seen.query("prefix"), seen.query("encoding-type")) {
        // A store that says that it encodes, and does not.
        (Some("lies"), encoding) => {
            let said = encoding.map(|_| "<EncodingType>url</EncodingType>").unwrap_or_default();
            answer(200, format!("<ListBucketResult>{said}<Contents><Key>lies-a+b</Key></Contents></ListBucketResult>"))
        }
        (_, None) => answer(200, "<ListBucketResult><Contents><Key>odd-a\u{fffd}b</Key></Contents></ListBucketResult>"),
        (_, Some(_)) => answer(
            200,
            "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>odd-a%01b+c</Key></Contents></ListBucketResult>",
        ),
    })
    .await;
    let client = client(&store.url(), Keys::fixed());
    for (prefix, key) in [("lies", "lies-a+b"), ("odd", "odd-a\u{1}b c")] {
        let mut listing = client.list("bucket", ListOptions { prefix: prefix.into(), ..ListOptions::default() });
        assert_eq!(listing.next().await.expect("a page").expect("one").objects[0].key, key);
    }
    // What no document can hold is deleted by itself.
    let doomed = [Doomed { key: "a\u{1}b".into(), version: None }];
    client.delete_many("bucket", &doomed, false).await.expect("deleted");
    let last = store.seen().pop().expect("one");
    assert_eq!((last.method.as_str(), last.target.as_str()), ("DELETE", "/bucket/a%01b"));
}

#[tokio::test]
async fn a_listing_that_never_ends_is_an_error() {
    let store = Chaos::start(|_, _| {
        answer(200, "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken></ListBucketResult>")
    })
    .await;
    let mut listing = client(&store.url(), Keys::fixed()).list("bucket", ListOptions::default());
    listing.next().await.expect("the first page");
    listing.next().await.expect_err("the same again");
}
