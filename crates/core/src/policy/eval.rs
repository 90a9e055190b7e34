//! The decision. Deny from anywhere wins; every ceiling must allow; what a ceiling allows only through a
//! wildcard mints nothing.
//!
//! Order: security study 4.2. A ceiling that is absent allows nothing by being absent: a policy without any ceiling
//! refuses everything.

mod explain;

use super::ScopedPolicy;
use super::access::{AccessRequest, Context, Resource};
use super::action::ActionPattern;
use super::document::{Effect, Scope, Statement};
use super::minting;
use super::prepared::PreparedPolicy;
use super::read_only;
use super::resource::ResourcePattern;
use super::truth::Truth;
use crate::denial::Denial;

/// `the policy document`, or its number where there are several.
pub(super) fn label(policy: &ScopedPolicy, document: usize) -> String {
    explain::label(policy, document, "")
}

/// One access, taken apart.
pub(super) struct Asked<'a> {
    pub(super) service: &'a str,
    pub(super) name: &'a str,
    pub(super) access: &'a AccessRequest,
    pub(super) context: &'a Context,
}

/// Why one ceiling lets an access through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By<'a> {
    /// A pattern of the short form; `None` where only its resources limit.
    Flag(Option<&'a ActionPattern>),
    /// A statement of a document, both counted from 0.
    Statement { document: usize, statement: usize },
    /// It only reads.
    ReadOnly,
    /// It needs no permission, in none of them.
    Nothing,
}

/// What AWS lets every identity do, and most tools do first (STS API reference, `GetCallerIdentity`: "no permissions are
/// required"). A Deny means nothing to AWS there; here it is kept to.
pub(crate) fn needs_no_allow(service: &str, name: &str) -> bool {
    service.eq_ignore_ascii_case("sts") && name.eq_ignore_ascii_case("GetCallerIdentity")
}

/// Decides one access, and tells `granted` once for each ceiling why that lets it through. See
/// [`ScopedPolicy::evaluate`].
pub(super) fn decide<'p>(
    prepared: &'p PreparedPolicy<'_>,
    access: &AccessRequest,
    context: &Context,
    mut granted: impl FnMut(By<'p>),
) -> Result<(), Denial> {
    let Some(asked) = Asked::new(access, context) else {
        return Err(explain::not_an_action(access));
    };
    let policy = prepared.policy();
    denied(prepared, &asked)?;
    if policy.ceilings() == 0 {
        return Err(explain::no_ceiling(&asked));
    }
    if needs_no_allow(asked.service, asked.name) {
        granted(By::Nothing);
        return Ok(());
    }
    let minting = minting::reason(asked.service, asked.name).is_some();
    if !policy.actions.is_empty() || policy.limits_resources() {
        granted(By::Flag(short_form(prepared, &asked, minting)?));
    }
    for n in 0..policy.documents.len() {
        let statement = allowed_by(prepared, n, minting, &asked).map_err(|missing| match missing {
            Missing::Allow => explain::not_in_document(policy, n, &asked),
            Missing::Name => explain::minting_by_wildcard(&explain::label(policy, n, ""), &asked),
        })?;
        granted(By::Statement { document: n, statement });
    }
    if policy.read_only {
        if !read_only::is_read(asked.service, asked.name) {
            return Err(explain::not_a_read(&asked));
        }
        granted(By::ReadOnly);
    }
    Ok(())
}

/// Refuses an access that a Deny means or may mean. See [`PreparedPolicy::refuse_denied`].
pub(super) fn refuse_denied(
    prepared: &PreparedPolicy<'_>,
    access: &AccessRequest,
    context: &Context,
) -> Result<(), Denial> {
    let asked = Asked::new(access, context).ok_or_else(|| explain::not_an_action(access))?;
    denied(prepared, &asked)
}

/// What a document lacks to allow an access.
enum Missing {
    Allow,
    /// It allows it, but only through a wildcard, and the action mints credentials.
    Name,
}

