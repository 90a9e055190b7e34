//! Where a request goes: (partition, service, region) → host and signing region.

use crate::denial::{Denial, DenialCode};

/// A set of AWS regions with its own identities, ARNs and hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Partition {
    /// The commercial regions.
    Aws,
    /// China.
    AwsCn,
    /// GovCloud (US).
    AwsUsGov,
}

/// An upstream that rules, not the client, have named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Host name, to be reached over HTTPS on port 443.
    pub host: String,
    /// Region to sign with; the partition's home region for a global service.
    pub region: String,
}

/// The AWS endpoint of a service. The child's own host and region are never used unchecked.
///
/// # Errors
/// [`DenialCode::Malformed`] for a region that is not one, [`DenialCode::Unmapped`] for a service without a rule.
pub fn endpoint(_partition: Option<Partition>, service: &str, _region: &str) -> Result<Endpoint, Denial> {
    Err(Denial::new(DenialCode::Unmapped, format!("{service} has no endpoint rule")))
}
