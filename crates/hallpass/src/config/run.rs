//! `[run]`: what a session may use up when the command line does not say, and what it may ask for by a guess.

use std::fmt;
use std::str::FromStr;

use hallpass_core::budget::{Usd, parse_bytes};

use super::Entry;
use super::narrow;
use super::origin::Located;
use super::problem::Problem;
use super::section::Section;

/// The IAM prefix of one service, `kms`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServicePrefix(String);

impl FromStr for ServicePrefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (1..=64).contains(&text.len()) && text.bytes().all(legal) {
            return Ok(Self(text.to_owned()));
        }
        let shown: String = text.escape_debug().take(60).collect();
        Err(format!("`{shown}` is not the prefix of one service's actions, such as `kms`"))
    }
}

impl fmt::Display for ServicePrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The section.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunConfig {
    /// Money, USD.
    pub(crate) budget: Option<Located<Usd>>,
    /// Requests.
    pub(crate) max_requests: Option<Located<u64>>,
    /// Bytes of bodies, both ways.
    pub(crate) max_bytes: Option<Located<u64>>,
    /// Distinct resources.
    pub(crate) max_resources: Option<Located<u64>>,
    /// Services whose operations may be allowed by a guessed action, where AWS names none.
    allow_unmapped: Option<Located<Vec<ServicePrefix>>>,
}

impl RunConfig {
    /// Reads the section.
    pub(crate) fn read(section: &mut Section<'_>) -> Self {
        Self {
            budget: section.amount("budget", USD, str::parse::<Usd>),
            max_requests: section.amount("max_requests", WHOLE, whole),
            max_bytes: section.amount("max_bytes", BYTES, parse_bytes),
            max_resources: section.amount("max_resources", WHOLE, whole),
            allow_unmapped: section.list("allow_unmapped"),
        }
    }

    /// A project may cap, and not widen what is recognised.
    pub(crate) fn check_project(&self, problems: &mut Vec<Problem>) {
        let widening = self.allow_unmapped.as_ref();
        problems.extend(widening.map(|value| narrow::forbidden(&value.origin, "run.allow_unmapped")));
    }

    /// The caps of both: the smaller number of each.
    pub(crate) fn narrowed_by(self, project: Self) -> Self {
        Self {
            budget: smaller(self.budget, project.budget),
            max_requests: smaller(self.max_requests, project.max_requests),
            max_bytes: smaller(self.max_bytes, project.max_bytes),
            max_resources: smaller(self.max_resources, project.max_resources),
            allow_unmapped: self.allow_unmapped,
        }
    }

    /// The services that may be asked by a guess; none unless somebody says so.
    pub(crate) fn allow_unmapped(&self) -> Vec<String> {
        self.allow_unmapped.iter().flat_map(|all| all.value.iter().map(ToString::to_string)).collect()
    }

    /// Every value, for `config show`.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        vec![
            entry("run.budget", self.budget.as_ref()),
            entry("run.max_requests", self.max_requests.as_ref()),
            entry("run.max_bytes", self.max_bytes.as_ref()),
            entry("run.max_resources", self.max_resources.as_ref()),
            Entry::new(
                "run.allow_unmapped",
                self.allow_unmapped.as_ref().map(|_| self.allow_unmapped().join(", ")),
                self.allow_unmapped.as_ref().map(|value| &value.origin),
            ),
        ]
    }
}

const USD: &str = "an amount of USD such as \"2.50\"";
const BYTES: &str = "an amount of bytes such as \"10GiB\"";
const WHOLE: &str = "a whole number above zero";

/// A whole number above zero, as far as the log can hold it.
fn whole(text: &str) -> Result<u64, String> {
    let number = text.parse::<u64>().ok().filter(|n| (1..=i64::MAX.unsigned_abs()).contains(n));
    number.ok_or_else(|| format!("must be {WHOLE}"))
}

fn smaller<T: PartialOrd>(own: Option<Located<T>>, theirs: Option<Located<T>>) -> Option<Located<T>> {
    match (own, theirs) {
        (Some(own), Some(theirs)) if theirs.value < own.value => Some(theirs),
        (own, theirs) => own.or(theirs),
    }
}

fn entry<T: fmt::Display>(key: &'static str, value: Option<&Located<T>>) -> Entry {
    Entry::new(key, value.map(|v| v.value.to_string()), value.map(|v| &v.origin))
}
