//! Each rule of verification and signing, by name. Each test fails when its guard is removed.

use hallpass_core::denial::DenialCode;
use hallpass_core::limits::{QUERY_PARAMETERS_MAX, SIGNATURE_SKEW_S_MAX, SIGNING_KEYS_CACHED_MAX};
use hallpass_core::sigv4::canonical::path::CanonicalPath;
use hallpass_core::sigv4::canonical::query;
use hallpass_core::sigv4::{
    Authorization, BodyHasher, Expected, KeyCache, PathStyle, PayloadHash, Scope, SignError, Signer, SigningKey,
    VerifyError, sign, verify,
};
use jiff::SignedDuration;

use super::{ACCESS_KEY, AT, Party, Request, SECRET, key};

fn get() -> Request {
    Request::new("GET", "/bucket/key", &[("host", "127.0.0.1:9000")])
}

fn post() -> Request {
    let headers = [
        ("host", "dynamodb.eu-west-1.amazonaws.com"),
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-target", "DynamoDB_20120810.GetItem"),
    ];
    Request::new("POST", "/", &headers)
}

/// The request without one name in SignedHeaders, signed correctly over the rest.
fn signed_without(party: &Party, request: &Request, unsigned: (&str, &str)) -> Request {
    party.signed(request).and(unsigned.0, unsigned.1)
}

#[test]
fn a_signed_request_is_verified_and_shows_what_was_signed() {
    let party = Party::s3();
    let sent = party.signed(&Request::new("GET", "/bucket/a%20b?prefix=x&list-type=2", &[("host", "h")]));
    let verified = party.verify(&sent).expect("verifies");
    assert_eq!(verified, ("/bucket/a%20b".to_owned(), "list-type=2&prefix=x".to_owned()));
    Party::dynamodb().verify(&Party::dynamodb().signed(&post())).expect("verifies");
}

#[test]
fn secrets_are_compared_in_constant_time() {
    let sources = [include_str!("../../../src/sigv4/key.rs"), include_str!("../../../src/sigv4/verify.rs")];
    let function = |source: &str, name: &str| {
        let body = source.split_once(name).expect("the function").1;
        body.split("\n}").next().and_then(|b| b.split("\n    }").next()).expect("a body").to_owned()
    };
    assert!(function(sources[0], "fn matches").contains(".ct_eq("));
    assert!(function(sources[1], "fn check_token").contains(".ct_eq("));
    assert!(sources[1].contains("!signature.matches(&authorization.signature)"));
    assert!(!sources[0].contains("derive(PartialEq"), "`==` on a signature would not be constant time");
}

#[test]
fn a_request_further_from_our_time_than_the_limit_is_refused() {
    let mut party = Party::s3();
    let sent = party.signed(&get());
    let now = party.now;
    for (off, fine) in [(0, true), (SIGNATURE_SKEW_S_MAX, true), (SIGNATURE_SKEW_S_MAX + 1, false)] {
        for off in [off, -off] {
            party.now = now + SignedDuration::from_secs(off);
            let expected = if fine { Ok(()) } else { Err(VerifyError::Skew(-off)) };
            assert_eq!(party.verify(&sent).map(|_| ()), expected, "{off} s");
        }
    }
    assert_eq!(VerifyError::Skew(301).code(), DenialCode::Skew);
}

#[test]
fn the_scope_must_be_of_the_day_of_the_request() {
    // A key of the next day signs the old date: only the comparison of the two days can find it.
    let other_day = Scope::new("20130525", "us-east-1", "s3").expect("a scope");
    let mut party = Party::s3();
    let sent = party.signed(&get()).authorization(|a| a.replace("20130524", "20130525"));
    party.key = SigningKey::derive(SECRET, other_day).into();
    assert_eq!(party.verify(&sent), Err(VerifyError::ScopeDate));
    let signer = signer(&party);
    let refused = get().with(|parts| sign(parts, &signer)).expect_err("a key of another day");
    assert_eq!(refused, SignError::KeyOfAnotherDay(party.at));
}

#[test]
fn a_key_of_another_scope_is_not_used() {
    let mut party = Party::s3();
    let sent = party.signed(&get());
    for (region, service) in [("us-east-2", "s3"), ("us-east-1", "sts"), ("us-east-1", "s")] {
        party.key = key(region, service);
        assert_eq!(party.verify(&sent), Err(VerifyError::ScopeKey), "{region} {service}");
    }
}

