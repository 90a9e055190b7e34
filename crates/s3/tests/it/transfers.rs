//! Files and streams up and down: in parts, resumed, verified, stopped.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use hallpass_core::sigv4::checksum::{Checksum, ChecksumAlgorithm};
use hallpass_s3::client::{Client, CreateBucketOptions, Flow, GetOptions, ObjectId, Progress, PutOptions};
use hallpass_s3::error::{ErrorKind, S3Error};
use hallpass_s3::transfer::{TransferOptions, download, download_stream, relay, upload_file, upload_stream};

use hallpass_testkit::servers::ministack::Ministack;

use crate::chaos::{Act, Chaos, Seen, answer, refused};
use crate::world::{Keys, Store, client, client_of};

const MIB: usize = 1024 * 1024;

/// Bytes whose parts all differ.
fn noise(length: usize) -> Vec<u8> {
    let pattern: Vec<u8> = (0..65_521_u64).map(|i| (i.wrapping_mul(2_654_435_761) >> 7) as u8).collect();
    let mut bytes = Vec::with_capacity(length + pattern.len());
    while bytes.len() < length {
        bytes.extend_from_slice(&pattern);
    }
    bytes.truncate(length);
    bytes
}

fn file(folder: &Path, name: &str, bytes: &[u8]) -> std::path::PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("written");
    path
}

