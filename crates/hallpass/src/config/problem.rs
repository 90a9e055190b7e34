//! What is wrong with a configuration, where, and what to write instead.

use std::fmt;
use std::path::PathBuf;

use super::origin::{Origin, Position};
use crate::error::CommandError;

/// Where a problem is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// At a line and column.
    At(Position),
    /// A file as a whole.
    File(PathBuf),
    /// A variable.
    Variable(&'static str),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(position) => position.fmt(f),
            Self::File(file) => file.display().fmt(f),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Stable code, `config.unknown_key`.
    pub(crate) code: &'static str,
    /// Where.
    pub(crate) place: Place,
    /// What, one sentence.
    pub(crate) message: String,
    /// What to do.
    pub(crate) next: Option<String>,
}

impl Problem {
    /// A problem at a place in a file.
    pub(crate) fn at(position: Position, code: &'static str, message: impl Into<String>) -> Self {
        Self { code, place: Place::At(position), message: message.into(), next: None }
    }

    /// A problem with a value, wherever it came from.
    pub(crate) fn of(origin: &Origin, code: &'static str, message: impl Into<String>) -> Self {
        let place = match origin {
            Origin::User(position) | Origin::Project(position) => Place::At(position.clone()),
            Origin::Environment(name) => Place::Variable(name),
            Origin::Default => Place::Variable("default"),
        };
        Self { code, place, message: message.into(), next: None }
    }

    /// A problem with a file as a whole.
    pub(crate) fn file(file: impl Into<PathBuf>, code: &'static str, message: impl Into<String>) -> Self {
        Self { code, place: Place::File(file.into()), message: message.into(), next: None }
    }

    /// Adds what to do.
    pub(crate) fn next(mut self, step: impl Into<String>) -> Self {
        self.next = Some(step.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// Everything that is wrong; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problems(pub(crate) Vec<Problem>);

impl From<Problems> for CommandError {
    fn from(Problems(problems): Problems) -> Self {
        let mut problems = problems.into_iter();
        let Some(first) = problems.next() else {
            return Self::usage("config.invalid", "the configuration is invalid");
        };
        let mut error = Self::usage(first.code, first.to_string());
        for other in problems {
            error = error.cause(other.to_string());
        }
        error.next(first.next.unwrap_or_else(|| "correct it, then run `hallpass config check`".to_owned()))
    }
}

/// The known name that `written` most likely means, if one is near.
pub(crate) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_ascii_lowercase().replace('-', "_");
    let mut best: Option<(&str, f64)> = None;
    for name in known {
        let score = strsim::normalized_damerau_levenshtein(&written, &name.replace('-', "_"));
        if score > best.map_or(0.5, |(_, score)| score) {
            best = Some((name, score));
        }
    }
    best.map(|(name, _)| name)
}
