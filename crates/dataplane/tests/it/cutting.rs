//! The switch and the session's time: nothing new passes, and what is under way is cut, in both directions.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::Stream;
use hallpass_core::denial::DenialCode;
use hallpass_dataplane::gate::Closed;
use http::{HeaderValue, Method};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::{Client, Payload, Sign, ask, built, get};
use crate::faults::read_head;
use crate::upstream::Upstream;
use crate::world::{Setup, eventually};

const GIB: u64 = 1 << 30;

/// Answers every request with one gibibyte.
async fn endless() -> Upstream {
    Upstream::by_hand(|_, mut socket| async move {
        read_head(&mut socket).await;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {GIB}\r\n\r\n");
        let mut sent = socket.write_all(head.as_bytes()).await;
        let chunk = vec![7; 64 * 1024];
        while sent.is_ok() {
            sent = socket.write_all(&chunk).await;
        }
    })
    .await
}

/// Swallows every body and never answers.
pub(crate) async fn silent(swallowed: &Arc<AtomicU64>, gone: &Arc<AtomicBool>) -> Upstream {
    let (swallowed, gone) = (Arc::clone(swallowed), Arc::clone(gone));
    Upstream::by_hand(move |_, mut socket| {
        let (swallowed, gone) = (Arc::clone(&swallowed), Arc::clone(&gone));
        async move {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(read) = socket.read(&mut buffer).await {
                if read == 0 {
                    break;
                }
                swallowed.fetch_add(read as u64, Ordering::SeqCst);
            }
            gone.store(true, Ordering::SeqCst);
        }
    })
    .await
}

/// A body that never ends: 64 KiB each millisecond.
pub(crate) fn dripping() -> StreamBody<impl Stream<Item = io::Result<Frame<Bytes>>> + Send + Unpin> {
    let pieces = futures_util::stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        Some((Ok(Frame::data(Bytes::from(vec![7; 64 * 1024]))), ()))
    });
    StreamBody::new(Box::pin(pieces))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_cuts_a_running_download() {
    let upstream = endless().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let mut client = Client::connect(&world).await;
    let request = Sign::with(&world).request(Method::GET, "/bucket/key", &[], b"");
    let mut body = client.begin(request).await.expect("an answer").into_body();
    let mut read = 0;
    while read < 4 << 20 {
        read += body.frame().await.expect("more").expect("a piece").into_data().map_or(0, |piece| piece.len());
    }
    let cut = world.gate.switch().refuse(Closed::Revoked);
    assert_eq!(cut.streams_cut, 1);
    let begun = Instant::now();
    let mut after = 0;
    let end = loop {
        match body.frame().await {
            Some(Ok(frame)) => after += frame.into_data().map_or(0, |piece| piece.len()),
            Some(Err(error)) => break Some(error),
            None => break None,
        }
    };
    assert!(end.is_some(), "a cut body never looks complete");
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    // What the kernel had accepted for the child cannot be called back; the gate itself adds nothing.
    assert!(after < 16 << 20, "{after} bytes after the cut");
    let settled = world.log.settles(1).await;
    assert_eq!(settled[0].4.as_deref(), Some("cut: revoked"));
    assert_eq!(get(&world, "/bucket/key").await.reason(), "revoked");
}

