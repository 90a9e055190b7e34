//! Which headers pass, in both directions. Built up from nothing: what is not named here or signed does not pass.

use hallpass_core::denial::{Denial, DenialCode};
use hallpass_core::sigv4::{PathStyle, SignedHeaders};
use http::{HeaderMap, HeaderName, HeaderValue, header};

/// Headers that pass without a signature, because they change nothing that is decided: SDKs leave some of them out
/// of what they sign.
const UNSIGNED: [HeaderName; 9] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::CACHE_CONTROL,
    header::IF_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::IF_RANGE,
    header::IF_UNMODIFIED_SINCE,
    header::USER_AGENT,
];

/// Headers that are made anew, or that belong to one connection only (RFC 9110, 7.6.1).
const OURS: [&str; 21] = [
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-region-set",
    "x-amz-security-token",
    "x-amzn-trace-id",
];

/// The child's headers that are sent on.
pub(super) fn forwardable(inbound: &HeaderMap, signed: SignedHeaders<'_>, style: PathStyle) -> HeaderMap {
    let mut passed = HeaderMap::with_capacity(inbound.len() + 4);
    for (name, value) in inbound {
        let text = name.as_str();
        let passes = || {
            UNSIGNED.contains(name)
                || text.starts_with("amz-sdk-")
                || (style == PathStyle::S3 && *name == header::CONTENT_TYPE)
                || signed.contains(text)
        };
        if passes() && !OURS.contains(&text) {
            passed.append(name, value.clone());
        }
    }
    passed
}

/// Adds the headers that a presigned request carries in its query. What is made anew is not taken from there either.
///
/// # Errors
/// [`DenialCode::Malformed`] for what cannot be a header.
pub(super) fn add_hoisted(headers: &mut HeaderMap, hoisted: &[(String, String)]) -> Result<(), Denial> {
    for (name, value) in hoisted.iter().filter(|(name, _)| !OURS.contains(&name.as_str())) {
        let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) else {
            return Err(Denial::new(DenialCode::Malformed, "a parameter of the presigned URL cannot be a header"));
        };
        headers.insert(name, value);
    }
    Ok(())
}

/// A header map as the rules in core see it.
pub(super) fn view(headers: &HeaderMap) -> Vec<(&str, &[u8])> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
}

/// Headers of an upstream's answer that end here: those of one connection, and those that only we may say.
const NOT_ANSWERED: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "alt-svc",
];

/// Removes from an upstream's answer what must not reach the child.
pub(super) fn strip_answer(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|b| *b == b','))
        .filter_map(|token| HeaderName::from_bytes(token.trim_ascii()).ok())
        .filter(|name| *name != header::CONTENT_LENGTH)
        .collect();
    for name in named {
        headers.remove(name);
    }
    let ends_here = |name: &&HeaderName| {
        let name = name.as_str();
        NOT_ANSWERED.contains(&name) || name.starts_with("x-hallpass-")
    };
    let ending: Vec<HeaderName> = headers.keys().filter(ends_here).cloned().collect();
    for name in ending {
        headers.remove(name);
    }
}
