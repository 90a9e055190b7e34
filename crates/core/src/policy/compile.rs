//! The session policy: the same scope, for the cloud to enforce beside the gate. STS API reference, AssumeRole.
//!
//! STS takes one inline policy and managed ones, at most [`SESSION_POLICY_CHARS_MAX`] characters together, and *adds
//! up* what they allow before it intersects the sum with the role. So several ceilings must be intersected here, and
//! an inline policy is never sent together with a managed one. Where an intersection cannot be written down, the
//! narrowest policy that still covers it is sent, [`Compiled::exact`] says so, and the gate enforces the rest.

mod deny;
mod meet;
mod size;

use std::collections::BTreeSet;

use serde::Serialize;

use super::action::ActionPattern;
use super::document::{Effect, Scope, Statement, Written};
use super::minting::Tier;
use super::resource::ResourcePattern;
use super::{PolicyError, ScopedPolicy, read_only};
use crate::limits::SESSION_POLICY_CHARS_MAX;

/// What AssumeRole is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// The inline session policy, exactly as sent; `None` when a managed one is sent instead.
    pub json: Option<String>,
    /// Managed policies; empty when an inline one is sent.
    pub policy_arns: Vec<String>,
    /// What the cloud does not enforce and the gate does, one sentence each.
    pub notes: Vec<String>,
    /// False when the session policy is wider than the policy that it was compiled from. Whoever hands out the real
    /// credential must not ignore it: only behind the gate does the difference not matter.
    pub exact: bool,
}

impl Compiled {
    /// Size that STS counts, characters of policy and ARNs together.
    pub fn chars(&self) -> usize {
        self.json.iter().chain(&self.policy_arns).map(|text| text.chars().count()).sum()
    }
}

/// Why there is no session policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// A policy without an Allow.
    #[error("the policy allows nothing, so there is nothing to lend: name at least one action")]
    NothingAllowed,
    /// A part that no cloud would understand.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Not a partition's name.
    #[error("`{0}` is not an AWS partition such as `aws`, `aws-cn` or `aws-us-gov`")]
    Partition(String),
    /// It does not fit.
    #[error(
        "the session policy has {chars} characters, {over} more than the {SESSION_POLICY_CHARS_MAX} that STS takes; \
         the longest parts are {}: shorten them, use a wildcard for several, or leave some out",
        size::listed(.longest)
    )]
    TooLarge {
        /// Characters of the smallest form found.
        chars: usize,
        /// Characters too many.
        over: usize,
        /// The longest parts and their sizes, longest first.
        longest: Vec<(String, usize)>,
    },
}

impl ScopedPolicy {
    /// Compiles to a session policy for a role of `partition` (`aws`, `aws-cn`, …).
    ///
    /// # Errors
    /// [`CompileError`]; when it is too large, with the number of characters over and the longest parts.
    pub fn compile(&self, partition: &str) -> Result<Compiled, CompileError> {
        self.validate()?;
        if !partition.starts_with("aws") || !partition.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') {
            return Err(CompileError::Partition(partition.to_owned()));
        }
        if self.allows_nothing() {
            return Err(CompileError::NothingAllowed);
        }
        let ceilings = ceilings_of(self);
        let together = intersection(self, &ceilings).map(|draft| draft.finish(self));
        match together {
            Some(Err(CompileError::TooLarge { .. })) | None if self.read_only => Ok(managed(self, partition)),
            Some(Ok(compiled)) => Ok(compiled),
            Some(Err(error @ CompileError::TooLarge { .. })) if ceilings.len() > 1 => {
                one_ceiling(self, &ceilings).or(Err(error))
            }
            Some(Err(error)) => Err(error),
            None => one_ceiling(self, &ceilings),
        }
    }
}

/// Allow statements on their way to a policy.
#[derive(Clone)]
struct Draft {
    allows: Vec<Statement>,
    notes: Vec<String>,
    exact: bool,
}

/// Every ceiling but read-only, as Allow statements.
fn ceilings_of(policy: &ScopedPolicy) -> Vec<Vec<Statement>> {
    let readable = policy.resources.iter().filter_map(|text| ResourcePattern::parse(text).ok());
    let resources = Scope::Only(readable.collect());
    let allow = |actions: Vec<ActionPattern>| Statement {
        sid: None,
        effect: Effect::Allow,
        actions: Scope::Only(actions),
        resources: resources.clone(),
        conditions: Vec::new(),
    };
    let mut ceilings = Vec::new();
    if !policy.actions.is_empty() {
        ceilings.push(vec![allow(policy.actions.clone())]);
    } else if policy.limits_resources() {
        ceilings.push(vec![allow(vec![ActionPattern::all()])]);
    }
    for document in &policy.documents {
        let allows = document.statements().iter().filter(|statement| statement.effect == Effect::Allow);
        ceilings.push(allows.map(|statement| Statement { sid: None, ..statement.clone() }).collect());
    }
    ceilings
}

/// All ceilings at once; `None` when that cannot be written down.
fn intersection(policy: &ScopedPolicy, ceilings: &[Vec<Statement>]) -> Option<Draft> {
    let (first, rest) = ceilings.split_first()?;
    let mut draft = Draft { allows: first.clone(), notes: Vec::new(), exact: true };
    for ceiling in rest {
        let (allows, exact) = meet::statements(&draft.allows, ceiling)?;
        draft = Draft { allows, exact: draft.exact && exact, ..draft };
    }
    if policy.read_only {
        draft = reads(draft)?;
    }
    if !draft.exact {
        draft
            .notes
            .push("the ceilings' common part cannot be written as one policy; the cloud enforces a little less".into());
    }
    Some(draft)
}

