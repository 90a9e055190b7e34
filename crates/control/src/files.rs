//! The state directory: what lies in it, who may own it, with which modes it is made.

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use crate::store::StoreError;

/// The database.
pub const DATABASE: &str = "hallpass.db";
/// The private key that signs checkpoints.
pub const KEY: &str = "checkpoint.key";
/// Every checkpoint once more, outside the database.
pub const ANCHOR: &str = "checkpoints.log";
/// Given up when the disk is full.
pub(crate) const RESERVE: &str = "reserve";

const WRITABLE_BY_OTHERS: u32 = 0o022;
const OPEN_TO_OTHERS: u32 = 0o077;

/// Who may do what with a file besides its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Privacy {
    /// Nobody else may write it.
    Unwritable,
    /// Nobody else may even read it.
    Unreadable,
}

/// Makes the directory with mode 0700 if it is missing, and checks that it is ours.
pub(crate) fn prepare_dir(dir: &Path) -> Result<(), StoreError> {
    let make = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    make.map_err(|error| failed("make", dir, &error))?;
    check_dir(dir)
}

/// Checks that the directory is ours and that nobody else can write in it.
pub(crate) fn check_dir(dir: &Path) -> Result<(), StoreError> {
    let metadata = std::fs::metadata(dir).map_err(|error| failed("look at", dir, &error))?;
    if !metadata.is_dir() {
        return Err(StoreError::Insecure(format!("`{}` is not a directory", dir.display())));
    }
    check(dir, &metadata, Privacy::Unwritable)
}

/// Opens a file for reading and writing, made with mode 0600 if it is missing. A symbolic link is not followed.
pub(crate) fn open_or_make(path: &Path, privacy: Privacy) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    open(path, &mut options, privacy)
}

/// Opens a file for reading; `None` when there is none. A symbolic link is not followed.
pub(crate) fn open_existing(path: &Path, privacy: Privacy) -> Result<Option<File>, StoreError> {
    if let Err(error) = std::fs::symlink_metadata(path)
        && error.kind() == io::ErrorKind::NotFound
    {
        return Ok(None);
    }
    open(path, OpenOptions::new().read(true), privacy).map(Some)
}

/// Makes a new file with mode 0600; fails when there is one.
pub(crate) fn make_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Makes the names in a directory survive a power failure.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|error| failed("sync", dir, &error))
}

/// The store's error for an error of the operating system.
pub(crate) fn failed(verb: &str, path: &Path, error: &io::Error) -> StoreError {
    let text = format!("cannot {verb} `{}`: {error}", path.display());
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::DiskFull(text),
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => StoreError::ReadOnly(text),
        _ => StoreError::Io(text),
    }
}

fn open(path: &Path, options: &mut OpenOptions, privacy: Privacy) -> Result<File, StoreError> {
    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let file = options.custom_flags(no_follow).open(path).map_err(|error| match error.raw_os_error() {
        Some(code) if code == rustix::io::Errno::LOOP.raw_os_error() => StoreError::Insecure(format!(
            "`{}` is a symbolic link: the store's files must be real ones",
            path.display()
        )),
        _ => failed("open", path, &error),
    })?;
    let metadata = file.metadata().map_err(|error| failed("look at", path, &error))?;
    if !metadata.is_file() {
        return Err(StoreError::Insecure(format!("`{}` is not a regular file", path.display())));
    }
    check(path, &metadata, privacy)?;
    Ok(file)
}

fn check(path: &Path, metadata: &Metadata, privacy: Privacy) -> Result<(), StoreError> {
    let shown = path.display();
    let ours = rustix::process::geteuid().as_raw();
    if metadata.uid() != ours {
        let owner = metadata.uid();
        return Err(StoreError::Insecure(format!(
            "`{shown}` belongs to user {owner}, this program runs as user {ours}: give it to {ours}, or use another state directory"
        )));
    }
    let (mask, verb, fix) = match privacy {
        Privacy::Unwritable => (WRITABLE_BY_OTHERS, "written", "go-w"),
        Privacy::Unreadable => (OPEN_TO_OTHERS, "read or written", "go-rwx"),
    };
    if metadata.mode() & mask != 0 {
        return Err(StoreError::Insecure(format!(
            "`{shown}` can be {verb} by other users (mode {:03o}): run `chmod {fix} {shown}`",
            metadata.mode() & 0o777
        )));
    }
    Ok(())
}
