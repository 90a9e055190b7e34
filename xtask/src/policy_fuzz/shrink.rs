//! From a case on which the engines differ to the smallest part of it on which they still do.

use anyhow::Result;
use serde_json::{Map, Value};

use super::case::{Case, Verdict};

/// Takes parts out one by one while the answers stay as they were.
pub(super) fn smallest(case: &Case, ask: &mut dyn FnMut(&[Case]) -> Result<Vec<Verdict>>) -> Result<Case> {
    let mut best = case.clone();
    let pair = |case: &Case, theirs: Verdict| case.ours().map(|ours| (ours, theirs));
    let Some(first) = ask(std::slice::from_ref(case))?.pop() else { return Ok(best) };
    let wanted = pair(case, first);
    loop {
        let smaller = smaller(&best);
        let answers = ask(&smaller)?;
        let kept =
            smaller.into_iter().zip(answers).find(|(case, theirs)| *theirs == first && pair(case, *theirs) == wanted);
        match kept {
            Some((case, _)) => best = case,
            None => return Ok(best),
        }
    }
}

/// Every case with one part less.
fn smaller(case: &Case) -> Vec<Case> {
    let mut all = Vec::new();
    if case.documents.len() > 1 {
        for at in 0..case.documents.len() {
            let mut less = case.clone();
            less.documents.remove(at);
            all.push(less);
        }
    }
    for (at, document) in case.documents.iter().enumerate() {
        for smaller in without_one(document) {
            let mut less = case.clone();
            if let Some(document) = less.documents.get_mut(at) {
                *document = smaller;
            }
            all.push(less);
        }
    }
    for key in case.context.keys() {
        let mut less = case.clone();
        less.context.remove(key);
        all.push(less);
    }
    all
}

/// `NotAction` and `NotResource` turned into `*`, and a version where there is none: what stays matters.
fn plainer(members: &Map<String, Value>) -> Vec<Value> {
    let mut all = Vec::new();
    for (name, plain) in [("NotAction", "Action"), ("NotResource", "Resource")] {
        let mut less = members.clone();
        if less.remove(name).is_some() {
            less.insert(plain.to_owned(), "*".into());
            all.push(Value::Object(less));
        }
    }
    for name in ["Action", "Resource"] {
        if members.get(name).is_some_and(|value| value != "*") {
            let mut less = members.clone();
            less.insert(name.to_owned(), "*".into());
            all.push(Value::Object(less));
        }
    }
    if members.contains_key("Statement") && !members.contains_key("Version") {
        let mut less = members.clone();
        less.insert("Version".to_owned(), "2012-10-17".into());
        all.push(Value::Object(less));
    }
    all
}

/// The value with one item of one list, or one condition, taken out.
fn without_one(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => {
            let mut all: Vec<Value> = Vec::new();
            for at in 0..items.len() {
                if items.len() > 1 {
                    let mut less = items.clone();
                    less.remove(at);
                    all.push(Value::Array(less));
                }
                let inner = items.get(at).map(without_one).unwrap_or_default();
                all.extend(inner.into_iter().map(|smaller| {
                    let mut items = items.clone();
                    if let Some(item) = items.get_mut(at) {
                        *item = smaller;
                    }
                    Value::Array(items)
                }));
            }
            all
        }
        Value::Object(members) => {
            let mut all = plainer(members);
            for (name, member) in members {
                if name == "Condition"
                    || !matches!(
                        name.as_str(),
                        "Version" | "Statement" | "Effect" | "Action" | "NotAction" | "Resource" | "NotResource"
                    )
                {
                    let mut less = members.clone();
                    less.remove(name);
                    if !less.is_empty() {
                        all.push(Value::Object(less));
                    }
                }
                all.extend(without_one(member).into_iter().map(|smaller| {
                    let mut members = members.clone();
                    members.insert(name.clone(), smaller);
                    Value::Object(members)
                }));
            }
            all
        }
        _ => Vec::new(),
    }
}
