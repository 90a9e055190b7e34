//! Invariant 4: nothing is signed before its entry has a position in the log; signatures made = entries written.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hallpass_core::audit::Event;
use hallpass_core::limits::SETTLE_GRACE_S_MAX;
use http::Method;
use tokio::task::JoinSet;

use crate::client::{Client, Sign, get, put};
use crate::upstream::Upstream;
use crate::world::{Setup, eventually};

#[tokio::test]
async fn a_log_that_cannot_be_written_lets_nothing_out() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    world.log.broken.store(true, Ordering::SeqCst);
    let answer = get(&world, "/bucket/key").await;
    assert_eq!((answer.status.as_u16(), answer.reason()), (503, "audit-unavailable"), "{answer:?}");
    assert_eq!(put(&world, "/bucket/key", b"body").await.reason(), "audit-unavailable");
    assert!(upstream.seen().is_empty(), "nothing reaches the upstream");
    assert_eq!((world.gate.counts().signed, world.source.asked.load(Ordering::SeqCst)), (0, 0), "nothing is signed");
    world.log.broken.store(false, Ordering::SeqCst);
    assert_eq!(get(&world, "/bucket/key").await.status, 200, "and it recovers");
}

#[tokio::test]
async fn an_entry_that_the_log_refuses_because_the_time_is_over_is_an_expiry() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    world.log.broken.store(true, Ordering::SeqCst);
    world.log.delay_ms.store(40, Ordering::SeqCst);
    let over = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        world.clock.advance_s(3_600);
    };
    let (answer, ()) = tokio::join!(get(&world, "/bucket/key"), over);
    assert_eq!(answer.reason(), "expired", "{answer:?}");
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn the_entry_is_there_before_the_upstream_sees_the_request() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    world.log.delay_ms.store(150, Ordering::SeqCst);
    let asked = get(&world, "/bucket/key");
    let watched = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(upstream.seen().is_empty(), "the entry is not committed yet");
        assert_eq!(world.source.asked.load(Ordering::SeqCst), 0);
    };
    let (answer, ()) = tokio::join!(asked, watched);
    assert_eq!(answer.status, 200);
    assert_eq!(world.log.signed_before_entry.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signatures_made_are_entries_written_under_load_and_under_failures() {
    let upstream = Upstream::plain().await;
    let world = Arc::new(Setup::on(&upstream.url()).actions(&["s3:GetObject", "s3:PutObject"]).gate().await);
    let mut tasks = JoinSet::new();
    for number in 0..64_usize {
        let world = Arc::clone(&world);
        tasks.spawn(async move {
            let mut client = Client::connect(&world).await;
            for turn in 0..10_usize {
                if number == 0 {
                    world.log.broken.store(turn % 3 == 1, Ordering::SeqCst);
                }
                let (method, path) = match (number + turn) % 4 {
                    0 => (Method::DELETE, "/bucket/denied"),
                    1 => (Method::PUT, "/bucket/key"),
                    _ => (Method::GET, "/bucket/key"),
                };
                let body: &[u8] = if method == Method::PUT { b"body" } else { b"" };
                let mut sign = Sign::with(&world);
                if (number + turn) % 7 == 0 {
                    sign.secret.push('x');
                }
                let request = sign.request(method, path, &[], body);
                // A refusal of an unread body closes the connection.
                match client.begin(request).await {
                    Ok(response) if response.headers().get("connection").is_none() => {
                        let _ = http_body_util::BodyExt::collect(response.into_body()).await;
                    }
                    _ => client = Client::connect(&world).await,
                }
            }
            if number == 0 {
                world.log.broken.store(false, Ordering::SeqCst);
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no panic");
    }
    let counts = world.gate.counts();
    assert!(counts.signed > 50, "{counts:?}");
    assert_eq!(counts.signed as usize, world.log.allowed());
    assert_eq!(counts.signed, world.source.asked.load(Ordering::SeqCst));
    assert_eq!(counts.signed as usize, upstream.seen().len());
    eventually("every outcome", || world.log.settled().len() == world.log.allowed()).await;
    let mut positions: Vec<u64> = world.log.settled().iter().map(|outcome| outcome.0).collect();
    positions.sort_unstable();
    positions.dedup();
    assert_eq!(positions.len(), world.log.allowed(), "each entry is settled once");
    let entries = world.log.entries();
    for of in positions {
        assert!(matches!(entries[of as usize], Event::RequestAllowed { .. }));
    }
}

#[tokio::test]
async fn a_child_that_leaves_while_its_entry_is_written_leaves_a_settled_entry_and_no_signature() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    world.log.delay_ms.store(200, Ordering::SeqCst);
    let mut client = Client::connect(&world).await;
    let request = Sign::with(&world).request(Method::GET, "/bucket/key", &[], b"");
    let left = tokio::time::timeout(Duration::from_millis(80), client.begin(request)).await;
    assert!(left.is_err(), "no answer yet");
    drop(client);
    let settled = world.log.settles(1).await;
    assert!(settled[0].4.as_deref().is_some_and(|fault| fault.starts_with("not signed")), "{settled:?}");
    assert_eq!((world.log.allowed(), world.gate.counts().signed), (1, 0));
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn refused_actions_are_recorded_with_what_they_were() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).actions(&["s3:GetObject"]).gate().await;
    let answer = put(&world, "/bucket/key", b"body").await;
    assert_eq!((answer.status.as_u16(), answer.reason()), (403, "not-allowed"), "{answer:?}");
    assert!(answer.text().contains("AccessDenied"), "{answer:?}");
    let entries = world.log.entries();
    let Some(Event::RequestDenied { service, operation, method, .. }) = entries.first() else {
        panic!("{entries:?}");
    };
    assert_eq!((service.as_deref(), operation.as_deref(), method.as_str()), (Some("s3"), Some("PutObject"), "PUT"));
    assert_eq!(answer.headers["x-hallpass-entry"], "0");
    assert!(upstream.seen().is_empty());
    assert_eq!(world.source.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_refusal_that_cannot_be_recorded_is_refused_all_the_same() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).actions(&["s3:GetObject"]).gate().await;
    world.log.broken.store(true, Ordering::SeqCst);
    let answer = put(&world, "/bucket/key", b"body").await;
    assert_eq!((answer.status.as_u16(), answer.reason()), (403, "not-allowed"));
    assert!(!answer.headers.contains_key("x-hallpass-entry"), "{answer:?}");
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn a_journal_that_never_answers_does_not_hold_up_the_end() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    world.log.delay_ms.store(3_600_000, Ordering::SeqCst);
    let mut client = Client::connect(&world).await;
    let request = Sign::with(&world).request(Method::GET, "/bucket/key", &[], b"");
    assert!(tokio::time::timeout(Duration::from_millis(80), client.begin(request)).await.is_err());
    let begun = std::time::Instant::now();
    let counts = world.gate.shutdown(Duration::from_millis(100)).await;
    assert!(begun.elapsed() < Duration::from_secs(SETTLE_GRACE_S_MAX + 2), "{:?}", begun.elapsed());
    assert_eq!((counts.allowed, counts.signed), (0, 0));
}
