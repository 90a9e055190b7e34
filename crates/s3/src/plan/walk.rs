//! A local folder, in the order in which stores list keys: by the bytes of the whole name.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use hallpass_core::limits::{S3_FOLDER_DEPTH_MAX, S3_FOLDER_ENTRIES_MAX};
use jiff::Timestamp;

use super::select::Symlinks;
use super::{Found, Passed};
use crate::error::{ErrorKind, S3Error};
use crate::transfer::{is_unfinished, local};

/// What a folder gives next.
#[derive(Debug)]
pub(crate) enum Step {
    /// A file.
    File(Found),
    /// Something that is no file: its name, and why it is left out.
    Passed(String, Passed),
    /// Something that cannot be read.
    Failed(S3Error),
}

/// A walk through a folder. One folder a level is held, its names only.
#[derive(Debug)]
pub(crate) struct Walk {
    symlinks: Symlinks,
    levels: Vec<Level>,
}

#[derive(Debug)]
struct Level {
    /// Relative to the root, with its `/`; empty for the root.
    name: String,
    path: PathBuf,
    id: (u64, u64),
    entries: std::vec::IntoIter<Entry>,
}

#[derive(Debug)]
struct Entry {
    name: OsString,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
    Link,
    Special,
}

impl Walk {
    /// Begins. The root itself may be a link to a folder.
    pub(crate) fn new(root: &Path, symlinks: Symlinks) -> Result<Self, S3Error> {
        let mut walk = Self { symlinks, levels: Vec::new() };
        walk.enter(root.to_owned(), String::new())?;
        Ok(walk)
    }

    /// The next thing; `None` at the end. Blocks.
    pub(crate) fn next(&mut self) -> Option<Step> {
        loop {
            let level = self.levels.last_mut()?;
            let Some(entry) = level.entries.next() else {
                self.levels.pop();
                continue;
            };
            let path = level.path.join(&entry.name);
            let Some(text) = entry.name.to_str() else {
                return Some(Step::Failed(refused(&path, "its name is not UTF-8, and keys are")));
            };
            let name = format!("{}{text}", level.name);
            match entry.kind {
                Kind::Folder => {
                    if let Err(error) = self.enter(path, format!("{name}/")) {
                        return Some(Step::Failed(error));
                    }
                }
                Kind::File if is_unfinished(text) => {}
                Kind::File => return Some(found(&path, name)),
                Kind::Special => return Some(Step::Passed(name, Passed::Special)),
                Kind::Link if self.symlinks == Symlinks::Refuse => {
                    let why = "it is a symbolic link: skip or follow it with `--symlinks skip|follow`";
                    return Some(Step::Failed(refused(&path, why)));
                }
                Kind::Link => return Some(Step::Passed(name, Passed::Symlink)),
            }
        }
    }

    fn enter(&mut self, path: PathBuf, name: String) -> Result<(), S3Error> {
        let metadata = fs::metadata(&path).map_err(|e| local(&path, &e))?;
        let id = (metadata.dev(), metadata.ino());
        if self.levels.iter().any(|level| level.id == id) {
            return Err(refused(&path, "it leads back into a folder that it is in"));
        }
        if self.levels.len() >= S3_FOLDER_DEPTH_MAX {
            return Err(refused(&path, &format!("it is more than {S3_FOLDER_DEPTH_MAX} folders deep")));
        }
        let entries = self.entries(&path)?.into_iter();
        self.levels.push(Level { name, path, id, entries });
        Ok(())
    }

    fn entries(&self, path: &Path) -> Result<Vec<Entry>, S3Error> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(path).map_err(|e| local(path, &e))? {
            let entry = entry.map_err(|e| local(path, &e))?;
            check_entries(path, entries.len() + 1)?;
            let mut kind = entry.file_type().map(Kind::of).map_err(|e| local(&entry.path(), &e))?;
            if kind == Kind::Link && self.symlinks == Symlinks::Follow {
                // A link that leads nowhere is told when it is its turn.
                kind = fs::metadata(entry.path()).map_or(Kind::File, |metadata| Kind::of(metadata.file_type()));
            }
            entries.push(Entry { name: entry.file_name(), kind });
        }
        entries.sort_by(|a, b| a.order().cmp(b.order()));
        Ok(entries)
    }
}

