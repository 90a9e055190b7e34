//! `[s3]`: the S3-compatible store that `--provider s3` lends. Never in a project's file: it decides which endpoint sees
//! the real signature. Keys are not kept here, but in a profile of the AWS files or in the environment. The aliases of
//! `hallpass s3` are another thing (`[[aliases]]`).

use super::Entry;
use super::aws::check_url;
use super::narrow;
use super::origin::Located;
use super::problem::Problem;
use super::section::Section;

/// The section.
#[derive(Debug, Clone, Default)]
pub(crate) struct S3Config {
    /// Where the store is.
    pub(crate) endpoint_url: Option<Located<String>>,
    /// The store's name for its region; clients sign with it.
    pub(crate) region: Option<Located<String>>,
    /// Profile of the AWS files that holds the store's static keys.
    pub(crate) profile: Option<Located<String>>,
    /// Whether an alias whose session token has expired is removed.
    pub(crate) prune_expired: Option<Located<bool>>,
}

impl S3Config {
    /// Reads the section.
    pub(crate) fn read(section: &mut Section<'_>) -> Self {
        let config = Self {
            endpoint_url: section.text("endpoint_url"),
            region: section.text("region"),
            profile: section.text("profile"),
            prune_expired: section.flag("prune_expired"),
        };
        if let Some(url) = &config.endpoint_url
            && let Err(why) = check_url(&url.value)
        {
            section.problem(Problem::of(&url.origin, "config.bad_value", format!("`s3.endpoint_url`: {why}")));
        }
        config
    }

    /// A project may say nothing here.
    pub(crate) fn check_project(&self, problems: &mut Vec<Problem>) {
        let set = self.all().into_iter().filter_map(|(key, value)| value.map(|v| narrow::forbidden(&v.origin, key)));
        problems.extend(set);
        problems.extend(self.prune_expired.as_ref().map(|flag| narrow::forbidden(&flag.origin, "s3.prune_expired")));
    }

    /// Whether an alias whose session token has expired is removed.
    pub(crate) fn prunes_expired(&self) -> bool {
        self.prune_expired.as_ref().is_none_or(|flag| flag.value)
    }

    /// Every value, for `config show`.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let entry = |(key, value): (&'static str, Option<&Located<String>>)| {
            Entry::new(key, value.map(|v| v.value.clone()), value.map(|v| &v.origin))
        };
        let origin = self.prune_expired.as_ref().map(|flag| &flag.origin);
        let prunes = Entry::new("s3.prune_expired", Some(self.prunes_expired().to_string()), origin);
        self.all().into_iter().map(entry).chain([prunes]).collect()
    }

    fn all(&self) -> [(&'static str, Option<&Located<String>>); 3] {
        [
            ("s3.endpoint_url", self.endpoint_url.as_ref()),
            ("s3.region", self.region.as_ref()),
            ("s3.profile", self.profile.as_ref()),
        ]
    }
}
