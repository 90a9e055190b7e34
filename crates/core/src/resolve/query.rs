//! The query and EC2 protocols: `Action=` in a form body, or in the query of a GET, and never in both.
//! Source: "Query requests" (AWS API references of IAM, STS, SNS, EC2).

use super::catalog::Found;
use super::resource::{self, Given};
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
            super::json::unpacked(request)?;
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
    let apis = (request.catalog.signing_as)(request.service);
    let speaks = |protocol| apis.iter().any(|api| api.speaks(protocol));
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

fn named(request: &Request<'_>, protocol: Protocol, parameters: &Parameters) -> Result<Found, Denial> {
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
    if parameters.has_twin_in_another_case() {
        return Err(malformed("two parameters of the request differ in case only"));
    }
    let name = parameters.get("Action").ok_or_else(|| malformed("the request has no `Action` parameter"))?;
    let apis = (request.catalog.signing_as)(request.service);
    let mut found: Vec<Found> =
        apis.into_iter().filter(|api| api.speaks(protocol)).filter_map(|api| Found::by_name(api, name)).collect();
    if found.len() > 1
        && let Some(version) = parameters.get("Version")
    {
        found.retain(|one| one.api.version == version);
    }
    found.first().copied().ok_or_else(|| unknown(request.service, name))
}

/// The last step of every protocol: operation → accesses and context.
pub(super) fn finish(
    request: &Request<'_>,
    partition: Partition,
    protocol: Protocol,
    operation: &Found,
    given: &Given<'_>,
) -> Result<Resolved, Denial> {
    let mut context = circumstances(request)?;
    let region = endpoint::requested_region(partition, operation.api, request.region);
    context.set_fixed("aws:RequestedRegion", region);
    super::tags::keys(operation, given, &mut context);
    super::request_keys::keys(request, operation, given, &mut context)?;
    Ok(Resolved {
        service: request.service.to_owned(),
        region: request.region.to_owned(),
        endpoint: operation.api.id.to_owned(),
        host_prefix: host_prefix(operation, given)?,
        variant: request.variant(),
        path: None,
        protocol,
        operation: operation.name().to_owned(),
        unsigned: operation.operation.unsigned,
        guessed: operation.operation.accesses.is_err(),
        accesses: resource::accesses(request, partition, operation, given)?,
        behind: Vec::new(),
        context,
    })
}

/// What stands before the host: fixed, or a header that is one label of a host name.
fn host_prefix(operation: &Found, given: &Given<'_>) -> Result<String, Denial> {
    let prefix = operation.operation.host_prefix;
    let Some((name, rest)) = prefix.strip_prefix('{').and_then(|rest| rest.split_once('}')) else {
        return Ok(prefix.to_owned());
    };
    let legal = |text: &&str| {
        (1..=63).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-')
    };
    let label = given.header(name)?.filter(legal);
    let label = label.ok_or_else(|| malformed(format!("`{name}` must be given, and fit into a host name")))?;
    Ok(format!("{label}{rest}"))
}

/// Shows a name only if it looks like one.
pub(super) fn unknown(service: &str, operation: &str) -> Denial {
    let plain = operation.len() <= 100 && operation.bytes().all(|b| b.is_ascii_alphanumeric());
    let shown = if plain && !operation.is_empty() { operation } else { "an operation without a proper name" };
    unmapped(format!("{service} {shown} is not an operation whose IAM actions hallpass knows"))
}

pub(super) fn refused(operation: &Found, why: &str) -> Denial {
    let (service, name) = (operation.api.signing, operation.name());
    match why {
        "other-services" => unresolved(format!("{service} {name} acts on other services' resources; tag them there")),
        "any-service" => unresolved(format!(
            "{service} {name} acts on any resource of any service with the session's own rights; use their own APIs"
        )),
        "no-action" => {
            let why = format!("{service} {name} is known, but AWS's authorization data names no IAM action for it");
            let prefix = operation.api.prefix;
            let how = format!(
                "write `allow_unmapped = [\"{prefix}\"]` under [run] of your own configuration, and allow `{prefix}:{name}` on `*`"
            );
            Denial { how_to_ask: Some(how), ..unmapped(why) }
        }
        "endpoint-discovery" => {
            unmapped(format!("{service} {name} goes to a host that the service hands out, which is not supported"))
        }
        "other-host" => unmapped(format!(
            "{service} {name} goes to another host than the others of its API, which is not supported"
        )),
        "outposts" => unmapped(format!("{service} {name} is for S3 on Outposts, which is not supported")),
        "own-token" => unmapped(format!("{service} {name} is called with a token of its own, not with a signature")),
        _ => unmapped(format!("{service} {name} is not supported")),
    }
}
