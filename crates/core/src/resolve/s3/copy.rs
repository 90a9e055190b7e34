//! `x-amz-copy-source`: the object that a copy reads.

use super::super::wire::{Plus, decode};
use super::super::{Upstream, malformed, unmapped};
use super::name::{check_bucket, check_key};
use crate::denial::Denial;

/// Bucket, key and version to read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) version: Option<String>,
}

impl Source {
    /// `[/]bucket/key[?versionId=…]`, bucket and key percent-encoded together or apart.
    pub(super) fn parse(text: &str, upstream: Upstream) -> Result<Self, Denial> {
        const HELP: &str = "x-amz-copy-source is not `bucket/key` or `bucket/key?versionId=…`, percent-encoded";
        let (path, version) = match text.split_once('?') {
            Some((path, query)) => (path, Some(query.strip_prefix("versionId=").ok_or_else(|| malformed(HELP))?)),
            None => (text, None),
        };
        // A `+` is a space to some servers and itself to others; encoded it means one thing.
        let path = decode(path, Plus::Refused).ok_or_else(|| malformed(HELP))?;
        if path.starts_with("arn:") {
            return Err(unmapped(
                "x-amz-copy-source names an access point, which is not resolved yet; name the bucket",
            ));
        }
        let path = path.strip_prefix('/').unwrap_or(&path);
        let (bucket, key) = path.split_once('/').ok_or_else(|| malformed(HELP))?;
        if key.is_empty() || key.contains("?versionId=") {
            return Err(malformed(HELP));
        }
        check_bucket(bucket, upstream)?;
        check_key(key, upstream)?;
        let version = match version.map(|raw| decode(raw, Plus::Literal)) {
            None => None,
            Some(Some(id)) if is_version_id(&id) => Some(id),
            Some(_) => return Err(malformed(HELP)),
        };
        Ok(Self { bucket: bucket.to_owned(), key: key.to_owned(), version })
    }
}

/// Version ids are opaque, URL-ready text.
pub(super) fn is_version_id(text: &str) -> bool {
    (1..=1_024).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'&' | b'?' | b'#'))
}
