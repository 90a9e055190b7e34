//! Processes as `/proc` shows them: who descends from whom, and signals that hit the right one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::str::SplitAsciiWhitespace;

use rustix::process::{Pid, Signal};

/// The fields of `/proc/<pid>/stat` that we need (proc_pid_stat(5)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    /// Process id.
    pub(crate) pid: u32,
    /// `R`, `S`, `D`, `T`, `Z` …
    pub(crate) state: u8,
    /// Parent.
    pub(crate) parent: u32,
    /// Process group.
    pub(crate) group: u32,
    /// Start time, clock ticks since boot.
    pub(crate) start_ticks: u64,
}

impl Stat {
    /// True unless it is dead and only waits to be reaped.
    pub(crate) fn runs(&self) -> bool {
        !matches!(self.state, b'Z' | b'X')
    }

    /// What tells this process from every other of this boot.
    pub(crate) fn key(&self) -> (u32, u64) {
        (self.pid, self.start_ticks)
    }
}

/// One process, if it exists.
pub(crate) fn stat(pid: u32) -> Option<Stat> {
    let bytes = made_up(&format!("/proc/{pid}/stat")).ok()?;
    // A process names itself, in any bytes: one that is not seen would outlive its session.
    parse(pid, &String::from_utf8_lossy(&bytes))
}

/// A file that the kernel makes up while it is read, as short as the kernel keeps it. Such files tell no length before,
/// and to find their end in small pieces costs more than all the rest.
///
/// # Errors
/// As the operating system says.
pub(crate) fn made_up(path: &str) -> io::Result<Vec<u8>> {
    made_up_to(path, u64::MAX)
}

/// As [`made_up`], but no more than the first `most` bytes.
///
/// # Errors
/// As the operating system says.
pub(crate) fn made_up_to(path: &str, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(PAGE_BYTES);
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Nearly all that the kernel makes up fits into a page.
const PAGE_BYTES: usize = 4_096;

/// The fields of `/proc/<pid>/stat` from the third on (`proc_pid_stat(5)`). The name in the second may hold spaces and
/// parentheses, so they are counted from its last `)`.
pub(crate) fn fields_from_third(stat: &str) -> Option<SplitAsciiWhitespace<'_>> {
    Some(stat[stat.rfind(')')? + 1..].split_ascii_whitespace())
}

fn parse(pid: u32, text: &str) -> Option<Stat> {
    let mut fields = fields_from_third(text)?;
    let state = *fields.next()?.as_bytes().first()?;
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    let start_ticks = fields.nth(16)?.parse().ok()?;
    Some(Stat { pid, state, parent, group, start_ticks })
}

/// Every running process that descends from `root`, without `root` itself. Because the supervisor is a child
/// subreaper, a process whose parent died is still among them.
///
/// # Errors
/// When `/proc` cannot be listed.
pub(crate) fn descendants(root: u32) -> io::Result<Vec<Stat>> {
    let mut children: BTreeMap<u32, Vec<Stat>> = BTreeMap::new();
    for process in all()? {
        children.entry(process.parent).or_default().push(process);
    }
    let mut found = Vec::new();
    let mut seen = BTreeSet::from([root]);
    let mut open = vec![root];
    while let Some(parent) = open.pop() {
        for child in children.remove(&parent).unwrap_or_default() {
            if seen.insert(child.pid) {
                open.push(child.pid);
                found.push(child);
            }
        }
    }
    found.retain(Stat::runs);
    Ok(found)
}

/// Those of `alive` that are not below another process of our own program: a session inside this one tells its
/// processes itself, and tells them once. When it dies before them, they are no longer below it.
pub(crate) fn not_supervised(alive: &[Stat]) -> Vec<Stat> {
    let own = program(std::process::id());
    let parents: BTreeMap<u32, u32> = alive.iter().map(|process| (process.pid, process.parent)).collect();
    let supervisors: BTreeSet<u32> =
        parents.keys().copied().filter(|pid| own.is_some() && program(*pid) == own).collect();
    let supervised = |process: &&Stat| {
        let mut above = process.parent;
        // A number taken anew while we looked could close a circle.
        for _ in 0..parents.len() {
            if supervisors.contains(&above) {
                return true;
            }
            let Some(next) = parents.get(&above) else { return false };
            above = *next;
        }
        false
    };
    alive.iter().filter(|process| !supervised(process)).copied().collect()
}

