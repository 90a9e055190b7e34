//! A session's entries, taken apart.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::grant::{Grant, PREFIX, REGION, Terms, escaped};
use crate::audit::{Event, Needs};
use crate::denial::{Denial, DenialCode};
use crate::policy::{PolicyDocument, Resource, is_every_bucket, needs_no_allow};

/// Operations of S3 that a prefix narrows.
const LISTINGS: [&str; 2] = ["s3:ListBucket", "s3:ListBucketVersions"];

/// A call that the cloud denied.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Failed {
    /// IAM action.
    pub action: String,
    /// Resource, as asked for.
    pub resource: String,
    /// The cloud's error code.
    pub code: String,
    /// How often.
    pub count: u64,
}

/// A call that the gate refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// IAM action, or `service operation` where the gate did not get that far.
    pub what: String,
    /// Resource, where one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Why.
    pub code: DenialCode,
    /// Why, one sentence.
    pub reason: String,
    /// It hands out credentials or power: only an Allow that names it lets it pass.
    pub escape: bool,
    /// How often.
    pub count: u64,
}

/// Why a document cannot be merged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{statement} {what}: merge only policies that allow, without `NotAction` and `NotResource`")]
pub struct NotMergeable {
    /// `Sid`, or its number.
    pub statement: String,
    /// What is in the way.
    pub what: &'static str,
}

/// Takes the entries of one or more sessions, in their order, and then learns.
#[derive(Debug, Clone, Default)]
pub struct Learner {
    open: BTreeMap<u64, Vec<Access>>,
    granted: BTreeSet<Grant>,
    denied: BTreeMap<(Access, String), u64>,
    refused: Refusals,
    would_deny: Refusals,
    unnamed: BTreeSet<String>,
    patterns: BTreeSet<String>,
    requests: u64,
    presigned: u64,
    partial: u64,
}

type Refusals = BTreeMap<(String, Option<String>, &'static str), Refused>;

/// One access of a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Access {
    grant: Grant,
    unnamed: bool,
    pattern: bool,
    shown: String,
}

/// Everything that [`Learner`] has seen.
pub(super) struct Gathered {
    pub(super) grants: BTreeSet<Grant>,
    pub(super) failed: Vec<Failed>,
    pub(super) refused: Vec<Refused>,
    pub(super) unnamed: BTreeSet<String>,
    pub(super) patterns: BTreeSet<String>,
    pub(super) unwritable: BTreeSet<String>,
    pub(super) requests: u64,
    pub(super) presigned: u64,
    pub(super) partial: u64,
    pub(super) unanswered: u64,
    pub(super) would_deny: Vec<Refused>,
}

impl Learner {
    /// Takes the entry at `seq`. Entries that are not about requests say nothing, and are taken as well.
    pub fn observe(&mut self, seq: u64, event: &Event) {
        match event {
            Event::RequestAllowed { service, region, operation, actions, resources, needs, would_deny, .. } => {
                self.requests += 1;
                self.partial += u64::from(needs.is_partial());
                if let Some(denial) = would_deny {
                    refuse(&mut self.would_deny, &[service, operation], denial, 1);
                }
                self.open.insert(seq, accesses(region, actions, resources, needs));
            }
            Event::RequestSettled { of, refusal, .. } => {
                for access in self.open.remove(of).unwrap_or_default() {
                    match refusal {
                        Some(code) => *self.denied.entry((access, code.clone())).or_default() += 1,
                        None => self.grant(access),
                    }
                }
            }
            // Who has the URL does what it is for, and the session's policy decides whether it is made.
            Event::UrlPresigned { actions, resources, .. } => {
                self.presigned += 1;
                accesses("", actions, resources, &Needs::default()).into_iter().for_each(|access| self.grant(access));
            }
            Event::RequestDenied { service, operation, denial, count, .. } => {
                let named: Vec<&String> = [service, operation].into_iter().flatten().collect();
                refuse(&mut self.refused, &named, denial, *count);
            }
            _ => {}
        }
    }

