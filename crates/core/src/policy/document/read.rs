//! From JSON to a checked document. Every error carries the JSON path.

use std::collections::HashSet;

use super::json::Json;
use super::mistaken;
use super::{DocumentError, Effect, Place, PolicyDocument, Scope, Statement};
use crate::limits::POLICY_ACTIONS_MAX;
use crate::policy::action::ActionPattern;
use crate::policy::condition::{Condition, Operator, Set};
use crate::policy::parse::{parse_action, parse_resource};
use crate::policy::resource::ResourcePattern;
use crate::policy::template::without_variables;
use crate::policy::universal;

/// The version that has policy variables, and the only one that is written.
pub(super) const VERSION: &str = "2012-10-17";
const VERSION_WITHOUT_VARIABLES: &str = "2008-10-17";

/// Longest text of a document that a message repeats, characters.
const SHOWN_CHARS_MAX: usize = 200;

type Members = Vec<(String, Json)>;

pub(super) fn document(json: Json) -> Result<PolicyDocument, DocumentError> {
    let shape = mistaken::shape(&json);
    let members = object(json, "").map_err(|error| DocumentError { message: error.message + shape, ..error })?;
    let names: Vec<String> = members.iter().map(|(name, _)| name.clone()).collect();
    let mut version = None;
    let mut statements = None;
    for (name, value) in members {
        match name.as_str() {
            "Version" => version = Some(text(value, "Version")?),
            "Id" => drop(text(value, "Id")?),
            "Statement" => statements = Some(value),
            _ => return Err(unknown("", &name, "`Version`, `Id` and `Statement`", &names)),
        }
    }
    let variables = match version.as_deref() {
        Some(VERSION) => true,
        None | Some(VERSION_WITHOUT_VARIABLES) => false,
        Some(other) => {
            let message = format!("`{}` is not a version: write `{VERSION}`", other.escape_debug());
            return Err(fault("Version", message));
        }
    };
    let list = match statements {
        None => return Err(fault("", "`Statement` is missing")),
        Some(Json::List(list)) if list.is_empty() => {
            return Err(fault("Statement", "an empty array: name a statement"));
        }
        Some(Json::List(list)) => list,
        Some(single) => vec![single],
    };
    if list.len() > POLICY_ACTIONS_MAX {
        return Err(fault("Statement", format!("{} statements, at most {POLICY_ACTIONS_MAX} are read", list.len())));
    }
    let read = |(n, json)| statement(json, &format!("Statement[{n}]"), variables);
    let statements = list.into_iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
    let mut sids = HashSet::new();
    for (n, statement) in statements.iter().enumerate() {
        if statement.sid.as_ref().is_some_and(|sid| !sids.insert(sid)) {
            return Err(fault(&format!("Statement[{n}].Sid"), "the same `Sid` as an earlier statement"));
        }
    }
    Ok(PolicyDocument { statements })
}

/// The members of a statement before they are combined.
#[derive(Default)]
struct Parts {
    sid: Option<String>,
    effect: Option<Effect>,
    actions: Option<Scope<ActionPattern>>,
    resources: Option<Scope<ResourcePattern>>,
    conditions: Vec<Condition>,
}

fn statement(json: Json, path: &str, variables: bool) -> Result<Statement, DocumentError> {
    let mut parts = Parts::default();
    for (name, value) in object(json, path)? {
        member(&mut parts, &name, value, path, variables)?;
    }
    let missing = |what: &str| fault(path, format!("{what} is missing"));
    let statement = Statement {
        sid: parts.sid,
        effect: parts.effect.ok_or_else(|| missing("`Effect`"))?,
        actions: parts.actions.ok_or_else(|| missing("`Action` or `NotAction`"))?,
        resources: parts.resources.ok_or_else(|| missing("`Resource` or `NotResource`"))?,
        conditions: parts.conditions,
    };
    lint(&statement, path)?;
    Ok(statement)
}

