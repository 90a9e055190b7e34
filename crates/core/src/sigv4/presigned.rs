//! Signatures in the query: presigned URLs.
//!
//! A presigned request is brought into the form of any other: what proves it leaves the query, and `x-amz-*`
//! parameters, which S3 reads as headers, become headers. So nothing later knows the difference.
//!
//! Source: "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)" (Amazon S3 API Reference).

use std::fmt;

use jiff::Timestamp;

use super::authorization::Authorization;
use super::canonical::path::CanonicalPath;
use super::canonical::{Canonical, query};
use super::error::VerifyError;
use super::payload::PayloadHash;
use super::request::{Parts, PathStyle, is_lower_case_token, printable};
use super::scope::AmzDate;
use super::verify::{Expected, Verified, canonical_headers, check_claim, check_coverage, check_payload};
use super::{ALGORITHM, ASYMMETRIC};
use crate::limits::{PRESIGNED_EXPIRES_S_MAX, SIGNATURE_SKEW_S_MAX};
use crate::secret::Secret;

/// The parameters of the proof itself, in the one spelling that AWS takes.
pub(crate) const PROOF: [&str; 7] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
    "X-Amz-Security-Token",
];

/// The query of a presigned request, read. Parsed is not verified.
pub struct Presigned {
    /// As the `Authorization` header would have it.
    authorization: String,
    at: AmzDate,
    expires_s: i64,
    token: Option<Secret>,
    content_sha256: Option<PayloadHash>,
    /// Everything that is signed: the query without the signature.
    signed: String,
    /// What is left for the operation.
    query: String,
    hoisted: Vec<(String, String)>,
}

impl Presigned {
    /// Reads the query of a request for which [`Authorization::of`] has said [`VerifyError::Presigned`].
    ///
    /// # Errors
    /// [`VerifyError::PresignedQuery`] for a parameter that is missing, malformed or misspelt, or that repeats a header.
    pub fn parse(parts: &Parts<'_>) -> Result<Self, VerifyError> {
        let mut proof: [Option<String>; PROOF.len()] = Default::default();
        let (mut signed, mut rest, mut hoisted) = (Vec::new(), Vec::new(), Vec::new());
        let mut content_sha256 = None;
        for (raw_name, raw_value) in query::pairs(parts.query)? {
            let piece = format!("{raw_name}={raw_value}");
            let name = text(raw_name)?;
            if let Some(place) = PROOF.iter().position(|known| known.eq_ignore_ascii_case(&name)) {
                if PROOF[place] != name {
                    return Err(VerifyError::PresignedQuery("a parameter is misspelt: AWS's spelling is X-Amz-…"));
                }
                proof[place] = Some(text(raw_value)?);
                if name != "X-Amz-Signature" {
                    signed.push(piece);
                }
                continue;
            }
            signed.push(piece.clone());
            if !name.get(..6).is_some_and(|family| family.eq_ignore_ascii_case("x-amz-")) {
                rest.push(piece);
            } else if name.eq_ignore_ascii_case("x-amz-content-sha256") {
                content_sha256 = Some(PayloadHash::parse(text(raw_value)?.as_bytes())?);
            } else {
                hoisted.push(hoist(parts, &name, text(raw_value)?)?);
            }
        }
        if content_sha256.is_some() && parts.header("x-amz-content-sha256").is_some() {
            return Err(VerifyError::PresignedQuery("x-amz-content-sha256 is in the query and a header"));
        }
        let [algorithm, credential, date, expires, signed_headers, signature, token] = proof;
        let need = |value: Option<String>, missing| value.ok_or(VerifyError::PresignedQuery(missing));
        let algorithm = need(algorithm, "X-Amz-Algorithm is missing")?;
        if ![ALGORITHM, ASYMMETRIC].contains(&algorithm.as_str()) {
            return Err(VerifyError::PresignedQuery("X-Amz-Algorithm is not AWS4-HMAC-SHA256"));
        }
        let authorization = format!(
            "{algorithm} Credential={}, SignedHeaders={}, Signature={}",
            need(credential, "X-Amz-Credential is missing")?,
            need(signed_headers, "X-Amz-SignedHeaders is missing")?,
            need(signature, "X-Amz-Signature is missing")?
        );
        let at = AmzDate::parse(need(date, "X-Amz-Date is missing")?.as_bytes()).ok_or(VerifyError::Date)?;
        let expires_s = seconds(&need(expires, "X-Amz-Expires is missing")?).ok_or(VerifyError::PresignedLife)?;
        let (token, signed, query) = (token.map(Secret::new), signed.join("&"), rest.join("&"));
        Ok(Self { authorization, at, expires_s, token, content_sha256, signed, query, hoisted })
    }

