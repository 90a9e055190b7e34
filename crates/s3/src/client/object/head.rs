//! What a store says about an object, and what it is told.

use http::{HeaderMap, Method};
use jiff::Timestamp;

use super::{GetOptions, ObjectId};
use crate::client::Client;
use crate::client::call::Call;
use crate::client::reply::text_of;
use crate::error::{ErrorKind, S3Error, text};
use hallpass_core::limits::S3_METADATA_BYTES_MAX;

/// What is kept with an object beside its bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Properties {
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Content-Disposition`.
    pub content_disposition: Option<String>,
    /// `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// `Content-Language`.
    pub content_language: Option<String>,
    /// `Expires`, as an HTTP date.
    pub expires: Option<String>,
    /// `x-amz-storage-class`; whatever the store takes.
    pub storage_class: Option<String>,
    /// `x-amz-acl`, a canned one (`private`, `public-read` …). Never read back.
    pub acl: Option<String>,
    /// `x-amz-tagging`: `name=value&…`, percent-encoded. Never read back.
    pub tagging: Option<String>,
    /// `x-amz-server-side-encryption`.
    pub encryption: Option<String>,
    /// `x-amz-server-side-encryption-aws-kms-key-id`.
    pub encryption_key: Option<String>,
    /// User metadata, names in lower case without `x-amz-meta-`.
    pub metadata: Vec<(String, String)>,
}

impl Properties {
    /// Tells them to the store.
    pub(crate) fn tell<'a>(&self, mut call: Call<'a>) -> Result<Call<'a>, S3Error> {
        let named = [
            ("content-type", &self.content_type),
            ("cache-control", &self.cache_control),
            ("content-disposition", &self.content_disposition),
            ("content-encoding", &self.content_encoding),
            ("content-language", &self.content_language),
            ("expires", &self.expires),
            ("x-amz-storage-class", &self.storage_class),
            ("x-amz-acl", &self.acl),
            ("x-amz-tagging", &self.tagging),
            ("x-amz-server-side-encryption", &self.encryption),
            ("x-amz-server-side-encryption-aws-kms-key-id", &self.encryption_key),
        ];
        for (name, value) in named {
            call = call.header_some(name, value.as_deref());
        }
        let bytes: usize = self.metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
        if bytes > S3_METADATA_BYTES_MAX {
            return Err(S3Error::usage(format!("user metadata of {bytes} bytes: at most {S3_METADATA_BYTES_MAX}")));
        }
        for (name, value) in &self.metadata {
            let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
            // Stores read other bytes in different ways (RFC 2047 and not), so they would not come back as they went.
            if name.is_empty() || !name.bytes().all(legal) || !value.bytes().all(|b| (b' '..=b'~').contains(&b)) {
                return Err(S3Error::usage_with(
                    format!("the user metadata `{}` cannot stand in a header", text::cleaned_name(name)),
                    "use letters, digits, `-`, `_` and `.` in its name and printable ASCII in its value",
                ));
            }
            call = call.header(format!("x-amz-meta-{}", name.to_ascii_lowercase()), value.trim());
        }
        Ok(call)
    }

    fn of(headers: &HeaderMap) -> Self {
        let text = |name: &str| text_of(headers, name).map(str::to_owned);
        let metadata = headers.iter().filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix("x-amz-meta-")?;
            Some((name.to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        });
        Self {
            content_type: text("content-type"),
            cache_control: text("cache-control"),
            content_disposition: text("content-disposition"),
            content_encoding: text("content-encoding"),
            content_language: text("content-language"),
            expires: text("expires"),
            storage_class: text("x-amz-storage-class"),
            acl: None,
            tagging: None,
            encryption: text("x-amz-server-side-encryption"),
            encryption_key: text("x-amz-server-side-encryption-aws-kms-key-id"),
            metadata: metadata.collect(),
        }
    }
}

