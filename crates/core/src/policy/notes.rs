//! What a person should know about a policy before it is used: overlaps, and what wildcards do not include.

use super::action::ActionPattern;
use super::document::{Effect, Scope};
use super::minting::MINTING;
use super::{ScopedPolicy, read_only};

impl ScopedPolicy {
    /// Sentences for the banner and the log, in a fixed order; none of them changes what is allowed.
    pub fn warnings(&self) -> Vec<String> {
        let mut notes = self.denials();
        let wild: Vec<&ActionPattern> = self.allow_patterns().filter(|pattern| !pattern.is_literal()).collect();
        for allow in &wild {
            let minting = MINTING.iter().find_map(|minting| minting.example(allow));
            if let Some(minting) = minting.filter(|_| !self.read_only) {
                notes.push(format!(
                    "`{allow}` does not include what hands out credentials or power (`{minting}` and its like): name \
                     such actions without a wildcard"
                ));
            }
        }
        for allow in self.actions.iter().filter(|_| self.read_only) {
            if read_only::reads_of(allow).is_some_and(|(reads, _)| reads.is_empty()) {
                notes.push(format!(
                    "`--allow {allow}` is of no use: it is not a harmless read, and `--read-only` is on"
                ));
            }
        }
        for (n, _) in self.documents.iter().enumerate().filter(|(_, document)| document.allows_nothing()) {
            notes.push(format!("policy document {} has no Allow statement, so the session may do nothing", n + 1));
        }
        notes
    }

    fn denials(&self) -> Vec<String> {
        let pairs = self.allow_patterns().flat_map(|allow| self.denied.iter().map(move |deny| (allow, deny)));
        let note = |(allow, deny): (&ActionPattern, &ActionPattern)| match (deny.covers(allow), deny.overlaps(allow)) {
            (true, _) => Some(format!("`{allow}` is allowed and wholly denied by `{deny}`: the deny wins")),
            (false, true) => Some(format!("`{allow}` is allowed except where `{deny}` overlaps it: the deny wins")),
            (false, false) => None,
        };
        pairs.filter_map(note).collect()
    }

    /// Every action pattern that some Allow names.
    pub(super) fn allow_patterns(&self) -> impl Iterator<Item = &ActionPattern> {
        let allows = self.documents.iter().flat_map(|d| d.statements()).filter(|s| s.effect == Effect::Allow);
        let named = allows.flat_map(|statement| match &statement.actions {
            Scope::Only(patterns) => patterns.as_slice(),
            Scope::AllBut(_) => &[],
        });
        self.actions.iter().chain(named)
    }
}
