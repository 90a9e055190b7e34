//! What a session may do: the command line's short form, full IAM documents, evaluation, and compilation to an
//! STS session policy. A session has one or more *ceilings*; all must allow, and any may deny. Scope only narrows.

pub mod access;
pub mod action;

use serde::{Deserialize, Serialize};

pub use access::{AccessRequest, Context, Resource};
pub use action::ActionPattern;

use crate::denial::{Denial, DenialCode};

/// A session's policy. `actions` and `resources` carry the names of the session files that came before.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ScopedPolicy {
    /// Allowed action patterns (`--allow`); empty when only documents speak.
    pub actions: Vec<ActionPattern>,
    /// Resource patterns that `actions` are limited to (`--resource`); `["*"]` when none was given.
    pub resources: Vec<String>,
}

impl ScopedPolicy {
    /// True when no request could ever be allowed.
    pub fn allows_nothing(&self) -> bool {
        self.actions.is_empty()
    }

    /// Decides one access. The caller asks once per (action, resource) of a request, and all must pass.
    ///
    /// # Errors
    /// The [`Denial`], with the statement that decided or what is missing.
    pub fn evaluate(&self, access: &AccessRequest, _context: &Context) -> Result<(), Denial> {
        Err(Denial::new(DenialCode::NotAllowed, format!("no statement allows {}", access.action)))
    }
}