fn names(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<_> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[derive(Debug, Default)]
struct Counted {
    moved: AtomicI64,
    total: AtomicU64,
    items: AtomicU64,
}

impl Progress for Counted {
    fn moved(&self, bytes: i64) {
        self.moved.fetch_add(bytes, Ordering::SeqCst);
    }
    fn total(&self, bytes: u64) {
        self.total.fetch_add(bytes, Ordering::SeqCst);
    }
    fn item(&self) {
        self.items.fetch_add(1, Ordering::SeqCst);
    }
}

fn counting() -> (Arc<Counted>, TransferOptions) {
    let counted = Arc::<Counted>::default();
    let flow = Flow { progress: Some(counted.clone()), ..Flow::default() };
    (counted, TransferOptions { flow, ..TransferOptions::default() })
}

#[tokio::test]
async fn a_file_goes_up_in_parts_and_comes_down_in_ranges() {
    let store = Store::start().await;
    let client = store.client();
    client.create_bucket("bucket", &CreateBucketOptions::default()).await.expect("made");
    let folder = tempfile::tempdir().expect("a folder");
    for (name, length) in [("none", 0), ("small", 10), ("middle", 3 * MIB), ("large", 20 * MIB + 3)] {
        let bytes = noise(length);
        let path = file(folder.path(), name, &bytes);
        let at = ObjectId::new("bucket", name);
        let (counted, options) = counting();
        upload_file(&client, &path, &at, &PutOptions::default(), &options).await.expect(name);
        assert_eq!(counted.moved.load(Ordering::SeqCst), length as i64, "{name}");
        let (counted, options) = counting();
        for (size, back) in [(None, "back"), (Some(length as u64), "back2")] {
            let back = folder.path().join(back);
            let done = download(&client, &at, &back, size, &GetOptions::default(), &options).await.expect(name);
            assert!(std::fs::read(&back).expect("there") == bytes, "{name}");
            assert_eq!(done.head.size, length as u64);
        }
        let (moved, items) = (counted.moved.load(Ordering::SeqCst), counted.items.load(Ordering::SeqCst));
        assert_eq!((moved, items, counted.total.load(Ordering::SeqCst)), (2 * length as i64, 2, 2 * length as u64));
        let mut out = Vec::new();
        download_stream(&client, &at, &mut out, &GetOptions::default(), &options).await.expect(name);
        assert!(out == bytes, "{name}");
    }
    assert_eq!(names(folder.path()), ["back", "back2", "large", "middle", "none", "small"]);
}

#[tokio::test]
async fn a_stream_of_unknown_length_becomes_one_object() {
    let store = Store::start().await;
    let client = store.client();
    client.create_bucket("bucket", &CreateBucketOptions::default()).await.expect("made");
    for length in [0, 5, 8 * MIB, 8 * MIB + 1, 25 * MIB] {
        let (bytes, at) = (noise(length), ObjectId::new("bucket", format!("{length}")));
        let options = TransferOptions::default();
        upload_stream(&client, bytes.as_slice(), &at, &PutOptions::default(), &options).await.expect("up");
        let got = client.get(&at, &GetOptions::default()).await.expect("there").body.collect(64 * MIB).await;
        assert!(got.expect("whole") == bytes, "{length}");
    }
}

#[tokio::test]
async fn parts_and_their_checksums_are_taken_by_other_stores_too() {
    let (ministack, files) = (Ministack::shared(), Store::start().await);
    let stores = [client_of(&ministack.url(), &ministack.owner.key, &ministack.owner.secret), files.client()];
    let folder = tempfile::tempdir().expect("a folder");
    let bytes = noise(17 * MIB + 1);
    let (path, back) = (file(folder.path(), "big", &bytes), folder.path().join("back"));
    for client in stores {
        client.create_bucket("checksums", &CreateBucketOptions::default()).await.expect("made");
        for algorithm in [None, Some(ChecksumAlgorithm::Crc64Nvme), Some(ChecksumAlgorithm::Sha256)] {
            let (at, options) = (ObjectId::new("checksums", format!("{algorithm:?}")), TransferOptions::default());
            let put = PutOptions { checksum: algorithm, ..PutOptions::default() };
            upload_file(&client, &path, &at, &put, &options).await.expect("up");
            download(&client, &at, &back, None, &GetOptions::default(), &options).await.expect("down");
            assert!(std::fs::read(&back).expect("there") == bytes, "{algorithm:?}");
            client.delete(&at).await.expect("deleted");
        }
        client.delete_bucket("checksums").await.expect("empty");
    }
}

#[tokio::test]
async fn the_checksum_of_the_whole_goes_to_stores_that_take_it_and_is_compared() {
    let bytes = noise(17 * MIB);
    let mut sum = Checksum::new(ChecksumAlgorithm::Crc32).expect("known");
    sum.update(&bytes);
    let sum = sum.finish();
    let folder = tempfile::tempdir().expect("a folder");
    let path = file(folder.path(), "big", &bytes);
    for (stored, right) in [(sum.clone(), true), ("AAAAAA==".to_owned(), false)] {
        let store = Chaos::start(move |seen, _| match (seen.method.as_str(), seen.target.contains("uploads=")) {
            ("POST", true) => Act::Answer(
                200,
                "x-amz-checksum-type: FULL_OBJECT\r\n".into(),
                b"<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>".to_vec(),
            ),
            ("POST", false) => answer(
                200,
                format!(
                    "<CompleteMultipartUploadResult><ETag>e</ETag><ChecksumCRC32>{stored}</ChecksumCRC32>\
                     <ChecksumType>FULL_OBJECT</ChecksumType></CompleteMultipartUploadResult>"
                ),
            ),
            _ => Act::Answer(200, "etag: \"p\"\r\n".into(), Vec::new()),
        })
        .await;
        let (client, put) = (client(&store.url(), Keys::fixed()), PutOptions::default());
        let made = upload_file(&client, &path, &at(), &put, &TransferOptions::default()).await;
        match made {
            Ok(written) => assert!(right && written.verified),
            Err(error) => assert!(!right && matches!(error, S3Error::Integrity(_)), "{error}"),
        }
        let seen = store.seen();
        let completed = seen.iter().find(|seen| seen.method == "POST" && !seen.target.contains("uploads="));
        assert_eq!(completed.expect("completed").header("x-amz-checksum-crc32"), sum);
    }
}

/// A store of parts that forgets nothing, with a fault of the test's.
#[derive(Debug, Default)]
struct Parts {
    open: bool,
    uploads: u32,
    parts: BTreeMap<u32, (usize, String)>,
    object: Option<usize>,
    sent: Vec<u32>,
}

fn md5(bytes: &[u8]) -> String {
    let mut sum = Checksum::new(ChecksumAlgorithm::Md5).expect("known");
    sum.update(bytes);
    use base64::Engine;
    hex::encode(base64::engine::general_purpose::STANDARD.decode(sum.finish()).expect("base64"))
}

impl Parts {
    fn act(&mut self, seen: &Seen) -> Act {
        let number = seen.query("partNumber").and_then(|text| text.parse().ok());
        match (seen.method.as_str(), number) {
            ("POST", _) if seen.target.contains("uploads=") => {
                (self.open, self.uploads) = (true, self.uploads + 1);
                answer(200, "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>")
            }
            _ if !self.open => refused(404, "NoSuchUpload"),
            ("PUT", Some(number)) => {
                let etag = md5(&seen.body);
                self.sent.push(number);
                self.parts.insert(number, (seen.body.len(), etag.clone()));
                Act::Answer(200, format!("etag: \"{etag}\"\r\n"), Vec::new())
            }
            ("GET", _) => {
                let part = |(number, (size, etag)): (&u32, &(usize, String))| {
                    format!("<Part><PartNumber>{number}</PartNumber><ETag>\"{etag}\"</ETag><Size>{size}</Size></Part>")
                };
                let parts: String = self.parts.iter().map(part).collect();
                answer(200, format!("<ListPartsResult>{parts}</ListPartsResult>"))
            }
            ("DELETE", _) => {
                self.open = false;
                answer(204, "")
            }
            _ => {
                self.open = false;
                self.object = Some(self.parts.values().map(|(size, _)| size).sum());
                answer(200, "<CompleteMultipartUploadResult><ETag>\"e-20\"</ETag></CompleteMultipartUploadResult>")
            }
        }
    }
}

/// 20 parts of 5 MiB, less a little.
async fn twenty(client: &Client, path: &Path, options: &TransferOptions) -> Result<(), S3Error> {
    let options = TransferOptions { part_size: Some(5 * MIB as u64), ..options.clone() };
    upload_file(client, path, &ObjectId::new("bucket", "big"), &PutOptions::default(), &options).await.map(drop)
}

async fn expiring_at_7() -> (Chaos, Arc<Mutex<Parts>>) {
    let parts = Arc::<Mutex<Parts>>::default();
    let shared = Arc::clone(&parts);
    let store = Chaos::start(move |seen, _| {
        let mut parts = shared.lock().expect("no panic");
        let first = seen.header("x-amz-security-token").ends_with('0');
        if first && (seen.query("partNumber") == Some("7") || parts.parts.len() > 8) {
            return refused(400, "ExpiredToken");
        }
        parts.act(seen)
    })
    .await;
    (store, parts)
}

#[tokio::test]
async fn a_token_that_expires_at_part_7_of_20_is_renewed_and_the_upload_finishes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = file(folder.path(), "big", &noise(100 * MIB - 3));
    let (store, parts) = expiring_at_7().await;
    let keys = Keys::session(20);
    let (counted, options) = counting();
    twenty(&client(&store.url(), keys), &path, &options).await.expect("finished");
    assert_eq!(parts.lock().expect("no panic").object, Some(100 * MIB - 3));
    assert_eq!(counted.moved.load(Ordering::SeqCst), 100 * MIB as i64 - 3, "what is sent twice is counted once");
}

