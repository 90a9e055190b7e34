//! Deletes along a walk: page by page, 1,000 keys a call, every key with its own outcome.

use crate::client::{BatchDeleted, Client, Doomed};
use crate::error::{ErrorKind, S3Error};
use crate::walk::{Entry, Walk, WalkOptions};

/// How to delete.
#[derive(Debug, Clone, Copy, Default)]
pub struct RemovalOptions {
    /// Also what governance retention keeps, for who may.
    pub bypass_governance: bool,
    /// Only say what would be deleted.
    pub dry_run: bool,
}

/// Deletes what `is_doomed` among the keys of a walk, and tells what became of each. Gives the number of keys that were
/// seen, doomed or not.
///
/// # Errors
/// [`S3Error`] when a listing or a whole call fails; what `tell` fails with.
pub async fn remove_walk<E: From<S3Error>>(
    client: &Client,
    bucket: &str,
    walk: WalkOptions,
    options: RemovalOptions,
    is_doomed: impl Fn(&Entry) -> bool,
    mut tell: impl FnMut(Doomed, Option<S3Error>) -> Result<(), E>,
) -> Result<u64, E> {
    let mut walk = Walk::new(client, bucket, walk);
    let mut seen = 0;
    while let Some(step) = walk.next().await? {
        seen += step.entries.len() as u64;
        let doomed =
            |entry: &Entry| Doomed { key: entry.object().key.clone(), version: entry.version().map(str::to_owned) };
        let keys: Vec<Doomed> = step.entries.iter().filter(|entry| is_doomed(entry)).map(doomed).collect();
        remove_keys(client, bucket, keys, options, &mut tell).await?;
    }
    Ok(seen)
}

/// Deletes the versions and delete markers of one key that are doomed, and tells what became of each. Gives the number
/// of those that there are.
///
/// # Errors
/// As [`remove_walk`].
pub async fn remove_versions<E: From<S3Error>>(
    client: &Client,
    bucket: &str,
    key: &str,
    options: RemovalOptions,
    is_doomed: impl Fn(&Entry) -> bool,
    mut tell: impl FnMut(Doomed, Option<S3Error>) -> Result<(), E>,
) -> Result<u64, E> {
    let walk = WalkOptions { prefix: key.to_owned(), versions: true, ..WalkOptions::default() };
    let mut walk = Walk::new(client, bucket, walk);
    let mut seen = 0;
    while let Some(step) = walk.next().await? {
        let of_key: Vec<&Entry> = step.entries.iter().filter(|entry| entry.object().key == key).collect();
        seen += of_key.len() as u64;
        let doomed = |entry: &Entry| Doomed { key: key.to_owned(), version: entry.version().map(str::to_owned) };
        let keys = of_key.into_iter().filter(|entry| is_doomed(entry)).map(doomed).collect();
        remove_keys(client, bucket, keys, options, &mut tell).await?;
        // Of all keys that begin so, the key itself comes first.
        if step.entries.last().is_some_and(|entry| entry.object().key != key) {
            break;
        }
    }
    Ok(seen)
}

/// Deletes keys, and tells what became of each.
///
/// # Errors
/// [`S3Error`] when a whole call fails; what `tell` fails with.
pub async fn remove_keys<E: From<S3Error>>(
    client: &Client,
    bucket: &str,
    keys: Vec<Doomed>,
    options: RemovalOptions,
    tell: &mut impl FnMut(Doomed, Option<S3Error>) -> Result<(), E>,
) -> Result<(), E> {
    let outcome = match options.dry_run {
        true => BatchDeleted { deleted: keys, failed: Vec::new() },
        false => client.delete_many(bucket, &keys, options.bypass_governance).await?,
    };
    outcome.deleted.into_iter().try_for_each(|doomed| tell(doomed, None))?;
    outcome.failed.into_iter().try_for_each(|(doomed, error)| tell(doomed, Some(error)))
}

/// Empties a bucket: every version, every delete marker, every upload that was begun.
///
/// # Errors
/// As [`remove_walk`].
pub async fn empty_bucket<E: From<S3Error>>(
    client: &Client,
    bucket: &str,
    options: RemovalOptions,
    mut tell: impl FnMut(Doomed, Option<S3Error>) -> Result<(), E>,
) -> Result<u64, E> {
    let versions = has_versions(client, bucket).await?;
    let walk = WalkOptions { versions, ..WalkOptions::default() };
    let seen = remove_walk(client, bucket, walk, options, |_| true, &mut tell).await?;
    let mut uploads = client.list_uploads(bucket, "");
    loop {
        let page = match uploads.next().await {
            Ok(Some(page)) => page,
            Ok(None) => return Ok(seen),
            // A store that has no such uploads has none to end.
            Err(error) if error.kind() == ErrorKind::Unsupported => return Ok(seen),
            Err(error) => return Err(error.into()),
        };
        for listed in page.into_iter().filter(|_| !options.dry_run) {
            client.abort(&listed.upload).await?;
        }
    }
}

/// Whether there is nothing in a bucket, old versions included. Some stores delete what is not empty without a word, so it
/// is asked before. Where versions may not be listed, objects alone are.
///
/// # Errors
/// [`S3Error`].
pub async fn is_empty(client: &Client, bucket: &str) -> Result<bool, S3Error> {
    for versions in [false, true] {
        let options = WalkOptions { versions, page: Some(1), ..WalkOptions::default() };
        let mut walk = Walk::new(client, bucket, options);
        loop {
            match walk.next().await {
                Ok(Some(step)) if step.entries.is_empty() => {}
                Ok(Some(_)) => return Ok(false),
                Ok(None) => break,
                Err(error) if versions && matches!(error.kind(), ErrorKind::Unsupported) => break,
                Err(error) if versions && error.code() == "AccessDenied" => break,
                Err(error) => return Err(error),
            }
        }
    }
    Ok(true)
}

/// False for a store that cannot list versions, and so has none.
async fn has_versions(client: &Client, bucket: &str) -> Result<bool, S3Error> {
    let options = WalkOptions { versions: true, page: Some(1), ..WalkOptions::default() };
    match Walk::new(client, bucket, options).next().await {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::Unsupported => Ok(false),
        Err(error) => Err(error),
    }
}
