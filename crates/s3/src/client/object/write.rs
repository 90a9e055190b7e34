//! Put and delete.

use hallpass_core::sigv4::checksum::ChecksumAlgorithm;
use http::{HeaderMap, Method};

use super::head::{checksums, md5_of_etag};
use super::{ObjectId, PutOptions};
use crate::client::call::Call;
use crate::client::reply::{Whole, text_of};
use crate::client::{Client, Payload};
use crate::error::S3Error;

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// With its quotes.
    pub etag: Option<String>,
    /// The new version, in a bucket that keeps them.
    pub version: Option<String>,
    /// Checksums that the store made itself: algorithm, base64.
    pub checksums: Vec<(String, String)>,
    /// True when the store's own checksum or MD5 is the one of the bytes that were sent.
    pub verified: bool,
}

/// What was deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deleted {
    /// The version that is gone, or the delete marker that was set.
    pub version: Option<String>,
    /// A marker was set: older versions are still there.
    pub marker: bool,
}

impl Client {
    /// Writes an object. What the store says about its bytes is compared with what was sent.
    ///
    /// # Errors
    /// [`S3Error`]; [`S3Error::Integrity`] when the store has other bytes than were sent; of sort `Conflict` when a
    /// condition does not hold.
    pub async fn put(&self, object: &ObjectId, payload: Payload, options: &PutOptions) -> Result<Written, S3Error> {
        let conditional = options.if_absent || options.if_match.is_some();
        let call = options.properties.tell(object.call(Method::PUT)?)?;
        let call = call.header_some("if-match", options.if_match.as_deref());
        let mut call = if options.if_absent { call.header("if-none-match", "*") } else { call };
        if options.content_md5
            && let Some(md5) = payload.checksum(ChecksumAlgorithm::Md5).await?
        {
            call = call.header("content-md5", md5);
        }
        let algorithm = options.checksum.or(self.checksum());
        let (call, sent) = self.covered(call.payload(payload.clone()).flow(&options.flow), algorithm).await?;
        // Carried out but not heard of, a condition no longer holds the second time.
        let call = if conditional { call.once() } else { call };
        let answer = self.0.whole(&call).await?;
        let written = self.compared(&call, sent.as_ref(), &answer).await?;
        if written.verified || !self.verifies() {
            return Ok(written);
        }
        tracing::debug!("the store gives nothing back by which the upload could be verified");
        Ok(written)
    }

    /// Adds the checksum header. Gives the algorithm's name and the checksum.
    pub(crate) async fn covered<'a>(
        &self,
        call: Call<'a>,
        algorithm: Option<ChecksumAlgorithm>,
    ) -> Result<(Call<'a>, Option<(&'static str, String)>), S3Error> {
        let Some(algorithm) = algorithm else { return Ok((call, None)) };
        let Some(sum) = call.payload.checksum(algorithm).await? else { return Ok((call, None)) };
        let name = header_of(algorithm);
        Ok((call.header(name, sum.clone()), Some((&name["x-amz-checksum-".len()..], sum))))
    }

    /// Compares what the store says about the bytes with what they are.
    pub(crate) async fn compared(
        &self,
        call: &Call<'_>,
        sent: Option<&(&'static str, String)>,
        answer: &Whole,
    ) -> Result<Written, S3Error> {
        let mut written = Written::of(&answer.headers);
        if !self.verifies() {
            return Ok(written);
        }
        let wrong = || {
            let subject = call.subject().unwrap_or_default();
            S3Error::Integrity(format!("`{subject}`: the store has other bytes than were sent: send it again"))
        };
        if let Some((name, sum)) = sent
            && let Some((_, stored)) = written.checksums.iter().find(|(stored, _)| stored == name)
        {
            written.verified = stored == sum;
            return if written.verified { Ok(written) } else { Err(wrong()) };
        }
        let plain = answer.header("x-amz-server-side-encryption").is_none_or(|kind| kind == "AES256")
            && answer.header("x-amz-server-side-encryption-customer-algorithm").is_none();
        let etag = written.etag.as_deref().and_then(md5_of_etag).filter(|_| plain);
        if let Some(etag) = etag
            && let Some(md5) = call.payload.checksum(ChecksumAlgorithm::Md5).await?
        {
            written.verified = hex_of(&md5).as_deref() == Some(etag);
            return if written.verified { Ok(written) } else { Err(wrong()) };
        }
        Ok(written)
    }

    /// Deletes an object, or one version of it. That there is none is no error, as stores have it.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn delete(&self, object: &ObjectId) -> Result<Deleted, S3Error> {
        let answer = self.0.whole(&object.call(Method::DELETE)?).await?;
        let version = answer.header("x-amz-version-id").filter(|version| *version != "null").map(str::to_owned);
        Ok(Deleted { version, marker: answer.header("x-amz-delete-marker") == Some("true") })
    }
}

impl Written {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let version = text_of(headers, "x-amz-version-id").filter(|version| *version != "null");
        Self {
            etag: text_of(headers, "etag").map(str::to_owned),
            version: version.map(str::to_owned),
            checksums: checksums(headers),
            verified: false,
        }
    }
}

/// The header of an algorithm.
pub(crate) fn header_of(algorithm: ChecksumAlgorithm) -> &'static str {
    match algorithm {
        ChecksumAlgorithm::Crc32 => "x-amz-checksum-crc32",
        ChecksumAlgorithm::Crc32c => "x-amz-checksum-crc32c",
        ChecksumAlgorithm::Crc64Nvme => "x-amz-checksum-crc64nvme",
        ChecksumAlgorithm::Md5 => "x-amz-checksum-md5",
        ChecksumAlgorithm::Sha1 => "x-amz-checksum-sha1",
        ChecksumAlgorithm::Sha256 => "x-amz-checksum-sha256",
        ChecksumAlgorithm::Sha512 => "x-amz-checksum-sha512",
        ChecksumAlgorithm::XxHash => "x-amz-checksum-xxhash64",
    }
}

/// From base64 to lower-case hex.
pub(crate) fn hex_of(base64: &str) -> Option<String> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(base64).ok().map(hex::encode)
}
