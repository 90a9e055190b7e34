//! What a store's refusals become, and what is done about them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hallpass_core::clock::ManualClock;
use hallpass_s3::client::{
    CompleteOptions, Doomed, Flow, GetOptions, ListOptions, ObjectId, Part, Payload, PutOptions, RateLimit,
};
use hallpass_s3::client::{Properties, multipart::MultipartUpload};
use hallpass_s3::error::{ErrorKind, S3Error};

use crate::chaos::{Act, Chaos, answer, refused};
use crate::world::{Keys, client, client_with, options};

fn at() -> ObjectId {
    ObjectId::new("bucket", "key")
}

#[tokio::test]
async fn an_expired_token_is_named_by_every_operation_head_included() {
    let store = Chaos::start(|seen, _| match seen.method.as_str() {
        "HEAD" => answer(400, ""),
        _ => refused(400, "ExpiredToken"),
    })
    .await;
    let client = client(&store.url(), Keys::session(0));
    let (get, upload) =
        (GetOptions::default(), MultipartUpload { object: at(), id: "u".into(), checksum: None, whole: false });
    let put = PutOptions::default();
    let complete = CompleteOptions::default();
    let doomed = [Doomed { key: "key".into(), version: None }];
    let errors = [
        client.list_buckets().await.map(drop).err(),
        client.create_bucket("bucket", &Default::default()).await.err(),
        client.delete_bucket("bucket").await.err(),
        client.head_bucket("bucket").await.map(drop).err(),
        client.get(&at(), &get).await.map(drop).err(),
        client.head(&at(), &get).await.map(drop).err(),
        client.put(&at(), Payload::bytes("x"), &put).await.map(drop).err(),
        client.copy(&at(), &at(), &Default::default()).await.map(drop).err(),
        client.delete(&at()).await.map(drop).err(),
        client.delete_many("bucket", &doomed, false).await.map(drop).err(),
        client.list("bucket", ListOptions::default()).next().await.map(drop).err(),
        client.list_versions("bucket", ListOptions::default()).next().await.map(drop).err(),
        client.list_uploads("bucket", "").next().await.map(drop).err(),
        client.list_parts(&upload).await.map(drop).err(),
        client.create_multipart(&at(), &Properties::default()).await.map(drop).err(),
        client.upload_part(&upload, 1, Payload::bytes("x"), &put.flow).await.map(drop).err(),
        client.copy_part(&upload, 1, &at(), 0..=1, None).await.map(drop).err(),
        client.complete(&upload, &[Part::default()], &complete).await.map(drop).err(),
        client.abort(&upload).await.err(),
    ];
    for (number, error) in errors.into_iter().enumerate() {
        assert_eq!(error, Some(S3Error::TokenExpired("work".into())), "operation {number}");
    }
    assert!(store.seen().iter().all(|seen| seen.header("authorization").contains("x-amz-security-token")));
}

#[tokio::test]
async fn a_token_that_can_be_renewed_is_renewed_once_and_the_request_sent_again() {
    let store = Chaos::start(|seen, _| match seen.header("x-amz-security-token") {
        token if token.ends_with('1') => Act::Answer(200, "etag: \"e\"\r\n".into(), Vec::new()),
        _ => refused(403, "ExpiredToken"),
    })
    .await;
    let keys = Keys::session(5);
    let renewing = client(&store.url(), keys.clone());
    renewing.put(&at(), Payload::bytes("again"), &PutOptions::default()).await.expect("written");
    assert_eq!((keys.renewed.load(Ordering::SeqCst), store.seen().len()), (1, 2));
    assert_eq!(store.seen()[1].body, b"again");

    let never = Chaos::start(|_, _| refused(403, "ExpiredToken")).await;
    let keys = Keys::session(5);
    let error = client(&never.url(), keys.clone()).get(&at(), &GetOptions::default()).await.expect_err("refused");
    assert_eq!(error, S3Error::TokenExpired("work".into()));
    assert_eq!((keys.renewed.load(Ordering::SeqCst), never.seen().len()), (1, 2));
}

#[tokio::test]
async fn a_head_without_a_body_is_asked_again_for_its_code() {
    let store = Chaos::start(|seen, _| match (seen.method.as_str(), seen.target.contains("denied")) {
        ("HEAD", _) => answer(403, ""),
        (_, true) => refused(403, "AccessDenied"),
        _ => refused(403, "SignatureDoesNotMatch"),
    })
    .await;
    let client = client(&store.url(), Keys::fixed());
    let error = client.head(&at(), &GetOptions::default()).await.expect_err("refused");
    assert_eq!((error.kind(), error.code()), (ErrorKind::Auth, "SignatureDoesNotMatch"));
    assert_eq!((store.seen()[1].method.as_str(), store.seen()[1].header("range")), ("GET", "bytes=0-0"));
    let error = client.head_bucket("denied").await.expect_err("refused");
    assert_eq!(error.code(), "AccessDenied");
    assert_eq!(store.seen()[3].query("max-keys"), Some("0"));
}

