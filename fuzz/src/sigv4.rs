//! Request heads: the total answer to "who asks", verification, and the one canonicaliser in both directions.

use hallpass_core::sigv4::{
    AmzDate, Authorization, Expected, Parts, PathStyle, PayloadHash, Scope, Signer, SigningKey, Verified, VerifyError,
    sign, verify,
};
use jiff::Timestamp;

use crate::input::{self, Plain};

/// The placeholder of every request.
pub const KEY: &str = "ASIAHALLPASSFUZZING0";
/// Its secret.
pub const SECRET: &str = "a-placeholder-of-no-worth-at-all-0000000";
/// Its token.
pub const TOKEN: &str = "hallpass-placeholder.fuzz";
/// Signing makes these itself.
const MADE: [&str; 4] = ["authorization", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"];

/// Takes one request as text.
pub fn run(data: &[u8]) {
    let Some(plain) = input::request(data) else { return };
    let at = AmzDate::parse(b"20261122T101112Z").expect("a date");
    as_received(&plain, at);
    let service = ["s3", "dynamodb"][input::choice(data) % 2];
    as_signed(&plain, at, service);
}

/// As it came: no answer may be a panic, and a yes must be stable.
fn as_received(plain: &Plain<'_>, at: AmzDate) {
    let parts = Parts { method: plain.method, path: plain.path, query: plain.query, headers: &plain.headers };
    let declared = PayloadHash::declared(&parts);
    let Ok(authorization) = Authorization::of(&parts) else { return };
    let key = SigningKey::derive(SECRET, authorization.scope);
    let payload = match declared {
        Ok(Some(declared)) => declared,
        Ok(None) => PayloadHash::of_body(plain.body),
        Err(_) => return,
    };
    if let Ok(verified) = checked(&parts, &authorization, &key, at, payload) {
        assert_eq!(authorization.access_key_id, KEY);
        let again = Parts { path: &verified.path, query: &verified.query, ..parts };
        let again = checked(&again, &authorization, &key, at, payload).expect("canonical is canonical");
        assert_eq!((again.path, again.query), (verified.path.clone(), verified.query.clone()));
    }
}

/// Signed by us: it verifies to what was signed, and no change of it verifies.
fn as_signed(plain: &Plain<'_>, at: AmzDate, service: &str) {
    let unsigned: Vec<(&str, &[u8])> = plain.headers.iter().copied().filter(|(name, _)| !MADE.contains(name)).collect();
    let key = SigningKey::derive(SECRET, Scope::new(at.date(), "eu-west-1", service).expect("legal"));
    let payload = PayloadHash::of_body(plain.body);
    let path_style = PathStyle::for_service(service);
    let signer = Signer {
        access_key_id: KEY,
        key: &key,
        token: Some(TOKEN),
        at,
        payload,
        send_content_sha256: true,
        path_style,
    };
    let parts = Parts { method: plain.method, path: plain.path, query: plain.query, headers: &unsigned };
    let Ok(signed) = sign(&parts, &signer) else { return };
    let mut headers = unsigned.clone();
    let made: Vec<_> = signed.headers().collect();
    headers.extend(made.iter().map(|(name, value)| (*name, value.as_bytes())));
    let parts = Parts { method: plain.method, path: &signed.path, query: &signed.query, headers: &headers };
    // What asks in a second way is refused before a signature is looked at.
    let Ok(authorization) = Authorization::of(&parts) else { return };
    let verified = checked(&parts, &authorization, &key, at, payload).expect("what we sign verifies");
    assert_eq!((&verified.path, &verified.query), (&signed.path, &signed.query), "two canonical forms");
    changed(&parts, &authorization, &key, at, payload);
}

fn changed(parts: &Parts<'_>, authorization: &Authorization<'_>, key: &SigningKey, at: AmzDate, payload: PayloadHash) {
    let refused = |parts: &Parts<'_>, what: &str| {
        assert!(checked(parts, authorization, key, at, payload).is_err(), "{what} was changed, and it verified");
    };
    let method = if parts.method == "GET" { "DELETE" } else { "GET" };
    refused(&Parts { method, ..*parts }, "the method");
    refused(&Parts { path: &format!("{}x", parts.path), ..*parts }, "the path");
    let glue = if parts.query.is_empty() { "" } else { "&" };
    refused(&Parts { query: &format!("{}{glue}zz=1", parts.query), ..*parts }, "the query");
    for n in 0..parts.headers.len() {
        let (name, value) = parts.headers[n];
        if !authorization.signed_headers.contains(name) {
            continue;
        }
        let mut headers = parts.headers.to_vec();
        let longer = [value, b"x"].concat();
        headers[n] = (name, &longer);
        refused(&Parts { headers: &headers, ..*parts }, name);
    }
    for by in [-301, 301] {
        let then = AmzDate::at(Timestamp::from_second(at.unix_s() + by).expect("a time")).expect("a date");
        assert!(checked(parts, authorization, key, then, payload).is_err(), "{by} s off, and it verified");
    }
}

fn checked<'a>(
    parts: &Parts<'a>,
    authorization: &Authorization<'a>,
    key: &SigningKey,
    at: AmzDate,
    payload: PayloadHash,
) -> Result<Verified<'a>, VerifyError> {
    let path_style = PathStyle::for_service(authorization.scope.service);
    let now = Timestamp::from_second(at.unix_s()).expect("a time");
    verify(parts, authorization, &Expected { access_key_id: KEY, key, token: Some(TOKEN), now, payload, path_style })
}
