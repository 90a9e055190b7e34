//! One action on one resource under its conditions, and which of two is wider.

use std::collections::{BTreeMap, BTreeSet};

use crate::limits::LEARNED_VALUES_APART_MAX;
use crate::policy::ActionPattern;
use crate::policy::document::resource_covers;
use crate::policy::minting::is_minting;

/// What was needed once or more, in the words of a policy. Learned actions are literal; merged ones may be patterns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Grant {
    pub(super) action: String,
    /// As written in a statement: what stands for itself is escaped.
    pub(super) resource: String,
    pub(super) terms: Terms,
}

/// Operator and key, and the values of which one must be the request's. All terms must hold.
pub(super) type Terms = BTreeMap<(String, String), BTreeSet<String>>;

/// The condition key of the region.
pub(super) const REGION: &str = "aws:RequestedRegion";
/// The condition key of a listing's prefix.
pub(super) const PREFIX: &str = "s3:prefix";
const EQUALS: &str = "StringEquals";
const LIKE: &str = "StringLike";

impl Grant {
    /// A grant without conditions.
    pub(super) fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self { action: action.into(), resource: resource.into(), terms: Terms::new() }
    }

    /// Also demands that `key` has this value.
    pub(super) fn demanding(mut self, key: &str, value: &str) -> Self {
        let values = BTreeSet::from([value.replace('$', "${$}")]);
        self.terms.insert((EQUALS.to_owned(), key.to_owned()), values);
        self
    }

    /// True when it hands out credentials or power: then nothing may be made wider for it, and no wildcard has it.
    pub(super) fn mints(&self) -> bool {
        self.action.split_once(':').is_some_and(|(service, name)| is_minting(service, name))
    }

    /// True when every request that `other` allows is allowed by us too.
    fn covers(&self, other: &Self) -> bool {
        let literal = !self.action.contains(['*', '?']);
        let action = if literal {
            self.action.eq_ignore_ascii_case(&other.action)
        } else {
            !other.mints() && action_covers(&self.action, &other.action)
        };
        action && self.is_weaker(other) && (self.resource == other.resource || covers(&self.resource, &other.resource))
    }

    /// True when our conditions hold wherever those of `other` do.
    fn is_weaker(&self, other: &Self) -> bool {
        let holds = |(operator, key): &(String, String), values: &BTreeSet<String>| {
            let positive = operator == EQUALS || operator == LIKE;
            let theirs = other.terms.get(&(operator.clone(), key.clone()));
            theirs.is_some_and(|theirs| theirs == values || (positive && theirs.is_subset(values)))
        };
        self.terms.iter().all(|(name, values)| holds(name, values))
    }

    fn is_wide(&self) -> bool {
        self.action.contains(['*', '?']) || has_wildcard(&self.resource)
    }
}

/// A resource's text as it must be written to mean only itself.
pub(super) fn escaped(text: &str) -> String {
    text.replace('$', "${$}").replace('*', "${*}").replace('?', "${?}")
}

/// True when a `*` or `?` does not stand for itself.
pub(super) fn has_wildcard(resource: &str) -> bool {
    resource.replace("${*}", "").replace("${?}", "").contains(['*', '?'])
}

/// The grants that say all, each exact: regions only where a resource has no ARN that is in one. Values are compared
/// one by one before they are joined, because two wider grants can make one needless together.
pub(super) fn minimal(grants: BTreeSet<Grant>) -> BTreeSet<Grant> {
    let region = (EQUALS.to_owned(), REGION.to_owned());
    let needed = pruned(grants.into_iter().flat_map(apart).collect());
    let without = |mut grant: Grant| {
        if grant.resource != "*" {
            grant.terms.remove(&region);
        }
        grant
    };
    joined(pruned(needed.into_iter().map(without).collect()))
}

/// One grant for each combination of values, unless there are very many.
fn apart(grant: Grant) -> Vec<Grant> {
    let mut all = vec![grant.clone()];
    for (key, values) in grant.terms.iter().filter(|((op, _), _)| op == EQUALS || op == LIKE) {
        if all.len() * values.len() > LEARNED_VALUES_APART_MAX {
            break;
        }
        let with = |grant: &Grant, value: &String| {
            let mut one = grant.clone();
            one.terms.insert(key.clone(), BTreeSet::from([value.clone()]));
            one
        };
        all = all.iter().flat_map(|grant| values.iter().map(move |value| with(grant, value))).collect();
    }
    all
}

