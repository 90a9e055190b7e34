//! Local folders and files: made, and removed; never through a link that leads elsewhere.

use std::fs;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use crate::client::payload::off_thread;
use crate::error::{ErrorKind, S3Error};
use crate::plan::{Found, Place};
use crate::transfer::local;

/// Makes the folders of a download. Below `root`, neither a folder nor the file itself may be a link: its key came from
/// the store, and must not choose where it leads.
pub(super) async fn prepare(path: &Path, root: Option<&Path>) -> Result<(), S3Error> {
    let (path, root) = (path.to_owned(), root.map(Path::to_owned));
    off_thread(move || {
        let Some(root) = root else {
            return match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                Some(parent) => make_all(parent),
                None => Ok(()),
            };
        };
        make_all(&root)?;
        let inner = path.strip_prefix(&root).map_err(|_| refused(&path, "it is outside of its folder"))?;
        let mut folder = root.clone();
        for piece in inner.parent().into_iter().flat_map(Path::components) {
            folder.push(piece);
            make(&folder)?;
        }
        match path.symlink_metadata() {
            Ok(metadata) if metadata.is_symlink() => Err(refused(&path, "it is a symbolic link, and is not followed")),
            Ok(metadata) if metadata.is_dir() => Err(refused(&path, "it is a folder, and the key is an object")),
            _ => Ok(()),
        }
    })
    .await
}

fn make_all(folder: &Path) -> Result<(), S3Error> {
    use std::io::ErrorKind::{AlreadyExists, NotADirectory};
    fs::create_dir_all(folder).map_err(|error| match error.kind() {
        AlreadyExists | NotADirectory => {
            refused(folder, "it, or what it is in, is a file, and would have to be a folder")
        }
        _ => local(folder, &error),
    })
}

fn make(folder: &Path) -> Result<(), S3Error> {
    match folder.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(metadata) if metadata.is_symlink() => Err(refused(folder, "it is a symbolic link, and is not followed")),
        Ok(_) => Err(refused(folder, "it is a file, and would have to be a folder")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => match fs::create_dir(folder) {
            // Another download of this run made it.
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(local(folder, &error)),
            _ => Ok(()),
        },
        Err(error) => Err(local(folder, &error)),
    }
}

/// Removes a source whose copy is verified, and below `left` the folders that are empty then. A file that has changed
/// since stays.
pub(super) async fn remove(place: &Place, was: Option<Found>, left: Option<&Path>) -> Result<(), S3Error> {
    match place {
        Place::Stdio => Ok(()),
        Place::Object(client, object) => client.delete(object).await.map(drop),
        Place::Local(path) => {
            let (path, left) = (path.clone(), left.map(Path::to_owned));
            off_thread(move || {
                let metadata = path.symlink_metadata().map_err(|e| local(&path, &e))?;
                let now = crate::plan::of_metadata(&metadata);
                if was.is_some_and(|was| was.size != now.size || was.modified != now.modified) && !metadata.is_symlink()
                {
                    return Err(refused(&path, "it has changed since it was copied, so it stays"));
                }
                fs::remove_file(&path).map_err(|e| local(&path, &e))?;
                if let Some(left) = left {
                    remove_emptied(&path, &left);
                }
                Ok(())
            })
            .await
        }
    }
}

/// Removes a file, and the folders up to `root` that are empty then.
pub(super) async fn remove_below(path: PathBuf, root: PathBuf) -> Result<(), S3Error> {
    off_thread(move || {
        fs::remove_file(&path).map_err(|e| local(&path, &e))?;
        remove_emptied(&path, &root);
        Ok(())
    })
    .await
}

/// Removes the folders of a file that is gone, below `root`, as far as they are empty.
fn remove_emptied(path: &Path, root: &Path) {
    let folders = path.ancestors().skip(1).take_while(|folder| folder.starts_with(root) && *folder != root);
    for folder in folders {
        // One that is not empty stays.
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
}

/// Standard output, without a buffer that somebody else shares.
pub(super) fn stream(of: &impl AsFd) -> Result<tokio::fs::File, S3Error> {
    let own = of.as_fd().try_clone_to_owned().map_err(|e| local(Path::new("-"), &e))?;
    Ok(tokio::fs::File::from_std(fs::File::from(own)))
}

fn refused(path: &Path, why: &str) -> S3Error {
    S3Error::Local { path: path.display().to_string(), message: why.to_owned(), kind: ErrorKind::Conflict }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::prepare;

    #[tokio::test]
    async fn a_download_follows_no_link_below_its_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("out");
        fs::create_dir(&root).expect("a folder");
        fs::create_dir(folder.path().join("elsewhere")).expect("a folder");
        symlink("../elsewhere", root.join("link")).expect("a link");
        symlink("../elsewhere/file", root.join("file")).expect("a link");
        fs::write(root.join("plain"), "x").expect("a file");
        for bad in ["link/x", "link/y/x", "file", "plain/x"] {
            assert!(prepare(&root.join(bad), Some(&root)).await.is_err(), "{bad}");
        }
        assert!(fs::read_dir(folder.path().join("elsewhere")).expect("a folder").next().is_none());
        assert!(prepare(&root.join("a/b/c"), Some(&root)).await.is_ok() && root.join("a/b").is_dir());
        assert!(prepare(&root.join("a/b"), Some(&root)).await.is_err(), "a folder is not replaced");
    }
}