#[tokio::test]
async fn a_token_that_expires_for_good_ends_the_upload_and_the_next_one_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = file(folder.path(), "big", &noise(100 * MIB - 3));
    let (store, parts) = expiring_at_7().await;
    let state = folder.path().join("state");
    let options = TransferOptions { state: Some(state.clone()), concurrency: Some(1), ..TransferOptions::default() };
    let error = twenty(&client(&store.url(), Keys::session(0)), &path, &options).await.expect_err("expired");
    assert_eq!(error, S3Error::TokenExpired("work".into()));
    assert_eq!(parts.lock().expect("no panic").sent, [1, 2, 3, 4, 5, 6]);
    assert_eq!(names(&state).len(), 1);

    // Somebody signs in anew.
    let keys = Keys::session(1);
    keys.renewed.store(1, Ordering::SeqCst);
    twenty(&client(&store.url(), keys), &path, &options).await.expect("finished");
    let parts = parts.lock().expect("no panic");
    assert_eq!((parts.object, parts.uploads), (Some(100 * MIB - 3), 1));
    assert_eq!(parts.sent, (1..=20).collect::<Vec<_>>(), "no part was sent twice");
    assert_eq!(names(&state), Vec::<String>::new());
}

#[tokio::test]
async fn a_stopped_upload_leaves_nothing_behind_unless_it_shall_go_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = file(folder.path(), "big", &noise(100 * MIB - 3));
    for resume in [false, true] {
        let parts = Arc::<Mutex<Parts>>::default();
        let (_, options) = counting();
        let state = folder.path().join(format!("state-{resume}"));
        let options = TransferOptions { resume, state: Some(state.clone()), ..options };
        let (shared, stop) = (Arc::clone(&parts), options.stop.clone());
        let store = Chaos::start(move |seen, _| {
            if seen.query("partNumber") == Some("9") {
                stop.cancel();
                return Act::Silence;
            }
            shared.lock().expect("no panic").act(seen)
        })
        .await;
        let client = client(&store.url(), Keys::fixed());
        assert_eq!(twenty(&client, &path, &options).await, Err(S3Error::Interrupted));
        let parts = parts.lock().expect("no panic");
        assert_eq!((parts.open, parts.object, names(&state).len()), (resume, None, usize::from(resume)));
    }
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_sent_becomes_no_object() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = file(folder.path(), "big", &noise(100 * MIB));
    let parts = Arc::<Mutex<Parts>>::default();
    let (shared, changed) = (Arc::clone(&parts), path.clone());
    let store = Chaos::start(move |seen, _| {
        if seen.query("partNumber") == Some("20") {
            let file = std::fs::OpenOptions::new().append(true).open(&changed).expect("there");
            std::io::Write::write_all(&mut &file, b"more").expect("written");
        }
        shared.lock().expect("no panic").act(seen)
    })
    .await;
    let error = twenty(&client(&store.url(), Keys::fixed()), &path, &TransferOptions::default()).await;
    assert_eq!(error.expect_err("changed").kind(), ErrorKind::Conflict);
    let parts = parts.lock().expect("no panic");
    assert_eq!((parts.open, parts.object), (false, None));
}

