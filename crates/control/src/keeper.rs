//! The process that answers for a session: as long as it lives, the session is its to end.

use std::path::PathBuf;

/// Identifies one process on one boot of one host, so that a reused process id is never taken for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Keeper {
    /// Process id.
    pub pid: u32,
    /// Start time of the process in clock ticks after boot (`/proc/<pid>/stat`, field 22).
    pub started_ticks: u64,
    /// The kernel's random id of this boot (`/proc/sys/kernel/random/boot_id`); empty where there is none.
    pub boot_id: String,
    /// Where it listens for `kill`.
    pub control_socket: PathBuf,
    /// Name of the OS user that it runs as.
    pub user: String,
}

impl Keeper {
    /// The calling process as the keeper of a session.
    ///
    /// # Errors
    /// When `/proc` does not tell the start time of this process.
    pub fn this_process(control_socket: PathBuf, user: String) -> std::io::Result<Self> {
        let _ = (control_socket, user);
        Err(std::io::ErrorKind::Unsupported.into())
    }

    /// True while exactly this process runs: same id, same start, same boot.
    pub fn is_alive(&self) -> bool {
        false
    }
}