impl Kind {
    fn of(kind: fs::FileType) -> Self {
        match kind {
            kind if kind.is_file() => Self::File,
            kind if kind.is_dir() => Self::Folder,
            kind if kind.is_symlink() => Self::Link,
            _ => Self::Special,
        }
    }
}

impl Entry {
    /// A folder's names come where its own name with a `/` comes.
    fn order(&self) -> impl Iterator<Item = &u8> {
        let slash: &[u8] = if self.kind == Kind::Folder { b"/" } else { b"" };
        self.name.as_bytes().iter().chain(slash)
    }
}

fn check_entries(path: &Path, entries: usize) -> Result<(), S3Error> {
    if entries <= S3_FOLDER_ENTRIES_MAX {
        return Ok(());
    }
    Err(refused(path, &format!("it has more than {S3_FOLDER_ENTRIES_MAX} entries")))
}

fn found(path: &Path, name: String) -> Step {
    match fs::metadata(path) {
        Ok(metadata) => Step::File(Found { name, ..of_metadata(&metadata) }),
        Err(error) => Step::Failed(local(path, &error)),
    }
}

/// Size and time of a file.
pub(crate) fn of_metadata(metadata: &Metadata) -> Found {
    let nanosecond = i32::try_from(metadata.mtime_nsec()).unwrap_or(0);
    let modified = Timestamp::new(metadata.mtime(), nanosecond).ok();
    Found { size: metadata.len(), modified, ..Found::default() }
}

fn refused(path: &Path, why: &str) -> S3Error {
    S3Error::Local { path: path.display().to_string(), message: why.to_owned(), kind: ErrorKind::Usage }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use hallpass_core::limits::{S3_FOLDER_DEPTH_MAX, S3_FOLDER_ENTRIES_MAX};

    use super::{Step, Walk, check_entries};
    use crate::plan::Symlinks;

    fn steps(root: &std::path::Path, symlinks: Symlinks) -> Vec<String> {
        let mut walk = Walk::new(root, symlinks).expect("a folder");
        let mut steps = Vec::new();
        while let Some(step) = walk.next() {
            steps.push(match step {
                Step::File(found) => found.name,
                Step::Passed(name, why) => format!("{} {name}", why.as_str()),
                Step::Failed(error) => format!("failed {error}"),
            });
        }
        steps
    }

    #[test]
    fn files_come_in_the_order_of_keys() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["a/x", "a-b", "a.txt", "a0", "b/c/d", "b/c.e"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            fs::write(path, name).expect("a file");
        }
        fs::write(folder.path().join(".a.txt.hallpass-part"), "half").expect("a file");
        let names = steps(folder.path(), Symlinks::Skip);
        let mut sorted = names.clone();
        sorted.sort();
        assert_eq!(names, sorted);
        assert_eq!(names, ["a-b", "a.txt", "a/x", "a0", "b/c.e", "b/c/d"]);
    }

    #[test]
    fn a_folder_that_is_too_deep_or_too_full_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let deep = folder.path().join("d/".repeat(S3_FOLDER_DEPTH_MAX));
        fs::create_dir_all(&deep).expect("folders");
        fs::write(deep.join("f"), "x").expect("a file");
        let all = steps(folder.path(), Symlinks::Skip);
        assert!(all.len() == 1 && all[0].contains("folders deep"), "{all:?}");
        assert_eq!(steps(&folder.path().join("d"), Symlinks::Skip).len(), 1);
        assert!(check_entries(folder.path(), S3_FOLDER_ENTRIES_MAX).is_ok());
        assert!(check_entries(folder.path(), S3_FOLDER_ENTRIES_MAX + 1).is_err());
    }

    #[test]
    fn a_link_is_skipped_followed_or_refused_as_asked_and_a_loop_ends() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("d")).expect("a folder");
        fs::write(folder.path().join("d/f"), "x").expect("a file");
        symlink("d", folder.path().join("l")).expect("a link");
        symlink("..", folder.path().join("d/up")).expect("a link");
        assert_eq!(steps(folder.path(), Symlinks::Skip), ["d/f", "symlink d/up", "symlink l"]);
        let followed = steps(folder.path(), Symlinks::Follow);
        assert_eq!((followed[0].as_str(), followed[2].as_str()), ("d/f", "l/f"));
        assert!(followed[1].contains("leads back") && followed[3].contains("leads back"), "{followed:?}");
        assert!(steps(folder.path(), Symlinks::Refuse)[1].contains("symbolic link"));
    }
}
