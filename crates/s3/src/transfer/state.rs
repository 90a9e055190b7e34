//! What is remembered of an upload until it is over, so that the next one can go on or clean up.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use hallpass_core::limits::S3_STATE_BYTES_MAX;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::client::payload::off_thread;
use crate::client::{Client, MultipartUpload, ObjectId};
use crate::error::{ErrorKind, S3Error};

/// The version of the format; another one is not read.
const VERSION: u32 = 1;

/// Tells one state of a file from another: the same numbers mean the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) size: u64,
    modified_ns: i128,
    device: u64,
    inode: u64,
}

impl Identity {
    pub(crate) fn of(metadata: &fs::Metadata) -> Self {
        let modified_ns = i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
        Self { size: metadata.len(), modified_ns, device: metadata.dev(), inode: metadata.ino() }
    }
}

/// One upload that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Begun {
    version: u32,
    pub(crate) source: Identity,
    pub(crate) part_size: u64,
    pub(crate) upload_id: String,
    /// The algorithm whose checksums its parts carry; empty: none.
    pub(crate) checksum: String,
    /// The store takes the checksum of the whole object.
    #[serde(default)]
    pub(crate) whole: bool,
}

/// Where one upload is remembered: by store, object and source.
#[derive(Debug, Clone)]
pub(crate) struct Memo(PathBuf);

impl Memo {
    pub(crate) fn of(folder: &Path, client: &Client, to: &ObjectId, source: &Path) -> Self {
        let source = source.canonicalize().unwrap_or_else(|_| source.to_owned());
        let mut hash = Sha256::new();
        for part in
            [client.store().as_bytes(), to.bucket.as_bytes(), to.key.as_bytes(), source.as_os_str().as_encoded_bytes()]
        {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        Self(folder.join(format!("upload-{}.json", hex::encode(&hash.finalize()[..16]))))
    }

    /// What is remembered; `None` for nothing, and for what cannot be read: then the upload begins anew.
    pub(crate) async fn read(&self) -> Option<Begun> {
        let path = self.0.clone();
        let read = move || {
            let mut text = String::new();
            let file = fs::File::open(&path).map_err(|e| local(&path, &e))?;
            file.take(S3_STATE_BYTES_MAX + 1).read_to_string(&mut text).map_err(|e| local(&path, &e))?;
            Ok(text)
        };
        let text = off_thread(read).await.ok().filter(|text| text.len() as u64 <= S3_STATE_BYTES_MAX)?;
        serde_json::from_str(&text).ok().filter(|begun: &Begun| begun.version == VERSION)
    }

    /// Remembers an upload. The file is replaced whole or not at all, and is for its owner only.
    pub(crate) async fn write(
        &self,
        source: &Identity,
        part_size: u64,
        upload: &MultipartUpload,
    ) -> Result<(), S3Error> {
        let checksum = upload.checksum.map(|algorithm| format!("{algorithm:?}")).unwrap_or_default();
        let (source, upload_id, whole) = (source.clone(), upload.id.clone(), upload.whole);
        let begun = Begun { version: VERSION, source, part_size, upload_id, checksum, whole };
        let path = self.0.clone();
        off_thread(move || {
            let text = serde_json::to_vec(&begun).map_err(|e| local(&path, &std::io::Error::other(e)))?;
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).map_err(|e| local(folder, &e))?;
            }
            replace(&path, &text).map_err(|e| local(&path, &e))
        })
        .await
    }

    /// Forgets it.
    pub(crate) async fn forget(&self) {
        let path = self.0.clone();
        // That it is not there is what was wanted.
        drop(off_thread(move || fs::remove_file(&path).map_err(|e| local(&path, &e))).await);
    }
}

/// Writes a file beside the real one, and puts it in its place.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    let written = file.write_all(bytes).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        drop(fs::remove_file(&beside));
    }
    written
}

/// A failure of a file of this machine.
pub(crate) fn local(path: &Path, error: &std::io::Error) -> S3Error {
    let kind = match error.kind() {
        std::io::ErrorKind::NotFound => ErrorKind::NotFound,
        std::io::ErrorKind::AlreadyExists => ErrorKind::Conflict,
        _ => ErrorKind::General,
    };
    S3Error::Local { path: path.display().to_string(), message: error.to_string(), kind }
}
