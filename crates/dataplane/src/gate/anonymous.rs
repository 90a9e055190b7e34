//! Requests without a signature. They are taken from who is known otherwise, by the proxy's password or the session's
//! secret path, and only for the calls that AWS itself takes so. Everything after is as for any other request.

use hallpass_catalog::CATALOG;
use hallpass_core::denial::{Denial, DenialCode};
use hallpass_core::resolve::{Resolved, unsigned};
use hallpass_core::secret::Secret;
use hallpass_core::sigv4::{Authorization, Parts, PathStyle, Scope, Verified, VerifyError};
use jiff::Timestamp;

use super::Shared;
use super::address::Address;
use super::verify::{Authenticated, denied};

/// How the media type of a form with a file begins.
const FORM: &[u8] = b"multipart/form-data";

/// Whether a request makes no claim about who sends it.
pub(super) fn is(parts: &Parts<'_>) -> bool {
    matches!(Authorization::of(parts), Err(VerifyError::Anonymous))
}

/// Who sends it, where the way that it came tells.
///
/// # Errors
/// Why the way does not tell, or the request names no service.
pub(super) fn admitted<'a>(
    gate: &'a Shared,
    address: &'a Address,
    parts: &Parts<'a>,
    now: Timestamp,
) -> Result<Authenticated<'a>, Denial> {
    if is_form(parts) {
        let how = "upload with a presigned URL for `PUT` instead";
        let why = "an upload by an HTML form is signed in its fields, which is not supported";
        return Err(Denial { how_to_ask: Some(how.to_owned()), ..Denial::new(VerifyError::Anonymous.code(), why) });
    }
    let (service, region) = match address {
        // The tunnel, or the request line to the proxy, had the session's password.
        Address::Aws(host) => match host.signing.as_slice() {
            [service] if unsigned::SERVICES.contains(service) => (*service, host.region.as_str()),
            _ => return Err(denied(VerifyError::Anonymous)),
        },
        Address::Gate => {
            let path = within(&gate.prefix, parts.path).ok_or_else(|| from_nobody(parts))?;
            let service = unsigned::service(CATALOG, parts, path).ok_or_else(|| denied(VerifyError::Anonymous))?;
            let region = gate.region.as_deref().ok_or_else(|| {
                Denial::new(DenialCode::Malformed, "an unsigned call names no region, and the session has none")
            })?;
            (service, region)
        }
        Address::Bucket(_) => return Err(denied(VerifyError::Anonymous)),
    };
    let path_style = PathStyle::for_service(service);
    let scope = Scope { date: "", region, service };
    let verified = Verified::unsigned(parts, scope, path_style, now).map_err(denied)?;
    Ok(Authenticated { verified, key: None, path_style, body: None, anonymous: true })
}

/// A browser's upload to S3: its policy and signature are fields of the form (S3 API Reference, "POST Object").
fn is_form(parts: &Parts<'_>) -> bool {
    let form = |value: &[u8]| value.get(..FORM.len()).is_some_and(|start| start.eq_ignore_ascii_case(FORM));
    parts.method == "POST" && parts.header("content-type").is_some_and(form)
}

/// Once it is known what is asked: only what AWS takes without a signature.
///
/// # Errors
/// For everything else, such as a public object of S3.
pub(super) fn check(resolved: &Resolved) -> Result<(), Denial> {
    if resolved.unsigned {
        return Ok(());
    }
    let (service, operation) = (&resolved.service, &resolved.operation);
    let why = format!("`{service}` `{operation}` is not signed, and is no call that AWS takes without a signature");
    Err(Denial::new(VerifyError::Anonymous.code(), why))
}

/// The path behind the session's secret one, compared in constant time.
fn within<'a>(prefix: &Secret, path: &'a str) -> Option<&'a str> {
    let (start, rest) = path.split_at_checked(prefix.expose().len())?;
    (Secret::new(start) == *prefix && (rest.is_empty() || rest.starts_with('/'))).then_some(rest)
}

fn from_nobody(parts: &Parts<'_>) -> Denial {
    if unsigned::service(CATALOG, parts, parts.path).is_none() {
        return denied(VerifyError::Anonymous);
    }
    let why = "the call is not signed, and nothing else tells who sends it";
    let how = "send it through the session's proxy (`run --via both`), whose password tells";
    Denial { how_to_ask: Some(how.to_owned()), ..Denial::new(VerifyError::Anonymous.code(), why) }
}