/// An object of a store, with a fault of the test's for every answer.
async fn serving(bytes: Vec<u8>, fault: impl Fn(&Seen, usize, &[u8]) -> Option<Act> + Send + Sync + 'static) -> Chaos {
    Chaos::start(move |seen, count| {
        let range = seen.header("range").strip_prefix("bytes=").and_then(|range| range.split_once('-'));
        let (first, last) = match range {
            None => (0, bytes.len() - 1),
            Some((first, last)) => (first.parse().expect("a number"), last.parse().unwrap_or(bytes.len() - 1)),
        };
        let piece = &bytes[first..=last];
        if let Some(act) = fault(seen, count, piece) {
            return act;
        }
        let etag = format!("etag: \"{}\"\r\n", md5(&bytes));
        match range {
            None if seen.method == "HEAD" => {
                Act::Answer(200, format!("{etag}content-length: {}\r\n", bytes.len()), Vec::new())
            }
            None => Act::Answer(200, etag, piece.to_vec()),
            Some(_) => {
                let range = format!("content-range: bytes {first}-{last}/{}\r\n", bytes.len());
                Act::Answer(206, format!("{etag}{range}"), piece.to_vec())
            }
        }
    })
    .await
}

fn at() -> ObjectId {
    ObjectId::new("bucket", "big")
}

#[tokio::test]
async fn a_download_that_breaks_off_goes_on_from_there() {
    let bytes = noise(20 * MIB);
    let broken = Arc::<Mutex<Vec<String>>>::default();
    let store = serving(bytes.clone(), move |seen, _, piece| {
        let mut broken = broken.lock().expect("no panic");
        // The first time of every range that begins one.
        let range = seen.header("range").to_owned();
        if seen.method == "HEAD" || broken.len() == 3 || broken.contains(&range) {
            return None;
        }
        broken.push(range.clone());
        let range = range.strip_prefix("bytes=")?;
        let head = format!("content-range: bytes {range}/{}\r\n", 20 * MIB);
        Some(Act::Truncated(MIB + 7, head, piece.to_vec()))
    })
    .await;
    let folder = tempfile::tempdir().expect("a folder");
    let back = folder.path().join("back");
    let options = TransferOptions::default();
    let done =
        download(&client(&store.url(), Keys::fixed()), &at(), &back, None, &GetOptions::default(), &options).await;
    assert!(done.expect("done").verified);
    assert!(std::fs::read(&back).expect("there") == bytes);
    assert_eq!(names(folder.path()), ["back"]);
}

