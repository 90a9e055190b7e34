//! HTTP request → service, region, operation, IAM actions, resources, condition keys.
//! What cannot be resolved is refused, with a reason.
//!
//! [`head`] resolves from the request head alone where that is enough, and otherwise says that it [needs the
//! body](Outcome::NeedsBody); the caller then buffers the body (after removing any aws-chunked framing) and calls
//! [`with_body`]. [`endpoint`] names the upstream, [`refusal`] gives a denial the shape that the child's SDK reads.

pub mod catalog;
mod cbor;
pub mod endpoint;
pub mod host;
mod json;
mod principal;
mod query;
pub mod refusal;
mod request_keys;
mod resource;
mod rest;
mod roles;
pub mod router;
mod s3;
mod tags;
pub mod unsigned;
pub(crate) mod wire;
pub(crate) mod xml;

use std::borrow::Cow;

use jiff::Timestamp;

use crate::denial::{Denial, DenialCode};
use crate::limits::BUFFERED_BODY_BYTES_MAX;
use crate::policy::{AccessRequest, Context};
pub use catalog::{Catalog, Variant};
pub use endpoint::Partition;
pub use host::AwsHost;
pub(crate) use wire::parameter;

/// The wire protocol of an AWS service: decides how an operation is named and how a refusal must look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// S3's flavour of REST with XML.
    S3,
    /// `Action=` form, XML answers (IAM, STS, SQS in its older form …).
    Query,
    /// Query as EC2 speaks it.
    Ec2,
    /// JSON 1.0 with `X-Amz-Target`.
    Json10,
    /// JSON 1.1 with `X-Amz-Target`.
    Json11,
    /// REST with JSON bodies; resolved from the catalogue.
    RestJson,
    /// REST with XML bodies other than S3.
    RestXml,
    /// Smithy RPC v2 with CBOR bodies.
    RpcV2Cbor,
}

/// Who will answer the request, as far as it changes what a name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Upstream {
    /// AWS itself: an S3 key is its bytes, whatever they are.
    Aws,
    /// Some other S3-compatible store. Some collapse `//` or resolve `..`, so such keys are refused.
    Compatible,
}

/// Whose real credential will sign, as far as it is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Caller<'a> {
    /// Partition of the credential; `None` takes the region's.
    pub partition: Option<Partition>,
    /// Twelve-digit account id; `None` leaves ARNs that need it unresolved (`Opaque`).
    pub account: Option<&'a str>,
    /// ARN of the identity, as `GetCallerIdentity` says it.
    pub arn: Option<&'a str>,
    /// ARN of the role that was assumed for it, with its path.
    pub role: Option<&'a str>,
    /// Tags that the session was given when it was assumed: they win over those of the role.
    pub tags: &'a [(String, String)],
    /// The source identity that was set when it was assumed.
    pub source_identity: Option<&'a str>,
}

/// The head of one request whose signature has been verified.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// HTTP method, as sent.
    pub method: &'a str,
    /// Path as on the wire, still percent-encoded, beginning with `/`.
    pub path: &'a str,
    /// Query as on the wire without the `?`; empty when there is none.
    pub query: &'a str,
    /// The headers that will be forwarded, names in lower case, in any order.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// Service from the credential scope.
    pub service: &'a str,
    /// Region from the credential scope.
    pub region: &'a str,
    /// What is known of AWS's APIs.
    pub catalog: Catalog,
    /// Whose credential will sign.
    pub caller: Caller<'a>,
    /// Who will answer.
    pub upstream: Upstream,
    /// The AWS host that was asked for, through a proxy; `None` where the gate itself was.
    pub at: Option<&'a AwsHost>,
    /// Services, by their IAM prefixes, whose operations may be allowed by a guessed action where AWS's authorization
    /// data names none.
    pub allow_unmapped: &'a [String],
    /// True when the connection to the upstream is TLS (`aws:SecureTransport`).
    pub secure_transport: bool,
    /// The time of the decision (`aws:CurrentTime`).
    pub now: Timestamp,
}

/// A request, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// Signing name, from the credential scope.
    pub service: String,
    /// Region, from the credential scope. Sign with [`endpoint::Endpoint::region`]: global services differ.
    pub region: String,
    /// The API that it is, `dynamodbstreams`; names the host to [`endpoint::endpoint`].
    pub endpoint: String,
    /// Stands before the host where AWS itself answers, `data.`; empty for most.
    pub host_prefix: String,
    /// Which of the region's endpoints.
    pub variant: Variant,
    /// The path to send where AWS itself answers, if it is not the one that was asked.
    pub path: Option<String>,
    /// Wire protocol.
    pub protocol: Protocol,
    /// API operation, `GetObject`.
    pub operation: String,
    /// AWS takes it without a signature.
    pub unsigned: bool,
    /// Its action is a guess: [`Request::allow_unmapped`].
    pub guessed: bool,
    /// Every access that must be allowed; never empty.
    pub accesses: Vec<AccessRequest>,
    /// Accesses that no Deny may mean: what lies behind an access point, under names that the request does not tell.
    pub behind: Vec<AccessRequest>,
    /// Condition keys.
    pub context: Context,
}

