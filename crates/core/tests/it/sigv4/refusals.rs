//! The total answer to "how is this request authenticated?", and the parser of the Authorization header.

use hallpass_core::denial::DenialCode;
use hallpass_core::limits::AUTHORIZATION_BYTES_MAX;
use hallpass_core::sigv4::{Authorization, VerifyError, refuse_duplicates};
use proptest::prelude::*;

use super::{ACCESS_KEY, Request};

const SIGNATURE: &str = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";

fn value() -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20130524/us-east-1/s3/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature={SIGNATURE}"
    )
}

fn of(request: &Request) -> Result<String, VerifyError> {
    request.with(|parts| Authorization::of(parts).map(|a| a.access_key_id.to_owned()))
}

fn get(target: &str) -> Request {
    Request::new("GET", target, &[("host", "h")])
}

#[test]
fn the_header_is_read_into_its_parts() {
    let value = value();
    let parsed = Authorization::parse(value.as_bytes()).expect("parses");
    assert_eq!(parsed.access_key_id, ACCESS_KEY);
    assert_eq!(parsed.scope.to_string(), "20130524/us-east-1/s3/aws4_request");
    assert_eq!(parsed.signed_headers.names().collect::<Vec<_>>(), ["host", "x-amz-date"]);
    assert!(parsed.signed_headers.contains("host") && !parsed.signed_headers.contains("hos"));
    assert_eq!(parsed.signature.as_str(), SIGNATURE);
    assert!(Authorization::parse(value.replace(", ", ",").as_bytes()).is_ok(), "no space after the comma");
    let (scheme, fields) = value.split_once(' ').expect("a scheme");
    let mut fields: Vec<_> = fields.split(", ").collect();
    fields.reverse();
    assert!(Authorization::parse(format!("{scheme} {}", fields.join(", ")).as_bytes()).is_ok(), "in any order");
}

#[test]
fn every_other_form_of_the_header_is_refused() {
    let good = value();
    let changes: [(&str, &str); 24] = [
        (", Signature=", ", signature="),
        (", Signature=", ", X=1, Signature="),
        (", Signature=", ", SignedHeaders=host, Signature="),
        (", Signature=", ",, Signature="),
        (", Signature=", "; Signature="),
        (", SignedHeaders=host;x-amz-date", ""),
        ("SignedHeaders=host;x-amz-date", "SignedHeaders="),
        ("host;x-amz-date", "host;host;x-amz-date"),
        ("host;x-amz-date", "x-amz-date;host"),
        ("host;x-amz-date", "Host;x-amz-date"),
        ("host;x-amz-date", "host;;x-amz-date"),
        ("host;x-amz-date", ";host"),
        ("host;x-amz-date", "host;x-amz-date;"),
        ("host;x-amz-date", "host; x-amz-date"),
        (ACCESS_KEY, ""),
        (ACCESS_KEY, "A/K"),
        (ACCESS_KEY, "A K"),
        ("aws4_request", "aws4_reques"),
        ("aws4_request", "aws4_request/x"),
        ("us-east-1", ""),
        ("f0e8", "F0E8"),
        ("f0e8", "f0e"),
        ("f0e8", "g0e8"),
        ("f0e8", "f0e8 "),
    ];
    for (from, to) in changes {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        assert!(matches!(Authorization::parse(bad.as_bytes()), Err(VerifyError::Authorization(_))), "{bad}");
    }
    let long_id = good.replacen(ACCESS_KEY, &"A".repeat(129), 1);
    assert!(matches!(Authorization::parse(long_id.as_bytes()), Err(VerifyError::Authorization(_))));
    let not_utf8 = [good.as_bytes(), b"\xff"].concat();
    assert!(matches!(Authorization::parse(&not_utf8), Err(VerifyError::Authorization(_))));
    assert!(matches!(Authorization::parse(b"AWS4-HMAC-SHA256"), Err(VerifyError::Authorization(_))));
}

#[test]
fn a_header_past_its_limit_is_not_read() {
    let good = value();
    let padded = |len: usize| good.replacen(", Sig", &format!(",{}Sig", " ".repeat(len - good.len() + 1)), 1);
    assert_eq!(padded(AUTHORIZATION_BYTES_MAX).len(), AUTHORIZATION_BYTES_MAX);
    assert!(Authorization::parse(padded(AUTHORIZATION_BYTES_MAX).as_bytes()).is_ok());
    let refused = Authorization::parse(padded(AUTHORIZATION_BYTES_MAX + 1).as_bytes()).expect_err("too long");
    assert_eq!(refused, VerifyError::AuthorizationTooLong(AUTHORIZATION_BYTES_MAX + 1));
    assert_eq!(refused.code(), DenialCode::TooLarge);
}