/// Grants that differ in the values of one condition only become one with the values of both.
pub(super) fn joined(grants: BTreeSet<Grant>) -> BTreeSet<Grant> {
    let mut grants = grants;
    let keys: BTreeSet<(String, String)> = grants
        .iter()
        .flat_map(|grant| grant.terms.keys().cloned())
        .filter(|(op, _)| op == EQUALS || op == LIKE)
        .collect();
    for key in keys {
        let mut apart: BTreeMap<Grant, BTreeSet<String>> = BTreeMap::new();
        let mut rest = BTreeSet::new();
        for mut grant in grants {
            match grant.terms.remove(&key) {
                Some(values) => apart.entry(grant).or_default().extend(values),
                None => _ = rest.insert(grant),
            }
        }
        rest.extend(apart.into_iter().map(|(mut grant, values)| {
            grant.terms.insert(key.clone(), values);
            grant
        }));
        grants = rest;
    }
    grants
}

/// Without the grants that a wider one contains.
pub(super) fn pruned(grants: BTreeSet<Grant>) -> BTreeSet<Grant> {
    // Only the same words or a wildcard can cover, so most pairs are never compared.
    let mut same: BTreeMap<(String, &str), Vec<&Grant>> = BTreeMap::new();
    for grant in &grants {
        same.entry((grant.action.to_ascii_lowercase(), grant.resource.as_str())).or_default().push(grant);
    }
    let wide: Vec<&Grant> = grants.iter().filter(|grant| grant.is_wide()).collect();
    let redundant = |grant: &Grant| {
        let beside = same.get(&(grant.action.to_ascii_lowercase(), grant.resource.as_str()));
        let mut others = beside.into_iter().flatten().chain(&wide).filter(|other| **other != grant);
        // Of two that cover each other the smaller stays.
        others.any(|other| other.covers(grant) && (!grant.covers(other) || *other < grant))
    };
    grants.iter().filter(|grant| !redundant(grant)).cloned().collect()
}

fn action_covers(wide: &str, narrow: &str) -> bool {
    match (ActionPattern::parse(wide), ActionPattern::parse(narrow)) {
        (Ok(wide), Ok(narrow)) => wide.covers(&narrow),
        _ => false,
    }
}

fn covers(wide: &str, narrow: &str) -> bool {
    has_wildcard(wide) && resource_covers(wide, narrow)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Grant, PREFIX, apart, escaped, minimal, pruned};
    use crate::limits::LEARNED_VALUES_APART_MAX;

    const KEY: &str = "arn:aws:s3:::b/k";

    #[test]
    fn what_a_wider_grant_allows_is_left_out_and_minting_never_is() {
        let kept = |grants: &[Grant]| pruned(grants.iter().cloned().collect()).len();
        let all = Grant::new("s3:GetObject", "arn:aws:s3:::b/*");
        assert_eq!(kept(&[all.clone(), Grant::new("s3:GetObject", KEY)]), 1);
        assert_eq!(kept(&[all.clone(), Grant::new("s3:PutObject", KEY)]), 2);
        assert_eq!(kept(&[all, Grant::new("s3:GetObject", escaped("arn:aws:s3:::b/*"))]), 1);
        assert_eq!(
            kept(&[Grant::new("s3:GetObject", escaped("arn:aws:s3:::b/*")), Grant::new("s3:GetObject", KEY)]),
            2
        );
        assert_eq!(kept(&[Grant::new("sts:*", "*"), Grant::new("sts:GetCallerIdentity", "*")]), 1);
        assert_eq!(kept(&[Grant::new("sts:*", "*"), Grant::new("sts:AssumeRole", "*")]), 2);
        assert_eq!(kept(&[Grant::new("s3:getobject", KEY), Grant::new("s3:GetObject", KEY)]), 1);
    }

    #[test]
    fn values_of_one_condition_are_joined_and_of_two_are_not_mixed() {
        let list = |prefix: &str, region: &str| {
            Grant::new("s3:ListBucket", "*").demanding(PREFIX, prefix).demanding("aws:RequestedRegion", region)
        };
        let two = minimal(BTreeSet::from([list("a/", "eu-west-1"), list("b/", "eu-west-1")]));
        assert_eq!(two.len(), 1);
        let crossed = minimal(BTreeSet::from([list("a/", "eu-west-1"), list("b/", "us-east-1")]));
        assert_eq!(crossed.len(), 2, "a/ in us-east-1 was never asked for");
    }

    #[test]
    fn values_past_the_limit_stay_together() {
        let mut list = Grant::new("s3:ListBucket", "arn:aws:s3:::b").demanding(PREFIX, "0");
        let mut with = |last: usize| {
            list.terms.values_mut().for_each(|values| values.extend((0..last).map(|n| n.to_string())));
            apart(list.clone()).len()
        };
        assert_eq!(with(LEARNED_VALUES_APART_MAX), LEARNED_VALUES_APART_MAX);
        assert_eq!(with(LEARNED_VALUES_APART_MAX + 1), 1);
    }

    #[test]
    fn an_unconditional_grant_makes_its_conditional_twin_needless() {
        let bare = Grant::new("s3:ListBucket", "arn:aws:s3:::b");
        assert_eq!(
            pruned(BTreeSet::from([bare.clone().demanding(PREFIX, "a/"), bare.clone()])),
            BTreeSet::from([bare])
        );
    }
}
