//! The accesses of an operation: its actions, and the resources as far as the request names them.

mod arn;
mod dynamodb;
mod named;
mod nested;
mod owner;
mod rules;
mod special;
mod table;
mod tagged;

use super::catalog::{Found, Member, Place};
use super::json::Json;
use super::query::refused;
use super::rest::Rest;
use super::roles;
use super::wire::Parameters;
use super::{Partition, Request, endpoint, malformed};
use crate::denial::Denial;
use crate::policy::{AccessRequest, Resource};
use arn::Scope;
use owner::Owner;

/// What is known of a request's parameters.
#[derive(Debug, Clone, Copy)]
pub(super) enum Given<'a> {
    Form(&'a Parameters),
    Json(&'a Json),
    Rest(&'a Rest<'a>),
    /// They do not matter to this operation.
    Nothing,
    /// They might matter, but their encoding is not read.
    Unread,
}

impl<'a> Given<'a> {
    /// The text of a parameter at the top. A twin in another case is refused, because servers differ about it.
    pub(super) fn text(self, name: &str) -> Result<Option<&'a str>, Denial> {
        match self {
            Self::Form(parameters) => Ok(parameters.get(name)),
            Self::Json(_) => Ok(self.json(name)?.and_then(Json::text)),
            Self::Rest(rest) => rest.text(name),
            Self::Nothing | Self::Unread => Ok(None),
        }
    }

    /// The text of a header, where the protocol has parameters in headers.
    pub(super) fn header(self, name: &str) -> Result<Option<&'a str>, Denial> {
        match self {
            Self::Rest(rest) => rest.header(name),
            Self::Form(_) | Self::Json(_) | Self::Nothing | Self::Unread => Ok(None),
        }
    }

    /// The texts of a member; none where it is not given or not read.
    pub(super) fn texts(self, member: &Member) -> Result<Vec<&'a str>, Denial> {
        match self {
            Self::Rest(rest) => rest.texts(member),
            Self::Json(body) if member.name.contains('.') => nested::of_json(body, member),
            Self::Form(parameters) if member.name.contains('.') => Ok(nested::of_form(parameters, member)),
            Self::Form(parameters) if member.list => match parameters.has_stray_item(member.name) {
                true => {
                    Err(malformed(format!("the list `{}` is given in a way that can be read differently", member.name)))
                }
                false => Ok(parameters.listed(member.name).collect()),
            },
            Self::Json(_) if member.list => {
                let items = self.json(member.name)?.map(Json::items).unwrap_or_default();
                Ok(items.iter().map(text_or_no_name).collect())
            }
            Self::Form(_) => Ok(self.text(member.name)?.or(member.default).into_iter().collect()),
            Self::Json(_) => Ok(self.json(member.name)?.map(text_or_no_name).or(member.default).into_iter().collect()),
            Self::Nothing | Self::Unread => Ok(Vec::new()),
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

    /// Whether a parameter whose folded name matches has something in it, at any depth; unread parameters might.
    pub(super) fn gives(self, matches: fn(&str) -> bool) -> bool {
        match self {
            // `Tags=` is how a form writes an empty list.
            Self::Form(parameters) => parameters.iter().any(|(name, value)| {
                let is_empty = value.is_empty() && !name.contains('.');
                !is_empty && name.split('.').any(|part| matches(&part.to_ascii_lowercase()))
            }),
            Self::Json(body) => body.gives(matches),
            Self::Rest(rest) => rest.gives(matches),
            Self::Nothing => false,
            Self::Unread => true,
        }
    }

    /// Whether a parameter of a form whose folded name matches is given; of other requests, which no caller asks about,
    /// it might be.
    pub(super) fn has_name(self, matches: fn(&str) -> bool) -> bool {
        match self {
            Self::Form(parameters) => {
                parameters.iter().any(|(name, _)| name.split('.').any(|part| matches(&part.to_ascii_lowercase())))
            }
            Self::Nothing => false,
            Self::Json(_) | Self::Rest(_) | Self::Unread => true,
        }
    }
}

/// Stands for a name that is not a text, or that one item of a list does not have: no name is empty, so the resource
/// stays unknown.
const NO_NAME: &str = "";

/// A number or null is no text to us, but might be one, or a default, to a server: it is not overlooked.
fn text_or_no_name(value: &Json) -> &str {
    value.text().unwrap_or(NO_NAME)
}

