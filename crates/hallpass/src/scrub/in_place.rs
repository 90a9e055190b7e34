//! Clears entries of our own environment where the kernel shows them.
//!
//! `/proc/<pid>/environ` is a window on the memory in which the kernel laid the environment down when the process
//! started (`proc_pid_environ(5)`), so what is overwritten there is gone from the window. A cleared entry is an empty
//! string, which the C library and `std::env` pass over. This costs a tenth of a start of the program.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;

use crate::supervise::processes::{fields_from_third, made_up};

/// Clears every entry whose name does not stay. Call it while there is one thread, and before the process is made
/// undumpable: its memory cannot be opened any more then.
///
/// # Errors
/// Where the kernel does not tell where the environment lies, does not let us write there, or still shows an entry
/// that was to go (other systems' `/proc`, sandboxes). Nothing else was changed then.
pub(super) fn clear(stays: &dyn Fn(&OsString) -> bool) -> io::Result<()> {
    let stat = made_up("/proc/self/stat")?;
    let (start, end) = area(&String::from_utf8_lossy(&stat))
        .ok_or_else(|| io::Error::other("the kernel does not say where the environment is"))?;
    let memory = OpenOptions::new().read(true).write(true).open("/proc/self/mem")?;
    let mut bytes = vec![0; usize::try_from(end - start).map_err(io::Error::other)?];
    memory.read_exact_at(&mut bytes, start)?;
    if made_up("/proc/self/environ")? != bytes {
        return Err(io::Error::other("the environment is not where the kernel says"));
    }
    blank(&mut bytes, stays);
    write(&memory, &bytes, start)?;
    let shown = super::decode(&made_up("/proc/self/environ")?);
    match shown.keys().all(stays) {
        true => Ok(()),
        false => Err(io::Error::other("the kernel still shows what was cleared")),
    }
}

fn write(memory: &File, bytes: &[u8], start: u64) -> io::Result<()> {
    if hallpass_control::failpoint::broken("scrub::in-place") {
        return Err(io::Error::other("injected"));
    }
    memory.write_all_at(bytes, start)
}

/// Where the environment begins and ends: fields 50 and 51 of `/proc/<pid>/stat` (`proc_pid_stat(5)`).
fn area(stat: &str) -> Option<(u64, u64)> {
    let mut fields = fields_from_third(stat)?;
    let start = fields.nth(47)?.parse().ok()?;
    let end = fields.next()?.parse().ok()?;
    (0 < start && start < end).then_some((start, end))
}

/// Zeroes the entries that do not stay.
fn blank(environment: &mut [u8], stays: &dyn Fn(&OsString) -> bool) {
    for entry in environment.split_mut(|byte| *byte == 0) {
        let end = super::end_of_name(entry).unwrap_or(entry.len());
        let name = OsStr::from_bytes(&entry[..end]).to_owned();
        if !stays(&name) {
            entry.fill(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::{area, blank};

    #[test]
    fn only_what_stays_is_left_and_nothing_moves() {
        let mut bytes = *b"A=1\0SECRET=x=y\0B=\0SECRET\0=::=odd\0";
        blank(&mut bytes, &|name: &OsString| name != "SECRET");
        assert_eq!(&bytes, b"A=1\0\0\0\0\0\0\0\0\0\0\0\0B=\0\0\0\0\0\0\0\0=::=odd\0");
    }

    #[test]
    fn the_place_is_read_whatever_the_process_is_called() {
        let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
        let (start, end) = area(&stat).expect("our own");
        assert!(start < end);
        let tail = stat[stat.rfind(')').expect("a name")..].to_owned();
        assert_eq!(area(&format!("1 (a) b) (c{tail}")), Some((start, end)));
        for bad in ["", "1 (a", "1 (a) S 1 2 3", "no name"] {
            assert_eq!(area(bad), None, "{bad}");
        }
        let hidden = format!("1 (a) S {}", "0 ".repeat(60));
        assert_eq!(area(&hidden), None, "others see zeros");
    }
}
