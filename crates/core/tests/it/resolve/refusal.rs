//! Error answers, byte for byte; botocore's parsers read each of these bodies as the code and message written here.

use hallpass_core::denial::{Denial, DenialCode};
use hallpass_core::resolve::Protocol;
use hallpass_core::resolve::refusal::{Refusal, Shape, refusal};
use proptest::prelude::*;

fn denied(protocol: Protocol) -> Refusal {
    let denial =
        Denial { how_to_ask: Some("add `a<b>&\"c\"`".to_owned()), ..Denial::new(DenialCode::NotAllowed, "no") };
    refusal(Shape { protocol: Some(protocol), ..Shape::default() }, &denial, "r-1")
}

#[test]
fn bodies_have_the_bytes_of_their_protocol() {
    let xml = "hallpass: no (add `a&lt;b&gt;&amp;&quot;c&quot;`)";
    let json = r#"{"__type":"AccessDeniedException","message":"hallpass: no (add `a<b>&\"c\"`)"}"#;
    for (protocol, status, body) in [
        (
            Protocol::S3,
            403,
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code><Message>{xml}</Message>\
                 <RequestId>r-1</RequestId><HostId>hallpass</HostId></Error>"
            ),
        ),
        (
            Protocol::Query,
            403,
            format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>{xml}</Message></Error>\
                 <RequestId>r-1</RequestId></ErrorResponse>"
            ),
        ),
        (
            Protocol::Ec2,
            403,
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>UnauthorizedOperation</Code>\
                 <Message>{xml}</Message></Error></Errors><RequestID>r-1</RequestID></Response>"
            ),
        ),
        (Protocol::Json10, 400, json.to_owned()),
        (Protocol::Json11, 400, json.to_owned()),
        (Protocol::RestJson, 403, json.to_owned()),
    ] {
        let answer = denied(protocol);
        assert_eq!((answer.status, String::from_utf8(answer.body).expect("text")), (status, body), "{protocol:?}");
    }
}

#[test]
fn a_cbor_body_is_a_map_of_two_texts() {
    let denial = Denial::new(DenialCode::NotAllowed, "x".repeat(30));
    let answer = refusal(Shape { protocol: Some(Protocol::RpcV2Cbor), ..Shape::default() }, &denial, "r-1");
    let mut expected = b"\xa2\x66__type\x75AccessDeniedException\x67message\x7a\x00\x00\x00\x28hallpass: ".to_vec();
    expected.extend([b'x'; 30]);
    assert_eq!(answer.body, expected);
    assert!(answer.headers.contains(&("smithy-protocol", "rpc-v2-cbor".to_owned())));
    assert_eq!(answer.status, 403);
}

#[test]
fn every_answer_names_its_request_and_its_reason() {
    for (protocol, id, content_type) in [
        (Protocol::S3, "x-amz-request-id", "application/xml"),
        (Protocol::Query, "x-amzn-requestid", "text/xml"),
        (Protocol::Ec2, "x-amzn-requestid", "text/xml;charset=UTF-8"),
        (Protocol::Json10, "x-amzn-requestid", "application/x-amz-json-1.0"),
        (Protocol::Json11, "x-amzn-requestid", "application/x-amz-json-1.1"),
        (Protocol::RestJson, "x-amzn-requestid", "application/json"),
        (Protocol::RestXml, "x-amzn-requestid", "text/xml"),
        (Protocol::RpcV2Cbor, "x-amzn-requestid", "application/cbor"),
    ] {
        let headers = denied(protocol).headers;
        for expected in [(id, "r-1"), ("x-hallpass-reason", "not-allowed"), ("content-type", content_type)] {
            assert!(headers.contains(&(expected.0, expected.1.to_owned())), "{protocol:?} {expected:?}");
        }
        let names_error = matches!(protocol, Protocol::Json10 | Protocol::Json11 | Protocol::RestJson);
        assert_eq!(headers.contains(&("x-amzn-errortype", "AccessDeniedException".to_owned())), names_error);
    }
}

#[test]
fn a_head_request_is_refused_without_a_body() {
    let shape = Shape { protocol: Some(Protocol::S3), head: true, query_mode: false };
    let answer = refusal(shape, &Denial::new(DenialCode::NotAllowed, "no"), "r-1");
    assert_eq!((answer.status, answer.body.len()), (403, 0));
    assert!(answer.headers.iter().all(|(name, _)| *name != "content-type"));
    assert!(answer.headers.contains(&("x-hallpass-reason", "not-allowed".to_owned())));
}

