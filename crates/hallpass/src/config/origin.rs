//! Where a value came from.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A place in a file; line and column count from 1, in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Position {
    /// The file.
    pub(crate) file: Arc<Path>,
    /// Line.
    pub(crate) line: usize,
    /// Column.
    pub(crate) column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.display(), self.line, self.column)
    }
}

/// Who said it, weakest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The product itself.
    Default,
    /// The user's own file.
    User(Position),
    /// The project's file, which may only narrow.
    Project(Position),
    /// A variable, by its name.
    Environment(&'static str),
}

impl Origin {
    /// The layer's name in JSON.
    pub(crate) fn layer(&self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::User(_) => "user",
            Self::Project(_) => "project",
            Self::Environment(_) => "environment",
        }
    }

    /// The folder that relative paths start from.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        match self {
            Self::User(position) | Self::Project(position) => position.file.parent().map(Path::to_path_buf),
            Self::Default | Self::Environment(_) => None,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::User(position) | Self::Project(position) => write!(f, "{} {position}", self.layer()),
            Self::Environment(name) => write!(f, "environment {name}"),
        }
    }
}

/// A value and who said it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Located<T> {
    /// The value.
    pub(crate) value: T,
    /// Who said it.
    pub(crate) origin: Origin,
}

impl<T> Located<T> {
    /// The same origin with another value.
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Located<U> {
        Located { value: change(self.value), origin: self.origin }
    }
}
