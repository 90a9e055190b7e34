//! Bodies that may widen what an operation does.

use super::super::xml::{self, Event};
use super::super::{unmapped, unresolved};
use crate::denial::Denial;

/// A restore that only brings the object back. `OutputLocation` would write to another bucket.
pub(super) fn check(body: &[u8]) -> Result<(), Denial> {
    const PLAIN: [&str; 6] = ["RestoreRequest", "Days", "GlacierJobParameters", "Tier", "Type", "Description"];
    match foreign(body, &PLAIN)? {
        false => Ok(()),
        true => {
            Err(unresolved("RestoreObject with an output location or a query is not resolved; restore the object only"))
        }
    }
}

/// Whether CreateBucket also tags the bucket. A directory bucket says where it lies in elements of its own.
pub(super) fn creates_with_tags(body: &[u8], directory: bool) -> Result<bool, Denial> {
    const PLAIN: [&str; 2] = ["CreateBucketConfiguration", "LocationConstraint"];
    const DIRECTORY: [&str; 5] = ["Location", "Type", "Name", "Bucket", "DataRedundancy"];
    const TAGS: [&str; 4] = ["Tags", "Tag", "Key", "Value"];
    let plain: Vec<&str> = PLAIN.into_iter().chain(DIRECTORY.into_iter().filter(|_| directory)).collect();
    if foreign(body, &[plain.as_slice(), &TAGS].concat())? {
        return Err(unmapped("CreateBucket with more than a location and tags is not resolved yet"));
    }
    foreign(body, &plain)
}

/// Whether a body has an element that is not one of these. An empty body has none.
fn foreign(body: &[u8], known: &[&str]) -> Result<bool, Denial> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(false);
    }
    Ok(xml::events(body)?.iter().any(|event| matches!(event, Event::Start(name) if !known.contains(&name.as_str()))))
}
