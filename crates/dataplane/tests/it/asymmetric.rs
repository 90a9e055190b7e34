//! Signature Version 4A: verified, decided for every region of its set, and signed anew with the real key.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use bytes::Bytes;
use hallpass_core::clock::Clock;
use hallpass_core::secret::Secret;
use hallpass_core::sigv4::asymmetric::{Check, Claim, Signer, private_key, sign};
use hallpass_core::sigv4::{AmzDate, Parts, PathStyle, PayloadHash};
use hallpass_dataplane::gate::Passthrough;
use http::{Method, Request};
use http_body_util::Full;

use crate::client::{Answer, ask};
use crate::tunnel::Tunnel;
use crate::upstream::{Seen, Upstream};
use crate::world::{REAL_KEY, REAL_SECRET, Setup, World};

const POINT: &str = "mfzwi23gnjvgw.mrap.accesspoint.s3-global.amazonaws.com";

fn key_pair(access_key_id: &str, secret: &str) -> EcdsaKeyPair {
    let scalar = private_key(access_key_id, secret).expect("a key");
    let head = [0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20];
    let curve = [0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    let der = [&head[..], scalar.as_slice(), &curve].concat();
    EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_ASN1_SIGNING, &der).expect("a private key")
}

/// A GET that is signed with the placeholder for a set of regions.
fn get(world: &World, host: &str, path: &str, region_set: &str, secret: &str) -> Request<Full<Bytes>> {
    let pair = key_pair(&world.placeholder.access_key_id, secret);
    let parts = Parts { method: "GET", path, query: "", headers: &[("host", host.as_bytes())] };
    let signer = Signer {
        access_key_id: &world.placeholder.access_key_id,
        token: Some(world.placeholder.session_token.expose()),
        service: "s3",
        region_set,
        at: AmzDate::at(world.clock.now()).expect("a date"),
        payload: PayloadHash::of_body(b""),
        send_content_sha256: true,
        path_style: PathStyle::S3,
    };
    let with_key = |message: &[u8]| pair.sign(&SystemRandom::new(), message).ok().map(|one| one.as_ref().to_vec());
    let signed = sign(&parts, &signer, with_key).expect("signs");
    let mut request = Request::builder().method(Method::GET).uri(path).header("host", host);
    for (name, value) in signed.headers() {
        request = request.header(name, value);
    }
    request.body(Full::new(Bytes::new())).expect("a request")
}

async fn through_proxy(world: &World, region_set: &str) -> Answer {
    let secret = world.placeholder.secret_access_key.expose();
    let proxy = world.gate.open_proxy(Passthrough::default()).expect("a proxy");
    let request = get(world, POINT, "/a/key", region_set, secret);
    Tunnel::to(world, &proxy, POINT).await.ask(request).await
}

/// Whether the real key has signed what arrived.
fn is_signed_for_real(seen: &Seen, world: &World) -> bool {
    let headers: Vec<(&str, &[u8])> =
        seen.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let parts = Parts { method: "GET", path: seen.uri.path(), query: "", headers: &headers };
    let pair = key_pair(REAL_KEY, REAL_SECRET);
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, pair.public_key().as_ref());
    let signed_by = |message: &[u8], signature: &[u8]| public.verify(message, signature).is_ok();
    let token = Secret::new(seen.header("x-amz-security-token"));
    let check = Check {
        access_key_id: REAL_KEY,
        signed_by: &signed_by,
        token: Some(token.expose()),
        now: world.clock.now(),
        payload: PayloadHash::of_body(b""),
        path_style: PathStyle::S3,
    };
    Claim::of(&parts, None).and_then(|claim| claim.verify(&parts, &check)).is_ok()
}

#[tokio::test]
async fn a_request_for_several_regions_is_verified_and_signed_anew_for_the_same_ones() {
    let upstream = Upstream::plain().await;
    let world = Setup::at_aws().host_at(POINT, &upstream.url()).gate().await;
    for set in ["*", "us-east-1,eu-west-1"] {
        let answer = through_proxy(&world, set).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let seen = upstream.seen();
    let sets: Vec<&str> = seen.iter().map(|one| one.header("x-amz-region-set")).collect();
    assert_eq!(sets, ["*", "us-east-1,eu-west-1"]);
    assert!(seen.iter().all(|one| one.header("host") == POINT && one.uri.path() == "/a/key"));
    assert!(seen.iter().all(|one| is_signed_for_real(one, &world)));
    let entry = serde_json::to_string(&world.log.entries()[0]).expect("JSON");
    assert!(entry.contains("arn:aws:s3::*:accesspoint/mfzwi23gnjvgw.mrap/object/a/key"), "{entry}");
}

fn in_europe(effect: &str, operator: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"s3:*","Resource":"*"}},
        {{"Effect":"{effect}","Action":"s3:*","Resource":"*","Condition":{{"{operator}":{{"aws:RequestedRegion":"eu-*"}}}}}}]}}"#
    )
}

#[tokio::test]
async fn a_condition_on_the_region_holds_for_every_region_of_the_set() {
    let upstream = Upstream::plain().await;
    let deny = in_europe("Deny", "StringNotLike");
    let world = Setup::at_aws().host_at(POINT, &upstream.url()).document(&deny).gate().await;
    assert_eq!(through_proxy(&world, "eu-west-1,eu-central-1").await.status, 200);
    for set in ["us-east-1,eu-west-1", "eu-west-1,us-east-1", "us-east-1", "*", "eu-*"] {
        let answer = through_proxy(&world, set).await;
        assert_eq!((answer.status.as_u16(), answer.reason()), (403, "explicit-deny"), "{set}: {answer:?}");
    }
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn a_signature_for_several_regions_is_taken_for_multi_region_access_points_only() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let host = world.gate.address().to_string();
    let secret = world.placeholder.secret_access_key.expose();
    for set in ["*", "us-east-1,eu-west-1", "us-*"] {
        let answer = ask(&world, get(&world, &host, "/bucket/key", set, secret)).await;
        assert_eq!(answer.reason(), "malformed", "{set}: {answer:?}");
    }
    let answer = ask(&world, get(&world, &host, "/bucket/key", "us-east-1", secret)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn an_asymmetric_signature_with_another_key_is_refused() {
    let upstream = Upstream::plain().await;
    let world = Setup::on(&upstream.url()).gate().await;
    let host = world.gate.address().to_string();
    let answer = ask(&world, get(&world, &host, "/bucket/key", "us-east-1", "another")).await;
    assert_eq!((answer.status.as_u16(), answer.reason()), (403, "signature"), "{answer:?}");
    assert!(upstream.seen().is_empty());
}
