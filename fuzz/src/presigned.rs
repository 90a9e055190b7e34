//! Query-string SigV4: presigned URLs, signed here by a second writing of the rules and read by the product's.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hallpass_core::sigv4::canonical::path::CanonicalPath;
use hallpass_core::sigv4::canonical::query;
use hallpass_core::sigv4::{
    AmzDate, Authorization, Expected, Parts, PathStyle, PayloadHash, Presigned, Scope, SigningKey, VerifyError,
};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::input::{self, Plain};
use crate::sigv4::{KEY, SECRET, TOKEN};

/// When every URL of this file is signed.
const AT: &[u8] = b"20261122T101112Z";
/// How long it lives, seconds.
const LIFE_S: i64 = 900;
/// Stands where the signature will be.
const NO_SIGNATURE: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Takes one request as text.
pub fn run(data: &[u8]) {
    let Some(plain) = input::request(data) else { return };
    as_received(&plain);
    as_signed(&plain, ["s3", "dynamodb"][input::choice(data) % 2]);
}

/// As it came: an answer, and never a yes to what nobody signed.
fn as_received(plain: &Plain<'_>) {
    let parts = Parts { method: plain.method, path: plain.path, query: plain.query, headers: &plain.headers };
    if !matches!(Authorization::of(&parts), Err(VerifyError::Presigned)) {
        return;
    }
    let Ok(presigned) = Presigned::parse(&parts) else { return };
    let Ok(authorization) = presigned.authorization() else { return };
    let key = SigningKey::derive("another secret", authorization.scope);
    let at = AmzDate::parse(AT).expect("a date").unix_s();
    assert!(checked(&parts, &presigned, &key, plain.body, at).is_err(), "signed with another key, and it verified");
}

/// Signed by the book: it is not refused for its signature, and a change of anything that it covers is.
fn as_signed(plain: &Plain<'_>, service: &str) {
    let at = AmzDate::parse(AT).expect("a date");
    let key = SigningKey::derive(SECRET, Scope::new(at.date(), "eu-west-1", service).expect("legal"));
    let mut headers = plain.headers.clone();
    if !headers.iter().any(|(name, _)| *name == "host") {
        headers.push(("host", b"example.com"));
    }
    let Some(unsigned) = unsigned_query(plain.query, &headers, &key) else { return };
    let parts = Parts { method: plain.method, path: plain.path, query: &unsigned, headers: &headers };
    let whole = |signature: &str| format!("{unsigned}&X-Amz-Signature={signature}");
    let Some(signature) = signature(&parts, &whole(NO_SIGNATURE), &key, plain.body) else { return };
    let query = whole(&signature);
    let parts = Parts { query: &query, ..parts };
    let Ok(presigned) = Presigned::parse(&parts) else { return };
    match checked(&parts, &presigned, &key, plain.body, at.unix_s()) {
        Ok(left) => {
            read(&presigned, &left);
            changed(&parts, &key, plain.body, at.unix_s());
        }
        Err(error) => assert_ne!(error, VerifyError::Signature, "signed by the book: {query}"),
    }
}

/// What is handed on holds nothing of the proof, and what S3 reads as a header has become one.
fn read(presigned: &Presigned, (query, hoisted): &Left) {
    let lower = query.to_ascii_lowercase();
    assert!(lower.split('&').all(|pair| !pair.starts_with("x-amz-")), "{lower}");
    assert!(hoisted.iter().all(|(name, _)| name.starts_with("x-amz-") && *name == name.to_ascii_lowercase()));
    assert!(!format!("{presigned:?}").contains(TOKEN), "a token is shown");
}

