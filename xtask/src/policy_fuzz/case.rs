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
        let about = (action.as_str(), resource.as_str());
        let documents = (0..1 + usize::from(two)).map(|_| generate::document(random, about)).collect();
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
        if features.len() > 1 {
            // Demands the key of a `ForAllValues` in an Allow, which we do not read without it.
            features.remove("Null on a list");
        }
        if self.resource == "*" && !features.iter().any(|feature| feature.contains(" on ")) {
            features.insert("request for `*`".to_owned());
        }
        let features = if features.is_empty() { "plain".to_owned() } else { Vec::from_iter(features).join(" + ") };
        format!("ours {ours:?}, theirs {theirs:?}: {features}")
    }

    fn condition(&self, operator: &str, key: &str, values: &Value) -> String {
        let (set, name) = operator.split_once(':').map_or(("", operator), |(set, name)| (set, name));
        let family = FAMILIES.iter().find(|family| name.trim_start_matches("Not").starts_with(**family));
        let family = family.copied().unwrap_or(name);
        let not = if name.contains("Not") { "Not" } else { "" };
        let if_exists = if name.ends_with("IfExists") { "IfExists" } else { "" };
        let found = self.context.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value);
        let texts: Vec<&str> = match found {
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            Some(value) => value.as_str().into_iter().collect(),
            None => Vec::new(),
        };
        let given = match found {
            None => "an absent key",
            Some(_) if texts.is_empty() => "an empty list",
            Some(_) if !texts.iter().all(|text| fits(family, text)) => "a value of another type",
            Some(Value::Array(_)) => "a list",
            Some(_) => "a value",
        };
        let policy = values.to_string();
        let special = match family {
            _ if policy.contains("${") => " with a variable",
            "Date" if policy.contains("\"1767225600\"") => " with epoch seconds",
            "Date" if policy.contains("01-01\"") => " with a day",
            "IpAddress" if policy.contains("0.0.0.0/0") => " with /0",
            "IpAddress" if policy.contains("::") != texts.iter().any(|text| text.contains("::")) => " of two families",
            _ => "",
        };
        let set = if set.is_empty() { String::new() } else { format!("{set}:") };
        match (given, special) {
            ("a value of another type", special) if special != " with /0" => format!("a condition on {given}"),
            (_, "") => format!("{set}{not}{family}{if_exists} on {given}"),
            // What is special matters, whatever the prefix, the suffix and the value.
            (_, special) => format!("{not}{family}{special} on a value"),
        }
    }
}

const FAMILIES: [&str; 8] = ["String", "Numeric", "Date", "Bool", "Binary", "IpAddress", "Arn", "Null"];

/// Whether a value of the request has the type that the operators compare.
fn fits(family: &str, text: &str) -> bool {
    match family {
        "Numeric" => text.parse::<f64>().is_ok(),
        "Date" => text.starts_with("20") && text.ends_with('Z'),
        "Bool" => matches!(text, "true" | "false"),
        "Binary" => text.ends_with('='),
        "IpAddress" => text.parse::<std::net::IpAddr>().is_ok(),
        "Arn" => text.starts_with("arn:"),
        _ => true,
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
