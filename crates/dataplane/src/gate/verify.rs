//! Second step: who asks? Decided once, for every request, before anything is routed.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use hallpass_core::denial::{Denial, DenialCode};
use hallpass_core::secret::Secret;
use hallpass_core::sigv4::checksum::ChecksumError;
use hallpass_core::sigv4::chunked::ChunkError;
use hallpass_core::sigv4::events::EventError;
use hallpass_core::sigv4::{
    Authorization, Expected, KeyCache, Parts, PathStyle, PayloadHash, Presigned, SigningKey, Verified, VerifyError,
    verify,
};
use jiff::Timestamp;

use super::body::{self, Child};
use super::fail_points::fail_point;
use super::placeholder::Placeholder;

/// A request of the child, and what is known of its body.
pub(super) struct Authenticated<'a> {
    pub(super) verified: Verified<'a>,
    /// The inbound key, with which signed chunks go on.
    pub(super) key: Arc<SigningKey>,
    pub(super) path_style: PathStyle,
    /// The whole body, where the signature could not be checked without it.
    pub(super) body: Option<Bytes>,
}

/// Checks a request against the session's placeholder. A body is read only where the signature covers it without
/// saying so in a header, and only from someone who holds the session token.
pub(super) async fn authenticate<'a>(
    placeholder: &Placeholder,
    keys: &KeyCache,
    now: Timestamp,
    parts: &Parts<'a>,
    slot: &'a OnceLock<Presigned>,
    child: &mut Child,
) -> Result<Authenticated<'a>, Denial> {
    fail_point!("gate::authenticate", Err(super::refuse::injected()));
    let (authorization, presigned) = match Authorization::of(parts) {
        Ok(authorization) => (authorization, None),
        Err(VerifyError::Presigned) => {
            let parsed = Presigned::parse(parts).map_err(denied)?;
            let presigned = slot.get_or_init(|| parsed);
            (presigned.authorization().map_err(denied)?, Some(presigned))
        }
        Err(error) => return Err(denied(error)),
    };
    if !same(authorization.access_key_id, &placeholder.access_key_id) {
        return Err(Denial::new(DenialCode::UnknownKey, "the access key is not this session's"));
    }
    let path_style = PathStyle::for_service(authorization.scope.service);
    let declared = match presigned {
        Some(presigned) => presigned.payload(parts, path_style),
        None => PayloadHash::declared(parts),
    };
    let declared = declared.map_err(denied)?;
    let body = match declared {
        Some(_) => None,
        None if !child.has_body() => Some(Bytes::new()),
        None => {
            let header = || parts.header("x-amz-security-token").map(|t| Secret::new(String::from_utf8_lossy(t)));
            let token = presigned.map_or_else(header, |presigned| presigned.token(parts));
            if token.as_ref() != Some(&placeholder.session_token) {
                return Err(denied(VerifyError::Token));
            }
            Some(body::whole(child).await?)
        }
    };
    fail_point!("gate::verify", Err(super::refuse::injected()));
    let key = keys.key(authorization.access_key_id, placeholder.secret_access_key.expose(), authorization.scope);
    let payload = match (declared, &body) {
        (Some(declared), _) => declared,
        (None, body) => PayloadHash::of_body(body.as_deref().unwrap_or_default()),
    };
    let token = Some(placeholder.session_token.expose());
    let access_key_id = placeholder.access_key_id.as_str();
    let expected = Expected { access_key_id, key: &key, token, now, payload, path_style };
    let verified = match presigned {
        Some(presigned) => presigned.verify(parts, &authorization, &expected),
        None => verify(parts, &authorization, &expected),
    };
    Ok(Authenticated { verified: verified.map_err(denied)?, key, path_style, body })
}

/// Compares identifiers in constant time, so that a stranger cannot feel his way to one.
fn same(one: &str, other: &str) -> bool {
    Secret::new(one) == Secret::new(other)
}

pub(super) fn denied(error: VerifyError) -> Denial {
    Denial::new(error.code(), error.to_string())
}

pub(super) fn chunks_denied(error: &ChunkError) -> Denial {
    Denial::new(error.code(), error.to_string())
}

pub(super) fn events_denied(error: &EventError) -> Denial {
    Denial::new(error.code(), error.to_string())
}

pub(super) fn checksum_denied(error: &ChecksumError) -> Denial {
    Denial::new(error.code(), error.to_string())
}