fn changed(parts: &Parts<'_>, key: &SigningKey, body: &[u8], at: i64) {
    let refused = |parts: &Parts<'_>, at: i64, what: &str| {
        let yes = Presigned::parse(parts).is_ok_and(|presigned| checked(parts, &presigned, key, body, at).is_ok());
        assert!(!yes, "{what} was changed, and it verified: {parts:?}");
    };
    let method = if parts.method == "GET" { "DELETE" } else { "GET" };
    refused(&Parts { method, ..*parts }, at, "the method");
    refused(&Parts { path: &format!("{}x", parts.path), ..*parts }, at, "the path");
    for more in ["zz=1", "X-Amz-Security-Token=other", "x-amz-acl=public-read", "X-Amz-Expires=604800"] {
        refused(&Parts { query: &format!("{}&{more}", parts.query), ..*parts }, at, more);
    }
    let twice = format!("X-Amz-Signature={NO_SIGNATURE}&{}", parts.query);
    refused(&Parts { query: &twice, ..*parts }, at, "a second signature");
    let longer = parts.query.replace("X-Amz-Expires=900", "X-Amz-Expires=901");
    refused(&Parts { query: &longer, ..*parts }, at, "the life");
    for n in 0..parts.headers.len() {
        let mut headers = parts.headers.to_vec();
        let (name, value) = headers[n];
        let other = [value, b"x"].concat();
        headers[n] = (name, &other);
        refused(&Parts { headers: &headers, ..*parts }, at, name);
    }
    for then in [at - 301, at + LIFE_S] {
        refused(parts, then, "the time");
    }
}

/// What is left of the query for the operation, and the headers that came in it.
type Left = (String, Vec<(String, String)>);

fn checked(
    parts: &Parts<'_>,
    presigned: &Presigned,
    key: &SigningKey,
    body: &[u8],
    now: i64,
) -> Result<Left, VerifyError> {
    // Whoever reads a query has asked this first.
    if !matches!(Authorization::of(parts), Err(VerifyError::Presigned)) {
        return Err(VerifyError::Anonymous);
    }
    let authorization = presigned.authorization()?;
    let path_style = PathStyle::for_service(authorization.scope.service);
    let payload = presigned.payload(parts, path_style)?.unwrap_or_else(|| PayloadHash::of_body(body));
    let now = Timestamp::from_second(now).expect("a time");
    let expected = Expected { access_key_id: KEY, key, token: Some(TOKEN), now, payload, path_style };
    let verified = presigned.verify(parts, &authorization, &expected)?;
    Ok((verified.query, verified.hoisted.expect("a presigned request")))
}

/// The query with its proof but for the signature; `None` for names that cannot be signed.
fn unsigned_query(own: &str, headers: &[(&str, &[u8])], key: &SigningKey) -> Option<String> {
    let names: BTreeMap<&str, ()> = headers.iter().map(|(name, _)| (*name, ())).collect();
    let legal = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    if !names.keys().all(|name| legal(name)) {
        return None;
    }
    let names: Vec<&str> = names.into_keys().collect();
    let scope = key.scope().replace('/', "%2F");
    let glue = if own.is_empty() { "" } else { "&" };
    Some(format!(
        "{own}{glue}X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={KEY}%2F{scope}&X-Amz-Date={}\
         &X-Amz-Expires={LIFE_S}&X-Amz-SignedHeaders={}&X-Amz-Security-Token={TOKEN}",
        str::from_utf8(AT).expect("text"),
        names.join("%3B")
    ))
}

/// The signature by AWS's description of it; `None` where the query cannot be read at all.
fn signature(parts: &Parts<'_>, whole: &str, key: &SigningKey, body: &[u8]) -> Option<String> {
    let presigned = Presigned::parse(&Parts { query: whole, ..*parts }).ok()?;
    let authorization = presigned.authorization().ok()?;
    let style = PathStyle::for_service(authorization.scope.service);
    let payload = presigned.payload(parts, style).ok()?.unwrap_or_else(|| PayloadHash::of_body(body));
    let mut fields: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, value) in parts.headers {
        // A value that is no text cannot be sent in a header that is signed.
        let text = str::from_utf8(value).ok()?;
        fields
            .entry(name)
            .or_default()
            .push(text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "));
    }
    let mut lines = String::new();
    for (name, values) in &fields {
        let _ = writeln!(lines, "{name}:{}", values.join(","));
    }
    let names: Vec<&str> = fields.keys().copied().collect();
    let path = CanonicalPath::new(parts.path, style).ok()?;
    let query = query::canonical(parts.query).ok()?;
    let request =
        format!("{}\n{}\n{query}\n{lines}\n{}\n{}", parts.method, path.signed(), names.join(";"), payload.text());
    let date = str::from_utf8(AT).expect("text");
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{}\n{}", key.scope(), hexed(&Sha256::digest(request.as_bytes())));
    Some(hexed(&key.sign(text.as_bytes())))
}

fn hexed(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
