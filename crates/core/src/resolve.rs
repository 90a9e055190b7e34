//! HTTP request → service, region, operation, IAM actions, resources, condition keys.
//! What cannot be resolved is refused, with a reason.

use crate::policy::{AccessRequest, Context};

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

/// A request, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// Signing name, from the credential scope.
    pub service: String,
    /// Region, from the credential scope.
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
