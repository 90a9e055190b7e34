//! Tries an alias out: is there something to sign with, and does the store accept it?

use hallpass_s3::client::Client;
use hallpass_s3::error::{ErrorKind, S3Error};
use jiff::Timestamp;

use super::credentials::Ready;
use crate::command::Context;
use crate::command::s3::client_options;
use crate::error::CommandError;

/// What is known about an alias afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Probed {
    /// What signs.
    pub(crate) keys: Keys,
    /// What the store said.
    pub(crate) store: StoreSays,
}

/// What signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Keys {
    /// Keys, until then if that is known.
    Found(Option<Timestamp>),
    /// Requests are not signed.
    NotNeeded,
}

/// What a store says to "list the buckets", which every identity may ask and few may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreSays {
    /// It listed them.
    Listed,
    /// It knows who asks, and forbids this.
    MayNotList,
    /// It has no such list.
    NoList,
}

impl StoreSays {
    /// The word for `--json`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Listed => "listed",
            Self::MayNotList => "may_not_list",
            Self::NoList => "no_list",
        }
    }

    /// For people.
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::Listed => "answers",
            Self::MayNotList => "answers; it does not let you list buckets",
            Self::NoList => "answers; it has no list of buckets",
        }
    }
}

/// Asks for the credentials, then the store: for the names of all buckets.
///
/// # Errors
/// The outer: no runtime. The inner: nothing could sign, the store is out of reach, or it refuses the keys.
pub(crate) fn probe(context: &Context, ready: &Ready) -> Result<Result<Probed, S3Error>, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(async {
        let keys = match ready.credentials.current().await? {
            Some(keys) => Keys::Found(keys.expires_at),
            None => Keys::NotNeeded,
        };
        let client = Client::new(&ready.alias, ready.credentials.clone(), client_options(context.clock())?)?;
        let store = match client.list_buckets().await {
            Ok(_) => StoreSays::Listed,
            Err(error) => said(&keys, error)?,
        };
        Ok(Probed { keys, store })
    }))
}

/// A refusal that proves the keys, or the refusal itself.
fn said(keys: &Keys, error: S3Error) -> Result<StoreSays, S3Error> {
    match (error.kind(), error.code()) {
        // Only who is known is told what he may not do. Who comes without keys is told so by every store.
        (ErrorKind::Auth, "AccessDenied" | "AccessDeniedException") => Ok(StoreSays::MayNotList),
        (ErrorKind::Auth, _) if *keys == Keys::NotNeeded => Ok(StoreSays::MayNotList),
        (ErrorKind::Unsupported, _) => Ok(StoreSays::NoList),
        (ErrorKind::NotFound, _) if *keys == Keys::NotNeeded => Ok(StoreSays::NoList),
        _ => Err(error),
    }
}

/// True when keys have ended by this machine's clock.
pub(crate) fn has_ended(context: &Context, expires_at: Option<Timestamp>) -> bool {
    expires_at.is_some_and(|at| at <= context.now())
}

#[cfg(test)]
mod tests {
    use hallpass_s3::error::{Answer, ErrorKind, S3Error};

    use super::{Keys, StoreSays, said};

    fn refusal(kind: ErrorKind, code: &str) -> S3Error {
        let (code, message) = (code.to_owned(), String::new());
        S3Error::Store(kind, Answer { code, message, status: Some(403), retryable: false })
    }

    #[test]
    fn access_denied_proves_keys_and_nothing_else_that_is_refused_does() {
        let keys = Keys::Found(None);
        let denied = said(&keys, refusal(ErrorKind::Auth, "AccessDenied"));
        assert_eq!(denied, Ok(StoreSays::MayNotList));
        for (kind, code) in [
            (ErrorKind::Auth, "InvalidAccessKeyId"),
            (ErrorKind::Auth, "SignatureDoesNotMatch"),
            (ErrorKind::Auth, "Unauthorized"),
            (ErrorKind::NotFound, "NoSuchKey"),
            (ErrorKind::Network, "connect"),
            (ErrorKind::General, "UnexpectedAnswer"),
        ] {
            assert!(said(&keys, refusal(kind, code)).is_err(), "{code}");
        }
        assert!(said(&keys, S3Error::TokenExpired("a".to_owned())).is_err());
        assert_eq!(said(&keys, refusal(ErrorKind::Unsupported, "NotImplemented")), Ok(StoreSays::NoList));
    }

    #[test]
    fn without_keys_a_store_need_only_be_there() {
        for (kind, code) in [(ErrorKind::Auth, "Unauthorized"), (ErrorKind::NotFound, "NoSuchKey")] {
            assert!(said(&Keys::NotNeeded, refusal(kind, code)).is_ok(), "{code}");
        }
        assert!(said(&Keys::NotNeeded, refusal(ErrorKind::Network, "connect")).is_err());
    }
}
