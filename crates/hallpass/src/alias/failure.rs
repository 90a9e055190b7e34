//! What went wrong in the S3 client, as the failure of a command. The sort comes from the error's kind, never from the
//! words of its text.

use hallpass_s3::error::{ErrorKind as Sort, S3Error};

use crate::error::{CommandError, ErrorKind};

/// The failure, with the store's own code and the next step.
pub(crate) fn of(error: S3Error) -> CommandError {
    let kind = match error.kind() {
        // As with any command whose reader goes away.
        Sort::General if matches!(error, S3Error::OutputClosed) => ErrorKind::BrokenPipe,
        Sort::General => ErrorKind::General,
        Sort::Usage => ErrorKind::Usage,
        Sort::Network => ErrorKind::Network,
        Sort::Auth => ErrorKind::Auth,
        Sort::NotFound => ErrorKind::NotFound,
        Sort::Conflict => ErrorKind::Conflict,
        Sort::Unsupported => ErrorKind::Unsupported,
        Sort::Interrupted => ErrorKind::Interrupted,
    };
    let failure = CommandError::new(kind, "s3", error.to_string()).said_by_store(error.code(), error.retryable());
    match next_step(&error) {
        Some(step) => failure.next(step),
        None => failure,
    }
}

/// What to do next; by code where the store's code says more than its sort.
pub(crate) fn next_step(error: &S3Error) -> Option<String> {
    if let Some(step) = error.suggestion() {
        return Some(step.to_owned());
    }
    let step = match (error.kind(), error.code()) {
        (_, "RequestTimeTooSkewed") => {
            "set this machine's clock: it differs from the store's by more than the store allows"
        }
        (_, "ExpiredToken" | "InvalidToken") => {
            "get new temporary keys, then set the alias again with `hallpass alias set` and `--session-token`"
        }
        (_, "InvalidAccessKeyId" | "SignatureDoesNotMatch") => {
            "check the keys, then set the alias again with `hallpass alias set`"
        }
        (_, "NoSuchBucket") => "`hallpass s3 ls` of the alias shows its buckets",
        (_, "NoSuchKey") => "`hallpass s3 ls` shows what is there",
        (_, "AccessDenied") => "these keys may not do this: ask for the permission, or use another alias",
        (Sort::Auth, _) => "check the alias with `hallpass alias test`",
        (Sort::Network, "InternalError" | "InternalServerError" | "InternalFailure") => {
            "try again later; the store's own log says why"
        }
        (Sort::Network, "SlowDown" | "ServiceUnavailable" | "TooManyRequests") => "try again later",
        (Sort::Network, _) => "check the network and the endpoint, then try again",
        _ => return None,
    };
    Some(step.to_owned())
}

#[cfg(test)]
mod tests {
    use hallpass_s3::error::{Answer, ErrorKind as Sort, S3Error};
    use serde_json::Value;

    use super::of;

    #[test]
    fn the_exit_code_and_the_words_come_from_the_kind_and_never_from_the_text() {
        let table = [
            (Sort::General, 1, "general_error"),
            (Sort::Usage, 2, "usage_error"),
            (Sort::Network, 3, "network_error"),
            (Sort::Auth, 4, "auth_error"),
            (Sort::NotFound, 5, "not_found"),
            (Sort::Conflict, 6, "conflict"),
            (Sort::Unsupported, 7, "unsupported_feature"),
            (Sort::Interrupted, 130, "interrupted"),
        ];
        for (sort, code, word) in table {
            let answer = Answer {
                code: "TheirCode".to_owned(),
                // Words of other sorts must not matter.
                message: "not found, access denied, timeout, expired token".to_owned(),
                status: Some(400),
                retryable: sort == Sort::Network,
            };
            let failure = of(S3Error::Store(sort, answer)).in_family("s3_ls");
            assert_eq!(failure.exit_status().code(), code, "{sort:?}");
            let json: Value = serde_json::from_str(&failure.to_json()).expect("JSON");
            assert_eq!((json["type"].as_str(), json["status"].as_str()), (Some("s3_ls"), Some("error")));
            let error = &json["error"];
            assert_eq!((error["type"].as_str(), error["code"].as_str()), (Some(word), Some("TheirCode")));
            assert_eq!(error["retryable"], sort == Sort::Network);
            assert_eq!(sort.as_str(), word);
        }
        assert_eq!(of(S3Error::TokenExpired("m".to_owned())).exit_status().code(), 4);
    }
}