#[test]
fn the_access_key_id_must_be_the_one_that_the_key_belongs_to() {
    let party = Party::s3();
    let sent = party.signed(&get()).authorization(|a| a.replace(ACCESS_KEY, "AKIAIOSFODNN7EXAMPLF"));
    assert_eq!(party.verify(&sent), Err(VerifyError::UnknownKey));
    assert_eq!(VerifyError::UnknownKey.code(), DenialCode::UnknownKey);
}

#[test]
fn every_amz_header_and_the_host_must_be_signed() {
    let party = Party::s3();
    for name in ["x-amz-acl", "x-amz-copy-source", "x-amz-meta-a", "x-amz-", "x-amz-target"] {
        let sent = signed_without(&party, &get(), (name, "v"));
        assert_eq!(party.verify(&sent), Err(VerifyError::NotSigned(name.into())));
    }
    assert_eq!(VerifyError::NotSigned("x".into()).code(), DenialCode::Signature);

    // A correct signature that leaves the host out: made by hand, because `sign` would not.
    let sent = unsigned_host(&party);
    assert_eq!(party.verify(&sent), Err(VerifyError::NotSigned("host".into())));
    assert_eq!(party.verify(&party.signed(&get()).without("host")), Err(VerifyError::MissingHeader("host")));
    let hostless = Request::new("GET", "/", &[]);
    let signer = signer(&party);
    let refused = hostless.with(|parts| sign(parts, &signer)).expect_err("no host");
    assert_eq!(refused, SignError::Request(VerifyError::MissingHeader("host")));
}

fn unsigned_host(party: &Party) -> Request {
    use sha2::{Digest, Sha256};
    let empty = hex::encode(Sha256::digest(""));
    let names = "x-amz-content-sha256;x-amz-date;x-amz-security-token";
    let lines = format!("x-amz-content-sha256:{empty}\nx-amz-date:{AT}\nx-amz-security-token:token\n");
    let canonical = format!("GET\n/bucket/key\n\n{lines}\n{names}\n{empty}");
    let hash = hex::encode(Sha256::digest(canonical));
    let text = format!("AWS4-HMAC-SHA256\n{AT}\n{}\n{hash}", party.key.scope());
    let signature = hex::encode(party.key.sign(text.as_bytes()));
    let scope = party.key.scope();
    let authorization =
        format!("AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{scope}, SignedHeaders={names}, Signature={signature}");
    get()
        .and("x-amz-content-sha256", &empty)
        .and("x-amz-date", AT)
        .and("x-amz-security-token", "token")
        .and("authorization", &authorization)
}

#[test]
fn content_type_must_be_signed_where_it_chooses_the_parser() {
    let party = Party::dynamodb();
    let sent = party.signed(&post().without("content-type")).and("content-type", "application/x-amz-json-1.0");
    assert_eq!(party.verify(&sent), Err(VerifyError::NotSigned("content-type".into())));
    // S3 reads it as data, and some S3 clients leave it out of the signature.
    let party = Party::s3();
    party.verify(&party.signed(&get()).and("content-type", "text/plain")).expect("verifies");
}

#[test]
fn a_header_that_is_signed_must_be_sent() {
    let party = Party::s3();
    let sent = party.signed(&get().and("range", "bytes=0-9")).without("range");
    assert_eq!(party.verify(&sent), Err(VerifyError::SignedHeaderMissing("range".into())));
    let sent = party.signed(&get()).without("x-amz-date");
    assert_eq!(party.verify(&sent), Err(VerifyError::MissingHeader("x-amz-date")));
}

#[test]
fn the_session_token_must_be_this_sessions_and_no_other() {
    let with = |token: Option<&str>| Party { token: token.map(str::to_owned), ..Party::s3() };
    let tokens = [None, Some(""), Some("token"), Some("tokem"), Some("token2")];
    for sent in tokens {
        let request = with(sent).signed(&get());
        for expected in tokens {
            let result = with(expected).verify(&request).map(|_| ());
            assert_eq!(
                result,
                if sent == expected { Ok(()) } else { Err(VerifyError::Token) },
                "{sent:?} {expected:?}"
            );
        }
    }
    assert_eq!(VerifyError::Token.code(), DenialCode::UnknownKey);
}

