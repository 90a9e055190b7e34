//! The accesses of a query, JSON or CBOR operation: its actions, and the resources as far as the request names them.

mod arn;
mod dynamodb;
mod rules;

use super::json::Json;
use super::query::refused;
use super::roles;
use super::service::Operation;
use super::wire::Parameters;
use super::{Partition, Request, malformed};
use crate::denial::Denial;
use crate::policy::{AccessRequest, Resource};
use arn::Scope;

/// What is known of a request's parameters.
#[derive(Debug, Clone, Copy)]
pub(super) enum Given<'a> {
    Form(&'a Parameters),
    Json(&'a Json),
    /// They do not matter to this operation.
    Nothing,
    /// They might matter, but their encoding is not read.
    Unread,
}

impl<'a> Given<'a> {
    /// The text of a parameter at the top. A twin in another case is refused, because servers differ about it.
    fn text(self, name: &str) -> Result<Option<&'a str>, Denial> {
        match self {
            Self::Form(parameters) => Ok(parameters.get(name)),
            Self::Json(_) => Ok(self.json(name)?.and_then(Json::text)),
            Self::Nothing | Self::Unread => Ok(None),
        }
    }

    fn json(self, name: &str) -> Result<Option<&'a Json>, Denial> {
        let Self::Json(body) = self else { return Ok(None) };
        let twin = |known: &str| known != name && known.eq_ignore_ascii_case(name);
        if body.members().iter().any(|(known, _)| twin(known)) {
            return Err(malformed(format!("the body has a member that is `{name}` in another case")));
        }
        Ok(body.get(name))
    }

    /// Whether a parameter whose name begins so is given, at any depth; unread parameters might be.
    pub(super) fn has_name(self, matches: fn(&str) -> bool) -> bool {
        fn within(json: &Json, matches: fn(&str) -> bool) -> bool {
            json.members().iter().any(|(name, value)| matches(&name.to_ascii_lowercase()) || within(value, matches))
                || json.items().iter().any(|item| within(item, matches))
        }
        match self {
            Self::Form(parameters) => {
                parameters.iter().any(|(name, _)| name.split('.').any(|part| matches(&part.to_ascii_lowercase())))
            }
            Self::Json(body) => within(body, matches),
            Self::Nothing => false,
            Self::Unread => true,
        }
    }
}

/// Whether an operation's accesses depend on its body (the query protocols always need theirs).
pub(super) fn reads_body(operation: &Operation) -> bool {
    operation.passes_role
        || operation.tag_action.is_some()
        || dynamodb::knows(operation)
        || rules::of(operation).is_some()
        || operation.name == "ReEncrypt"
}

/// Everything that must be allowed.
pub(super) fn accesses(
    request: &Request<'_>,
    partition: Partition,
    operation: &Operation,
    given: &Given<'_>,
) -> Result<Vec<AccessRequest>, Denial> {
    let actions: Vec<String> = operation.actions().map_err(|why| refused(operation, why))?.collect();
    let scope = Scope { request, partition };
    let mut all = match dynamodb::accesses(&scope, operation, *given)? {
        Some(found) => found,
        None => {
            let resources = match rules::of(operation) {
                _ if operation.resourceless => vec![Resource::Exact("*".to_owned())],
                Some(rule) => rule.resources(&scope, *given)?,
                None => vec![Resource::Opaque],
            };
            every(&actions, &resources)
        }
    };
    rules::special(&scope, operation, *given, &mut all)?;
    if operation.passes_role {
        all.extend(roles::passed(*given));
    }
    if let Some(action) = operation.tag_action
        && given.has_name(|name| name.starts_with("tag") || name.starts_with("launchtemplate"))
    {
        all.push(opaque(format!("{}:{action}", operation.service.prefix)));
    }
    Ok(all)
}

fn every(actions: &[String], resources: &[Resource]) -> Vec<AccessRequest> {
    let pairs = actions.iter().flat_map(|action| resources.iter().map(move |resource| (action, resource)));
    pairs.map(|(action, resource)| AccessRequest { action: action.clone(), resource: resource.clone() }).collect()
}

fn opaque(action: impl Into<String>) -> AccessRequest {
    AccessRequest { action: action.into(), resource: Resource::Opaque }
}
