//! A policy made ready for many requests: what is read once is not read again.

use std::borrow::Cow;

use super::ScopedPolicy;
use super::access::{AccessRequest, Context};
use super::action::ActionPattern;
use super::document::{PolicyDocument, Scope, Statement};
use super::eval;
use super::matcher::Matchers;
use super::resource::ResourcePattern;
use crate::denial::Denial;

/// A policy whose resources are parsed, whose denials are checked and whose action patterns are taken apart. Decides
/// exactly as the policy that it was made from.
#[derive(Debug, Clone)]
pub struct PreparedPolicy<'a> {
    policy: Cow<'a, ScopedPolicy>,
    resources: Vec<ResourcePattern>,
    unreadable_deny: Option<usize>,
    actions: Matchers,
    denied: Matchers,
    /// For each document, the actions of each of its statements.
    documents: Vec<Vec<Named>>,
    shadow: Option<Box<PreparedPolicy<'static>>>,
}

impl PreparedPolicy<'_> {
    /// What it was made from.
    pub fn policy(&self) -> &ScopedPolicy {
        &self.policy
    }

    /// Decides one access; see [`ScopedPolicy::evaluate`].
    ///
    /// # Errors
    /// The [`Denial`], with the statement that decided or what is missing.
    pub fn evaluate(&self, access: &AccessRequest, context: &Context) -> Result<(), Denial> {
        eval::decide(self, access, context, |_| ())
    }

    /// The policy that is only tried out, if there is one: what it says refuses nothing.
    pub fn shadow(&self) -> Option<&PreparedPolicy<'static>> {
        self.shadow.as_deref()
    }

    /// Places of the patterns of the short form that allow an action, in their order.
    pub(super) fn allowing(&self, service: &str, name: &str) -> impl Iterator<Item = &ActionPattern> {
        self.actions.matching(service, name).filter_map(|at| self.policy.actions.get(at))
    }

    /// Place of the first denial of the short form that means an action.
    pub(super) fn denying(&self, service: &str, name: &str) -> Option<usize> {
        self.denied.matching(service, name).next()
    }

    /// The statements of one document, each with its actions taken apart.
    pub(super) fn statements(&self, document: usize) -> impl Iterator<Item = (&Statement, &Named)> {
        let statements = self.policy.documents.get(document).map(PolicyDocument::statements).unwrap_or_default();
        statements.iter().zip(self.documents.get(document).map(Vec::as_slice).unwrap_or_default())
    }

    /// Only the first half of a decision: whether some Deny means this access, or may mean it.
    ///
    /// # Errors
    /// The [`Denial`] of the first that does.
    pub fn refuse_denied(&self, access: &AccessRequest, context: &Context) -> Result<(), Denial> {
        eval::refuse_denied(self, access, context)
    }

    /// The resources of the short form that can be read; the others match nothing.
    pub(super) fn resources(&self) -> &[ResourcePattern] {
        &self.resources
    }

    /// The first denial of the short form that is no pattern, and therefore refuses everything.
    pub(super) fn unreadable_deny(&self) -> Option<usize> {
        self.unreadable_deny
    }
}

impl From<ScopedPolicy> for PreparedPolicy<'static> {
    fn from(policy: ScopedPolicy) -> Self {
        prepare(Cow::Owned(policy))
    }
}

impl<'a> From<&'a ScopedPolicy> for PreparedPolicy<'a> {
    fn from(policy: &'a ScopedPolicy) -> Self {
        prepare(Cow::Borrowed(policy))
    }
}

/// The actions of a statement, taken apart.
#[derive(Debug, Clone)]
pub(super) struct Named {
    patterns: Matchers,
    /// The statement means all but these.
    all_but: bool,
}

impl Named {
    fn of(statement: &Statement) -> Self {
        let (patterns, all_but) = match &statement.actions {
            Scope::Only(patterns) => (patterns, false),
            Scope::AllBut(patterns) => (patterns, true),
        };
        Self { patterns: Matchers::of(patterns), all_but }
    }

    /// As [`Statement::names_action`].
    pub(super) fn names(&self, service: &str, name: &str) -> bool {
        self.patterns.any(service, name) != self.all_but
    }
}

fn prepare(policy: Cow<'_, ScopedPolicy>) -> PreparedPolicy<'_> {
    let of_document = |document: &PolicyDocument| document.statements().iter().map(Named::of).collect();
    PreparedPolicy {
        resources: policy.resources.iter().filter_map(|text| ResourcePattern::parse(text).ok()).collect(),
        unreadable_deny: policy.denied.iter().position(|pattern| !pattern.is_well_formed()),
        actions: Matchers::of(&policy.actions),
        denied: Matchers::of(&policy.denied),
        documents: policy.documents.iter().map(of_document).collect(),
        shadow: policy.shadow.as_deref().map(|shadow| Box::new(PreparedPolicy::from(shadow.clone()))),
        policy,
    }
}