#[test]
fn a_wrong_signature_is_reported_before_the_token_and_the_clock() {
    let mut party = Party::s3();
    let sent = party.signed(&get()).replace("x-amz-security-token", "other");
    party.now += SignedDuration::from_hours(1);
    assert_eq!(party.verify(&sent), Err(VerifyError::Signature));
}

#[test]
fn the_payload_is_what_the_request_declares() {
    let s3 = Party::s3();
    let sent = s3.signed(&get());
    let other = Party { payload: PayloadHash::of_body(b"x"), ..s3.clone() };
    assert_eq!(other.verify(&sent), Err(VerifyError::BodyMismatch), "the header says another hash");
    let unsigned = Party { payload: PayloadHash::Unsigned, ..s3.clone() };
    assert_eq!(unsigned.verify(&sent), Err(VerifyError::BodyMismatch));
    let silent = Party { send_content_sha256: false, ..s3.clone() }.signed(&get());
    assert_eq!(s3.verify(&silent), Err(VerifyError::MissingHeader("x-amz-content-sha256")), "S3 must declare it");

    // Without the header the hash of the body itself is signed, so another body is another signature.
    let json = Party::dynamodb();
    let sent = json.signed(&post());
    json.verify(&sent).expect("verifies");
    let other = Party { payload: PayloadHash::of_body(b"{\"a\":1}"), ..json.clone() };
    assert_eq!(other.verify(&sent), Err(VerifyError::Signature));
    let unsigned = Party { payload: PayloadHash::Unsigned, ..json };
    assert_eq!(unsigned.verify(&sent), Err(VerifyError::MissingHeader("x-amz-content-sha256")));
}

#[test]
fn unsigned_and_streaming_payloads_are_for_s3_only() {
    let modes = [
        PayloadHash::Unsigned,
        PayloadHash::StreamingUnsignedTrailer,
        PayloadHash::StreamingSigned,
        PayloadHash::StreamingSignedTrailer,
    ];
    for payload in modes {
        let s3 = Party { payload, ..Party::s3() };
        s3.verify(&s3.signed(&get())).expect("verifies");
        let json = Party { payload, ..Party::dynamodb() };
        let refused = json.verify(&json.signed(&post())).expect_err("not S3");
        assert!(matches!(refused, VerifyError::PayloadModeNotS3(_)), "{refused}");
    }
}

#[test]
fn event_streams_are_for_every_service_but_s3() {
    let payload = PayloadHash::StreamingEvents;
    let lex = Party { payload, ..Party::dynamodb() };
    lex.verify(&lex.signed(&post())).expect("verifies");
    let s3 = Party { payload, ..Party::s3() };
    let refused = s3.verify(&s3.signed(&get())).expect_err("S3 uploads no events");
    assert_eq!(refused, VerifyError::PayloadMode("STREAMING-AWS4-HMAC-SHA256-EVENTS"));
}

#[test]
fn payload_modes_that_we_do_not_serve_are_refused_by_name() {
    for mode in ["STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER"] {
        assert!(matches!(PayloadHash::parse(mode.as_bytes()), Err(VerifyError::PayloadMode(_))), "{mode}");
    }
    let upper = "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855";
    for bad in ["", "unsigned-payload", "UNSIGNED-PAYLOAD ", "STREAMING-", "required", upper, &"0".repeat(63)] {
        assert_eq!(PayloadHash::parse(bad.as_bytes()), Err(VerifyError::PayloadHash), "{bad}");
    }
}

#[test]
fn no_payload_mode_gets_past_a_wrong_signature() {
    // The product of authentication place and payload mode, each with a wrong signature (MinIO CVE-2026-40344).
    let wrong = "Signature=0000000000000000000000000000000000000000000000000000000000000000";
    for payload in [
        PayloadHash::of_body(b""),
        PayloadHash::Unsigned,
        PayloadHash::StreamingUnsignedTrailer,
        PayloadHash::StreamingSigned,
        PayloadHash::StreamingSignedTrailer,
    ] {
        for token in [None, Some("token".to_owned())] {
            let party = Party { payload, token, ..Party::s3() };
            let good = party.signed(&get());
            let bad =
                good.clone().authorization(|a| format!("{}{wrong}", a.split("Signature=").next().expect("a start")));
            assert_eq!(party.verify(&bad), Err(VerifyError::Signature));
            assert_eq!(party.verify(&good.clone().without("authorization")), Err(VerifyError::Anonymous));
            let mut in_query = good.clone().without("authorization");
            in_query.query =
                format!("X-Amz-Credential={ACCESS_KEY}%2Fx&X-{}", wrong.replace("Signature", "Amz-Signature"));
            assert_eq!(party.verify(&in_query), Err(VerifyError::Presigned));
        }
    }
}

