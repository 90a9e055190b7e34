//! Presigned URLs, signed here by the S3 reference and read by the product.

use hallpass_core::limits::PRESIGNED_EXPIRES_S_MAX;
use hallpass_core::sigv4::canonical::query;
use hallpass_core::sigv4::{Authorization, Expected, PathStyle, PayloadHash, Presigned, VerifyError};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{ACCESS_KEY, AT, Request, at, key};

const TOKEN: &str = "a-session-token";
const HOST: (&str, &str) = ("host", "examplebucket.s3.amazonaws.com");
const LIFE_S: i64 = 900;

/// A query with its proof but for the signature. Every header of the request is signed.
fn unsigned(request: &Request, own: &str, service: &str) -> String {
    let mut names: Vec<&str> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let glue = if own.is_empty() { "" } else { "&" };
    format!(
        "{own}{glue}X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={ACCESS_KEY}%2F20130524%2Fus-east-1%2F{service}\
         %2Faws4_request&X-Amz-Date={AT}&X-Amz-Expires={LIFE_S}&X-Amz-SignedHeaders={}&X-Amz-Security-Token={TOKEN}",
        names.join("%3B")
    )
}

/// Signs whatever the query of `request` says.
fn signed(request: &Request, service: &str, payload: &str) -> Request {
    let mut headers: Vec<(&str, &str)> =
        request.headers.iter().map(|(name, value)| (name.as_str(), str::from_utf8(value).expect("text"))).collect();
    headers.sort_unstable();
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let query = query::canonical(&request.query).expect("a query");
    let text = format!("{}\n{}\n{query}\n{lines}\n{}\n{payload}", request.method, request.path, names.join(";"));
    let digest = hex::encode(Sha256::digest(text));
    let key = key("us-east-1", service);
    let signature = hex::encode(key.sign(format!("AWS4-HMAC-SHA256\n{AT}\n{}\n{digest}", key.scope()).as_bytes()));
    Request { query: format!("{}&X-Amz-Signature={signature}", request.query), ..request.clone() }
}

fn get(own: &str) -> Request {
    let request = Request::new("GET", "/test.txt", &[HOST]);
    let query = unsigned(&request, own, "s3");
    signed(&Request { query, ..request }, "s3", "UNSIGNED-PAYLOAD")
}

#[derive(Debug, PartialEq)]
struct Read {
    query: String,
    hoisted: Vec<(String, String)>,
    payload: PayloadHash,
}

fn read_at(request: &Request, age_s: i64, body: &[u8], service: &str) -> Result<Read, VerifyError> {
    request.with(|parts| {
        // Whoever reads a query has asked this first.
        match Authorization::of(parts) {
            Err(VerifyError::Presigned) => {}
            other => return Err(other.expect_err("signed in its query")),
        }
        let presigned = Presigned::parse(parts)?;
        let authorization = presigned.authorization()?;
        let path_style = PathStyle::for_service(service);
        let payload = presigned.payload(parts, path_style)?.unwrap_or_else(|| PayloadHash::of_body(body));
        let now = Timestamp::from_second(at(AT).unix_s() + age_s).expect("in range");
        let key = key("us-east-1", service);
        let expected = Expected { access_key_id: ACCESS_KEY, key: &key, token: Some(TOKEN), now, payload, path_style };
        let verified = presigned.verify(parts, &authorization, &expected)?;
        assert_eq!((verified.access_key_id, verified.at.as_str()), (ACCESS_KEY, AT));
        assert_eq!(verified.scope.to_string(), format!("20130524/us-east-1/{service}/aws4_request"));
        assert_eq!((verified.path.as_str(), verified.payload), (request.path.as_str(), payload));
        Ok(Read { query: verified.query, hoisted: verified.hoisted.expect("presigned"), payload })
    })
}

fn read(request: &Request) -> Result<Read, VerifyError> {
    read_at(request, 0, b"", "s3")
}

#[test]
fn what_proves_a_url_leaves_its_query_and_what_s3_reads_as_headers_becomes_headers() {
    let read = read(&get("x-id=GetObject&a=%2B&X-Amz-Meta-A=b%2Bc&x-amz-acl=private")).expect("verifies");
    assert_eq!(read.query, "a=%2B&x-id=GetObject");
    let hoisted: Vec<(&str, &str)> = read.hoisted.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(hoisted, [("x-amz-meta-a", "b+c"), ("x-amz-acl", "private")]);
    assert_eq!(read.payload, PayloadHash::Unsigned);
}

