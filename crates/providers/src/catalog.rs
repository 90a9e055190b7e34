//! The providers that this build has.

use hallpass_core::provider::CloudProvider;

/// One provider, as shown by `doctor` and by the docs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Which cloud.
    pub provider: CloudProvider,
    /// One line for people.
    pub summary: &'static str,
}

/// Every provider of this build.
pub const PROVIDERS: [Entry; 2] = [
    Entry {
        provider: CloudProvider::Aws,
        summary: "AWS: AssumeRole with a compiled session policy, or the base identity behind the gate",
    },
    Entry {
        provider: CloudProvider::S3,
        summary: "S3-compatible stores: static keys behind the gate, which gives them scope, expiry and revocation",
    },
];