/// What a store says about an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectHead {
    /// Length of the whole object, bytes.
    pub size: u64,
    /// With its quotes, as conditions want it.
    pub etag: Option<String>,
    /// When it was written.
    pub last_modified: Option<Timestamp>,
    /// Its version, in a bucket that keeps them.
    pub version: Option<String>,
    /// Content type, user metadata …
    pub properties: Properties,
    /// Checksums: algorithm as in its header (`crc64nvme`), base64. Of the whole object, not of its parts.
    pub checksums: Vec<(String, String)>,
    /// Number of parts, where the store tells (`x-amz-mp-parts-count`).
    pub parts: Option<u32>,
    /// All headers that the store sent and that are text, for `--json` and `stat`.
    pub headers: Vec<(String, String)>,
}

impl ObjectHead {
    /// # Errors
    /// [`S3Error::Refused`] without a length: taken for an empty object, it would be copied as one, and then removed.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, S3Error> {
        let text = |name: &str| text_of(headers, name);
        let number = |name: &str| text(name).and_then(|text| text.trim().parse().ok());
        let whole = text("content-range").and_then(|range| range.rsplit_once('/')?.1.trim().parse().ok());
        let texts = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let size = whole.or(number("content-length")).ok_or_else(|| {
            let next = "reach the store without the proxy before it: one that compresses leaves the length out";
            S3Error::refused(
                ErrorKind::Unsupported,
                "length_unknown",
                "the store does not say how long the object is",
                next,
            )
        })?;
        Ok(Self {
            size,
            etag: text("etag").map(str::to_owned),
            last_modified: text("last-modified")
                .and_then(|text| jiff::fmt::rfc2822::parse(text.trim()).ok())
                .map(|time| time.timestamp()),
            version: text("x-amz-version-id").filter(|version| *version != "null").map(str::to_owned),
            properties: Properties::of(headers),
            checksums: checksums(headers),
            parts: text("x-amz-mp-parts-count").and_then(|text| text.parse().ok()),
            headers: texts.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        })
    }

    /// The MD5 of the bytes, lower-case hex, where the ETag is one: not for parts, and not under KMS or customer keys.
    pub fn md5(&self) -> Option<&str> {
        let kms = self.properties.encryption.as_deref().is_some_and(|kind| kind != "AES256");
        let customer = |(name, _): &(String, String)| name == "x-amz-server-side-encryption-customer-algorithm";
        if kms || self.headers.iter().any(customer) {
            return None;
        }
        md5_of_etag(self.etag.as_deref()?)
    }
}

/// The ETag of a single part is the MD5 of its bytes, as 32 lower-case hex digits in quotes.
pub(crate) fn md5_of_etag(etag: &str) -> Option<&str> {
    let bare = etag.trim_matches('"');
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    (bare.len() == 32 && bare.bytes().all(hex)).then_some(bare)
}

/// Checksums of whole objects. A `COMPOSITE` one, `…-<parts>`, is a checksum of checksums.
pub(crate) fn checksums(headers: &HeaderMap) -> Vec<(String, String)> {
    if text_of(headers, "x-amz-checksum-type").is_some_and(|kind| kind.eq_ignore_ascii_case("COMPOSITE")) {
        return Vec::new();
    }
    let found = headers.iter().filter_map(|(name, value)| {
        let name =
            name.as_str().strip_prefix("x-amz-checksum-").filter(|name| !["type", "algorithm"].contains(name))?;
        let value = value.to_str().ok().filter(|value| !value.contains('-'))?;
        Some((name.to_owned(), value.to_owned()))
    });
    found.collect()
}

impl Client {
    /// What the store says about an object. Only the version and the conditions of `options` are used.
    ///
    /// # Errors
    /// [`S3Error`]; a store's refusal, which has no body here, is asked for a second time so that it has a code.
    pub async fn head(&self, object: &ObjectId, options: &GetOptions) -> Result<ObjectHead, S3Error> {
        let call = options.conditions(object.call(Method::HEAD)?);
        let call = if self.verifies() { call.header("x-amz-checksum-mode", "ENABLED") } else { call };
        let reply = self.0.send(&call).await?;
        ObjectHead::of(&reply.headers)
    }
}