/// Whether an operation's accesses depend on its body (the query protocols always need theirs).
pub(super) fn reads_body(operation: &Found) -> bool {
    operation.operation.passes_role
        || operation.operation.names_in_body
        || operation.tag_action().is_some()
        || operation.operation.tags_at.is_some_and(|at| at.place == Place::Body)
        || dynamodb::knows(operation)
        || rules::of(operation).is_some()
        || special::reads_body(operation)
        || named::reads_body(operation)
        || owner::reads_body(operation)
        || operation.name() == "ReEncrypt"
}

/// Everything that must be allowed.
pub(super) fn accesses(
    request: &Request<'_>,
    partition: Partition,
    operation: &Found,
    given: &Given<'_>,
) -> Result<Vec<AccessRequest>, Denial> {
    let rules = match &operation.operation.accesses {
        Ok(rules) => rules,
        Err("no-action") if request.allow_unmapped.iter().any(|prefix| prefix == operation.api.prefix) => {
            return Ok(guessed(operation, *given));
        }
        Err(why) => return Err(refused(operation, why)),
    };
    let region = endpoint::requested_region(partition, operation.api, request.region);
    let mut request = *request;
    let (caller, owner) = (request.caller.account, owner::of(operation, *given, request.caller.account)?);
    if let Owner::Other(account) = owner {
        request.caller.account = Some(account);
    }
    let scope = Scope { request: &request, partition, region: &region };
    let mut all = match dynamodb::accesses(&scope, operation, *given)? {
        Some(found) => found,
        None => {
            let by_hand = match rules::of(operation) {
                _ if dynamodb::knows(operation) => Some(vec![Resource::Opaque]),
                Some(rule) => Some(rule.resources(&scope, *given)?),
                None => None,
            };
            let mut all = Vec::new();
            for rule in rules {
                let resources = match &by_hand {
                    Some(resources) => resources.clone(),
                    None => table::resources(&scope, rule, *given)?,
                };
                let action = format!("{}:{}", operation.api.prefix, rule.action);
                all.extend(resources.into_iter().map(|resource| AccessRequest { action: action.clone(), resource }));
            }
            all
        }
    };
    rules::special(&scope, operation, *given, &mut all)?;
    special::adjust(&scope, operation, *given, &mut all)?;
    named::adjust(&scope, operation, *given, &mut all)?;
    if owner == Owner::Mixed {
        owner::leave_open(caller, &mut all);
    }
    let mut more = Vec::new();
    if operation.operation.passes_role {
        more.extend(roles::passed(*given));
    }
    if let Some(action) = operation.tag_action()
        && gives_tags(*given)
    {
        let action = format!("{}:{action}", operation.api.prefix);
        let made = tagged::on_creation(&scope, operation, *given, &all);
        more.extend(made.into_iter().map(|resource| AccessRequest { action: action.clone(), resource }));
    }
    all.extend(more);
    Ok(all)
}

/// What bodies in JSON call the tags that they give, folded; `xtask/catalog/operations.py` has the same list.
const TAG_MEMBERS: [&str; 5] = ["tags", "taglist", "tagslist", "tagset", "tagspecifications"];

/// Whether a request that makes something gives it tags. Forms spell lists out (`Tag.1.Key`,
/// `TagSpecification.1.ResourceType`), and a launch template of EC2 may give tags that are not in the request.
fn gives_tags(given: Given<'_>) -> bool {
    match given {
        Given::Form(_) => given.gives(|name| name.starts_with("tag") || name.starts_with("launchtemplate")),
        Given::Json(_) | Given::Rest(_) | Given::Nothing | Given::Unread => {
            given.gives(|name| TAG_MEMBERS.contains(&name))
        }
    }
}

/// The action that the operation would have, on a resource that nobody knows.
fn guessed(operation: &Found, given: Given<'_>) -> Vec<AccessRequest> {
    let mut all = vec![opaque(format!("{}:{}", operation.api.prefix, operation.name()))];
    if operation.operation.passes_role {
        all.extend(roles::passed(given));
    }
    all
}

fn opaque(action: impl Into<String>) -> AccessRequest {
    AccessRequest { action: action.into(), resource: Resource::Opaque }
}
