//! Refusals in words: what decided, what is missing, how to ask for it.

use super::Asked;
use crate::denial::{Denial, DenialCode, Missing};
use crate::policy::ScopedPolicy;
use crate::policy::access::{AccessRequest, Resource};
use crate::policy::action::ActionPattern;
use crate::policy::condition::Condition;
use crate::policy::document::{Effect, PolicyDocument, Statement};
use crate::policy::is_every_bucket;
use crate::policy::minting;
use crate::policy::truth::Truth;

/// Longest action or resource repeated in a sentence, characters; the members of the [`Denial`] hold the whole.
const SHOWN_CHARS_MAX: usize = 300;

pub(super) fn not_an_action(access: &AccessRequest) -> Denial {
    let reason = format!("`{}` is not an IAM action, `service:Action`", shown(&access.action));
    complete(Denial::new(DenialCode::Unmapped, reason), access)
}

pub(super) fn no_ceiling(asked: &Asked<'_>) -> Denial {
    let reason = "the session's policy allows nothing".to_owned();
    lacking(Missing::Ceiling, None, refusal(asked, DenialCode::NotAllowed, reason, Some(flags(asked))))
}

pub(super) fn unreadable_deny(pattern: &ActionPattern, asked: &Asked<'_>) -> Denial {
    let reason = format!(
        "the session denies `{}`, which is no action pattern that can be applied, so everything is refused",
        shown(&pattern.to_string())
    );
    refusal(asked, DenialCode::ExplicitDeny, reason, Some("start a session whose `--deny` can be read".to_owned()))
}

pub(super) fn denied_by_flag(pattern: &ActionPattern, asked: &Asked<'_>) -> Denial {
    let reason = format!("{} is denied by `--deny {pattern}`", action(asked));
    let how = format!("start a session without `--deny {pattern}`: a deny wins over every allow");
    let denial = refusal(asked, DenialCode::ExplicitDeny, reason, Some(how));
    Denial { statement: Some(format!("--deny {pattern}")), ceiling: Some("--deny".to_owned()), ..denial }
}

pub(super) fn denied_by_statement(
    policy: &ScopedPolicy,
    document: usize,
    number: usize,
    statement: &Statement,
    asked: &Asked<'_>,
) -> Denial {
    let name = label(policy, document, &statement.name(number));
    let reason = match statement.applies(asked) {
        Truth::Yes => format!("{} on {} is denied by {name}", action(asked), resource(asked)),
        Truth::No | Truth::Maybe => {
            format!("{} on {} may be denied by {name}: {}", action(asked), resource(asked), doubt(statement, asked))
        }
    };
    let how = format!("change {name}: a deny wins over every allow");
    let ceiling = Some(label(policy, document, ""));
    Denial { statement: Some(name), ceiling, ..refusal(asked, DenialCode::ExplicitDeny, reason, Some(how)) }
}

pub(super) fn action_not_allowed(policy: &ScopedPolicy, asked: &Asked<'_>) -> Denial {
    let reason = match policy.actions.len() {
        1 => format!("{} is not allowed: the session has only `--allow {}`", action(asked), first(&policy.actions)),
        n => format!("{} is not among the {n} actions that the session allows", action(asked)),
    };
    lacking(Missing::Action, Some("--allow"), refusal(asked, DenialCode::NotAllowed, reason, Some(flags(asked))))
}

pub(super) fn resource_not_allowed(policy: &ScopedPolicy, asked: &Asked<'_>) -> Denial {
    let (code, why) = match &asked.access.resource {
        Resource::Opaque => (DenialCode::Unresolved, "the resource cannot be told from the request".to_owned()),
        Resource::Exact(arn) if arn == "*" => (DenialCode::NotAllowed, "it works on no single resource".to_owned()),
        Resource::Exact(_) | Resource::Pattern(_) => match policy.resources.as_slice() {
            [] => (DenialCode::NotAllowed, "the session names no resource".to_owned()),
            [one] => (DenialCode::NotAllowed, format!("the session has only `--resource {}`", shown(one))),
            several => (DenialCode::NotAllowed, format!("it is none of the session's {} resources", several.len())),
        },
    };
    let reason = format!("{} is not allowed on {}: {why}", action(asked), resource(asked));
    let how = format!("ask for `--resource {}`", quoted(&asked_resource(asked)));
    lacking(Missing::Resource, Some("--resource"), refusal(asked, code, reason, Some(how)))
}