fn member(parts: &mut Parts, name: &str, value: Json, path: &str, variables: bool) -> Result<(), DocumentError> {
    let at = format!("{path}.{name}");
    match name {
        "Sid" => {
            let sid = text(value, &at)?;
            if !sid.bytes().all(|b| b.is_ascii_alphanumeric()) {
                return Err(fault(&at, "a `Sid` has letters and digits only"));
            }
            // Programs that write policies leave it empty, often.
            parts.sid = Some(sid).filter(|sid| !sid.is_empty());
        }
        "Effect" => {
            parts.effect = Some(match text(value, &at)?.as_str() {
                "Allow" => Effect::Allow,
                "Deny" => Effect::Deny,
                other => {
                    return Err(fault(&at, format!("`{}` is neither `Allow` nor `Deny`", other.escape_debug())));
                }
            });
        }
        "Action" | "NotAction" => {
            let items = texts(value, &at)?.iter().map(|(at, text)| action(text, at)).collect::<Result<Vec<_>, _>>()?;
            let scope = if name == "Action" { Scope::Only(items) } else { Scope::AllBut(items) };
            if parts.actions.replace(scope).is_some() {
                return Err(fault(path, "either `Action` or `NotAction`, not both"));
            }
        }
        "Resource" | "NotResource" => {
            let read = |(at, text): &(String, String)| resource(text, at, variables);
            let items = texts(value, &at)?.iter().map(read).collect::<Result<Vec<_>, _>>()?;
            let scope = if name == "Resource" { Scope::Only(items) } else { Scope::AllBut(items) };
            if parts.resources.replace(scope).is_some() {
                return Err(fault(path, "either `Resource` or `NotResource`, not both"));
            }
        }
        "Condition" => parts.conditions = conditions(value, &at, variables)?,
        "Principal" | "NotPrincipal" => {
            return Err(fault(&at, "a session's scope names no principal: it is for this session alone"));
        }
        _ => {
            return Err(unknown(
                path,
                name,
                "`Sid`, `Effect`, `Action`, `Resource`, `Condition` and their `Not` forms",
                &[],
            ));
        }
    }
    Ok(())
}

fn action(text: &str, path: &str) -> Result<ActionPattern, DocumentError> {
    let action = parse_action(text).map_err(|error| {
        let hint = error.suggestion().map(|guess| format!("; did you mean `{guess}`?")).unwrap_or_default();
        let shown = text.escape_debug();
        fault(path, format!("`{shown}`, character {}: expected {}{hint}", error.position() + 1, error.expected()))
    })?;
    if action.service_has_wildcard() && text != "*" {
        let message = format!("`{text}`: IAM takes no wildcard in the service; write `*` for every action");
        return Err(fault(path, message));
    }
    if !universal::names_of(&action.service).is_empty() {
        let message = format!("`{text}` is a universal key, for `--allow` and `--deny`; a document names IAM actions");
        return Err(fault(path, message));
    }
    Ok(action)
}

fn resource(text: &str, path: &str, variables: bool) -> Result<ResourcePattern, DocumentError> {
    let text = if variables { text.to_owned() } else { without_variables(text) };
    ResourcePattern::parse(&text).map_err(|error| {
        let shown = shown(&text);
        if text.starts_with("s3://")
            && let Ok(arn) = parse_resource(&text)
        {
            return fault(path, format!("`{shown}` is a short form, for `--resource`: write `{arn}`"));
        }
        let expected = error.expected.replace(", or `s3://bucket/key`", "").replace("`*`, an ARN", "`*` or an ARN");
        fault(path, format!("`{shown}`, character {}: expected {expected}", error.at + 1))
    })
}

/// The beginning of a text that cannot be read, so that a message stays one.
fn shown(text: &str) -> String {
    let dots = if text.chars().nth(SHOWN_CHARS_MAX).is_some() { "…" } else { "" };
    let start: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    format!("{}{dots}", start.escape_debug())
}

fn conditions(json: Json, path: &str, variables: bool) -> Result<Vec<Condition>, DocumentError> {
    let mut conditions = Vec::new();
    let operators = object(json, path)?;
    if operators.is_empty() {
        return Err(fault(path, "an empty block means nothing: leave `Condition` out or name an operator"));
    }
    for (name, keys) in operators {
        let at = format!("{path}.{}", name.escape_debug());
        let operator = Operator::parse(&name).map_err(|message| fault(&at, message))?;
        let mut seen = HashSet::new();
        let keys = object(keys, &at)?;
        if keys.is_empty() {
            return Err(fault(&at, "an operator without a condition key"));
        }
        for (key, value) in keys {
            let at = format!("{at}[{key:?}]");
            if !seen.insert(key.to_ascii_lowercase()) {
                return Err(fault(&at, "the same condition key twice (its case does not matter)"));
            }
            let plain = |text: String| if variables { text } else { without_variables(&text) };
            let values = scalars(value, &at)?.into_iter().map(plain).collect();
            conditions.push(Condition::new(operator, &key, values).map_err(|message| fault(&at, message))?);
        }
    }
    // In the order in which they are written, so that a document survives writing and reading unchanged.
    conditions.sort_by_cached_key(|condition| (condition.operator.to_string(), condition.key.clone()));
    Ok(conditions)
}

