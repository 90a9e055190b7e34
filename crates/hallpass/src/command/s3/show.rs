//! How things in a store are shown: lines for people, one JSON object a line for programs.

use hallpass_core::budget::shown_bytes;
use hallpass_s3::client::{Bucket, Listed, ListedUpload, ListedVersion};
use serde::Serialize;

use crate::error::CommandError;
use crate::output::{Paint, Printer, clean, envelope};

/// Something in a store. What is not known, or makes no sense for the kind, is `null`.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Item {
    pub(super) kind: &'static str,
    pub(super) bucket: String,
    pub(super) key: Option<String>,
    pub(super) size: Option<u64>,
    pub(super) last_modified: Option<String>,
    pub(super) etag: Option<String>,
    pub(super) storage_class: Option<String>,
    pub(super) version_id: Option<String>,
    pub(super) is_latest: Option<bool>,
    pub(super) upload_id: Option<String>,
    pub(super) region: Option<String>,
}

impl Item {
    pub(super) fn of_bucket(bucket: Bucket) -> Self {
        let last_modified = bucket.created.map(|time| time.to_string());
        Self { kind: "bucket", bucket: bucket.name, last_modified, region: bucket.region, ..Self::default() }
    }

    pub(super) fn of_prefix(bucket: &str, prefix: String) -> Self {
        Self { kind: "prefix", bucket: bucket.to_owned(), key: Some(prefix), ..Self::default() }
    }

    pub(super) fn of_object(bucket: &str, object: Listed) -> Self {
        Self {
            kind: "object",
            bucket: bucket.to_owned(),
            key: Some(object.key),
            size: Some(object.size),
            last_modified: object.last_modified.map(|time| time.to_string()),
            etag: object.etag.map(bare),
            storage_class: object.storage_class,
            ..Self::default()
        }
    }

    pub(super) fn of_version(bucket: &str, version: ListedVersion) -> Self {
        let item = Self::of_object(bucket, version.object);
        let (kind, size) = if version.marker { ("delete_marker", None) } else { ("version", item.size) };
        Self { kind, size, version_id: Some(version.version), is_latest: Some(version.latest), ..item }
    }

    pub(super) fn of_upload(listed: ListedUpload) -> Self {
        Self {
            kind: "upload",
            bucket: listed.upload.object.bucket,
            key: Some(listed.upload.object.key),
            last_modified: listed.begun.map(|time| time.to_string()),
            upload_id: Some(listed.upload.id),
            ..Self::default()
        }
    }

    /// One line: time, size, what else there is, name.
    pub(super) fn line(&self, look: &Look<'_>) -> String {
        let time = self.last_modified.as_deref().map_or(String::new(), seconds);
        let size = match (self.kind, self.size) {
            ("prefix", _) => "PRE".to_owned(),
            ("delete_marker", _) => "deleted".to_owned(),
            (_, Some(bytes)) if look.exact => bytes.to_string(),
            (_, Some(bytes)) => shown_bytes(bytes),
            _ => "-".to_owned(),
        };
        let name = self.key.as_deref().unwrap_or(&self.bucket);
        let name = clean::quoted(name.strip_prefix(look.base).filter(|rest| !rest.is_empty()).unwrap_or(name));
        let width = if look.exact { 15 } else { 10 };
        let (time, size) = (look.printer.paint(Paint::Dim, format!("{time:<20}")), format!("{size:>width$}"));
        let size = if self.kind == "delete_marker" { look.printer.paint(Paint::Bad, size) } else { size };
        let mut line = format!("{time} {size} ");
        if let Some(id) = self.id() {
            let latest = if self.is_latest == Some(true) { "*" } else { " " };
            let id = format!("{}{}", clean::line(id), if self.version_id.is_some() { latest } else { "" });
            let width = look.id_width + 1;
            line.push_str(&look.printer.paint(Paint::Dim, format!("{id:<width$}")));
            line.push(' ');
        }
        match self.kind {
            "prefix" | "bucket" => line.push_str(&look.printer.paint(Paint::Bold, name)),
            _ => line.push_str(&name),
        }
        line
    }

    /// Of a version, or of an upload.
    fn id(&self) -> Option<&str> {
        self.version_id.as_deref().or(self.upload_id.as_deref())
    }
}

/// How lines look that are printed together.
#[derive(Debug)]
pub(super) struct Look<'a> {
    printer: Printer,
    base: &'a str,
    exact: bool,
    id_width: usize,
}

impl<'a> Look<'a> {
    /// `base` is left out of names; `exact`: sizes in bytes. Ids are as wide as the widest of `items`.
    pub(super) fn of(items: &[Item], printer: Printer, base: &'a str, exact: bool) -> Self {
        let id_width = items.iter().filter_map(|item| Some(item.id()?.chars().count())).max().unwrap_or(0);
        Self { printer, base, exact, id_width }
    }
}

/// Whole seconds of an RFC 3339 time.
fn seconds(time: &str) -> String {
    match time.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => time.to_owned(),
    }
}

/// An ETag without its quotes.
pub(super) fn bare(etag: String) -> String {
    etag.trim_matches('"').to_owned()
}

/// Prints many of one family at once: a line each.
pub(super) fn all<T: Serialize>(
    printer: Printer,
    family: &str,
    items: &[T],
    line: impl Fn(&T) -> String,
) -> Result<(), CommandError> {
    use std::io::Write;
    let texts = items.iter().map(|item| match printer.is_json() {
        true => envelope::text(family, item),
        false => Ok(line(item)),
    });
    let texts = texts.collect::<Result<Vec<_>, _>>()?;
    printer.write(|out| texts.iter().try_for_each(|text| writeln!(out, "{text}")))
}

/// Prints one answer: JSON, or the text for people.
pub(super) fn one<T: Serialize>(
    printer: Printer,
    family: &str,
    data: &T,
    text: impl FnOnce() -> String,
) -> Result<(), CommandError> {
    if printer.is_json() { envelope::success(printer, family, data) } else { printer.data(text()) }
}

/// Prints the answer of a command that changed something: JSON on stdout, or a word on stderr.
pub(super) fn done<T: Serialize>(
    printer: Printer,
    family: &str,
    data: &T,
    text: impl FnOnce() -> String,
) -> Result<(), CommandError> {
    if printer.is_json() {
        return envelope::success(printer, family, data);
    }
    printer.say(text());
    Ok(())
}
