//! Every reason to refuse an inbound signature, with the code that the child sees.

use crate::denial::DenialCode;

/// Why a request's authentication was refused. The text is safe to show: it never contains a secret, a token or a
/// signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// Neither an `Authorization` header nor query authentication.
    #[error("the request is not signed: sign it with the session's access key (Signature Version 4)")]
    Anonymous,
    /// Query authentication: to be read with [`Presigned`](super::Presigned).
    #[error("the request is presigned where only an Authorization header is taken: sign with a header")]
    Presigned,
    /// The query of a presigned request does not have the one legal form.
    #[error("the presigned URL is malformed: {0}")]
    PresignedQuery(&'static str),
    /// `X-Amz-Expires` is out of bounds.
    #[error("X-Amz-Expires must be between 1 and {max} seconds", max = crate::limits::PRESIGNED_EXPIRES_S_MAX)]
    PresignedLife,
    /// A presigned URL is used after its time, by so many seconds.
    #[error("the presigned URL expired {0} s ago: make a new one")]
    PresignedExpired(i64),
    /// `Authorization: AWS …` or `AWSAccessKeyId=`.
    #[error("Signature Version 2 is not supported: sign with AWS4-HMAC-SHA256")]
    SigV2,
    /// `AWS4-ECDSA-P256-SHA256`: for [`asymmetric`](super::asymmetric) to read.
    #[error("Signature Version 4A (multi-region) is not taken here: sign with AWS4-HMAC-SHA256")]
    SigV4A,
    /// The regions of an asymmetric signature.
    #[error("X-Amz-Region-Set is missing, or is not a list of regions joined with commas")]
    RegionSet,
    /// `Bearer`, `Basic`, …
    #[error("this authorization scheme is not supported: sign with AWS4-HMAC-SHA256")]
    OtherScheme,
    /// Header and query authentication at once.
    #[error("the request carries an Authorization header and query authentication: send one of them")]
    TwoAuthentications,
    /// The `Authorization` header does not have the one legal form.
    #[error("the Authorization header is malformed: {0}")]
    Authorization(&'static str),
    /// The `Authorization` header is too long.
    #[error("the Authorization header has {0} bytes: at most {max} are read", max = crate::limits::AUTHORIZATION_BYTES_MAX)]
    AuthorizationTooLong(usize),
    /// A header that may be there once is there twice.
    #[error("the header `{0}` occurs more than once: send it once")]
    DuplicateHeader(&'static str),
    /// A header name is not lower case ASCII or a value holds control characters.
    #[error("the header `{0}` is malformed")]
    Header(String),
    /// A query parameter of the `x-amz-` family occurs twice, in any spelling.
    #[error("the query parameter `{0}` occurs more than once: send it once")]
    DuplicateQueryParameter(String),
    /// An `x-amz-` parameter in the query of a header-signed request: some services read it as a header.
    #[error("the query parameter `{0}` belongs to presigned requests: send it as a signed header")]
    AmzQueryParameter(String),
    /// Too many query parameters.
    #[error("the query has more than {max} parameters", max = crate::limits::QUERY_PARAMETERS_MAX)]
    QueryTooLong,
    /// The path cannot be read in exactly one way.
    #[error("the path is ambiguous: {0}")]
    Path(&'static str),
    /// The query cannot be read in exactly one way.
    #[error("the query is ambiguous: {0}")]
    Query(&'static str),
    /// The method is not an HTTP token.
    #[error("the method is malformed: send an HTTP method in upper case")]
    Method,
    /// A header that must be there is not.
    #[error("the header `{0}` is missing: send and sign it")]
    MissingHeader(&'static str),
    /// A header is there and is not covered by the signature.
    #[error("the header `{0}` is not signed: add it to SignedHeaders")]
    NotSigned(String),
    /// `SignedHeaders` names a header that was not sent.
    #[error("SignedHeaders names `{0}`, which the request does not have")]
    SignedHeaderMissing(String),
    /// `x-amz-date` has the wrong form.
    #[error("x-amz-date is malformed: send it as YYYYMMDDTHHMMSSZ")]
    Date,
    /// The scope is of another day than `x-amz-date`.
    #[error("the credential scope is of another day than x-amz-date: sign again")]
    ScopeDate,
    /// The key was derived for another scope: a mistake of the caller, refused all the same.
    #[error("the signing key was derived for another scope: sign again")]
    ScopeKey,
    /// The clocks differ too much. Positive: the request is from the future.
    #[error("the request's time differs from ours by {0} s: set the clock, at most {max} s are allowed", max = crate::limits::SIGNATURE_SKEW_S_MAX)]
    Skew(i64),
    /// The access key id is not the one expected.
    #[error("the access key id is not this session's: use the credentials that the session was given")]
    UnknownKey,
    /// The session token is missing, superfluous or wrong.
    #[error("x-amz-security-token is not this session's: use the credentials that the session was given")]
    Token,
    /// `x-amz-content-sha256` is none of the known values.
    #[error("x-amz-content-sha256 is malformed: send a SHA-256 in lower case hex")]
    PayloadHash,
    /// A payload mode that we recognise and do not serve.
    #[error("the payload mode `{0}` is not supported: send a SHA-256 of the body")]
    PayloadMode(&'static str),
    /// A payload mode that exists only for the S3 family.
    #[error("the payload mode `{0}` is for S3 only: send a SHA-256 of the body")]
    PayloadModeNotS3(&'static str),
    /// The body is not the one that was signed.
    #[error("the body is not the one that was signed: its SHA-256 differs")]
    BodyMismatch,
    /// The signature is wrong.
    #[error(
        "the signature does not match: check that the request was signed with the session's secret key and not changed since"
    )]
    Signature,
}

impl VerifyError {
    /// The stable code of this refusal.
    pub fn code(&self) -> DenialCode {
        match self {
            Self::Anonymous => DenialCode::Unsigned,
            Self::UnknownKey | Self::Token => DenialCode::UnknownKey,
            Self::Skew(_) | Self::PresignedExpired(_) => DenialCode::Skew,
            Self::BodyMismatch => DenialCode::BodyMismatch,
            Self::Signature | Self::NotSigned(_) | Self::ScopeDate | Self::ScopeKey => DenialCode::Signature,
            Self::AuthorizationTooLong(_) | Self::QueryTooLong => DenialCode::TooLarge,
            Self::Presigned
            | Self::PresignedQuery(_)
            | Self::PresignedLife
            | Self::SigV2
            | Self::SigV4A
            | Self::RegionSet
            | Self::OtherScheme
            | Self::TwoAuthentications
            | Self::Authorization(_)
            | Self::DuplicateHeader(_)
            | Self::Header(_)
            | Self::DuplicateQueryParameter(_)
            | Self::AmzQueryParameter(_)
            | Self::Path(_)
            | Self::Query(_)
            | Self::Method
            | Self::MissingHeader(_)
            | Self::SignedHeaderMissing(_)
            | Self::Date
            | Self::PayloadHash
            | Self::PayloadMode(_)
            | Self::PayloadModeNotS3(_) => DenialCode::Malformed,
        }
    }
}
