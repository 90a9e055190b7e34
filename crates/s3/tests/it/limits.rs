//! Every limit of the client, and what is past it.

use std::sync::Arc;

use hallpass_core::clock::ManualClock;
use hallpass_core::limits::{
    S3_ANSWER_HEADERS_MAX, S3_ATTEMPTS_MAX, S3_BREAKS_MAX, S3_CLOCK_SKEW_S_MAX, S3_CONNECT_TIMEOUT_S,
    S3_DELETE_KEYS_MAX, S3_EMPTY_PAGES_MAX, S3_ERROR_BYTES_MAX, S3_IDLE_CONNECTION_S_MAX, S3_IDLE_CONNECTIONS_MAX,
    S3_IDLE_INSIDE_S_MAX, S3_IDLE_S_MAX, S3_PROXY_ANSWER_BYTES_MAX, S3_RETRY_AFTER_S_MAX, S3_RETRYING_S_MAX,
    S3_SIGNED_BODY_BYTES_MAX, S3_SMALL_OBJECT_BYTES_MAX, S3_STATE_BYTES_MAX, S3_STATE_INTERVAL_S, S3_STOP_GRACE_S_MAX,
    S3_STOP_PARTS_S_MAX, S3_UPLOAD_ID_BYTES_MAX,
};
use hallpass_s3::client::proxy::Proxy;
use hallpass_s3::client::{Doomed, GetOptions, ListOptions, ObjectId, Payload, Properties, PutOptions};
use hallpass_s3::error::S3Error;
use hallpass_s3::transfer::{TransferOptions, download};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::chaos::{Act, Chaos, answer, refused};
use crate::world::{Keys, client, client_with, options};

fn at() -> ObjectId {
    ObjectId::new("bucket", "key")
}

#[tokio::test]
async fn a_request_is_sent_no_more_often_than_the_limit() {
    let store = Chaos::start(|_, _| Act::Answer(503, "retry-after: 0\r\n".into(), Vec::new())).await;
    let mut eager = options();
    eager.attempts = S3_ATTEMPTS_MAX + 10;
    let client = client_with(&store.url(), Keys::fixed(), eager);
    client.list_buckets().await.expect_err("busy");
    assert_eq!(store.seen().len(), S3_ATTEMPTS_MAX as usize);
}

#[tokio::test]
async fn a_wait_longer_than_the_limit_ends_the_request() {
    let wait = format!("retry-after: {}\r\n", S3_RETRY_AFTER_S_MAX + 1);
    let store = Chaos::start(move |_, _| Act::Answer(503, wait.clone(), Vec::new())).await;
    client(&store.url(), Keys::fixed()).list_buckets().await.expect_err("busy");
    assert_eq!(store.seen().len(), 1);
}

#[tokio::test]
async fn an_answer_has_no_more_headers_than_the_limit() {
    for (more, taken) in [(S3_ANSWER_HEADERS_MAX - 1, true), (S3_ANSWER_HEADERS_MAX, false)] {
        let headers: String = (0..more).map(|i| format!("x-{i}: y\r\n")).collect();
        let store = Chaos::start(move |_, _| Act::Answer(200, headers.clone(), Vec::new())).await;
        let got = client(&store.url(), Keys::fixed()).get(&at(), &GetOptions::default()).await;
        assert_eq!(got.is_ok(), taken, "{more}");
    }
}

#[tokio::test]
async fn an_error_document_longer_than_the_limit_is_not_read() {
    for (padding, code) in [(0, "NoSuchBucket"), (S3_ERROR_BYTES_MAX, "NoSuchKey")] {
        let store = Chaos::start(move |_, _| {
            answer(404, format!("{}<Error><Code>NoSuchBucket</Code></Error>", " ".repeat(padding)))
        })
        .await;
        let error = client(&store.url(), Keys::fixed()).get(&at(), &GetOptions::default()).await.expect_err("none");
        assert_eq!(error.code(), code);
    }
}

