//! HTTP request → service, region, operation, IAM actions, resources, condition keys.
//! What cannot be resolved is refused, with a reason.
//!
//! [`head`] resolves from the request head alone where that is enough, and otherwise says that it [needs the
//! body](Outcome::NeedsBody); the caller then buffers the body (after removing any aws-chunked framing) and calls
//! [`with_body`]. [`endpoint`] names the upstream, [`refusal`] gives a denial the shape that the child's SDK reads.

pub mod endpoint;
pub mod refusal;

use jiff::Timestamp;

use crate::denial::{Denial, DenialCode};
use crate::policy::{AccessRequest, Context};
pub use endpoint::Partition;

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
    /// Whose credential will sign.
    pub caller: Caller<'a>,
    /// Who will answer.
    pub upstream: Upstream,
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
    /// Wire protocol.
    pub protocol: Protocol,
    /// API operation, `GetObject`.
    pub operation: String,
    /// Every access that must be allowed; never empty.
    pub accesses: Vec<AccessRequest>,
    /// Condition keys.
    pub context: Context,
}

/// What the head alone could tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Everything.
    Resolved(Resolved),
    /// The operation or its resources are in the body: buffer it, up to
    /// [`BUFFERED_BODY_BYTES_MAX`](crate::limits::BUFFERED_BODY_BYTES_MAX), and call [`with_body`].
    NeedsBody,
}

/// Resolves a request from its head.
///
/// # Errors
/// A [`Denial`] with [`DenialCode::Unmapped`], [`DenialCode::Unresolved`] or [`DenialCode::Malformed`].
pub fn head(request: &Request<'_>) -> Result<Outcome, Denial> {
    Err(unmapped(request))
}

/// Resolves a request for which [`head`] said [`Outcome::NeedsBody`], from its head and its whole decoded body.
///
/// # Errors
/// As [`head`]; also [`DenialCode::TooLarge`] past
/// [`BUFFERED_BODY_BYTES_MAX`](crate::limits::BUFFERED_BODY_BYTES_MAX).
pub fn with_body(request: &Request<'_>, _body: &[u8]) -> Result<Resolved, Denial> {
    Err(unmapped(request))
}

fn unmapped(request: &Request<'_>) -> Denial {
    Denial::new(DenialCode::Unmapped, format!("{} is not resolved yet", request.service))
}
