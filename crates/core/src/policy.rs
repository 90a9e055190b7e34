//! What a session may do: the command line's short form, full IAM documents, evaluation, and compilation to an
//! STS session policy. A session has one or more *ceilings*; all must allow, and any may deny. Scope only narrows.
//!
//! | file | what it holds |
//! |---|---|
//! | [`action`], [`parse`], [`syntax`] | `s3:Get*` as text, and errors that point at the character |
//! | [`universal`], [`profiles`] | words for many actions: `storage:read`, the profile `s3-read` |
//! | [`read_only`], [`minting`] | which actions only read, and which hand out credentials |
//! | [`document`] and its conditions | IAM policy documents, read strictly |
//! | [`glob`] and the resource patterns | matching, covering, intersecting |
//! | [`access`] and the evaluation | one access, three-valued, decided by [`ScopedPolicy::evaluate`] |
//! | [`compile`] | the session policy that STS enforces beside the gate |
//! | the matchers, [`PreparedPolicy`] | a policy taken apart once, for many accesses |
//! | the grants, words, lint and diff | which statement decided, plain sentences, what is suspicious, what changed |
//! | the canonical form | [`ScopedPolicy::canonical`]: what makes two policies the same authority |

pub mod access;
pub mod action;
mod canonical;
pub mod compile;
mod condition;
mod cover;
mod diff;
pub mod document;
mod eval;
pub mod glob;
mod grant;
mod lint;
mod matcher;
pub mod minting;
mod notes;
pub mod parse;
mod prepared;
pub mod profiles;
pub mod read_only;
mod resource;
pub mod syntax;
mod template;
mod truth;
pub mod universal;
mod words;

use serde::{Deserialize, Serialize};

pub use access::{AccessRequest, Context, Known, Resource};
pub use action::{ActionPattern, overlaps};
pub use compile::{CompileError, Compiled};
pub use diff::{Change, PolicyDiff, Side};
pub use document::{DocumentError, Place, PolicyDocument};
pub(crate) use eval::needs_no_allow;
pub use grant::Grant;
pub use lint::{Finding, Weight};
pub use parse::{parse_actions, parse_resource};
pub use prepared::PreparedPolicy;
pub use profiles::{Profile, profile};
pub(crate) use resource::is_every_bucket;
pub use syntax::SyntaxError;
pub use words::StatementInWords;

use crate::denial::Denial;

/// A session's policy. `actions` and `resources` carry the names of the session files that came before.
///
/// The short form (`actions` on `resources`), each document and `read_only` are each a ceiling. Every ceiling that is
/// present must allow an access, and a deny from anywhere wins. `resources` other than `*` without `actions` limit
/// the other ceilings. A policy without a ceiling, so also one of denials only, allows nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopedPolicy {
    /// Allowed action patterns (`--allow`); empty when only documents speak.
    pub actions: Vec<ActionPattern>,
    /// Resource patterns that `actions` are limited to (`--resource`); `["*"]` when none was given.
    pub resources: Vec<String>,
    /// Action patterns denied on every resource (`--deny`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denied: Vec<ActionPattern>,
    /// IAM documents (`--policy`), each a further ceiling.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<PolicyDocument>,
    /// Only what reads and hands out no secret (`--read-only`), a further ceiling; see [`read_only`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
    /// A policy that is tried out (`--shadow`): what it would refuse is recorded, and passes as far as all of the
    /// above allows. It protects nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<Box<Self>>,
}

/// A part of a policy that cannot be applied as it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// An action pattern that is no AWS action pattern.
    #[error("`{0}` is not an action pattern such as `s3:Get*`")]
    Action(String),
    /// A resource that is neither `*` nor an ARN.
    #[error("`{resource}` is not a resource, at character {}: expected {expected}", .at + 1)]
    Resource {
        /// As written.
        resource: String,
        /// Characters from the start.
        at: usize,
        /// What should be there.
        expected: String,
    },
}

impl ScopedPolicy {
    /// True when no request could ever be allowed: no ceiling, a ceiling that allows nothing, everything
    /// denied, or a deny that cannot be read.
    pub fn allows_nothing(&self) -> bool {
        let denied = |allowed: &ActionPattern| self.denied.iter().any(|deny| deny.covers(allowed));
        let writes = |allowed: &ActionPattern| {
            self.read_only && read_only::reads_of(allowed).is_some_and(|(reads, _)| reads.is_empty())
        };
        let short_form = !self.actions.is_empty();
        self.ceilings() == 0
            || denied(&ActionPattern::all())
            || !self.denied.iter().all(ActionPattern::is_well_formed)
            || (short_form && (self.resources.is_empty() || self.actions.iter().all(|a| denied(a) || writes(a))))
            || self.documents.iter().any(PolicyDocument::allows_nothing)
    }

    /// Decides one access. The caller asks once per (action, resource) of a request, and all must pass. For many
    /// requests, [`PreparedPolicy`] reads the policy once.
    ///
    /// # Errors
    /// The [`Denial`], with the statement that decided or what is missing.
    pub fn evaluate(&self, access: &AccessRequest, context: &Context) -> Result<(), Denial> {
        PreparedPolicy::from(self).evaluate(access, context)
    }

    /// Checks every pattern that came as free text, from a session file or an API.
    ///
    /// # Errors
    /// The first [`PolicyError`]; such an allow matches nothing, and such a deny refuses everything.
    pub fn validate(&self) -> Result<(), PolicyError> {
        if let Some(odd) = self.actions.iter().chain(&self.denied).find(|pattern| !pattern.is_well_formed()) {
            return Err(PolicyError::Action(odd.to_string()));
        }
        for text in &self.resources {
            resource::ResourcePattern::parse(text).map_err(|fault| PolicyError::Resource {
                resource: text.clone(),
                at: fault.at,
                expected: fault.expected,
            })?;
        }
        Ok(())
    }

    /// How many ceilings are present; see [`Self::limits_resources`] for the one that cannot stand alone.
    fn ceilings(&self) -> usize {
        usize::from(!self.actions.is_empty()) + self.documents.len() + usize::from(self.read_only)
    }

    /// True when resources without actions narrow the other ceilings.
    fn limits_resources(&self) -> bool {
        self.actions.is_empty() && !self.resources.is_empty() && !self.resources.iter().any(|text| text == "*")
    }
}
