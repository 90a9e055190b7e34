//! What changes when one policy document takes the place of another: what is newly allowed, and what no longer is.
//!
//! Compared statement by statement, over all requests at once. A difference is never overlooked; one that is shown
//! may in rare cases come to the same, when two texts say one thing in different ways.

use serde::Serialize;

use super::document::{Effect, PolicyDocument, Scope, Statement};

/// Both directions of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct PolicyDiff {
    /// What the new document allows and the old one did not.
    pub newly_allowed: Vec<Change>,
    /// What the old document allowed and the new one does not.
    pub no_longer_allowed: Vec<Change>,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The statement that makes it: its `Sid`, or `statement 2`.
    pub statement: String,
    /// Which document that statement is in.
    pub document: Side,
    /// In words: `allows …`, `no longer denies …`.
    pub sentence: String,
}

/// One of the two documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// What was.
    Old,
    /// What is to be.
    New,
}

impl PolicyDiff {
    /// Compares two documents.
    pub fn between(old: &PolicyDocument, new: &PolicyDocument) -> Self {
        Self {
            newly_allowed: gained((old, Side::Old), (new, Side::New), ["allows", "no longer denies"]),
            no_longer_allowed: gained((new, Side::New), (old, Side::Old), ["no longer allows", "newly denies"]),
        }
    }

    /// True when neither document allows anything that the other does not.
    pub fn is_empty(&self) -> bool {
        self.newly_allowed.is_empty() && self.no_longer_allowed.is_empty()
    }
}

/// What `more` may allow beyond `less`. An access that only `more` allows is one that an Allow of `more` names and
/// none of `less` does, or one that a Deny of `less` names and none of `more` does.
fn gained(less: (&PolicyDocument, Side), more: (&PolicyDocument, Side), [allows, denies]: [&str; 2]) -> Vec<Change> {
    let mut changes = Vec::new();
    let of = |document: &'_ PolicyDocument, effect: Effect| -> Vec<Statement> {
        document.statements().iter().filter(|s| s.effect == effect).cloned().collect()
    };
    let (had, denied) = (of(less.0, Effect::Allow), of(more.0, Effect::Deny));
    let allowed = of(more.0, Effect::Allow);
    for (n, statement) in more.0.statements().iter().enumerate().filter(|(_, s)| s.effect == Effect::Allow) {
        let beyond = |atom: &Statement| {
            let refused = |deny: &Statement| deny.conditions.is_empty() && deny.covers_scope(atom);
            !had.iter().any(|allow| allow.covers(atom)) && !denied.iter().any(refused)
        };
        changes.extend(grouped(statement, n, more.1, allows, beyond));
    }
    for (n, statement) in less.0.statements().iter().enumerate().filter(|(_, s)| s.effect == Effect::Deny) {
        let beyond = |atom: &Statement| {
            !denied.iter().any(|deny| deny.covers(atom)) && allowed.iter().any(|allow| allow.may_meet(atom))
        };
        changes.extend(grouped(statement, n, less.1, denies, beyond));
    }
    changes
}

/// The parts of a statement that `wanted` picks, those with the same resources together.
fn grouped(
    statement: &Statement,
    n: usize,
    document: Side,
    verb: &str,
    wanted: impl Fn(&Statement) -> bool,
) -> Vec<Change> {
    let mut groups: Vec<Statement> = Vec::new();
    for action in split(&statement.actions) {
        let parts = split(&statement.resources).into_iter().map(|resources| Statement {
            actions: action.clone(),
            resources,
            ..statement.clone()
        });
        let Some(found) = parts.filter(&wanted).reduce(|mut all, part| {
            join(&mut all.resources, part.resources);
            all
        }) else {
            continue;
        };
        match groups.iter_mut().find(|group| group.resources == found.resources) {
            Some(group) => join(&mut group.actions, found.actions),
            None => groups.push(found),
        }
    }
    let change =
        |part: Statement| Change { statement: statement.name(n + 1), document, sentence: part.sentence_with(verb) };
    groups.into_iter().map(change).collect()
}

/// One scope for each pattern; `NotAction` and `NotResource` stay whole.
fn split<T: Clone>(scope: &Scope<T>) -> Vec<Scope<T>> {
    match scope {
        Scope::Only(items) => items.iter().map(|item| Scope::Only(vec![item.clone()])).collect(),
        Scope::AllBut(_) => vec![scope.clone()],
    }
}

fn join<T>(all: &mut Scope<T>, part: Scope<T>) {
    if let (Scope::Only(all), Scope::Only(part)) = (all, part) {
        all.extend(part);
    }
}

#[cfg(test)]
mod tests {
    use super::PolicyDiff;
    use crate::policy::document::PolicyDocument;

