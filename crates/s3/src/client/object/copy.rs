//! Copies inside a store.

use http::Method;

use super::{ObjectId, Properties, Written};
use crate::client::Client;
use crate::client::endpoint::push_escaped;
use crate::error::S3Error;

/// How to copy.
#[derive(Debug, Clone, Default)]
pub struct CopyOptions {
    /// Instead of the source's own (`x-amz-metadata-directive: REPLACE`).
    pub properties: Option<Properties>,
    /// Only while the source has this ETag.
    pub if_match: Option<String>,
}

impl Client {
    /// Copies an object of up to 5 GiB inside the store; larger ones go part by part.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `Conflict` when the source has changed.
    pub async fn copy(&self, from: &ObjectId, to: &ObjectId, options: &CopyOptions) -> Result<Written, S3Error> {
        let call = to.call(Method::PUT)?.inside().header("x-amz-copy-source", copy_source(from));
        let call = call.header_some("x-amz-copy-source-if-match", options.if_match.as_deref());
        let call = match &options.properties {
            None => call,
            Some(properties) => {
                let call = call.header("x-amz-metadata-directive", "REPLACE");
                let call =
                    if properties.tagging.is_some() { call.header("x-amz-tagging-directive", "REPLACE") } else { call };
                properties.tell(call)?
            }
        };
        let answer = self.0.whole(&call).await?;
        let result = answer.document("CopyObjectResult")?;
        let mut written = Written::of(&answer.headers);
        written.etag = result.value("ETag").map(str::to_owned);
        Ok(written)
    }
}

/// `bucket/key?versionId=…`, percent-encoded (Amazon S3 API Reference, CopyObject).
pub(crate) fn copy_source(from: &ObjectId) -> String {
    let mut source = String::with_capacity(from.bucket.len() + from.key.len() + 16);
    source.push('/');
    source.push_str(&from.bucket);
    source.push('/');
    for b in from.key.bytes() {
        if b == b'/' { source.push('/') } else { push_escaped(&mut source, b) }
    }
    if let Some(version) = &from.version {
        source.push_str("?versionId=");
        version.bytes().for_each(|b| push_escaped(&mut source, b));
    }
    source
}