    /// Adds what a policy allows, as it stands.
    ///
    /// # Errors
    /// [`NotMergeable`] for a Deny, `NotAction` or `NotResource`, which no list of grants can say.
    pub fn merge(&mut self, document: &PolicyDocument) -> Result<(), NotMergeable> {
        let allows = document.to_allows().map_err(|(statement, what)| NotMergeable { statement, what })?;
        for allow in allows {
            let terms: Terms =
                allow.terms.into_iter().map(|(op, key, values)| ((op, key), values.into_iter().collect())).collect();
            let pairs = allow.actions.iter().flat_map(|a| allow.resources.iter().map(move |r| (a, r)));
            let grant = |(action, resource): (&String, &String)| Grant {
                action: action.clone(),
                resource: resource.clone(),
                terms: terms.clone(),
            };
            self.granted.extend(pairs.map(grant));
        }
        Ok(())
    }

    pub(super) fn gathered(mut self, include_failed: bool) -> Gathered {
        let unanswered = self.open.len() as u64;
        for access in std::mem::take(&mut self.open).into_values().flatten() {
            self.grant(access);
        }
        let mut failed = Vec::new();
        for ((access, code), count) in std::mem::take(&mut self.denied) {
            let (action, resource) = (access.grant.action.clone(), access.shown.clone());
            failed.push(Failed { action, resource, code, count });
            if include_failed {
                self.grant(access);
            }
        }
        let (grants, odd): (BTreeSet<Grant>, BTreeSet<Grant>) =
            self.granted.into_iter().partition(|grant| PolicyDocument::can_name(&grant.action, &grant.resource));
        Gathered {
            grants,
            failed,
            refused: self.refused.into_values().collect(),
            unnamed: self.unnamed,
            patterns: self.patterns,
            unwritable: odd.into_iter().map(|grant| grant.resource).collect(),
            requests: self.requests,
            presigned: self.presigned,
            partial: self.partial,
            unanswered,
            would_deny: self.would_deny.into_values().collect(),
        }
    }

    fn grant(&mut self, access: Access) {
        if access.unnamed {
            self.unnamed.insert(access.grant.action.clone());
        }
        if access.pattern {
            self.patterns.insert(access.grant.resource.clone());
        }
        self.granted.insert(access.grant);
    }
}

/// Without a name it is a stranger's request, not one of the command's.
fn refuse(all: &mut Refusals, named: &[&String], denial: &Denial, count: u64) {
    let Some(what) = denial.action.clone().or_else(|| {
        let words: Vec<&str> = named.iter().map(|word| word.as_str()).collect();
        Some(words.join(" ")).filter(|what| !what.is_empty())
    }) else {
        return;
    };
    let key = (what.clone(), denial.resource.clone(), denial.code.as_str());
    let entry = all.entry(key).or_insert_with(|| Refused {
        what,
        resource: denial.resource.clone(),
        code: denial.code,
        reason: denial.reason.clone(),
        escape: denial.statement.as_deref() == Some("credential-minting"),
        count: 0,
    });
    entry.count += count;
}

fn accesses(region: &str, actions: &[String], resources: &[String], needs: &Needs) -> Vec<Access> {
    let region = needs.requested_region().unwrap_or(region);
    let one = |needed: crate::audit::Needed<'_>| {
        let pattern = matches!(needed.resource, Resource::Pattern(_));
        let (text, unnamed) = match &needed.resource {
            Resource::Opaque => ("*".to_owned(), true),
            Resource::Exact(arn) if arn == "*" || is_every_bucket(arn) => ("*".to_owned(), false),
            Resource::Exact(arn) => (escaped(arn), false),
            Resource::Pattern(pattern) => (pattern.clone(), false),
        };
        let mut grant = Grant::new(needed.action, text).demanding(REGION, region);
        if let Some(prefix) = needs.prefix().filter(|_| LISTINGS.contains(&needed.action)) {
            grant = grant.demanding(PREFIX, prefix);
        }
        Access { grant, unnamed, pattern, shown: needed.resource.shown().to_owned() }
    };
    let asks = |needed: &crate::audit::Needed<'_>| {
        !needed.action.split_once(':').is_some_and(|(service, name)| needs_no_allow(service, name))
    };
    needs.accesses(actions, resources).into_iter().filter(asks).map(one).collect()
}
