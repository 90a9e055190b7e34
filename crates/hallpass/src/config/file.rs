//! Finds and reads configuration files.

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hallpass_core::limits::CONFIG_BYTES_MAX;
use rustix::fs::OFlags;

use super::origin::{Origin, Position};
use super::problem::Problem;

/// Name of a project's file.
const PROJECT_FILE: &str = "hallpass.toml";

/// Whose file it is; decides what it may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The user's own: may say everything.
    User,
    /// A project's: may only narrow.
    Project,
}

/// A file that was read.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    owner: Owner,
    path: Arc<Path>,
    text: String,
}

impl Source {
    /// Reads `path`. A file that anyone may write, or that belongs neither to us, to root nor to the user `also`, is
    /// refused: its words are not those of the person that we work for.
    ///
    /// # Errors
    /// The [`Problem`], also when the file is larger than [`CONFIG_BYTES_MAX`] or no text.
    pub(crate) fn read(owner: Owner, path: &Path, also: Option<u32>) -> Result<Self, Problem> {
        let unreadable = |why: String| Problem::file(path, "config.unreadable", why);
        // Without NONBLOCK, a pipe of that name would hold us up for ever.
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(|e| {
            let code = if e.kind() == std::io::ErrorKind::NotFound { "config.not_found" } else { "config.unreadable" };
            Problem::file(path, code, format!("cannot be read: {e}"))
        })?;
        let meta = file.metadata().map_err(|e| unreadable(format!("cannot be read: {e}")))?;
        if !meta.is_file() {
            return Err(unreadable("is not a regular file".to_owned()));
        }
        if !is_trusted(meta.uid(), rustix::process::geteuid().as_raw(), also) {
            return Err(Problem::file(path, "config.foreign", "belongs to another user, so it is not obeyed")
                .next("remove it, own it, or pass `--no-project` if it is a project's file"));
        }
        if meta.mode() & 0o002 != 0 {
            return Err(Problem::file(path, "config.foreign", "can be written by every user, so it is not obeyed")
                .next(format!("run `chmod o-w {}`", path.display())));
        }
        let mut bytes = Vec::new();
        file.take(CONFIG_BYTES_MAX + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| unreadable(format!("cannot be read: {e}")))?;
        if bytes.len() as u64 > CONFIG_BYTES_MAX {
            return Err(Problem::file(path, "config.too_large", format!("is larger than {CONFIG_BYTES_MAX} bytes")));
        }
        let text = String::from_utf8(bytes).map_err(|e| unreadable(format!("is not UTF-8 text: {e}")))?;
        Ok(Self { owner, path: path.into(), text })
    }

    /// Text without a file.
    #[cfg(test)]
    pub(crate) fn of_text(owner: Owner, text: &str) -> Self {
        Self { owner, path: Path::new("test.toml").into(), text: text.to_owned() }
    }

    /// The text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Line and column of a byte offset.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Position {
            file: self.path.clone(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    /// The origin of a value at a byte offset.
    pub(crate) fn origin(&self, offset: usize) -> Origin {
        match self.owner {
            Owner::User => Origin::User(self.position(offset)),
            Owner::Project => Origin::Project(self.position(offset)),
        }
    }
}

/// Whose words are obeyed: our own, root's, and in somebody's tree that person's.
fn is_trusted(owner: u32, me: u32, also: Option<u32>) -> bool {
    owner == me || owner == 0 || also == Some(owner)
}

/// The project's file that applies in `folder`: the nearest one, upward. A broken link counts, so that it is
/// reported and not skipped.
pub(crate) fn project_file(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().map(|dir| dir.join(PROJECT_FILE)).find(|path| path.symlink_metadata().is_ok())
}

#[cfg(test)]
mod tests {
    use super::is_trusted;

    #[test]
    fn a_file_of_another_user_is_obeyed_only_in_that_users_tree() {
        assert!(is_trusted(1000, 1000, None));
        assert!(is_trusted(0, 1000, None));
        assert!(is_trusted(2000, 1000, Some(2000)));
        assert!(!is_trusted(2000, 1000, None));
        assert!(!is_trusted(2000, 1000, Some(3000)));
    }
}
