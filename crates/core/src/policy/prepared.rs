//! A policy made ready for many requests: what is read once is not read again.

use std::borrow::Cow;

use super::ScopedPolicy;
use super::access::{AccessRequest, Context};
use super::eval;
use super::resource::ResourcePattern;
use crate::denial::Denial;

/// A policy whose resources are parsed and whose denials are checked. Decides exactly as the policy that it was made
/// from.
#[derive(Debug, Clone)]
pub struct PreparedPolicy<'a> {
    policy: Cow<'a, ScopedPolicy>,
    resources: Vec<ResourcePattern>,
    unreadable_deny: Option<usize>,
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

fn prepare(policy: Cow<'_, ScopedPolicy>) -> PreparedPolicy<'_> {
    let resources = policy.resources.iter().filter_map(|text| ResourcePattern::parse(text).ok()).collect();
    let unreadable_deny = policy.denied.iter().position(|pattern| !pattern.is_well_formed());
    PreparedPolicy { policy, resources, unreadable_deny }
}
