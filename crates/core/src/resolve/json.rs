//! JSON 1.0/1.1 (`X-Amz-Target: Prefix.Operation`) and Smithy RPC v2 CBOR (`/service/Prefix/operation/Operation`).
//! Source: Smithy specifications "AWS JSON 1.0/1.1 protocol" and "Smithy RPC v2 CBOR protocol".

mod value;

use super::catalog::Found;
use super::query::{finish, unknown};
use super::resource::{self, Given};
use super::{Outcome, Partition, Protocol, Request, Resolved, cbor, malformed, media_type, request_keys, unmapped};
use crate::denial::Denial;
pub(super) use value::Json;

pub(super) fn head(request: &Request<'_>, partition: Partition, protocol: Protocol) -> Result<Outcome, Denial> {
    let operation = from_target(request, protocol)?;
    if wants_body(request, &operation)? {
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

/// The operation is in the path.
pub(super) fn cbor_head(request: &Request<'_>, partition: Partition) -> Result<Outcome, Denial> {
    let operation = from_path(request)?;
    if wants_body(request, &operation)? {
        return Ok(Outcome::NeedsBody);
    }
    finish(request, partition, Protocol::RpcV2Cbor, &operation, &Given::Nothing).map(Outcome::Resolved)
}

pub(super) fn cbor_with_body(request: &Request<'_>, partition: Partition, body: &[u8]) -> Result<Resolved, Denial> {
    match cbor_head(request, partition)? {
        Outcome::Resolved(resolved) => Ok(resolved),
        Outcome::NeedsBody => {
            if media_type(request)?.is_some_and(|kind| kind != "application/cbor") {
                return Err(malformed(format!("{} takes CBOR bodies (application/cbor)", request.service)));
            }
            let body = cbor::parse(body)?;
            finish(request, partition, Protocol::RpcV2Cbor, &from_path(request)?, &Given::Json(&body))
        }
    }
}

fn from_path(request: &Request<'_>) -> Result<Found, Denial> {
    post_without_query(request)?;
    let names = request.path.strip_prefix("/service/").and_then(|rest| rest.split_once("/operation/"));
    let (target, name) = names.ok_or_else(|| malformed("smithy-protocol needs the path /service/…/operation/…"))?;
    find(request, Protocol::RpcV2Cbor, target, name)
}

/// Whether an operation is judged by its body. A compressed one is refused where it names resources; where only
/// condition keys are in it, they stay unknown.
pub(super) fn wants_body(request: &Request<'_>, operation: &Found) -> Result<bool, Denial> {
    if resource::reads_body(operation) {
        return unpacked(request).map(|()| true);
    }
    Ok(request_keys::reads_body(operation) && unpacked(request).is_ok())
}

pub(super) fn unpacked(request: &Request<'_>) -> Result<(), Denial> {
    match request.header("content-encoding")? {
        None | Some("identity" | "aws-chunked") => Ok(()),
        Some(_) => Err(unmapped("a compressed body cannot be resolved, set AWS_DISABLE_REQUEST_COMPRESSION=true")),
    }
}

fn from_target(request: &Request<'_>, protocol: Protocol) -> Result<Found, Denial> {
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

fn find(request: &Request<'_>, protocol: Protocol, target: &str, name: &str) -> Result<Found, Denial> {
    let mut apis = (request.catalog.signing_as)(request.service);
    apis.retain(|api| api.speaks(protocol));
    if apis.is_empty() {
        return Err(not_resolved(request));
    }
    apis.retain(|api| api.target == target && target != "-");
    if apis.is_empty() {
        return Err(unmapped(format!("the target prefix is not one of {}", request.service)));
    }
    let found = apis.into_iter().find_map(|api| Found::by_name(api, name));
    found.ok_or_else(|| unknown(request.service, name))
}

/// A service or a protocol of a service that has no entry in the table.
pub(super) fn not_resolved(request: &Request<'_>) -> Denial {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    let service = request.service;
    let shown = if service.len() <= 64 && service.bytes().all(legal) { service } else { "this service" };
    unmapped(format!("{shown} is not a service that hallpass knows, or it does not speak this protocol"))
}