#[test]
fn other_kinds_of_authentication_are_refused_by_name() {
    let header = |value: &str| of(&get("/").and("authorization", value)).expect_err(value);
    assert_eq!(header("AWS AKID:c2lnbmF0dXJl"), VerifyError::SigV2);
    assert_eq!(header(&value().replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256")), VerifyError::SigV4A);
    for other in ["Bearer x", "Basic x", "", "aws4-hmac-sha256 x", "AWS4-HMAC-SHA256-PAYLOAD x", "AWS4-HMAC-SHA1 x"] {
        assert_eq!(header(other), VerifyError::OtherScheme, "{other}");
    }
    let query = |target: &str| of(&get(target)).expect_err(target);
    let presigned = "/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a&X-Amz-Signature=b";
    assert_eq!(query(presigned), VerifyError::Presigned);
    assert_eq!(query("/k?x-amz-signature=b"), VerifyError::Presigned, "in any spelling");
    assert_eq!(query("/k?%58-Amz-%53ignature=b"), VerifyError::Presigned, "escaped");
    assert_eq!(query("/k?X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256&X-Amz-Signature=b"), VerifyError::SigV4A);
    assert_eq!(query("/k?X-Amz-Signature=b&X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256"), VerifyError::SigV4A);
    assert_eq!(query("/k?AWSAccessKeyId=a&Signature=b&Expires=1"), VerifyError::SigV2);
    for anonymous in ["/", "/?Signature=x", "/?X-Amz-Date=20130524T000000Z", "/?x-id=GetObject"] {
        assert_eq!(query(anonymous), VerifyError::Anonymous, "{anonymous}");
    }
    assert_eq!(VerifyError::Anonymous.code(), DenialCode::Unsigned);
}

#[test]
fn header_and_query_authentication_together_are_refused() {
    for query in [
        "X-Amz-Signature=b",
        "x-amz-credential=b",
        "X-Amz-Algorithm=x",
        "AWSAccessKeyId=a",
        "X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256",
    ] {
        let both = get(&format!("/?{query}")).and("authorization", &value());
        assert_eq!(of(&both), Err(VerifyError::TwoAuthentications), "{query}");
    }
}

#[test]
fn an_amz_parameter_cannot_stand_in_for_a_header() {
    for name in ["X-Amz-Security-Token", "x-amz-acl", "X-AMZ-COPY-SOURCE", "%78-amz-date", "x-amz-"] {
        let both = get(&format!("/?a=1&{name}=v")).and("authorization", &value());
        assert!(matches!(of(&both), Err(VerifyError::AmzQueryParameter(_))), "{name}");
    }
    for fine in ["/?x-id=GetObject", "/?prefix=x-amz-acl", "/?x-amzn=1", "/?X-Am=1"] {
        assert_eq!(of(&get(fine).and("authorization", &value())).as_deref(), Ok(ACCESS_KEY), "{fine}");
    }
}

#[test]
fn duplicated_amz_parameters_are_refused_in_any_spelling() {
    let pairs = [
        "X-Amz-Credential=a&X-Amz-Credential=a",
        "X-Amz-Credential=a&x-amz-credential=b",
        "X-Amz-Security-Token=a&b=c&X-AMZ-Security-Token",
        "%58-Amz-Date=a&X-Amz-Date=a",
        "AWSAccessKeyId=a&awsaccesskeyid=b",
    ];
    for pair in pairs {
        for request in [get(&format!("/?{pair}")), get(&format!("/?{pair}")).and("authorization", &value())] {
            assert!(matches!(of(&request), Err(VerifyError::DuplicateQueryParameter(_))), "{pair}");
        }
    }
    assert!(of(&get("/?tagKeys=a&tagKeys=b").and("authorization", &value())).is_ok(), "lists are not ambiguous");
}

#[test]
fn headers_that_may_occur_once_are_refused_twice() {
    let once = [
        "host",
        "authorization",
        "content-length",
        "transfer-encoding",
        "x-amz-date",
        "x-amz-content-sha256",
        "x-amz-security-token",
        "x-amz-target",
        "content-type",
        "x-amz-decoded-content-length",
        "x-amz-trailer",
    ];
    for name in once {
        let single: [(&str, &[u8]); 2] = [(name, b"a"), ("range", b"b")];
        assert_eq!(refuse_duplicates(&single), Ok(()), "{name}");
        for second in [b"a".as_slice(), b"b"] {
            let twice: [(&str, &[u8]); 3] = [(name, b"a"), ("range", b"b"), (name, second)];
            assert_eq!(refuse_duplicates(&twice), Err(VerifyError::DuplicateHeader(name)));
        }
        let request = get("/").and("authorization", &value()).and(name, "a").and(name, "b");
        assert!(matches!(of(&request), Err(VerifyError::DuplicateHeader(_))), "{name}: decided before anything else");
    }
    assert_eq!(refuse_duplicates(&[("x-amz-meta-a", b"1"), ("x-amz-meta-a", b"2")]), Ok(()));
}

#[test]
fn error_messages_are_one_lower_case_sentence_without_user_bytes() {
    let shown = VerifyError::DuplicateQueryParameter("x".into()).to_string();
    assert!(shown.starts_with("the query parameter `x`") && !shown.ends_with('.'));
    let long = of(&get(&format!("/?x-amz-{0}=1&x-amz-{0}=1", "%0a".repeat(500)))).expect_err("twice").to_string();
    assert!(long.len() < 200 && !long.contains('\n'), "{long}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn random_bytes_never_panic_the_parser(bytes in proptest::collection::vec(any::<u8>(), 0..200), query in ".{0,60}") {
        let _ = Authorization::parse(&bytes);
        let prefixed = [b"AWS4-HMAC-SHA256 ", bytes.as_slice()].concat();
        prop_assert!(Authorization::parse(&prefixed).is_err());
        let mut request = get("/");
        request.query = query;
        request.headers.push(("authorization".into(), bytes));
        let _ = of(&request);
    }

    #[test]
    fn a_damaged_header_never_panics_and_never_changes_its_key(at in 0_usize..200, byte in any::<u8>()) {
        let mut bytes = value().into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Ok(parsed) = Authorization::parse(&bytes) {
            prop_assert!(parsed.access_key_id.len() <= ACCESS_KEY.len());
            prop_assert!(parsed.access_key_id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
        }
    }
}