#[tokio::test]
async fn a_clock_is_corrected_by_no_more_than_the_limit() {
    for (skew_s, corrected) in [(S3_CLOCK_SKEW_S_MAX, true), (S3_CLOCK_SKEW_S_MAX + 1, false)] {
        let store = Chaos::start(|_, count| match count {
            0 => Act::Answer(
                403,
                "date: Tue, 01 Jan 2030 00:00:00 GMT\r\n".into(),
                b"<Error><Code>RequestTimeTooSkewed</Code></Error>".to_vec(),
            ),
            _ => answer(200, "<ListBucketResult/>"),
        })
        .await;
        let clock = ManualClock::new("2030-01-01T00:00:00Z".parse().expect("a time"));
        clock.advance_s(-skew_s);
        let mut wrong = options();
        wrong.clock = Arc::new(clock);
        let listed =
            client_with(&store.url(), Keys::fixed(), wrong).list("bucket", ListOptions::default()).next().await;
        assert_eq!(listed.is_ok(), corrected, "{skew_s}");
    }
}

#[tokio::test]
async fn a_batch_has_no_more_keys_than_the_limit() {
    let store = Chaos::start(|_, _| answer(200, "<DeleteResult/>")).await;
    let key = |number: usize| Doomed { key: format!("k{number}"), version: None };
    let doomed: Vec<_> = (0..=S3_DELETE_KEYS_MAX).map(key).collect();
    let outcome = client(&store.url(), Keys::fixed()).delete_many("bucket", &doomed, false).await.expect("deleted");
    assert_eq!(outcome.deleted.len(), S3_DELETE_KEYS_MAX + 1);
    let keys = |body: &[u8]| String::from_utf8_lossy(body).matches("<Key>").count();
    let sent: Vec<_> = store.seen().iter().map(|seen| keys(&seen.body)).collect();
    assert_eq!(sent, [S3_DELETE_KEYS_MAX, 1]);
}

#[tokio::test]
async fn on_loopback_bodies_above_the_limit_are_covered_by_their_checksum_alone() {
    let store = Chaos::start(|_, _| answer(200, "")).await;
    let client = client(&store.url(), Keys::fixed());
    for (more, unsigned) in [(0, false), (1, true)] {
        let payload = Payload::bytes(vec![0; S3_SIGNED_BODY_BYTES_MAX as usize + more]);
        client.put(&at(), payload, &PutOptions::default()).await.expect("written");
        let seen = store.seen().pop().expect("one");
        assert_eq!(seen.header("x-amz-content-sha256") == "UNSIGNED-PAYLOAD", unsigned);
        assert!(!seen.header("x-amz-checksum-crc32").is_empty());
    }
}

#[tokio::test]
async fn an_upload_id_is_no_longer_than_the_limit() {
    for (length, taken) in [(S3_UPLOAD_ID_BYTES_MAX, true), (S3_UPLOAD_ID_BYTES_MAX + 1, false), (0, false)] {
        let id = "u".repeat(length);
        let body = format!("<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>");
        let store = Chaos::start(move |_, _| answer(200, body.clone())).await;
        let begun = client(&store.url(), Keys::fixed()).create_multipart(&at(), &Properties::default()).await;
        assert_eq!(begun.is_ok(), taken, "{length}");
    }
}

#[tokio::test]
async fn a_listing_without_an_end_that_holds_nothing_is_given_up() {
    // Each page names another one, and the last but one before the limit holds a key.
    let page = |number: u32, holds: bool| {
        let key = if holds { "<Contents><Key>k</Key><Size>1</Size></Contents>" } else { "" };
        let next = format!("<NextContinuationToken>{}</NextContinuationToken>", number + 1);
        answer(200, format!("<ListBucketResult><IsTruncated>true</IsTruncated>{next}{key}</ListBucketResult>"))
    };
    let store = Chaos::start(move |seen, _| {
        let number =
            seen.target.split("continuation-token=").nth(1).and_then(|rest| rest.split('&').next()?.parse().ok());
        page(number.unwrap_or(0), number == Some(S3_EMPTY_PAGES_MAX - 1))
    })
    .await;
    let mut listing = client(&store.url(), Keys::fixed()).list("bucket", ListOptions::default());
    let mut pages = 0;
    let error = loop {
        match listing.next().await {
            Ok(Some(_)) => pages += 1,
            Ok(None) => panic!("it has no end"),
            Err(error) => break error,
        }
    };
    assert_eq!(pages, 2 * S3_EMPTY_PAGES_MAX, "what holds something counts anew");
    assert!(error.to_string().contains("held nothing"), "{error}");
}

