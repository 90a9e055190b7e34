//! The tables `conditions.txt` and `statements.txt`: one decision per line.

use hallpass_core::policy::{AccessRequest, Context, Resource};
use serde_json::{Value, json};

use super::{access, answer, document};

const CONDITIONS: &str = include_str!("conditions.txt");
const STATEMENTS: &str = include_str!("statements.txt");

/// Rows of a table, each with its line number and its trimmed columns.
fn rows<const N: usize>(table: &'static str) -> Vec<(usize, [&'static str; N])> {
    let lines = table.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let row = |(n, line): (usize, &'static str)| {
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        (n + 1, columns.try_into().unwrap_or_else(|c| unreachable!("line {}: {c:?}", n + 1)))
    };
    lines.map(row).collect()
}

/// What both tables say is known.
fn known() -> Context {
    let mut context = Context::default();
    context.set("aws:username", "alice");
    context.set("aws:PrincipalTag/team", "blue*");
    context.set_all("aws:TagKeys", vec!["a".into(), "b".into()]);
    context.set_absent("aws:userid");
    context
}

fn texts(column: &str) -> Vec<String> {
    match column {
        "[]" => Vec::new(),
        "\"\"" => vec![String::new()],
        // A comma inside `${key, 'default'}` separates nothing.
        list if list.contains("${") && list.contains(", '") => vec![list.to_owned()],
        list => list.split(',').map(str::to_owned).collect(),
    }
}

fn statement(effect: &str, operator: &str, values: &[String]) -> Value {
    // `ForAllValues` in an Allow is only accepted beside a test that the key is there; a second key stands in for it.
    let mut condition = json!({ operator: { "test:Key": values } });
    if effect == "Allow" && operator.starts_with("ForAllValues") {
        condition["Null"] = json!({ "test:Key": "false" });
    }
    json!({ "Effect": effect, "Action": "s3:GetObject", "Resource": "*", "Condition": condition })
}

#[test]
fn every_condition_of_the_table_holds_as_it_says_in_an_allow_and_in_a_deny() {
    let rows = rows::<4>(CONDITIONS);
    assert!(rows.len() >= 200, "{} rows", rows.len());
    for (line, [operator, request, policy, expected]) in rows {
        let mut context = known();
        match request {
            "?" => {}
            "-" => context.set_absent("TEST:key"),
            values => context.set_all("test:KEY", texts(values)),
        }
        let values = texts(policy);
        let asked = access("s3:GetObject", "arn:aws:s3:::b/k");
        let deny = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"}, statement("Deny", operator, &values)]});
        let denies = if expected == "no" { "allow" } else { "explicit-deny" };
        assert_eq!(answer(&document(&deny.to_string()), &asked, &context), denies, "line {line}, in a Deny");

        let set = operator.starts_with("ForAllValues");
        if set && (operator.ends_with("IfExists") || matches!(request, "-" | "[]")) {
            continue;
        }
        let allow = json!({"Version": "2012-10-17", "Statement": statement("Allow", operator, &values)});
        let allows = if expected == "yes" { "allow" } else { "not-allowed" };
        assert_eq!(answer(&document(&allow.to_string()), &asked, &context), allows, "line {line}, in an Allow");
    }
}

/// `+ s3:Get*,s3:List* @ !arn:…` as a statement.
fn parsed(text: &str) -> Value {
    let (head, resources) = text.split_once('@').expect(text);
    let (effect, actions) = head.trim().split_at(1);
    let list = |text: &str| {
        let text = text.trim();
        let (not, list) = text.strip_prefix('!').map_or(("", text), |rest| ("Not", rest));
        (not, texts(list))
    };
    let ((not_action, actions), (not_resource, resources)) = (list(actions), list(resources));
    json!({
        "Effect": if effect == "+" { "Allow" } else { "Deny" },
        format!("{not_action}Action"): actions,
        format!("{not_resource}Resource"): resources,
    })
}

#[test]
fn every_statement_of_the_table_decides_as_it_says() {
    let rows = rows::<4>(STATEMENTS);
    assert!(rows.len() >= 100, "{} rows", rows.len());
    for (line, [statements, action, resource, expected]) in rows {
        let statements: Vec<Value> = statements.split(';').map(parsed).collect();
        let policy = document(&json!({"Version": "2012-10-17", "Statement": statements}).to_string());
        let resource = match resource {
            "?" => Resource::Opaque,
            text => match text.strip_prefix('~') {
                Some(pattern) => Resource::Pattern(pattern.to_owned()),
                None => Resource::Exact(text.to_owned()),
            },
        };
        let asked = AccessRequest { action: action.to_owned(), resource };
        assert_eq!(answer(&policy, &asked, &known()), expected, "line {line}");
    }
}
