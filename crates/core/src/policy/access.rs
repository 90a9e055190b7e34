//! One access to be decided: an action, a resource, and what is known of the request's circumstances.

use std::collections::{BTreeMap, BTreeSet};

/// The resource that an action touches, and how well we know it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Resource {
    /// The exact ARN, or `*` for an action that takes no resource.
    Exact(String),
    /// The ARN is one of those that match this pattern (`*`, `?`). An Allow must cover the whole pattern;
    /// a Deny applies as soon as it can intersect.
    Pattern(String),
    /// Some resource that we cannot name: only `Resource: "*"` allows it, and every Deny for the action applies.
    Opaque,
}

impl Resource {
    /// For the audit log and for messages.
    pub fn shown(&self) -> &str {
        match self {
            Self::Exact(arn) | Self::Pattern(arn) => arn,
            Self::Opaque => "*",
        }
    }
}

/// One (action, resource) pair of a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AccessRequest {
    /// IAM action, `s3:GetObject`.
    pub action: String,
    /// What it touches.
    pub resource: Resource,
}

/// Condition keys of one request, three-valued: present with values, known to be absent, or unknown.
/// Names are compared without regard to case and stored in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    present: BTreeMap<String, Vec<String>>,
    absent: BTreeSet<String>,
}

/// What is known of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known<'a> {
    /// The key has these values.
    Present(&'a [String]),
    /// The request certainly does not carry the key.
    Absent,
    /// We cannot tell: an Allow that needs it is not satisfied, a Deny that needs it is.
    Unknown,
}

impl Context {
    /// Sets a single-valued key.
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        self.set_all(key, vec![value.into()]);
    }

    /// Sets a key with any number of values.
    pub fn set_all(&mut self, key: &str, values: Vec<String>) {
        let key = key.to_ascii_lowercase();
        self.absent.remove(&key);
        self.present.insert(key, values);
    }

    /// Says that the request certainly does not carry the key.
    pub fn set_absent(&mut self, key: &str) {
        let key = key.to_ascii_lowercase();
        if !self.present.contains_key(&key) {
            self.absent.insert(key);
        }
    }

    /// What is known of `key`.
    pub fn get(&self, key: &str) -> Known<'_> {
        self.folded(&key.to_ascii_lowercase())
    }

    /// [`Self::get`] for a key in lower case.
    pub(crate) fn folded(&self, key: &str) -> Known<'_> {
        match self.present.get(key) {
            Some(values) => Known::Present(values),
            None if self.absent.contains(key) => Known::Absent,
            None => Known::Unknown,
        }
    }
}
