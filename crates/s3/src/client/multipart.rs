//! Uploads in parts (Amazon S3 User Guide, "Uploading and copying objects using multipart upload").

mod listing;

use std::ops::RangeInclusive;

use hallpass_core::limits::{S3_PART_NUMBER_MAX, S3_UPLOAD_ID_BYTES_MAX};
use hallpass_core::sigv4::checksum::ChecksumAlgorithm;
use http::Method;

use super::flow::Flow;
use super::object::{ObjectId, Properties, Written, copy_source, header_of};
use super::xml::push_text;
use super::{Client, Payload};
use crate::error::{ErrorKind, S3Error};

pub use listing::{ListedPart, ListedUpload, UploadListing};

/// An upload that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultipartUpload {
    /// What it becomes.
    pub object: ObjectId,
    /// The store's name for it.
    pub id: String,
    /// The checksum that every part carries; announced when it was begun.
    pub checksum: Option<ChecksumAlgorithm>,
    /// The store said that it takes the checksum of the whole object; some take a checksum of checksums, or none.
    pub whole: bool,
}

/// A part that the store has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// From 1.
    pub number: u32,
    /// With its quotes.
    pub etag: String,
    /// Base64.
    pub checksum: Option<String>,
    /// Length, bytes.
    pub size: u64,
}

/// How to end an upload.
#[derive(Debug, Clone, Default)]
pub struct CompleteOptions {
    /// The checksum of the whole object, base64; the store compares.
    pub checksum: Option<String>,
    /// Only if there is no such object.
    pub if_absent: bool,
    /// Only while the object has this ETag.
    pub if_match: Option<String>,
}

impl Client {
    /// Begins an upload in parts.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn create_multipart(
        &self,
        object: &ObjectId,
        properties: &Properties,
    ) -> Result<MultipartUpload, S3Error> {
        self.create_multipart_with(object, properties, self.checksum()).await
    }

    /// The same, with another checksum than the client's.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn create_multipart_with(
        &self,
        object: &ObjectId,
        properties: &Properties,
        checksum: Option<ChecksumAlgorithm>,
    ) -> Result<MultipartUpload, S3Error> {
        // Unheard of, a second one would leave the first behind for ever.
        let mut call = properties.tell(object.call(Method::POST)?.query("uploads", ""))?.once();
        let checksum = checksum.filter(|algorithm| announced(*algorithm).is_some());
        if let Some((name, kind)) = checksum.and_then(announced) {
            call = call.header("x-amz-checksum-algorithm", name).header("x-amz-checksum-type", kind);
        }
        let answer = self.0.whole(&call).await?;
        let whole = answer.header("x-amz-checksum-type") == Some("FULL_OBJECT");
        let root = answer.document("InitiateMultipartUploadResult")?;
        let id = root.value("UploadId").unwrap_or_default();
        if id.is_empty() || id.len() > S3_UPLOAD_ID_BYTES_MAX {
            return Err(S3Error::Integrity(format!("`{object}`: the store gave no usable id for the upload")));
        }
        Ok(MultipartUpload { object: object.clone(), id: id.to_owned(), checksum, whole })
    }

    /// Sends one part, numbered from 1. What the store says about its bytes is compared with what was sent.
    ///
    /// # Errors
    /// [`S3Error`]; [`S3Error::Integrity`] when the store has other bytes.
    pub async fn upload_part(
        &self,
        upload: &MultipartUpload,
        number: u32,
        payload: Payload,
        flow: &Flow,
    ) -> Result<Part, S3Error> {
        check_number(number)?;
        let size = payload.len();
        let call = upload.object.call(Method::PUT)?.query("partNumber", &number.to_string());
        let call = call.query("uploadId", &upload.id).payload(payload).flow(flow);
        let (call, sent) = self.covered(call, upload.checksum).await?;
        let answer = self.0.whole(&call).await?;
        let written = self.compared(&call, sent.as_ref(), &answer).await?;
        let etag = written.etag.ok_or_else(|| no_etag(&upload.object))?;
        Ok(Part { number, etag, checksum: sent.map(|(_, sum)| sum), size })
    }

    /// Makes a part of another object's bytes, inside the store.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `Conflict` when the source has another ETag than `if_match`.
    pub async fn copy_part(
        &self,
        upload: &MultipartUpload,
        number: u32,
        from: &ObjectId,
        range: RangeInclusive<u64>,
        if_match: Option<&str>,
    ) -> Result<Part, S3Error> {
        check_number(number)?;
        let call = upload.object.call(Method::PUT)?.query("partNumber", &number.to_string()).inside();
        let call = call.query("uploadId", &upload.id).header("x-amz-copy-source", copy_source(from));
        let bytes = format!("bytes={}-{}", range.start(), range.end());
        let call = call.header("x-amz-copy-source-range", bytes);
        let call = call.header_some("x-amz-copy-source-if-match", if_match);
        let root = self.0.whole(&call).await?.document("CopyPartResult")?;
        let etag = root.value("ETag").ok_or_else(|| no_etag(&upload.object))?.to_owned();
        let element = upload.checksum.map(element_of).unwrap_or_default();
        let size = (range.end() - range.start()).saturating_add(1);
        Ok(Part { number, etag, checksum: root.value(element).map(str::to_owned), size })
    }

    /// Makes the object of its parts, which must be in order.
    ///
    /// # Errors
    /// [`S3Error`]; also when the store says so with status 200.
    pub async fn complete(
        &self,
        upload: &MultipartUpload,
        parts: &[Part],
        options: &CompleteOptions,
    ) -> Result<Written, S3Error> {
        let mut call = upload.object.call(Method::POST)?.query("uploadId", &upload.id).inside();
        call = call.header("content-type", "application/xml").payload(Payload::bytes(document(upload, parts)));
        let whole = options.checksum.as_ref().filter(|_| upload.whole);
        if let (Some(algorithm), Some(sum)) = (upload.checksum, whole) {
            let kind = announced(algorithm).map_or("", |(_, kind)| kind);
            call = call.header(header_of(algorithm), sum.clone()).header("x-amz-checksum-type", kind);
        }
        call = call.header_some("if-match", options.if_match.as_deref());
        if options.if_absent {
            call = call.header("if-none-match", "*");
        }
        let answer = self.0.whole(&call).await?;
        let root = answer.document("CompleteMultipartUploadResult")?;
        let mut written = Written::of(&answer.headers);
        written.etag = root.value("ETag").map(str::to_owned);
        let of_all = root.value("ChecksumType").is_some_and(|kind| kind == "FULL_OBJECT");
        if let (Some(algorithm), Some(sum), true) = (upload.checksum, &options.checksum, of_all)
            && let Some(stored) = root.value(element_of(algorithm))
        {
            if stored != sum {
                let why = "the store has other bytes than were sent: delete it and send it again";
                return Err(S3Error::Integrity(format!("`{}`: {why}", upload.object)));
            }
            written.verified = true;
        }
        Ok(written)
    }

    /// Gives an upload up, with its parts. That there is none (any more) is no error.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn abort(&self, upload: &MultipartUpload) -> Result<(), S3Error> {
        let call = upload.object.call(Method::DELETE)?.query("uploadId", &upload.id);
        match self.0.whole(&call).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            answer => answer.map(drop),
        }
    }
}

