//! The Deny statements of a session policy: `--deny`, the documents' own, the exceptions of `--read-only`, and the
//! credential-minting class wherever a wildcard would include it.
//!
//! `--deny` is sent even where nothing allows the action: a resource policy that names the session grants around the
//! session policy's Allow, and only an explicit Deny stops that.

use super::meet::pruned;
use crate::policy::action::ActionPattern;
use crate::policy::document::{Effect, PolicyDocument, Scope, Statement};
use crate::policy::minting::{MINTING, Minting, Tier};
use crate::policy::resource::ResourcePattern;
use crate::policy::{ScopedPolicy, read_only};

pub(super) struct Denies {
    pub(super) statements: Vec<Statement>,
    pub(super) notes: Vec<String>,
    pub(super) exact: bool,
}

/// `tiers` of the minting class are written down; what is left out stays to the gate alone.
pub(super) fn statements(policy: &ScopedPolicy, allows: &[Statement], tiers: &[Tier]) -> Denies {
    let mut denies = Denies { statements: Vec::new(), notes: Vec::new(), exact: true };
    let mut everywhere = Vec::new();
    for pattern in &policy.denied {
        everywhere.extend(denies.spelled(pattern, allows));
    }
    if policy.read_only {
        let allowed: Vec<ActionPattern> = allows.iter().flat_map(|s| s.actions.items().iter().cloned()).collect();
        everywhere.extend(read_only::exceptions_within(&allowed));
    }
    everywhere.extend(denies.minting(policy, allows, tiers));
    for statement in policy.documents.iter().flat_map(PolicyDocument::statements) {
        if statement.effect != Effect::Deny {
            continue;
        }
        match &statement.actions {
            Scope::Only(actions) if is_everywhere(statement) => everywhere.extend(actions.iter().cloned()),
            _ => denies.statements.push(statement.clone()),
        }
    }
    let actions = pruned(&everywhere, ActionPattern::covers);
    if !actions.is_empty() {
        let statement = deny(actions, Scope::Only(ResourcePattern::parse("*").into_iter().collect()));
        denies.statements.insert(0, statement);
    }
    denies
}

impl Denies {
    /// A pattern with a wildcard service, spelled out for the services that are allowed: IAM takes no other form.
    fn spelled(&mut self, pattern: &ActionPattern, allows: &[Statement]) -> Vec<ActionPattern> {
        if !pattern.service_has_wildcard() || *pattern == ActionPattern::all() {
            return vec![pattern.clone()];
        }
        let mut spelled = Vec::new();
        for statement in allows {
            let literal = |allowed: &&ActionPattern| !allowed.service_has_wildcard();
            let (Scope::Only(patterns), true) =
                (&statement.actions, statement.actions.items().iter().all(|allowed| literal(&allowed)))
            else {
                self.exact = false;
                self.notes.push(format!(
                    "IAM takes no wildcard in a service, so `--deny {pattern}` is enforced by the gate alone"
                ));
                return Vec::new();
            };
            for allowed in patterns {
                let narrowed = ActionPattern { service: allowed.service.clone(), action: pattern.action.clone() };
                if pattern.covers(&narrowed) {
                    spelled.push(narrowed);
                }
            }
        }
        spelled
    }