#[tokio::test]
async fn only_what_can_help_is_sent_again() {
    let store = Chaos::start(|seen, count| match (seen.query("prefix").unwrap_or_default(), count) {
        ("busy", 0 | 1) => {
            Act::Answer(503, "retry-after: 0\r\n".into(), b"<Error><Code>SlowDown</Code></Error>".to_vec())
        }
        ("later", _) => Act::Answer(503, "retry-after: 3600\r\n".into(), Vec::new()),
        ("denied", _) => refused(403, "AccessDenied"),
        _ => answer(200, "<ListBucketResult/>"),
    })
    .await;
    let client = client(&store.url(), Keys::fixed());
    let list = |prefix: &str| client.list("bucket", ListOptions { prefix: prefix.into(), ..ListOptions::default() });
    list("busy").next().await.expect("the third time");
    assert_eq!(store.seen().len(), 3);
    assert_eq!(list("denied").next().await.expect_err("refused").kind(), ErrorKind::Auth);
    assert_eq!(store.seen().len(), 4);
    let error = list("later").next().await.expect_err("too long to wait");
    assert_eq!((error.kind(), error.retryable(), store.seen().len()), (ErrorKind::Network, true, 5));
    assert_eq!(store.connections(), 1, "one connection serves them all");
}

#[tokio::test]
async fn what_may_have_been_done_and_cannot_be_repeated_is_not_sent_again() {
    let store = Chaos::start(|_, _| Act::Close).await;
    let client = client(&store.url(), Keys::fixed());
    client.create_multipart(&at(), &Properties::default()).await.expect_err("no answer");
    assert_eq!(store.seen().len(), 1);
    let put = PutOptions { if_absent: true, ..PutOptions::default() };
    client.put(&at(), Payload::bytes("x"), &put).await.expect_err("no answer");
    assert_eq!(store.seen().len(), 2);
    client.put(&at(), Payload::bytes("x"), &PutOptions::default()).await.expect_err("no answer");
    assert_eq!(store.seen().len(), 5);
}

#[tokio::test]
async fn an_error_inside_a_200_is_an_error() {
    let store = Chaos::start(|seen, count| match (seen.method.as_str(), count) {
        ("POST", 0) => answer(200, "  <Error><Code>InternalError</Code></Error>"),
        ("POST", _) => {
            answer(200, "<CompleteMultipartUploadResult><ETag>\"e-1\"</ETag></CompleteMultipartUploadResult>")
        }
        _ => answer(200, "<Error><Code>AccessDenied</Code></Error>"),
    })
    .await;
    let client = client(&store.url(), Keys::fixed());
    let upload = MultipartUpload { object: at(), id: "u".into(), checksum: None, whole: false };
    let made =
        client.complete(&upload, &[Part::default()], &CompleteOptions::default()).await.expect("the second time");
    assert_eq!((made.etag.as_deref(), store.seen().len()), (Some("\"e-1\""), 2));
    let error = client.copy(&at(), &at(), &Default::default()).await.expect_err("an error");
    assert_eq!((error.kind(), error.code()), (ErrorKind::Auth, "AccessDenied"));
}

#[tokio::test]
async fn a_silent_store_is_given_up() {
    let store = Chaos::start(|_, _| Act::Silence).await;
    let mut quick = options();
    (quick.idle, quick.attempts) = (Duration::from_millis(50), 1);
    let client = client_with(&store.url(), Keys::fixed(), quick);
    let error = client.get(&at(), &GetOptions::default()).await.expect_err("silence");
    assert_eq!((error.kind(), error.code()), (ErrorKind::Network, "timeout"));
    let error = client.put(&at(), Payload::bytes(vec![0; 1 << 20]), &PutOptions::default()).await.expect_err("silence");
    assert_eq!(error.code(), "timeout");
}

#[tokio::test]
async fn a_refusal_that_comes_before_the_body_is_sent_is_heard() {
    let store = Chaos::start(|_, _| refused(400, "ExpiredToken")).await;
    let client = client(&store.url(), Keys::session(0));
    let properties = Properties { metadata: vec![("early".into(), "yes".into())], ..Properties::default() };
    let put = PutOptions { properties, ..PutOptions::default() };
    let payload = Payload::bytes(vec![0; 64 << 20]);
    assert_eq!(client.put(&at(), payload, &put).await, Err(S3Error::TokenExpired("work".into())));
    assert_eq!(store.seen().len(), 1);
}