/// `ForAllValues` holds for a key that is absent. In an Allow that lets through every request that leaves the key
/// out, unless the statement also demands that the key is there. IAM user guide, "Multivalued context keys".
fn lint(statement: &Statement, path: &str) -> Result<(), DocumentError> {
    if statement.effect == Effect::Deny {
        return Ok(());
    }
    let demanded = |key: &str| {
        let demands = |c: &Condition| c.operator.null_test(&c.values) == Some(false) && c.key.eq_ignore_ascii_case(key);
        statement.conditions.iter().any(demands)
    };
    let open = |c: &&Condition| c.operator.set == Some(Set::All) && (c.operator.if_exists || !demanded(&c.key));
    match statement.conditions.iter().find(open) {
        None => Ok(()),
        Some(condition) => {
            let (operator, key) = (condition.operator, &condition.key);
            let message = format!(
                "`{operator}` in an Allow also holds when `{key}` is absent; add `\"Null\": {{\"{key}\": \"false\"}}` \
                 (and no `IfExists`) to the same statement, or use `ForAnyValue`"
            );
            Err(fault(&format!("{path}.Condition"), message))
        }
    }
}

fn object(json: Json, path: &str) -> Result<Members, DocumentError> {
    match json {
        Json::Object(members) => Ok(members),
        other => Err(fault(path, format!("{} where an object belongs", other.kind()))),
    }
}

fn text(json: Json, path: &str) -> Result<String, DocumentError> {
    match json {
        Json::Text(text) => Ok(text),
        other => Err(fault(path, format!("{} where a string belongs", other.kind()))),
    }
}

/// A string or an array of strings, each with its path.
fn texts(json: Json, path: &str) -> Result<Vec<(String, String)>, DocumentError> {
    match json {
        Json::List(list) => {
            check_length(list.len(), path)?;
            let item = |(n, json)| {
                let path = format!("{path}[{n}]");
                text(json, &path).map(|text| (path, text))
            };
            list.into_iter().enumerate().map(item).collect()
        }
        single => Ok(vec![(path.to_owned(), text(single, path)?)]),
    }
}

/// A string, number or boolean, or an array of them.
fn scalars(json: Json, path: &str) -> Result<Vec<String>, DocumentError> {
    let scalar = |json: Json, path: &str| match json {
        Json::Text(text) | Json::Number(text) => Ok(text),
        Json::Bool(value) => Ok(value.to_string()),
        other => Err(fault(path, format!("{} where a string, number or boolean belongs", other.kind()))),
    };
    match json {
        Json::List(list) => {
            check_length(list.len(), path)?;
            list.into_iter().enumerate().map(|(n, json)| scalar(json, &format!("{path}[{n}]"))).collect()
        }
        single => Ok(vec![scalar(single, path)?]),
    }
}

fn check_length(length: usize, path: &str) -> Result<(), DocumentError> {
    match length {
        0 => Err(fault(path, "an empty array means nothing: leave the member out or name something")),
        n if n > POLICY_ACTIONS_MAX => Err(fault(path, format!("{n} items, at most {POLICY_ACTIONS_MAX} are read"))),
        _ => Ok(()),
    }
}

fn unknown(path: &str, name: &str, known: &str, beside: &[String]) -> DocumentError {
    let dot = if path.is_empty() { "" } else { "." };
    let meant = mistaken::member(name, beside);
    fault(
        &format!("{path}{dot}{}", name.escape_debug()),
        format!("unknown member `{}`: only {known} are read{meant}", name.escape_debug()),
    )
}

fn fault(path: &str, message: impl Into<String>) -> DocumentError {
    DocumentError { place: Place::Path(path.to_owned()), message: message.into() }
}