fn document(upload: &MultipartUpload, parts: &[Part]) -> String {
    let mut document = String::with_capacity(128 + parts.len() * 128);
    document.push_str("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for part in parts {
        document.push_str("<Part>");
        if let (Some(algorithm), Some(sum)) = (upload.checksum, &part.checksum) {
            let name = element_of(algorithm);
            document.push_str(&format!("<{name}>{sum}</{name}>"));
        }
        document.push_str("<ETag>");
        push_text(&mut document, &part.etag);
        document.push_str(&format!("</ETag><PartNumber>{}</PartNumber></Part>", part.number));
    }
    document.push_str("</CompleteMultipartUpload>");
    document
}

/// Name and type in which an algorithm goes with uploads in parts; `None`: it does not.
fn announced(algorithm: ChecksumAlgorithm) -> Option<(&'static str, &'static str)> {
    Some(match algorithm {
        ChecksumAlgorithm::Crc32 => ("CRC32", "FULL_OBJECT"),
        ChecksumAlgorithm::Crc32c => ("CRC32C", "FULL_OBJECT"),
        ChecksumAlgorithm::Crc64Nvme => ("CRC64NVME", "FULL_OBJECT"),
        ChecksumAlgorithm::Sha1 => ("SHA1", "COMPOSITE"),
        ChecksumAlgorithm::Sha256 => ("SHA256", "COMPOSITE"),
        ChecksumAlgorithm::Md5 | ChecksumAlgorithm::Sha512 | ChecksumAlgorithm::XxHash => return None,
    })
}

fn element_of(algorithm: ChecksumAlgorithm) -> &'static str {
    match algorithm {
        ChecksumAlgorithm::Crc32 => "ChecksumCRC32",
        ChecksumAlgorithm::Crc32c => "ChecksumCRC32C",
        ChecksumAlgorithm::Crc64Nvme => "ChecksumCRC64NVME",
        ChecksumAlgorithm::Sha1 => "ChecksumSHA1",
        ChecksumAlgorithm::Sha256 => "ChecksumSHA256",
        ChecksumAlgorithm::Md5 => "ChecksumMD5",
        ChecksumAlgorithm::Sha512 => "ChecksumSHA512",
        ChecksumAlgorithm::XxHash => "ChecksumXXHASH64",
    }
}

fn check_number(number: u32) -> Result<(), S3Error> {
    if (1..=S3_PART_NUMBER_MAX).contains(&number) {
        return Ok(());
    }
    Err(S3Error::usage(format!("part {number}: parts are numbered from 1 to {S3_PART_NUMBER_MAX}")))
}

fn no_etag(object: &ObjectId) -> S3Error {
    S3Error::Integrity(format!("`{object}`: the store gave no ETag for a part, and without it the upload cannot end"))
}

#[cfg(test)]
mod tests {
    use hallpass_core::limits::S3_PART_NUMBER_MAX;

    use super::check_number;

    #[test]
    fn parts_are_numbered_from_1_to_the_limit() {
        assert!(check_number(1).is_ok() && check_number(S3_PART_NUMBER_MAX).is_ok());
        assert!(check_number(0).is_err() && check_number(S3_PART_NUMBER_MAX + 1).is_err());
    }
}
