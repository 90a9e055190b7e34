//! What a transfer will do, before it does it: the same plan is shown by `--dry-run` and carried out without it.
//!
//! | file | what it knows |
//! |---|---|
//! | `copies` | sources and a target → what is copied where |
//! | `mirror` | two sides → what is copied, what is the same, what is removed |
//! | `differ` | two sides → how they differ |
//! | `pairs`, `compare` | two sides side by side; whether two things are the same |
//! | `side`, `walk` | all of one side, in order: a listing or a folder |
//! | `name` | keys that may become local files, and those that must not |
//! | `select`, `glob` | what is meant |
//!
//! Up to [`S3_PLAN_AHEAD_MAX`] things are planned before the first is
//! written, so that what is refused is refused before anything has changed. Nothing here holds more than that.

mod compare;
mod copies;
mod differ;
mod glob;
mod mirror;
mod name;
mod pairs;
mod select;
mod side;
mod walk;

use std::collections::VecDeque;
use std::fmt;
use std::path::{Path, PathBuf};

use hallpass_core::limits::S3_PLAN_AHEAD_MAX;
use jiff::Timestamp;

use crate::client::{Client, ObjectId};
use crate::error::{ErrorKind, S3Error};

pub use compare::{Compare, Difference};
pub use copies::{Copies, Request};
pub use differ::{Differ, Differing};
pub use glob::Pattern;
pub use mirror::{Mirror, MirrorRequest};
pub use pairs::{Has, Pair, Pairs};
pub use select::{Select, Symlinks};

pub(crate) use walk::of_metadata;

/// What was named: one thing, or a folder of things.
#[derive(Debug, Clone)]
pub enum Spot {
    /// Standard input or output.
    Stdio,
    /// A path of this machine.
    Local(PathBuf),
    /// A place in a store; `key` is empty for the bucket.
    Remote {
        /// The store.
        client: Client,
        /// The bucket.
        bucket: String,
        /// Key or prefix, byte for byte.
        key: String,
    },
}

/// A folder, or what is one in a store: a prefix that is empty or ends with `/`.
#[derive(Debug, Clone)]
pub enum Root {
    /// A folder of this machine.
    Local(PathBuf),
    /// Keys that begin so.
    Remote {
        /// The store.
        client: Client,
        /// The bucket.
        bucket: String,
        /// Empty, or ends with `/`.
        prefix: String,
    },
}

/// Where one thing is.
#[derive(Debug, Clone)]
pub enum Place {
    /// Standard input or output.
    Stdio,
    /// A file.
    Local(PathBuf),
    /// An object.
    Object(Client, ObjectId),
}

/// One thing that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Relative to its side, pieces separated by `/`.
    pub name: String,
    /// Length, bytes.
    pub size: u64,
    /// When it was written.
    pub modified: Option<Timestamp>,
    /// With its quotes.
    pub etag: Option<String>,
}

/// Why something is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Passed {
    /// It was written outside the time range.
    Time,
    /// A symbolic link.
    Symlink,
    /// A pipe, a socket, a device.
    Special,
    /// An object without bytes whose key ends with `/`: some tools make such for folders.
    Marker,
    /// The target has it, and it was not to be overwritten.
    Exists,
    /// The target has the same.
    Identical,
}

impl Passed {
    /// The word for `--json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Symlink => "symlink",
            Self::Special => "special_file",
            Self::Marker => "folder_marker",
            Self::Exists => "exists",
            Self::Identical => "identical",
        }
    }
}

/// One copy that will be made.
#[derive(Debug, Clone)]
pub struct Planned {
    /// From here.
    pub from: Place,
    /// To here.
    pub to: Place,
    /// What is known of the source; its size only if it was listed.
    pub size: Option<u64>,
    /// See [`Found::etag`].
    pub etag: Option<String>,
    /// See [`Found::modified`].
    pub modified: Option<Timestamp>,
    /// It is one of many below a folder: no link in the target is followed for it.
    pub below: Option<PathBuf>,
    /// A local source of many: folders below this one that it was the last of go with it when it is moved.
    pub left: Option<PathBuf>,
}

/// The next of a plan.
#[derive(Debug, Clone)]
pub enum Step {
    /// It is copied.
    Copy(Box<Planned>),
    /// It is left out: name, and why.
    Passed(String, Passed),
    /// It cannot be part of the plan. Only where the caller wants to go on.
    Failed(S3Error),
}

/// A plan: copies or a mirror.
#[derive(Debug)]
pub struct Plan {
    kind: Kind,
    ahead: VecDeque<Step>,
    primed: bool,
}

