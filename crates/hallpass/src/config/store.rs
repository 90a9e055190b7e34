//! `[store]`: how sessions and the audit log are kept.

use std::fmt;
use std::str::FromStr;

use hallpass_core::limits::SESSIONS_KEPT_MAX;

use super::Entry;
use super::narrow;
use super::origin::Located;
use super::problem::Problem;
use super::section::Section;

/// What a written entry survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Durability {
    /// The death of our process, at any instant. The default: local logs are for the person at the machine.
    #[default]
    Process,
    /// Loss of power as well: every commit waits for the disk.
    Power,
}

impl Durability {
    /// The name in files.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Power => "power",
        }
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Durability {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "process" => Ok(Self::Process),
            "power" => Ok(Self::Power),
            other => Err(format!("`{other}` is not a durability (process, power)")),
        }
    }
}

impl From<Durability> for hallpass_control::store::Durability {
    fn from(durability: Durability) -> Self {
        match durability {
            Durability::Process => Self::Process,
            Durability::Power => Self::Power,
        }
    }
}

/// The section.
#[derive(Debug, Clone, Default)]
pub(crate) struct StoreConfig {
    /// What a written entry survives.
    pub(crate) durability: Option<Located<Durability>>,
    /// Ended sessions to keep.
    pub(crate) keep_sessions: Option<Located<u64>>,
}

impl StoreConfig {
    /// Reads the section.
    pub(crate) fn read(section: &mut Section<'_>) -> Self {
        Self {
            durability: section.parsed("durability"),
            keep_sessions: section.count("keep_sessions", SESSIONS_KEPT_MAX),
        }
    }

    /// A project may say nothing here.
    pub(crate) fn check_project(&self, problems: &mut Vec<Problem>) {
        let durability = self.durability.as_ref().map(|v| narrow::forbidden(&v.origin, "store.durability"));
        let keep = self.keep_sessions.as_ref().map(|v| narrow::forbidden(&v.origin, "store.keep_sessions"));
        problems.extend([durability, keep].into_iter().flatten());
    }

    /// What a written entry survives.
    pub(crate) fn durability(&self) -> Durability {
        self.durability.as_ref().map_or(Durability::default(), |v| v.value)
    }

    /// Ended sessions to keep.
    pub(crate) fn keep_sessions(&self) -> u64 {
        self.keep_sessions.as_ref().map_or(SESSIONS_KEPT_MAX, |v| v.value)
    }

    /// Every value, for `config show`.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        vec![
            Entry::new(
                "store.durability",
                Some(self.durability().to_string()),
                self.durability.as_ref().map(|v| &v.origin),
            ),
            Entry::new(
                "store.keep_sessions",
                Some(self.keep_sessions().to_string()),
                self.keep_sessions.as_ref().map(|v| &v.origin),
            ),
        ]
    }
}
