//! S3, whose operations are told apart by method, level, query markers and headers. Path style, but for
//! access points, which have a host of their own.
//! Source: Amazon S3 API Reference; "Required permissions for Amazon S3 API operations" (S3 user guide).

mod access;
mod context;
mod copy;
mod delete;
mod directory;
mod name;
mod place;
mod restore;
mod route;

use super::host::{AwsHost, Point};
use super::wire::{Parameters, is_presign_parameter};
use super::{Outcome, Partition, Protocol, Request, Resolved, malformed, unmapped};
use crate::denial::Denial;
use copy::Source;
use name::Target;
use place::{Place, THROUGH_POINT};
use route::{Body, Level, MARKERS, ROUTES, Route};

/// A request whose operation is known.
struct Call<'a> {
    request: &'a Request<'a>,
    partition: Partition,
    query: Parameters,
    target: Target,
    route: &'static Route,
    source: Option<Source>,
}

pub(super) fn head(request: &Request<'_>, partition: Partition) -> Result<Outcome, Denial> {
    let call = Call::read(request, partition)?;
    match call.route.body {
        Body::Opaque => Ok(Outcome::Resolved(call.resolved(Vec::new())?)),
        Body::Delete | Body::Restore | Body::Create => Ok(Outcome::NeedsBody),
    }
}

pub(super) fn with_body(request: &Request<'_>, partition: Partition, body: &[u8]) -> Result<Resolved, Denial> {
    let call = Call::read(request, partition)?;
    if call.route.body != Body::Opaque && !matches!(request.header("content-encoding")?, None | Some("aws-chunked")) {
        return Err(malformed("a compressed S3 request body cannot be resolved"));
    }
    match call.route.body {
        Body::Opaque => call.resolved(Vec::new()),
        Body::Delete => call.resolved(delete::keys(body, request.upstream)?),
        Body::Restore => restore::check(body).and_then(|()| call.resolved(Vec::new())),
        Body::Create => {
            let directory = matches!(call.target.place, Place::Directory { .. });
            let tags = restore::creates_with_tags(body, directory)?;
            let mut resolved = call.resolved(Vec::new())?;
            if tags {
                resolved.accesses.push(call.bucket_access("TagResource"));
            }
            Ok(resolved)
        }
    }
}

impl<'a> Call<'a> {
    fn read(request: &'a Request<'a>, partition: Partition) -> Result<Self, Denial> {
        context::refuse_unknown_headers(request)?;
        let target = Target::parse(request, partition)?;
        let query = Parameters::of_query(request.query)?;
        let marker = marker(&query)?;
        if request.service == "s3" && query.get("max-directory-buckets").is_some() {
            return Err(unmapped("`max-directory-buckets` is a parameter of requests that are signed for `s3express`"));
        }
        let copies = request.has_header("x-amz-copy-source");
        if marker == "session" && matches!(target.place, Place::Directory { .. }) {
            return Err(directory::session_refused());
        }
        let route = find(request.method, target.level(), marker, copies, &query)?;
        if matches!(target.place, Place::Point { .. }) && !THROUGH_POINT.contains(&route.operation) {
            return Err(unmapped(format!("{} is no operation that S3 takes through an access point", route.operation)));
        }
        let own = directory::operation(route.operation, request);
        if let Some(id) = query.get("x-id").filter(|id| *id != own) {
            let shown = if ROUTES.iter().any(|known| known.operation == id) { id } else { "another operation" };
            return Err(malformed(format!("the request is {own} but its x-id says {shown}")));
        }
        let source = match request.header("x-amz-copy-source")? {
            Some(text) => Some(Source::parse(request, partition, text)?),
            None => None,
        };
        Ok(Self { request, partition, query, target, route, source })
    }

    fn resolved(&self, keys: Vec<delete::Doomed>) -> Result<Resolved, Denial> {
        let accesses = self.accesses(&keys)?;
        let (endpoint, host_prefix, path) = self.endpoint();
        Ok(Resolved {
            service: self.request.service.to_owned(),
            region: self.request.region.to_owned(),
            endpoint,
            host_prefix,
            variant: self.request.variant(),
            path,
            protocol: Protocol::S3,
            operation: self.operation().to_owned(),
            unsigned: false,
            guessed: false,
            behind: access::behind(&accesses),
            accesses,
            context: self.context(&keys)?,
        })
    }

