//! What one request costs inside the gate, step by step, on one thread.

use std::hint::black_box;
use std::time::Instant;

use hallpass_core::policy::PreparedPolicy;
use hallpass_core::resolve::{self, Caller, Outcome, Request, Resolved, Upstream};
use hallpass_core::sigv4::{
    Authorization, Expected, KeyCache, Parts, PathStyle, PayloadHash, Signer, Verified, sign, verify,
};
use jiff::Timestamp;

use crate::report::Report;
use crate::{load, request, roles};

const ROUNDS: usize = 300;
const REQUESTS: u32 = 100;
const HOST: &str = "127.0.0.1:9000";

/// The best round of each step, nanoseconds per request.
pub(crate) fn measure(report: &mut Report) {
    let at = load::now();
    let head = request::get(HOST, request::SMALL, request::SMALL_QUERY, at);
    let text = String::from_utf8(head).expect("text");
    let headers: Vec<(&str, &[u8])> = text
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(": ").map(|(name, value)| (name, value.as_bytes())))
        .collect();
    let made = ["authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token"];
    let forwarded: Vec<(&str, &[u8])> = headers.iter().copied().filter(|(name, _)| !made.contains(name)).collect();
    let parts = Parts { method: "GET", path: request::SMALL, query: request::SMALL_QUERY, headers: &headers };
    let now = Timestamp::from_second(at.unix_s()).expect("a time");
    let (keys, policy) = (KeyCache::new(), PreparedPolicy::from(roles::policy()));
    let token = "t".repeat(request::REAL_TOKEN_CHARS);

    let verified = verified(&parts, &keys, now);
    let resolved = resolved(&verified, &forwarded, now);
    let verify_ns = best(|| drop(black_box(self::verified(&parts, &keys, now))));
    let resolve_ns = best(|| drop(black_box(self::resolved(&verified, &forwarded, now))));
    let evaluate_ns = best(|| evaluated(&policy, &resolved));
    let sign_ns = best(|| {
        let key = keys.key(request::REAL_KEY, request::REAL_SECRET, verified.scope);
        let signer = Signer {
            access_key_id: request::REAL_KEY,
            key: &key,
            token: Some(&token),
            at,
            payload: verified.payload,
            send_content_sha256: true,
            path_style: PathStyle::S3,
        };
        let parts = Parts { method: "GET", path: &verified.path, query: &verified.query, headers: &forwarded };
        drop(black_box(sign(&parts, &signer).expect("signs")));
    });
    let all = verify_ns + resolve_ns + evaluate_ns + sign_ns;
    report.say(&format!(
        "one request, ns: verify {verify_ns} + resolve {resolve_ns} + evaluate {evaluate_ns} + sign {sign_ns} = {all}"
    ));
}

fn best(mut step: impl FnMut()) -> u128 {
    (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            (0..REQUESTS).for_each(|_| step());
            began.elapsed().as_nanos() / u128::from(REQUESTS)
        })
        .min()
        .unwrap_or_default()
}

fn verified<'a>(parts: &Parts<'a>, keys: &KeyCache, now: Timestamp) -> Verified<'a> {
    let authorization = Authorization::of(parts).expect("signed");
    let expected = Expected {
        access_key_id: request::CHILD_KEY,
        key: &keys.key(request::CHILD_KEY, request::CHILD_SECRET, authorization.scope),
        token: Some(request::CHILD_TOKEN),
        now,
        payload: PayloadHash::declared(parts).expect("legal").expect("declared"),
        path_style: PathStyle::S3,
    };
    verify(parts, &authorization, &expected).expect("verifies")
}

fn resolved(verified: &Verified<'_>, headers: &[(&str, &[u8])], now: Timestamp) -> Resolved {
    let request = Request {
        catalog: hallpass_catalog::CATALOG,
        method: "GET",
        path: &verified.path,
        query: &verified.query,
        headers,
        service: verified.scope.service,
        region: verified.scope.region,
        caller: Caller { partition: None, account: Some("123456789012"), ..Caller::default() },
        upstream: Upstream::Compatible,
        at: None,
        allow_unmapped: &[],
        secure_transport: false,
        now,
    };
    let understood = match resolve::head(&request).expect("resolves") {
        Outcome::Resolved(resolved) => Some(resolved),
        Outcome::NeedsBody => None,
    };
    understood.expect("a GET needs no body")
}

fn evaluated(policy: &PreparedPolicy<'_>, resolved: &Resolved) {
    for access in &resolved.accesses {
        black_box(policy.evaluate(access, &resolved.context)).expect("allowed");
    }
}
