//! Which error code and status each refusal has in each protocol.

use super::super::Protocol;
use crate::denial::DenialCode;

/// An error as a protocol names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) code: &'static str,
    pub(super) status: u16,
}

/// The families that share a spelling: S3, query, EC2, the JSON names, and the status that REST and CBOR services use.
struct Row {
    s3: (&'static str, u16),
    query: (&'static str, u16),
    ec2: (&'static str, u16),
    json: (&'static str, u16),
    rest_status: u16,
}

const DENIED: Row = Row {
    s3: ("AccessDenied", 403),
    query: ("AccessDenied", 403),
    ec2: ("UnauthorizedOperation", 403),
    json: ("AccessDeniedException", 400),
    rest_status: 403,
};
const EXPIRED: Row = Row {
    s3: ("ExpiredToken", 400),
    query: ("ExpiredToken", 403),
    ec2: ("RequestExpired", 400),
    json: ("ExpiredTokenException", 400),
    rest_status: 403,
};
const UNKNOWN_KEY: Row = Row {
    s3: ("InvalidAccessKeyId", 403),
    query: ("InvalidClientTokenId", 403),
    ec2: ("AuthFailure", 401),
    json: ("UnrecognizedClientException", 400),
    rest_status: 403,
};
const UNSIGNED: Row = Row {
    s3: ("AccessDenied", 403),
    query: ("MissingAuthenticationToken", 403),
    ec2: ("AuthFailure", 401),
    json: ("MissingAuthenticationTokenException", 400),
    rest_status: 403,
};
const SIGNATURE: Row = Row {
    s3: ("SignatureDoesNotMatch", 403),
    query: ("SignatureDoesNotMatch", 403),
    ec2: ("AuthFailure", 401),
    json: ("InvalidSignatureException", 400),
    rest_status: 403,
};
const SKEW: Row = Row { s3: ("RequestTimeTooSkewed", 403), ec2: ("RequestExpired", 400), ..SIGNATURE };
const BODY: Row = Row { s3: ("XAmzContentSHA256Mismatch", 400), ..SIGNATURE };
const MALFORMED: Row = Row {
    s3: ("InvalidRequest", 400),
    query: ("ValidationError", 400),
    ec2: ("InvalidRequest", 400),
    json: ("ValidationException", 400),
    rest_status: 400,
};
const TOO_LARGE: Row = Row { s3: ("EntityTooLarge", 400), ..MALFORMED };
/// A status that no SDK retries: the call may have been carried out.
const OUTCOME_UNKNOWN: Row = Row {
    s3: ("OutcomeUnknown", 400),
    query: ("OutcomeUnknown", 400),
    ec2: ("OutcomeUnknown", 400),
    json: ("OutcomeUnknownException", 400),
    rest_status: 400,
};
const UNAVAILABLE: Row = Row {
    s3: ("ServiceUnavailable", 503),
    query: ("ServiceUnavailable", 503),
    ec2: ("Unavailable", 503),
    json: ("ServiceUnavailableException", 503),
    rest_status: 503,
};

impl Fault {
    pub(super) fn of(code: DenialCode, protocol: Protocol) -> Self {
        // Revoked is told as denied: "expired" would invite SDKs to refresh and try again.
        let row = match code {
            DenialCode::ExplicitDeny
            | DenialCode::NotAllowed
            | DenialCode::Unmapped
            | DenialCode::Unresolved
            | DenialCode::ForeignOrigin
            | DenialCode::Replayed
            | DenialCode::Revoked
            | DenialCode::BudgetExceeded => DENIED,
            DenialCode::Expired => EXPIRED,
            DenialCode::UnknownKey => UNKNOWN_KEY,
            DenialCode::Unsigned => UNSIGNED,
            DenialCode::Signature => SIGNATURE,
            DenialCode::Skew => SKEW,
            DenialCode::BodyMismatch => BODY,
            DenialCode::Malformed => MALFORMED,
            DenialCode::TooLarge => TOO_LARGE,
            DenialCode::AuditUnavailable | DenialCode::CredentialUnavailable | DenialCode::UpstreamUnreachable => {
                UNAVAILABLE
            }
            DenialCode::OutcomeUnknown => OUTCOME_UNKNOWN,
        };
        let (code, status) = match protocol {
            Protocol::S3 => row.s3,
            Protocol::Query | Protocol::RestXml => row.query,
            Protocol::Ec2 => row.ec2,
            Protocol::Json10 | Protocol::Json11 => row.json,
            Protocol::RestJson | Protocol::RpcV2Cbor => (row.json.0, row.rest_status),
        };
        Self { code, status }
    }

    /// Whose fault it is, as the query protocol says it.
    pub(super) fn side(&self) -> &'static str {
        if self.status >= 500 { "Receiver" } else { "Sender" }
    }
}
