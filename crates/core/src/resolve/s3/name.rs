//! Buckets and keys as the path names them.

use super::super::wire::{Plus, decode};
use super::super::{Partition, Request, Upstream, malformed, too_large, unmapped};
use super::place::Place;
use super::route::Level;
use crate::denial::Denial;
use crate::limits::S3_KEY_BYTES_MAX;

/// What a path points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) place: Place,
    /// Decoded once, otherwise byte for byte; empty at the service and bucket levels.
    pub(super) key: String,
}

impl Target {
    pub(super) fn parse(request: &Request<'_>, partition: Partition) -> Result<Self, Denial> {
        let rest =
            request.path.strip_prefix('/').ok_or_else(|| malformed("the request path does not begin with `/`"))?;
        let point = request.at.and_then(|at| Place::of_host(request, partition, at));
        let (place, key) = match point {
            Some(point) => (point, rest),
            None if rest.is_empty() => (Place::Service, ""),
            None => {
                let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
                (Place::named(request, partition, bucket)?, key)
            }
        };
        place.check_service(request.service)?;
        let key = decode(key, Plus::Literal)
            .ok_or_else(|| malformed("the object key is not percent-encoded UTF-8 without NUL bytes"))?;
        if !key.is_empty() {
            check_key(&key, request.upstream)?;
        }
        Ok(Self { place, key })
    }

    pub(super) fn level(&self) -> Level {
        match (&self.place, self.key.is_empty()) {
            (Place::Service, _) => Level::Service,
            (_, true) => Level::Bucket,
            (_, false) => Level::Object,
        }
    }
}

/// General purpose bucket names (S3 user guide, "General purpose bucket naming rules"); never percent-encoded.
pub(super) fn check_bucket(name: &str, upstream: Upstream) -> Result<(), Denial> {
    let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let legal = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.');
    let bytes = name.as_bytes();
    let is_address = name.split('.').count() == 4 && bytes.iter().all(|b| b.is_ascii_digit() || *b == b'.');
    if !(3..=63).contains(&bytes.len())
        || !bytes.iter().all(legal)
        || !edge(bytes.first())
        || !edge(bytes.last())
        || name.contains("..")
        || is_address
    {
        return Err(malformed("the path does not begin with a bucket name (3 to 63 of `a-z 0-9 - .`)"));
    }
    if upstream == Upstream::Compatible && ["admin", "minio", "rustfs"].contains(&name) {
        return Err(unmapped("the path is an administration interface of some S3 stores, not a bucket"));
    }
    Ok(())
}

/// Keys that only AWS itself takes byte for byte are refused for other stores.
pub(super) fn check_key(key: &str, upstream: Upstream) -> Result<(), Denial> {
    if key.len() > S3_KEY_BYTES_MAX {
        return Err(too_large(format!("the object key is longer than {S3_KEY_BYTES_MAX} bytes")));
    }
    if upstream == Upstream::Compatible {
        let folder = key.strip_suffix('/').unwrap_or(key);
        if folder.split('/').any(|part| matches!(part, "" | "." | "..")) || key.contains('\\') {
            return Err(malformed(
                "the object key has an empty, `.` or `..` part or a backslash, which some S3 stores resolve to another key",
            ));
        }
    }
    Ok(())
}
