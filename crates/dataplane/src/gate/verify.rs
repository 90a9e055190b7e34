//! Second step: who asks? Decided once, for every request, before anything is routed.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use hallpass_core::denial::{Denial, DenialCode};
use hallpass_core::secret::Secret;
use hallpass_core::sigv4::asymmetric::{Check, Claim};
use hallpass_core::sigv4::checksum::ChecksumError;
use hallpass_core::sigv4::chunked::ChunkError;
use hallpass_core::sigv4::events::EventError;
use hallpass_core::sigv4::{
    Authorization, Expected, KeyCache, Parts, PathStyle, PayloadHash, Presigned, SigningKey, Verified, VerifyError,
    verify,
};
use jiff::Timestamp;
use subtle::ConstantTimeEq;

use super::asymmetric::Pair;
use super::body::{self, Child};
use super::fail_points::fail_point;
use super::placeholder::Placeholder;

/// A request of the child, and what is known of its body.
pub(super) struct Authenticated<'a> {
    pub(super) verified: Verified<'a>,
    /// The inbound key, with which signed chunks go on; an asymmetric signature has none.
    pub(super) key: Option<Arc<SigningKey>>,
    pub(super) path_style: PathStyle,
    /// The whole body, where the signature could not be checked without it.
    pub(super) body: Option<Bytes>,
    /// It is not signed; who sends it is known by the way that it came.
    pub(super) anonymous: bool,
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
    let in_query = || Presigned::parse(parts).map(|parsed| slot.get_or_init(|| parsed)).map_err(denied);
    let (proof, presigned) = match Authorization::of(parts) {
        Ok(authorization) => (Proof::Symmetric(authorization), None),
        Err(VerifyError::Presigned) => {
            let presigned = in_query()?;
            (Proof::Symmetric(presigned.authorization().map_err(denied)?), Some(presigned))
        }
        Err(VerifyError::SigV4A) => {
            let presigned = if parts.header("authorization").is_none() { Some(in_query()?) } else { None };
            (Proof::Asymmetric(Claim::of(parts, presigned).map_err(denied)?), presigned)
        }
        Err(error) => return Err(denied(error)),
    };
    let (access_key_id, service) = proof.claimed();
    if !same(access_key_id, &placeholder.access_key_id) {
        return Err(Denial::new(DenialCode::UnknownKey, "the access key is not this session's"));
    }
    let path_style = PathStyle::for_service(service);
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
    let payload = match (declared, &body) {
        (Some(declared), _) => declared,
        (None, body) => PayloadHash::of_body(body.as_deref().unwrap_or_default()),
    };
    let token = Some(placeholder.session_token.expose());
    let (access_key_id, secret) = (placeholder.access_key_id.as_str(), placeholder.secret_access_key.expose());
    let (verified, key) = match &proof {
        Proof::Symmetric(authorization) => {
            let key = keys.key(access_key_id, secret, authorization.scope);
            let expected = Expected { access_key_id, key: &key, token, now, payload, path_style };
            let verified = match presigned {
                Some(presigned) => presigned.verify(parts, authorization, &expected),
                None => verify(parts, authorization, &expected),
            };
            (verified, Some(key))
        }
        Proof::Asymmetric(claim) => {
            let pair = Pair::of(access_key_id, secret).ok_or_else(|| denied(VerifyError::Signature))?;
            let signed_by = |message: &[u8], signature: &[u8]| pair.has_signed(message, signature);
            let check = Check { access_key_id, signed_by: &signed_by, token, now, payload, path_style };
            (claim.verify(parts, &check), None)
        }
    };
    Ok(Authenticated { verified: verified.map_err(denied)?, key, path_style, body, anonymous: false })
}

/// What proves who asks.
enum Proof<'a> {
    Symmetric(Authorization<'a>),
    Asymmetric(Claim<'a>),
}

impl<'a> Proof<'a> {
    /// The access key id and the service, as claimed.
    fn claimed(&self) -> (&'a str, &'a str) {
        match self {
            Self::Symmetric(authorization) => (authorization.access_key_id, authorization.scope.service),
            Self::Asymmetric(claim) => (claim.access_key_id, claim.scope.service),
        }
    }
}

/// Compares identifiers in constant time, so that a stranger cannot feel his way to one.
fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
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
