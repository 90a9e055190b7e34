//! What the lists of a `request_allowed` entry leave open: which action needs which resource, and under which
//! conditions. It is what policies are learned from, so it says exactly what was asked for, or that it does not.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::limits::{REQUEST_CONDITION_RECORDED_BYTES_MAX, REQUEST_NEEDS_RECORDED_BYTES_MAX};
use crate::policy::access::Known;
use crate::policy::{AccessRequest, Context, Resource};

/// Condition keys whose value is kept. A listing without a prefix shows every key, so an absent one needs no record.
const PREFIX: &str = "s3:prefix";
const REGION: &str = "aws:RequestedRegion";

/// The default says: every action needs every resource, each named exactly, and no condition key matters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needs {
    /// For each action, in their order, positions in the list of resources (`0-2,5`); empty when every action needs
    /// every resource.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    by_action: Vec<String>,
    /// Positions of resources that are patterns; in any other, `*` and `?` stand for themselves.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    patterns: String,
    /// A `*` stands for a resource that the request does not name in a way that we know.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unnamed: bool,
    /// Condition keys that matter, and their values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    conditions: BTreeMap<String, String>,
    /// More was needed than one entry can hold.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    partial: bool,
}

/// One access as an entry tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed<'a> {
    /// IAM action.
    pub action: &'a str,
    /// What it touches.
    pub resource: Resource,
}

impl Needs {
    /// What `actions` and `resources`, the lists of the entry, do not say of `accesses`. `resources` may be cut short.
    pub fn of(
        accesses: &[AccessRequest],
        context: &Context,
        region: &str,
        actions: &[String],
        resources: &[String],
    ) -> Self {
        if let ([AccessRequest { resource: Resource::Exact(one), .. }], [_], [named]) = (accesses, actions, resources)
            && one == named
        {
            // Most requests: nothing is left open but the conditions.
            let mut needs = Self::default();
            needs.keep(context, region);
            return needs;
        }
        let place: BTreeMap<&str, usize> = resources.iter().enumerate().map(|(n, text)| (text.as_str(), n)).collect();
        let mut rows: Vec<Vec<usize>> = vec![Vec::new(); actions.len()];
        let (mut patterns, mut exact, mut needs) = (BTreeSet::new(), BTreeSet::new(), Self::default());
        for access in accesses {
            let Some(&at) = place.get(access.resource.shown()) else {
                needs.partial = true;
                continue;
            };
            if let Some(n) = actions.iter().position(|action| *action == access.action)
                && let Some(row) = rows.get_mut(n)
            {
                row.push(at);
            }
            match &access.resource {
                Resource::Pattern(_) => _ = patterns.insert(at),
                Resource::Opaque => needs.unnamed = true,
                Resource::Exact(_) => _ = exact.insert(at),
            }
        }
        if !patterns.is_disjoint(&exact) {
            // One text in two meanings: the wider of them must not stand for both.
            return Self::unknown();
        }
        needs.patterns = positions(patterns.into_iter().collect());
        let rows: Vec<String> = rows.into_iter().map(positions).collect();
        if rows.iter().any(|row| *row != positions((0..resources.len()).collect())) {
            needs.by_action = rows;
        }
        needs.keep(context, region);
        let size: usize = needs.by_action.iter().map(|row| row.len() + 3).sum::<usize>() + needs.patterns.len();
        if size > REQUEST_NEEDS_RECORDED_BYTES_MAX {
            needs = Self::unknown();
        }
        needs
    }

    /// True when there is nothing that the lists do not say.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// True when the entry does not hold everything that the request needed.
    pub fn is_partial(&self) -> bool {
        self.partial
    }