#[derive(Debug)]
enum Kind {
    Copies(Box<Copies>),
    Mirror(Box<Mirror>),
}

impl Plan {
    /// What `cp` and `mv` do.
    pub fn copies(copies: Copies) -> Self {
        Self { kind: Kind::Copies(Box::new(copies)), ahead: VecDeque::new(), primed: false }
    }

    /// What `mirror` does.
    pub fn mirror(mirror: Mirror) -> Self {
        Self { kind: Kind::Mirror(Box::new(mirror)), ahead: VecDeque::new(), primed: false }
    }

    /// The next step; `None` at the end.
    ///
    /// # Errors
    /// What ends the plan. Up to [`S3_PLAN_AHEAD_MAX`] steps that comes before the first step is given.
    pub async fn next(&mut self) -> Result<Option<Step>, S3Error> {
        if !std::mem::replace(&mut self.primed, true) {
            while self.ahead.len() < S3_PLAN_AHEAD_MAX
                && let Some(step) = self.kind.step().await?
            {
                self.ahead.push_back(step);
            }
        }
        match self.ahead.pop_front() {
            Some(step) => Ok(Some(step)),
            None => self.kind.step().await,
        }
    }

    /// The mirror, for what it removes at its end.
    pub(crate) fn as_mirror(&mut self) -> Option<&mut Mirror> {
        match &mut self.kind {
            Kind::Mirror(mirror) => Some(mirror),
            Kind::Copies(_) => None,
        }
    }

    /// Copies that are planned and were not given yet, and their bytes.
    pub(crate) fn ahead(&self) -> (u64, u64) {
        let copies = self.ahead.iter().filter_map(|step| match step {
            Step::Copy(planned) => Some(planned.size.unwrap_or(0)),
            Step::Passed(..) | Step::Failed(_) => None,
        });
        copies.fold((0, 0), |(items, bytes), size| (items + 1, bytes + size))
    }
}

impl Kind {
    async fn step(&mut self) -> Result<Option<Step>, S3Error> {
        match self {
            Self::Copies(copies) => copies.step().await,
            Self::Mirror(mirror) => mirror.step().await,
        }
    }
}

impl Root {
    /// The place of a name below it.
    ///
    /// # Errors
    /// A name that is no safe local name, a key that is too long.
    pub fn place(&self, name: &str) -> Result<Place, S3Error> {
        match self {
            Self::Local(root) => name::below(root, name).map(Place::Local),
            Self::Remote { client, bucket, prefix } => {
                let key = format!("{prefix}{name}");
                name::check_key(&key)?;
                Ok(Place::Object(client.clone(), ObjectId::new(bucket, key)))
            }
        }
    }

    /// The place of a name that was found below it.
    pub(crate) fn existing(&self, name: &str) -> Result<Place, S3Error> {
        match self {
            Self::Local(root) => name::below(root, name).map(Place::Local),
            Self::Remote { client, bucket, prefix } => {
                Ok(Place::Object(client.clone(), ObjectId::new(bucket, format!("{prefix}{name}"))))
            }
        }
    }

    /// True when the other one is this one or inside of it.
    pub(crate) fn holds(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Local(a), Self::Local(b)) => b.starts_with(a),
            (
                Self::Remote { client, bucket, prefix },
                Self::Remote { client: other, bucket: other_bucket, prefix: other_prefix },
            ) => client.store() == other.store() && bucket == other_bucket && other_prefix.starts_with(prefix),
            _ => false,
        }
    }

    pub(crate) fn local(&self) -> Option<&Path> {
        match self {
            Self::Local(path) => Some(path),
            Self::Remote { .. } => None,
        }
    }
}

impl Place {
    /// True when both are the same object of the same store, or the same file.
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Object(a, x), Self::Object(b, y)) => {
                a.store() == b.store() && x.bucket == y.bucket && x.key == y.key && x.version == y.version
            }
            (Self::Local(a), Self::Local(b)) => a == b,
            _ => false,
        }
    }
}

impl fmt::Display for Place {
    /// As it is written on the command line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdio => f.write_str("-"),
            Self::Local(path) => write!(f, "{}", path.display()),
            Self::Object(client, object) => write!(f, "{}/{}/{}", client.alias(), object.bucket, object.key),
        }
    }
}

/// A mistake in what was asked for.
pub(crate) fn wrong(code: &'static str, message: impl Into<String>, next: impl Into<String>) -> S3Error {
    S3Error::refused(ErrorKind::Usage, code, message, next)
}
