//! Inbound: does the signature cover exactly this request, and was it made with this session's key?

use std::fmt;

use jiff::Timestamp;
use subtle::ConstantTimeEq;

use super::authorization::{Authorization, SignedHeaders};
use super::canonical::path::CanonicalPath;
use super::canonical::{Canonical, check_method, query, write_header};
use super::error::VerifyError;
use super::key::{Signature, SigningKey};
use super::payload::PayloadHash;
use super::request::{Parts, PathStyle, printable, refuse_duplicates};
use super::scope::{AmzDate, Scope};
use crate::limits::SIGNATURE_SKEW_S_MAX;

/// What a request is checked against.
#[derive(Clone, Copy)]
pub struct Expected<'a> {
    /// The session's access key id. It is not covered by the signature, so it is compared here.
    pub access_key_id: &'a str,
    /// The session's key, derived for the scope of the request's [`Authorization`].
    pub key: &'a SigningKey,
    /// The session token that must be sent and signed; `None`: none may be sent.
    pub token: Option<&'a str>,
    /// Our time.
    pub now: Timestamp,
    /// How the body is covered: what `x-amz-content-sha256` declares, or the hash of the buffered body.
    pub payload: PayloadHash,
    /// How the service makes its canonical path.
    pub path_style: PathStyle,
}

impl fmt::Debug for Expected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expected").field("key", self.key).field("now", &self.now).finish_non_exhaustive()
    }
}

/// A request whose signature is right. Decide from [`Self::path`] and [`Self::query`]: they are what was signed and
/// what will be sent.
#[derive(Debug, Clone)]
pub struct Verified<'a> {
    /// The access key id that signed.
    pub access_key_id: &'a str,
    /// The scope that was signed.
    pub scope: Scope<'a>,
    /// The headers that are covered. Every other header of the request is unauthenticated.
    pub signed_headers: SignedHeaders<'a>,
    /// The time of signing.
    pub at: AmzDate,
    /// How the body is covered. [`PayloadHash::Sha256`] is still to be checked against the bytes when they stream.
    pub payload: PayloadHash,
    /// The path in the form that is sent.
    pub path: String,
    /// The canonical query, without the `?`.
    pub query: String,
    /// The signature: the seed of signed chunks. Of an asymmetric one the hash of what was signed; of none, zeros.
    pub signature: Signature,
    /// For a presigned request the headers that it carries in its query, names in lower case.
    pub hoisted: Option<Vec<(String, String)>>,
}

impl<'a> Verified<'a> {
    /// A request that makes no claim, from someone who is known otherwise: read in one way only, like every other.
    ///
    /// # Errors
    /// [`VerifyError`] when it could be read in two ways.
    pub fn unsigned(
        parts: &Parts<'a>,
        scope: Scope<'a>,
        path_style: PathStyle,
        now: Timestamp,
    ) -> Result<Self, VerifyError> {
        refuse_duplicates(parts.headers)?;
        check_method(parts.method)?;
        Ok(Self {
            access_key_id: "",
            scope,
            signed_headers: SignedHeaders::UNSIGNED_CALL,
            at: AmzDate::at(now).ok_or(VerifyError::Date)?,
            payload: PayloadHash::Unsigned,
            path: CanonicalPath::new(parts.path, path_style)?.sent,
            query: query::canonical(parts.query)?,
            signature: Signature::of_digest([0; 32]),
            hoisted: None,
        })
    }
}

