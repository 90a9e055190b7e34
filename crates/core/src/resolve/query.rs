//! The query and EC2 protocols: `Action=` in a form body, or in the query of a GET, and never in both.
//! Source: "Query requests" (AWS API references of IAM, STS, SNS, EC2).

use super::resource::{self, Given};
use super::service::{Operation, signing_as};
use super::wire::{Parameters, is_presign_parameter};
use super::{
    Outcome, Partition, Protocol, Request, Resolved, circumstances, endpoint, malformed, media_type, unmapped,
    unresolved,
};
use crate::denial::Denial;

pub(super) fn head(request: &Request<'_>, partition: Partition) -> Result<Outcome, Denial> {
    let protocol = spoken(request)?;
    if request.path != "/" {
        return Err(unmapped(format!("{} is called on the path `/` only", request.service)));
    }
    let query = Parameters::of_query(request.query)?;
    match request.method {
        "POST" => {
            if !query.is_empty() {
                return Err(malformed("a form request carries its parameters in the body, and none in the URL"));
            }
            if media_type(request)?.as_deref() != Some("application/x-www-form-urlencoded") {
                return Err(unmapped(format!(
                    "{} takes form requests (application/x-www-form-urlencoded)",
                    request.service
                )));
            }
            if !matches!(request.header("content-encoding")?, None | Some("identity" | "aws-chunked")) {
                return Err(unmapped("a compressed body cannot be resolved, set AWS_DISABLE_REQUEST_COMPRESSION=true"));
            }
            Ok(Outcome::NeedsBody)
        }
        "GET" => {
            let empty = matches!(request.header("content-length")?, None | Some("0"));
            if !empty || request.has_header("transfer-encoding") {
                return Err(malformed("a GET request carries its parameters in the URL, and has no body"));
            }
            resolve(request, partition, protocol, &query).map(Outcome::Resolved)
        }
        _ => Err(unmapped(format!("{} takes POST and GET requests only", request.service))),
    }
}

pub(super) fn with_body(request: &Request<'_>, partition: Partition, body: &[u8]) -> Result<Resolved, Denial> {
    match head(request, partition)? {
        Outcome::Resolved(_) if !body.is_empty() => Err(malformed("a GET request has no body")),
        Outcome::Resolved(resolved) => Ok(resolved),
        Outcome::NeedsBody => resolve(request, partition, spoken(request)?, &Parameters::of_form(body)?),
    }
}

fn spoken(request: &Request<'_>) -> Result<Protocol, Denial> {
    let speaks = |protocol| signing_as(request.service).any(|service| service.speaks(protocol));
    if speaks(Protocol::Ec2) {
        return Ok(Protocol::Ec2);
    }
    if speaks(Protocol::Query) {
        return Ok(Protocol::Query);
    }
    Err(super::json::not_resolved(request))
}

fn resolve(
    request: &Request<'_>,
    partition: Partition,
    protocol: Protocol,
    parameters: &Parameters,
) -> Result<Resolved, Denial> {
    let operation = named(request, protocol, parameters)?;
    let given = Given::Form(parameters);
    finish(request, partition, protocol, &operation, &given)
}

fn named(request: &Request<'_>, protocol: Protocol, parameters: &Parameters) -> Result<Operation, Denial> {
    for (name, _) in parameters.iter() {
        let folded = name.to_ascii_lowercase();
        // Some services read the older `Operation` as `Action`, and SigV2's parameters as authentication.
        let stray = ["operation", "awsaccesskeyid", "signature", "signaturemethod", "signatureversion"];
        if stray.contains(&folded.as_str())
            || (folded.starts_with("x-amz-") && !(request.method == "GET" && is_presign_parameter(name)))
        {
            return Err(malformed("a parameter of the request could be read as another action or authentication"));
        }
    }
    let name = parameters.get("Action").ok_or_else(|| malformed("the request has no `Action` parameter"))?;
    let service = signing_as(request.service).filter(|service| service.speaks(protocol));
    service.into_iter().find_map(|service| service.operation(name)).ok_or_else(|| unknown(request.service, name))
}

/// The last step of every protocol: operation → accesses and context.
pub(super) fn finish(
    request: &Request<'_>,
    partition: Partition,
    protocol: Protocol,
    operation: &Operation,
    given: &Given<'_>,
) -> Result<Resolved, Denial> {
    let name = operation.service.endpoint;
    let mut context = circumstances(request)?;
    context.set("aws:RequestedRegion", endpoint::requested_region(partition, name, request.region));
    Ok(Resolved {
        service: request.service.to_owned(),
        region: request.region.to_owned(),
        endpoint: name.to_owned(),
        protocol,
        operation: operation.name.to_owned(),
        accesses: resource::accesses(request, partition, operation, given)?,
        context,
    })
}

/// Shows a name only if it looks like one.
pub(super) fn unknown(service: &str, operation: &str) -> Denial {
    let plain = operation.len() <= 100 && operation.bytes().all(|b| b.is_ascii_alphanumeric());
    let shown = if plain && !operation.is_empty() { operation } else { "an operation without a proper name" };
    unmapped(format!("{service} {shown} is not an operation whose IAM actions hallpass knows"))
}

pub(super) fn refused(operation: &Operation, why: &str) -> Denial {
    let (service, name) = (operation.service.signing, operation.name);
    match why {
        "partiql" => unresolved(format!(
            "{service} {name} takes PartiQL, whose tables are not resolved; use the item operations"
        )),
        "other-services" => unresolved(format!("{service} {name} acts on other services' resources; tag them there")),
        "host-prefix" => unmapped(format!("{service} {name} has a host name of its own, which is not supported yet")),
        _ => unmapped(format!("{service} {name} is not supported")),
    }
}
