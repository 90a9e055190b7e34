//! The key of everything that changes what a session may do: two sessions with the same key are interchangeable.

use std::fmt;

use hallpass_core::session::Session;
use sha2::{Digest, Sha256};

/// SHA-256 over provider, principal, tenant, policy, tags, region and delivery. The order of lists and repeated
/// elements do not matter; life, budget and command are not part of it. As text it is 64 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AuthorityKey([u8; 32]);

impl AuthorityKey {
    /// The key of a session.
    pub fn of(session: &Session) -> Self {
        let mut hash = Sha256::new();
        let mut field = |text: Option<&str>| {
            // Length before text and a mark for absence: no two different lists of fields give the same bytes.
            hash.update(text.map_or(u64::MAX, |text| text.len() as u64).to_be_bytes());
            hash.update(text.unwrap_or_default());
        };
        field(Some("hallpass authority 1"));
        field(Some(session.provider.as_str()));
        field(Some(&session.role_arn));
        field(session.principal_id.as_deref());
        field(session.tenant.as_deref());
        field(session.region.as_deref());
        field(Some(session.delivery.as_str()));
        field(Some(&session.policy.sha256_hex()));
        for (key, value) in &session.tags {
            field(Some(key));
            field(Some(value));
        }
        Self(hash.finalize().into())
    }
}

impl fmt::Display for AuthorityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}