#[test]
fn a_streamed_body_is_checked_against_what_was_signed() {
    let PayloadHash::Sha256(hash) = PayloadHash::of_body(b"hello") else { panic!("a hash") };
    let check = |pieces: &[&[u8]]| {
        let mut hasher = BodyHasher::new(hash);
        pieces.iter().for_each(|piece| hasher.update(piece));
        hasher.finish()
    };
    assert_eq!(check(&[b"he", b"", b"llo"]), Ok(()));
    for wrong in [&[b"hell".as_slice()][..], &[b"hello", b"!"], &[b"hellO"], &[]] {
        assert_eq!(check(wrong), Err(VerifyError::BodyMismatch));
    }
    assert_eq!(VerifyError::BodyMismatch.code(), DenialCode::BodyMismatch);
}

#[test]
fn header_values_are_trimmed_and_runs_of_spaces_folded() {
    let party = Party::s3();
    let canonical = party.signed(&get().and("x-amz-meta-a", "a b \"c d\"").and("x-amz-meta-b", "1,2"));
    for same in ["  a  b \"c   d\" ", "\ta b \"c d\"\t ", "a b \"c d\""] {
        party.verify(&canonical.clone().replace("x-amz-meta-a", same)).expect(same);
    }
    for other in ["ab \"c d\"", "a b\"c d\"", "a\tb \"c d\"", "A b \"c d\"", "a b \"c d\","] {
        let changed = canonical.clone().replace("x-amz-meta-a", other);
        assert_eq!(party.verify(&changed), Err(VerifyError::Signature), "{other:?}");
    }
    let twice = canonical.clone().replace("x-amz-meta-b", "1").and("x-amz-meta-b", "2");
    party.verify(&twice).expect("two lines are one list");
    let swapped = canonical.replace("x-amz-meta-b", "2").and("x-amz-meta-b", "1");
    assert_eq!(party.verify(&swapped), Err(VerifyError::Signature), "the order received counts");
}

#[test]
fn header_bytes_above_ascii_are_signed_as_they_are() {
    let party = Party::s3();
    let mut request = get();
    request.headers.push(("x-amz-meta-a".into(), vec![b'a', 0xff, 0xc3, 0xa4]));
    let sent = party.signed(&request);
    party.verify(&sent).expect("verifies");
    let mut changed = sent.clone();
    let header = changed.headers.iter_mut().find(|(n, _)| n == "x-amz-meta-a").expect("the header");
    header.1[1] = 0xfe;
    assert_eq!(party.verify(&changed), Err(VerifyError::Signature));
}

#[test]
fn a_header_name_or_value_that_two_readers_could_read_differently_is_refused() {
    let party = Party::s3();
    for (name, value) in [
        ("X-Amz-Acl", "v"),
        ("", "v"),
        ("a b", "v"),
        ("x:y", "v"),
        ("ä", "v"),
        ("a", "b\r\nc: d"),
        ("a", "\0"),
        ("a", "\x01\x7f"),
    ] {
        let refused = party.verify(&party.signed(&get()).and(name, value)).expect_err(name);
        assert!(matches!(refused, VerifyError::Header(_)), "{name:?} {refused}");
    }
}

#[test]
fn headers_that_a_connection_may_change_are_not_signed() {
    let party = Party::s3();
    let mut request = get();
    for name in ["user-agent", "expect", "connection", "transfer-encoding", "x-amzn-trace-id", "te", "upgrade"] {
        request = request.and(name, "v");
    }
    let signed = party.sign(&request.and("range", "bytes=0-1"));
    assert!(
        signed.authorization.contains("SignedHeaders=host;range;x-amz-content-sha256;x-amz-date;x-amz-security-token,")
    );
}

