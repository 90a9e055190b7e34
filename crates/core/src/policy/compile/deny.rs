//! The Deny statements of a session policy: `--deny`, the documents' own, the exceptions of `--read-only`, and the
//! credential-minting class wherever a wildcard would include it.
//!
//! `--deny` is sent even where nothing allows the action: a resource policy that names the session grants around the
//! session policy's Allow, and only an explicit Deny stops that.

use super::meet::pruned;
use crate::policy::action::ActionPattern;
use crate::policy::document::{Effect, PolicyDocument, Scope, Statement};
use crate::policy::minting::MINTING;
use crate::policy::resource::ResourcePattern;
use crate::policy::{ScopedPolicy, read_only};

pub(super) struct Denies {
    pub(super) statements: Vec<Statement>,
    pub(super) notes: Vec<String>,
    pub(super) exact: bool,
}

pub(super) fn statements(policy: &ScopedPolicy, allows: &[Statement]) -> Denies {
    let mut denies = Denies { statements: Vec::new(), notes: Vec::new(), exact: true };
    let mut everywhere = Vec::new();
    for pattern in &policy.denied {
        everywhere.extend(denies.spelled(pattern, allows));
    }
    if policy.read_only {
        let allowed: Vec<ActionPattern> = allows.iter().flat_map(|s| s.actions.items().iter().cloned()).collect();
        everywhere.extend(read_only::exceptions_within(&allowed));
    }
    everywhere.extend(denies.minting(policy, allows));
    for statement in policy.documents.iter().flat_map(PolicyDocument::statements) {
        if statement.effect != Effect::Deny {
            continue;
        }
        match &statement.actions {
            Scope::Only(actions) if is_everywhere(statement) => everywhere.extend(actions.iter().cloned()),
            _ => denies.statements.push(Statement { sid: None, ..statement.clone() }),
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

    fn minting(&mut self, policy: &ScopedPolicy, allows: &[Statement]) -> Vec<ActionPattern> {
        let literals: Vec<ActionPattern> = policy.allow_patterns().filter(|p| p.is_literal()).cloned().collect();
        let mut denied = Vec::new();
        for minting in MINTING {
            let Some(class) = minting.as_pattern() else { continue };
            if !allows.iter().any(|statement| wildly_allows(statement, &class)) {
                continue;
            }
            let named: Vec<ActionPattern> = literals.iter().filter(|name| class.covers(name)).cloned().collect();
            denied.extend(minting.denied_beside(&named));
            for name in pruned(&named, ActionPattern::covers) {
                self.only_where_named(policy, &name, allows);
            }
        }
        denied
    }

    /// A minting action that is named on some resources and included by a wildcard on others stays denied there.
    fn only_where_named(&mut self, policy: &ScopedPolicy, name: &ActionPattern, allows: &[Statement]) {
        let wild = allows.iter().any(|statement| wildly_allows(statement, name));
        if !wild {
            return;
        }
        let mut resources = Vec::new();
        let naming = naming(policy, name);
        for statement in &naming {
            match &statement.resources {
                Scope::Only(patterns) if statement.conditions.is_empty() => resources.extend(patterns.iter().cloned()),
                _ => {
                    self.exact = false;
                    self.notes.push(format!("when `{name}` may be used is enforced by the gate alone"));
                    return;
                }
            }
        }
        if !resources.iter().any(ResourcePattern::is_everything) {
            let resources = pruned(&resources, ResourcePattern::covers);
            self.statements.push(deny(vec![name.clone()], Scope::AllBut(resources)));
        }
    }
}

/// The Allow statements that spell `name` out.
fn naming(policy: &ScopedPolicy, name: &ActionPattern) -> Vec<Statement> {
    let spells = |statement: &Statement| match &statement.actions {
        Scope::Only(patterns) => patterns.iter().any(|p| p.is_literal() && p.covers(name)),
        Scope::AllBut(_) => false,
    };
    super::ceilings_of(policy).into_iter().flatten().filter(spells).collect()
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
