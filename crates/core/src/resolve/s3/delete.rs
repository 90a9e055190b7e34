//! The body of a multi-object delete: every key in it is a resource.

use super::super::xml::{self, Event};
use super::super::{Upstream, malformed, too_large};
use super::copy::is_version_id;
use super::name::check_key;
use crate::denial::Denial;
use crate::limits::S3_DELETE_KEYS_MAX;

/// One object to delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Doomed {
    pub(super) key: String,
    pub(super) version: Option<String>,
    /// Deleted only if it is as the caller says, which tells the caller whether it is.
    pub(super) conditional: bool,
}

/// Reads `<Delete><Object><Key/>[<VersionId/>]…</Object>…[<Quiet/>]</Delete>` and nothing else.
pub(super) fn keys(body: &[u8], upstream: Upstream) -> Result<Vec<Doomed>, Denial> {
    let mut found = Vec::new();
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut path: Vec<String> = Vec::new();
    for event in xml::events(body)? {
        match event {
            Event::Start(name) => {
                path.push(name);
                let names: Vec<&str> = path.iter().map(String::as_str).collect();
                match names.as_slice() {
                    ["Delete"] | ["Delete", "Quiet"] => {}
                    ["Delete", "Object"] => fields.clear(),
                    ["Delete", "Object", field @ ("Key" | "VersionId" | "ETag" | "LastModifiedTime" | "Size")]
                        if !fields.iter().any(|(known, _)| known == field) =>
                    {
                        fields.push(((*field).to_owned(), String::new()));
                    }
                    _ => return Err(unknown()),
                }
            }
            Event::Text(text) if path.len() == 3 => {
                if let Some((_, value)) = fields.last_mut() {
                    value.push_str(&text);
                }
            }
            Event::Text(text) => {
                let is_quiet = path.last().is_some_and(|name| name == "Quiet");
                if !is_quiet && !text.trim_matches([' ', '\t', '\r', '\n']).is_empty() {
                    return Err(unknown());
                }
            }
            Event::End => {
                path.pop();
                if path.len() == 1 && !fields.is_empty() {
                    found.push(doomed(std::mem::take(&mut fields), upstream)?);
                    if found.len() > S3_DELETE_KEYS_MAX {
                        return Err(too_large(format!("DeleteObjects names more than {S3_DELETE_KEYS_MAX} keys")));
                    }
                }
            }
        }
    }
    if found.is_empty() {
        return Err(malformed("DeleteObjects names no key"));
    }
    Ok(found)
}

fn doomed(fields: Vec<(String, String)>, upstream: Upstream) -> Result<Doomed, Denial> {
    let (mut key, mut version, mut conditional) = (None, None, false);
    for (name, value) in fields {
        match name.as_str() {
            "Key" => key = Some(value),
            "VersionId" => version = Some(value),
            _ => conditional = true,
        }
    }
    let key = key.filter(|key| !key.is_empty()).ok_or_else(unknown)?;
    check_key(&key, upstream)?;
    if version.as_deref().is_some_and(|id| !is_version_id(id)) {
        return Err(malformed("a VersionId of DeleteObjects is not a version id"));
    }
    Ok(Doomed { key, version, conditional })
}

fn unknown() -> Denial {
    malformed("the body of DeleteObjects is not `<Delete>` with `<Object>` elements, each with one `<Key>`")
}