    /// Who asks, as far as the query says.
    ///
    /// # Errors
    /// [`VerifyError::Authorization`] when the credential, the names or the signature are malformed.
    pub fn authorization(&self) -> Result<Authorization<'_>, VerifyError> {
        Authorization::parse(self.authorization.as_bytes())
    }

    /// As the `Authorization` header would have it, whatever the algorithm.
    pub(super) fn authorization_text(&self) -> &str {
        &self.authorization
    }

    pub(super) fn at(&self) -> AmzDate {
        self.at
    }

    /// The query without the signature.
    pub(super) fn signed_query(&self) -> &str {
        &self.signed
    }

    /// What is left for the operation.
    pub(super) fn own_query(&self) -> Result<String, VerifyError> {
        query::canonical(&self.query)
    }

    pub(super) fn hoisted(&self) -> &[(String, String)] {
        &self.hoisted
    }

    pub(super) fn hoisted_header(&self, name: &str) -> Option<&str> {
        self.hoisted.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// How the body is covered: S3 leaves it open unless the request says otherwise; every other service signs its
    /// SHA-256 without naming it (`None`).
    ///
    /// # Errors
    /// [`VerifyError::PayloadMode`] for aws-chunked bodies, which need a seed that is sent in a header.
    pub fn payload(&self, parts: &Parts<'_>, style: PathStyle) -> Result<Option<PayloadHash>, VerifyError> {
        let declared = match self.content_sha256 {
            Some(declared) => Some(declared),
            None => PayloadHash::declared(parts)?,
        };
        match declared {
            Some(mode) if mode.chunk_mode().is_some() || mode == PayloadHash::StreamingEvents => {
                Err(VerifyError::PayloadMode(mode.literal()))
            }
            None if style == PathStyle::S3 => Ok(Some(PayloadHash::Unsigned)),
            declared => Ok(declared),
        }
    }

    /// The session token, wherever it was sent.
    pub fn token(&self, parts: &Parts<'_>) -> Option<Secret> {
        let header = || parts.header("x-amz-security-token").map(|t| Secret::new(String::from_utf8_lossy(t)));
        self.token.clone().or_else(header)
    }

    /// Checks a presigned request against the session's key, as [`verify()`](super::verify()) does with a header.
    /// It may come at any time within its own `X-Amz-Expires`, which lies within AWS's bounds.
    ///
    /// # Errors
    /// [`VerifyError`], the first reason found; [`VerifyError::PresignedExpired`] only to who holds the key.
    pub fn verify<'a>(
        &'a self,
        parts: &Parts<'a>,
        authorization: &Authorization<'a>,
        expected: &Expected<'_>,
    ) -> Result<Verified<'a>, VerifyError> {
        check_claim(parts, authorization, expected)?;
        if self.at.date() != authorization.scope.date {
            return Err(VerifyError::ScopeDate);
        }
        let s3 = PathStyle::for_service(authorization.scope.service) == PathStyle::S3;
        check_coverage(parts, authorization.signed_headers, s3)?;
        if parts.header("x-amz-content-sha256").is_some() {
            check_payload(parts, expected.payload, s3)?;
        }
        let path = CanonicalPath::new(parts.path, expected.path_style)?;
        let headers = canonical_headers(parts, authorization.signed_headers)?;
        let signature = Canonical {
            method: parts.method,
            path: path.signed(),
            query: &query::canonical(&self.signed)?,
            headers: &headers,
            signed_headers: authorization.signed_headers.as_str(),
            payload: expected.payload,
        }
        .signature(expected.key, self.at);
        if !signature.matches(&authorization.signature) {
            return Err(VerifyError::Signature);
        }
        self.check_token(parts, expected.token)?;
        self.check_time(expected.now)?;
        Ok(Verified {
            access_key_id: authorization.access_key_id,
            scope: authorization.scope,
            signed_headers: authorization.signed_headers,
            at: self.at,
            payload: expected.payload,
            path: path.sent,
            query: query::canonical(&self.query)?,
            signature,
            hoisted: Some(self.hoisted.clone()),
        })
    }

    /// Neither before its time nor after its life.
    pub(super) fn check_time(&self, now: Timestamp) -> Result<(), VerifyError> {
        let age_s = now.as_second().saturating_sub(self.at.unix_s());
        if age_s < -SIGNATURE_SKEW_S_MAX {
            return Err(VerifyError::Skew(-age_s));
        }
        if age_s >= self.expires_s {
            return Err(VerifyError::PresignedExpired(age_s - self.expires_s));
        }
        Ok(())
    }

    /// In the query or in a header, and not in both.
    pub(super) fn check_token(&self, parts: &Parts<'_>, expected: Option<&str>) -> Result<(), VerifyError> {
        if self.token.is_some() && parts.header("x-amz-security-token").is_some() {
            return Err(VerifyError::Token);
        }
        let sent = self.token(parts);
        if sent == expected.map(Secret::new) { Ok(()) } else { Err(VerifyError::Token) }
    }
}

impl fmt::Debug for Presigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presigned").field("at", &self.at).field("expires_s", &self.expires_s).finish_non_exhaustive()
    }
}

/// A parameter that stands for a header: it may not repeat one.
fn hoist(parts: &Parts<'_>, name: &str, value: String) -> Result<(String, String), VerifyError> {
    let name = name.to_ascii_lowercase();
    if !name.bytes().all(is_lower_case_token) || value.chars().any(char::is_control) {
        return Err(VerifyError::Header(printable(&name)));
    }
    if parts.header(&name).is_some() {
        return Err(VerifyError::PresignedQuery("a parameter repeats a header"));
    }
    Ok((name, value))
}

fn text(raw: &str) -> Result<String, VerifyError> {
    let bytes = query::decode(raw)?.into_owned();
    String::from_utf8(bytes).map_err(|_| VerifyError::PresignedQuery("a parameter is not UTF-8"))
}

fn seconds(text: &str) -> Option<i64> {
    let digits = (1..=6).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let seconds = digits.then(|| text.parse().ok()).flatten()?;
    (1..=PRESIGNED_EXPIRES_S_MAX).contains(&seconds).then_some(seconds)
}