#[test]
fn query_compatible_clients_are_told_the_query_code() {
    let shape = Shape { protocol: Some(Protocol::Json10), head: false, query_mode: true };
    let code = |code| {
        let answer = refusal(shape, &Denial::new(code, "no"), "r-1");
        answer.headers.into_iter().find(|(name, _)| *name == "x-amzn-query-error").map(|(_, value)| value)
    };
    assert_eq!(code(DenialCode::NotAllowed).as_deref(), Some("AccessDenied;Sender"));
    assert_eq!(code(DenialCode::AuditUnavailable).as_deref(), Some("ServiceUnavailable;Receiver"));
    let plain = refusal(Shape { query_mode: false, ..shape }, &Denial::new(DenialCode::NotAllowed, "no"), "r-1");
    assert!(plain.headers.iter().all(|(name, _)| *name != "x-amzn-query-error"));
}

const ALL: [DenialCode; 20] = [
    DenialCode::ExplicitDeny,
    DenialCode::NotAllowed,
    DenialCode::Unmapped,
    DenialCode::Unresolved,
    DenialCode::Signature,
    DenialCode::Unsigned,
    DenialCode::UnknownKey,
    DenialCode::Skew,
    DenialCode::Replayed,
    DenialCode::Malformed,
    DenialCode::BodyMismatch,
    DenialCode::TooLarge,
    DenialCode::ForeignOrigin,
    DenialCode::Expired,
    DenialCode::Revoked,
    DenialCode::BudgetExceeded,
    DenialCode::AuditUnavailable,
    DenialCode::CredentialUnavailable,
    DenialCode::UpstreamUnreachable,
    DenialCode::OutcomeUnknown,
];
const PROTOCOLS: [Protocol; 8] = [
    Protocol::S3,
    Protocol::Query,
    Protocol::Ec2,
    Protocol::Json10,
    Protocol::Json11,
    Protocol::RestJson,
    Protocol::RestXml,
    Protocol::RpcV2Cbor,
];

#[test]
fn only_what_a_retry_can_cure_is_retried() {
    // Codes and statuses that botocore retries in any mode (retries/standard.py and data/_retry.json of 1.44.5).
    let retried = [
        "BadDigest",
        "RequestTimeout",
        "RequestTimeoutException",
        "PriorRequestNotComplete",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottledException",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "TransactionInProgressException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "LimitExceededException",
        "RequestThrottled",
        "SlowDown",
        "EC2ThrottledException",
    ];
    let curable = [DenialCode::AuditUnavailable, DenialCode::CredentialUnavailable, DenialCode::UpstreamUnreachable];
    for code in ALL {
        for protocol in PROTOCOLS {
            let answer = refusal(Shape { protocol: Some(protocol), ..Shape::default() }, &Denial::new(code, "no"), "r");
            let is_503 = answer.status == 503;
            assert_eq!(is_503, curable.contains(&code), "{code:?} {protocol:?}");
            assert!(is_503 || (400..=403).contains(&answer.status), "{code:?} {protocol:?}");
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            assert!(retried.iter().all(|word| !body.contains(word)), "{code:?} {protocol:?}: {body}");
        }
    }
}

#[test]
fn an_expired_session_is_expired_and_a_revoked_one_denied() {
    let code = |code, protocol| {
        let shape = Shape { protocol: Some(protocol), ..Shape::default() };
        let answer = refusal(shape, &Denial::new(code, "no"), "r");
        let reason = answer.headers.iter().find(|(name, _)| *name == "x-hallpass-reason").map(|(_, v)| v.clone());
        (answer.status, String::from_utf8_lossy(&answer.body).into_owned(), reason.expect("a reason"))
    };
    for (protocol, status, name) in [
        (Protocol::S3, 400, "ExpiredToken<"),
        (Protocol::Query, 403, "ExpiredToken<"),
        (Protocol::Ec2, 400, "RequestExpired<"),
        (Protocol::Json10, 400, "ExpiredTokenException\""),
        (Protocol::RestJson, 403, "ExpiredTokenException\""),
    ] {
        let (got, body, reason) = code(DenialCode::Expired, protocol);
        assert!(got == status && body.contains(name) && reason == "expired", "{protocol:?}: {got} {body}");
    }
    for protocol in PROTOCOLS {
        let (_, body, reason) = code(DenialCode::Revoked, protocol);
        assert!(body.contains("AccessDenied") || body.contains("UnauthorizedOperation"), "{body}");
        assert!(!body.contains("Expired") && reason == "revoked", "{body}");
    }
}