#[tokio::test]
async fn a_proxys_answer_is_no_longer_than_the_limit() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a visitor");
        drop(socket.read_u8().await);
        drop(socket.write_all(&vec![b'x'; S3_PROXY_ANSWER_BYTES_MAX + 1]).await);
        drop(socket.read_to_end(&mut Vec::new()).await);
    });
    let mut through = options();
    (through.attempts, through.proxy) = (1, Proxy::new(Some(&format!("http://{address}")), None).expect("legal"));
    let error = client_with("https://s3.amazonaws.com", Keys::fixed(), through).list_buckets().await;
    assert!(error.expect_err("refused").to_string().contains("without end"));
}

#[tokio::test]
async fn a_download_goes_on_no_more_often_than_the_limit() {
    let store = Chaos::start(|seen, _| match seen.method.as_str() {
        "HEAD" => Act::Answer(200, "etag: \"e\"\r\ncontent-length: 2000000\r\n".into(), Vec::new()),
        _ => Act::Truncated(0, "etag: \"e\"\r\ncontent-range: bytes 0-1999999/2000000\r\n".into(), vec![0; 2_000_000]),
    })
    .await;
    let folder = tempfile::tempdir().expect("a folder");
    let (to, client) = (folder.path().join("back"), client(&store.url(), Keys::fixed()));
    let (get, transfer) = (GetOptions::default(), TransferOptions::default());
    let small = S3_SMALL_OBJECT_BYTES_MAX + 1;
    let error = download(&client, &at(), &to, Some(small), &get, &transfer).await.expect_err("never whole");
    assert!(error.retryable(), "{error}");
    assert_eq!(store.seen().len(), 2 + S3_BREAKS_MAX as usize);
}

#[test]
fn times_are_in_an_order_in_which_each_can_happen() {
    const { assert!(S3_CONNECT_TIMEOUT_S <= S3_STOP_GRACE_S_MAX && S3_STOP_GRACE_S_MAX < S3_IDLE_S_MAX) };
    const { assert!(S3_STOP_PARTS_S_MAX < S3_STOP_GRACE_S_MAX) };
    const { assert!(S3_STATE_INTERVAL_S < S3_STOP_GRACE_S_MAX && S3_IDLE_CONNECTION_S_MAX < S3_IDLE_S_MAX) };
    const { assert!(S3_IDLE_S_MAX < S3_IDLE_INSIDE_S_MAX && S3_IDLE_S_MAX + S3_RETRY_AFTER_S_MAX < S3_RETRYING_S_MAX) };
}

#[tokio::test]
async fn what_is_remembered_of_an_upload_is_not_read_past_the_limit() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("big");
    std::fs::write(&source, vec![1; 9 << 20]).expect("written");
    let state = folder.path().join("state");
    let store = Chaos::start(|seen, _| match seen.method.as_str() {
        "POST" => answer(200, "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"),
        _ => refused(403, "ExpiredToken"),
    })
    .await;
    let client = client(&store.url(), Keys::session(0));
    let options = TransferOptions { state: Some(state.clone()), ..TransferOptions::default() };
    let put = PutOptions::default();
    let to = at();
    let upload = || hallpass_s3::transfer::upload_file(&client, &source, &to, &put, &options);
    assert_eq!(upload().await.expect_err("expired"), S3Error::TokenExpired("work".into()));
    let note = std::fs::read_dir(&state).expect("a folder").next().expect("one").expect("an entry").path();
    let mut text = std::fs::read(&note).expect("there");
    text.resize(S3_STATE_BYTES_MAX as usize + 1, b' ');
    std::fs::write(&note, text).expect("written");
    upload().await.expect_err("expired");
    let begun = store.seen().iter().filter(|seen| seen.method == "POST").count();
    assert_eq!(begun, 2, "it began anew");
}

#[tokio::test]
async fn no_more_connections_wait_than_the_limit() {
    let store = Chaos::start(|_, _| Act::Answer(200, "etag: \"e\"\r\n".into(), b"x".to_vec())).await;
    let client = client(&store.url(), Keys::fixed());
    let count = S3_IDLE_CONNECTIONS_MAX + 3;
    for round in 1..=2 {
        let mut open = Vec::new();
        for _ in 0..count {
            open.push(client.get(&at(), &GetOptions::default()).await.expect("there"));
        }
        for got in open {
            got.body.collect(1).await.expect("whole");
        }
        let expected = if round == 1 { count } else { count + 3 };
        assert_eq!(store.connections(), expected, "round {round}");
    }
}
