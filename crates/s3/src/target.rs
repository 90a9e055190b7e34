//! What a path on the command line means.
//!
//! | written | means |
//! |---|---|
//! | `-` | stdin or stdout |
//! | `./x`, `../x`, `/x`, `.`, `..` | a local path, always |
//! | `alias:bucket/key` | a key in a store, always |
//! | `s3://bucket/key` | the same, of the alias `aws` |
//! | `x/y` where `x/y` exists here | a local path |
//! | `x/y` where `x` is an alias | a key in a store |
//! | `x/y` where both are true | nobody knows: refused, with both spellings |
//!
//! A key is kept byte for byte: `//`, `..` and a final `/` are parts of it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::alias::BUILT_IN;
use crate::error::{ErrorKind, S3Error};

/// What a path means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// `-`.
    Stdio,
    /// A path on this machine.
    Local(PathBuf),
    /// A place in a store.
    Remote(Remote),
}

/// A place in a store. `bucket` is empty for the store itself, `key` for the bucket itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// The alias.
    pub alias: String,
    /// The bucket.
    pub bucket: String,
    /// The key or prefix, byte for byte.
    pub key: String,
}

/// What a path is used for: only what is written may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Something that is read.
    Source,
    /// Something that is written.
    Destination,
}

/// What has to be known of the world.
pub trait Surroundings {
    /// True when there is something at this local path, a broken link included.
    fn exists(&self, path: &Path) -> bool;
    /// True when there is an alias of that name, usable or not.
    fn is_alias(&self, name: &str) -> bool;
}

impl Target {
    /// Reads a path.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for what is ambiguous or impossible; [`ErrorKind::NotFound`] for what is nothing.
    pub fn parse(text: &OsStr, used: Use, around: &dyn Surroundings) -> Result<Self, S3Error> {
        let path = Path::new(text);
        let Some(text) = text.to_str() else { return Ok(Self::Local(path.to_owned())) };
        if text.is_empty() {
            return Err(S3Error::usage_with("a path is empty", "name a local path, or `alias/bucket/key`"));
        }
        if text == "-" {
            return Ok(Self::Stdio);
        }
        if matches!(text, "." | "..") || ["./", "../", "/"].iter().any(|begin| text.starts_with(begin)) {
            return Ok(Self::Local(path.to_owned()));
        }
        // Behind a `/` or another `:` it is a part of a name, and keys may be any text.
        if let Some((scheme, rest)) = text.split_once("://").filter(|(scheme, _)| !scheme.contains(['/', ':'])) {
            return match scheme {
                "s3" => Remote::new(BUILT_IN, rest).map(Self::Remote),
                _ => Err(S3Error::usage_with(
                    format!("`{text}` has a scheme that is not known here"),
                    "write `s3://bucket/key`, `alias/bucket/key`, or a local path",
                )),
            };
        }
        let (first, rest) = text.split_once('/').unwrap_or((text, ""));
        if let Some((alias, bucket)) = first.split_once(':')
            && around.is_alias(alias)
        {
            let rest = if text.contains('/') { format!("{bucket}/{rest}") } else { bucket.to_owned() };
            return Remote::new(alias, &rest).map(Self::Remote);
        }
        match (around.exists(path) || around.exists(Path::new(first)), around.is_alias(first)) {
            (true, true) => Err(S3Error::refused(
                ErrorKind::Usage,
                "ambiguous_path",
                format!("`{text}` may be a local path, or a place in the store `{first}`"),
                format!("write `./{text}` for the local path, or `{first}:{rest}` for the store"),
            )),
            (false, true) => Remote::new(first, rest).map(Self::Remote),
            (_, false) if around.exists(path) || used == Use::Destination && may_be_made(path, around) => {
                Ok(Self::Local(path.to_owned()))
            }
            (_, false) => Err(nothing(text, first)),
        }
    }
}

impl Remote {
    fn new(alias: &str, rest: &str) -> Result<Self, S3Error> {
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() && !key.is_empty() {
            return Err(S3Error::usage_with(
                format!("`{alias}/{rest}` has a key but no bucket"),
                format!("write `{alias}/bucket/key`, with one `/` after `{alias}`"),
            ));
        }
        Ok(Self { alias: alias.to_owned(), bucket: bucket.to_owned(), key: key.to_owned() })
    }
}

/// A new file or new folders, in the working folder or in one that is there.
fn may_be_made(path: &Path, around: &dyn Surroundings) -> bool {
    path.parent().is_none_or(|parent| parent.as_os_str().is_empty() || parent.ancestors().any(|it| around.exists(it)))
}

fn nothing(text: &str, first: &str) -> S3Error {
    S3Error::refused(
        ErrorKind::NotFound,
        "path_not_found",
        format!("there is no local path `{text}`, and no alias `{first}`"),
        format!("check the path; write `./{text}` for a local one, or see `hallpass alias list`"),
    )
}

#[cfg(test)]
mod tests;