/// What the head alone could tell.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "made and taken apart once a request, nearly always the large one")]
pub enum Outcome {
    /// Everything.
    Resolved(Resolved),
    /// The operation or its resources are in the body: buffer it, up to
    /// [`BUFFERED_BODY_BYTES_MAX`], and call [`with_body`].
    NeedsBody,
}

/// Resolves a request from its head.
///
/// # Errors
/// A [`Denial`] with [`DenialCode::Unmapped`], [`DenialCode::Unresolved`], [`DenialCode::Malformed`] or
/// [`DenialCode::TooLarge`]. Its message names service, operation and shape, never what the user sent.
pub fn head(request: &Request<'_>) -> Result<Outcome, Denial> {
    let partition = partition(request)?;
    match wire_protocol(request)? {
        Wire::S3 => s3::head(request, partition),
        Wire::Form => query::head(request, partition),
        Wire::Json(protocol) => json::head(request, partition, protocol),
        Wire::Cbor => json::cbor_head(request, partition),
        Wire::Rest => rest::head(request, partition),
    }
}

/// Resolves a request from its head and its whole decoded body (aws-chunked framing removed, at most
/// [`BUFFERED_BODY_BYTES_MAX`] bytes). Needed after [`Outcome::NeedsBody`], harmless otherwise.
///
/// # Errors
/// As [`head`]; also [`DenialCode::TooLarge`] past [`BUFFERED_BODY_BYTES_MAX`].
pub fn with_body(request: &Request<'_>, body: &[u8]) -> Result<Resolved, Denial> {
    if body.len() > BUFFERED_BODY_BYTES_MAX {
        return Err(too_large(format!("the request body is larger than {BUFFERED_BODY_BYTES_MAX} bytes")));
    }
    let partition = partition(request)?;
    match wire_protocol(request)? {
        Wire::S3 => s3::with_body(request, partition, body),
        Wire::Form => query::with_body(request, partition, body),
        Wire::Json(protocol) => json::with_body(request, partition, protocol, body),
        Wire::Cbor => json::cbor_with_body(request, partition, body),
        Wire::Rest => rest::with_body(request, partition, body),
    }
}

/// Whether a path in path style is one of S3 Control, which shares the signing name of S3.
pub fn is_s3_control(path: &str) -> bool {
    path.starts_with("/v20180820/")
}

/// How the operation is named on the wire.
enum Wire {
    S3,
    Form,
    Json(Protocol),
    Cbor,
    Rest,
}

/// Exactly one way of naming the operation; a request that names it in two ways is refused, because servers that
/// speak several protocols choose for themselves.
fn wire_protocol(request: &Request<'_>) -> Result<Wire, Denial> {
    if request.service == "s3" && is_s3_control(request.path) && request.at.is_none_or(|at| at.point.is_none()) {
        return Ok(Wire::Rest);
    }
    if ["s3", "s3express"].contains(&request.service) {
        return Ok(Wire::S3);
    }
    for name in ["x-http-method-override", "x-http-method", "x-method-override"] {
        if request.has_header(name) {
            return Err(malformed(format!("the header `{name}` is not taken")));
        }
    }
    let target = request.header("x-amz-target")?;
    let smithy = request.header("smithy-protocol")?;
    let rpc_path = request.path.starts_with("/service/");
    match (target, smithy) {
        (Some(_), Some(_)) => Err(malformed("X-Amz-Target and smithy-protocol name the operation twice")),
        (None, Some("rpc-v2-cbor")) => Ok(Wire::Cbor),
        (None, Some(_)) => Err(unmapped("the value of smithy-protocol is not rpc-v2-cbor")),
        (Some(_), None) => match media_type(request)?.as_deref() {
            Some("application/x-amz-json-1.0") => Ok(Wire::Json(Protocol::Json10)),
            Some("application/x-amz-json-1.1") => Ok(Wire::Json(Protocol::Json11)),
            _ => Err(malformed("X-Amz-Target needs the content type application/x-amz-json-1.0 or 1.1")),
        },
        (None, None) if rpc_path && !rest::serves(request) => {
            Err(malformed("a request to /service/…/operation/… needs smithy-protocol"))
        }
        (None, None) if rest::serves(request) && !is_form(request)? => Ok(Wire::Rest),
        (None, None) => Ok(Wire::Form),
    }
}

/// Whether a service that has both kinds of APIs is called by its query API.
fn is_form(request: &Request<'_>) -> Result<bool, Denial> {
    let apis = (request.catalog.signing_as)(request.service);
    let queried = apis.iter().any(|api| api.speaks(Protocol::Query) || api.speaks(Protocol::Ec2));
    let form = media_type(request)?.as_deref() == Some("application/x-www-form-urlencoded");
    Ok(queried && request.path == "/" && (form || request.query.contains("Action=")))
}

