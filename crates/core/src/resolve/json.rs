//! JSON 1.0/1.1 (`X-Amz-Target: Prefix.Operation`) and Smithy RPC v2 CBOR (`/service/Prefix/operation/Operation`).
//! Source: Smithy specifications "AWS JSON 1.0/1.1 protocol" and "Smithy RPC v2 CBOR protocol".

mod value;

use super::query::{finish, unknown};
use super::resource::{self, Given};
use super::service::{Operation, signing_as};
use super::{Outcome, Partition, Protocol, Request, Resolved, malformed, unmapped};
use crate::denial::Denial;
pub(super) use value::Json;

pub(super) fn head(request: &Request<'_>, partition: Partition, protocol: Protocol) -> Result<Outcome, Denial> {
    let operation = from_target(request, protocol)?;
    if resource::reads_body(&operation) {
        if !matches!(request.header("content-encoding")?, None | Some("identity" | "aws-chunked")) {
            return Err(unmapped("a compressed body cannot be resolved, set AWS_DISABLE_REQUEST_COMPRESSION=true"));
        }
        return Ok(Outcome::NeedsBody);
    }
    finish(request, partition, protocol, &operation, &Given::Nothing).map(Outcome::Resolved)
}

pub(super) fn with_body(
    request: &Request<'_>,
    partition: Partition,
    protocol: Protocol,
    body: &[u8],
) -> Result<Resolved, Denial> {
    match head(request, partition, protocol)? {
        Outcome::Resolved(resolved) => Ok(resolved),
        Outcome::NeedsBody => {
            let body = Json::parse(body)?;
            finish(request, partition, protocol, &from_target(request, protocol)?, &Given::Json(&body))
        }
    }
}

/// The operation is in the path; the body is not read, so its resources stay unknown.
pub(super) fn cbor(request: &Request<'_>, partition: Partition) -> Result<Resolved, Denial> {
    post_without_query(request)?;
    let names = request.path.strip_prefix("/service/").and_then(|rest| rest.split_once("/operation/"));
    let (target, name) = names.ok_or_else(|| malformed("smithy-protocol needs the path /service/…/operation/…"))?;
    let operation = find(request, Protocol::RpcV2Cbor, target, name)?;
    finish(request, partition, Protocol::RpcV2Cbor, &operation, &Given::Unread)
}

fn from_target(request: &Request<'_>, protocol: Protocol) -> Result<Operation, Denial> {
    post_without_query(request)?;
    if request.path != "/" {
        return Err(malformed(format!("{} is called on the path `/` only", request.service)));
    }
    let target = request.header("x-amz-target")?.unwrap_or_default();
    let (prefix, name) = target.rsplit_once('.').ok_or_else(|| malformed("X-Amz-Target is not `Prefix.Operation`"))?;
    find(request, protocol, prefix, name)
}

fn post_without_query(request: &Request<'_>) -> Result<(), Denial> {
    match (request.method, request.query) {
        ("POST", "") => Ok(()),
        ("POST", _) => Err(malformed(format!("{} takes no query parameters", request.service))),
        _ => Err(malformed(format!("{} takes POST requests only", request.service))),
    }
}

fn find(request: &Request<'_>, protocol: Protocol, target: &str, name: &str) -> Result<Operation, Denial> {
    let mut speaking = signing_as(request.service).filter(|service| service.speaks(protocol)).peekable();
    if speaking.peek().is_none() {
        return Err(not_resolved(request));
    }
    speaking
        .find(|service| service.target == target && target != "-")
        .ok_or_else(|| unmapped(format!("the target prefix is not one of {}", request.service)))?
        .operation(name)
        .ok_or_else(|| unknown(request.service, name))
}

/// A service or a protocol of a service that has no entry in the table.
pub(super) fn not_resolved(request: &Request<'_>) -> Denial {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    let service = request.service;
    let shown = if service.len() <= 64 && service.bytes().all(legal) { service } else { "this service" };
    unmapped(format!("{shown}: REST services are not resolved yet; only S3 and the query, JSON and EC2 protocols are"))
}
