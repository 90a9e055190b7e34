//! How another terminal reaches the keeper of a session: a Unix socket that only its owner can open, one line of
//! JSON for each message. What arrives is pushed into the gate; nothing is polled.

pub(crate) mod client;
pub(crate) mod protocol;
pub(crate) mod server;

use std::io;
use std::path::{Path, PathBuf};

/// The socket's name in the session's private folder.
pub(crate) const FILE: &str = "control";

/// The longest path that an address of a Unix socket holds with its final NUL (unix(7): 108 on Linux, 104 on macOS).
const ADDRESS_BYTES_MAX: usize = 103;

/// A socket's path, made short enough for an address: through a handle on its folder where it is too long itself.
#[derive(Debug)]
struct Short {
    path: PathBuf,
    _folder: Option<std::fs::File>,
}

impl Short {
    fn of(path: &Path) -> io::Result<Self> {
        use std::os::fd::AsRawFd;
        use std::os::unix::ffi::OsStrExt;
        if path.as_os_str().as_bytes().len() <= ADDRESS_BYTES_MAX {
            return Ok(Self { path: path.to_owned(), _folder: None });
        }
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        };
        let folder = std::fs::File::open(folder)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name);
        Ok(Self { path, _folder: Some(folder) })
    }
}
