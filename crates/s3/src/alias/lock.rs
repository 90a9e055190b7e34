//! One writer of the configuration file at a time, across processes.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hallpass_core::limits::CONFIG_LOCK_WAIT_S_MAX;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::error::{ErrorKind, S3Error};

/// Between two looks at a lock that somebody else holds.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Held from reading the file to replacing it; ends with the value, or with the process.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// Waits at most [`CONFIG_LOCK_WAIT_S_MAX`] for the lock beside `path`. The lock file stays: removing it would let two
/// writers hold two different files.
///
/// # Errors
/// [`ErrorKind::Conflict`] when it stays locked; else what the system said.
pub(crate) fn lock(path: &Path) -> Result<Lock, S3Error> {
    lock_within(path, Duration::from_secs(CONFIG_LOCK_WAIT_S_MAX))
}

fn lock_within(path: &Path, patience: Duration) -> Result<Lock, S3Error> {
    let beside = beside(path);
    let failed = |kind, why: String| S3Error::Local { path: beside.display().to_string(), message: why, kind };
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(&beside)
        .map_err(|e| failed(ErrorKind::General, format!("cannot be opened: {e}")))?;
    let begun = Instant::now();
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Lock { _file: file }),
            Err(Errno::WOULDBLOCK | Errno::INTR) if begun.elapsed() < patience => std::thread::sleep(LOOK_AGAIN),
            Err(Errno::WOULDBLOCK) => {
                let why = "another hallpass has kept the configuration locked; try again".to_owned();
                return Err(failed(ErrorKind::Conflict, why));
            }
            Err(errno) => {
                return Err(failed(ErrorKind::General, format!("cannot be locked: {}", io::Error::from(errno))));
            }
        }
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hallpass_core::limits::CONFIG_LOCK_WAIT_S_MAX;

    use super::{lock, lock_within};
    use crate::error::ErrorKind;

    #[test]
    fn a_second_writer_waits_and_gives_up_in_the_end() {
        assert!((1..=60).contains(&CONFIG_LOCK_WAIT_S_MAX), "a person waits for it");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("config.toml");
        let held = lock(&path).expect("free");
        let refused = lock_within(&path, Duration::from_millis(30)).expect_err("held");
        assert_eq!(refused.kind(), ErrorKind::Conflict);
        drop(held);
        lock_within(&path, Duration::ZERO).expect("free again");
    }
}
