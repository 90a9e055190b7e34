//! REST services: the operation is the method and the path, its resources are in the path, query, headers or body.
//! Source: Smithy specifications "AWS restJson1 protocol", "AWS restXml protocol", "HTTP bindings".

use std::cell::Cell;

use super::catalog::{Api, Found, Member, Place};
use super::json::{Json, wants_body};
use super::query::finish;
use super::resource::Given;
use super::wire::{Parameters, Plus, decode, is_presign_parameter};
use super::{Outcome, Partition, Protocol, Request, Resolved, malformed, media_type, unmapped};
use crate::denial::Denial;

/// The decoded texts of the path's labels.
type Labels = Vec<(&'static str, String)>;

/// What a REST request says, apart from its method.
#[derive(Debug)]
pub(super) struct Rest<'a> {
    request: &'a Request<'a>,
    labels: Labels,
    query: Parameters,
    /// `None` where it is not read.
    body: Option<Json>,
}

/// Whether a service has REST APIs at all.
pub(super) fn serves(request: &Request<'_>) -> bool {
    let apis = (request.catalog.signing_as)(request.service);
    apis.iter().any(|api| api.speaks(Protocol::RestJson) || api.speaks(Protocol::RestXml))
}

pub(super) fn head(request: &Request<'_>, partition: Partition) -> Result<Outcome, Denial> {
    let (found, protocol, rest) = route(request)?;
    if protocol == Protocol::RestJson && !found.operation.opaque_body && wants_body(request, &found)? {
        return Ok(Outcome::NeedsBody);
    }
    finish(request, partition, protocol, &found, &Given::Rest(&rest)).map(Outcome::Resolved)
}

pub(super) fn with_body(request: &Request<'_>, partition: Partition, body: &[u8]) -> Result<Resolved, Denial> {
    match head(request, partition)? {
        Outcome::Resolved(resolved) => Ok(resolved),
        Outcome::NeedsBody => {
            let (found, protocol, mut rest) = route(request)?;
            rest.body = Some(json(request, body)?);
            finish(request, partition, protocol, &found, &Given::Rest(&rest))
        }
    }
}

/// A body that is not called JSON might be read as something else.
fn json(request: &Request<'_>, body: &[u8]) -> Result<Json, Denial> {
    if body.is_empty() {
        return Ok(Json::Object(Vec::new()));
    }
    match media_type(request)?.as_deref() {
        None | Some("application/json" | "application/x-amz-json-1.1" | "application/x-amz-json-1.0") => {
            Json::parse(body)
        }
        Some(_) => Err(malformed(format!("{} takes JSON bodies (application/json)", request.service))),
    }
}

fn route<'a>(request: &'a Request<'a>) -> Result<(Found, Protocol, Rest<'a>), Denial> {
    let query = Parameters::of_rest_query(request.query)?;
    let path = path(request)?;
    let mut chosen: Option<(Found, Protocol, Labels)> = None;
    let twice = Cell::new(false);
    // What chooses the operation must be said once, because servers differ about which one they read.
    let literal = |name: &str| {
        let given = only(&query, name);
        twice.set(twice.get() || given.is_err());
        given.ok().flatten()
    };
    // S3's own model has its paths too, but they are S3's only behind another host.
    let is_meant = |api: &&&'static Api| request.service != "s3" || api.id == "s3control";
    for api in (request.catalog.signing_as)(request.service).iter().filter(is_meant) {
        let protocol = if api.speaks(Protocol::RestXml) { Protocol::RestXml } else { Protocol::RestJson };
        let Some(matched) = api.router.find(request.method, &path, literal) else { continue };
        let Some(operation) = api.operations.get(matched.operation).filter(|_| api.speaks(protocol)) else { continue };
        match &chosen {
            None => chosen = Some((Found { api, operation }, protocol, matched.labels)),
            // The same operation in an older model, or the same in all models of a family.
            Some((first, _, _)) if first.operation.name == operation.name => {}
            Some((first, _, _)) => {
                let (one, other) = (first.operation.name, operation.name);
                return Err(unmapped(format!(
                    "{} {one} and {other} have the same path in two APIs of one signing name",
                    request.service
                )));
            }
        }
    }
    if twice.get() {
        return Err(malformed(TWICE));
    }
    let (found, protocol, labels) = chosen.ok_or_else(|| unknown(request))?;
    Ok((found, protocol, Rest { request, labels, query, body: None }))
}

