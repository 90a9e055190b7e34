//! At every named place: what stops there is refused, or settled; never signed without its entry.
//! A process of its own, because fail points are the process's.

#[expect(dead_code, reason = "shared with the other tests, which use the rest")]
#[path = "it/client.rs"]
mod client;
#[expect(dead_code, reason = "shared with the other tests, which use the rest")]
#[path = "it/upstream.rs"]
mod upstream;
#[expect(dead_code, reason = "shared with the other tests, which use the rest")]
#[path = "it/world.rs"]
mod world;

use std::sync::atomic::Ordering;
use std::time::Duration;

use fail::FailScenario;
use hallpass_dataplane::gate::FAIL_POINTS;
use http::Method;
use http_body_util::BodyExt;
use tokio::sync::Mutex;

use client::{Client, Sign, get};
use upstream::Upstream;
use world::Setup;

/// Fail points are global: one test at a time.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Points at which nothing can fail: they only take time.
const CANNOT_FAIL: [&str; 3] = ["gate::deny", "gate::recorded", "gate::settle"];
/// Points after which the upstream has the request.
const AFTER_SENDING: [&str; 2] = ["gate::answer", "gate::download"];
/// Points that the two requests below do not pass.
const ELSEWHERE: [&str; 1] = ["gate::body"];

#[tokio::test]
async fn an_error_at_any_fail_point_denies_and_leaves_no_signature_without_its_entry() {
    let _alone = ALONE.lock().await;
    for point in FAIL_POINTS {
        let scenario = FailScenario::setup();
        let upstream = Upstream::plain().await;
        let world = Setup::on(&upstream.url()).actions(&["s3:PutObject"]).gate().await;
        let can_fail = !CANNOT_FAIL.contains(&point);
        fail::cfg(point, if can_fail { "return" } else { "sleep(2)" }).expect("configures");
        for (method, body) in [(Method::PUT, b"body".as_slice()), (Method::GET, b"")] {
            let mut client = Client::connect(&world).await;
            let request = Sign::with(&world).request(method.clone(), "/bucket/key", &[], body);
            let answered = match client.begin(request).await {
                Ok(response) => {
                    let status = response.status();
                    response.into_body().collect().await.is_ok().then_some(status)
                }
                Err(_) => None,
            };
            let must_fail = method == Method::GET || (can_fail && !ELSEWHERE.contains(&point));
            let succeeded = answered.is_some_and(|status| status.is_success());
            assert_eq!(succeeded, !must_fail, "{point} {method}: {answered:?}");
        }
        if can_fail && !AFTER_SENDING.contains(&point) && !ELSEWHERE.contains(&point) {
            assert!(upstream.seen().iter().all(|seen| !seen.whole), "{point}: it reached the upstream");
        }
        world::eventually("every outcome", || world.log.settled().len() == world.log.allowed()).await;
        let counts = world.gate.counts();
        assert!(counts.signed as usize <= world.log.allowed(), "{point}: {counts:?}");
        scenario.teardown();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_at_any_fail_point_is_obeyed() {
    let _alone = ALONE.lock().await;
    for point in FAIL_POINTS {
        let scenario = FailScenario::setup();
        let upstream = Upstream::plain().await;
        let world = Setup::on(&upstream.url()).gate().await;
        fail::cfg(point, "1*sleep(120)").expect("configures");
        let killed = async {
            tokio::time::sleep(Duration::from_millis(40)).await;
            world.gate.switch().refuse(hallpass_dataplane::gate::Closed::Revoked);
        };
        let mut client = Client::connect(&world).await;
        let request = Sign::with(&world).request(Method::PUT, "/bucket/key", &[], b"body");
        let (_, ()) = tokio::join!(client.begin(request), killed);
        let before = world.gate.counts().signed;
        assert_eq!(get(&world, "/bucket/key").await.reason(), "revoked", "{point}");
        assert_eq!(world.gate.counts().signed, before, "{point}");
        world::eventually("every outcome", || world.log.settled().len() == world.log.allowed()).await;
        scenario.teardown();
    }
}

/// What the tests of invariant 4 look at: with a broken log, is anything signed; and how many signatures are there
/// when the first entry is committed.
async fn signed_too_early() -> (u64, u64) {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    assert_eq!(get(&world, "/bucket/key").await.status, 200);
    let before_entry = world.log.signed_before_entry.load(Ordering::SeqCst);
    world.log.broken.store(true, Ordering::SeqCst);
    assert_eq!(get(&world, "/bucket/key").await.reason(), "audit-unavailable");
    (before_entry, world.gate.counts().signed - world.log.allowed() as u64)
}

#[tokio::test]
async fn the_mutant_that_signs_before_it_records_is_noticed() {
    let _alone = ALONE.lock().await;
    let scenario = FailScenario::setup();
    assert_eq!(signed_too_early().await, (0, 0), "the gate as it is");
    fail::cfg("mutant::sign_before_record", "return").expect("configures");
    assert_eq!(signed_too_early().await, (1, 1), "the mutant");
    scenario.teardown();
}
