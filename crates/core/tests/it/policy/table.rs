//! The tables in `cases/`, by topic: a sentence, and what makes it true.
//!
//! A row is `sentence | statements | request | context | answer`.
//!
//! * Statements are separated by `;`, ceilings by `//`. `+` is Allow and `-` Deny, then the actions, `@`, the resources,
//!   and after `?` the conditions, separated by `&`: operator, key, values. `!` before a list makes it NotAction or
//!   NotResource; lists are separated by commas.
//! * The request is `action on resource`: an ARN or `*` as it is, `~` before a pattern, `?` when nobody can name it.
//! * The context is `key=value`, separated by `, `; several values by `;`, `-` for a key that is certainly absent, `[]`
//!   for one without values. A key that is not there is unknown.
//! * The answer is `allow`, or the code of the refusal.

use hallpass_core::policy::{AccessRequest, Context, PolicyDocument, Resource, ScopedPolicy};
use serde_json::{Map, Value, json};

use super::answer;

const TABLES: [(&str, &str); 8] = [
    ("operators", include_str!("cases/operators.txt")),
    ("if-exists", include_str!("cases/if-exists.txt")),
    ("sets", include_str!("cases/sets.txt")),
    ("ceilings", include_str!("cases/ceilings.txt")),
    ("unknown", include_str!("cases/unknown.txt")),
    ("variables", include_str!("cases/variables.txt")),
    ("names", include_str!("cases/names.txt")),
    ("together", include_str!("cases/together.txt")),
];

/// Fewest rows of all tables together, those of `conditions.txt` and `statements.txt` not counted.
const ROWS_MIN: usize = 600;

#[test]
fn every_sentence_of_the_tables_is_true() {
    let mut count = 0;
    let mut wrong = Vec::new();
    for (name, table) in TABLES {
        for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let columns: Vec<&str> = line.split('|').map(str::trim).collect();
            let [sentence, statements, request, context, expected] = columns[..] else {
                unreachable!("{name}: {} columns: {line}", columns.len())
            };
            let answer = answer(&policy(statements), &asked(request), &known(context));
            if answer != expected {
                wrong.push(format!("{name}: {sentence}: {answer}, not {expected}"));
            }
            count += 1;
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= ROWS_MIN, "{count} rows");
}

#[test]
fn no_sentence_is_told_twice() {
    let mut seen = std::collections::HashSet::new();
    for (name, table) in TABLES {
        for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let sentence = line.split('|').next().expect("a sentence").trim();
            assert!(seen.insert((name, sentence)), "{name}: {sentence}");
        }
    }
}

fn policy(text: &str) -> ScopedPolicy {
    let document = |text: &str| {
        let statements: Vec<Value> = text.split("; ").map(statement).collect();
        let json = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        PolicyDocument::parse(&json).unwrap_or_else(|error| unreachable!("{text}: {error}"))
    };
    ScopedPolicy { documents: text.split(" // ").map(document).collect(), ..ScopedPolicy::default() }
}

fn statement(text: &str) -> Value {
    let (scope, conditions) = text.split_once(" ? ").map_or((text, None), |(scope, when)| (scope, Some(when)));
    let (head, resources) = scope.split_once('@').expect(text);
    let (effect, actions) = head.trim().split_at(1);
    let ((not_action, actions), (not_resource, resources)) = (list(actions), list(resources));
    let mut statement = json!({
        "Effect": if effect == "+" { "Allow" } else { "Deny" },
        format!("{not_action}Action"): actions,
        format!("{not_resource}Resource"): resources,
    });
    if let Some(conditions) = conditions {
        statement["Condition"] = conditions_of(conditions);
    }
    statement
}

fn conditions_of(text: &str) -> Value {
    let mut block = Map::new();
    for condition in text.split(" & ") {
        let mut words = condition.trim().splitn(3, ' ');
        let mut word = || words.next().expect(condition);
        let (operator, key, values) = (word(), word(), word());
        let keys = block.entry(operator).or_insert_with(|| json!({}));
        keys[key] = json!(split(values));
    }
    Value::Object(block)
}

fn list(text: &str) -> (&str, Vec<&str>) {
    let text = text.trim();
    let (not, items) = text.strip_prefix('!').map_or(("", text), |rest| ("Not", rest));
    (not, split(items))
}

/// At commas, but not at that of `${key, 'default'}`.
fn split(text: &str) -> Vec<&str> {
    if text.contains(", '") { vec![text] } else { text.split(',').collect() }
}

fn asked(text: &str) -> AccessRequest {
    let (action, resource) = text.split_once(" on ").expect(text);
    let resource = match (resource, resource.strip_prefix('~')) {
        ("?", _) => Resource::Opaque,
        (_, Some(pattern)) => Resource::Pattern(pattern.to_owned()),
        (arn, None) => Resource::Exact(arn.to_owned()),
    };
    AccessRequest { action: action.to_owned(), resource }
}

fn known(text: &str) -> Context {
    let mut context = Context::default();
    for pair in text.split(", ").filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').expect(pair);
        match value {
            "-" => context.set_absent(key),
            "[]" => context.set_all(key, Vec::new()),
            values => context.set_all(key, values.split(';').map(str::to_owned).collect()),
        }
    }
    context
}
