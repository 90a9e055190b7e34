//! Bodies that are large enough to be hashed in a thread of their own: the same holds for them as for small ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use hallpass_core::limits::{UPLOAD_AHEAD_BYTES_MAX, UPLOAD_ASIDE_BYTES_MIN};
use hallpass_dataplane::gate::Closed;
use http::{HeaderMap, HeaderValue, Method};
use http_body_util::Full;

use crate::chunked::{SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER, body, framed, framed_by, send, store};
use crate::client::{Client, Sign, ask, built, get};
use crate::cutting::{dripping, silent};
use crate::upstream::Upstream;
use crate::world::{Setup, World, eventually};

/// A length that no buffer divides.
const LARGE: usize = 3 * UPLOAD_ASIDE_BYTES_MIN as usize + 7;
/// More at once than there are threads.
const AT_ONCE: usize = 12;
const WHOLE: &str = "the hash of the whole";

/// As it is sent, in one of four ways.
fn sent(world: &World, way: &'static str, path: &str) -> (HeaderMap, Vec<u8>) {
    if way == WHOLE {
        return (Sign::with(world).headers(&Method::PUT, path, &[], &body(LARGE)), body(LARGE));
    }
    framed(world, way, path, &body(LARGE))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_bodies_arrive_whole_in_every_mode_also_more_at_once_than_there_are_threads() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_upstream, world) = store(folder.path()).await;
    let ways = [WHOLE, SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER];
    let uploads = (0..AT_ONCE).map(|n| {
        let path = format!("/bucket/{n}");
        let (headers, bytes) = sent(&world, ways[n % ways.len()], &path);
        let world = &world;
        async move { send(world, &path, headers, bytes).await }
    });
    for answer in futures_util::future::join_all(uploads).await {
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    for n in 0..AT_ONCE {
        assert!(get(&world, &format!("/bucket/{n}")).await.body == body(LARGE), "{n}");
    }
}

/// Until such a chunk is whole, nothing of it goes on, and more of it comes than may wait for the thread.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chunk_that_is_larger_than_what_may_wait_for_its_thread_arrives() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_upstream, world) = store(folder.path()).await;
    for mode in [SIGNED, SIGNED_TRAILER] {
        let (headers, bytes) = framed_by(3 * UPLOAD_AHEAD_BYTES_MAX, &world, mode, "/bucket/large", &body(LARGE));
        assert_eq!(send(&world, "/bucket/large", headers, bytes).await.status, 200, "{mode}");
        assert!(get(&world, "/bucket/large").await.body == body(LARGE), "{mode}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_anywhere_in_a_large_body_never_completes_upstream() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    for way in [WHOLE, SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER] {
        for place in [0.01, 0.5, 0.99, 1.0] {
            let (headers, mut bytes) = sent(&world, way, "/bucket/flipped");
            // The last one: within the last piece of data, or what follows it.
            let at = ((bytes.len() as f64 * place) as usize).min(bytes.len() - 20);
            bytes[at] ^= 1;
            let answer = send(&world, "/bucket/flipped", headers, bytes).await;
            assert!(answer.status.is_client_error(), "{way} {place}: {answer:?}");
        }
    }
    assert!(upstream.seen().iter().all(|seen| !seen.whole), "a body that is wrong completed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_body_that_ends_early_or_goes_on_never_completes_upstream() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    for bytes in [body(LARGE - 1), body(LARGE + 1)] {
        let headers = Sign::with(&world).headers(&Method::PUT, "/bucket/other", &[], &body(LARGE));
        let answer = ask(&world, built(Method::PUT, "/bucket/other", headers, Full::new(Bytes::from(bytes)))).await;
        assert_eq!(answer.reason(), "body-mismatch", "{answer:?}");
    }
    assert!(upstream.seen().iter().all(|seen| !seen.whole), "a body that is wrong completed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_cuts_a_large_upload_whose_hash_is_checked() {
    let (swallowed, gone) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
    let upstream = silent(&swallowed, &gone).await;
    let world = Setup::on(&upstream.url()).gate().await;
    let mut headers = Sign::with(&world).headers(&Method::PUT, "/bucket/key", &[], b"something else");
    headers.insert("content-length", HeaderValue::from(1_u64 << 30));
    let mut client = Client::connect(&world).await;
    let answered = client.ask(built(Method::PUT, "/bucket/key", headers, dripping()));
    let killed = async {
        eventually("an upload", || swallowed.load(Ordering::SeqCst) > 1 << 20).await;
        world.gate.switch().refuse(Closed::Revoked);
        eventually("the end of the upstream's connection", || gone.load(Ordering::SeqCst)).await;
    };
    let (answer, ()) = tokio::join!(answered, killed);
    assert_eq!((answer.status.as_u16(), answer.reason()), (403, "revoked"), "{answer:?}");
    assert_eq!(world.log.settles(1).await[0].4.as_deref(), Some("cut: revoked"));
}
