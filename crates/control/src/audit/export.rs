//! Export as JSON lines: the stored bytes, or a view without what is sensitive.

use std::io::Write;

use hallpass_core::audit::event::Class;
use hallpass_core::audit::{Event, Outline};
use hallpass_core::id::SessionId;
use serde_json::{Map, Value};

use super::{LogSource, each_entry, snapshot};
use crate::store::StoreError;

/// What to export.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExportFilter {
    /// Only this session.
    pub session: Option<SessionId>,
    /// From this position on.
    pub from_seq: u64,
    /// Leave out every field that [`Event::class`] does not call public. Such lines have other hashes than the log's.
    pub redacted: bool,
}

/// Writes the entries, one line each, and answers how many.
///
/// # Errors
/// An outage of the store, or [`StoreError::Io`] of the sink.
pub fn export(source: &LogSource, filter: &ExportFilter, out: &mut dyn Write) -> Result<u64, StoreError> {
    let connection = snapshot(source)?;
    let mut written = 0;
    let sink = |error: std::io::Error| StoreError::Io(format!("cannot write the export: {error}"));
    each_entry(&connection, filter.from_seq, |_, entry| {
        let session = filter.session.as_ref().map(SessionId::as_str);
        if session.is_some() && Outline::of(entry).and_then(|outline| outline.session) != session {
            return Ok(true);
        }
        match filter.redacted {
            true => out.write_all(redacted(entry)?.as_bytes()).map_err(sink)?,
            false => out.write_all(entry).map_err(sink)?,
        }
        out.write_all(b"\n").map_err(sink)?;
        written += 1;
        Ok(true)
    })?;
    out.flush().map_err(sink)?;
    Ok(written)
}

/// The entry with the public fields of its event only. What cannot be read has no public field.
fn redacted(entry: &[u8]) -> Result<String, StoreError> {
    let damaged = |error: &dyn std::fmt::Display| StoreError::Corrupt(format!("an entry cannot be read: {error}"));
    let mut value: Value = serde_json::from_slice(entry).map_err(|error| damaged(&error))?;
    let event = value.get_mut("event").and_then(Value::as_object_mut).ok_or_else(|| damaged(&"it has no event"))?;
    let kind = event.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    let fields = std::mem::take(event);
    let public = |field: &str| field == "type" || Event::class(&kind, field) == Class::Public;
    let public: Map<String, Value> = fields.into_iter().filter(|(field, _)| public(field)).collect();
    *event = public;
    Ok(value.to_string())
}
