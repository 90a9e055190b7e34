//! The SDK's errors, translated once.

use std::error::Error;
use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use hallpass_core::provider::ProviderError;
use jiff::Timestamp;

/// An SDK call that failed: a refusal carries the service's code and message, everything else is "unreachable".
pub(crate) fn translate<E>(operation: &str, endpoint: &str, error: &E) -> ProviderError
where
    E: ProvideErrorMetadata + Error,
{
    match error.code() {
        Some(code) => ProviderError::Refused {
            operation: operation.to_owned(),
            code: code.to_owned(),
            message: error.message().unwrap_or("no message").to_owned(),
        },
        None => ProviderError::Unreachable {
            operation: operation.to_owned(),
            endpoint: endpoint.to_owned(),
            detail: chain_of(error),
        },
    }
}

/// An error with all its causes, on one line.
pub(crate) fn chain_of(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        // `write!` to a String cannot fail.
        let _ = write!(text, ": {inner}");
        cause = inner.source();
    }
    // What a program of the user's wrote on stderr may be among it, with line ends.
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The SDK's time as ours; past our range it is the end of time.
pub(crate) fn timestamp(time: SystemTime) -> Timestamp {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros())
        .ok()
        .and_then(|micros| Timestamp::from_microsecond(micros).ok())
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::chain_of;

    #[test]
    fn what_a_program_wrote_over_several_lines_is_told_on_one() {
        let error = std::io::Error::other("exited with 127. Stderr: sh: 1:\n\tno such program\n");
        assert_eq!(chain_of(&error), "exited with 127. Stderr: sh: 1: no such program");
    }
}