#[test]
fn a_url_lives_from_the_skew_before_its_date_to_the_end_of_its_own_life() {
    let url = get("");
    for age_s in [-300, 0, LIFE_S - 1] {
        assert!(read_at(&url, age_s, b"", "s3").is_ok(), "{age_s}");
    }
    assert_eq!(read_at(&url, -301, b"", "s3"), Err(VerifyError::Skew(301)));
    assert_eq!(read_at(&url, LIFE_S, b"", "s3"), Err(VerifyError::PresignedExpired(0)));
    assert_eq!(read_at(&url, LIFE_S + 7, b"", "s3"), Err(VerifyError::PresignedExpired(7)));
}

#[test]
fn a_life_that_aws_does_not_take_is_refused() {
    let life = |text: &str| {
        let request = Request::new("GET", "/test.txt", &[HOST]);
        let query = unsigned(&request, "", "s3").replace("Expires=900", &format!("Expires={text}"));
        read(&signed(&Request { query, ..request }, "s3", "UNSIGNED-PAYLOAD"))
    };
    assert!(life(&PRESIGNED_EXPIRES_S_MAX.to_string()).is_ok());
    assert!(life("1").is_ok());
    for bad in [&(PRESIGNED_EXPIRES_S_MAX + 1).to_string(), "0", "", "-1", "+1", "1.0", "0000900", "9999999"] {
        assert_eq!(life(bad), Err(VerifyError::PresignedLife), "{bad}");
    }
}

#[test]
fn a_parameter_of_the_signature_that_is_missing_misspelt_or_repeated_is_refused() {
    let url = get("a=1");
    for piece in url.query.split('&').skip(1) {
        let without = |to: &str| Request { query: url.query.replace(&format!("&{piece}"), to), ..url.clone() };
        assert!(read(&without("")).is_err(), "without {piece}");
        let (name, value) = piece.split_once('=').expect("a value");
        let misspelt = without(&format!("&{}={value}", name.to_ascii_lowercase()));
        assert!(matches!(read(&misspelt), Err(VerifyError::PresignedQuery(_))), "{piece}");
        for twice in [format!("{piece}&{}", url.query), format!("{}&{piece}", url.query)] {
            let error = read(&Request { query: twice, ..url.clone() });
            assert_eq!(error, Err(VerifyError::DuplicateQueryParameter(name.to_ascii_lowercase())), "{piece}");
        }
    }
}

#[test]
fn a_header_is_said_once_in_the_query_or_as_a_header() {
    for own in ["x-amz-acl=private&x-amz-acl=public-read", "x-amz-acl=private&X-Amz-ACL=private"] {
        let repeated = VerifyError::DuplicateQueryParameter("x-amz-acl".to_owned());
        assert_eq!(read(&get(own)), Err(repeated), "{own}");
    }
    let hash = "X-Amz-Content-Sha256=UNSIGNED-PAYLOAD";
    let repeated = VerifyError::DuplicateQueryParameter("x-amz-content-sha256".to_owned());
    assert_eq!(read(&get(&format!("{hash}&{hash}"))), Err(repeated));
    assert!(read(&get(hash)).is_ok());
    let both = |name: &str, value: &str, own: &str| {
        let request = Request::new("GET", "/test.txt", &[HOST, (name, value)]);
        let query = unsigned(&request, own, "s3");
        read(&signed(&Request { query, ..request }, "s3", "UNSIGNED-PAYLOAD"))
    };
    assert!(both("x-amz-acl", "private", "").is_ok());
    assert!(matches!(both("x-amz-acl", "private", "x-amz-acl=private"), Err(VerifyError::PresignedQuery(_))));
    assert!(matches!(both("x-amz-content-sha256", "UNSIGNED-PAYLOAD", hash), Err(VerifyError::PresignedQuery(_))));
    assert_eq!(both("x-amz-security-token", TOKEN, ""), Err(VerifyError::Token));
}

#[test]
fn what_cannot_be_a_header_is_not_taken_from_a_query() {
    for own in ["x-amz-meta-%0d=1", "x-amz-%C3%A4=1", "x-amz-meta-a=b%0d%0ax-amz-acl:public-read", "x-amz-a%20b=1"] {
        assert!(matches!(read(&get(own)), Err(VerifyError::Header(_))), "{own}");
    }
    assert!(matches!(read(&get("x-amz-meta-a=%FF")), Err(VerifyError::PresignedQuery(_))));
    // Six bytes of another family.
    assert_eq!(read(&get("x-amy-a=1")).expect("verifies").query, "x-amy-a=1");
}