#[test]
fn headers_made_by_signing_may_not_be_given() {
    let party = Party::s3();
    let signer = signer(&party);
    for name in ["authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token"] {
        let refused = get().and(name, "v").with(|parts| sign(parts, &signer)).expect_err(name);
        assert_eq!(refused, SignError::MadeHere(name));
    }
    for name in ["content-length", "transfer-encoding", "host"] {
        let refused = get().and(name, "v").and(name, "v").with(|parts| sign(parts, &signer)).expect_err(name);
        assert_eq!(refused, SignError::Request(VerifyError::DuplicateHeader(name)), "signed or not");
    }
    let smuggled = Signer { token: Some("t\r\nx-amz-acl: public-read"), ..signer };
    let refused = get().with(|parts| sign(parts, &smuggled)).expect_err("a token with a line break");
    assert_eq!(refused, SignError::Request(VerifyError::Header("x-amz-security-token".into())));
}

#[test]
fn the_query_that_is_sent_is_the_query_that_was_signed() {
    for (raw, canonical) in [
        ("", ""),
        ("acl", "acl="),
        ("b=2&a=1", "a=1&b=2"),
        ("a=2&a=1&a", "a=&a=1&a=2"),
        ("a-b=1&a=2", "a=2&a-b=1"),
        ("a==b", "a=%3Db"),
        ("=v", "=v"),
        ("a=1&&b=2&", "a=1&b=2"),
        ("a=b+c", "a=b%2Bc"),
        ("a=b%20c%2Bd", "a=b%20c%2Bd"),
        ("prefix=%c3%a4/~x", "prefix=%C3%A4%2F~x"),
        ("%61=%7E%2D", "a=~-"),
        ("k=%ff%00", "k=%FF%00"),
        ("k=ä", "k=%C3%A4"),
        ("k=a;b,c:d@e!$'()*", "k=a%3Bb%2Cc%3Ad%40e%21%24%27%28%29%2A"),
    ] {
        assert_eq!(query::canonical(raw).as_deref(), Ok(canonical), "{raw}");
        assert_eq!(query::canonical(canonical).as_deref(), Ok(canonical), "{raw}: again");
    }
    for bad in ["a=%", "a=%2", "a=%zz", "%=1", "a=%2g", "a=%+1", "a=\n", "a=\u{7f}"] {
        assert!(matches!(query::canonical(bad), Err(VerifyError::Query(_))), "{bad:?}");
    }
    let most = vec!["a=1"; QUERY_PARAMETERS_MAX].join("&");
    assert!(query::canonical(&most).is_ok());
    assert_eq!(query::canonical(&format!("{most}&a=1")), Err(VerifyError::QueryTooLong));
}

#[test]
fn a_plus_on_the_wire_is_a_plus_and_never_a_space() {
    let party = Party::s3();
    let sent = party.signed(&Request::new("GET", "/b?prefix=a+b", &[("host", "h")]));
    assert_eq!(sent.query, "prefix=a%2Bb");
    let verify = |query: &str| party.verify(&Request { query: query.into(), ..sent.clone() }).map(|v| v.1);
    assert_eq!(verify("prefix=a+b").as_deref(), Ok("prefix=a%2Bb"));
    assert_eq!(verify("prefix=a%20b"), Err(VerifyError::Signature));
}

#[test]
fn an_s3_key_is_never_altered() {
    for (raw, sent) in [
        ("", "/"),
        ("/", "/"),
        ("/b//k", "/b//k"),
        ("/b/./../k/", "/b/./../k/"),
        ("/b/%2e%2e/k", "/b/../k"),
        ("/b/a%2Fb", "/b/a/b"),
        ("/b/a b", "/b/a%20b"),
        ("/b/a+b%2B", "/b/a%2Bb%2B"),
        ("/b/ä/%e1%88%b4", "/b/%C3%A4/%E1%88%B4"),
        ("/b/%ff%fe", "/b/%FF%FE"),
        ("/b/%25%32%35", "/b/%2525"),
        ("/b/\\..\\x", "/b/%5C..%5Cx"),
        ("/b/$!'()*:;=@,&", "/b/%24%21%27%28%29%2A%3A%3B%3D%40%2C%26"),
    ] {
        let path = CanonicalPath::new(raw, PathStyle::S3).expect(raw);
        assert_eq!((path.sent.as_str(), path.signed()), (sent, sent), "{raw}");
        assert_eq!(decoded(raw), decoded(sent), "{raw}: the key's bytes");
    }
}