#[tokio::test]
async fn kill_cuts_a_download_that_nobody_reads() {
    let upstream = endless().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let mut client = Client::connect(&world).await;
    let request = Sign::with(&world).request(Method::GET, "/bucket/key", &[], b"");
    let body = client.begin(request).await.expect("an answer").into_body();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(world.gate.switch().refuse(Closed::Revoked).streams_cut, 1);
    let settled = world.log.settles(1).await;
    assert_eq!(settled[0].4.as_deref(), Some("cut: revoked"));
    drop(body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_cuts_a_running_upload_and_tells_the_child_why() {
    let (swallowed, gone) = (Arc::default(), Arc::default());
    let upstream = silent(&swallowed, &gone).await;
    let world = Setup::on(&upstream.url()).gate().await;
    let mut headers = Sign::with(&world).payload(Payload::Unsigned).headers(&Method::PUT, "/bucket/key", &[], b"");
    headers.insert("content-length", HeaderValue::from(GIB));
    let mut client = Client::connect(&world).await;
    let answered = client.ask(built(Method::PUT, "/bucket/key", headers, dripping()));
    let killed = async {
        eventually("an upload", || swallowed.load(Ordering::SeqCst) > 1 << 20).await;
        let cut = world.gate.switch().refuse(Closed::Revoked);
        eventually("the end of the upstream's connection", || gone.load(Ordering::SeqCst)).await;
        (cut, swallowed.load(Ordering::SeqCst))
    };
    let (answer, (cut, swallowed)) = tokio::join!(answered, killed);
    assert_eq!(cut.streams_cut, 1);
    assert!(swallowed < GIB / 4, "{swallowed}");
    assert_eq!((answer.status.as_u16(), answer.reason()), (403, "revoked"), "{answer:?}");
    let settled = world.log.settles(1).await;
    assert_eq!(settled[0].4.as_deref(), Some("cut: revoked"));
    assert!(world.log.denied().is_empty(), "it was allowed, and cut");
}

#[tokio::test]
async fn kill_cuts_a_request_that_waits_for_its_answer() {
    let (swallowed, gone) = (Arc::default(), Arc::<AtomicBool>::default());
    let upstream = silent(&swallowed, &gone).await;
    let world = Setup::on(&upstream.url()).gate().await;
    let killed = async {
        eventually("the request", || swallowed.load(Ordering::SeqCst) > 0).await;
        world.gate.switch().refuse(Closed::BudgetExceeded)
    };
    let (answer, cut) = tokio::join!(get(&world, "/bucket/key"), killed);
    assert_eq!((answer.reason(), cut.streams_cut), ("budget-exceeded", 1));
    eventually("the end of the upstream's connection", || gone.load(Ordering::SeqCst)).await;
}

#[tokio::test]
async fn after_the_switch_nothing_is_signed_and_the_child_hears_why() {
    let upstream = Upstream::plain().await;
    for (why, reason, code) in [
        (Closed::Revoked, "revoked", "AccessDenied"),
        (Closed::Completed, "revoked", "AccessDenied"),
        (Closed::BudgetExceeded, "budget-exceeded", "AccessDenied"),
        (Closed::Expired, "expired", "ExpiredToken"),
    ] {
        let world = Setup::on(&upstream.url()).gate().await;
        assert_eq!(world.gate.switch().refuse(why).streams_cut, 0, "idle");
        let answer = get(&world, "/bucket/key").await;
        assert_eq!(answer.reason(), reason);
        assert!(answer.text().contains(code), "{}", answer.text());
        assert_eq!((world.gate.counts().signed, world.log.allowed()), (0, 0));
    }
    assert!(upstream.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_that_begins_after_the_switch_reaches_the_upstream() {
    let upstream = Upstream::plain().await;
    for _ in 0..20 {
        let world = Arc::new(Setup::on(&upstream.url()).gate().await);
        let mut tasks = tokio::task::JoinSet::new();
        let stopped = Arc::new(AtomicBool::new(false));
        for _ in 0..8 {
            let (world, stopped) = (Arc::clone(&world), Arc::clone(&stopped));
            tasks.spawn(async move {
                let mut client = Client::connect(&world).await;
                for _ in 0..200 {
                    let after = stopped.load(Ordering::SeqCst);
                    let request = Sign::with(&world).request(Method::GET, "/bucket/key", &[], b"");
                    let Ok(response) = client.begin(request).await else { return };
                    let status = response.status();
                    if response.into_body().collect().await.is_err() {
                        return;
                    }
                    assert!(!after || status == 403, "a request that began after the switch was answered {status}");
                    if after {
                        return;
                    }
                }
            });
        }
        tokio::time::sleep(Duration::from_millis(15)).await;
        world.gate.switch().refuse(Closed::Revoked);
        stopped.store(true, Ordering::SeqCst);
        while let Some(done) = tasks.join_next().await {
            done.expect("no panic");
        }
    }
}

#[tokio::test]
async fn an_expired_session_answers_expired_token_whatever_the_protocol() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).ttl_s(60).gate().await;
    assert_eq!(get(&world, "/bucket/key").await.status, 200);
    world.clock.advance_s(60);
    let answer = get(&world, "/bucket/key").await;
    assert_eq!((answer.status.as_u16(), answer.reason()), (400, "expired"), "{answer:?}");
    assert!(answer.text().contains("<Code>ExpiredToken</Code>"), "{}", answer.text());
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let request = Sign::with(&world).service("sqs").request(Method::POST, "/", &form, b"Action=ListQueues&Version=1");
    assert!(ask(&world, request).await.text().contains("ExpiredToken"));
    assert_eq!(world.log.denied(), [DenialCode::Expired, DenialCode::Expired]);
    assert_eq!(world.gate.switch().closed(), Some(Closed::Expired));
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn expiry_cuts_a_running_download_when_the_wall_clock_jumps() {
    let upstream = endless().await;
    let world = Setup::on(&upstream.url()).ttl_s(3_600).gate().await;
    let mut client = Client::connect(&world).await;
    let request = Sign::with(&world).request(Method::GET, "/bucket/key", &[], b"");
    let mut body = client.begin(request).await.expect("an answer").into_body();
    let _ = body.frame().await;
    world.clock.advance_s(3_600);
    let cut = async { while let Some(Ok(_)) = body.frame().await {} };
    tokio::time::timeout(Duration::from_secs(5), cut).await.expect("cut");
    assert_eq!(world.log.settles(1).await[0].4.as_deref(), Some("cut: expired"));
}

#[tokio::test]
async fn expiry_comes_by_the_time_that_has_really_passed_even_when_the_wall_clock_stands_still() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).ttl_s(1).gate().await;
    let begun = Instant::now();
    eventually("expiry", || world.gate.switch().closed() == Some(Closed::Expired)).await;
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    assert_eq!(get(&world, "/bucket/key").await.reason(), "expired");
}

#[tokio::test]
async fn a_gate_that_is_dropped_serves_nobody() {
    let upstream = endless().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let address = world.gate.address();
    let mut client = Client::connect(&world).await;
    let request = Sign::with(&world).request(Method::GET, "/bucket/key", &[], b"");
    let mut body = client.begin(request).await.expect("an answer").into_body();
    let log = Arc::clone(&world.log);
    drop(world);
    while let Some(Ok(_)) = body.frame().await {}
    log.settles(1).await;
    eventually("a closed port", || std::net::TcpStream::connect(address).is_err()).await;
}

#[tokio::test]
async fn shutdown_lets_requests_end_within_its_grace_and_cuts_the_rest() {
    let upstream = endless().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let mut client = Client::connect(&world).await;
    let request = Sign::with(&world).request(Method::GET, "/bucket/key", &[], b"");
    let mut body = client.begin(request).await.expect("an answer").into_body();
    let _ = body.frame().await;
    let log = Arc::clone(&world.log);
    let begun = Instant::now();
    let counts = world.gate.shutdown(Duration::from_millis(200)).await;
    assert!(begun.elapsed() >= Duration::from_millis(200) && begun.elapsed() < Duration::from_secs(5));
    assert_eq!((counts.allowed, counts.settled), (1, 1), "every outcome is handed over");
    assert_eq!(log.settled().len(), 1);
}