#[cfg(test)]
mod tests {
    use hallpass_core::limits::S3_METADATA_BYTES_MAX;
    use http::{HeaderMap, Method};

    use super::{ObjectHead, Properties};
    use crate::client::call::Call;
    use crate::error::ErrorKind;

    #[test]
    fn an_object_whose_length_nobody_tells_is_not_an_empty_one() {
        let of = |pairs: &[(&'static str, &'static str)]| {
            let headers: HeaderMap =
                pairs.iter().map(|(n, v)| (n.parse().expect("name"), v.parse().expect("value"))).collect();
            ObjectHead::of(&headers).map(|head| head.size).map_err(|error| (error.kind(), error.code().to_owned()))
        };
        let unknown = Err((ErrorKind::Unsupported, "length_unknown".to_owned()));
        for length in [&[][..], &[("content-length", "-1")], &[("content-length", "x")], &[("etag", "\"x\"")]] {
            assert_eq!(of(length), unknown, "{length:?}");
        }
        assert_eq!(of(&[("content-length", "0")]), Ok(0));
        assert_eq!(of(&[("content-length", "3"), ("content-range", "bytes 0-2/5")]), Ok(5));
    }

    #[test]
    fn an_etag_is_an_md5_only_where_it_can_be_one() {
        let head = |etag: &str, encryption: Option<&str>| ObjectHead {
            etag: Some(etag.to_owned()),
            properties: Properties { encryption: encryption.map(str::to_owned), ..Properties::default() },
            ..ObjectHead::default()
        };
        let md5 = "\"d41d8cd98f00b204e9800998ecf8427e\"";
        assert!(head(md5, None).md5().is_some() && head(md5, Some("AES256")).md5().is_some());
        assert!(head(md5, Some("aws:kms")).md5().is_none());
        for other in ["\"d41d8cd98f00b204e9800998ecf8427e-3\"", "\"abc\"", "W/\"d41d8cd98f00b204e9800998ecf8427e\""] {
            assert!(head(other, None).md5().is_none(), "{other}");
        }
    }

    #[test]
    fn a_checksum_of_checksums_is_not_taken_for_one_of_the_object() {
        let of = |pairs: &[(&'static str, &'static str)]| {
            let headers: HeaderMap =
                pairs.iter().map(|(n, v)| (n.parse().expect("name"), v.parse().expect("value"))).collect();
            super::checksums(&headers)
        };
        assert_eq!(of(&[("x-amz-checksum-crc32", "y/Q5Jg==")]), [("crc32".to_owned(), "y/Q5Jg==".to_owned())]);
        assert!(of(&[("x-amz-checksum-crc32", "y/Q5Jg==-3")]).is_empty());
        assert!(of(&[("x-amz-checksum-crc32", "y/Q5Jg=="), ("x-amz-checksum-type", "COMPOSITE")]).is_empty());
    }

    #[test]
    fn metadata_that_would_not_come_back_is_refused() {
        let tell = |name: &str, value: &str| {
            let properties = Properties { metadata: vec![(name.into(), value.into())], ..Properties::default() };
            properties.tell(Call::new(Method::PUT, Some("b"), Some("k"))).is_ok()
        };
        assert!(tell("Author", "somebody"));
        for (name, value) in [("", "x"), ("a b", "x"), ("a", "x\r\nx-amz-acl: public-read"), ("a", "\u{e4}")] {
            assert!(!tell(name, value), "{name}: {value}");
        }
        assert!(tell("a", &"x".repeat(S3_METADATA_BYTES_MAX - 1)));
        assert!(!tell("a", &"x".repeat(S3_METADATA_BYTES_MAX)));
    }
}
