//! From what a session asked for to the least policy that allows it again.
//!
//! The audit log holds every access of every request, so nothing is guessed: actions are named letter by letter,
//! resources as they were asked for, `*` only where a call names none that can be known. What is wider than what was
//! asked is a [`Widening`], made only at a [`Level`] that somebody chose, and always told.
//!
//! | file | what it holds |
//! |---|---|
//! | `evidence` | a session's entries, taken apart: granted, refused, denied by the cloud |
//! | `grant` | one action on one resource under its conditions; what covers what |
//! | `generalise` | keys under one folder, and ids |
//! | `statements` | grants as the fewest exact statements |
//! | `fit` | the size as a session policy, and how to split what is too large |

mod evidence;
mod fit;
mod generalise;
mod grant;
mod statements;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::policy::{DocumentError, PolicyDocument, minting};
pub use evidence::{Failed, Learner, NotMergeable, Refused};
pub use fit::{Fit, Part};
pub use generalise::{Level, Widening};
use grant::Grant;

/// What is to become of the evidence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// How far to go beyond what was asked for.
    pub level: Level,
    /// Also grant what the cloud denied.
    pub include_failed: bool,
}

/// A learned policy, and everything that a person should know before using it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Learned {
    /// The policy; `None` when nothing was learned. Sorted, so equal evidence makes equal text.
    pub policy: Option<PolicyDocument>,
    /// Requests that the gate let through.
    pub requests: u64,
    /// Real URLs that were presigned.
    pub presigned: u64,
    /// What was made wider than it was asked for.
    pub widenings: Vec<Widening>,
    /// Calls that the cloud denied.
    pub failed: Vec<Failed>,
    /// Calls that the gate refused: outside the ceiling, not understood, or handing out credentials.
    pub refused: Vec<Refused>,
    /// Actions granted on `*` because the request does not say, in a way that we know, what it touches.
    pub unnamed: Vec<String>,
    /// Resources granted as patterns because their requests do not tell the whole ARN: the account, a path, a suffix.
    pub patterns: Vec<String>,
    /// Granted actions that hand out credentials or power, which no wildcard would have allowed.
    pub escapes: Vec<String>,
    /// Resources that no policy can name, such as a key with a control character; not granted.
    pub unwritable: Vec<String>,
    /// Requests that needed more than their entries hold; what is missing is not granted.
    pub partial: u64,
    /// Requests whose outcome is not known; granted.
    pub unanswered: u64,
    /// Calls that passed, and that the policy which the session tried out would have refused; granted.
    pub would_deny: Vec<Refused>,
}

impl Learner {
    /// The policy.
    ///
    /// # Errors
    /// [`DocumentError`] when it is larger than a document may be; a higher [`Level`] makes it smaller.
    pub fn learn(self, options: Options) -> Result<Learned, DocumentError> {
        let gathered = self.gathered(options.include_failed);
        let exact = grant::minimal(gathered.grants);
        let (wide, widenings) = generalise::generalise(exact, options.level);
        let grants = grant::pruned(grant::joined(wide));
        let policy = PolicyDocument::of(&statements::of(&grants))?;
        Ok(Learned {
            policy,
            requests: gathered.requests,
            presigned: gathered.presigned,
            widenings,
            failed: gathered.failed,
            refused: gathered.refused,
            unnamed: gathered.unnamed.into_iter().collect(),
            patterns: gathered.patterns.into_iter().collect(),
            escapes: escapes(&grants),
            unwritable: gathered.unwritable.into_iter().collect(),
            partial: gathered.partial,
            unanswered: gathered.unanswered,
            would_deny: gathered.would_deny,
        })
    }
}

impl Learned {
    /// How the policy fits into a session policy; `None` when nothing was learned.
    pub fn fit(&self) -> Option<Fit> {
        self.policy.as_ref().map(Fit::of)
    }
}

fn escapes(grants: &BTreeSet<Grant>) -> Vec<String> {
    let actions: BTreeSet<&str> = grants.iter().map(|grant| grant.action.as_str()).collect();
    let mints =
        |action: &&str| action.split_once(':').is_some_and(|(service, name)| minting::is_minting(service, name));
    actions.into_iter().filter(mints).map(str::to_owned).collect()
}
