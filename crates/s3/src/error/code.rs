//! The codes of S3 stores: what each means, and whether the same request may succeed a little later.
//!
//! Sources: "Error responses" (Amazon S3 API Reference), "Common Errors" (AWS STS API Reference), and what Ceph,
//! MinIO, SeaweedFS and Cloudflare R2 document beyond it.

use super::ErrorKind;

/// What a code says about the credentials that signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing.
    Other,
    /// The session token is over; renewing helps.
    Expired,
    /// The token, or the key that belongs to it, is not known (any more): where a token was sent, it is over.
    Unknown,
    /// The clocks differ.
    Skewed,
}

/// What is known about a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meaning {
    pub(crate) kind: ErrorKind,
    pub(crate) retryable: bool,
    pub(crate) verdict: Verdict,
    /// For people; empty: the store's own words.
    pub(crate) sentence: &'static str,
}

/// The meaning of a code; where the code is not known, of the HTTP status.
pub(crate) fn meaning(code: &str, status: u16) -> Meaning {
    known(code).unwrap_or_else(|| of_status(status))
}

/// The meaning of an answer about a delete marker: of the current version (404), or of the version asked for (405).
pub(crate) fn deleted_object(status: u16) -> Meaning {
    let sentence = match status {
        405 => "this version is a delete marker, and has no bytes",
        _ => "the object is deleted: its newest version is a delete marker",
    };
    plain(ErrorKind::NotFound, sentence)
}

