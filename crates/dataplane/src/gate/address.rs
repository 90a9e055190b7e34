//! By which name a request was addressed, and what that name says about it.
//!
//! The name never chooses where a request goes: it may only agree with what was signed.

use hallpass_core::denial::{Denial, DenialCode};
use hallpass_core::resolve::catalog::Variant;
use hallpass_core::resolve::host::AwsHost;
use hallpass_core::resolve::{Resolved, is_s3_control};
use hallpass_core::secret::Secret;
use hallpass_core::sigv4::{Scope, Verified};

/// The name of the request's `Host`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// This gate, by the address that the child was given.
    Gate,
    /// A bucket of this gate: `bucket.localhost`, `bucket.s3.localhost`.
    Bucket(String),
    /// An AWS host, through the proxy.
    Aws(AwsHost),
}

impl Address {
    /// The AWS host, where one was named.
    pub(super) fn aws(&self) -> Option<&AwsHost> {
        match self {
            Self::Aws(host) => Some(host),
            Self::Gate | Self::Bucket(_) => None,
        }
    }

    /// What was signed must be for the host that was named.
    ///
    /// # Errors
    /// [`DenialCode::ForeignOrigin`] when it is for another one.
    pub(super) fn check_scope(&self, scope: Scope<'_>) -> Result<(), Denial> {
        match self {
            Self::Gate => Ok(()),
            Self::Bucket(_) if ["s3", "s3express"].contains(&scope.service) => Ok(()),
            Self::Bucket(_) => Err(foreign("the host names a bucket, but the request is not signed for s3".to_owned())),
            Self::Aws(host) if host.takes(scope.service, scope.region) => Ok(()),
            Self::Aws(host) => {
                let signing = host.signing.join("` or `");
                Err(foreign(format!(
                    "the host is of `{signing}` in `{}`, but the request is signed for `{}` in `{}`",
                    host.region, scope.service, scope.region
                )))
            }
        }
    }

    /// Which of a region's endpoints was named; the gate stands for the plain one.
    pub(super) fn variant(&self) -> Variant {
        match self {
            Self::Gate | Self::Bucket(_) => Variant::default(),
            Self::Aws(host) => host.variant,
        }
    }

    /// One API may share its signing name with others: the operation must be one of the host's.
    ///
    /// # Errors
    /// [`DenialCode::ForeignOrigin`] when it is not.
    pub(super) fn check_operation(&self, resolved: &Resolved) -> Result<(), Denial> {
        match self {
            Self::Aws(host) if !host.serves(resolved) => {
                let why = format!("`{}` of `{}` is not served by this host", resolved.operation, resolved.endpoint);
                Err(foreign(why))
            }
            Self::Gate | Self::Bucket(_) | Self::Aws(_) => Ok(()),
        }
    }

    /// Brings a verified request into the one form that is resolved and sent on: without the session's secret
    /// `prefix`, and S3 in path style.
    pub(super) fn rewrite(&self, prefix: &Secret, verified: &mut Verified<'_>) {
        if *self == Self::Gate
            && let Some(rest) = verified.path.strip_prefix(prefix.expose())
            && (rest.is_empty() || rest.starts_with('/'))
        {
            verified.path = if rest.is_empty() { "/".to_owned() } else { rest.to_owned() };
        }
        let bucket = match self {
            Self::Gate => None,
            // SDKs put the account before the endpoint of S3 Control, as they put buckets before that of S3.
            Self::Bucket(account) if is_account(account) && is_s3_control(&verified.path) => None,
            Self::Bucket(bucket) => Some(bucket.as_str()),
            Self::Aws(host) => host.bucket.as_deref(),
        };
        if let Some(bucket) = bucket {
            let key = if verified.path == "/" { "" } else { verified.path.as_str() };
            verified.path = format!("/{bucket}{key}");
        }
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

fn foreign(why: String) -> Denial {
    Denial::new(DenialCode::ForeignOrigin, why)
}
