//! What went wrong between us and a store: its sort decides everything that follows (exit code, retry, renewal), and it
//! comes from the store's error code or HTTP status, never from the words of a message.

pub(crate) mod code;
pub(crate) mod text;

use std::fmt;

/// The sort of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Anything without a sort of its own.
    General,
    /// The request makes no sense: a bad path, name, alias or setting.
    Usage,
    /// Not reached, timed out, or the store failed (5xx).
    Network,
    /// The credentials are wrong, expired or may not do this.
    Auth,
    /// No such alias, bucket, object, version or upload.
    NotFound,
    /// It exists, or a precondition failed.
    Conflict,
    /// The store does not have this feature.
    Unsupported,
    /// The person said stop.
    Interrupted,
}

impl ErrorKind {
    /// The word for `--json`: `network_error`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::General => "general_error",
            Self::Usage => "usage_error",
            Self::Network => "network_error",
            Self::Auth => "auth_error",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Unsupported => "unsupported_feature",
            Self::Interrupted => "interrupted",
        }
    }
}

/// What a store answered, or why it did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The store's own code (`NoSuchBucket`), or ours where it sent none (`connect`, `timeout`).
    pub code: String,
    /// One sentence for people; lower case, no full stop, free of secrets and control characters.
    pub message: String,
    /// HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// True when the same request may succeed a little later.
    pub retryable: bool,
}

/// A failure of the S3 client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum S3Error {
    /// The session token of the named alias has expired or is not accepted any more (`ExpiredToken`, `InvalidToken`,
    /// `TokenRefreshRequired`, `ExpiredTokenException` …). Retrying never helps; renewing does.
    TokenExpired(String),
    /// Everything else that a store answers or that happens on the way to it.
    Store(ErrorKind, Answer),
    /// The caller's own mistake, found before anything was sent: message, and what to do instead.
    Usage {
        /// One sentence.
        message: String,
        /// The next step.
        suggestion: Option<String>,
    },
    /// Refused by us before anything was sent, for a reason with a code of its own (`alias_not_found`).
    Refused {
        /// Sort of failure.
        kind: ErrorKind,
        /// Stable code.
        code: &'static str,
        /// One sentence.
        message: String,
        /// The next step.
        suggestion: Option<String>,
    },
    /// A file on this machine: the path and what the system said.
    Local {
        /// Which file.
        path: String,
        /// What the system said.
        message: String,
        /// Sort of failure.
        kind: ErrorKind,
    },
    /// The bytes that arrived are not the bytes that were promised.
    Integrity(String),
    /// Stopped by a signal; what was half done has been cleaned up.
    Interrupted,
    /// Whoever read what was written to the standard output does not read any more.
    OutputClosed,
}

impl S3Error {
    /// The sort.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::TokenExpired(_) => ErrorKind::Auth,
            Self::Store(kind, _) | Self::Local { kind, .. } | Self::Refused { kind, .. } => *kind,
            Self::Usage { .. } => ErrorKind::Usage,
            Self::Integrity(_) | Self::OutputClosed => ErrorKind::General,
            Self::Interrupted => ErrorKind::Interrupted,
        }
    }

    /// The stable code: the store's own where there is one.
    pub fn code(&self) -> &str {
        match self {
            Self::TokenExpired(_) => "ExpiredToken",
            Self::Store(_, answer) => &answer.code,
            Self::Usage { .. } => "usage",
            Self::Refused { code, .. } => code,
            Self::Local { .. } => "local_file",
            Self::Integrity(_) => "integrity",
            Self::Interrupted => "interrupted",
            Self::OutputClosed => "output_closed",
        }
    }

    /// True when the same request may succeed a little later.
    pub fn retryable(&self) -> bool {
        matches!(self, Self::Store(_, Answer { retryable: true, .. }))
    }

    /// The next step, where the error itself knows one.
    pub fn suggestion(&self) -> Option<&str> {
        match self {
            Self::Usage { suggestion, .. } | Self::Refused { suggestion, .. } => suggestion.as_deref(),
            _ => None,
        }
    }

    /// Refused by us, with a code and the next step.
    pub fn refused(
        kind: ErrorKind,
        code: &'static str,
        message: impl Into<String>,
        suggestion: impl Into<String>,
    ) -> Self {
        Self::Refused { kind, code, message: message.into(), suggestion: Some(suggestion.into()) }
    }

    /// A mistake of the caller.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), suggestion: None }
    }

    /// The same, with the next step.
    pub fn usage_with(message: impl Into<String>, suggestion: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), suggestion: Some(suggestion.into()) }
    }
}

impl fmt::Display for S3Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TokenExpired(alias) => write!(f, "the session token of alias `{alias}` has expired"),
            Self::Store(_, answer) => f.write_str(&answer.message),
            Self::Usage { message, .. } | Self::Refused { message, .. } | Self::Integrity(message) => {
                f.write_str(message)
            }
            Self::Local { path, message, .. } => write!(f, "`{path}`: {message}"),
            Self::Interrupted => f.write_str("interrupted"),
            Self::OutputClosed => f.write_str("nobody reads the output any more"),
        }
    }
}