pub(crate) fn decoded(path: &str) -> Vec<u8> {
    let bytes = if path.is_empty() { b"/" } else { path.as_bytes() };
    let mut out = Vec::new();
    let mut i = 0;
    while i < bytes.len() {
        if bytes[i] == b'%' {
            out.push(u8::from_str_radix(str::from_utf8(&bytes[i + 1..i + 3]).expect("hex"), 16).expect("hex"));
            i += 3;
        } else {
            out.push(bytes[i]);
            i += 1;
        }
    }
    out
}

#[test]
fn outside_s3_the_path_sent_is_the_path_signed_encoded_once_more() {
    for (raw, sent, signed) in [
        ("", "/", "/"),
        ("//", "/", "/"),
        ("/a/./b/../c//d/", "/a/c/d/", "/a/c/d/"),
        ("/../../a", "/a", "/a"),
        ("/a/..", "/", "/"),
        ("/a/b/..", "/a/", "/a/"),
        ("/tags/arn%3Aaws%3Ax%2Fy", "/tags/arn%3Aaws%3Ax%2Fy", "/tags/arn%253Aaws%253Ax%252Fy"),
        ("/%e4", "/%e4", "/%25e4"),
        ("/a@b$c", "/a@b$c", "/a%40b%24c"),
        ("/a b", "/a%20b", "/a%2520b"),
        ("/a.../.b", "/a.../.b", "/a.../.b"),
    ] {
        let path = CanonicalPath::new(raw, PathStyle::Normalised).expect(raw);
        assert_eq!((path.sent.as_str(), path.signed()), (sent, signed), "{raw}");
    }
}

#[test]
fn a_path_that_two_readers_could_read_differently_is_refused() {
    let both = ["b", "http://h/b", "/%", "/%2", "/%zz", "/a%00b", "/a?b", "/a#b", "/a\nb", "/\u{7f}", "/%0", "/%+1"];
    for bad in both {
        for style in [PathStyle::S3, PathStyle::Normalised, PathStyle::NormalisedOnce] {
            assert!(matches!(CanonicalPath::new(bad, style), Err(VerifyError::Path(_))), "{bad:?} {style:?}");
        }
    }
    for bad in ["/%2e", "/a/%2E%2e/b", "/a/.%2e", "/%2E./x"] {
        assert!(matches!(CanonicalPath::new(bad, PathStyle::Normalised), Err(VerifyError::Path(_))), "{bad}");
    }
    let party = Party::s3();
    let sent = Request { path: "/a%00b".into(), ..party.signed(&get()) };
    assert!(matches!(party.verify(&sent), Err(VerifyError::Path(_))));
}

#[test]
fn a_method_is_an_upper_case_token() {
    let party = Party::s3();
    for method in ["get", "", "GET ", "GET\n/x", "G\u{e9}T", &"G".repeat(33)] {
        let sent = Request { method: method.into(), ..party.signed(&get()) };
        assert_eq!(party.verify(&sent), Err(VerifyError::Method), "{method:?}");
    }
    for method in ["VERSION-CONTROL", "A_B"] {
        let request = Request { method: method.to_owned(), ..get() };
        assert!(party.verify(&party.signed(&request)).is_ok(), "{method:?}");
    }
}

#[test]
fn a_cached_key_is_found_only_by_all_of_its_inputs() {
    let cache = KeyCache::new();
    assert!(cache.is_empty());
    let scope = Scope::new("20130524", "us-east-1", "s3").expect("a scope");
    let first = cache.key(ACCESS_KEY, SECRET, scope);
    assert!(!cache.is_empty());
    assert!(std::sync::Arc::ptr_eq(&first, &cache.key(ACCESS_KEY, SECRET, scope)));
    let others = [
        ("OTHER", SECRET, scope),
        (ACCESS_KEY, "other", scope),
        (ACCESS_KEY, SECRET, Scope { date: "20130525", ..scope }),
        (ACCESS_KEY, SECRET, Scope { region: "us-east-2", ..scope }),
        (ACCESS_KEY, SECRET, Scope { service: "sts", ..scope }),
    ];
    for (i, (id, secret, scope)) in others.into_iter().enumerate() {
        let key = cache.key(id, secret, scope);
        assert!(!std::sync::Arc::ptr_eq(&first, &key), "{i}");
        assert_eq!(key.sign(b"m"), SigningKey::derive(secret, scope).sign(b"m"), "{i}");
        assert_eq!(cache.len(), i + 2);
    }
}

