//! The decision. Deny from anywhere wins; every ceiling must allow; what a ceiling allows only through a
//! wildcard mints nothing.
//!
//! Order: security study 4.2. A ceiling that is absent allows nothing by being absent: a policy without any ceiling
//! refuses everything.

mod explain;

use super::ScopedPolicy;
use super::access::{AccessRequest, Context, Resource};
use super::action::ActionPattern;
use super::document::{Effect, PolicyDocument, Scope, Statement};
use super::minting;
use super::read_only;
use super::resource::ResourcePattern;
use super::truth::Truth;
use crate::denial::Denial;

/// One access, taken apart.
pub(super) struct Asked<'a> {
    pub(super) service: &'a str,
    pub(super) name: &'a str,
    pub(super) access: &'a AccessRequest,
    pub(super) context: &'a Context,
}

/// Decides one access. See [`ScopedPolicy::evaluate`].
pub(super) fn decide(policy: &ScopedPolicy, access: &AccessRequest, context: &Context) -> Result<(), Denial> {
    let Some(asked) = Asked::new(access, context) else {
        return Err(explain::not_an_action(access));
    };
    denied(policy, &asked)?;
    if policy.ceilings() == 0 {
        return Err(explain::no_ceiling(&asked));
    }
    let minting = minting::reason(asked.service, asked.name).is_some();
    if !policy.actions.is_empty() || policy.limits_resources() {
        short_form(policy, &asked, minting)?;
    }
    for (n, document) in policy.documents.iter().enumerate() {
        allowed_by(document, minting, &asked).map_err(|missing| match missing {
            Missing::Allow => explain::not_in_document(policy, n, &asked),
            Missing::Name => explain::minting_by_wildcard(&explain::label(policy, n, ""), &asked),
        })?;
    }
    if policy.read_only && !read_only::is_read(asked.service, asked.name) {
        return Err(explain::not_a_read(&asked));
    }
    Ok(())
}

/// What a document lacks to allow an access.
enum Missing {
    Allow,
    /// It allows it, but only through a wildcard, and the action mints credentials.
    Name,
}

fn denied(policy: &ScopedPolicy, asked: &Asked<'_>) -> Result<(), Denial> {
    for pattern in &policy.denied {
        if !pattern.is_well_formed() {
            return Err(explain::unreadable_deny(pattern, asked));
        }
        if pattern.matches(asked.service, asked.name) {
            return Err(explain::denied_by_flag(pattern, asked));
        }
    }
    for (n, document) in policy.documents.iter().enumerate() {
        for (number, statement) in document.statements().iter().enumerate() {
            if statement.effect == Effect::Deny && statement.applies(asked) != Truth::No {
                return Err(explain::denied_by_statement(policy, n, number + 1, statement, asked));
            }
        }
    }
    Ok(())
}

fn short_form(policy: &ScopedPolicy, asked: &Asked<'_>, minting: bool) -> Result<(), Denial> {
    let matching = || policy.actions.iter().filter(|p| p.matches(asked.service, asked.name));
    if !policy.actions.is_empty() && matching().next().is_none() {
        return Err(explain::action_not_allowed(policy, asked));
    }
    if short_form_resources(policy, asked) != Truth::Yes {
        return Err(explain::resource_not_allowed(policy, asked));
    }
    if minting && !policy.actions.is_empty() && !matching().any(ActionPattern::is_literal) {
        return Err(explain::minting_by_wildcard("`--allow`", asked));
    }
    Ok(())
}

/// Each ceiling must spell a minting action out by itself: if one could do it for another, adding a ceiling could
/// allow what was refused before.
fn allowed_by(document: &PolicyDocument, minting: bool, asked: &Asked<'_>) -> Result<(), Missing> {
    let mut missing = Missing::Allow;
    for statement in document.allows().filter(|statement| statement.applies(asked) == Truth::Yes) {
        if !minting || statement.spells_out(asked) {
            return Ok(());
        }
        missing = Missing::Name;
    }
    Err(missing)
}

fn short_form_resources(policy: &ScopedPolicy, asked: &Asked<'_>) -> Truth {
    let readable = policy.resources.iter().filter_map(|text| ResourcePattern::parse(text).ok());
    Truth::any(readable.map(|pattern| pattern.matches(&asked.access.resource, asked.context, false)))
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

impl PolicyDocument {
    fn allows(&self) -> impl Iterator<Item = &Statement> {
        self.statements().iter().filter(|statement| statement.effect == Effect::Allow)
    }
}

impl Statement {
    /// Whether action, resource and conditions all say that the statement is about this access.
    pub(super) fn applies(&self, asked: &Asked<'_>) -> Truth {
        self.names_action(asked)
            .and(self.names_resource(&asked.access.resource, asked.context))
            .and(Truth::all(self.conditions.iter().map(|condition| condition.holds(asked.context))))
    }

    fn spells_out(&self, asked: &Asked<'_>) -> bool {
        let spelled = |pattern: &ActionPattern| pattern.is_literal() && pattern.matches(asked.service, asked.name);
        matches!(&self.actions, Scope::Only(patterns) if patterns.iter().any(spelled))
    }

    fn names_action(&self, asked: &Asked<'_>) -> Truth {
        let named = |patterns: &[ActionPattern]| patterns.iter().any(|p| p.matches(asked.service, asked.name));
        match &self.actions {
            Scope::Only(patterns) => named(patterns).into(),
            Scope::AllBut(patterns) => (!named(patterns)).into(),
        }
    }

    fn names_resource(&self, resource: &Resource, context: &Context) -> Truth {
        let named = |patterns: &[ResourcePattern], inverted| {
            Truth::any(patterns.iter().map(|pattern| pattern.matches(resource, context, inverted)))
        };
        match &self.resources {
            Scope::Only(patterns) => named(patterns, false),
            Scope::AllBut(patterns) => !named(patterns, true),
        }
    }
}
