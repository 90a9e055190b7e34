//! Documents that come from files or stdin.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use hallpass_core::limits::S3_SETTING_FILE_BYTES_MAX;

use crate::error::{CommandError, ErrorKind};

/// The text of a file, or of stdin for `-`.
///
/// # Errors
/// A file that cannot be read, is not text, or has more than [`S3_SETTING_FILE_BYTES_MAX`] bytes.
pub(super) fn read(path: &Path) -> Result<String, CommandError> {
    let shown = path.display();
    let refused = |error: io::Error| {
        let kind = if error.kind() == io::ErrorKind::NotFound { ErrorKind::NotFound } else { ErrorKind::Usage };
        CommandError::new(kind, "s3.file", format!("`{shown}` cannot be read: {error}"))
    };
    let mut text = String::new();
    let limit = S3_SETTING_FILE_BYTES_MAX as u64 + 1;
    let read = match path.as_os_str() == "-" {
        true => io::stdin().lock().take(limit).read_to_string(&mut text),
        false => File::open(path).and_then(|file| file.take(limit).read_to_string(&mut text)),
    };
    read.map_err(refused)?;
    if text.len() > S3_SETTING_FILE_BYTES_MAX {
        let message = format!("`{shown}` has more than {S3_SETTING_FILE_BYTES_MAX} bytes");
        return Err(CommandError::usage("s3.file_too_large", message).next("no store takes such a document"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use hallpass_core::limits::S3_SETTING_FILE_BYTES_MAX;

    use super::read;

    #[test]
    fn a_document_has_a_limit() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("f");
        std::fs::write(&path, "x".repeat(S3_SETTING_FILE_BYTES_MAX)).expect("written");
        assert!(read(&path).is_ok());
        std::fs::write(&path, "x".repeat(S3_SETTING_FILE_BYTES_MAX + 1)).expect("written");
        assert!(read(&path).is_err() && read(&folder.path().join("none")).is_err());
    }
}
