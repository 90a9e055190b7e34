//! The published vectors: the AWS signing test suite and the examples of the S3 API reference.

use std::fs;
use std::path::{Path, PathBuf};

use hallpass_core::sigv4::{PathStyle, PayloadHash, Scope, SigningKey, VerifyError};
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{ACCESS_KEY, Party, Request, SECRET, at, key};

const CASES: usize = 40;

struct Vector {
    name: String,
    request: Request,
    body: Vec<u8>,
    sent: Request,
    canonical: String,
    party: Party,
    /// The case has a context, and so a published signature that can be compared.
    published: bool,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/sigv4/v4")
}

/// The suite's files: LF line ends, `Name:value` lines, continuation lines, a blank line, the body.
pub(super) fn read_request(text: &str) -> (Request, Vec<u8>) {
    let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
    let unfolded = head.replace("\n ", "  ");
    let mut lines = unfolded.lines();
    let first = lines.next().expect("a request line").trim_end_matches(" HTTP/1.1");
    let (method, target) = first.split_once(' ').expect("a method");
    let mut request = Request::new(method, target, &[]);
    for line in lines {
        let (name, value) = line.split_once(':').expect("a header");
        request = request.and(&name.to_ascii_lowercase(), value);
    }
    (request, body.as_bytes().to_vec())
}

fn read(name: &str) -> Vector {
    let file = |file: &str| fs::read_to_string(folder().join(name).join(file));
    let (request, body) = read_request(&file("request.txt").expect("a request"));
    let (sent, _) = read_request(&file("header-signed-request.txt").expect("a signed request"));
    let context: Option<Value> = file("context.json").ok().map(|text| serde_json::from_str(&text).expect("JSON"));
    let canonical = file("header-canonical-request.txt").expect("a canonical request");
    // Two cases have no context: their time is that of their canonical request, their secret does not matter.
    let date = canonical.split("x-amz-date:").nth(1).and_then(|rest| rest.lines().next()).expect("a date");
    let date = at(date);
    let party = Party {
        access_key_id: ACCESS_KEY.into(),
        key: SigningKey::derive(SECRET, Scope::new(date.date(), "us-east-1", "service").expect("a scope")).into(),
        token: None,
        payload: PayloadHash::of_body(&body),
        style: PathStyle::Normalised,
        send_content_sha256: false,
        at: date,
        now: Timestamp::from_second(date.unix_s()).expect("in range"),
    };
    let party = match &context {
        None => party,
        Some(c) => {
            let text = |name: &str| c["credentials"][name].as_str();
            let (region, service) = (c["region"].as_str().expect("text"), c["service"].as_str().expect("text"));
            let scope = Scope::new(date.date(), region, service).expect("a scope");
            let token = text("token").filter(|_| c["omit_session_token"] != true);
            Party {
                access_key_id: text("access_key_id").expect("an id").into(),
                key: SigningKey::derive(text("secret_access_key").expect("a secret"), scope).into(),
                token: token.map(str::to_owned),
                style: if c["normalize"] == true { PathStyle::NormalisedOnce } else { PathStyle::S3 },
                send_content_sha256: c["sign_body"] == true,
                ..party
            }
        }
    };
    let request = request.without("x-amz-date");
    Vector { name: name.into(), request, body, sent, canonical, party, published: context.is_some() }
}

fn all() -> Vec<Vector> {
    let mut names: Vec<_> = fs::read_dir(folder())
        .expect("the suite")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .collect();
    names.sort();
    assert_eq!(names.len(), CASES);
    names.iter().map(|name| read(name)).collect()
}

pub(super) fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// The signature that a canonical request must lead to, made from its published text.
fn signature_of(canonical: &str, party: &Party) -> String {
    let hash = sha256(canonical);
    let text = format!("AWS4-HMAC-SHA256\n{}\n{}\n{hash}", party.at, party.key.scope());
    hex::encode(party.key.sign(text.as_bytes()))
}

#[test]
fn every_vector_of_the_suite_is_signed_as_published() {
    let mut published = 0;
    for v in all() {
        let signed = v.party.sign(&v.request);
        assert_eq!(signed.signature.as_str(), signature_of(&v.canonical, &v.party), "{}: canonical request", v.name);
        if v.published {
            assert_eq!(signed.authorization, v.sent.header("authorization"), "{}", v.name);
            published += 1;
        }
    }
    assert_eq!(published, 38);
}

#[test]
fn every_vector_of_the_suite_is_verified_unless_its_token_is_not_signed() {
    let (mut verified, mut refused) = (0, 0);
    for v in all() {
        let sent = if v.published { v.sent.clone() } else { v.party.signed(&v.request) };
        match v.party.verify(&sent) {
            Ok(_) => verified += 1,
            Err(VerifyError::NotSigned(name)) if v.name == "post-sts-header-after" => {
                assert_eq!(name, "x-amz-security-token");
                refused += 1;
            }
            Err(error) => panic!("{}: {error}", v.name),
        }
        let other_body = [v.body.as_slice(), b"x"].concat();
        let party = Party { payload: PayloadHash::of_body(&other_body), ..v.party.clone() };
        assert!(party.verify(&sent).is_err(), "{}: another body", v.name);
    }
    assert_eq!((verified, refused), (CASES - 1, 1));
}

/// "Examples: Signature Calculations in AWS Signature Version 4" (Amazon S3 API Reference).
#[test]
fn the_examples_of_the_s3_reference_are_signed_as_published() {
    let host = ("host", "examplebucket.s3.amazonaws.com");
    let put = [host, ("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")];
    type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a [u8], &'a str);
    let cases: [Case<'_>; 4] = [
        (
            "GET",
            "/test.txt",
            &[host, ("range", "bytes=0-9")],
            b"",
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            "PUT",
            "/test$file.text",
            &put,
            b"Welcome to Amazon S3.",
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
        ("GET", "/?lifecycle", &[host], b"", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        (
            "GET",
            "/?max-keys=2&prefix=J",
            &[host],
            b"",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ];
    for (method, target, headers, body, signature) in cases {
        let party =
            Party { token: None, key: key("us-east-1", "s3"), payload: PayloadHash::of_body(body), ..Party::s3() };
        let request = Request::new(method, target, headers);
        assert_eq!(party.sign(&request).signature.as_str(), signature, "{target}");
        party.verify(&party.signed(&request)).expect("verifies");
    }
}