/// The content type without its parameters, in lower case. A body is read as UTF-8, so that another encoding, in which
/// the same bytes may say something else, is refused.
fn media_type(request: &Request<'_>) -> Result<Option<String>, Denial> {
    let Some(value) = request.header("content-type")? else { return Ok(None) };
    let mut parts = value.split(';').map(|part| part.trim().to_ascii_lowercase());
    let kind = parts.next();
    let foreign = |part: String| {
        let (name, value) = part.split_once('=').unwrap_or((&part, ""));
        let value = value.trim().trim_matches('"');
        name.trim_end() == "charset" && !["utf-8", "utf8", "us-ascii"].contains(&value)
    };
    if parts.any(foreign) {
        return Err(malformed("the content type says another charset than UTF-8"));
    }
    Ok(kind)
}

fn partition(request: &Request<'_>) -> Result<Partition, Denial> {
    if is_several(request.region) {
        let point = request.at.and_then(|at| at.point.as_ref());
        if !matches!(point, Some(host::Point::MultiRegion { .. })) {
            let why = "a signature for several regions is taken for S3 multi-region access points only; sign for one";
            return Err(malformed(why));
        }
        return match request.caller.partition {
            None | Some(Partition::Aws) => Ok(Partition::Aws),
            Some(_) => Err(malformed("multi-region access points belong to another partition than the credential")),
        };
    }
    let own = Partition::of_region(request.region)?;
    match request.caller.partition {
        Some(partition) if partition != own && request.upstream == Upstream::Aws => {
            Err(malformed("the region of the credential scope belongs to another partition than the credential"))
        }
        Some(partition) => Ok(partition),
        None => Ok(own),
    }
}

impl Request<'_> {
    /// The endpoint variant that was asked for.
    fn variant(&self) -> Variant {
        self.at.map_or_else(Variant::default, |at| at.variant)
    }
}

/// Whether a region is a set of them, as an asymmetric signature may have it.
fn is_several(region: &str) -> bool {
    region.contains([',', '*'])
}

impl Resolved {
    /// What must be allowed in each: a request that is signed for several regions is one in every one of them.
    pub fn contexts(&self) -> Vec<Cow<'_, Context>> {
        if !self.region.contains(',') || self.region.contains('*') {
            return vec![Cow::Borrowed(&self.context)];
        }
        let in_region = |region| {
            let mut context = self.context.clone();
            context.set("aws:RequestedRegion", region);
            Cow::Owned(context)
        };
        self.region.split(',').map(in_region).collect()
    }
}

/// Condition keys that our own code names for one request: room for so many is made at once.
const CONDITION_KEYS: usize = 48;

/// Condition keys that every request has.
fn circumstances(request: &Request<'_>) -> Result<Context, Denial> {
    let mut context = Context::with_capacity(CONDITION_KEYS);
    // Whole seconds are written without a fraction: `2026-01-31T00:00:00Z`.
    let second = Timestamp::from_second(request.now.as_second()).unwrap_or(request.now);
    context.set_fixed("aws:CurrentTime", second.to_string());
    context.set_fixed("aws:EpochTime", request.now.as_second().to_string());
    // Of several regions, `Resolved::contexts` says each; a pattern stays unknown. S3's global endpoint is that of its
    // first region; other services name their own.
    if !is_several(request.region) {
        let region = if request.region == "aws-global" { "us-east-1" } else { request.region };
        context.set_fixed("aws:RequestedRegion", region);
    }
    context.set_fixed("aws:SecureTransport", if request.secure_transport { "true" } else { "false" });
    context.set_fixed("aws:ViaAWSService", "false");
    principal::keys(&request.caller, &mut context);
    for key in ["aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast", "aws:SourceArn", "aws:SourceAccount"] {
        context.set_absent_fixed(key);
    }
    for (key, header) in [("aws:UserAgent", "user-agent"), ("aws:Referer", "referer")] {
        match request.header(header)? {
            Some(value) => context.set_fixed(key, value),
            None => context.set_absent_fixed(key),
        }
    }
    Ok(context)
}

fn malformed(reason: impl Into<String>) -> Denial {
    Denial::new(DenialCode::Malformed, reason)
}

fn too_large(reason: impl Into<String>) -> Denial {
    Denial::new(DenialCode::TooLarge, reason)
}

fn unmapped(reason: impl Into<String>) -> Denial {
    let how = "what hallpass cannot name it does not sign; use a delivery that the cloud enforces, or ask for support";
    Denial { how_to_ask: Some(how.to_owned()), ..Denial::new(DenialCode::Unmapped, reason) }
}

fn unresolved(reason: impl Into<String>) -> Denial {
    Denial::new(DenialCode::Unresolved, reason)
}
