//! Buckets.

use http::Method;
use jiff::Timestamp;

use super::call::Call;
use super::list::EmptyPages;
use super::xml::push_text;
use super::{Client, Payload};
use crate::error::S3Error;

/// A bucket of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Where it is, if the store tells.
    pub region: Option<String>,
}

/// How to make a bucket.
#[derive(Debug, Clone, Default)]
pub struct CreateBucketOptions {
    /// Where; `None`: in the alias's region.
    pub region: Option<String>,
    /// With object lock, which also keeps versions.
    pub object_lock: bool,
}

impl Client {
    /// All buckets of the account.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn list_buckets(&self) -> Result<Vec<Bucket>, S3Error> {
        let mut buckets = Vec::new();
        let (mut token, mut empty) = (None::<String>, EmptyPages::default());
        loop {
            let call = Call::new(Method::GET, None, None).query_some("continuation-token", token.as_deref());
            let root = self.0.whole(&call).await?.document("ListAllMyBucketsResult")?;
            let before = buckets.len();
            for entry in root.first("Buckets").into_iter().flat_map(|all| all.all("Bucket")) {
                buckets.push(Bucket {
                    name: entry.value("Name").unwrap_or_default().to_owned(),
                    created: entry.value("CreationDate").and_then(|text| text.trim().parse().ok()),
                    region: entry.value("BucketRegion").map(str::to_owned),
                });
            }
            empty.count(buckets.len() == before)?;
            match root.value("ContinuationToken") {
                Some(next) if token.as_deref() != Some(next) => token = Some(next.to_owned()),
                _ => return Ok(buckets),
            }
        }
    }

    /// Makes a bucket. In `us-east-1` AWS says yes to a bucket that is already yours; elsewhere it is a conflict.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `Conflict` when the name is taken.
    pub async fn create_bucket(&self, bucket: &str, options: &CreateBucketOptions) -> Result<(), S3Error> {
        let region = options.region.as_deref().unwrap_or(&self.0.region);
        let mut call = Call::new(Method::PUT, Some(bucket), None).once();
        // `us-east-1` is where a bucket goes of itself, and the one name that the document must not hold.
        if !region.is_empty() && region != "us-east-1" {
            let mut document = "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                                <LocationConstraint>"
                .to_owned();
            push_text(&mut document, region);
            document.push_str("</LocationConstraint></CreateBucketConfiguration>");
            call = call.payload(Payload::bytes(document)).header("content-type", "application/xml");
        }
        if options.object_lock {
            call = call.header("x-amz-bucket-object-lock-enabled", "true");
        }
        self.0.whole(&call).await.map(drop)
    }

    /// Removes an empty bucket.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `Conflict` when it is not empty.
    pub async fn delete_bucket(&self, bucket: &str) -> Result<(), S3Error> {
        self.0.whole(&Call::new(Method::DELETE, Some(bucket), None)).await.map(drop)
    }

    /// Whether a bucket is there and may be used, and where it is, if the store tells.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `NotFound` when there is none.
    pub async fn head_bucket(&self, bucket: &str) -> Result<Bucket, S3Error> {
        let answer = self.0.whole(&Call::new(Method::HEAD, Some(bucket), None)).await?;
        let region = answer.header("x-amz-bucket-region").map(str::to_owned);
        Ok(Bucket { name: bucket.to_owned(), created: None, region })
    }
}
