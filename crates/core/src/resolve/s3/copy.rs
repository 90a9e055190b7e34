//! `x-amz-copy-source`: the object that a copy reads.

use super::super::wire::{Plus, decode};
use super::super::{Partition, Request, malformed};
use super::name::check_key;
use super::place::Place;
use crate::denial::Denial;

/// Place, key and version to read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) place: Place,
    pub(super) key: String,
    pub(super) version: Option<String>,
}

impl Source {
    /// `[/]bucket/key[?versionId=…]`, bucket and key percent-encoded together or apart; or the ARN of an access
    /// point's object in place of both.
    pub(super) fn parse(request: &Request<'_>, partition: Partition, text: &str) -> Result<Self, Denial> {
        const HELP: &str = "x-amz-copy-source is not `bucket/key` or `bucket/key?versionId=…`, percent-encoded";
        let (path, version) = match text.split_once('?') {
            Some((path, query)) => (path, Some(query.strip_prefix("versionId=").ok_or_else(|| malformed(HELP))?)),
            None => (text, None),
        };
        // A `+` is a space to some servers and itself to others; encoded it means one thing.
        let path = decode(path, Plus::Refused).ok_or_else(|| malformed(HELP))?;
        let path = path.strip_prefix('/').unwrap_or(&path);
        let (place, key) = if path.starts_with("arn:") {
            Place::of_object_arn(partition, path)?
        } else {
            let (bucket, key) = path.split_once('/').ok_or_else(|| malformed(HELP))?;
            (Place::named(request, partition, bucket)?, key.to_owned())
        };
        if key.is_empty() || key.contains("?versionId=") {
            return Err(malformed(HELP));
        }
        check_key(&key, request.upstream)?;
        let version = match version.map(|raw| decode(raw, Plus::Literal)) {
            None => None,
            Some(Some(id)) if is_version_id(&id) => Some(id),
            Some(_) => return Err(malformed(HELP)),
        };
        Ok(Self { place, key, version })
    }
}

/// Version ids are opaque, URL-ready text.
pub(super) fn is_version_id(text: &str) -> bool {
    (1..=1_024).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'&' | b'?' | b'#'))
}
