//! Why an access is allowed: for each ceiling, what in it lets the access through.

use serde::Serialize;

use super::ScopedPolicy;
use super::access::{AccessRequest, Context};
use super::eval::{self, By};
use super::prepared::PreparedPolicy;
use crate::denial::Denial;

/// One ceiling's yes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// `--allow`, `--resource`, `--read-only`, or `policy document 1`.
    pub ceiling: String,
    /// The pattern, or the statement's `Sid` or number, where the ceiling has such.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
}

impl ScopedPolicy {
    /// [`Self::evaluate`], and what in each ceiling allowed the access: one entry for each, in their order.
    ///
    /// # Errors
    /// As [`Self::evaluate`].
    pub fn grants(&self, access: &AccessRequest, context: &Context) -> Result<Vec<Grant>, Denial> {
        let mut granted = Vec::new();
        let prepared = PreparedPolicy::from(self);
        eval::decide(&prepared, access, context, |by| granted.push(by))?;
        Ok(granted.into_iter().map(|by| self.grant(by)).collect())
    }

    fn grant(&self, by: By<'_>) -> Grant {
        match by {
            By::Flag(Some(pattern)) => {
                Grant { ceiling: "--allow".to_owned(), statement: Some(format!("--allow {pattern}")) }
            }
            By::Flag(None) => Grant { ceiling: "--resource".to_owned(), statement: None },
            By::Nothing => Grant { ceiling: "no permission is needed".to_owned(), statement: None },
            By::ReadOnly => Grant { ceiling: "--read-only".to_owned(), statement: None },
            By::Statement { document, statement } => {
                let found = self.documents.get(document).and_then(|d| d.statements().get(statement));
                Grant { ceiling: eval::label(self, document), statement: found.map(|found| found.name(statement + 1)) }
            }
        }
    }
}