    fn diff(old: &str, new: &str) -> (Vec<String>, Vec<String>) {
        let read = |statements: &str| {
            PolicyDocument::parse(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)).expect("policy")
        };
        let diff = PolicyDiff::between(&read(old), &read(new));
        assert_eq!(diff.is_empty(), diff.newly_allowed.is_empty() && diff.no_longer_allowed.is_empty());
        let sentences = |changes: Vec<super::Change>| changes.into_iter().map(|c| c.sentence).collect();
        (sentences(diff.newly_allowed), sentences(diff.no_longer_allowed))
    }

    fn one(actions: &str, resources: &str) -> String {
        format!(r#"{{"Effect":"Allow","Action":[{actions}],"Resource":[{resources}]}}"#)
    }

    const B: &str = r#""arn:aws:s3:::b/*""#;

    #[test]
    fn what_means_the_same_does_not_differ() {
        let same = (Vec::new(), Vec::new());
        let get = one(r#""s3:GetObject","s3:PutObject""#, B);
        assert_eq!(diff(&get, &one(r#""s3:putobject","S3:GetObject""#, B)), same);
        assert_eq!(diff(&get, &format!("{},{}", one(r#""s3:GetObject""#, B), one(r#""s3:PutObject""#, B))), same);
        let unused = r#"{"Effect":"Deny","Action":"ec2:*","Resource":"*"}"#;
        assert_eq!(diff(&get, &format!("{get},{unused}")), same);
    }

    #[test]
    fn a_wider_pattern_is_newly_allowed_and_a_narrower_one_no_longer() {
        let (wide, narrow) = (one(r#""s3:Get*","s3:PutObject""#, B), one(r#""s3:GetObject","s3:PutObject""#, B));
        let (gained, lost) = diff(&narrow, &wide);
        assert_eq!((gained, lost), (vec!["allows `s3:Get*` on `arn:aws:s3:::b/*`".to_owned()], Vec::new()));
        let (gained, lost) = diff(&wide, &narrow);
        assert_eq!((gained, lost), (Vec::new(), vec!["no longer allows `s3:Get*` on `arn:aws:s3:::b/*`".to_owned()]));
    }

    #[test]
    fn only_the_parts_that_differ_are_shown_and_those_of_the_same_resources_together() {
        let (b, c) = ("arn:aws:s3:::b/*", "arn:aws:s3:::c/*");
        let old = one(r#""s3:GetObject""#, &format!(r#""{b}""#));
        let new = one(r#""s3:GetObject","s3:PutObject","s3:DeleteObject""#, &format!(r#""{b}","{c}""#));
        let (gained, lost) = diff(&old, &new);
        let (first, rest) = ("allows `s3:GetObject` on", "allows `s3:PutObject` and `s3:DeleteObject` on");
        assert_eq!(gained, [format!("{first} `{c}`"), format!("{rest} `{b}` and `{c}`")]);
        assert!(lost.is_empty(), "{lost:?}");
    }

    #[test]
    fn a_change_is_of_the_statement_that_makes_it() {
        let get = one(r#""s3:GetObject""#, B);
        let parsed =
            |statements: &str| PolicyDocument::parse(&format!(r#"{{"Statement":[{statements}]}}"#)).expect("policy");
        let diff = PolicyDiff::between(&parsed(&get), &parsed(&format!("{get},{}", one(r#""s3:PutObject""#, B))));
        let named: Vec<&str> = diff.newly_allowed.iter().map(|change| change.statement.as_str()).collect();
        assert_eq!(named, ["statement 2"]);
    }

    #[test]
    fn a_deny_hides_only_what_it_surely_denies() {
        let (get, deny) = (one(r#""s3:GetObject""#, B), |members: &str| format!(r#"{{"Effect":"Deny",{members}}}"#));
        let both = one(r#""s3:GetObject","s3:PutObject""#, B);
        let gained = |members: &str| diff(&get, &format!("{both},{}", deny(members))).0.len();
        assert_eq!(gained(r#""Action":"s3:Put*","Resource":"*""#), 0);
        assert_eq!(gained(r#""Action":"ec2:*","Resource":"*""#), 1);
        let sometimes = r#""Action":"s3:Put*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}"#;
        assert_eq!(gained(sometimes), 1);
    }

    #[test]
    fn a_deny_that_goes_away_allows_and_one_that_comes_denies() {
        let get = one(r#""s3:*""#, B);
        let both = format!(r#"{get},{{"Sid":"Keep","Effect":"Deny","Action":"s3:Delete*","Resource":"*"}}"#);
        let (gained, lost) = diff(&both, &get);
        assert_eq!((gained, lost), (vec!["no longer denies `s3:Delete*` on every resource".to_owned()], Vec::new()));
        let (gained, lost) = diff(&get, &both);
        assert_eq!((gained, lost), (Vec::new(), vec!["newly denies `s3:Delete*` on every resource".to_owned()]));
    }

    #[test]
    fn a_condition_that_widens_or_narrows_is_seen() {
        let when = |values: &str| {
            format!(
                r#"{{"Effect":"Allow","Action":"s3:*","Resource":{B},"Condition":{{"StringLike":{{"s3:prefix":{values}}}}}}}"#
            )
        };
        assert_eq!(diff(&when(r#"["a","b"]"#), &when(r#"["b","a"]"#)), (Vec::new(), Vec::new()));
        let (gained, lost) = diff(&when(r#""a""#), &when(r#"["a","b"]"#));
        assert_eq!((gained.len(), lost.len()), (1, 0));
        let (gained, lost) = diff(&when(r#""a""#), &one(r#""s3:*""#, B));
        assert_eq!((gained.len(), lost.len()), (1, 0), "{gained:?} {lost:?}");
    }

    #[test]
    fn naming_what_no_wildcard_means_is_newly_allowed() {
        let (gained, lost) = diff(&one(r#""sts:*""#, r#""*""#), &one(r#""sts:*","sts:AssumeRole""#, r#""*""#));
        assert_eq!((gained, lost), (vec!["allows `sts:AssumeRole` on every resource".to_owned()], Vec::new()));
    }
}
