//! One object: get, head, put, copy, delete.

mod copy;
mod head;
mod read;
mod write;

use std::fmt;
use std::ops::RangeInclusive;

use hallpass_core::sigv4::checksum::ChecksumAlgorithm;
use jiff::Timestamp;

use super::call::Call;
use super::flow::Flow;
use crate::error::{S3Error, text};

pub use copy::CopyOptions;
pub(crate) use copy::copy_source;
pub(crate) use head::md5_of_etag;
pub use head::{ObjectHead, Properties};
pub use read::Download;
pub use write::{Deleted, Written};
pub(crate) use write::{header_of, hex_of};

/// Which object.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId {
    /// The bucket.
    pub bucket: String,
    /// The key, byte for byte.
    pub key: String,
    /// One version of it; `None`: the current one.
    pub version: Option<String>,
}

impl ObjectId {
    /// The current version of a key.
    pub fn new(bucket: impl Into<String>, key: impl Into<String>) -> Self {
        Self { bucket: bucket.into(), key: key.into(), version: None }
    }

    /// One version.
    pub fn with_version(self, version: impl Into<String>) -> Self {
        Self { version: Some(version.into()), ..self }
    }

    /// A call for it. An empty key would speak of the bucket.
    pub(crate) fn call(&self, method: http::Method) -> Result<Call<'_>, S3Error> {
        if self.key.is_empty() {
            let bucket = text::cleaned_name(&self.bucket);
            return Err(S3Error::usage_with(
                format!("`{bucket}` is a bucket, and an object is needed"),
                format!("name one, as in `{bucket}/key`"),
            ));
        }
        Ok(Call::new(method, Some(&self.bucket), Some(&self.key)).query_some("versionId", self.version.as_deref()))
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::cleaned_name(&format!("{}/{}", self.bucket, self.key)))
    }
}

/// What to read.
#[derive(Debug, Clone, Default)]
pub struct GetOptions {
    /// Bytes `first..=last`; a last beyond the end is the end. `u64::MAX`: to the end.
    pub range: Option<RangeInclusive<u64>>,
    /// Only while the object has this ETag (with its quotes).
    pub if_match: Option<String>,
    /// Only if it has another.
    pub if_none_match: Option<String>,
    /// Only if it changed since.
    pub if_modified_since: Option<Timestamp>,
    /// Only if it did not.
    pub if_unmodified_since: Option<Timestamp>,
    /// How fast, and who hears of it.
    pub flow: Flow,
}

/// What to write, and how.
#[derive(Debug, Clone, Default)]
pub struct PutOptions {
    /// Content type, cache control, user metadata …
    pub properties: Properties,
    /// Only while the object has this ETag.
    pub if_match: Option<String>,
    /// Only if there is no such object (`If-None-Match: *`).
    pub if_absent: bool,
    /// Content-MD5 as well: buckets with object lock demand it of old stores.
    pub content_md5: bool,
    /// This checksum instead of the client's.
    pub checksum: Option<ChecksumAlgorithm>,
    /// How fast, and who hears of it.
    pub flow: Flow,
}