pub(super) fn not_in_document(policy: &ScopedPolicy, document: usize, asked: &Asked<'_>) -> Denial {
    let name = label(policy, document, "");
    let statements = policy.documents.get(document).map(PolicyDocument::statements).unwrap_or_default();
    let near = nearest(statements, asked);
    let (access, on) = (action(asked), resource(asked));
    let reason = match &near {
        Near::None => format!("no statement of {name} allows {access} on {on}"),
        Near::Open(n, statement) => {
            let (statement_name, doubt) = (statement.name(n + 1), doubt(statement, asked));
            format!("{statement_name} of {name} does not surely allow {access} on {on}: {doubt}")
        }
        Near::Condition(n, statement, condition) => {
            format!("{} of {name} allows {access} on {on} only when {}", statement.name(n + 1), condition.sentence())
        }
        Near::Resource(n, statement) => {
            format!("{} of {name} allows {access}, but not on {on}", statement.name(n + 1))
        }
    };
    let open = matches!(near, Near::Open(..));
    let code =
        if open && asked.access.resource == Resource::Opaque { DenialCode::Unresolved } else { DenialCode::NotAllowed };
    let how = format!("add an Allow for `{}` on `{}` to {name}", shown(&asked.access.action), asked_resource(asked));
    let denial = refusal(asked, code, reason, Some(how));
    Denial { statement: near.statement(), ..lacking(near.missing(asked), Some(&name), denial) }
}

/// The Allow that is closest to letting an access through.
enum Near<'a> {
    None,
    /// Names the action, not the resource.
    Resource(usize, &'a Statement),
    /// Names both, and this condition does not hold.
    Condition(usize, &'a Statement, &'a Condition),
    /// May apply, but not surely.
    Open(usize, &'a Statement),
}

fn nearest<'a>(statements: &'a [Statement], asked: &Asked<'_>) -> Near<'a> {
    let mut near = Near::None;
    for (n, statement) in statements.iter().enumerate() {
        if statement.effect != Effect::Allow || statement.names_action(asked) != Truth::Yes {
            continue;
        }
        let fails = || statement.conditions.iter().find(|condition| condition.holds(asked.context) == Truth::No);
        let on = statement.names_resource(&asked.access.resource, asked.context);
        near = match (near, on, fails()) {
            (_, _, None) if statement.applies(asked) == Truth::Maybe => return Near::Open(n, statement),
            (Near::None | Near::Resource(..), Truth::Yes, Some(condition)) => Near::Condition(n, statement, condition),
            (Near::None, _, _) => Near::Resource(n, statement),
            (near, _, _) => near,
        };
    }
    near
}

impl Near<'_> {
    fn statement(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Resource(n, statement) | Self::Condition(n, statement, _) | Self::Open(n, statement) => {
                Some(statement.name(n + 1))
            }
        }
    }

    fn missing(&self, asked: &Asked<'_>) -> Missing {
        match self {
            Self::None => Missing::Action,
            Self::Resource(..) => Missing::Resource,
            Self::Condition(_, _, condition) => Missing::Condition { key: condition.key.clone() },
            Self::Open(_, statement) => match open_condition(statement, asked) {
                Some(condition) if statement.names_resource(&asked.access.resource, asked.context) == Truth::Yes => {
                    Missing::ContextKey { key: condition.key.clone() }
                }
                _ => Missing::Resource,
            },
        }
    }
}

pub(super) fn not_a_read(asked: &Asked<'_>) -> Denial {
    let reason = format!("{} is not a harmless read, and the session is `--read-only`", action(asked));
    let how = format!("start a session without `--read-only`, with {}", flags(asked).trim_start_matches("ask for "));
    lacking(Missing::Action, Some("--read-only"), refusal(asked, DenialCode::NotAllowed, reason, Some(how)))
}

