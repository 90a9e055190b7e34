//! Signature Version 4A: the published vectors, both ways, and what is refused.

use std::fs;
use std::path::{Path, PathBuf};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use hallpass_core::limits::SIGNATURE_SKEW_S_MAX;
use hallpass_core::sigv4::asymmetric::{Check, Claim, Signer, private_key, sign};
use hallpass_core::sigv4::{AmzDate, Authorization, Parts, PathStyle, PayloadHash, Presigned, VerifyError};
use jiff::Timestamp;
use serde_json::Value;

use super::Request;
use super::vectors::{read_request, sha256};

const CASES: usize = 38;
/// The credential of the suite.
const ACCESS_KEY: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/sigv4/v4a")
}

fn key_pair(access_key_id: &str, secret: &str) -> EcdsaKeyPair {
    let scalar = private_key(access_key_id, secret).expect("a key");
    // RFC 5915: SEQUENCE { INTEGER 1, OCTET STRING of 32 bytes, [0] OID prime256v1 }.
    let mut der = vec![0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20];
    der.extend_from_slice(scalar.as_slice());
    der.extend_from_slice(&[0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]);
    EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_ASN1_SIGNING, &der).expect("a private key")
}

struct Case {
    name: String,
    request: Request,
    body: Vec<u8>,
    context: Value,
    in_header: Request,
    in_query: Request,
    canonical: String,
}

fn cases() -> Vec<Case> {
    let mut names: Vec<_> =
        fs::read_dir(folder()).expect("the vectors").map(|entry| entry.expect("one").path()).collect();
    names.sort();
    let read = |path: &Path| {
        let file = |name: &str| fs::read_to_string(path.join(name)).expect(name);
        let (request, body) = read_request(&file("request.txt"));
        Case {
            name: path.file_name().expect("a name").to_string_lossy().into_owned(),
            request,
            body,
            context: serde_json::from_str(&file("context.json")).expect("JSON"),
            in_header: read_request(&file("header-signed-request.txt")).0,
            in_query: read_request(&file("query-signed-request.txt")).0,
            canonical: file("header-canonical-request.txt"),
        }
    };
    names.iter().map(|path| read(path)).collect()
}

impl Case {
    fn style(&self) -> PathStyle {
        // The suite encodes each path once.
        if self.context["normalize"] == false { PathStyle::S3 } else { PathStyle::NormalisedOnce }
    }

    fn token(&self) -> Option<&str> {
        self.context["credentials"]["token"].as_str()
    }
}

fn view(request: &Request) -> Vec<(&str, &[u8])> {
    request.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect()
}

fn at() -> Timestamp {
    "2015-08-30T12:36:00Z".parse().expect("a time")
}

/// The regions that a request is good for.
fn verdict(request: &Request, case: &Case, secret: &str, now: Timestamp) -> Result<String, VerifyError> {
    verified(request, case, secret, now).map(|(region, _)| region)
}

/// The regions, and the query that is left for the operation.
fn verified(request: &Request, case: &Case, secret: &str, now: Timestamp) -> Result<(String, String), VerifyError> {
    let headers = view(request);
    let parts = Parts { method: &request.method, path: &request.path, query: &request.query, headers: &headers };
    assert_eq!(Authorization::of(&parts).expect_err("another algorithm"), VerifyError::SigV4A);
    let presigned = parts.header("authorization").is_none().then(|| Presigned::parse(&parts)).transpose()?;
    let claim = Claim::of(&parts, presigned.as_ref())?;
    let pair = key_pair(ACCESS_KEY, secret);
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, pair.public_key().as_ref().to_vec());
    let signed_by = |message: &[u8], signature: &[u8]| public.verify(message, signature).is_ok();
    let check = Check {
        access_key_id: ACCESS_KEY,
        signed_by: &signed_by,
        token: case.token(),
        now,
        payload: PayloadHash::of_body(&case.body),
        path_style: case.style(),
    };
    claim.verify(&parts, &check).map(|verified| (verified.scope.region.to_owned(), verified.query))
}

#[test]
fn the_derived_key_is_the_published_one() {
    for case in cases() {
        let text = fs::read_to_string(folder().join(&case.name).join("public-key.json")).expect("a key");
        let published: Value = serde_json::from_str(&text).expect("JSON");
        let expected = format!("04{}{}", published["X"].as_str().expect("X"), published["Y"].as_str().expect("Y"));
        assert_eq!(hex::encode(key_pair(ACCESS_KEY, SECRET).public_key().as_ref()), expected, "{}", case.name);
    }
}

