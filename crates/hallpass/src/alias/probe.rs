//! Tries an alias out.

use hallpass_s3::error::S3Error;
use jiff::Timestamp;

use super::credentials::Ready;
use crate::command::Context;
use crate::error::CommandError;

/// What is known about an alias afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Probed {
    /// There is something to sign with, until then if that is known.
    Keys(Option<Timestamp>),
    /// Requests are not signed.
    Anonymous,
}

/// Asks for the credentials. The store itself is not asked; whoever shows the result says so.
///
/// # Errors
/// The outer: no runtime. The inner: there is nothing that could sign.
pub(crate) fn probe(ready: &Ready) -> Result<Result<Probed, S3Error>, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let current = runtime.block_on(ready.credentials.current());
    Ok(current.map(|keys| keys.map_or(Probed::Anonymous, |keys| Probed::Keys(keys.expires_at))))
}

/// True when keys have ended by this machine's clock.
pub(crate) fn has_ended(context: &Context, probed: &Probed) -> bool {
    matches!(probed, Probed::Keys(Some(at)) if *at <= context.now())
}