fn denied(prepared: &PreparedPolicy<'_>, asked: &Asked<'_>) -> Result<(), Denial> {
    let policy = prepared.policy();
    let (unreadable, meant) = (prepared.unreadable_deny(), prepared.denying(asked.service, asked.name));
    // The first of them decides; what cannot be read means everything.
    let first = unreadable.into_iter().chain(meant).min();
    if let Some(pattern) = first.and_then(|n| policy.denied.get(n)) {
        return Err(match first == unreadable {
            true => explain::unreadable_deny(pattern, asked),
            false => explain::denied_by_flag(pattern, asked),
        });
    }
    for n in 0..policy.documents.len() {
        for (number, (statement, named)) in prepared.statements(n).enumerate() {
            let names = || named.names(asked.service, asked.name);
            if statement.effect == Effect::Deny && names() && statement.applies_to(asked) != Truth::No {
                return Err(explain::denied_by_statement(policy, n, number + 1, statement, asked));
            }
        }
    }
    Ok(())
}

fn short_form<'p>(
    prepared: &'p PreparedPolicy<'_>,
    asked: &Asked<'_>,
    minting: bool,
) -> Result<Option<&'p ActionPattern>, Denial> {
    let policy = prepared.policy();
    let matching = || prepared.allowing(asked.service, asked.name);
    let first = matching().next();
    if !policy.actions.is_empty() && first.is_none() {
        return Err(explain::action_not_allowed(policy, asked));
    }
    let on = |pattern: &ResourcePattern| pattern.matches(&asked.access.resource, asked.context, false);
    if Truth::any(prepared.resources().iter().map(on)) != Truth::Yes {
        return Err(explain::resource_not_allowed(policy, asked));
    }
    if !minting || policy.actions.is_empty() {
        return Ok(first);
    }
    let spelled = matching().find(|pattern| pattern.is_literal());
    spelled.map(Some).ok_or_else(|| explain::minting_by_wildcard("`--allow`", asked))
}

/// Each ceiling must spell a minting action out by itself: if one could do it for another, adding a ceiling could
/// allow what was refused before.
fn allowed_by(
    prepared: &PreparedPolicy<'_>,
    document: usize,
    minting: bool,
    asked: &Asked<'_>,
) -> Result<usize, Missing> {
    let mut missing = Missing::Allow;
    for (n, (statement, named)) in prepared.statements(document).enumerate() {
        let names = || named.names(asked.service, asked.name);
        if statement.effect != Effect::Allow || !names() || statement.applies_to(asked) != Truth::Yes {
            continue;
        }
        if !minting || statement.spells_out(asked) {
            return Ok(n);
        }
        missing = Missing::Name;
    }
    Err(missing)
}

impl<'a> Asked<'a> {
    /// `None` when the action is not one action of one service.
    fn new(access: &'a AccessRequest, context: &'a Context) -> Option<Self> {
        let (service, name) = access.action.split_once(':')?;
        let plain = |text: &str, also: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c))
        };
        (plain(service, "-") && plain(name, "")).then_some(Self { service, name, access, context })
    }
}

impl Statement {
    /// Whether action, resource and conditions all say that the statement is about this access.
    pub(super) fn applies(&self, asked: &Asked<'_>) -> Truth {
        if self.names_action(asked) == Truth::No { Truth::No } else { self.applies_to(asked) }
    }

    /// The same for a statement that names the action.
    fn applies_to(&self, asked: &Asked<'_>) -> Truth {
        let on = self.names_resource(&asked.access.resource, asked.context);
        if on == Truth::No {
            return Truth::No;
        }
        on.and(Truth::all(self.conditions.iter().map(|condition| condition.holds(asked.context))))
    }

    fn spells_out(&self, asked: &Asked<'_>) -> bool {
        let spelled = |pattern: &ActionPattern| pattern.is_literal() && pattern.matches(asked.service, asked.name);
        matches!(&self.actions, Scope::Only(patterns) if patterns.iter().any(spelled))
    }

    pub(super) fn names_action(&self, asked: &Asked<'_>) -> Truth {
        let named = |patterns: &[ActionPattern]| patterns.iter().any(|p| p.matches(asked.service, asked.name));
        match &self.actions {
            Scope::Only(patterns) => named(patterns).into(),
            Scope::AllBut(patterns) => (!named(patterns)).into(),
        }
    }

    pub(super) fn names_resource(&self, resource: &Resource, context: &Context) -> Truth {
        let named = |patterns: &[ResourcePattern], inverted| {
            Truth::any(patterns.iter().map(|pattern| pattern.matches(resource, context, inverted)))
        };
        match &self.resources {
            Scope::Only(patterns) => named(patterns, false),
            Scope::AllBut(patterns) => !named(patterns, true),
        }
    }
}
