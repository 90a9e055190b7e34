//! The file of a download that is not whole yet.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hallpass_core::limits::{S3_STATE_BYTES_MAX, S3_STATE_INTERVAL_S};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::TransferOptions;
use super::parts::{Range, part_size, ranges};
use super::state::{local, replace};
use crate::client::ObjectHead;
use crate::client::payload::off_thread;
use crate::error::{ErrorKind, S3Error};

/// The version of the format; another one is not read.
const VERSION: u32 = 1;

/// What is remembered beside the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Note {
    version: u32,
    etag: String,
    size: u64,
    part_size: u64,
    /// Numbers of the ranges that are in the file, as runs: first and last.
    done: Vec<(u32, u32)>,
}

/// A file that is being downloaded.
#[derive(Debug)]
pub(crate) struct Partial {
    target: PathBuf,
    path: PathBuf,
    pub(crate) file: Arc<File>,
    note: Option<Note>,
    pub(crate) part_size: u64,
    size: u64,
    pub(crate) done: BTreeSet<u32>,
    noted: Instant,
}

/// Where a download really goes: through symbolic links, and never over what is no file.
pub(crate) async fn target(to: &Path) -> Result<PathBuf, S3Error> {
    let to = to.to_owned();
    off_thread(move || resolved(&to)).await
}

fn resolved(to: &Path) -> Result<PathBuf, S3Error> {
    // Only what a link leads to has another name; the look is one call, where resolving a path is one for each folder.
    let found = match fs::symlink_metadata(to) {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(to.to_owned()),
        Err(error) => return Err(local(to, &error)),
    };
    let link = found.is_symlink();
    // Asked for through the link: what `/dev/stdout` leads to has no path.
    let behind = if link { fs::metadata(to) } else { Ok(found) };
    let behind = behind.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => leads_nowhere(to),
        _ => local(to, &error),
    })?;
    if !behind.is_file() {
        return Err(S3Error::usage_with(
            format!("`{}` is no file, and would be replaced", to.display()),
            "name a file, or write `-` for the standard output",
        ));
    }
    if link { fs::canonicalize(to).map_err(|e| local(to, &e)) } else { Ok(to.to_owned()) }
}

fn leads_nowhere(link: &Path) -> S3Error {
    let message = "it is a link that leads nowhere, and would be replaced: remove it, or name another file".to_owned();
    S3Error::Local { path: link.display().to_string(), message, kind: ErrorKind::Conflict }
}

/// Beside the target, so that it can be renamed into its place; its name is short enough for every file system.
fn beside(target: &Path) -> PathBuf {
    let name = target.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let plain = format!(".{name}.hallpass-part");
    // The note beside it has five characters more.
    let name =
        if plain.len() <= 250 { plain } else { format!(".{}.hallpass-part", hex::encode(Sha256::digest(&name))) };
    target.with_file_name(name)
}

/// True for the name of a file that only an unfinished download has: it is nobody's data.
pub(crate) fn is_unfinished(name: &str) -> bool {
    name.starts_with('.') && (name.ends_with(".hallpass-part") || name.ends_with(".hallpass-part.json"))
}

fn note_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".json");
    PathBuf::from(name)
}

/// The file, new or left by an interrupted download; never through a link that somebody put there.
fn create(path: &Path) -> std::io::Result<File> {
    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    OpenOptions::new().read(true).write(true).create(true).truncate(false).custom_flags(no_follow).open(path)
}

/// Writes a small file whole, to where [`target`] says.
pub(crate) fn write_whole(to: &Path, bytes: &[u8], durable: bool) -> Result<(), S3Error> {
    let target = &resolved(to)?;
    let path = beside(target);
    let mut file = create(&path).map_err(|e| local(&path, &e))?;
    lock(&file, target)?;
    let written = as_before(&file, target, 0).and_then(|()| file.set_len(0)).and_then(|()| file.write_all(bytes));
    let written = written.and_then(|()| if durable { file.sync_all() } else { Ok(()) });
    let placed = written.and_then(|()| fs::rename(&path, target)).map_err(|e| local(target, &e));
    if placed.is_err() {
        drop(fs::remove_file(&path));
    }
    if durable { placed.and_then(|()| sync_folder(target)) } else { placed }
}

/// A file that is replaced keeps its mode, and `more` as long as it is written: what only its owner could read stays so.
fn as_before(file: &File, target: &Path, more: u32) -> std::io::Result<()> {
    match fs::metadata(target) {
        Ok(before) => file.set_permissions(Permissions::from_mode(before.mode() & 0o777 | more)),
        Err(_) => Ok(()),
    }
}

fn lock(file: &File, target: &Path) -> Result<(), S3Error> {
    file.try_lock().map_err(|_| S3Error::Local {
        path: target.display().to_string(),
        message: "another download writes this file: wait for it, or stop it".to_owned(),
        kind: ErrorKind::Conflict,
    })
}

fn sync_folder(target: &Path) -> Result<(), S3Error> {
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|e| local(folder, &e))
}

