//! The anchor file: every checkpoint once more, one after the other, outside the database. Whoever edits the database
//! does not reach it, and it can be shipped elsewhere with any tool that follows a file.
//!
//! Each record is a signed note and an empty line. A record without its empty line at the very end was being written
//! when the power failed; it does not count, and the next append takes it away.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Take, Write};
use std::path::Path;

use hallpass_core::audit::checkpoint::Checkpoint;
use hallpass_core::limits::CHECKPOINT_NOTE_BYTES_MAX;

use crate::files::{self, Privacy};
use crate::store::StoreError;

/// Appends a note unless the file already ends with one that covers as much. Several processes take turns.
pub(crate) fn append(path: &Path, note: &str, size: u64, sync: bool) -> Result<(), StoreError> {
    let mut file = files::open_or_make(path, Privacy::Unwritable)?;
    let io = |error: std::io::Error| files::failed("append to", path, &error);
    file.lock().map_err(io)?;
    let (end, last) = tail(&mut file).map_err(io)?;
    if last.is_some_and(|last| last.size >= size) {
        return Ok(());
    }
    file.set_len(end).map_err(io)?;
    file.seek(SeekFrom::Start(end)).map_err(io)?;
    // One write, so that a killed process leaves a whole record or none.
    file.write_all(format!("{note}\n").as_bytes()).map_err(io)?;
    if sync { file.sync_data().map_err(io) } else { Ok(()) }
}

/// The end of the last whole record, and its checkpoint. What follows it is at most one torn record; where there is
/// more, nothing is taken away and the next record comes behind it.
fn tail(file: &mut File) -> std::io::Result<(u64, Option<Checkpoint>)> {
    let length = file.seek(SeekFrom::End(0))?;
    let window = length.min(2 * CHECKPOINT_NOTE_BYTES_MAX as u64);
    file.seek(SeekFrom::End(-window.cast_signed()))?;
    let mut bytes = Vec::new();
    file.take(window).read_to_end(&mut bytes)?;
    let mut ends = (2..=bytes.len()).rev().filter(|end| is_record_end(&bytes[..*end]));
    let Some(end) = ends.next() else {
        let torn = if length < CHECKPOINT_NOTE_BYTES_MAX as u64 { 0 } else { length };
        return Ok((torn, None));
    };
    let begin = ends.next().unwrap_or(0);
    let last = std::str::from_utf8(&bytes[begin..end - 1]).ok().and_then(|note| Checkpoint::peek(note).ok());
    let torn = (bytes.len() - end) as u64;
    Ok((if torn < CHECKPOINT_NOTE_BYTES_MAX as u64 { length - torn } else { length }, last))
}

/// True when the bytes end with a signature line and an empty line.
fn is_record_end(bytes: &[u8]) -> bool {
    let Some(before) = bytes.strip_suffix(b"\n\n") else { return false };
    let line = before.rsplit(|b| *b == b'\n').next().unwrap_or(before);
    line.starts_with("\u{2014} ".as_bytes())
}

/// Reads the notes one after the other, as far as the file reached when it was opened.
#[derive(Debug)]
pub(crate) struct Notes {
    reader: Option<BufReader<Take<File>>>,
}

impl Notes {
    /// Opens the file; one that does not exist has no notes.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let Some(file) = files::open_existing(path, Privacy::Unwritable)? else { return Ok(Self { reader: None }) };
        let length = file.metadata().map_err(|error| files::failed("look at", path, &error))?.len();
        Ok(Self { reader: Some(BufReader::new(file.take(length))) })
    }

    /// The next whole record; an error when it is no text or too large, after which there is no next.
    pub(crate) fn next(&mut self) -> Option<Result<String, String>> {
        let reader = self.reader.as_mut()?;
        let mut note = String::new();
        let mut blank_inside = false;
        loop {
            let begin = note.len();
            let left = (CHECKPOINT_NOTE_BYTES_MAX + 1).saturating_sub(begin) as u64;
            let read = reader.take(left).read_line(&mut note);
            match read {
                Ok(0) if left > 0 => return None,
                Ok(_) if !note.ends_with('\n') && left > note[begin..].len() as u64 => return None,
                Ok(_) if !note.ends_with('\n') => return self.broken("a record is too large"),
                Err(error) => return self.broken(&error.to_string()),
                Ok(_) if &note[begin..] != "\n" => {}
                Ok(_) if blank_inside => {
                    note.pop();
                    return Some(Ok(note));
                }
                Ok(_) => blank_inside = true,
            }
        }
    }

    fn broken(&mut self, why: &str) -> Option<Result<String, String>> {
        self.reader = None;
        Some(Err(why.to_owned()))
    }
}
