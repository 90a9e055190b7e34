//! Whether a copy is there, before its source is removed.

use super::Done;
use crate::client::GetOptions;
use crate::client::payload::off_thread;
use crate::error::S3Error;
use crate::plan::{Found, Place, Planned};
use crate::transfer::local;

/// Makes sure that the copy is there. Gives what a local source looked like when it was planned.
///
/// # Errors
/// [`S3Error::Integrity`] when it cannot be told: then the source stays.
pub(super) async fn verified(planned: &Planned, done: &Done) -> Result<Option<Found>, S3Error> {
    let unsure = || {
        let message =
            format!("`{}` is there, but whether its bytes are right cannot be told: the source stays", planned.to);
        S3Error::Integrity(message)
    };
    match &planned.to {
        Place::Stdio => Err(unsure()),
        Place::Local(path) => {
            let path = path.clone();
            let size = off_thread(move || std::fs::metadata(&path).map(|m| m.len()).map_err(|e| local(&path, &e)));
            if size.await? != done.size {
                return Err(unsure());
            }
            Ok(None)
        }
        Place::Object(client, object) => {
            let head = client.head(object, &GetOptions::default()).await?;
            let same_etag =
                head.etag.is_none() || done.etag.is_none() || bare(head.etag.as_deref()) == bare(done.etag.as_deref());
            let size = planned.size.unwrap_or(done.size);
            if head.size != size || !(done.verified || same_etag && head.etag.is_some()) {
                return Err(unsure());
            }
            let was = Found { size, modified: planned.modified, ..Found::default() };
            Ok(matches!(planned.from, Place::Local(_)).then_some(was))
        }
    }
}

fn bare(etag: Option<&str>) -> Option<&str> {
    etag.map(|etag| etag.trim_matches('"'))
}
