//! The key of everything that changes what a session may do: two sessions with the same key are interchangeable.

use std::fmt;

use hallpass_core::policy::ScopedPolicy;
use hallpass_core::session::Session;
use serde_json::Value;
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
        field(Some(&policy_sha256(&session.policy)));
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

/// SHA-256 of a policy, hex, without regard to the order and the repetition of list elements.
pub(crate) fn policy_sha256(policy: &ScopedPolicy) -> String {
    // A policy is plain data, so it always serialises; were it not so, no two policies would be the same.
    let text = match serde_json::to_value(policy) {
        Ok(value) => normal(value).to_string(),
        Err(error) => format!("{error}: {policy:?}"),
    };
    hex::encode(Sha256::digest(text))
}

/// Lists of a policy are sets: sorted by their text, each element once. Object keys are sorted by the JSON library.
fn normal(value: Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.into_iter().map(normal).collect();
            items.sort_by_cached_key(Value::to_string);
            items.dedup();
            Value::Array(items)
        }
        Value::Object(fields) => {
            let mut fields: Vec<(String, Value)> =
                fields.into_iter().map(|(key, value)| (key, normal(value))).collect();
            fields.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(fields.into_iter().collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}