#[test]
fn every_published_signature_is_right_and_with_another_secret_wrong() {
    let (mut count, mut odd) = (0, Vec::new());
    for case in cases() {
        for (place, request) in [("header", &case.in_header), ("query", &case.in_query)] {
            let right = verdict(request, &case, SECRET, at());
            if right != Ok("us-east-1".to_owned()) {
                odd.push(format!("{} {place}: {right:?}", case.name));
                continue;
            }
            count += 1;
            assert_eq!(verdict(request, &case, "another", at()), Err(VerifyError::Signature), "{}", case.name);
        }
    }
    // A token that is added after signing is not signed, and so not accepted.
    assert_eq!(odd.len(), ODD.len(), "{odd:#?}");
    assert!(odd.iter().zip(ODD).all(|(found, expected)| found.starts_with(expected)), "{odd:#?}");
    assert_eq!(count, 2 * CASES - ODD.len());
}

/// Refused on purpose.
const ODD: [&str; 2] = ["post-sts-header-after header: Err(NotSigned", "post-sts-header-after query"];

#[test]
fn what_we_sign_verifies_and_has_the_published_canonical_request() {
    for case in cases() {
        let pair = key_pair(ACCESS_KEY, SECRET);
        let headers = view(&case.request);
        let parts = Parts {
            method: &case.request.method,
            path: &case.request.path,
            query: &case.request.query,
            headers: &headers,
        };
        let signer = Signer {
            access_key_id: ACCESS_KEY,
            token: case.token(),
            service: "service",
            region_set: "us-east-1",
            at: AmzDate::at(at()).expect("a date"),
            payload: PayloadHash::of_body(&case.body),
            send_content_sha256: case.canonical.contains("x-amz-content-sha256"),
            path_style: case.style(),
        };
        let mut message = Vec::new();
        let made = sign(&parts, &signer, |text| {
            message = text.to_vec();
            pair.sign(&SystemRandom::new(), text).ok().map(|signature| signature.as_ref().to_vec())
        });
        let made = match made {
            Ok(made) => made,
            // The suite gives a request that was signed already once more.
            Err(error) => unreachable!("{}: {error}", case.name),
        };
        let hash = String::from_utf8(message).expect("text").rsplit('\n').next().expect("a hash").to_owned();
        let skipped = case.context["omit_session_token"] == true;
        assert!(skipped || hash == sha256(&case.canonical), "{}", case.name);
        let sent = made.headers().fold(case.request.clone(), |request, (name, value)| request.and(name, value));
        let sent = Request { path: made.path.clone(), query: made.query.clone(), ..sent };
        assert_eq!(verdict(&sent, &case, SECRET, at()), Ok("us-east-1".to_owned()), "{}", case.name);
    }
}

#[test]
fn the_operation_gets_its_own_query_and_nothing_of_the_signature() {
    let mut own = 0;
    for case in cases() {
        let by_header = verified(&case.in_header, &case, SECRET, at());
        let by_query = verified(&case.in_query, &case, SECRET, at());
        let (Ok((_, header)), Ok((_, query))) = (by_header, by_query) else { continue };
        assert_eq!(query, header, "{}", case.name);
        own += usize::from(!query.is_empty());
    }
    assert!(own > 3, "{own} of the published requests have a query of their own");
}

