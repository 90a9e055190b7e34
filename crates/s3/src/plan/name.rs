//! From a key to a local name, and what must not become one.

use std::path::{Path, PathBuf};

use hallpass_core::limits::{S3_FILE_NAME_BYTES_MAX, S3_KEY_BYTES_MAX};

use crate::error::{ErrorKind, S3Error, text};

/// The path of a name below `root`. Names come from the store: whatever would lead out of `root`, or would be another
/// name for the same file, is refused.
///
/// # Errors
/// [`S3Error::Refused`], code `unsafe_name`.
pub(crate) fn below(root: &Path, name: &str) -> Result<PathBuf, S3Error> {
    let why = if name.is_empty() {
        "it is empty"
    } else if name.contains('\0') {
        "it has a NUL in it"
    } else if name.starts_with('/') {
        "it begins with a `/`"
    } else if name.ends_with('/') {
        "it ends with a `/`, and has bytes"
    } else if name.split('/').any(|piece| piece.is_empty()) {
        "it has two `/` in a row"
    } else if name.split('/').any(|piece| matches!(piece, "." | "..")) {
        "it has `.` or `..` in it"
    } else if name.split('/').any(|piece| piece.len() > S3_FILE_NAME_BYTES_MAX) {
        "a piece of it is too long for a file name"
    } else {
        return Ok(root.join(name));
    };
    Err(unsafe_name(name, why))
}

pub(crate) fn unsafe_name(name: &str, why: &str) -> S3Error {
    S3Error::refused(
        ErrorKind::Usage,
        "unsafe_name",
        format!("`{}` cannot be a local file: {why}", text::cleaned_name(name)),
        "leave it out with `--exclude`, go on without it with `--continue-on-error`, or copy it alone under another name",
    )
}

/// A key that a store takes.
///
/// # Errors
/// [`S3Error::Refused`], code `key_too_long`.
pub(crate) fn check_key(key: &str) -> Result<(), S3Error> {
    if key.len() <= S3_KEY_BYTES_MAX {
        return Ok(());
    }
    let message =
        format!("`{}` has {} bytes, and a key has at most {S3_KEY_BYTES_MAX}", text::cleaned_name(key), key.len());
    Err(S3Error::refused(ErrorKind::Usage, "key_too_long", message, "shorten the name or the prefix"))
}

/// Finds names that cannot stand beside an earlier one in a file system. Names must come in order.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    /// Earlier names that begin the current one.
    open: Vec<String>,
}

impl Beside {
    /// # Errors
    /// When an earlier name would have to be a file and a folder at once: `a` and `a/b`, `a` and `a/`.
    pub(crate) fn check(&mut self, name: &str) -> Result<(), S3Error> {
        while self.open.last().is_some_and(|earlier| !name.starts_with(earlier.as_str())) {
            self.open.pop();
        }
        if let Some(file) = self.open.iter().find(|file| name.as_bytes().get(file.len()) == Some(&b'/')) {
            let file = text::cleaned_name(file);
            return Err(unsafe_name(name, &format!("`{file}` is there as well, and would be a file and a folder")));
        }
        if !name.ends_with('/') {
            self.open.push(name.to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use hallpass_core::limits::{S3_FILE_NAME_BYTES_MAX, S3_KEY_BYTES_MAX};

    use super::{Beside, below, check_key};

    #[test]
    fn a_key_never_leads_out_of_the_folder_it_is_downloaded_to() {
        let long = format!("a/{}", "x".repeat(S3_FILE_NAME_BYTES_MAX + 1));
        for bad in ["", "/etc/passwd", "../x", "a/../../x", "a/..", ".", "a//b", "a/", "a\0b", "./a", long.as_str()] {
            let error = below(Path::new("/out"), bad).expect_err(bad);
            assert_eq!(error.code(), "unsafe_name", "{bad}");
        }
        for good in ["a", "a/b c/ü", "..a/b..", "a\\b", "~", "-rf", "con"] {
            assert_eq!(below(Path::new("/out"), good), Ok(Path::new("/out").join(good)), "{good}");
        }
    }

    #[test]
    fn names_that_differ_only_by_a_slash_and_files_that_are_folders_are_found() {
        let check = |names: &[&str]| {
            let mut beside = Beside::default();
            names.iter().try_for_each(|name| beside.check(name)).is_ok()
        };
        assert!(check(&["a", "a-b", "a0", "b/c", "b/d"]) && check(&["a/", "a/b"]));
        assert!(!check(&["a", "a-b", "a.x", "a/b"]));
        assert!(!check(&["a", "a/"]) && !check(&["x/a", "x/a/b/c"]));
    }

    #[test]
    fn a_key_has_at_most_1024_bytes() {
        assert!(check_key(&"k".repeat(S3_KEY_BYTES_MAX)).is_ok());
        assert_eq!(check_key(&"k".repeat(S3_KEY_BYTES_MAX + 1)).expect_err("long").code(), "key_too_long");
    }
}