    fn operation(&self) -> &'static str {
        directory::operation(self.route.operation, self.request)
    }

    /// The endpoint's name, what stands before its host, and the path to send if it is another one.
    fn endpoint(&self) -> (String, String, Option<String>) {
        match self.request.at {
            _ if self.request.service == "s3express" => self.directory_endpoint(),
            Some(AwsHost { point: Some(point), prefix, .. }) => {
                let several = matches!(point, Point::MultiRegion { .. });
                let endpoint = if several { "s3-global" } else { "s3-accesspoint" };
                (endpoint.to_owned(), format!("{prefix}."), None)
            }
            _ => ("s3".to_owned(), String::new(), None),
        }
    }

    fn version(&self) -> Option<&str> {
        self.query.get("versionId")
    }
}

/// The one marker of the query, or the empty string.
fn marker(query: &Parameters) -> Result<&'static str, Denial> {
    let mut found = "";
    for marker in MARKERS {
        let Some(value) = query.get(marker) else { continue };
        if !found.is_empty() {
            return Err(malformed(format!("`?{found}&{marker}` names two S3 operations at once")));
        }
        found = marker;
        let legal = match marker {
            "list-type" => value == "2",
            "uploadId" => !value.is_empty(),
            _ => value.is_empty(),
        };
        if !legal {
            return Err(malformed(format!("the query parameter `{marker}` has a value that S3 does not define")));
        }
    }
    for name in ["versionId", "select-type"] {
        let legal = |value: &str| if name == "versionId" { copy::is_version_id(value) } else { value == "2" };
        if query.get(name).is_some_and(|value| !legal(value)) {
            return Err(malformed(format!("the query parameter `{name}` has a value that S3 does not define")));
        }
    }
    let number = |v: &str| !v.is_empty() && v.len() <= 5 && v.bytes().all(|b| b.is_ascii_digit());
    if query.get("partNumber").is_some_and(|value| !number(value)) {
        return Err(malformed("the query parameter `partNumber` is not a number"));
    }
    Ok(found)
}

fn find(method: &str, level: Level, marker: &str, copies: bool, query: &Parameters) -> Result<&'static Route, Denial> {
    let shape = || {
        let method = if ["GET", "HEAD", "PUT", "POST", "DELETE"].contains(&method) { method } else { "this method on" };
        let path = match level {
            Level::Service => "/",
            Level::Bucket => "/{bucket}",
            Level::Object => "/{bucket}/{key}",
        };
        format!("`{method} {path}{}{marker}`", if marker.is_empty() { "" } else { "?" })
    };
    let fits = |r: &&Route| r.method == method && r.level == level && r.marker == marker;
    if !ROUTES.iter().any(|r| fits(&r)) {
        let hint = match (method, level, marker) {
            ("POST", Level::Bucket, "") => "; browser form uploads are not supported, use PutObject",
            (_, _, "renameObject") => "; copy the object and delete it",
            _ => "",
        };
        return Err(unmapped(format!("{} is no S3 operation that hallpass knows{hint}", shape())));
    }
    if copies && !ROUTES.iter().any(|r| fits(&r) && r.copies) {
        return Err(malformed(format!("{} takes no x-amz-copy-source header", shape())));
    }
    let chosen = ROUTES
        .iter()
        .filter(|r| fits(r) && r.copies == copies)
        .find(|r| r.needs.iter().all(|name| query.get(name).is_some()))
        .ok_or_else(|| unmapped(format!("{} lacks a query parameter that S3 requires", shape())))?;
    let known = |name: &str| name == "x-id" || is_presign_parameter(name) || chosen.takes(name);
    if !query.iter().all(|(name, _)| known(name)) {
        let operation = chosen.operation;
        return Err(unmapped(format!("a query parameter of the request is not one that S3 defines for {operation}")));
    }
    Ok(chosen)
}
