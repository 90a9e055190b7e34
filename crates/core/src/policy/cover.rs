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
        self.covers_resources(other) && self.covers_names(other)
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

    /// A statement of these members.
    fn of(members: &str) -> Statement {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":{{{members}}}}}"#);
        PolicyDocument::parse(&text).expect(members).statements()[0].clone()
    }

    fn on(resources: &str) -> Statement {
        of(&format!(r#""Effect":"Allow","Action":"s3:*",{resources}"#))
    }

    fn doing(actions: &str) -> Statement {
        of(&format!(r#""Effect":"Deny",{actions},"Resource":"*""#))
    }

    fn when(condition: &str) -> Statement {
        of(&format!(r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{{{condition}}}"#))
    }

    #[test]
    fn all_but_some_actions_covers_and_meets_what_is_not_among_them() {
        let but = doing(r#""NotAction":["s3:*","iam:*"]"#);
        for (actions, covers, meets) in [
            (r#""Action":"ec2:RunInstances""#, true, true),
            (r#""Action":"s3:GetObject""#, false, false),
            (r#""Action":["s3:GetObject","iam:CreateUser"]"#, false, false),
            (r#""Action":["s3:GetObject","ec2:RunInstances"]"#, false, true),
            (r#""Action":"*""#, false, true),
            (r#""NotAction":["s3:*","iam:*","ec2:*"]"#, true, true),
            (r#""NotAction":"s3:*""#, false, true),
        ] {
            let other = doing(actions);
            assert_eq!(but.covers_scope(&other), covers, "{actions}");
            assert_eq!((but.may_meet(&other), other.may_meet(&but)), (meets, meets), "{actions}");
        }
    }

    #[test]
    fn all_but_some_resources_covers_and_meets_what_is_not_among_them() {
        let but = on(r#""NotResource":["arn:aws:s3:::b/*","arn:aws:s3:::c/*"]"#);
        for (resources, covers, meets) in [
            (r#""Resource":"arn:aws:s3:::d/k""#, true, true),
            (r#""Resource":"arn:aws:s3:::b/k""#, false, false),
            (r#""Resource":["arn:aws:s3:::b/k","arn:aws:s3:::c/k"]"#, false, false),
            (r#""Resource":["arn:aws:s3:::b/k","arn:aws:s3:::d/k"]"#, false, true),
            (r#""Resource":"arn:aws:s3:::b*""#, false, true),
            (r#""NotResource":["arn:aws:s3:::b/*","arn:aws:s3:::c/*","arn:aws:s3:::d/*"]"#, true, true),
            (r#""NotResource":"arn:aws:s3:::b/*""#, false, true),
        ] {
            let other = on(resources);
            assert_eq!(but.covers_scope(&other), covers, "{resources}");
            assert_eq!((but.may_meet(&other), other.may_meet(&but)), (meets, meets), "{resources}");
        }
        let variable = on(r#""NotResource":"arn:aws:s3:::b/${aws:username}""#);
        let (own, far) = (on(r#""Resource":"arn:aws:s3:::b/k""#), on(r#""Resource":"arn:aws:s3:::d/k""#));
        assert!(variable.may_meet(&own), "whose name it is depends on the request");
        assert!(!variable.covers_scope(&own) && !variable.covers_scope(&far), "a variable may have no value");
        let both = on(r#""NotResource":["arn:aws:s3:::b/*","arn:aws:s3:::d/${aws:username}"]"#);
        assert!(!both.covers_scope(&far));
    }

    #[test]
    fn a_variable_covers_only_itself() {
        let own = r#""Resource":"arn:aws:s3:::b/${aws:username}/*""#;
        let (own, other) = (on(own), on(r#""Resource":"arn:aws:s3:::b/alice/*""#));
        assert!(own.covers_scope(&own) && !own.covers_scope(&other) && !other.covers_scope(&own));
        assert!(on(r#""Resource":"arn:aws:s3:::b/*""#).covers_scope(&own));
        assert!(own.may_meet(&other) && other.may_meet(&own));
    }

    #[test]
    fn everything_covers_and_meets_everything_and_only_it_covers_itself() {
        let (all, one) = (on(r#""Resource":"*""#), on(r#""Resource":"arn:aws:s3:::b/*""#));
        assert!(all.covers_scope(&one) && !one.covers_scope(&all));
        assert!(all.may_meet(&one) && one.may_meet(&all) && all.may_meet(&all));
        assert!(!on(r#""Resource":"arn:aws:s3:::*""#).covers_scope(&all), "what has no ARN");
    }

    #[test]
    fn a_condition_covers_a_narrower_one_of_its_operator_and_key_only() {
        for (wide, narrow, expected) in [
            (r#""StringLike":{"aws:a":["x","y"]}"#, r#""StringLike":{"aws:a":"x"}"#, true),
            (r#""StringLike":{"aws:a":["x","y"]}"#, r#""StringLike":{"AWS:A":"x"}"#, true),
            (r#""StringLike":{"aws:a":"x"}"#, r#""StringLike":{"aws:a":["x","y"]}"#, false),
            (r#""StringLike":{"aws:a":["x","y"]}"#, r#""StringLike":{"aws:b":"x"}"#, false),
            (r#""StringLike":{"aws:a":["x","y"]}"#, r#""StringEquals":{"aws:a":"x"}"#, false),
            (r#""StringNotLike":{"aws:a":"x"}"#, r#""StringNotLike":{"aws:a":["x","y"]}"#, true),
            (r#""StringNotLike":{"aws:a":["x","y"]}"#, r#""StringNotLike":{"aws:a":"x"}"#, false),
            (r#""Null":{"aws:a":"true"}"#, r#""Null":{"aws:a":"true"}"#, true),
            (r#""Null":{"aws:a":"true"}"#, r#""Null":{"aws:a":"false"}"#, false),
        ] {
            assert_eq!(when(wide).covers(&when(narrow)), expected, "{wide} {narrow}");
        }
    }
}
