//! Outbound: the headers to add, and the path and query that must be sent.

use std::fmt;

use super::ALGORITHM;
use super::canonical::path::CanonicalPath;
use super::canonical::{Canonical, check_method, query, write_header};
use super::error::VerifyError;
use super::key::{Signature, SigningKey};
use super::payload::PayloadHash;
use super::request::{Parts, PathStyle, refuse_duplicates};
use super::scope::AmzDate;

/// Headers that a proxy or the connection may change: never signed (the exclusions that the AWS SDKs share).
const NEVER_SIGNED: [&str; 11] = [
    "connection",
    "expect",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-amzn-trace-id",
];

/// Headers that [`sign()`] makes itself.
pub(super) const MADE_HERE: [&str; 4] = ["authorization", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"];

/// Who signs, when and how.
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    /// The access key id.
    pub access_key_id: &'a str,
    /// The key derived for the day of `at`, the region and the service.
    pub key: &'a SigningKey,
    /// The session token of a temporary credential.
    pub token: Option<&'a str>,
    /// The time of signing.
    pub at: AmzDate,
    /// How the body is covered.
    pub payload: PayloadHash,
    /// Whether `x-amz-content-sha256` is sent: S3 demands it, most services do not care. Every mode that is not a
    /// SHA-256 sends it in any case.
    pub send_content_sha256: bool,
    /// How the service makes its canonical path.
    pub path_style: PathStyle,
}

impl fmt::Debug for Signer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("key", self.key).field("at", &self.at).finish_non_exhaustive()
    }
}

/// A signed request: send exactly [`Self::path`], [`Self::query`], the headers that were given and
/// [`Self::headers`].
#[derive(Clone)]
pub struct Signed {
    /// The path to send.
    pub path: String,
    /// The query to send, without the `?`.
    pub query: String,
    /// `authorization`.
    pub authorization: String,
    /// `x-amz-date`.
    pub at: AmzDate,
    /// `x-amz-security-token`.
    pub token: Option<String>,
    /// `x-amz-content-sha256`.
    pub content_sha256: Option<String>,
    /// `x-amz-region-set`, of an asymmetric signature.
    pub region_set: Option<String>,
    /// The signature: the seed of signed chunks.
    pub signature: Signature,
}

impl Signed {
    /// The headers to add, names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            Some(("authorization", self.authorization.as_str())),
            Some(("x-amz-date", self.at.as_str())),
            self.token.as_deref().map(|token| ("x-amz-security-token", token)),
            self.content_sha256.as_deref().map(|hash| ("x-amz-content-sha256", hash)),
            self.region_set.as_deref().map(|set| ("x-amz-region-set", set)),
        ]
        .into_iter()
        .flatten()
    }
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed").field("path", &self.path).field("at", &self.at).finish_non_exhaustive()
    }
}

/// Why a request could not be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The request cannot be put in canonical form.
    #[error(transparent)]
    Request(#[from] VerifyError),
    /// A header that signing makes is already there.
    #[error("the header `{0}` is made by signing: leave it out")]
    MadeHere(&'static str),
    /// The key is for another day than the time of signing.
    #[error("the signing key is for another day than {0}: derive it for that day")]
    KeyOfAnotherDay(AmzDate),
    /// The key does not sign.
    #[error("the signing key cannot sign")]
    Key,
    /// A presigned URL cannot live so long, seconds.
    #[error("a presigned URL cannot live {0} s: at least 1, at most {max}", max = crate::limits::PRESIGNED_EXPIRES_S_MAX)]
    Life(i64),
}

/// The canonical headers and their names: all that are given, except those that a connection may change.
pub(super) fn covered(mut headers: Vec<(&str, &[u8])>) -> Result<(Vec<u8>, String), VerifyError> {
    refuse_duplicates(&headers)?;
    headers.retain(|(name, _)| !NEVER_SIGNED.contains(name));
    headers.sort_by_key(|(name, _)| *name);
    let mut lines = Vec::with_capacity(1_024);
    let mut signed_headers = String::with_capacity(256);
    for same in headers.chunk_by(|(a, _), (b, _)| a == b) {
        let name = same[0].0;
        write_header(&mut lines, name, same.iter().map(|(_, value)| *value));
        if !signed_headers.is_empty() {
            signed_headers.push(';');
        }
        signed_headers.push_str(name);
    }
    Ok((lines, signed_headers))
}

/// Signs a request that is about to be sent. Every header given is signed, except those that a connection may change.
///
/// # Errors
/// [`SignError`], when the request is ambiguous (the same rules as for verifying) or the key does not fit the time.
pub fn sign(parts: &Parts<'_>, signer: &Signer<'_>) -> Result<Signed, SignError> {
    check_method(parts.method)?;
    if let Some(made) = MADE_HERE.iter().find(|made| parts.header(made).is_some()) {
        return Err(SignError::MadeHere(made));
    }
    if parts.header("host").is_none() {
        return Err(VerifyError::MissingHeader("host").into());
    }
    if signer.key.scope().get(..8) != Some(signer.at.date()) {
        return Err(SignError::KeyOfAnotherDay(signer.at));
    }
    let path = CanonicalPath::new(parts.path, signer.path_style)?;
    let query = query::canonical(parts.query)?;
    let hashed = matches!(signer.payload, PayloadHash::Sha256(_));
    let content_sha256 = (signer.send_content_sha256 || !hashed).then(|| signer.payload.text());

    let mut headers: Vec<(&str, &[u8])> = Vec::with_capacity(parts.headers.len() + 3);
    headers.extend(parts.headers);
    headers.push(("x-amz-date", signer.at.as_str().as_bytes()));
    headers.extend(content_sha256.as_deref().map(|hash| ("x-amz-content-sha256", hash.as_bytes())));
    headers.extend(signer.token.map(|token| ("x-amz-security-token", token.as_bytes())));
    let (lines, signed_headers) = covered(headers)?;
    let signature = Canonical {
        method: parts.method,
        path: path.signed(),
        query: &query,
        headers: &lines,
        signed_headers: &signed_headers,
        payload: signer.payload,
    }
    .signature(signer.key, signer.at);
    let authorization = format!(
        "{ALGORITHM} Credential={}/{}, SignedHeaders={signed_headers}, Signature={}",
        signer.access_key_id,
        signer.key.scope(),
        signature.as_str()
    );
    Ok(Signed {
        path: path.sent,
        query,
        authorization,
        at: signer.at,
        token: signer.token.map(str::to_owned),
        content_sha256,
        region_set: None,
        signature,
    })
}