fn reads(draft: Draft) -> Option<Draft> {
    let mut exact = draft.exact;
    let mut allows = Vec::with_capacity(draft.allows.len());
    for statement in draft.allows {
        let Scope::Only(patterns) = &statement.actions else { return None };
        let mut actions = Vec::new();
        for pattern in patterns {
            let (reads, all) = read_only::reads_of(pattern)?;
            exact &= all;
            actions.extend(reads);
        }
        if !actions.is_empty() {
            allows.push(Statement { actions: Scope::Only(actions), ..statement });
        }
    }
    Some(Draft { allows, exact, ..draft })
}

/// The ceiling that is shortest as a policy, when all of them together cannot be sent.
fn one_ceiling(policy: &ScopedPolicy, ceilings: &[Vec<Statement>]) -> Result<Compiled, CompileError> {
    let alone = |(n, ceiling): (usize, &Vec<Statement>)| {
        let note = format!("of {} ceilings the cloud enforces number {}, the gate enforces all", ceilings.len(), n + 1);
        Draft { allows: ceiling.clone(), notes: vec![note], exact: false }.finish(policy)
    };
    let size = |result: &Result<Compiled, CompileError>| match result {
        Ok(compiled) => compiled.chars(),
        Err(CompileError::TooLarge { chars, .. }) => *chars,
        Err(_) => usize::MAX,
    };
    let shortest = ceilings.iter().enumerate().map(alone).min_by_key(size);
    shortest.unwrap_or(Err(CompileError::NothingAllowed))
}

/// AWS's own read-only policy, when ours cannot be written: IAM takes no wildcard in the service of an action, so
/// "every read of every service" has no inline form.
fn managed(policy: &ScopedPolicy, partition: &str) -> Compiled {
    let mut notes = vec![
        "the cloud enforces its own `ReadOnlyAccess`; the gate also refuses reads that hand out secrets".to_owned(),
    ];
    if !policy.denied.is_empty() {
        notes
            .push("`--deny` is enforced by the gate alone, because a managed and an inline policy would add up".into());
    }
    if policy.ceilings() > 1 || policy.limits_resources() {
        notes.push("beside `--read-only`, what limits actions and resources is enforced by the gate alone".into());
    }
    let arn = format!("arn:{partition}:iam::aws:policy/ReadOnlyAccess");
    Compiled { json: None, policy_arns: vec![arn], notes, exact: false }
}

impl Draft {
    fn finish(mut self, policy: &ScopedPolicy) -> Result<Compiled, CompileError> {
        self.without_service_wildcards();
        let excluding = |statement: &Statement| matches!(&statement.resources, Scope::AllBut(patterns) if patterns.iter().any(ResourcePattern::has_variables));
        if ceilings_of(policy).iter().flatten().any(excluding) {
            self.exact = false;
            self.notes.push(
                "an Allow with `NotResource` and a variable is refused by the gate where the variable is unset".into(),
            );
        }
        if self.allows.is_empty() {
            return Err(CompileError::NothingAllowed);
        }
        let (mut statements, mut json) = self.written(policy, &[Tier::Credential, Tier::RunAs]);
        if json.chars().count() > SESSION_POLICY_CHARS_MAX {
            let (fewer, shorter) = self.clone().written(policy, &[Tier::Credential]);
            if shorter.chars().count() < json.chars().count() {
                self.exact = false;
                self.notes.push(
                    "there is no room to deny all that acts with another identity: the gate alone refuses it".into(),
                );
                (statements, json) = (fewer, shorter);
            }
        }
        let chars = json.chars().count();
        if let Some(over) = chars.checked_sub(SESSION_POLICY_CHARS_MAX).filter(|over| *over > 0) {
            return Err(CompileError::TooLarge { chars, over, longest: size::longest(&statements) });
        }
        Ok(Compiled { json: Some(json), policy_arns: Vec::new(), notes: self.notes, exact: self.exact })
    }

    /// The statements, and the policy as it is sent, with the denies of these tiers of the minting class.
    fn written(&mut self, policy: &ScopedPolicy, tiers: &[Tier]) -> (Vec<Statement>, String) {
        let denies = deny::statements(policy, &self.allows, tiers);
        self.exact &= denies.exact;
        self.notes.extend(denies.notes);
        let mut statements = meet::merged(self.allows.clone());
        statements.extend(denies.statements);
        let json = size::text(&Policy::of(&statements));
        (statements, json)
    }

    /// IAM refuses `*:Get*` ("Action vendors must not contain wildcards"), so it becomes `*`.
    fn without_service_wildcards(&mut self) {
        let mut widened = BTreeSet::new();
        for statement in &mut self.allows {
            let Scope::Only(patterns) = &mut statement.actions else { continue };
            for pattern in patterns {
                if pattern.service_has_wildcard() && *pattern != ActionPattern::all() {
                    widened.insert(pattern.to_string());
                    *pattern = ActionPattern::all();
                }
            }
        }
        for pattern in widened {
            self.exact = false;
            self.notes
                .push(format!("IAM takes no wildcard in a service, so `{pattern}` is enforced by the gate alone"));
        }
    }
}

/// The document as sent. One statement stands in an array, too: IAM takes it without, but SeaweedFS's STS does not.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Policy<'a> {
    version: &'static str,
    statement: Vec<Written<'a>>,
}

impl<'a> Policy<'a> {
    fn of(statements: &'a [Statement]) -> Self {
        let statement = statements.iter().map(|statement| statement.written(false)).collect();
        Self { version: "2012-10-17", statement }
    }
}
