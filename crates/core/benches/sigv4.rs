//! `cargo bench -p hallpass-core --bench sigv4`: verify and sign again, ours beside the `aws-sigv4` crate, in one run.
//!
//! One request as the gate sees it: a GET with a query, signed with a placeholder key, signed again with a real key
//! and a session token of 1 KiB. The crate can only sign, so it verifies by signing again and comparing. Rounds are
//! interleaved and the best of each is taken, because the machine is never quite idle. Target: at most 0.35 of the
//! crate's time.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use std::hint::black_box;
use std::time::{Duration, Instant, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
};
use aws_sigv4::sign::v4;
use hallpass_core::sigv4::{
    AmzDate, Authorization, Expected, KeyCache, Parts, PathStyle, PayloadHash, Scope, Signer, sign, verify,
};
use jiff::Timestamp;

const ROUNDS: usize = 400;
const REQUESTS: u32 = 100;
const CHILD: (&str, &str, &str) = ("AKIACHILD", "child secret", "child token");
const REAL: (&str, &str) = ("ASIAREAL", "real secret");
const PATH: &str = "/my-bucket/path/to/key.txt";
const QUERY: &str = "versionId=3sL4kqtJlcpXroDTDmJrmSpXd3dIbrHY&x-id=GetObject";
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn main() {
    let Some(at) = AmzDate::parse(b"20130524T000000Z") else { return };
    let token = "t".repeat(1_024);
    let plain: Vec<(&str, &[u8])> = vec![
        ("host", b"127.0.0.1:9000"),
        ("user-agent", b"aws-sdk-rust/1.3 os/linux lang/rust/1.95.0"),
        ("accept-encoding", b"identity"),
        ("amz-sdk-invocation-id", b"0b1c4d2e-4b52-4a8e-9b3f-1f6c1a1d5f10"),
        ("amz-sdk-request", b"attempt=1; max=3"),
    ];
    let cache = KeyCache::new();
    let Some(authorization) = child_authorization(&cache, at, &plain) else { return };
    let mut received = plain.clone();
    received.extend([
        ("x-amz-date", at.as_str().as_bytes()),
        ("x-amz-content-sha256", EMPTY.as_bytes()),
        ("x-amz-security-token", CHILD.2.as_bytes()),
        ("authorization", authorization.as_bytes()),
    ]);
    let (mut ours_best, mut crate_best) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let verified = (0..REQUESTS).filter(|_| black_box(ours(&cache, at, &received, &plain, &token)).is_some());
        assert_eq!(verified.count(), REQUESTS as usize);
        ours_best = ours_best.min(start.elapsed() / REQUESTS);
        let start = Instant::now();
        let verified = (0..REQUESTS).filter(|_| black_box(theirs(at, &authorization, &plain, &token)).is_some());
        assert_eq!(verified.count(), REQUESTS as usize);
        crate_best = crate_best.min(start.elapsed() / REQUESTS);
    }
    let ratio = ours_best.as_secs_f64() / crate_best.as_secs_f64();
    println!("verify + sign, ours:      {:>7} ns", ours_best.as_nanos());
    println!("verify + sign, aws-sigv4: {:>7} ns", crate_best.as_nanos());
    println!("ratio:                    {ratio:>7.2} (target: at most 0.35)");
}

fn signer<'a>(key: &'a hallpass_core::sigv4::SigningKey, id: &'a str, token: &'a str, at: AmzDate) -> Signer<'a> {
    Signer {
        access_key_id: id,
        key,
        token: Some(token),
        at,
        payload: PayloadHash::of_body(b""),
        send_content_sha256: true,
        path_style: PathStyle::S3,
    }
}

fn child_authorization(cache: &KeyCache, at: AmzDate, headers: &[(&str, &[u8])]) -> Option<String> {
    let key = cache.key(CHILD.0, CHILD.1, Scope::new(at.date(), "us-east-1", "s3")?);
    let parts = Parts { method: "GET", path: PATH, query: QUERY, headers };
    sign(&parts, &signer(&key, CHILD.0, CHILD.2, at)).ok().map(|signed| signed.authorization)
}

/// What the gate does for every request.
fn ours(
    cache: &KeyCache,
    at: AmzDate,
    received: &[(&str, &[u8])],
    forwarded: &[(&str, &[u8])],
    token: &str,
) -> Option<String> {
    let parts = Parts { method: "GET", path: PATH, query: QUERY, headers: received };
    let authorization = Authorization::of(&parts).ok()?;
    let key = cache.key(CHILD.0, CHILD.1, authorization.scope);
    let expected = Expected {
        access_key_id: CHILD.0,
        key: &key,
        token: Some(CHILD.2),
        now: Timestamp::from_second(at.unix_s()).ok()?,
        payload: PayloadHash::declared(&parts).ok()??,
        path_style: PathStyle::S3,
    };
    let verified = verify(&parts, &authorization, &expected).ok()?;
    let key = cache.key(REAL.0, REAL.1, verified.scope);
    let parts = Parts { method: "GET", path: &verified.path, query: &verified.query, headers: forwarded };
    sign(&parts, &signer(&key, REAL.0, token, at)).ok().map(|signed| signed.authorization)
}

/// The same with the crate.
fn theirs(at: AmzDate, authorization: &str, headers: &[(&str, &[u8])], token: &str) -> Option<String> {
    let again = crate_signature(at, CHILD.0, CHILD.1, CHILD.2, headers)?;
    if !authorization.ends_with(&again) {
        return None;
    }
    crate_signature(at, REAL.0, REAL.1, token, headers)
}

fn crate_signature(at: AmzDate, id: &str, secret: &str, token: &str, headers: &[(&str, &[u8])]) -> Option<String> {
    let identity = Credentials::new(id, secret, Some(token.to_owned()), None, "bench").into();
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name("s3")
        .time(SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(at.unix_s()).ok()?))
        .settings(settings)
        .build()
        .ok()?
        .into();
    let headers = headers.iter().filter_map(|(name, value)| Some((*name, str::from_utf8(value).ok()?)));
    let uri = format!("http://127.0.0.1:9000{PATH}?{QUERY}");
    let request = SignableRequest::new("GET", uri, headers, SignableBody::Bytes(b"")).ok()?;
    Some(aws_sigv4::http_request::sign(request, &params).ok()?.signature().to_owned())
}
