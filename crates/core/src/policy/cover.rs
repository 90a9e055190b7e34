//! When one statement says all that another says. Never claims it wrongly; may miss it for texts that come to the
//! same in a roundabout way.

use super::action::ActionPattern;
use super::condition::Condition;
use super::document::{Effect, Scope, Statement};
use super::minting;
use super::resource::ResourcePattern;

impl Statement {
    /// True when every access that `other` names, conditions aside, is also named by us. An Allow of ours must also
    /// spell out what `other` spells out of the class that no wildcard means.
    pub(super) fn covers_scope(&self, other: &Self) -> bool {
        self.covers_names(other) && self.covers_resources(other)
    }

    /// True when `other` applies only where we do. `surely` and `possibly` are both kept: no access that `other`
    /// allows (or may deny) is one that we do not.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.covers_scope(other) && self.conditions.iter().all(|ours| other.conditions.iter().any(|c| c.implies(ours)))
    }

    /// True when some access may be named by both, conditions aside.
    pub(super) fn may_meet(&self, other: &Self) -> bool {
        let actions = match (&self.actions, &other.actions) {
            (Scope::Only(a), Scope::Only(b)) => a.iter().any(|a| b.iter().any(|b| a.overlaps(b))),
            (Scope::Only(only), Scope::AllBut(but)) | (Scope::AllBut(but), Scope::Only(only)) => {
                !only.iter().all(|a| but.iter().any(|b| b.covers(a)))
            }
            (Scope::AllBut(_), Scope::AllBut(_)) => true,
        };
        actions
            && match (&self.resources, &other.resources) {
                (Scope::Only(a), Scope::Only(b)) => a.iter().any(|a| b.iter().any(|b| a.may_overlap(b))),
                (Scope::Only(only), Scope::AllBut(but)) | (Scope::AllBut(but), Scope::Only(only)) => {
                    !only.iter().all(|a| but.iter().any(|b| !b.has_variables() && b.covers(a)))
                }
                (Scope::AllBut(_), Scope::AllBut(_)) => true,
            }
    }

    fn covers_names(&self, other: &Self) -> bool {
        let meets = |a: &ActionPattern, patterns: &[ActionPattern]| patterns.iter().any(|b| b.overlaps(a));
        let covered = |a: &ActionPattern, patterns: &[ActionPattern]| patterns.iter().any(|b| b.covers(a));
        let covers = match (&self.actions, &other.actions) {
            (Scope::Only(ours), Scope::Only(theirs)) => theirs.iter().all(|a| covered(a, ours)),
            (Scope::Only(ours), Scope::AllBut(_)) => covered(&ActionPattern::all(), ours),
            (Scope::AllBut(ours), Scope::Only(theirs)) => !theirs.iter().any(|a| meets(a, ours)),
            (Scope::AllBut(ours), Scope::AllBut(theirs)) => ours.iter().all(|a| covered(a, theirs)),
        };
        covers && (self.effect == Effect::Deny || other.effect == Effect::Deny || self.spells_as_much_as(other))
    }

    /// Whether each action of the minting class that `other` spells out is spelled out here as well.
    fn spells_as_much_as(&self, other: &Self) -> bool {
        let spelled = |statement: &Self| -> Vec<ActionPattern> {
            let Scope::Only(patterns) = &statement.actions else { return Vec::new() };
            let mints = |p: &&ActionPattern| p.is_literal() && minting::is_minting(&p.service, &p.action);
            patterns.iter().filter(mints).map(ActionPattern::folded).collect()
        };
        let ours = spelled(self);
        spelled(other).iter().all(|theirs| ours.contains(theirs))
    }

    fn covers_resources(&self, other: &Self) -> bool {
        let covered = |a: &ResourcePattern, patterns: &[ResourcePattern]| patterns.iter().any(|b| b.covers(a));
        match (&self.resources, &other.resources) {
            (Scope::Only(ours), Scope::Only(theirs)) => theirs.iter().all(|a| covered(a, ours)),
            (Scope::Only(ours), Scope::AllBut(_)) => ours.iter().any(ResourcePattern::is_everything),
            // Variables in `NotResource` leave the answer open where they have no value, so nothing is proven.
            (Scope::AllBut(ours), Scope::Only(theirs)) => {
                ours.iter().all(|b| !b.has_variables() && theirs.iter().all(|a| !a.may_overlap(b)))
            }
            (Scope::AllBut(ours), Scope::AllBut(theirs)) => ours.iter().all(|a| theirs.contains(a)),
        }
    }
}

impl Condition {
    /// True when `other` surely holds wherever we surely hold, and possibly wherever we possibly do.
    fn implies(&self, other: &Self) -> bool {
        if self.operator != other.operator || !self.key.eq_ignore_ascii_case(&other.key) {
            return false;
        }
        let within = |a: &Self, b: &Self| a.values.iter().all(|value| b.values.contains(value));
        match self.operator.null_test(&self.values) {
            Some(absent) => other.operator.null_test(&other.values) == Some(absent),
            None if self.operator.negated() => within(other, self),
            None => within(self, other),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::document::{PolicyDocument, Statement};

    fn statement(effect: &str, actions: &str) -> Statement {
        let text = format!(r#"{{"Statement":{{"Effect":"{effect}","Action":[{actions}],"Resource":"*"}}}}"#);
        PolicyDocument::parse(&text).expect("a document").statements()[0].clone()
    }

    #[test]
    fn only_an_allow_must_spell_out_what_no_wildcard_means() {
        let (wild, literal) = (r#""iam:*""#, r#""iam:CreateAccessKey""#);
        let spelled = format!("{wild},{literal}");
        for (ours, theirs, expected) in [
            (("Allow", wild), ("Allow", literal), false),
            (("Allow", &spelled), ("Allow", literal), true),
            (("Deny", wild), ("Allow", literal), true),
            (("Deny", wild), ("Deny", literal), true),
            (("Allow", wild), ("Deny", literal), true),
            (("Allow", literal), ("Allow", wild), false),
        ] {
            let covers = statement(ours.0, ours.1).covers_scope(&statement(theirs.0, theirs.1));
            assert_eq!(covers, expected, "{ours:?} {theirs:?}");
        }
    }
}