    /// The accesses of the entry with these lists, as far as it holds them.
    pub fn accesses<'a>(&self, actions: &'a [String], resources: &[String]) -> Vec<Needed<'a>> {
        let patterns = parsed(&self.patterns);
        let all = |n: usize| match self.by_action.get(n) {
            Some(row) => parsed(row),
            None if self.by_action.is_empty() && !(self.partial && resources.is_empty()) => {
                (0..resources.len()).collect()
            }
            None => Vec::new(),
        };
        let mut found = Vec::new();
        for (n, action) in actions.iter().enumerate() {
            for at in all(n) {
                let Some(text) = resources.get(at) else { continue };
                let resource = match text.as_str() {
                    "*" if self.unnamed => Resource::Opaque,
                    _ if patterns.binary_search(&at).is_ok() => Resource::Pattern(text.clone()),
                    // What is not a resource, but counts those that were left out.
                    text if text.starts_with('(') => continue,
                    _ => Resource::Exact(text.clone()),
                };
                found.push(Needed { action, resource });
            }
        }
        found
    }

    /// The prefix of a listing, where it has one.
    pub fn prefix(&self) -> Option<&str> {
        self.conditions.get(PREFIX).map(String::as_str)
    }

    /// The region that policies see, where it is not the one of the signature.
    pub fn requested_region(&self) -> Option<&str> {
        self.conditions.get(REGION).map(String::as_str)
    }

    fn keep(&mut self, context: &Context, region: &str) {
        for (key, plain) in [(PREFIX, ""), (REGION, region)] {
            match context.get(key) {
                Known::Present([value]) if value == plain => {}
                Known::Present([value]) if value.len() <= REQUEST_CONDITION_RECORDED_BYTES_MAX => {
                    self.conditions.insert(key.to_owned(), value.clone());
                }
                // Without its condition the access would look wider than it was.
                Known::Present(_) => return *self = Self::unknown(),
                Known::Absent | Known::Unknown => {}
            }
        }
    }

    /// Says that something was needed, and nothing of what.
    fn unknown() -> Self {
        Self { by_action: vec![String::new()], partial: true, ..Self::default() }
    }
}

/// `0-2,5`.
fn positions(mut all: Vec<usize>) -> String {
    all.sort_unstable();
    all.dedup();
    let mut text = String::new();
    let mut rest = all.as_slice();
    while let Some((&first, _)) = rest.split_first() {
        let run = rest.iter().enumerate().take_while(|(n, at)| **at == first + n).count();
        let comma = if text.is_empty() { "" } else { "," };
        text.push_str(&match run {
            1 => format!("{comma}{first}"),
            _ => format!("{comma}{first}-{}", first + run - 1),
        });
        rest = rest.get(run..).unwrap_or_default();
    }
    text
}

