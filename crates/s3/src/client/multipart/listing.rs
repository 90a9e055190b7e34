//! Uploads that were begun and not ended, and their parts.

use http::Method;
use jiff::Timestamp;

use super::{MultipartUpload, Part, element_of};
use crate::client::Client;
use crate::client::call::Call;
use crate::client::list::{Decode, EmptyPages, Encoding, Markers, stuck, wrong};
use crate::client::object::ObjectId;
use crate::error::S3Error;

/// An upload of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedUpload {
    /// What can be ended, aborted or continued.
    pub upload: MultipartUpload,
    /// When it was begun.
    pub begun: Option<Timestamp>,
}

/// A part of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListedPart {
    /// The part.
    pub part: Part,
    /// When it was sent.
    pub last_modified: Option<Timestamp>,
}

/// A listing of uploads that goes on.
#[derive(Debug, Clone)]
pub struct UploadListing {
    client: Client,
    bucket: String,
    prefix: String,
    encoding: Encoding,
    /// Key and id to go on after; `None` at the end.
    next: Option<Markers>,
    empty: EmptyPages,
}

impl Client {
    /// Lists uploads that were begun and not ended.
    pub fn list_uploads(&self, bucket: &str, prefix: &str) -> UploadListing {
        let (bucket, prefix) = (bucket.to_owned(), prefix.to_owned());
        let (encoding, next, empty) = (Encoding::of(self), Some((None, None)), EmptyPages::default());
        UploadListing { client: self.clone(), bucket, prefix, encoding, next, empty }
    }

    /// All parts of an upload that the store has; at most 10,000.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `NotFound` when the upload is over.
    pub async fn list_parts(&self, upload: &MultipartUpload) -> Result<Vec<ListedPart>, S3Error> {
        let element = upload.checksum.map(element_of).unwrap_or_default();
        let mut parts: Vec<ListedPart> = Vec::new();
        let (mut marker, mut empty) = (None::<u64>, EmptyPages::default());
        loop {
            let call = upload.object.call(Method::GET)?.query("uploadId", &upload.id);
            let call = call.query_some("part-number-marker", marker.map(|number| number.to_string()).as_deref());
            let root = self.0.whole(&call).await?.document("ListPartsResult")?;
            for entry in root.all("Part") {
                let number = entry.number("PartNumber").and_then(|number| u32::try_from(number).ok());
                let Some(number) = number else {
                    return Err(wrong("a part of the store's listing has no number"));
                };
                // Without its ETag a part cannot become one of an object: it has to be sent again.
                let Some(etag) = entry.value("ETag") else { continue };
                let checksum = entry.value(element).map(str::to_owned);
                let part = Part { number, etag: etag.to_owned(), checksum, size: entry.number("Size").unwrap_or(0) };
                let last_modified = entry.value("LastModified").and_then(|text| text.trim().parse().ok());
                parts.push(ListedPart { part, last_modified });
            }
            if !root.is_true("IsTruncated") {
                return Ok(parts);
            }
            empty.count(root.all("Part").next().is_none())?;
            match root.number("NextPartNumberMarker") {
                Some(next) if marker.is_none_or(|before| next > before) => marker = Some(next),
                _ => return Err(stuck()),
            }
        }
    }
}

impl UploadListing {
    /// The next page; `None` after the last.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn next(&mut self) -> Result<Option<Vec<ListedUpload>>, S3Error> {
        let Some((key, id)) = &self.next else { return Ok(None) };
        let call = Call::new(Method::GET, Some(&self.bucket), None).query("uploads", "");
        let call = call.query_some("prefix", Some(self.prefix.as_str()).filter(|prefix| !prefix.is_empty()));
        let call = call.query_some("key-marker", key.as_deref()).query_some("upload-id-marker", id.as_deref());
        let root = self.encoding.page(&self.client, call, "ListMultipartUploadsResult").await?;
        let decode = Decode::of(&root);
        let mut page = Vec::new();
        for entry in root.all("Upload") {
            let (Some(key), Some(id)) = (entry.value("Key"), entry.value("UploadId")) else {
                return Err(wrong("an upload of the store's listing has no key or no id"));
            };
            let object = ObjectId::new(&self.bucket, decode.text(key)?);
            // Some stores leave the prefix out of account here.
            if !object.key.starts_with(&self.prefix) {
                continue;
            }
            let begun = entry.value("Initiated").and_then(|text| text.trim().parse().ok());
            let upload = MultipartUpload { object, id: id.to_owned(), checksum: None, whole: false };
            page.push(ListedUpload { upload, begun });
        }
        self.empty.count(root.all("Upload").next().is_none())?;
        self.next = decode.markers(&root, "NextUploadIdMarker", self.next.as_ref())?;
        Ok(Some(page))
    }
}