#[tokio::test]
async fn bytes_that_were_not_promised_never_become_the_file() {
    for length in [1_000, 20 * MIB] {
        let store = serving(noise(length), |seen, _, piece| {
            if seen.method == "HEAD" || piece.len() < 1_000 {
                return None;
            }
            let mut wrong = piece.to_vec();
            wrong[500] ^= 1;
            let range = seen.header("range").strip_prefix("bytes=").map(str::to_owned);
            let etag = format!("etag: \"{}\"\r\n", md5(&noise(if range.is_some() { 20 * MIB } else { 1_000 })));
            Some(match range {
                None => Act::Answer(200, etag, wrong),
                Some(range) => Act::Answer(206, format!("{etag}content-range: bytes {range}/{}\r\n", 20 * MIB), wrong),
            })
        })
        .await;
        let folder = tempfile::tempdir().expect("a folder");
        let back = file(folder.path(), "back", b"old");
        let options = TransferOptions { resume: true, ..TransferOptions::default() };
        for (size, options) in [(None, &options), (Some(length as u64), &TransferOptions::default())] {
            let client = client(&store.url(), Keys::fixed());
            let error = download(&client, &at(), &back, size, &GetOptions::default(), options).await;
            assert!(matches!(error, Err(S3Error::Integrity(_))), "{error:?}");
            assert_eq!(std::fs::read(&back).expect("there"), b"old");
            assert_eq!(names(folder.path()), ["back"]);
        }
    }
}

#[tokio::test]
async fn an_interrupted_download_goes_on_where_it_stopped() {
    let bytes = noise(40 * MIB);
    let (_, options) = counting();
    let options = TransferOptions { resume: true, concurrency: Some(1), ..options };
    let stop = options.stop.clone();
    let store = serving(bytes.clone(), move |seen, count, _| {
        let third = seen.header("range").starts_with(&format!("bytes={}-", 16 * MIB));
        (third && count < 4).then(|| {
            stop.cancel();
            Act::Silence
        })
    })
    .await;
    let folder = tempfile::tempdir().expect("a folder");
    let (back, client) = (folder.path().join("back"), client(&store.url(), Keys::fixed()));
    let error = download(&client, &at(), &back, None, &GetOptions::default(), &options).await.expect_err("stopped");
    assert_eq!((error, back.exists()), (S3Error::Interrupted, false));
    assert_eq!(names(folder.path()), [".back.hallpass-part", ".back.hallpass-part.json"]);
    let before = store.seen().len();
    let again = TransferOptions { resume: true, ..TransferOptions::default() };
    let done = download(&client, &at(), &back, None, &GetOptions::default(), &again).await.expect("done");
    assert_eq!((done.resumed, done.verified), (16 * MIB as u64, true));
    assert!(std::fs::read(&back).expect("there") == bytes);
    assert_eq!(store.seen().len() - before, 4, "a HEAD and the three ranges that were missing");
    assert_eq!(names(folder.path()), ["back"]);
}

