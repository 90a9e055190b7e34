//! A private folder for one session: empty files that tools are pointed at, files that are handed over, the control
//! socket. Gone with the session, and swept by the next start when the session was killed.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use hallpass_core::id::SessionId;

use super::memory;

/// The folder of every session's folder.
#[derive(Debug, Clone)]
pub(crate) struct Root(PathBuf);

impl Root {
    /// In memory where the system has such a place, else in the state directory ([`memory::base`]). Each state
    /// directory has its own, so that sweeping one never touches the sessions of another.
    ///
    /// # Errors
    /// When a folder belongs to somebody else or can be reached by others: it is never used, and never repaired.
    pub(crate) fn open(state_dir: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(state_dir)?;
        is_ours(state_dir, 0o022, "can be changed by other users (chmod go-w it)")?;
        let state = std::fs::metadata(state_dir)?;
        Ok(Self(memory::base(state_dir)?.join(format!("{:x}-{:x}", state.dev(), state.ino()))))
    }

    /// Makes the folder of a session. It must not exist yet.
    ///
    /// # Errors
    /// As the operating system says.
    pub(crate) fn place(&self, session: &SessionId) -> io::Result<Place> {
        let path = self.0.join(session.as_str());
        loop {
            make_private(&self.0)?;
            match DirBuilder::new().mode(0o700).create(&path) {
                // The last session of another process took the empty parent away in between.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                made => return made.map(|()| Place { path, kept: false }),
            }
        }
    }

    /// The path of a session's folder, whether it exists or not.
    pub(crate) fn path_of(&self, session: &SessionId) -> PathBuf {
        self.0.join(session.as_str())
    }

    /// The sessions that have a folder.
    ///
    /// # Errors
    /// As the operating system says.
    pub(crate) fn sessions(&self) -> io::Result<Vec<SessionId>> {
        let entries = match std::fs::read_dir(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?.collect::<io::Result<Vec<_>>>()?,
        };
        Ok(entries.into_iter().filter_map(|e| SessionId::new(e.file_name().to_str()?).ok()).collect())
    }

    /// Removes what a killed session left behind.
    ///
    /// # Errors
    /// As the operating system says; a folder that is gone already is no error.
    pub(crate) fn remove(&self, session: &SessionId) -> io::Result<()> {
        match std::fs::remove_dir_all(self.path_of(session)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }
}

/// One session's folder. Dropping it removes it, unless [`Place::keep`] was said.
#[derive(Debug)]
pub(crate) struct Place {
    path: PathBuf,
    kept: bool,
}

impl Place {
    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a file that only its owner can read. It must not exist yet.
    ///
    /// # Errors
    /// As the operating system says.
    pub(crate) fn file(&self, name: &str, contents: &[u8]) -> io::Result<PathBuf> {
        let (path, mut file) = self.create(name)?;
        file.write_all(contents)?;
        Ok(path)
    }

    /// As [`Place::file`], still to be written.
    ///
    /// # Errors
    /// As the operating system says.
    pub(crate) fn create(&self, name: &str) -> io::Result<(PathBuf, File)> {
        let path = self.path.join(name);
        let file = create_new(&path)?;
        Ok((path, file))
    }

    /// Leaves the folder where it is: its session outlives this process.
    pub(crate) fn keep(mut self) {
        self.kept = true;
    }

    /// Makes an empty folder. It must not exist yet.
    ///
    /// # Errors
    /// As the operating system says.
    pub(crate) fn folder(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.path.join(name);
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(path)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            tracing::warn!(%error, path = %self.path.display(), "the session's private folder stays; the next start removes it");
        }
        // The last one out; refused while there are others.
        self.path.parent().map(std::fs::remove_dir);
    }
}

/// Writes a file that did not exist, with mode 0600 from its first moment.
///
/// # Errors
/// As the operating system says.
pub(crate) fn write_new(path: &Path, contents: &[u8]) -> io::Result<()> {
    create_new(path)?.write_all(contents)
}

fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Replaces a file in one step: a reader sees the old contents or the new, never a part.
///
/// # Errors
/// As the operating system says.
pub(crate) fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    let next = path.with_extension("next");
    // Left by a writer that was killed.
    drop(std::fs::remove_file(&next));
    write_new(&next, contents)?;
    std::fs::rename(&next, path)
}

pub(super) fn make_private(path: &Path) -> io::Result<()> {
    match DirBuilder::new().recursive(true).mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    is_private(path)
}

/// The folder itself, not what a link points at, must be ours and closed to others.
pub(super) fn is_private(path: &Path) -> io::Result<()> {
    is_ours(path, 0o077, "can be reached by other users (chmod 700 it)")
}

fn is_ours(path: &Path, forbidden_mode: u32, complaint: &str) -> io::Result<()> {
    let found = std::fs::symlink_metadata(path)?;
    let shown = path.display();
    let refuse = |what: &str| Err(io::Error::other(format!("`{shown}` {what}")));
    if !found.is_dir() {
        return refuse("is not a folder");
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        return refuse("belongs to another user");
    }
    if found.mode() & forbidden_mode != 0 {
        return refuse(complaint);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use hallpass_core::id::SessionId;

    use super::{Root, is_private, make_private, replace, write_new};

    fn id() -> SessionId {
        SessionId::new("abc").expect("id")
    }

    #[test]
    fn a_folder_that_others_can_reach_or_a_link_to_one_is_never_used() {
        let home = tempfile::tempdir().expect("folder");
        let open = home.path().join("open");
        std::fs::create_dir(&open).expect("made");
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o755)).expect("permissions");
        assert!(make_private(&open).is_err());
        let link = home.path().join("link");
        make_private(&home.path().join("good")).expect("private");
        symlink(home.path().join("good"), &link).expect("link");
        assert!(is_private(&link).is_err(), "a link was followed");
    }

    #[test]
    fn files_are_made_once_private_and_gone_with_their_place() {
        let state = tempfile::tempdir().expect("folder");
        let root = Root::open(state.path()).expect("root");
        let place = root.place(&id()).expect("place");
        assert!(root.place(&id()).is_err(), "two sessions in one folder");
        let file = place.file("a", b"x").expect("file");
        assert_eq!(std::fs::metadata(&file).expect("there").mode() & 0o777, 0o600);
        assert!(place.file("a", b"y").is_err(), "an existing file was opened");
        replace(&file, b"z").expect("replaced");
        assert_eq!(std::fs::read(&file).expect("there"), b"z");
        assert_eq!(root.sessions().expect("listed"), [id()]);
        drop(place);
        assert!(!root.path_of(&id()).exists());
        root.remove(&id()).expect("already gone");
    }

    #[test]
    fn a_planted_link_is_not_written_through() {
        let home = tempfile::tempdir().expect("folder");
        let target = home.path().join("target");
        std::fs::write(&target, "precious").expect("written");
        let planted = home.path().join("planted");
        symlink(&target, &planted).expect("link");
        assert!(write_new(&planted, b"x").is_err());
        assert_eq!(std::fs::read(&target).expect("there"), b"precious");
    }

    #[test]
    fn a_racer_that_plants_links_wins_nothing_in_a_hundred_thousand_tries() {
        use std::sync::atomic::{AtomicBool, Ordering};

        const SWAPS: usize = 100_000;
        let home = tempfile::tempdir().expect("folder");
        let (target, raced) = (home.path().join("target"), home.path().join("raced"));
        std::fs::write(&target, "precious").expect("written");
        let over = AtomicBool::new(false);
        let (mut made, mut refused) = (0, 0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..SWAPS {
                    let _ = symlink(&target, &raced);
                    let _ = std::fs::remove_file(&raced);
                }
                over.store(true, Ordering::Relaxed);
            });
            while !over.load(Ordering::Relaxed) {
                match write_new(&raced, b"secret") {
                    Ok(()) => made += 1,
                    Err(_) => refused += 1,
                }
                let _ = std::fs::remove_file(&raced);
            }
        });
        assert_eq!(std::fs::read(&target).expect("there"), b"precious", "{made} made, {refused} refused");
        assert!(made > 0 && refused > 0, "nobody raced: {made} made, {refused} refused");
    }
}