    /// Each ceiling refuses what its own wildcards would mint, so the denies of all of them add up. What the final
    /// Allow statements leave out anyway is not repeated.
    fn minting(&mut self, policy: &ScopedPolicy, allows: &[Statement], tiers: &[Tier]) -> Vec<ActionPattern> {
        let mut denied = Vec::new();
        let rows: Vec<Minting> = MINTING.into_iter().filter(|minting| tiers.contains(&minting.tier)).collect();
        if policy.actions.is_empty() && policy.documents.is_empty() {
            return denied;
        }
        for ceiling in super::ceilings_of(policy).iter().skip(usize::from(policy.limits_resources())) {
            for minting in &rows {
                let Some(class) = minting.as_pattern() else { continue };
                if !ceiling.iter().any(|statement| wildly_allows(statement, &class)) {
                    continue;
                }
                let named = named_in(ceiling, &class);
                denied.extend(minting.denied_beside(&named));
                for name in &named {
                    self.only_where_named(ceiling, name, allows);
                }
            }
        }
        // What is sent may be wider than every ceiling, and its wildcards shall not mint either.
        let literals: Vec<ActionPattern> = policy.allow_patterns().filter(|p| p.is_literal()).cloned().collect();
        let sent = rows.iter().filter(|minting| {
            minting.as_pattern().is_some_and(|class| allows.iter().any(|statement| wildly_allows(statement, &class)))
        });
        denied.extend(sent.flat_map(|minting| minting.denied_beside(&literals)));
        denied.retain(|deny| allows.iter().any(|statement| may_allow(statement, deny)));
        denied
    }

    /// A minting action that is named on some resources and included by a wildcard on others stays denied there.
    fn only_where_named(&mut self, ceiling: &[Statement], name: &ActionPattern, allows: &[Statement]) {
        let mut wild = ceiling.iter().filter(|statement| wildly_allows(statement, name));
        let mut resources = Vec::new();
        for statement in ceiling.iter().filter(|statement| spells(statement, name)) {
            match &statement.resources {
                Scope::Only(patterns) if statement.conditions.is_empty() => resources.extend(patterns.iter().cloned()),
                _ => {
                    self.exact = false;
                    self.notes.push(format!("when `{name}` may be used is enforced by the gate alone"));
                    return;
                }
            }
        }
        let within = |statement: &Statement| match &statement.resources {
            Scope::Only(wild) => wild.iter().all(|pattern| resources.iter().any(|named| named.covers(pattern))),
            Scope::AllBut(_) => resources.iter().any(ResourcePattern::is_everything),
        };
        if !wild.all(within) && allows.iter().any(|statement| may_allow(statement, name)) {
            self.statements.push(deny(vec![name.clone()], Scope::AllBut(pruned(&resources, ResourcePattern::covers))));
        }
    }
}

/// The actions of `class` that the ceiling spells out.
fn named_in(ceiling: &[Statement], class: &ActionPattern) -> Vec<ActionPattern> {
    let patterns = ceiling.iter().flat_map(|statement| match &statement.actions {
        Scope::Only(patterns) => patterns.as_slice(),
        Scope::AllBut(_) => &[],
    });
    let named: Vec<ActionPattern> = patterns.filter(|p| p.is_literal() && class.covers(p)).cloned().collect();
    pruned(&named, ActionPattern::covers)
}

fn spells(statement: &Statement, name: &ActionPattern) -> bool {
    matches!(&statement.actions, Scope::Only(patterns) if patterns.iter().any(|p| p.is_literal() && p.covers(name)))
}

fn may_allow(statement: &Statement, action: &ActionPattern) -> bool {
    match &statement.actions {
        Scope::Only(patterns) => patterns.iter().any(|p| p.overlaps(action)),
        Scope::AllBut(patterns) => !patterns.iter().any(|p| p.covers(action)),
    }
}

/// True when the statement includes some action of `class` without spelling it out.
fn wildly_allows(statement: &Statement, class: &ActionPattern) -> bool {
    match &statement.actions {
        Scope::Only(patterns) => patterns.iter().any(|p| !p.is_literal() && p.overlaps(class)),
        Scope::AllBut(patterns) => !patterns.iter().any(|p| p.covers(class)),
    }
}

fn is_everywhere(statement: &Statement) -> bool {
    statement.conditions.is_empty()
        && matches!(&statement.resources, Scope::Only(patterns) if patterns.iter().any(ResourcePattern::is_everything))
}

fn deny(actions: Vec<ActionPattern>, resources: Scope<ResourcePattern>) -> Statement {
    Statement { sid: None, effect: Effect::Deny, actions: Scope::Only(actions), resources, conditions: Vec::new() }
}