#[tokio::test]
async fn a_stopped_or_overtaken_download_leaves_no_file() {
    for changed in [false, true] {
        let options = TransferOptions::default();
        let stop = options.stop.clone();
        let store = serving(noise(20 * MIB), move |seen, _, _| match (seen.method.as_str(), changed) {
            ("HEAD", _) => None,
            (_, true) => {
                Some(if seen.header("if-match").is_empty() { Act::Close } else { refused(412, "PreconditionFailed") })
            }
            (_, false) => {
                stop.cancel();
                Some(Act::Silence)
            }
        })
        .await;
        let folder = tempfile::tempdir().expect("a folder");
        let client = client(&store.url(), Keys::fixed());
        let back = folder.path().join("back");
        let error = download(&client, &at(), &back, None, &GetOptions::default(), &options).await.expect_err("stopped");
        assert_eq!(error.kind(), if changed { ErrorKind::Conflict } else { ErrorKind::Interrupted });
        assert_eq!(names(folder.path()), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_download_goes_over_files_and_nothing_else() {
    let store = serving(noise(10), |_, _, _| None).await;
    let client = client(&store.url(), Keys::fixed());
    let folder = tempfile::tempdir().expect("a folder");
    let (get, options) = (GetOptions::default(), TransferOptions::default());
    for no_file in [Path::new("/dev/null"), folder.path()] {
        let error = download(&client, &at(), no_file, None, &get, &options).await.expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Usage);
    }
    let real = file(folder.path(), "real", b"old");
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&real, &link).expect("linked");
    download(&client, &at(), &link, Some(10), &get, &options).await.expect("done");
    assert_eq!(std::fs::read(&real).expect("there"), noise(10));
    assert!(link.is_symlink());
    // Somebody left a link where the download is gathered.
    let victim = file(folder.path(), "victim", b"precious");
    std::os::unix::fs::symlink(&victim, folder.path().join(".new.hallpass-part")).expect("linked");
    download(&client, &at(), &folder.path().join("new"), Some(10), &get, &options).await.expect_err("refused");
    assert_eq!(std::fs::read(&victim).expect("there"), b"precious");
}

#[tokio::test]
async fn a_stream_whose_reader_fails_becomes_no_object() {
    struct Failing(usize);
    impl tokio::io::AsyncRead for Failing {
        fn poll_read(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            buf: &mut tokio::io::ReadBuf<'_>,
        ) -> std::task::Poll<std::io::Result<()>> {
            if self.0 == 0 {
                return std::task::Poll::Ready(Err(std::io::Error::other("gone")));
            }
            let bytes = buf.remaining().min(self.0);
            buf.put_slice(&vec![7; bytes]);
            self.0 -= bytes;
            std::task::Poll::Ready(Ok(()))
        }
    }
    let parts = Arc::<Mutex<Parts>>::default();
    let shared = Arc::clone(&parts);
    let store = Chaos::start(move |seen, _| shared.lock().expect("no panic").act(seen)).await;
    let client = client(&store.url(), Keys::fixed());
    let (put, options) = (PutOptions::default(), TransferOptions::default());
    let error = upload_stream(&client, Failing(20 * MIB), &at(), &put, &options).await.expect_err("gone");
    assert!(matches!(error, S3Error::Local { .. }), "{error:?}");
    let parts = parts.lock().expect("no panic");
    assert_eq!((parts.uploads, parts.open, parts.object), (1, false, None));
}

#[tokio::test]
async fn an_object_goes_from_store_to_store_whole_or_not_at_all() {
    let (source, target) = (Store::start().await, Store::start().await);
    let (source, target) = (source.client(), target.client());
    for client in [&source, &target] {
        client.create_bucket("bucket", &CreateBucketOptions::default()).await.expect("made");
    }
    let put = PutOptions::default();
    for (length, size) in [(0, Some(0)), (10, Some(10)), (10, None), (9 * MIB, Some(10)), (9 * MIB, None)] {
        // s3s-fs keeps the checksum of what it had under a key before, so each object has a key of its own.
        let (bytes, at) = (noise(length), ObjectId::new("bucket", format!("{length}-{size:?}")));
        upload_stream(&source, bytes.as_slice(), &at, &put, &TransferOptions::default()).await.expect("up");
        let (counted, options) = counting();
        relay((&source, &at), (&target, &at), size, &put, &options).await.expect("relayed");
        let got = target.get(&at, &GetOptions::default()).await.expect("there").body.collect(64 * MIB).await;
        assert!(got.expect("whole") == bytes, "{length}");
        assert_eq!(counted.moved.load(Ordering::SeqCst), length as i64);
    }
    let broken = serving(noise(20 * MIB), |_, count, piece| {
        (count > 0).then_some(Act::Close).or(Some(Act::Truncated(10 * MIB, String::new(), piece.to_vec())))
    })
    .await;
    let (broken, parts) = (client(&broken.url(), Keys::fixed()), Arc::<Mutex<Parts>>::default());
    let shared = Arc::clone(&parts);
    let sink = Chaos::start(move |seen, _| shared.lock().expect("no panic").act(seen)).await;
    let sink = client(&sink.url(), Keys::fixed());
    let error = relay((&broken, &at()), (&sink, &at()), None, &put, &TransferOptions::default()).await;
    assert_eq!(error.expect_err("broken off").kind(), ErrorKind::Network);
    let parts = parts.lock().expect("no panic");
    assert_eq!((parts.uploads, parts.open, parts.object), (1, false, None));
}