fn known(code: &str) -> Option<Meaning> {
    let (kind, sentence) = match code {
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => {
            return Some(auth("the session token has expired", Verdict::Expired));
        }
        "InvalidToken" | "InvalidTokenId" | "InvalidClientTokenId" | "UnrecognizedClientException" => {
            return Some(auth("the store does not accept the session token", Verdict::Unknown));
        }
        "InvalidAccessKeyId" => return Some(auth("the store does not know the access key", Verdict::Unknown)),
        "RequestTimeTooSkewed" | "RequestInTheFuture" => {
            return Some(auth("this machine's clock and the store's differ too much: set the clock", Verdict::Skewed));
        }
        "RequestExpired" => return Some(auth("the request has expired: check this machine's clock", Verdict::Skewed)),
        "SignatureDoesNotMatch" => {
            return Some(auth("the signature does not match: check the secret key and the region", Verdict::Other));
        }
        "AccessDenied" | "AllAccessDisabled" | "AccessDeniedException" | "Forbidden" | "UnauthorizedAccess" => {
            return Some(auth("access denied", Verdict::Other));
        }
        "InvalidSecurity"
        | "AccountProblem"
        | "NotSignedUp"
        | "InvalidPayer"
        | "MissingSecurityHeader"
        | "CredentialsNotSupported"
        | "AuthorizationHeaderMalformed"
        | "MissingAuthenticationToken" => {
            return Some(auth("", Verdict::Other));
        }
        "NoSuchBucket" => (ErrorKind::NotFound, "the bucket does not exist"),
        "NoSuchKey" | "NotFound" => (ErrorKind::NotFound, "the object does not exist"),
        "NoSuchVersion" => (ErrorKind::NotFound, "the version does not exist"),
        "XMinioAdminNoSuchUser" | "NoSuchUser" => (ErrorKind::NotFound, "the user does not exist"),
        "XMinioAdminNoSuchGroup" | "NoSuchGroup" => (ErrorKind::NotFound, "the group does not exist"),
        "XMinioAdminNoSuchPolicy" | "NoSuchPolicy" => (ErrorKind::NotFound, "the policy does not exist"),
        "XMinioAdminServiceAccountNotFound" | "XMinioAdminNoSuchAccessKey" | "NoSuchServiceAccount" => {
            (ErrorKind::NotFound, "the service account does not exist")
        }
        "XMinioHealNoSuchProcess" | "XMinioHealInvalidClientToken" => {
            (ErrorKind::NotFound, "there is no such healing run")
        }
        "XMinioAdminGroupNotEmpty" => (ErrorKind::Conflict, "the group is not empty"),
        "XMinioAdminPolicyChangeAlreadyApplied" => (ErrorKind::Conflict, "the policies are so already"),
        "XMinioHealAlreadyRunning" | "XMinioHealOverlappingPaths" => {
            (ErrorKind::Conflict, "a healing run is on its way")
        }
        "XMinioHealNotImplemented" => {
            (ErrorKind::Unsupported, "this server has a single drive, and nothing to heal from")
        }
        "NoSuchUpload" => (ErrorKind::NotFound, "the multipart upload does not exist (any more)"),
        "NoSuchTagSet"
        | "NoSuchCORSConfiguration"
        | "NoSuchLifecycleConfiguration"
        | "NoSuchBucketPolicy"
        | "NoSuchWebsiteConfiguration"
        | "NoSuchObjectLockConfiguration"
        | "ObjectLockConfigurationNotFoundError"
        | "ReplicationConfigurationNotFoundError"
        | "ServerSideEncryptionConfigurationNotFoundError"
        | "NoSuchPublicAccessBlockConfiguration"
        | "OwnershipControlsNotFoundError" => (ErrorKind::NotFound, ""),
        "PreconditionFailed" => (ErrorKind::Conflict, "a precondition does not hold: the object has changed"),
        "NotModified" => (ErrorKind::Conflict, "the object has not changed"),
        "BucketAlreadyOwnedByYou" => (ErrorKind::Conflict, "the bucket exists already and is yours"),
        "BucketAlreadyExists" => (ErrorKind::Conflict, "the bucket exists already, and somebody else's name it is"),
        "BucketNotEmpty" => (ErrorKind::Conflict, "the bucket is not empty"),
        "InvalidObjectState" => (ErrorKind::Conflict, "the object is archived: restore it first"),
        "ObjectAlreadyInActiveTierError" | "RestoreAlreadyInProgress" | "InvalidBucketState" | "ObjectLocked" => {
            (ErrorKind::Conflict, "")
        }
        "InvalidRange" => (ErrorKind::General, "the range begins behind the end of the object"),
        "NotImplemented" | "MethodNotAllowed" | "UnsupportedOperation" | "NotSupported" => {
            (ErrorKind::Unsupported, "the store does not have this feature")
        }
        "InvalidBucketName"
        | "KeyTooLongError"
        | "EntityTooLarge"
        | "EntityTooSmall"
        | "InvalidArgument"
        | "InvalidStorageClass"
        | "InvalidTag"
        | "MetadataTooLarge"
        | "TooManyBuckets"
        | "InvalidPart"
        | "InvalidPartOrder"
        | "MalformedXML"
        | "MalformedPolicy"
        | "InvalidRequest"
        | "IllegalLocationConstraintException"
        | "InvalidLocationConstraint"
        | "BadDigest"
        | "InvalidDigest"
        | "XAmzContentSHA256Mismatch"
        | "XAmzContentChecksumMismatch"
        | "IncompleteBody" => {
            return Some(Meaning {
                // The bytes were damaged on the way, or the connection broke: the same request may succeed.
                retryable: matches!(
                    code,
                    "BadDigest" | "XAmzContentSHA256Mismatch" | "XAmzContentChecksumMismatch" | "IncompleteBody"
                ),
                ..plain(ErrorKind::General, "")
            });
        }
        _ => return passing(code),
    };
    Some(plain(kind, sentence))
}

/// What passes by itself.
fn passing(code: &str) -> Option<Meaning> {
    let sentence = match code {
        "SlowDown"
        | "SlowDownRead"
        | "SlowDownWrite"
        | "TooManyRequests"
        | "Throttling"
        | "ThrottlingException"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "BandwidthLimitExceeded" => "the store asks for fewer requests",
        "InternalError" | "InternalServerError" | "InternalFailure" => "the store failed inside",
        "ServiceUnavailable" | "Busy" | "ServerBusy" | "XMinioServerNotInitialized" => "the store is not available now",
        "RequestTimeout" | "RequestTimeoutException" => "the store waited too long for the request",
        "OperationAborted" | "ConditionalRequestConflict" => {
            let sentence = "another request is changing the same thing";
            return Some(Meaning { retryable: true, ..plain(ErrorKind::Conflict, sentence) });
        }
        _ => return None,
    };
    Some(Meaning { retryable: true, ..plain(ErrorKind::Network, sentence) })
}