#[test]
fn the_session_token_must_be_the_sessions() {
    let url = get("");
    let other = Request { query: url.query.replace(TOKEN, "another"), ..url };
    assert_eq!(read(&other), Err(VerifyError::Signature), "a token is signed");
    let request = Request::new("GET", "/test.txt", &[HOST]);
    let query = unsigned(&request, "", "s3").replace(TOKEN, "another");
    assert_eq!(read(&signed(&Request { query, ..request }, "s3", "UNSIGNED-PAYLOAD")), Err(VerifyError::Token));
    let request = Request::new("GET", "/test.txt", &[HOST, ("x-amz-security-token", TOKEN)]);
    let query = unsigned(&request, "", "s3").replace(&format!("&X-Amz-Security-Token={TOKEN}"), "");
    assert!(read(&signed(&Request { query, ..request }, "s3", "UNSIGNED-PAYLOAD")).is_ok(), "in a header");
}

#[test]
fn s3_leaves_the_body_open_and_every_other_service_signs_it() {
    let request = Request::new("POST", "/", &[("host", "dynamodb.us-east-1.amazonaws.com")]);
    let query = unsigned(&request, "", "dynamodb");
    let url = signed(&Request { query, ..request }, "dynamodb", &hex::encode(Sha256::digest(b"{}")));
    assert!(read_at(&url, 0, b"{}", "dynamodb").is_ok());
    assert_eq!(read_at(&url, 0, b"[]", "dynamodb"), Err(VerifyError::Signature));
    let hash = hex::encode(Sha256::digest(b"body"));
    let request = Request::new("PUT", "/key", &[HOST]);
    let query = unsigned(&request, &format!("X-Amz-Content-Sha256={hash}"), "s3");
    let declared = read(&signed(&Request { query, ..request }, "s3", &hash)).expect("verifies");
    assert_eq!(declared.payload, PayloadHash::of_body(b"body"));
}

#[test]
fn only_s3_lets_whoever_uses_a_url_choose_the_type_of_the_body() {
    assert!(read(&get("").and("content-type", "text/plain")).is_ok());
    let request = Request::new("POST", "/", &[("host", "dynamodb.us-east-1.amazonaws.com")]);
    let query = unsigned(&request, "", "dynamodb");
    let url = signed(&Request { query, ..request }, "dynamodb", &hex::encode(Sha256::digest(b"{}")));
    let typed = url.and("content-type", "text/plain");
    assert_eq!(read_at(&typed, 0, b"{}", "dynamodb"), Err(VerifyError::NotSigned("content-type".into())));
}

#[test]
fn a_body_that_is_signed_in_pieces_is_not_taken_by_a_url() {
    for mode in ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-EVENTS"] {
        let url = get(&format!("X-Amz-Content-Sha256={mode}"));
        assert!(matches!(read(&url), Err(VerifyError::PayloadMode(_))), "{mode}");
    }
}

#[test]
fn neither_key_date_nor_host_may_be_another() {
    let url = get("");
    let changed = |from: &str, to: &str| {
        let query = url.query.replace(from, to);
        assert_ne!(query, url.query);
        read(&Request { query, ..url.clone() })
    };
    assert_eq!(changed(ACCESS_KEY, "AKIAIOSFODNN7EXAMPLF"), Err(VerifyError::UnknownKey));
    assert_eq!(changed("X-Amz-Date=20130524", "X-Amz-Date=20130525"), Err(VerifyError::ScopeDate));
    assert!(matches!(changed("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"), Err(VerifyError::PresignedQuery(_))));
    assert!(changed("SignedHeaders=host", "SignedHeaders=x").is_err());
    let other = Request { headers: vec![("host".into(), b"other".to_vec())], ..url.clone() };
    assert_eq!(read(&other), Err(VerifyError::Signature));
    assert!(read(&url.and("x-amz-acl", "public-read")).is_err(), "a header of S3 that nobody signed");
}

#[test]
fn a_debug_form_shows_no_token() {
    let shown = get("").with(|parts| format!("{:?}", Presigned::parse(parts).expect("reads")));
    assert!(shown.contains("900") && !shown.contains(TOKEN), "{shown}");
}
