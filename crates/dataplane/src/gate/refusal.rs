//! Whether the upstream's own rules refused a request: it then was asked for, and did nothing.

use http::{HeaderMap, StatusCode};

/// The spellings of the protocols, and the code that is recorded. With what closes it, so that a message that repeats
/// something of the caller's is not taken for a code. Sources: Amazon S3, EC2, IAM, SNS, SQS, KMS and DynamoDB API
/// references, "Common errors".
const SPELLINGS: [(&[u8], &str); 9] = [
    (b">AccessDenied<", "AccessDenied"),
    (b">AccessDeniedException<", "AccessDenied"),
    (b"AccessDeniedException\"", "AccessDenied"),
    (b"AccessDenied\"", "AccessDenied"),
    (b">UnauthorizedOperation<", "UnauthorizedOperation"),
    (b">AuthorizationError<", "AuthorizationError"),
    (b"AuthorizationErrorException\"", "AuthorizationError"),
    (b">AllAccessDisabled<", "AllAccessDisabled"),
    (b"UnauthorizedException\"", "Unauthorized"),
];

/// The code of an answer that says that the access is not allowed. `ahead` is the beginning of its body; an answer to
/// HEAD has none, so its status speaks for it.
pub(super) fn refusal_code(status: StatusCode, headers: &HeaderMap, ahead: &[u8]) -> Option<&'static str> {
    if !matches!(status.as_u16(), 400 | 401 | 403) {
        return None;
    }
    let named = |text: &[u8]| {
        let spelled = |(spelling, _): &&(&[u8], &str)| memchr::memmem::find(text, spelling).is_some();
        SPELLINGS.iter().find(spelled).map(|(_, code)| *code)
    };
    let header = headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = header.split(':').next().unwrap_or_default();
    named(format!("{kind}\"").as_bytes()).or_else(|| named(ahead)).or(match status.as_u16() {
        401 => Some("Unauthorized"),
        403 => Some("Forbidden"),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, StatusCode};

    use super::refusal_code;

    fn code(status: u16, body: &str) -> Option<&'static str> {
        refusal_code(StatusCode::from_u16(status).expect("a status"), &HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn a_refusal_is_recognised_in_every_protocol() {
        for (status, body, expected) in [
            (403, "<Error><Code>AccessDenied</Code>", "AccessDenied"),
            (403, "<Response><Errors><Error><Code>UnauthorizedOperation</Code>", "UnauthorizedOperation"),
            (400, r#"{"__type":"com.amazon.coral.service#AccessDeniedException","message":"no"}"#, "AccessDenied"),
            (403, "<Error><Code>AuthorizationError</Code>", "AuthorizationError"),
            (403, "", "Forbidden"),
            (401, "", "Unauthorized"),
        ] {
            assert_eq!(code(status, body), Some(expected), "{body}");
        }
        let mut headers = HeaderMap::new();
        headers.insert("x-amzn-errortype", HeaderValue::from_static("AccessDeniedException:http://x/"));
        assert_eq!(refusal_code(StatusCode::BAD_REQUEST, &headers, b"{}"), Some("AccessDenied"));
    }

    #[test]
    fn what_failed_for_another_reason_is_no_refusal() {
        for (status, body) in [
            (200, "<Code>AccessDenied</Code>"),
            (404, "<Error><Code>NoSuchKey</Code>"),
            (400, r#"{"__type":"ResourceNotFoundException","message":"no \"AccessDeniedException\\\" here"}"#),
            (400, r#"{"__type":"ValidationException","message":"AccessDeniedException is no name"}"#),
            (500, "AccessDeniedException\""),
        ] {
            assert_eq!(code(status, body), None, "{body}");
        }
    }
}