fn of_status(status: u16) -> Meaning {
    match status {
        401 | 403 => auth("", Verdict::Other),
        404 | 410 => plain(ErrorKind::NotFound, ""),
        304 | 409 | 412 => plain(ErrorKind::Conflict, ""),
        405 | 501 => plain(ErrorKind::Unsupported, ""),
        408 | 425 | 429 | 500 | 502..=599 => Meaning { retryable: true, ..plain(ErrorKind::Network, "") },
        _ => plain(ErrorKind::General, ""),
    }
}

fn plain(kind: ErrorKind, sentence: &'static str) -> Meaning {
    Meaning { kind, retryable: false, verdict: Verdict::Other, sentence }
}

fn auth(sentence: &'static str, verdict: Verdict) -> Meaning {
    Meaning { kind: ErrorKind::Auth, retryable: false, verdict, sentence }
}

/// The code for a status where the store sent none: HEAD has no body, and proxies speak no S3.
pub(crate) fn code_of_status(status: u16, bucket_only: bool) -> &'static str {
    match status {
        301 | 307 | 308 => "PermanentRedirect",
        304 => "NotModified",
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "AccessDenied",
        404 if bucket_only => "NoSuchBucket",
        404 => "NoSuchKey",
        405 => "MethodNotAllowed",
        409 => "Conflict",
        412 => "PreconditionFailed",
        416 => "InvalidRange",
        429 => "TooManyRequests",
        500 => "InternalError",
        501 => "NotImplemented",
        503 => "ServiceUnavailable",
        _ => "UnexpectedAnswer",
    }
}

#[cfg(test)]
mod tests {
    use super::{ErrorKind, Verdict, meaning};

    #[test]
    fn a_range_behind_the_end_is_told_in_words() {
        for code in ["InvalidRange", ""] {
            assert_eq!(meaning(code, 416).kind, ErrorKind::General);
        }
        assert!(meaning("InvalidRange", 416).sentence.contains("behind the end"));
    }

    #[test]
    fn every_code_for_a_token_that_is_over_says_so() {
        for code in ["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"] {
            for status in [400, 401, 403] {
                let meaning = meaning(code, status);
                assert_eq!((meaning.kind, meaning.verdict), (ErrorKind::Auth, Verdict::Expired), "{code}");
                assert!(!meaning.retryable, "{code}");
            }
        }
        for code in ["InvalidToken", "InvalidTokenId", "InvalidClientTokenId", "InvalidAccessKeyId"] {
            assert_eq!(meaning(code, 403).verdict, Verdict::Unknown, "{code}");
        }
    }

    #[test]
    fn only_what_passes_by_itself_is_retryable() {
        for (code, status) in [("SlowDown", 503), ("InternalError", 500), ("", 502), ("", 503), ("", 429)] {
            let meaning = meaning(code, status);
            assert_eq!((meaning.kind, meaning.retryable), (ErrorKind::Network, true), "{code} {status}");
        }
        let no = [("NoSuchBucket", 404), ("AccessDenied", 403), ("RequestExpired", 403), ("PreconditionFailed", 412)];
        for (code, status) in no {
            assert!(!meaning(code, status).retryable, "{code}");
        }
    }

    #[test]
    fn a_code_decides_before_the_status_does() {
        assert_eq!(meaning("NoSuchBucket", 500).kind, ErrorKind::NotFound);
        assert_eq!(meaning("SomethingNew", 404).kind, ErrorKind::NotFound);
        assert_eq!(meaning("SomethingNew", 418).kind, ErrorKind::General);
        assert!(!meaning("NotImplemented", 501).retryable);
    }
}
