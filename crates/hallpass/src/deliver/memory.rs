//! Where the private folders of sessions live: in memory when the system has such a place, so that nothing of a
//! session ever reaches a disk, and because making a dozen small files there costs a tenth of what it costs on a disk.
//!
//! The choice is written down as the link `run` in the state directory, so that another terminal (with other
//! variables, under `sudo`, from cron) finds the sessions that this one lends.

use std::io::{self, ErrorKind};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::place::{is_private, make_private};
use crate::environment;

/// Memory that every Linux system has.
const SHARED_MEMORY: &str = "/dev/shm";

/// The folder of private folders that belongs to `state_dir`.
///
/// A `run` that is there already is obeyed: a link, or a folder that an older version made and that still holds
/// something. A link whose target went away with a restart of the machine is drawn anew.
///
/// # Errors
/// When the folder belongs to somebody else or can be reached by others: it is never used, and never repaired.
pub(super) fn base(state_dir: &Path) -> io::Result<PathBuf> {
    let link = state_dir.join("run");
    match std::fs::read_link(&link) {
        Ok(target) if is_private(&target).is_ok() => return Ok(target),
        Ok(_) => remove(&link, |path| std::fs::remove_file(path))?,
        // A folder goes only when it is empty.
        Err(error) if error.kind() == ErrorKind::InvalidInput => match std::fs::remove_dir(&link) {
            Err(error) if error.kind() != ErrorKind::NotFound => return kept(link),
            _ => {}
        },
        Err(_) => {}
    }
    let Some(target) = in_memory() else { return kept(link) };
    match symlink(&target, &link) {
        // Another process was faster: its choice holds.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => base_of(&link),
        Err(error) => Err(error),
        Ok(()) => Ok(target),
    }
}

fn base_of(link: &Path) -> io::Result<PathBuf> {
    match std::fs::read_link(link) {
        Ok(target) => is_private(&target).map(|()| target),
        Err(_) => kept(link.to_path_buf()),
    }
}

/// On the disk, in the state directory itself.
fn kept(folder: PathBuf) -> io::Result<PathBuf> {
    make_private(&folder)?;
    Ok(folder)
}

fn remove(path: &Path, how: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    match how(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// `XDG_RUNTIME_DIR` when it is ours alone, else a folder of ours in shared memory; `None` when neither can be trusted.
fn in_memory() -> Option<PathBuf> {
    let runtime = environment::os(environment::XDG_RUNTIME_DIR).map(PathBuf::from);
    let runtime =
        runtime.filter(|path| path.is_absolute() && is_private(path).is_ok()).map(|path| path.join("hallpass"));
    let user = rustix::process::geteuid().as_raw();
    let shared = Path::new(SHARED_MEMORY).join(format!("hallpass-{user}"));
    runtime.into_iter().chain([shared]).find(|path| make_private(path).is_ok())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::base;

    #[test]
    fn every_process_finds_the_folder_that_the_first_one_chose() {
        let state = tempfile::tempdir().expect("folder");
        let chosen = base(state.path()).expect("chosen");
        assert_eq!(base(state.path()).expect("found"), chosen);
        let other = tempfile::tempdir().expect("folder");
        std::fs::set_permissions(other.path(), std::fs::Permissions::from_mode(0o700)).expect("permissions");
        std::fs::remove_file(state.path().join("run")).expect("a link");
        symlink(other.path(), state.path().join("run")).expect("link");
        assert_eq!(base(state.path()).expect("found"), other.path(), "the link is obeyed");
    }

    #[test]
    fn a_link_to_a_place_that_is_gone_or_open_to_others_is_drawn_anew() {
        let state = tempfile::tempdir().expect("folder");
        symlink(state.path().join("gone"), state.path().join("run")).expect("link");
        let chosen = base(state.path()).expect("chosen");
        assert!(chosen.is_dir());
        let open = state.path().join("open");
        std::fs::create_dir(&open).expect("made");
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o755)).expect("permissions");
        std::fs::remove_file(state.path().join("run")).expect("a link");
        symlink(&open, state.path().join("run")).expect("link");
        assert_eq!(base(state.path()).expect("chosen"), chosen);
    }

    #[test]
    fn a_folder_of_an_older_version_stays_until_it_is_empty() {
        let state = tempfile::tempdir().expect("folder");
        let run = state.path().join("run");
        std::fs::create_dir(&run).expect("made");
        std::fs::set_permissions(&run, std::fs::Permissions::from_mode(0o700)).expect("permissions");
        std::fs::write(run.join("session"), "").expect("written");
        assert_eq!(base(state.path()).expect("kept"), run);
        std::fs::remove_file(run.join("session")).expect("removed");
        assert_ne!(base(state.path()).expect("moved"), run);
    }
}
