//! Real presigned URLs, made by the gate: decided, recorded before they are signed, no longer than the session.

use std::sync::atomic::Ordering;

use hallpass_core::audit::Event;
use hallpass_core::clock::Clock;
use hallpass_core::denial::DenialCode;
use hallpass_core::limits::PRESIGN_LIFE_S_MAX;
use hallpass_dataplane::gate::{Closed, UrlWish};
use jiff::SignedDuration;

use crate::client::exchange;
use crate::upstream::Upstream;
use crate::world::{REAL_KEY, REAL_SECRET, Setup, World};

fn wish(method: &str, key: &str, life_s: u64) -> UrlWish {
    let text = |text: &str| text.to_owned();
    UrlWish { method: text(method), bucket: text("bucket"), key: text(key), region: text("us-east-1"), life_s }
}

fn presigned(world: &World) -> usize {
    world.log.entries().iter().filter(|event| matches!(event, Event::UrlPresigned { .. })).count()
}

#[tokio::test]
async fn a_url_that_the_policy_allows_works_at_a_store_that_verifies_it() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("bucket")).expect("a bucket");
    std::fs::write(folder.path().join("bucket/a key+ü"), "found").expect("an object");
    let store = Upstream::store(folder.path()).await;
    let world = Setup::on(&store.url()).long_term_keys().actions(&["s3:GetObject"]).gate().await;
    let made = world.gate.presigner().presign(&wish("GET", "a key+ü", 60)).await.expect("allowed");
    let url: http::Uri = made.url.expose().parse().expect("a URL");
    let target = url.path_and_query().expect("a path").as_str();
    let host = url.authority().expect("a host");
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let answer = exchange(store.address(), get(target).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("found"), "{answer}");
    let other = target.replace("a%20key", "b%20key");
    assert_ne!(other, target);
    let answer = exchange(store.address(), get(&other).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert!(target.contains(REAL_KEY) && !made.url.expose().contains(REAL_SECRET));
    let entries = world.log.entries();
    assert!(matches!(entries[..], [Event::UrlPresigned { .. }]), "{entries:?}");
    let Some(Event::UrlPresigned { method, actions, resources, expires_at, .. }) = entries.last() else { return };
    assert_eq!((method.as_str(), actions[0].as_str()), ("GET", "s3:GetObject"));
    assert_eq!(resources, &["arn:aws:s3:::bucket/a key+ü"]);
    assert_eq!((*expires_at, made.entry), (made.expires_at, 0));
}

#[tokio::test]
async fn what_the_policy_does_not_allow_is_not_presigned_and_recorded_as_refused() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).actions(&["s3:GetObject"]).gate().await;
    let denial = world.gate.presigner().presign(&wish("PUT", "key", 60)).await.expect_err("not allowed");
    assert_eq!((denial.code, denial.action.as_deref()), (DenialCode::NotAllowed, Some("s3:PutObject")));
    for (method, key) in [("DELETE", "key"), ("get", "key"), ("GET", ""), ("POST", "key")] {
        let denial = world.gate.presigner().presign(&wish(method, key, 60)).await.expect_err("malformed");
        assert_eq!(denial.code, DenialCode::Malformed, "{method} `{key}`");
    }
    let elsewhere = UrlWish { bucket: "b/../other".to_owned(), ..wish("GET", "key", 60) };
    assert!(world.gate.presigner().presign(&elsewhere).await.is_err());
    let abroad = UrlWish { region: "cn-north-1".to_owned(), ..wish("GET", "key", 60) };
    let aws = Setup::at_aws().actions(&["s3:GetObject"]).gate().await;
    assert!(aws.gate.presigner().presign(&abroad).await.is_err(), "another partition");
    assert_eq!((presigned(&world), world.log.denied().len()), (0, 6));
    assert_eq!(world.source.asked.load(Ordering::SeqCst), 0, "the credential was not even asked for");
}

#[tokio::test]
async fn a_url_lives_no_longer_than_the_session_the_credential_and_the_limit() {
    let upstream = Upstream::plain().await;
    let life = async |setup: Setup, asked: u64| {
        let world = setup.gate().await;
        let made = world.gate.presigner().presign(&wish("GET", "key", asked)).await.expect("allowed");
        let left = made.expires_at.duration_since(world.clock.now()).as_secs();
        assert!(made.url.expose().contains("X-Amz-Expires="));
        left
    };
    let on = || Setup::on(&upstream.url());
    assert!((58..=60).contains(&life(on(), 60).await));
    assert!((118..=120).contains(&life(on().ttl_s(120), 900).await), "the session's");
    assert!((28..=30).contains(&life(on().credential_life_s(30), 900).await), "the credential's");
    let longest = life(on().ttl_s(40_000), PRESIGN_LIFE_S_MAX + 1_000).await;
    assert!(longest <= i64::try_from(PRESIGN_LIFE_S_MAX).expect("small"), "{longest}");
}

#[tokio::test]
async fn a_session_that_is_over_presigns_nothing() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let presigner = world.gate.presigner();
    world.gate.switch().refuse(Closed::Revoked);
    assert_eq!(presigner.presign(&wish("GET", "key", 60)).await.expect_err("over").code, DenialCode::Revoked);
    let world = Setup::on(&upstream.url()).ttl_s(60).gate().await;
    world.clock.advance_s(61);
    let denial = world.gate.presigner().presign(&wish("GET", "key", 60)).await.expect_err("over");
    assert_eq!(denial.code, DenialCode::Expired);
    assert_eq!(presigned(&world), 0);
}

#[tokio::test]
async fn without_an_entry_nothing_is_presigned() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    world.log.broken.store(true, Ordering::SeqCst);
    let denial = world.gate.presigner().presign(&wish("GET", "key", 60)).await.expect_err("no log");
    assert_eq!(denial.code, DenialCode::AuditUnavailable);
}

#[tokio::test]
async fn a_session_that_is_taken_back_while_the_entry_is_written_signs_nothing() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    world.log.delay_ms.store(200, Ordering::SeqCst);
    let presigner = world.gate.presigner();
    let wish = wish("GET", "key", 60);
    let (made, _) = tokio::join!(presigner.presign(&wish), async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        world.gate.switch().refuse(Closed::Revoked)
    });
    assert_eq!(made.expect_err("taken back").code, DenialCode::Revoked);
}

#[tokio::test]
async fn what_is_written_of_a_url_does_not_show_it() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let made = world.gate.presigner().presign(&wish("GET", "key", 60)).await.expect("allowed");
    assert!(!format!("{made:?} {:?}", world.log.entries()).contains("X-Amz-Signature"));
    assert!(made.expires_at < world.clock.now() + SignedDuration::from_secs(61));
}