#[tokio::test]
async fn a_rate_limit_is_not_taken_for_a_silent_store() {
    let store = Chaos::start(|_, _| answer(200, "")).await;
    let mut impatient = options();
    (impatient.idle, impatient.attempts) = (Duration::from_millis(20), 1);
    let client = client_with(&store.url(), Keys::fixed(), impatient);
    let flow = Flow { limit: Some(Arc::new(RateLimit::new(4_000))), ..Flow::default() };
    let put = PutOptions { flow, ..PutOptions::default() };
    client.put(&at(), Payload::bytes(vec![0; 3_000]), &put).await.expect("slow, and written");
}

#[tokio::test]
async fn a_body_that_is_shorter_than_announced_is_an_error() {
    let store = Chaos::start(|_, _| Act::Truncated(5, String::new(), b"0123456789".to_vec())).await;
    let client = client(&store.url(), Keys::fixed());
    let got = client.get(&at(), &GetOptions::default()).await.expect("a head");
    assert_eq!(got.length, 10);
    assert!(got.body.collect(100).await.expect_err("truncated").retryable());
    let error = client.list_buckets().await.expect_err("truncated three times");
    assert_eq!((error.kind(), store.seen().len()), (ErrorKind::Network, 4));
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_corrected_once_by_the_stores() {
    let store = Chaos::start(|seen, _| match seen.header("x-amz-date") {
        date if date.starts_with("20300101T0000") => answer(200, "<ListBucketResult/>"),
        _ => Act::Answer(
            403,
            "date: Tue, 01 Jan 2030 00:00:05 GMT\r\n".into(),
            b"<Error><Code>RequestTimeTooSkewed</Code></Error>".to_vec(),
        ),
    })
    .await;
    let mut wrong = options();
    wrong.clock = Arc::new(ManualClock::new("2029-12-31T12:00:00Z".parse().expect("a time")));
    let client = client_with(&store.url(), Keys::fixed(), wrong);
    client.list("bucket", ListOptions::default()).next().await.expect("corrected");
    client.list("bucket", ListOptions::default()).next().await.expect("still corrected");
    assert_eq!(store.seen().len(), 3);
    let mut far = options();
    far.clock = Arc::new(ManualClock::new("2020-01-01T00:00:00Z".parse().expect("a time")));
    let client = client_with(&store.url(), Keys::fixed(), far);
    let error = client.list("bucket", ListOptions::default()).next().await.expect_err("too far");
    assert_eq!((error.kind(), error.code()), (ErrorKind::Auth, "RequestTimeTooSkewed"));
}

#[tokio::test]
async fn a_bucket_elsewhere_is_signed_for_its_own_region() {
    let store = Chaos::start(|seen, _| match seen.header("authorization") {
        signed if signed.contains("/eu-west-1/s3/") => answer(200, "<ListBucketResult/>"),
        _ => Act::Answer(
            400,
            String::new(),
            b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>".to_vec(),
        ),
    })
    .await;
    let client = client(&store.url(), Keys::fixed());
    client.list("bucket", ListOptions::default()).next().await.expect("moved");
    client.list("bucket", ListOptions::default()).next().await.expect("remembered");
    assert_eq!(store.seen().len(), 3);
}

#[tokio::test]
async fn a_store_with_other_bytes_than_were_sent_is_found_out() {
    let store = Chaos::start(|seen, _| match seen.query("partNumber") {
        Some(_) => Act::Answer(200, "etag: \"00000000000000000000000000000000\"\r\n".into(), Vec::new()),
        None => Act::Answer(200, "etag: \"e\"\r\nx-amz-checksum-crc32: AAAAAA==\r\n".into(), Vec::new()),
    })
    .await;
    let client = client(&store.url(), Keys::fixed());
    let error = client.put(&at(), Payload::bytes("x"), &PutOptions::default()).await.expect_err("other bytes");
    assert!(matches!(error, S3Error::Integrity(_)), "{error}");
    let upload = MultipartUpload { object: at(), id: "u".into(), checksum: None, whole: false };
    let flow = Default::default();
    let error = client.upload_part(&upload, 1, Payload::bytes("x"), &flow).await.expect_err("other bytes");
    assert!(matches!(error, S3Error::Integrity(_)), "{error}");
}
