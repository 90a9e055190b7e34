//! Which keys of a walk are meant: what `find` and `rm` ask of a name, a size and a time.

use hallpass_core::policy::glob::Glob;
use jiff::Timestamp;
use regex_lite::{Regex, RegexBuilder};

use crate::client::Listed;
use crate::error::S3Error;
use hallpass_core::limits::S3_REGEX_BYTES_MAX;

/// All that is set must hold. What the store does not tell about an object holds for nothing.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The last part of the key; `*` is any run of characters, `?` is any one.
    pub name: Option<Glob>,
    /// Found anywhere in the key.
    pub regex: Option<Regex>,
    /// More bytes than this.
    pub larger: Option<u64>,
    /// Fewer bytes than this.
    pub smaller: Option<u64>,
    /// Written after this.
    pub newer: Option<Timestamp>,
    /// Written before this.
    pub older: Option<Timestamp>,
    /// At most so many parts below where the walk began.
    pub depth: Option<usize>,
}

impl Filter {
    /// Reads a regular expression (the syntax of the `regex-lite` crate; linear in the length of the key).
    ///
    /// # Errors
    /// [`S3Error::Usage`]: none, or one that needs more than [`S3_REGEX_BYTES_MAX`] of memory.
    pub fn regex(text: &str) -> Result<Regex, S3Error> {
        RegexBuilder::new(text).size_limit(S3_REGEX_BYTES_MAX).build().map_err(|error| {
            let shown: String = text.chars().take(80).collect();
            S3Error::usage(format!("`{shown}` is no regular expression: {error}"))
        })
    }

    /// Whether an object is meant. `base`: where the walk began.
    pub fn holds(&self, object: &Listed, base: &str) -> bool {
        let key = object.key.as_str();
        let trimmed = key.strip_suffix('/').unwrap_or(key);
        let last = trimmed.rsplit_once('/').map_or(trimmed, |(_, last)| last);
        let parts = || key.strip_prefix(base).unwrap_or(key).trim_end_matches('/').split('/').count();
        let time = |holds: &dyn Fn(Timestamp) -> bool| object.last_modified.is_some_and(holds);
        self.name.as_ref().is_none_or(|glob| glob.matches(last))
            && self.regex.as_ref().is_none_or(|regex| regex.is_match(key))
            && self.larger.is_none_or(|bytes| object.size > bytes)
            && self.smaller.is_none_or(|bytes| object.size < bytes)
            && self.newer.is_none_or(|then| time(&|at| at > then))
            && self.older.is_none_or(|then| time(&|at| at < then))
            && self.depth.is_none_or(|most| parts() <= most)
    }
}

#[cfg(test)]
mod tests {
    use hallpass_core::limits::S3_REGEX_BYTES_MAX;
    use hallpass_core::policy::glob::Glob;

    use super::Filter;
    use crate::client::Listed;

    fn object(key: &str, size: u64) -> Listed {
        let last_modified = "2026-01-02T00:00:00Z".parse().ok();
        Listed { key: key.to_owned(), size, last_modified, ..Listed::default() }
    }

    #[test]
    fn all_that_is_set_must_hold() {
        let filter = Filter {
            name: Some(Glob::new("*.log")),
            larger: Some(10),
            older: "2026-01-03T00:00:00Z".parse().ok(),
            depth: Some(2),
            ..Filter::default()
        };
        assert!(filter.holds(&object("a/b/c.log", 11), "a/"));
        assert!(!filter.holds(&object("a/b/c.txt", 11), "a/"), "name");
        assert!(!filter.holds(&object("a/b/c.log", 10), "a/"), "size");
        assert!(!filter.holds(&object("a/b/x/c.log", 11), "a/"), "depth");
        let undated = Listed { last_modified: None, ..object("a/b/c.log", 11) };
        assert!(!filter.holds(&undated, "a/"), "what has no age is not old");
    }

    #[test]
    fn a_regular_expression_has_a_limit() {
        assert!(Filter::regex("^logs/[0-9]{4}/").expect("good").is_match("logs/2026/a"));
        let huge = format!("(?:a{{1000}}){{{}}}", S3_REGEX_BYTES_MAX / 1_000);
        assert!(Filter::regex(&huge).is_err() && Filter::regex("(").is_err());
    }
}