impl Partial {
    /// Opens the file, with room for all bytes, and goes on from what an interrupted download of the same state of the
    /// object left.
    pub(crate) async fn open(target: &Path, head: &ObjectHead, options: &TransferOptions) -> Result<Self, S3Error> {
        let (target, size, etag) = (target.to_owned(), head.size, head.etag.clone());
        let (resume, asked) = (options.resume, options.part_size);
        let fresh = part_size(size, asked)?;
        off_thread(move || {
            let path = beside(&target);
            let file = create(&path).map_err(|e| local(&path, &e))?;
            lock(&file, &target)?;
            let known = read_note(&path)
                .filter(|note| resume && note.size == size && Some(&note.etag) == etag.as_ref() && note.part_size > 0);
            let room = || {
                as_before(&file, &target, 0o600)?;
                if known.is_none() {
                    file.set_len(0)?;
                    allocate(&file, size)?;
                }
                file.set_len(size)
            };
            if let Err(error) = room() {
                drop(fs::remove_file(&path));
                return Err(local(&path, &error));
            }
            let part_size = known.as_ref().map_or(fresh, |note| note.part_size);
            let count = u32::try_from(size.div_ceil(part_size)).unwrap_or(u32::MAX);
            let done =
                known.iter().flat_map(|note| note.done.iter().flat_map(|(first, last)| *first..=(*last).min(count)));
            let done = done.filter(|number| *number > 0).collect();
            let note =
                etag.filter(|_| resume).map(|etag| Note { version: VERSION, etag, size, part_size, done: Vec::new() });
            let file = Arc::new(file);
            Ok(Self { target, path, file, note, part_size, size, done, noted: Instant::now() })
        })
        .await
    }

    /// Bytes that are there already.
    pub(crate) fn resumed(&self) -> u64 {
        ranges(self.size, self.part_size)
            .filter(|range| self.done.contains(&range.number))
            .map(|range| range.length)
            .sum()
    }

    /// A range is in the file. Now and then that is remembered, after the bytes themselves are on the disk.
    pub(crate) async fn has(&mut self, range: Range) {
        self.done.insert(range.number);
        if self.noted.elapsed() >= Duration::from_secs(S3_STATE_INTERVAL_S) {
            self.remember().await;
            self.noted = Instant::now();
        }
    }

    async fn remember(&self) {
        let Some(note) = &self.note else { return };
        let note = Note { done: runs(&self.done), ..note.clone() };
        let (file, path) = (Arc::clone(&self.file), note_of(&self.path));
        let remembered = off_thread(move || {
            let text = serde_json::to_vec(&note).map_err(|e| local(&path, &std::io::Error::other(e)))?;
            file.sync_data().and_then(|()| replace(&path, &text)).map_err(|e| local(&path, &e))
        });
        if let Err(error) = remembered.await {
            tracing::warn!(%error, "this download could not go on if it were interrupted");
        }
    }

    /// The file is whole: puts it in its place.
    pub(crate) async fn finish(self, durable: bool) -> Result<(), S3Error> {
        off_thread(move || {
            let kept = as_before(&self.file, &self.target, 0);
            let synced = kept.and_then(|()| if durable { self.file.sync_all() } else { Ok(()) });
            let placed = synced.and_then(|()| fs::rename(&self.path, &self.target));
            if let Err(error) = placed {
                drop(fs::remove_file(&self.path));
                return Err(local(&self.target, &error));
            }
            drop(fs::remove_file(note_of(&self.path)));
            if durable { sync_folder(&self.target) } else { Ok(()) }
        })
        .await
    }

    /// The file will not be whole now: it stays for the next time, or goes.
    pub(crate) async fn leave(self, stays: bool) {
        if stays && self.note.is_some() {
            return self.remember().await;
        }
        let removed = off_thread(move || {
            drop(fs::remove_file(note_of(&self.path)));
            fs::remove_file(&self.path).map_err(|e| local(&self.path, &e))
        });
        if let Err(error) = removed.await {
            tracing::warn!(%error, "a file that is half downloaded stays");
        }
    }
}

/// Takes the room now, so that a full disk is found before the first byte and not after the last.
fn allocate(file: &File, size: u64) -> std::io::Result<()> {
    if size == 0 {
        return Ok(());
    }
    match rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, size) {
        Err(rustix::io::Errno::NOSPC) => Err(rustix::io::Errno::NOSPC.into()),
        // Not every file system can.
        Ok(()) | Err(_) => Ok(()),
    }
}

fn read_note(path: &Path) -> Option<Note> {
    let mut text = String::new();
    File::open(note_of(path)).ok()?.take(S3_STATE_BYTES_MAX).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok().filter(|note: &Note| note.version == VERSION)
}

/// Numbers as runs: there are few, because ranges are fetched in order.
fn runs(done: &BTreeSet<u32>) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for number in done {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => runs.push((*number, *number)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{beside, note_of, runs};

    #[test]
    fn the_file_of_a_download_has_a_name_that_every_file_system_takes() {
        assert_eq!(beside(Path::new("/a/b.txt")), Path::new("/a/.b.txt.hallpass-part"));
        let long = "x".repeat(255);
        let path = beside(&Path::new("/a").join(long));
        assert!(note_of(&path).file_name().expect("a name").len() <= 255);
    }

    #[test]
    fn ranges_that_are_there_are_remembered_as_runs() {
        assert_eq!(runs(&[1, 2, 3, 7, 9, 10].into()), [(1, 3), (7, 7), (9, 10)]);
        assert_eq!(runs(&[].into()), []);
    }
}