#[test]
fn a_changed_request_an_old_one_and_a_signed_chunk_mode_are_refused() {
    let case = cases().into_iter().find(|case| case.name == "get-vanilla").expect("there");
    let now = at();
    let other_regions = |request: &Request| {
        let changed = |(name, value): &(String, Vec<u8>)| {
            let value = if name == "x-amz-region-set" { b"*".to_vec() } else { value.clone() };
            (name.clone(), value)
        };
        Request { headers: request.headers.iter().map(changed).collect(), ..request.clone() }
    };
    assert_eq!(verdict(&other_regions(&case.in_header), &case, SECRET, now), Err(VerifyError::Signature));
    let widened = case.in_query.query.replace("Region-Set=us-east-1", "Region-Set=%2A");
    let widened = Request { query: widened, ..case.in_query.clone() };
    assert_eq!(verdict(&widened, &case, SECRET, now), Err(VerifyError::Signature));
    let late = now + jiff::SignedDuration::from_secs(3_601);
    assert!(matches!(verdict(&case.in_header, &case, SECRET, late), Err(VerifyError::Skew(_))));
    assert_eq!(verdict(&case.in_query, &case, SECRET, late), Err(VerifyError::PresignedExpired(1)));
    for (seconds, right) in [(SIGNATURE_SKEW_S_MAX, true), (SIGNATURE_SKEW_S_MAX + 1, false)] {
        for later in [seconds, -seconds] {
            let then = now + jiff::SignedDuration::from_secs(later);
            assert_eq!(verdict(&case.in_header, &case, SECRET, then).is_ok(), right, "{later}");
        }
    }
    let moved = Request { path: "/other".into(), ..case.in_header.clone() };
    assert_eq!(verdict(&moved, &case, SECRET, now), Err(VerifyError::Signature));
    let mut without = case.in_header.clone();
    without.headers.retain(|(name, _)| name != "x-amz-region-set");
    assert_eq!(verdict(&without, &case, SECRET, now), Err(VerifyError::RegionSet));
}

/// What a request says when its signature is taken for right.
fn believed(request: &Request, payload: PayloadHash) -> Result<Option<Vec<(String, String)>>, VerifyError> {
    request.with(|parts| {
        let presigned = parts.header("authorization").is_none().then(|| Presigned::parse(parts)).transpose()?;
        let claim = Claim::of(parts, presigned.as_ref())?;
        let (signed_by, path_style) = (|_: &[u8], _: &[u8]| true, PathStyle::NormalisedOnce);
        let check =
            Check { access_key_id: ACCESS_KEY, signed_by: &signed_by, token: None, now: at(), payload, path_style };
        claim.verify(parts, &check).map(|verified| verified.hoisted)
    })
}

#[test]
fn a_body_is_covered_as_the_request_says_it_is() {
    let case = cases().into_iter().find(|case| case.name == "get-vanilla").expect("there");
    let missing = Err(VerifyError::MissingHeader("x-amz-content-sha256"));
    assert_eq!(believed(&case.in_header, PayloadHash::Unsigned), missing, "said by nobody");
    let query = case.in_query.query.replace("SignedHeaders=host", "SignedHeaders=host%3Bx-amz-content-sha256");
    let declared =
        |hash: &str| Request { query: query.clone(), ..case.in_query.clone() }.and("x-amz-content-sha256", hash);
    let payload = PayloadHash::of_body(b"body");
    assert!(believed(&declared(&sha256("body")), payload).is_ok());
    assert_eq!(believed(&declared(&sha256("other")), payload), Err(VerifyError::BodyMismatch));
}

#[test]
fn what_s3_reads_as_headers_in_a_query_becomes_headers() {
    let case = cases().into_iter().find(|case| case.name == "get-vanilla").expect("there");
    let payload = PayloadHash::of_body(b"");
    let query = format!("X-Amz-Meta-A=b%2Bc&{}", case.in_query.query);
    let hoisted = believed(&Request { query, ..case.in_query.clone() }, payload).expect("verifies");
    let (meta, region) = (("x-amz-meta-a", "b+c"), ("x-amz-region-set", "us-east-1"));
    assert_eq!(hoisted, Some([meta, region].map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()));
    assert_eq!(believed(&case.in_header, payload), Ok(None));
}

#[test]
fn a_signature_is_no_longer_than_two_numbers_of_the_curve() {
    use hallpass_core::limits::ECDSA_SIGNATURE_BYTES_MAX;
    let case = cases().into_iter().find(|case| case.name == "get-vanilla").expect("there");
    let with = |bytes: usize| {
        let change = |value: &str| {
            let head = value.split("Signature=").next().unwrap_or_default().to_owned();
            format!("{head}Signature={}", "30".repeat(bytes))
        };
        verdict(&case.in_header.clone().authorization(change), &case, SECRET, at())
    };
    assert_eq!(with(ECDSA_SIGNATURE_BYTES_MAX), Err(VerifyError::Signature));
    assert!(matches!(with(ECDSA_SIGNATURE_BYTES_MAX + 1), Err(VerifyError::Authorization(_))));
}