#[test]
fn the_key_cache_forgets_the_longest_unused_key_past_its_limit() {
    let cache = KeyCache::new();
    let scope = Scope::new("20130524", "us-east-1", "s3").expect("a scope");
    let hot = cache.key("HOT", SECRET, scope);
    let cold = cache.key("COLD", SECRET, scope);
    for i in 0..2 * SIGNING_KEYS_CACHED_MAX {
        cache.key(&format!("K{i}"), SECRET, scope);
        assert!(std::sync::Arc::ptr_eq(&hot, &cache.key("HOT", SECRET, scope)), "used every time, kept");
        assert!(cache.len() <= SIGNING_KEYS_CACHED_MAX);
    }
    assert_eq!(cache.len(), SIGNING_KEYS_CACHED_MAX);
    assert!(!std::sync::Arc::ptr_eq(&cold, &cache.key("COLD", SECRET, scope)), "derived again");
}

#[test]
fn the_key_cache_keeps_the_order_of_use() {
    let cache = KeyCache::new();
    let scope = Scope::new("20130524", "us-east-1", "s3").expect("a scope");
    let keys: Vec<_> = (0..SIGNING_KEYS_CACHED_MAX).map(|i| cache.key(&format!("K{i}"), SECRET, scope)).collect();
    let cached = |i: usize| std::sync::Arc::ptr_eq(&keys[i], &cache.key(&format!("K{i}"), SECRET, scope));
    assert!(cached(0), "the oldest is used again");
    cache.key("ONE MORE", SECRET, scope);
    assert!(cached(SIGNING_KEYS_CACHED_MAX - 1) && cached(0) && cached(2));
    assert!(!cached(1), "the second oldest had to go");
}

#[test]
fn verifying_refuses_duplicates_itself() {
    // A caller that parsed the header without asking `Authorization::of`.
    let party = Party::s3();
    let sent = party.signed(&get()).and("content-length", "0").and("content-length", "1");
    let expected = Expected {
        access_key_id: ACCESS_KEY,
        key: &party.key,
        token: party.token.as_deref(),
        now: party.now,
        payload: party.payload,
        path_style: party.style,
    };
    let header = sent.header("authorization");
    let authorization = Authorization::parse(header.as_bytes()).expect("parses");
    let result = sent.with(|parts| verify(parts, &authorization, &expected).map(|_| ()));
    assert_eq!(result, Err(VerifyError::DuplicateHeader("content-length")));
}

#[test]
fn nothing_secret_shows_in_debug_output() {
    const TOKEN: &str = "IQoJb3JpZ2luCANARY";
    let party = Party { token: Some(TOKEN.into()), ..Party::s3() };
    let sent = party.signed(&get());
    let signed = party.sign(&get());
    let cache = KeyCache::new();
    cache.key(ACCESS_KEY, SECRET, Scope::new("20130524", "us-east-1", "s3").expect("a scope"));
    let signer = Signer { token: Some(TOKEN), ..signer(&party) };
    let shown = sent.with(|parts| {
        let authorization = Authorization::of(parts).expect("parses");
        let expected = Expected {
            access_key_id: ACCESS_KEY,
            key: &party.key,
            token: Some(TOKEN),
            now: party.now,
            payload: party.payload,
            path_style: party.style,
        };
        let verified = verify(parts, &authorization, &expected).expect("verifies");
        format!("{parts:?} {authorization:?} {expected:?} {verified:?} {:?} {cache:?} {signer:?} {signed:?}", party.key)
    });
    for secret in [signed.signature.as_str(), SECRET, TOKEN] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

fn signer(party: &Party) -> Signer<'_> {
    Signer {
        access_key_id: ACCESS_KEY,
        key: &party.key,
        token: None,
        at: party.at,
        payload: party.payload,
        send_content_sha256: true,
        path_style: PathStyle::S3,
    }
}