/// What a process runs: device and inode of the file; `None` where that may not be asked.
fn program(pid: u32) -> Option<(u64, u64)> {
    std::fs::metadata(format!("/proc/{pid}/exe")).ok().map(|file| (file.dev(), file.ino()))
}

/// The dead children of `parent` that nobody has reaped.
///
/// # Errors
/// When `/proc` cannot be listed.
pub(crate) fn zombies_of(parent: u32) -> io::Result<Vec<Stat>> {
    Ok(all()?.into_iter().filter(|process| process.parent == parent && process.state == b'Z').collect())
}

fn all() -> io::Result<Vec<Stat>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        // A process that is gone by now has no stat, and needs none.
        found.extend(entry?.file_name().to_str().and_then(|name| name.parse().ok()).and_then(stat));
    }
    Ok(found)
}

/// The number as the system calls take it.
pub(crate) fn pid(raw: u32) -> Option<Pid> {
    i32::try_from(raw).ok().and_then(Pid::from_raw)
}

/// Signals exactly the process that `target` describes, even when its number has been taken by another since.
/// A process that is gone is no error.
#[cfg(target_os = "linux")]
pub(crate) fn signal(target: &Stat, signal: Signal) -> io::Result<()> {
    use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};
    let Some(pid) = pid(target.pid) else { return Ok(()) };
    let handle = match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(handle) => handle,
        Err(error) => return unless_gone(error),
    };
    // The handle now pins the process; what it pins must be what was meant.
    match stat(target.pid) {
        Some(now) if now.key() == target.key() => pidfd_send_signal(&handle, signal).or_else(unless_gone),
        _ => Ok(()),
    }
}

/// As on Linux, without a handle that pins the process.
#[cfg(not(target_os = "linux"))]
pub(crate) fn signal(target: &Stat, signal: Signal) -> io::Result<()> {
    let Some(pid) = pid(target.pid) else { return Ok(()) };
    rustix::process::kill_process(pid, signal).or_else(unless_gone)
}

fn unless_gone(error: rustix::io::Errno) -> io::Result<()> {
    if error == rustix::io::Errno::SRCH { Ok(()) } else { Err(error.into()) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;
    use std::process::Command;

    use rustix::process::Signal;

    use super::{descendants, parse, signal, stat};

    #[test]
    fn a_name_with_spaces_and_parentheses_shifts_no_field() {
        let line = "77 (a) b) (c) S 12 34 56 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2";
        let stat = parse(77, line).expect("parses");
        assert_eq!((stat.state, stat.parent, stat.group, stat.start_ticks), (b'S', 12, 34, 987_654));
        assert!(parse(1, "1 (x").is_none());
    }

    #[test]
    fn a_process_whose_name_is_no_text_is_seen() {
        let folder = tempfile::tempdir().expect("folder");
        let program = folder.path().join(std::ffi::OsStr::from_bytes(b"\xff\xfe"));
        std::fs::copy("/bin/sleep", &program).expect("copied");
        let mut child = Command::new(program).arg("30").spawn().expect("spawns");
        let seen = stat(child.id()).map(|found| found.parent);
        child.kill().and_then(|()| child.wait()).expect("ended");
        assert_eq!(seen, Some(std::process::id()));
    }

    #[test]
    fn grandchildren_are_descendants_and_a_namesake_is_not_signalled() {
        let mut child = Command::new("sh").args(["-c", "sleep 30 & wait"]).spawn().expect("spawns");
        let begun = std::time::Instant::now();
        let family = loop {
            let family = descendants(std::process::id()).expect("/proc");
            let ours: Vec<_> = family.into_iter().filter(|p| p.pid == child.id() || p.parent == child.id()).collect();
            if ours.len() == 2 || begun.elapsed().as_secs() > 10 {
                break ours;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        };
        assert_eq!(family.len(), 2, "{family:?}");
        for process in &family {
            let mut namesake = *process;
            namesake.start_ticks += 1;
            signal(&namesake, Signal::KILL).expect("no error");
            assert!(stat(process.pid).is_some_and(|s| s.runs()), "the wrong process was signalled");
            signal(process, Signal::KILL).expect("signalled");
        }
        child.wait().expect("reaped");
    }
}
