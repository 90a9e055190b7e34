//! Files that commands write: as a whole or not at all, and in place where a path is no plain file.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use crate::error::{CommandError, ErrorKind};

/// What `-o` names to mean stdout.
pub(crate) const STDOUT: &str = "-";

/// Folders whose entries stand for something else than themselves: a rename would put a file in the place of a device.
const STAND_INS: [&str; 2] = ["/dev", "/proc"];

/// How a path is written.
enum Target {
    /// Beside this place, then renamed; with these permissions, or the owner's alone.
    Renamed(PathBuf, Option<Permissions>),
    /// A device, a pipe, a shell's `/dev/fd/63`.
    InPlace,
}

/// Writes beside `path`, and renames when everything is on disk. What was there keeps its permissions, and a link its
/// place; a new file is the owner's alone. A device or a pipe is written in its place.
///
/// # Errors
/// Those of `body`, and whatever the file system says.
pub(crate) fn atomically<T>(
    path: &Path,
    body: impl FnOnce(&mut dyn Write) -> Result<T, CommandError>,
) -> Result<T, CommandError> {
    let unwritable = |error: &io::Error| {
        let message = format!("`{}` cannot be written", path.display());
        CommandError::new(ErrorKind::General, "export.unwritable", message).because(error)
    };
    let (place, permissions) = match target(path).map_err(|e| unwritable(&e))? {
        Target::Renamed(place, permissions) => (place, permissions),
        Target::InPlace => {
            let mut file = OpenOptions::new().append(true).open(path).map_err(|e| unwritable(&e))?;
            return write_all(&mut file, body, &unwritable);
        }
    };
    let mut beside = place.as_os_str().to_owned();
    beside.push(format!(".{}.part", std::process::id()));
    let beside = PathBuf::from(beside);
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside).map_err(|e| unwritable(&e))?;
    let written = write_all(&mut file, body, &unwritable).and_then(|value| {
        let finish = || {
            permissions.map_or(Ok(()), |permissions| file.set_permissions(permissions))?;
            file.sync_all()?;
            fs::rename(&beside, &place)
        };
        finish().map_err(|e| unwritable(&e))?;
        Ok(value)
    });
    if written.is_err() {
        // Half a file is worth nothing, and its absence hides no error: `written` has it.
        drop(fs::remove_file(&beside));
    }
    written
}

/// Says beforehand that [`atomically`] could not write here: no such folder, a folder itself, no permission.
///
/// # Errors
/// Why not.
pub(crate) fn may_be_written(path: &Path) -> io::Result<()> {
    if path.is_dir() || path.file_name().is_none() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let place = match target(path)? {
        Target::InPlace => return Ok(access(path, Access::WRITE_OK)?),
        Target::Renamed(place, _) => place,
    };
    if place.exists() {
        access(&place, Access::WRITE_OK)?;
    }
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.metadata()?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    Ok(access(folder, Access::WRITE_OK)?)
}

fn target(path: &Path) -> io::Result<Target> {
    let meta = match fs::metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Target::Renamed(path.to_owned(), None)),
        Err(error) => return Err(error),
    };
    let stands_in = fs::canonicalize(path.parent().unwrap_or(Path::new("/")))
        .is_ok_and(|folder| STAND_INS.iter().any(|root| folder.starts_with(root)));
    if !meta.is_file() || stands_in {
        return Ok(Target::InPlace);
    }
    Ok(Target::Renamed(fs::canonicalize(path)?, Some(meta.permissions())))
}

fn write_all<T>(
    file: &mut File,
    body: impl FnOnce(&mut dyn Write) -> Result<T, CommandError>,
    unwritable: &dyn Fn(&io::Error) -> CommandError,
) -> Result<T, CommandError> {
    let mut out = BufWriter::new(file);
    let value = body(&mut out)?;
    out.flush().map_err(|e| unwritable(&e))?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read;
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
    use std::path::Path;

    use super::{atomically, may_be_written};

    fn write(path: &Path) {
        may_be_written(path).expect("may be written");
        atomically(path, |out| Ok(out.write_all(b"new")?)).expect("is written");
    }

    #[test]
    fn a_pipe_stays_a_pipe_and_is_written_to() {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).expect("a pipe");
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || {
                let mut text = String::new();
                fs::File::open(pipe).expect("opens").read_to_string(&mut text).expect("reads");
                text
            }
        });
        write(&pipe);
        assert!(fs::symlink_metadata(&pipe).expect("is there").file_type().is_fifo());
        assert_eq!(reader.join().expect("ends"), "new");
    }

    #[test]
    fn a_link_stays_a_link_and_its_file_keeps_its_permissions() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").expect("writes");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("sets");
        symlink(&file, &link).expect("links");
        write(&link);
        assert!(fs::symlink_metadata(&link).expect("is there").is_symlink());
        assert_eq!(fs::read_to_string(&file).expect("reads"), "new");
        assert_eq!(file.metadata().expect("is there").permissions().mode() & 0o777, 0o644);
        assert_eq!(fs::read_dir(folder.path()).expect("lists").count(), 2, "nothing half-written stays");
    }

    #[test]
    fn a_folder_and_what_is_in_none_cannot_be_written() {
        let folder = tempfile::tempdir().expect("a folder");
        for path in [folder.path().to_owned(), folder.path().join("none/file"), folder.path().join("..")] {
            assert!(may_be_written(&path).is_err(), "{}", path.display());
        }
    }
}