/// Checks a request against the session's key. Nothing about the request may be believed before this has said yes.
///
/// Checked: no duplicated header; the access key id; the key is for this scope; the scope's day is the day of `x-amz-date`; the clock
/// (± [`SIGNATURE_SKEW_S_MAX`]); the session token; `host`, every `x-amz-*` and, outside S3, `content-type` are
/// signed; the payload mode; the signature, in constant time.
///
/// # Errors
/// [`VerifyError`], the first reason found. A wrong signature is reported before a wrong token or clock, so that only
/// who holds the key learns about those.
pub fn verify<'a>(
    parts: &Parts<'a>,
    authorization: &Authorization<'a>,
    expected: &Expected<'_>,
) -> Result<Verified<'a>, VerifyError> {
    check_claim(parts, authorization, expected)?;
    let at = parts.header("x-amz-date").ok_or(VerifyError::MissingHeader("x-amz-date"))?;
    let at = AmzDate::parse(at).ok_or(VerifyError::Date)?;
    if at.date() != authorization.scope.date {
        return Err(VerifyError::ScopeDate);
    }
    let s3 = PathStyle::for_service(authorization.scope.service) == PathStyle::S3;
    check_coverage(parts, authorization.signed_headers, s3)?;
    check_payload(parts, expected.payload, s3)?;
    let path = CanonicalPath::new(parts.path, expected.path_style)?;
    let query = query::canonical(parts.query)?;
    let headers = canonical_headers(parts, authorization.signed_headers)?;
    let signature = Canonical {
        method: parts.method,
        path: path.signed(),
        query: &query,
        headers: &headers,
        signed_headers: authorization.signed_headers.as_str(),
        payload: expected.payload,
    }
    .signature(expected.key, at);
    if !signature.matches(&authorization.signature) {
        return Err(VerifyError::Signature);
    }
    check_token(parts, expected.token)?;
    let ahead_s = at.unix_s().saturating_sub(expected.now.as_second());
    if ahead_s.abs() > SIGNATURE_SKEW_S_MAX {
        return Err(VerifyError::Skew(ahead_s));
    }
    Ok(Verified {
        access_key_id: authorization.access_key_id,
        scope: authorization.scope,
        signed_headers: authorization.signed_headers,
        at,
        payload: expected.payload,
        path: path.sent,
        query,
        signature,
        hoisted: None,
    })
}

/// What can be said before anything is computed: one reading only, our key, and a scope that is this key's.
pub(super) fn check_claim(
    parts: &Parts<'_>,
    authorization: &Authorization<'_>,
    expected: &Expected<'_>,
) -> Result<(), VerifyError> {
    refuse_duplicates(parts.headers)?;
    check_method(parts.method)?;
    if authorization.access_key_id != expected.access_key_id {
        return Err(VerifyError::UnknownKey);
    }
    if !authorization.scope.is_written_as(expected.key.scope()) {
        return Err(VerifyError::ScopeKey);
    }
    Ok(())
}

/// `host` and every `x-amz-*` must be signed; outside S3 the `content-type` chooses the parser, so it must be too.
pub(super) fn check_coverage(parts: &Parts<'_>, signed: SignedHeaders<'_>, s3: bool) -> Result<(), VerifyError> {
    if parts.header("host").is_none() {
        return Err(VerifyError::MissingHeader("host"));
    }
    for (name, _) in parts.headers {
        let must = *name == "host" || name.starts_with("x-amz-") || (*name == "content-type" && !s3);
        if must && !signed.contains(name) {
            return Err(VerifyError::NotSigned(printable(name)));
        }
    }
    Ok(())
}

/// The declared payload is the expected one, and its mode exists for the service.
pub(super) fn check_payload(parts: &Parts<'_>, expected: PayloadHash, s3: bool) -> Result<(), VerifyError> {
    match (PayloadHash::declared(parts)?, expected) {
        (None, PayloadHash::Sha256(_)) if !s3 => Ok(()),
        (None, _) => Err(VerifyError::MissingHeader("x-amz-content-sha256")),
        (Some(declared), expected) if declared != expected => Err(VerifyError::BodyMismatch),
        (Some(PayloadHash::Sha256(_)), _) => Ok(()),
        (Some(mode @ PayloadHash::StreamingEvents), _) if s3 => Err(VerifyError::PayloadMode(mode.literal())),
        (Some(PayloadHash::StreamingEvents), _) => Ok(()),
        (Some(mode), _) if !s3 => Err(VerifyError::PayloadModeNotS3(mode.literal())),
        (Some(_), _) => Ok(()),
    }
}

pub(super) fn canonical_headers(parts: &Parts<'_>, signed: SignedHeaders<'_>) -> Result<Vec<u8>, VerifyError> {
    let mut out = Vec::with_capacity(1_024);
    for name in signed.names() {
        let mut values = parts.headers.iter().filter(|(n, _)| *n == name).map(|(_, value)| *value).peekable();
        if values.peek().is_none() {
            return Err(VerifyError::SignedHeaderMissing(printable(name)));
        }
        write_header(&mut out, name, values);
    }
    Ok(out)
}

/// Compared in constant time, and compared with nothing when none is sent, so that both take the same path.
pub(super) fn check_token(parts: &Parts<'_>, expected: Option<&str>) -> Result<(), VerifyError> {
    let sent = parts.header("x-amz-security-token");
    let same = sent.unwrap_or_default().ct_eq(expected.unwrap_or_default().as_bytes());
    if bool::from(same) && sent.is_some() == expected.is_some() { Ok(()) } else { Err(VerifyError::Token) }
}
