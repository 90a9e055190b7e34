//! What a command must be allowed to do, and nothing more: with `--role`, an alias borrows exactly this.

use std::collections::{HashMap, HashSet};

/// IAM actions on resource patterns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rights {
    /// IAM actions, such as `s3:GetObject`.
    pub actions: Vec<&'static str>,
    /// Resource patterns (ARNs).
    pub resources: Vec<String>,
}

impl Rights {
    /// These actions on a bucket itself.
    pub fn on_bucket(actions: &[&'static str], bucket: &str) -> Self {
        Self { actions: actions.to_vec(), resources: vec![format!("arn:aws:s3:::{}", literal(bucket))] }
    }

    /// These actions on one object, and on no other.
    pub fn on_object(actions: &[&'static str], bucket: &str, key: &str) -> Self {
        Self {
            actions: actions.to_vec(),
            resources: vec![format!("arn:aws:s3:::{}/{}", literal(bucket), literal(key))],
        }
    }

    /// These actions on every object whose key begins with `prefix`.
    pub fn below(actions: &[&'static str], bucket: &str, prefix: &str) -> Self {
        let resource = format!("arn:aws:s3:::{}/{}*", literal(bucket), literal(prefix));
        Self { actions: actions.to_vec(), resources: vec![resource] }
    }

    /// The names of all buckets; there is no narrower resource for it.
    pub fn list_buckets() -> Self {
        Self { actions: vec!["s3:ListAllMyBuckets"], resources: vec!["*".to_owned()] }
    }

    /// Both. The actions of one are then allowed on the resources of the other as well, as far as they fit there:
    /// actions on buckets do not apply to objects.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for action in other.actions {
            if !self.actions.contains(&action) {
                self.actions.push(action);
            }
        }
        for resource in other.resources {
            if !self.resources.contains(&resource) {
                self.resources.push(resource);
            }
        }
        self
    }
}

/// What several commands need, by what they do: resources on which the same is done stand together, and nothing is
/// allowed on a resource that was asked for another.
pub fn by_actions(all: impl IntoIterator<Item = Rights>) -> Vec<Rights> {
    let mut merged: Vec<Rights> = Vec::new();
    let mut places: HashMap<Vec<&'static str>, (usize, HashSet<String>)> = HashMap::new();
    for Rights { mut actions, resources } in all {
        actions.sort_unstable();
        let (place, seen) = places.entry(actions).or_insert_with_key(|actions| {
            merged.push(Rights { actions: actions.clone(), resources: Vec::new() });
            (merged.len() - 1, HashSet::new())
        });
        if let Some(rights) = merged.get_mut(*place) {
            rights.resources.extend(resources.into_iter().filter(|resource| seen.insert(resource.clone())));
        }
    }
    merged
}

/// A star in a key is a star and no pattern (IAM User Guide, "Policy variables", special characters).
fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '*' | '?' | '$' => out.extend(['$', '{', c, '}']),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Rights, by_actions};

    #[test]
    fn a_star_in_a_key_widens_nothing() {
        let one = Rights::on_object(&["s3:GetObject"], "data", "a*b?${x");
        assert_eq!(one.resources, ["arn:aws:s3:::data/a${*}b${?}${$}{x"]);
        let below = Rights::below(&["s3:GetObject"], "data", "logs/*/");
        assert_eq!(below.resources, ["arn:aws:s3:::data/logs/${*}/*"]);
    }

    #[test]
    fn two_rights_are_joined_without_doubles() {
        let get = Rights::below(&["s3:GetObject"], "data", "a/");
        let list = Rights::on_bucket(&["s3:ListBucket"], "data");
        let both = get.clone().and(list).and(get);
        assert_eq!(both.actions, ["s3:GetObject", "s3:ListBucket"]);
        assert_eq!(both.resources, ["arn:aws:s3:::data/a/*", "arn:aws:s3:::data"]);
    }

    #[test]
    fn what_is_removed_is_not_what_is_read() {
        let reads = |key| Rights::on_object(&["s3:GetObject", "s3:GetObjectTagging"], "data", key);
        let removes = Rights::on_object(&["s3:DeleteObject"], "data", "tmp");
        let mut turned = reads("b");
        turned.actions.reverse();
        let merged = by_actions([reads("a"), removes.clone(), turned, reads("a"), removes]);
        let seen: Vec<_> = merged.iter().map(|r| (r.actions.len(), r.resources.join(" "))).collect();
        assert_eq!(seen, [(2, "arn:aws:s3:::data/a arn:aws:s3:::data/b".into()), (1, "arn:aws:s3:::data/tmp".into())]);
    }
}
