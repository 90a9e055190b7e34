//! One policy and one request, as both engines take them, and what sets it apart.

use std::collections::{BTreeMap, BTreeSet};

use hallpass_core::policy::{AccessRequest, Context, PolicyDocument, Resource, ScopedPolicy};
use serde_json::{Value, json};

use super::generate::{self, KEYS, Random};

/// An answer, in the words of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    Allow,
    ExplicitDeny,
    ImplicitDeny,
    Error,
}

/// A question.
#[derive(Debug, Clone)]
pub(super) struct Case {
    /// One identity policy, and perhaps a permissions boundary: two ceilings.
    pub(super) documents: Vec<Value>,
    pub(super) action: String,
    pub(super) resource: String,
    /// A text, or a list of texts. Keys that are not here are absent.
    pub(super) context: BTreeMap<String, Value>,
}

impl Case {
    pub(super) fn random(random: &mut Random) -> Self {
        let (action, resource) = generate::request(random);
        let two = random.one_in(4);
        let documents = (0..1 + usize::from(two)).map(|_| generate::document(random)).collect();
        Self { documents, action, resource, context: generate::context(random) }
    }

    pub(super) fn to_json(&self) -> String {
        let Self { documents, action, resource, context } = self;
        json!({ "documents": documents, "action": action, "resource": resource, "context": context }).to_string()
    }

    /// Our answer; `None` for a document that we do not read.
    pub(super) fn ours(&self) -> Option<Verdict> {
        let documents = self.documents.iter().map(|json| PolicyDocument::parse(&json.to_string()).ok());
        let documents = documents.collect::<Option<Vec<_>>>()?;
        let policy = ScopedPolicy { documents, ..ScopedPolicy::default() };
        let mut context = Context::default();
        for (key, value) in &self.context {
            match value {
                Value::Array(values) => context.set_all(key, values.iter().filter_map(text).collect()),
                value => context.set_all(key, text(value).into_iter().collect()),
            }
        }
        KEYS.iter().for_each(|key| context.set_absent(key));
        let access = AccessRequest { action: self.action.clone(), resource: Resource::Exact(self.resource.clone()) };
        Some(match policy.evaluate(&access, &context) {
            Ok(()) => Verdict::Allow,
            Err(denial) if denial.code.as_str() == "explicit-deny" => Verdict::ExplicitDeny,
            Err(denial) if denial.code.as_str() == "not-allowed" => Verdict::ImplicitDeny,
            Err(_) => Verdict::Error,
        })
    }

    /// Both answers and the features of the case that could make them differ.
    pub(super) fn class(&self, ours: Verdict, theirs: Verdict) -> String {
        let mut features = BTreeSet::new();
        for statement in self.documents.iter().filter_map(|document| document["Statement"].as_array()).flatten() {
            for member in ["NotAction", "NotResource"] {
                if statement.get(member).is_some() {
                    features.insert(member.to_owned());
                }
            }
            let resources = statement.get("Resource").or_else(|| statement.get("NotResource"));
            if resources.is_some_and(|value| value.to_string().contains("${")) {
                features.insert("resource variable".to_owned());
            }
            for (operator, keys) in statement["Condition"].as_object().into_iter().flatten() {
                for (key, values) in keys.as_object().into_iter().flatten() {
                    features.insert(self.condition(operator, key, values));
                }
            }
        }
        if self.documents.iter().any(|document| document.get("Version").is_none()) {
            features.insert("no Version".to_owned());
        }
        let features = if features.is_empty() { "plain".to_owned() } else { Vec::from_iter(features).join(" + ") };
        format!("ours {ours:?}, theirs {theirs:?}: {features}")
    }

    fn condition(&self, operator: &str, key: &str, values: &Value) -> String {
        let found = self.context.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value);
        let given = match found {
            None => "absent",
            Some(Value::Array(list)) if list.is_empty() => "no value",
            Some(Value::Array(list)) if list.len() > 1 => "values",
            Some(Value::Array(_)) => "a list of one",
            Some(value) if value == "" => "empty",
            Some(_) => "one value",
        };
        let variable = if values.to_string().contains("${") { " with a variable" } else { "" };
        format!("{operator}{variable} on {given}")
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