#[test]
fn the_shape_is_guessed_from_any_head() {
    let scope = |service: &str| {
        format!(
            "AWS4-HMAC-SHA256 Credential=AK/20261122/eu-west-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
        )
    };
    let guess = |headers: &[(&str, &str)]| {
        let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        Shape::guess(hallpass_catalog::CATALOG, "POST", "/", &headers).protocol
    };
    let form = ("content-type", "application/x-www-form-urlencoded");
    assert_eq!(guess(&[]), None);
    assert_eq!(guess(&[form]), Some(Protocol::Query));
    assert_eq!(guess(&[("authorization", "garbage")]), None);
    assert_eq!(guess(&[("content-type", "application/x-amz-json-1.0")]), Some(Protocol::Json10));
    assert_eq!(guess(&[("content-type", "application/x-amz-json-1.1")]), Some(Protocol::Json11));
    assert_eq!(guess(&[("smithy-protocol", "rpc-v2-cbor")]), Some(Protocol::RpcV2Cbor));
    for (service, protocol) in [
        ("s3", Protocol::S3),
        ("ec2", Protocol::Ec2),
        ("iam", Protocol::Query),
        ("kinesis", Protocol::Json11),
        ("route53", Protocol::RestXml),
        ("lambda", Protocol::RestJson),
    ] {
        assert_eq!(guess(&[("authorization", &scope(service)), form]), Some(protocol), "{service}");
    }
    let named = |service: &str| guess(&[("authorization", &scope(service))]);
    assert_eq!(named("ses"), Some(Protocol::RestJson), "its newer API, unless there is a form");
    assert_eq!(named("sts"), Some(Protocol::Query));
    assert_eq!(named("nonsense"), Some(Protocol::RestJson));
    let head = Shape::guess(
        hallpass_catalog::CATALOG,
        "HEAD",
        "/b/k",
        &[("x-amzn-query-mode", b"true"), ("content-type", b"\xff")],
    );
    assert!(head.head && head.query_mode);
    assert_eq!(
        Shape::guess(hallpass_catalog::CATALOG, "POST", "/service/A/operation/B", &[]).protocol,
        Some(Protocol::RpcV2Cbor)
    );
}

proptest! {
    #[test]
    fn an_answer_is_well_formed_whatever_the_message(reason in "\\PC{0,40}|[\\x00-\\x1f<>&\"']{0,20}", id in "\\PC{0,20}") {
        for protocol in PROTOCOLS {
            let denial = Denial::new(DenialCode::NotAllowed, reason.clone());
            let answer = refusal(Shape { protocol: Some(protocol), ..Shape::default() }, &denial, &id);
            prop_assert!(answer.headers.iter().all(|(_, value)| value.bytes().all(|b| (0x20..0x7f).contains(&b))));
            match protocol {
                Protocol::S3 | Protocol::Query | Protocol::Ec2 | Protocol::RestXml => {
                    let body = String::from_utf8(answer.body).expect("text");
                    let message = body.split("<Message>").nth(1).and_then(|rest| rest.split("</Message>").next());
                    let message = message.expect("a message");
                    prop_assert!(!message.contains(['<', '>', '"', '\'']) && !message.contains(|c: char| c.is_control()));
                }
                Protocol::Json10 | Protocol::Json11 | Protocol::RestJson => {
                    let body: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
                    let message = denial.message();
                    prop_assert_eq!(body["message"].as_str(), Some(message.as_str()));
                }
                Protocol::RpcV2Cbor => prop_assert!(answer.body.ends_with(denial.message().as_bytes())),
            }
        }
    }
}

#[test]
fn each_fault_has_the_name_that_its_protocol_gives_it() {
    for (code, s3, ec2, json) in [
        (DenialCode::Skew, "RequestTimeTooSkewed", "RequestExpired", "InvalidSignatureException"),
        (DenialCode::BodyMismatch, "XAmzContentSHA256Mismatch", "AuthFailure", "InvalidSignatureException"),
        (DenialCode::Signature, "SignatureDoesNotMatch", "AuthFailure", "InvalidSignatureException"),
        (DenialCode::TooLarge, "EntityTooLarge", "InvalidRequest", "ValidationException"),
        (DenialCode::Malformed, "InvalidRequest", "InvalidRequest", "ValidationException"),
    ] {
        for (protocol, name) in [(Protocol::S3, s3), (Protocol::Ec2, ec2), (Protocol::Json10, json)] {
            let answer = refusal(Shape { protocol: Some(protocol), ..Shape::default() }, &Denial::new(code, "no"), "r");
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            let named = [format!("<Code>{name}</Code>"), format!(r#""__type":"{name}""#)];
            assert!(named.iter().any(|text| body.contains(text)), "{code:?} {protocol:?}: {body}");
        }
    }
}
