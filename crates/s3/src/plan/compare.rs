//! Whether two things are the same, without asking the store once more.

use std::fs::File;
use std::sync::Arc;

use hallpass_core::sigv4::checksum::ChecksumAlgorithm;
use jiff::Timestamp;

use super::{Found, Root};
use crate::client::Payload;
use crate::client::object::{hex_of, md5_of_etag};
use crate::client::payload::off_thread;
use crate::error::S3Error;
use crate::transfer::local;

/// How two things are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compare {
    /// Size, then time; where the times leave it open, the MD5, if the store's ETag is one.
    #[default]
    Auto,
    /// Size alone.
    Size,
    /// Size, then the MD5 wherever the store's ETag is one, else time.
    Checksum,
}

/// What differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// The sizes.
    Size,
    /// The bytes: the ETags or MD5s.
    Bytes,
    /// The first was written after the second, and nothing says that it is the same.
    Time,
}

impl Difference {
    /// The word for `--json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Bytes => "bytes",
            Self::Time => "time",
        }
    }
}

/// Compares. `None`: they are the same, as far as can be told.
///
/// # Errors
/// A local file that cannot be read.
pub(super) async fn difference(
    (first_root, first): (&Root, &Found),
    (second_root, second): (&Root, &Found),
    how: Compare,
) -> Result<Option<Difference>, S3Error> {
    if first.size != second.size {
        return Ok(Some(Difference::Size));
    }
    if how == Compare::Size || first.size == 0 {
        return Ok(None);
    }
    match (first_root, second_root) {
        (Root::Remote { .. }, Root::Remote { .. }) => Ok(between_stores(first, second)),
        (Root::Local(root), Root::Remote { .. }) => {
            // It was uploaded after it was last written.
            let uploaded = first.modified.zip(second.modified).is_some_and(|(file, object)| file <= object);
            if uploaded && how == Compare::Auto {
                return Ok(None);
            }
            match md5_differs(root.join(&first.name), second).await? {
                Some(differs) => Ok(differs.then_some(Difference::Bytes)),
                None => Ok((!uploaded).then_some(Difference::Time)),
            }
        }
        (Root::Remote { .. }, Root::Local(root)) => {
            let same_time = first.modified.zip(second.modified).is_some_and(|(object, file)| is_given(object, file));
            if same_time && how == Compare::Auto {
                return Ok(None);
            }
            match md5_differs(root.join(&second.name), first).await? {
                Some(differs) => Ok(differs.then_some(Difference::Bytes)),
                None => Ok((!same_time).then_some(Difference::Time)),
            }
        }
        (Root::Local(a), Root::Local(b)) => {
            let (a, b) = (a.join(&first.name), b.join(&second.name));
            Ok((md5(a).await? != md5(b).await?).then_some(Difference::Bytes))
        }
    }
}

/// The file has the time that a download gave it: that of its object, in whole seconds. One that was edited within that
/// second has a fraction of its own.
fn is_given(object: Timestamp, file: Timestamp) -> bool {
    object.as_second() == file.as_second() && file.subsec_nanosecond() == 0
}

/// Two ETags that differ say something only if both are MD5s: those of parts differ with the size of the parts.
fn between_stores(first: &Found, second: &Found) -> Option<Difference> {
    let bare = |found: &Found| found.etag.as_deref().map(|etag| etag.trim_matches('"').to_owned());
    if bare(first).is_some() && bare(first) == bare(second) {
        return None;
    }
    let plain = |found: &Found| found.etag.as_deref().and_then(md5_of_etag).is_some();
    if plain(first) && plain(second) {
        return Some(Difference::Bytes);
    }
    let older = first.modified.zip(second.modified).is_some_and(|(first, second)| first <= second);
    (!older).then_some(Difference::Time)
}

/// Whether a file's MD5 is another than an object's; `None`: the object's ETag is none.
async fn md5_differs(path: std::path::PathBuf, object: &Found) -> Result<Option<bool>, S3Error> {
    let Some(theirs) = object.etag.as_deref().and_then(md5_of_etag) else { return Ok(None) };
    Ok(md5(path).await?.map(|ours| ours != theirs))
}

async fn md5(path: std::path::PathBuf) -> Result<Option<String>, S3Error> {
    let shown = path.display().to_string();
    let (file, size) = off_thread(move || {
        let file = File::open(&path).map_err(|e| local(&path, &e))?;
        let size = file.metadata().map_err(|e| local(&path, &e))?.len();
        Ok((file, size))
    })
    .await?;
    let md5 = Payload::file(Arc::new(file), &shown, 0, size).checksum(ChecksumAlgorithm::Md5).await?;
    Ok(md5.as_deref().and_then(hex_of))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{Difference, between_stores};
    use crate::plan::Found;

    #[test]
    fn etags_of_parts_are_not_taken_for_a_difference() {
        let found = |etag: &str, second: i64| Found {
            etag: Some(format!("\"{etag}\"")),
            modified: Timestamp::from_second(second).ok(),
            size: 1,
            ..Found::default()
        };
        let (a, b) = ("d41d8cd98f00b204e9800998ecf8427e", "e41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(between_stores(&found(a, 9), &found(a, 1)), None);
        assert_eq!(between_stores(&found(a, 1), &found(b, 9)), Some(Difference::Bytes));
        let parts = format!("{a}-3");
        assert_eq!(between_stores(&found(&parts, 1), &found(b, 9)), None);
        assert_eq!(between_stores(&found(&parts, 9), &found(b, 1)), Some(Difference::Time));
    }
}
