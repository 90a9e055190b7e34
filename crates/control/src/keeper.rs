//! The process that answers for a session: as long as it lives, the session is its to end.

use std::io;
use std::path::PathBuf;

/// Identifies one process on one boot of one host, so that a reused process id is never taken for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Keeper {
    /// Process id.
    pub pid: u32,
    /// Start time of the process in clock ticks after boot (`/proc/<pid>/stat`, field 22; proc(5)).
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
    pub fn this_process(control_socket: PathBuf, user: String) -> io::Result<Self> {
        let pid = std::process::id();
        let started_ticks = started_ticks(pid)?.ok_or(io::ErrorKind::NotFound)?;
        Ok(Self { pid, started_ticks, boot_id: boot_id()?, control_socket, user })
    }

    /// True while exactly this process runs: same id, same start, same boot. When the system does not tell, the
    /// keeper counts as alive, because the end of a live one's session would be a lie.
    pub fn is_alive(&self) -> bool {
        let same_boot = boot_id().map_or(true, |now| now == self.boot_id);
        same_boot && started_ticks(self.pid).map_or(true, |now| now == Some(self.started_ticks))
    }
}

fn boot_id() -> io::Result<String> {
    match std::fs::read_to_string("/proc/sys/kernel/random/boot_id") {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error),
    }
}

/// Start of a process; `None` when it does not run, or is a zombie, which does nothing any more.
fn started_ticks(pid: u32) -> io::Result<Option<u64>> {
    // A process names itself in any bytes.
    let stat = match std::fs::read(format!("/proc/{pid}/stat")) {
        Ok(stat) => String::from_utf8_lossy(&stat).into_owned(),
        // A process that ends while it is being read gives ESRCH.
        Err(error) if error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(3) => return Ok(None),
        Err(error) => return Err(error),
    };
    // The second field, the name in parentheses, may hold anything, even spaces and parentheses.
    let rest = stat.rsplit_once(')').map(|(_, rest)| rest).ok_or(io::ErrorKind::InvalidData)?;
    let mut fields = rest.split_ascii_whitespace();
    if matches!(fields.next(), Some("Z" | "X")) {
        return Ok(None);
    }
    // The state was field 3; the start time is field 22.
    let ticks = fields.nth(18).and_then(|ticks| ticks.parse().ok());
    ticks.map(Some).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::Keeper;

    #[test]
    fn this_process_is_alive_and_another_start_or_boot_is_not_it() {
        let keeper = Keeper::this_process("/run/s".into(), "me".into()).expect("proc");
        assert!(keeper.is_alive());
        assert!(!Keeper { started_ticks: keeper.started_ticks + 1, ..keeper.clone() }.is_alive());
        assert!(!Keeper { boot_id: "another".into(), ..keeper.clone() }.is_alive());
        assert!(!Keeper { pid: u32::MAX, ..keeper }.is_alive());
    }

    #[test]
    fn a_dead_child_that_nobody_waited_for_is_not_alive() {
        let mut child = std::process::Command::new("/bin/sleep").arg("30").spawn().expect("sleep");
        let own = Keeper::this_process("/run/s".into(), "me".into()).expect("proc");
        let ticks = super::started_ticks(child.id()).expect("proc").expect("runs");
        let keeper = Keeper { pid: child.id(), started_ticks: ticks, ..own };
        assert!(keeper.is_alive());
        child.kill().expect("kill");
        let gone = (0..200).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(5));
            !keeper.is_alive()
        });
        child.wait().expect("wait");
        assert!(gone, "a zombie keeps nothing");
    }
}
