//! A full IAM policy document, read more strictly than AWS reads it. IAM user guide, "Grammar of the IAM JSON
//! policy language".
//!
//! A document of version 2008-10-17, or without a version, has no policy variables: its `${…}` is literal text. It is
//! turned into version 2012-10-17 on reading, so everything after has one meaning and one form.

mod allows;
mod json;
mod locate;
mod mistaken;
mod read;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::action::ActionPattern;
use super::condition::{Block, Condition};
use super::resource::ResourcePattern;
use crate::limits::POLICY_DOCUMENT_BYTES_MAX;
pub use allows::Allow;
pub(crate) use allows::resource_covers;
use json::Json;

/// A checked policy document: one ceiling of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyDocument {
    statements: Vec<Statement>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) sid: Option<String>,
    pub(crate) effect: Effect,
    pub(crate) actions: Scope<ActionPattern>,
    pub(crate) resources: Scope<ResourcePattern>,
    pub(crate) conditions: Vec<Condition>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum Effect {
    Allow,
    Deny,
}

/// `Action` or `NotAction`, `Resource` or `NotResource`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope<T> {
    Only(Vec<T>),
    AllBut(Vec<T>),
}

/// Why a text is not a policy document that we accept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("policy document, {place}: {message}")]
pub struct DocumentError {
    /// Where.
    pub place: Place,
    /// What is wrong, and what to write instead.
    pub message: String,
}

impl DocumentError {
    /// Line and column in `text`, the text that was read; both from 1.
    pub fn position(&self, text: &str) -> (usize, usize) {
        self.place.position(text)
    }
}

impl Place {
    /// Line and column in the document's text, both from 1; the beginning, when it is a path that `text` has no
    /// part of.
    pub fn position(&self, text: &str) -> (usize, usize) {
        match self {
            Self::Text { line, column } => (*line.max(&1), *column.max(&1)),
            Self::Path(path) => locate::locate(text, path).unwrap_or((1, 1)),
        }
    }
}

/// Where in a document: in its text, or in its structure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Line and column, both from 1.
    Text {
        /// Line.
        line: usize,
        /// Column, bytes.
        column: usize,
    },
    /// A JSON path, `Statement[1].Action[0]`.
    Path(String),
}

impl PolicyDocument {
    /// Reads a document from JSON.
    ///
    /// # Errors
    /// [`DocumentError`] for anything that is not exactly a policy: unknown or repeated members, `Principal`, empty
    /// arrays, wrong types, unreadable actions, ARNs, operators or values, `ForAllValues` in an Allow without the
    /// `Null` test that makes it safe, and texts past [`POLICY_DOCUMENT_BYTES_MAX`] or too deeply nested.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        if text.len() > POLICY_DOCUMENT_BYTES_MAX {
            let message = format!("{} bytes, more than the {POLICY_DOCUMENT_BYTES_MAX} that are read", text.len());
            return Err(DocumentError { place: Place::Text { line: 1, column: 1 }, message });
        }
        if text.starts_with('\u{feff}') {
            let message = "it begins with a byte order mark: save it as UTF-8 without one".to_owned();
            return Err(DocumentError { place: Place::Text { line: 1, column: 1 }, message });
        }
        let json: Json = serde_json::from_str(text).map_err(|error| {
            let full = error.to_string();
            let message = full.split(" at line ").next().unwrap_or_default().to_owned();
            let (line, bytes) = (error.line(), error.column());
            let of_line = text.split('\n').nth(line.saturating_sub(1)).unwrap_or_default();
            let column = of_line.get(..bytes).map_or(bytes, |before| before.chars().count());
            let rest = of_line.get(bytes.saturating_sub(1)..).unwrap_or_default();
            let message = mistaken::syntax(text, rest).map_or(message, str::to_owned);
            DocumentError { place: Place::Text { line, column }, message }
        })?;
        read::document(json)
    }

    pub(crate) fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// True when no statement allows anything, so that a session under it can do nothing.
    pub fn allows_nothing(&self) -> bool {
        !self.statements.iter().any(|statement| statement.effect == Effect::Allow)
    }
}

impl Statement {
    /// `Sid`, or its number in the document.
    pub(crate) fn name(&self, number: usize) -> String {
        self.sid.clone().unwrap_or_else(|| format!("statement {number}"))
    }

    /// Writes the statement; `sid` says whether its name goes along.
    pub(crate) fn written(&self, sid: bool) -> Written<'_> {
        Written { statement: self, sid }
    }
}

impl<T> Scope<T> {
    pub(crate) fn items(&self) -> &[T] {
        match self {
            Self::Only(items) | Self::AllBut(items) => items,
        }
    }
}

/// A statement on its way to JSON, in the order in which people write it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written<'a> {
    statement: &'a Statement,
    sid: bool,
}

/// A string where there is one, an array where there are more.
struct OneOrMany(Vec<String>);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;

        let statement = self.statement;
        let mut map = serializer.serialize_map(None)?;
        if let (Some(sid), true) = (&statement.sid, self.sid) {
            map.serialize_entry("Sid", sid)?;
        }
        map.serialize_entry("Effect", &statement.effect)?;
        let actions = OneOrMany(statement.actions.items().iter().map(ToString::to_string).collect());
        match &statement.actions {
            Scope::Only(_) => map.serialize_entry("Action", &actions)?,
            Scope::AllBut(_) => map.serialize_entry("NotAction", &actions)?,
        }
        let resources = OneOrMany(statement.resources.items().iter().map(|item| item.as_str().to_owned()).collect());
        match &statement.resources {
            Scope::Only(_) => map.serialize_entry("Resource", &resources)?,
            Scope::AllBut(_) => map.serialize_entry("NotResource", &resources)?,
        }
        if !statement.conditions.is_empty() {
            map.serialize_entry("Condition", &Block(&statement.conditions))?;
        }
        map.end()
    }
}

impl Serialize for OneOrMany {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => serializer.serialize_str(one),
            many => serializer.collect_seq(many),
        }
    }
}

impl Serialize for PolicyDocument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Document<'a> {
            version: &'static str,
            statement: Vec<Written<'a>>,
        }
        let statement = self.statements.iter().map(|statement| statement.written(true)).collect();
        Document { version: read::VERSION, statement }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PolicyDocument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read::document(Json::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl std::str::FromStr for PolicyDocument {
    type Err = DocumentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { line, column } => write!(f, "line {line} column {column}"),
            Self::Path(path) if path.is_empty() => f.write_str("top level"),
            Self::Path(path) => write!(f, "`{path}`"),
        }
    }
}