pub(super) fn minting_by_wildcard(ceiling: &str, asked: &Asked<'_>) -> Denial {
    let (action, why) = (action(asked), minting::reason(asked.service, asked.name).unwrap_or("hands out power"));
    let reason = format!("{action} {why}, and no wildcard of {ceiling} includes it");
    let how = format!("name {action} in {ceiling}, without `*` or `?`");
    let denial = refusal(asked, DenialCode::ExplicitDeny, reason, Some(how));
    let denial = lacking(Missing::Name, Some(ceiling.trim_matches('`')), denial);
    Denial { statement: Some("credential-minting".to_owned()), ..denial }
}

fn refusal(asked: &Asked<'_>, code: DenialCode, reason: String, how_to_ask: Option<String>) -> Denial {
    Denial { how_to_ask, ..complete(Denial::new(code, reason), asked.access) }
}

fn lacking(missing: Missing, ceiling: Option<&str>, denial: Denial) -> Denial {
    Denial { missing: Some(missing), ceiling: ceiling.map(str::to_owned), ..denial }
}

fn complete(denial: Denial, access: &AccessRequest) -> Denial {
    Denial { action: Some(access.action.clone()), resource: Some(access.resource.shown().to_owned()), ..denial }
}

/// Why a statement neither surely applies nor surely does not.
fn doubt(statement: &Statement, asked: &Asked<'_>) -> String {
    if statement.names_resource(&asked.access.resource, asked.context) == Truth::Maybe {
        return "which resource is meant is not certain".to_owned();
    }
    match open_condition(statement, asked) {
        Some(condition) if condition.lacks_key(asked.context) => {
            format!("the condition key `{}` cannot be known here", shown(&condition.key))
        }
        Some(condition) => format!("the value of `{}` cannot be compared", shown(&condition.key)),
        None => "it is not certain".to_owned(),
    }
}

fn open_condition<'a>(statement: &'a Statement, asked: &Asked<'_>) -> Option<&'a Condition> {
    statement.conditions.iter().find(|condition| condition.holds(asked.context) == Truth::Maybe)
}

pub(super) fn label(policy: &ScopedPolicy, document: usize, statement: &str) -> String {
    let document = match policy.documents.len() {
        1 => "the policy document".to_owned(),
        _ => format!("policy document {}", document + 1),
    };
    match (statement, policy.documents.len()) {
        ("", _) => document,
        (statement, 1) => statement.to_owned(),
        (statement, _) => format!("{statement} of {document}"),
    }
}

fn flags(asked: &Asked<'_>) -> String {
    let (action, resource) = (shown(&asked.access.action), asked_resource(asked));
    format!("ask for `--allow {} --resource {}`", quoted(&action), quoted(&resource))
}

/// As a shell takes it for one word that means itself.
fn quoted(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b":/._-@+=,%".contains(&b);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn action(asked: &Asked<'_>) -> String {
    format!("`{}`", shown(&asked.access.action))
}

fn resource(asked: &Asked<'_>) -> String {
    match &asked.access.resource {
        Resource::Opaque => "a resource that is not named".to_owned(),
        Resource::Exact(arn) | Resource::Pattern(arn) => format!("`{}`", shown(arn)),
    }
}

/// A resource as it must be written to be allowed: what is literal here must not become a wildcard there.
fn asked_resource(asked: &Asked<'_>) -> String {
    match &asked.access.resource {
        Resource::Opaque => "*".to_owned(),
        Resource::Exact(arn) if arn == "*" || is_every_bucket(arn) => "*".to_owned(),
        Resource::Exact(arn) => shown(&arn.replace('$', "${$}").replace('*', "${*}").replace('?', "${?}")),
        Resource::Pattern(pattern) => shown(pattern),
    }
}

fn first(patterns: &[ActionPattern]) -> String {
    patterns.first().map(ToString::to_string).unwrap_or_default()
}

/// Text of a request in a sentence: no control characters, and not endless.
fn shown(text: &str) -> String {
    let mut out: String = text.chars().take(SHOWN_CHARS_MAX).flat_map(escaped).collect();
    if text.chars().nth(SHOWN_CHARS_MAX).is_some() {
        out.push('…');
    }
    out
}

fn escaped(c: char) -> Vec<char> {
    if c.is_control() { c.escape_default().collect() } else { vec![c] }
}
