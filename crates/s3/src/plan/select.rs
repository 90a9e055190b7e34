//! Which of what is found is meant.

use jiff::Timestamp;

use super::glob::Pattern;

/// What is meant: all, unless something here says otherwise.
#[derive(Debug, Clone, Default)]
pub struct Select {
    /// Only names that one of these means; none: every name.
    pub include: Vec<Pattern>,
    /// No name that one of these means; stronger than [`Self::include`].
    pub exclude: Vec<Pattern>,
    /// Only what was written after this moment.
    pub newer_than: Option<Timestamp>,
    /// Only what was written before this moment.
    pub older_than: Option<Timestamp>,
    /// What is done with symbolic links in local folders.
    pub symlinks: Symlinks,
}

/// What is done with symbolic links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Symlinks {
    /// They are left out, and counted.
    #[default]
    Skip,
    /// They are taken for what they lead to.
    Follow,
    /// They end the command before anything is written.
    Refuse,
}

impl Select {
    /// By name.
    pub fn names(&self, name: &str) -> bool {
        let any = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(name));
        !any(&self.exclude) && (self.include.is_empty() || any(&self.include))
    }

    /// By time. What has none is in no time range.
    pub fn times(&self, modified: Option<Timestamp>) -> bool {
        self.newer_than.is_none_or(|after| modified.is_some_and(|at| at > after))
            && self.older_than.is_none_or(|before| modified.is_some_and(|at| at < before))
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::Select;
    use crate::plan::Pattern;

    #[test]
    fn exclude_wins_over_include() {
        let patterns = |texts: &[&str]| texts.iter().map(|t| Pattern::parse(t).expect("a pattern")).collect();
        let select = Select { include: patterns(&["*.log"]), exclude: patterns(&["old/"]), ..Select::default() };
        assert!(select.names("a.log") && !select.names("a.txt") && !select.names("old/a.log"));
        assert!(Select::default().names("anything"));
    }

    #[test]
    fn what_has_no_time_is_in_no_time_range() {
        let at = |s| Some(Timestamp::from_second(s).expect("a time"));
        let select = Select { newer_than: at(10), older_than: at(20), ..Select::default() };
        assert!(select.times(at(11)) && !select.times(at(10)) && !select.times(at(20)) && !select.times(None));
        assert!(Select::default().times(None));
    }
}