/// The decoded segments. A slash at the end means nothing; anything else that a server might fold is refused.
fn path(request: &Request<'_>) -> Result<Vec<String>, Denial> {
    let rest = request.path.strip_prefix('/').unwrap_or(request.path);
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.is_empty() {
        return Ok(Vec::new());
    }
    let segment = |raw: &str| {
        let text = decode(raw, Plus::Literal).filter(|text| !text.is_empty() && text != "." && text != "..");
        text.ok_or_else(|| malformed("the path has a segment that is empty, a dot, or not percent-encoded UTF-8"))
    };
    rest.split('/').map(segment).collect()
}

const TWICE: &str = "a parameter occurs twice in the query";

/// The value of a parameter that may be given once.
fn only<'q>(query: &'q Parameters, name: &str) -> Result<Option<&'q str>, Denial> {
    let mut given = query.all(name);
    match (given.next(), given.next()) {
        (first, None) => Ok(first),
        (_, Some(_)) => Err(malformed(TWICE)),
    }
}

fn unknown(request: &Request<'_>) -> Denial {
    let method = match request.method {
        method @ ("GET" | "HEAD" | "PUT" | "POST" | "DELETE" | "PATCH") => method,
        _ => "this method",
    };
    unmapped(format!("{}: no operation that hallpass knows has this path with {method}", request.service))
}

impl Rest<'_> {
    /// The texts of a member; none where it is not given, an error where it is given in a way that can be read twice.
    pub(super) fn texts(&self, member: &Member) -> Result<Vec<&str>, Denial> {
        match member.place {
            Place::Path => Ok(self.label(member.name).into_iter().collect()),
            Place::Query => {
                let given: Vec<&str> = self.query.all(member.name).collect();
                if given.len() > 1 && !member.list {
                    return Err(malformed(TWICE));
                }
                Ok(given)
            }
            Place::Header => Ok(self.request.header(&member.name.to_ascii_lowercase())?.into_iter().collect()),
            Place::Body => match &self.body {
                Some(body) => Given::Json(body).texts(member),
                None => Ok(Vec::new()),
            },
        }
    }

    fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(known, _)| *known == name).map(|(_, text)| text.as_str())
    }

    /// The text of a header.
    pub(super) fn header(&self, name: &str) -> Result<Option<&str>, Denial> {
        self.request.header(&name.to_ascii_lowercase())
    }

    /// As [`Given::text`]; nothing that stands in a header is taken for it.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Denial> {
        if let Some(text) = self.label(name).map_or_else(|| only(&self.query, name), |label| Ok(Some(label)))? {
            return Ok(Some(text));
        }
        match &self.body {
            Some(body) => Given::Json(body).text(name),
            None => Ok(None),
        }
    }

    /// As [`Given::gives`].
    pub(super) fn gives(&self, matches: fn(&str) -> bool) -> bool {
        let header = |name: &str| matches(name.strip_prefix("x-amz-").unwrap_or(name));
        let folded = |name: &str| matches(&name.to_ascii_lowercase());
        self.query.iter().any(|(name, value)| !value.is_empty() && !is_presign_parameter(name) && folded(name))
            || self.request.headers.iter().any(|(name, value)| !value.is_empty() && header(name))
            || self.body().gives(matches)
    }

    /// What is known of the body.
    pub(super) fn body(&self) -> Given<'_> {
        match &self.body {
            Some(body) => Given::Json(body),
            None if matches!(self.request.method, "GET" | "HEAD" | "DELETE") => Given::Nothing,
            None => Given::Unread,
        }
    }

    /// The parameters of the query.
    pub(super) fn parameters(&self) -> &Parameters {
        &self.query
    }
}
