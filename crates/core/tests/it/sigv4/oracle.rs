//! The `aws-sigv4` crate as an oracle: for what an SDK sends, both make the same signature.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use hallpass_core::sigv4::{PathStyle, PayloadHash};
use proptest::prelude::*;
use proptest::sample::select;

use super::{ACCESS_KEY, Party, Request, SECRET, at, key};

/// What the oracle adds to the request: the headers in lower case, and the signature.
fn oracle(party: &Party, service: &str, request: &Request) -> (Vec<(String, String)>, String) {
    let credentials = Credentials::new(ACCESS_KEY, SECRET, party.token.clone(), None, "test").into();
    let mut settings = SigningSettings::default();
    if party.style == PathStyle::S3 {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    }
    if party.send_content_sha256 {
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    let seconds = u64::try_from(party.at.unix_s()).expect("after 1970");
    let params = v4::SigningParams::builder()
        .identity(&credentials)
        .region("us-east-1")
        .name(service)
        .time(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
        .settings(settings)
        .build()
        .expect("parameters")
        .into();
    let body = match party.payload {
        PayloadHash::Unsigned => SignableBody::UnsignedPayload,
        PayloadHash::StreamingUnsignedTrailer => SignableBody::StreamingUnsignedPayloadTrailer,
        PayloadHash::StreamingSignedTrailer => SignableBody::StreamingSignedPayloadTrailer,
        PayloadHash::Sha256(_) | PayloadHash::StreamingSigned | PayloadHash::StreamingEvents => {
            SignableBody::Precomputed(party.payload.text())
        }
    };
    let uri = match request.query.as_str() {
        "" => format!("http://h{}", request.path),
        query => format!("http://h{}?{query}", request.path),
    };
    let headers = request.headers.iter().map(|(n, v)| (n.as_str(), str::from_utf8(v).expect("text")));
    let signable = SignableRequest::new(&request.method, uri, headers, body).expect("a request");
    let (instructions, signature) = sign(signable, &params).expect("signs").into_parts();
    let headers = instructions.headers().map(|(n, v)| (n.to_ascii_lowercase(), v.to_owned())).collect();
    (headers, signature)
}

/// Percent-encoded as an SDK does it: everything that is not unreserved.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
            out.push(char::from(b))
        } else {
            out.push_str(&format!("%{b:02X}"))
        }
    }
    out
}

fn segment() -> impl Strategy<Value = String> {
    select(vec![
        "a", "key name", "ä", "ሴ", "a+b", "x=y", "a:b", "a@b", "~", "-._", "100%", "a&b", "\"", "[0]", "日本", "a,b;c",
    ])
    .prop_map(encoded)
}

fn path(style: PathStyle) -> impl Strategy<Value = String> {
    let special = select(match style {
        PathStyle::S3 => vec!["", ".", "..", "%E4%FF"],
        PathStyle::Normalised | PathStyle::NormalisedOnce => vec!["", ".", "..", "a%2Fb", "x:y@z", "%e4"],
    });
    let piece = prop_oneof![4 => segment(), 1 => special.prop_map(str::to_owned)];
    proptest::collection::vec(piece, 0..7).prop_map(|segments| format!("/{}", segments.join("/")))
}

fn query() -> impl Strategy<Value = String> {
    let words = || {
        select(vec!["", "a", "b", "prefix", "list-type", "A", "ä", "x y", "a/b", "a=b", "1+1", "tag", "~", "%", "2"])
            .prop_map(encoded)
    };
    let pair = (words(), words(), any::<bool>())
        .prop_map(|(n, v, bare)| if bare && v.is_empty() && !n.is_empty() { n } else { format!("{n}={v}") });
    proptest::collection::vec(pair, 0..8).prop_map(|pairs| pairs.join("&"))
}

fn case() -> impl Strategy<Value = (Request, Party, &'static str)> {
    let style = select(vec![("s3", PathStyle::S3), ("execute-api", PathStyle::Normalised)]);
    style.prop_flat_map(|(service, style)| {
        let methods = select(vec!["GET", "PUT", "POST", "DELETE", "HEAD"]);
        let names =
            select(vec!["range", "x-amz-meta-a", "x-amz-acl", "content-type", "user-agent", "x-amzn-trace-id", "a"]);
        let value = "[ -~]{0,20}";
        let headers = proptest::collection::btree_map(names, value, 0..6);
        let payload = prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..20).prop_map(|body| PayloadHash::of_body(&body)),
            Just(PayloadHash::Unsigned),
            Just(PayloadHash::StreamingUnsignedTrailer),
            Just(PayloadHash::StreamingSignedTrailer),
        ];
        let token = proptest::option::of("[A-Za-z0-9/+=]{1,60}");
        let send = any::<bool>();
        (methods, path(style), query(), headers, payload, token, send).prop_map(
            move |(method, path, query, headers, payload, token, send)| {
                let mut request = Request::new(method, "/", &[("host", "127.0.0.1:9000")]);
                (request.path, request.query) = (path, query);
                for (name, value) in &headers {
                    request = request.and(name, value);
                }
                let s3 = style == PathStyle::S3;
                let payload = if s3 { payload } else { PayloadHash::of_body(request.path.as_bytes()) };
                let key = key("us-east-1", service);
                let party = Party { key, token, payload, style, send_content_sha256: s3 || send, ..Party::s3() };
                (request, party, service)
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn both_make_the_same_signature_and_we_accept_theirs((request, party, service) in case()) {
        let (headers, signature) = oracle(&party, service, &request);
        let ours = party.sign(&request);
        prop_assert_eq!(ours.signature.as_str(), signature, "{:?}", request);
        let mut sent = request.clone();
        for (name, value) in headers {
            sent = sent.and(&name, &value);
        }
        prop_assert_eq!(party.verify(&sent).map(|_| ()), Ok(()), "{:?}", sent);
    }
}

#[test]
fn the_oracle_is_the_one_of_the_published_vectors() {
    let party = Party { token: None, key: key("us-east-1", "s3"), at: at("20130524T000000Z"), ..Party::s3() };
    let request =
        Request::new("GET", "/test.txt", &[("host", "examplebucket.s3.amazonaws.com"), ("range", "bytes=0-9")]);
    let (_, signature) = oracle(&party, "s3", &request);
    assert_eq!(signature, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}
