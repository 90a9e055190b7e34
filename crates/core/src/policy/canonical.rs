//! The canonical form: two policies with the same text are the same authority, whatever their order, repetitions,
//! case of action names, statement names or layout. What decides anything is in it.

use std::collections::BTreeSet;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::ScopedPolicy;
use super::action::ActionPattern;
use super::condition::Condition;
use super::document::{PolicyDocument, Scope, Statement};
use super::resource::ResourcePattern;

#[derive(Serialize)]
struct Canonical<'a> {
    v: u8,
    allow: BTreeSet<String>,
    resources: BTreeSet<&'a str>,
    deny: BTreeSet<String>,
    documents: BTreeSet<String>,
    read_only: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    shadow: Option<String>,
}

impl ScopedPolicy {
    /// The canonical text, compact JSON; the key of session reuse and the subject of [`Self::sha256_hex`].
    pub fn canonical(&self) -> String {
        let everything = self.resources.iter().any(|text| text == "*");
        let resources = match (everything, self.actions.is_empty()) {
            // `*` beside other resources is `*`; without actions it says nothing.
            (true, true) => BTreeSet::new(),
            (true, false) => BTreeSet::from(["*"]),
            (false, _) => self.resources.iter().map(String::as_str).collect(),
        };
        json(&Canonical {
            v: 1,
            allow: folded(&self.actions),
            resources,
            deny: folded(&self.denied),
            documents: self.documents.iter().map(document).collect(),
            read_only: self.read_only,
            shadow: self.shadow.as_deref().map(Self::canonical),
        })
    }

    /// SHA-256 of [`Self::canonical`], lower-case hex.
    pub fn sha256_hex(&self) -> String {
        hex::encode(Sha256::digest(self.canonical()))
    }

    /// True when both allow the same, as far as their texts show: never true for policies that differ in effect,
    /// but possibly false for two that were written differently and come to the same.
    pub fn same_authority(&self, other: &Self) -> bool {
        self.canonical() == other.canonical()
    }
}

/// Each pattern as JSON of its two parts, because free text of other clouds may contain any separator.
fn folded(patterns: &[ActionPattern]) -> BTreeSet<String> {
    patterns.iter().map(|pattern| json(&pattern.folded())).collect()
}

fn document(document: &PolicyDocument) -> String {
    let statements: BTreeSet<String> = document.statements().iter().map(|s| json(&ordered(s).written(false))).collect();
    json(&statements)
}

fn ordered(statement: &Statement) -> Statement {
    let mut conditions: Vec<Condition> = statement.conditions.iter().map(ordered_condition).collect();
    conditions.sort_by_key(|condition| (condition.operator.to_string(), condition.key.clone()));
    Statement {
        sid: None,
        effect: statement.effect,
        actions: ordered_scope(&statement.actions, ActionPattern::folded, ToString::to_string),
        resources: ordered_scope(&statement.resources, Clone::clone, |item: &ResourcePattern| item.as_str().to_owned()),
        conditions,
    }
}

fn ordered_condition(condition: &Condition) -> Condition {
    let mut condition = condition.clone();
    condition.key.make_ascii_lowercase();
    condition.values.sort();
    condition.values.dedup();
    condition
}

fn ordered_scope<T>(scope: &Scope<T>, normal: impl Fn(&T) -> T, text: impl Fn(&T) -> String) -> Scope<T> {
    let mut items: Vec<T> = scope.items().iter().map(normal).collect();
    items.sort_by_key(|item| text(item));
    items.dedup_by_key(|item| text(item));
    match scope {
        Scope::Only(_) => Scope::Only(items),
        Scope::AllBut(_) => Scope::AllBut(items),
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("strings, lists and maps with string keys always become JSON")
}