/// The positions of [`positions`]; what is none is left out, and no text stands for more than there can be.
fn parsed(text: &str) -> Vec<usize> {
    const MOST: usize = 65_536;
    let mut all = Vec::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(first), Ok(last)) = (first.parse::<usize>(), last.parse::<usize>()) {
            all.extend((first..=last.min(MOST)).take(MOST));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::{Needs, parsed, positions};
    use crate::limits::{REQUEST_CONDITION_RECORDED_BYTES_MAX, REQUEST_NEEDS_RECORDED_BYTES_MAX};
    use crate::policy::{AccessRequest, Context, Resource};

    fn access(action: &str, resource: Resource) -> AccessRequest {
        AccessRequest { action: action.to_owned(), resource }
    }

    fn exact(arn: &str) -> Resource {
        Resource::Exact(arn.to_owned())
    }

    /// The lists as the gate makes them.
    fn lists(accesses: &[AccessRequest]) -> (Vec<String>, Vec<String>) {
        let (mut actions, mut resources) = (Vec::new(), Vec::new());
        for access in accesses {
            if !actions.contains(&access.action) {
                actions.push(access.action.clone());
            }
            let shown = access.resource.shown().to_owned();
            if !resources.contains(&shown) {
                resources.push(shown);
            }
        }
        (actions, resources)
    }

    fn there_and_back(accesses: &[AccessRequest]) -> Vec<AccessRequest> {
        let (actions, resources) = lists(accesses);
        let needs = Needs::of(accesses, &Context::default(), "us-east-1", &actions, &resources);
        let json = serde_json::to_string(&needs).expect("json");
        let needs: Needs = serde_json::from_str(&json).expect("reads back");
        assert!(!needs.is_partial());
        let found = needs.accesses(&actions, &resources);
        found.into_iter().map(|n| access(n.action, n.resource)).collect()
    }

    #[test]
    fn positions_are_written_as_runs() {
        for (all, text) in [(vec![], ""), (vec![3], "3"), (vec![2, 0, 1, 1, 5, 7, 8], "0-2,5,7-8")] {
            assert_eq!(positions(all.clone()), text);
            let mut sorted = all;
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(parsed(text), sorted);
        }
        assert!(parsed("x,0-99999999999").len() <= 65_537 && parsed("5-2").is_empty());
    }

    #[test]
    fn an_entry_gives_back_the_accesses_that_it_was_made_of_and_no_others() {
        let copy = [
            access("s3:PutObject", exact("arn:aws:s3:::to/k")),
            access("s3:GetObject", exact("arn:aws:s3:::from/k")),
            access("s3:GetObjectTagging", exact("arn:aws:s3:::from/k")),
        ];
        assert_eq!(there_and_back(&copy), copy);
        let odd = [
            access("s3:GetObject", exact("arn:aws:s3:::b/what*?")),
            access(
                "secretsmanager:GetSecretValue",
                Resource::Pattern("arn:aws:secretsmanager:::secret:a-??????".into()),
            ),
            access("iam:PassRole", Resource::Opaque),
        ];
        assert_eq!(there_and_back(&odd), odd);
    }

    #[test]
    fn the_usual_request_adds_nothing_to_its_entry() {
        let one = [access("s3:GetObject", exact("arn:aws:s3:::b/k"))];
        let (actions, resources) = lists(&one);
        let mut context = Context::default();
        context.set("s3:prefix", "");
        context.set("aws:RequestedRegion", "us-east-1");
        let needs = Needs::of(&one, &context, "us-east-1", &actions, &resources);
        assert!(needs.is_plain());
        context.set("s3:prefix", "a/");
        let needs = Needs::of(&one, &context, "eu-west-1", &actions, &resources);
        assert_eq!((needs.prefix(), needs.requested_region()), (Some("a/"), Some("us-east-1")));
    }

    #[test]
    fn what_does_not_fit_is_missing_rather_than_wide() {
        let mut context = Context::default();
        context.set("s3:prefix", "a".repeat(REQUEST_CONDITION_RECORDED_BYTES_MAX + 1));
        let one = [access("s3:ListBucket", exact("arn:aws:s3:::b"))];
        let (actions, resources) = lists(&one);
        let needs = Needs::of(&one, &context, "us-east-1", &actions, &resources);
        assert!(needs.is_partial() && needs.accesses(&actions, &resources).is_empty());

        // Every other resource needs its own action: no runs, so the positions take the most room.
        let scattered: Vec<AccessRequest> = (0..REQUEST_NEEDS_RECORDED_BYTES_MAX / 2)
            .map(|n| access(if n % 2 == 0 { "a:A" } else { "a:B" }, exact(&format!("arn:aws:a:::{n}"))))
            .collect();
        let (actions, resources) = lists(&scattered);
        let needs = Needs::of(&scattered, &Context::default(), "us-east-1", &actions, &resources);
        assert!(needs.is_partial() && needs.accesses(&actions, &resources).is_empty());

        let twins = ["a:A", "a:B"].map(str::to_owned);
        let text = "arn:aws:a:::x*".to_owned();
        let both = [access("a:A", exact(&text)), access("a:B", Resource::Pattern(text.clone()))];
        let needs = Needs::of(&both, &Context::default(), "r", &twins, std::slice::from_ref(&text));
        assert!(needs.is_partial() && needs.accesses(&twins, &[text]).is_empty());

        let cut = Needs::of(&scattered[..4], &Context::default(), "r", &actions, &resources[..2]);
        assert!(cut.is_partial());
        assert_eq!(cut.accesses(&actions, &resources[..2]).len(), 2);
    }
}
