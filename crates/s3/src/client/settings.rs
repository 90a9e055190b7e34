//! What is set on a bucket or an object beside its bytes: one document each way, over the same signing, retrying and
//! error reading as everything else.
//!
//! | file | what it knows |
//! |---|---|
//! | `versioning` | whether old versions are kept |
//! | `tags` | tags of buckets and objects |
//! | `lock` | retention and legal holds |
//! | `documents` | CORS, lifecycle: their XML as a tree; policies: their JSON |

mod document;
mod lock;
mod tags;
mod versioning;

pub use document::Setting;
pub use lock::{DefaultRetention, ObjectLock, Retention, RetentionMode};
pub use tags::{Tags, check_tags};
pub use versioning::Versioning;

use http::Method;

use super::call::Call;
use super::object::ObjectId;
use super::{Inner, Payload};
use crate::error::{ErrorKind, S3Error};
use hallpass_core::sigv4::checksum::ChecksumAlgorithm;

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// Whose setting it is.
#[derive(Debug, Clone, Copy)]
enum Owner<'a> {
    Bucket(&'a str),
    Object(&'a ObjectId),
}

impl<'a> Owner<'a> {
    fn call(self, method: Method, setting: &str) -> Result<Call<'a>, S3Error> {
        Ok(match self {
            Self::Bucket(bucket) => Call::new(method, Some(bucket), None),
            Self::Object(object) => object.call(method)?,
        }
        .query(setting, ""))
    }
}

impl Inner {
    /// Puts a document. Content-MD5 goes along: every store takes it, and some of these calls demand it.
    async fn put_setting(&self, owner: Owner<'_>, setting: &str, document: String) -> Result<(), S3Error> {
        let kind = if document.starts_with('{') { "application/json" } else { "application/xml" };
        self.put_call(owner.call(Method::PUT, setting)?.header("content-type", kind), document).await
    }

    async fn put_call(&self, call: Call<'_>, document: String) -> Result<(), S3Error> {
        let payload = Payload::bytes(document);
        let md5 = payload.checksum(ChecksumAlgorithm::Md5).await?.unwrap_or_default();
        self.whole(&call.header("content-md5", md5).payload(payload)).await.map(drop)
    }
}

/// That nothing is set is no failure where the answer can say so.
fn absent<T>(answer: Result<T, S3Error>, codes: &[&str]) -> Result<Option<T>, S3Error> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound && codes.contains(&error.code()) => Ok(None),
        Err(error) => Err(error),
    }
}
