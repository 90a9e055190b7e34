//! Reads a directory of session files of the tools that came before (`hallpass session import`).

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use hallpass_core::delivery::Delivery;
use hallpass_core::limits::{IMPORT_FILE_BYTES_MAX, IMPORT_FILES_MAX};
use hallpass_core::session::{Revocation, Session, SessionStatus};
use jiff::Timestamp;
use serde_json::Value;

use crate::files;
use crate::store::{Store, StoreError};

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Taken over.
    Imported,
    /// A session with this id is known already.
    Known,
    /// Not taken over, and why.
    Skipped(String),
}

/// One file of the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileOutcome {
    /// Its name, without the folder; control characters are escaped.
    pub file: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// Reads every `*.json` in `dir`, in the order of the names. A bad file never stops the rest. Nothing that comes in is
/// alive: what is marked pending or active becomes expired or failed, with the reason.
///
/// # Errors
/// When the directory cannot be read or holds more than [`IMPORT_FILES_MAX`] such files, or an outage of the store.
pub async fn import(store: &dyn Store, dir: &Path, now: Timestamp) -> Result<Vec<FileOutcome>, StoreError> {
    let mut outcomes = Vec::new();
    for path in session_files(dir)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let file: String = name.escape_debug().collect();
        let outcome = match read(&path, now) {
            Err(why) => Outcome::Skipped(why),
            Ok(session) => match store.import(session, file.clone()).await {
                Ok(true) => Outcome::Imported,
                Ok(false) => Outcome::Known,
                Err(error) if error.is_outage() => return Err(error),
                Err(error) => Outcome::Skipped(error.to_string()),
            },
        };
        outcomes.push(FileOutcome { file, outcome });
    }
    Ok(outcomes)
}

fn session_files(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let failed = |error| files::failed("read", dir, &error);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            paths.push(path);
        }
        if paths.len() > IMPORT_FILES_MAX {
            let shown = dir.display();
            return Err(StoreError::Invalid(format!("`{shown}` holds more than {IMPORT_FILES_MAX} session files")));
        }
    }
    paths.sort();
    Ok(paths)
}

/// One session from one file, or why not.
fn read(path: &Path, now: Timestamp) -> Result<Session, String> {
    // A named pipe would keep us waiting for ever.
    let metadata = std::fs::metadata(path).map_err(|error| reason(&error))?;
    if !metadata.is_file() {
        return Err("it is not a regular file".into());
    }
    let mut text = String::new();
    let file = File::open(path).map_err(|error| reason(&error))?;
    file.take(IMPORT_FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(|error| reason(&error))?;
    if text.len() as u64 > IMPORT_FILE_BYTES_MAX {
        return Err(format!("it is larger than {IMPORT_FILE_BYTES_MAX} bytes"));
    }
    let value: Value = serde_json::from_str(&text).map_err(|error| format!("it is not JSON: {error}"))?;
    let handed_over = value.get("delivery").is_some();
    let session: Session = serde_json::from_value(value).map_err(|error| format!("it is not a session: {error}"))?;
    Ok(ended(session, handed_over, now))
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::InvalidData => "it is not text".into(),
        _ => error.to_string(),
    }
}

/// The session as history: it has ended, and if the file does not say how it was handed over, then the older tools'
/// way: the credential itself in the environment, gone only by expiring.
fn ended(session: Session, handed_over: bool, now: Timestamp) -> Session {
    let (status, why) = match session.status {
        SessionStatus::Pending | SessionStatus::Active if session.is_expired(now) => {
            (SessionStatus::Expired, Some("imported: its time was over"))
        }
        SessionStatus::Pending | SessionStatus::Active => {
            (SessionStatus::Failed, Some("imported: it was marked active, and no process here keeps it"))
        }
        SessionStatus::Completed
        | SessionStatus::Expired
        | SessionStatus::Revoked
        | SessionStatus::BudgetExceeded
        | SessionStatus::Failed => (session.status, None),
    };
    let ended_at = session.ended_at.unwrap_or(session.expires_at.min(now));
    let end_reason = why.map(str::to_owned).or(session.end_reason);
    let (delivery, revocation) =
        if handed_over { (session.delivery, session.revocation) } else { (Delivery::Env, Revocation::OnExpiry) };
    Session { status, ended_at: Some(ended_at), end_reason, delivery, revocation, ..session }
}
