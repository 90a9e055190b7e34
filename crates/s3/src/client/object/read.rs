//! Get: an object's bytes as a stream.

use http::Method;
use jiff::Timestamp;

use super::{GetOptions, ObjectHead, ObjectId};
use crate::client::call::Call;
use crate::client::{Body, Client};
use crate::error::S3Error;

/// An object on its way.
#[derive(Debug)]
pub struct Download {
    /// What the store says about it.
    pub head: ObjectHead,
    /// Bytes in [`Self::body`].
    pub length: u64,
    /// True when this is the range that was asked for, and not the whole object.
    pub partial: bool,
    /// Its bytes. Not verified: whoever reads to the end compares with [`ObjectHead::checksums`].
    pub body: Body,
}

impl Client {
    /// Reads an object, or a range of it.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `Conflict` when a condition does not hold.
    pub async fn get(&self, object: &ObjectId, options: &GetOptions) -> Result<Download, S3Error> {
        let mut call = options.conditions(object.call(Method::GET)?).flow(&options.flow);
        if let Some(range) = &options.range {
            let (first, last) = (*range.start(), *range.end());
            if first > last {
                return Err(S3Error::usage(format!("the range {first} to {last} holds no byte")));
            }
            call = match last {
                u64::MAX => call.header("range", format!("bytes={first}-")),
                last => call.header("range", format!("bytes={first}-{last}")),
            };
        } else if self.verifies() {
            call = call.header("x-amz-checksum-mode", "ENABLED");
        }
        let reply = self.0.send(&call).await?;
        let head = ObjectHead::of(&reply.headers)?;
        let length = crate::client::reply::text_of(&reply.headers, "content-length");
        let length = length.and_then(|text| text.parse().ok()).unwrap_or(head.size);
        Ok(Download { head, length, partial: reply.status == 206, body: reply.body })
    }
}

impl GetOptions {
    /// Adds the conditions (RFC 9110, 13.1).
    pub(crate) fn conditions<'a>(&self, call: Call<'a>) -> Call<'a> {
        call.header_some("if-match", self.if_match.as_deref())
            .header_some("if-none-match", self.if_none_match.as_deref())
            .header_some("if-modified-since", self.if_modified_since.map(http_date).as_deref())
            .header_some("if-unmodified-since", self.if_unmodified_since.map(http_date).as_deref())
    }
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
