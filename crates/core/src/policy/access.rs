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
/// Names are compared without regard to case.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// Keys whose names stand in our own code, `None` for an absent one. A few dozen, set for each request: looking
    /// through them is cheaper than keeping them in order. Of two with one name the later counts.
    fixed: Vec<(&'static str, Option<Values>)>,
    /// Keys whose names come from a request or a person, in lower case. There may be many.
    present: BTreeMap<String, Vec<String>>,
    absent: BTreeSet<String>,
    /// Beginnings of keys, in lower case, of which the request carries those that are set and no others.
    complete: BTreeSet<&'static str>,
}

/// Values of a key; most have one.
#[derive(Debug, Clone)]
enum Values {
    One([String; 1]),
    Many(Vec<String>),
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
        self.fixed.retain(|(name, _)| !name.eq_ignore_ascii_case(&key));
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

    /// Says that of the keys that begin so, such as those for tags, the request carries those that are set and certainly
    /// no others. `beginning` is in lower case.
    pub(crate) fn set_complete(&mut self, beginning: &'static str) {
        self.complete.insert(beginning);
    }

    /// [`Self::set`] for a key that our own code names, for every request.
    pub(crate) fn set_fixed(&mut self, key: &'static str, value: impl Into<String>) {
        self.fixed.push((key, Some(Values::One([value.into()]))));
    }

    /// [`Self::set_all`] for a key that our own code names, for every request.
    pub(crate) fn set_all_fixed(&mut self, key: &'static str, values: Vec<String>) {
        self.fixed.push((key, Some(Values::Many(values))));
    }

    /// [`Self::set_absent`] for a key that our own code names, for every request.
    pub(crate) fn set_absent_fixed(&mut self, key: &'static str) {
        self.fixed.push((key, None));
    }

    /// A context with room for so many keys that our own code names.
    pub(crate) fn with_capacity(keys: usize) -> Self {
        Self { fixed: Vec::with_capacity(keys), ..Self::default() }
    }

    /// What is known of `key`.
    pub fn get(&self, key: &str) -> Known<'_> {
        let mut absent = false;
        for (_, values) in self.fixed.iter().rev().filter(|(name, _)| name.eq_ignore_ascii_case(key)) {
            match values {
                Some(Values::One(one)) => return Known::Present(one),
                Some(Values::Many(many)) => return Known::Present(many),
                None => absent = true,
            }
        }
        if self.present.is_empty() && self.absent.is_empty() && self.complete.is_empty() {
            return if absent { Known::Absent } else { Known::Unknown };
        }
        let key = key.to_ascii_lowercase();
        match self.present.get(&key) {
            Some(values) => Known::Present(values),
            None if absent || self.absent.contains(&key) => Known::Absent,
            None if self.complete.iter().any(|beginning| key.starts_with(beginning)) => Known::Absent,
            None => Known::Unknown,
        }
    }

    /// Every key that is not unknown, in lower case and in order.
    fn known(&self) -> BTreeMap<String, Known<'_>> {
        let fixed = self.fixed.iter().map(|(name, _)| name.to_ascii_lowercase());
        let names = fixed.chain(self.present.keys().cloned()).chain(self.absent.iter().cloned());
        names.map(|name| (name.clone(), self.get(&name))).collect()
    }
}

impl PartialEq for Context {
    /// The same is known of every key, however it came to be.
    fn eq(&self, other: &Self) -> bool {
        self.known() == other.known() && self.complete == other.complete
    }
}

impl Eq for Context {}

#[cfg(test)]
mod tests {
    use super::{Context, Known};

    #[test]
    fn a_key_is_found_whatever_its_case_and_the_value_that_was_set_last_counts() {
        let mut context = Context::default();
        context.set_fixed("aws:UserAgent", "first");
        context.set_fixed("aws:UserAgent", "second");
        context.set_absent_fixed("s3:prefix");
        assert_eq!(context.get("AWS:useragent"), Known::Present(&["second".to_owned()]));
        assert_eq!((context.get("S3:Prefix"), context.get("s3:delimiter")), (Known::Absent, Known::Unknown));
        context.set("aws:USERAGENT", "third");
        context.set("s3:prefix", "p");
        assert_eq!(context.get("aws:UserAgent"), Known::Present(&["third".to_owned()]));
        assert_eq!(context.get("s3:prefix"), Known::Present(&["p".to_owned()]));
    }

    #[test]
    fn where_all_keys_of_a_kind_are_told_the_others_are_absent() {
        let mut context = Context::default();
        context.set("aws:RequestTag/Team", "a");
        assert_eq!(context.get("aws:RequestTag/env"), Known::Unknown);
        context.set_complete("aws:requesttag/");
        assert_eq!(context.get("AWS:RequestTag/ENV"), Known::Absent);
        assert_eq!(context.get("aws:RequestTag/team"), Known::Present(&["a".to_owned()]));
        assert_eq!(context.get("aws:ResourceTag/env"), Known::Unknown);
    }

    #[test]
    fn what_is_present_is_never_called_absent() {
        let mut context = Context::default();
        context.set_fixed("aws:UserAgent", "a");
        context.set("aws:Referer", "b");
        for key in ["aws:UserAgent", "aws:Referer"] {
            context.set_absent_fixed(key);
            context.set_absent(key);
            assert!(matches!(context.get(key), Known::Present(_)), "{key}");
        }
    }

    #[test]
    fn contexts_are_equal_when_they_know_the_same_in_whatever_order_and_way() {
        let (mut one, mut other) = (Context::default(), Context::default());
        one.set_fixed("aws:UserAgent", "a");
        one.set_absent_fixed("s3:prefix");
        other.set_absent("S3:prefix");
        other.set("aws:useragent", "a");
        assert_eq!(one, other);
        other.set_absent("aws:Referer");
        assert_ne!(one, other);
    }
}
