//! Wider than what was asked for, where somebody wants that. Each step is told.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::grant::{Grant, PREFIX, escaped, joined};

/// How far to go beyond what was asked for. Each level includes the ones before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing but what was asked for.
    #[default]
    None,
    /// Two or more S3 keys, or prefixes of listings, under one folder: everything under it.
    Keys,
    /// Ids in names (UUIDs, long numbers, hexadecimal ones such as in `i-0abc…`): any text. Never in a bucket's name.
    Ids,
}

/// One resource or prefix that now stands for more.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Widening {
    /// The level at which it was made.
    pub level: Level,
    /// The action that it is for.
    pub action: String,
    /// What is written now.
    pub to: String,
    /// What was asked for, sorted.
    pub from: Vec<String>,
}

/// Fewest digits of a decimal number that counts as an id; shorter ones are versions, ports and years.
const ID_DIGITS_MIN: usize = 6;
/// Fewest digits of a hexadecimal number that counts as an id (EC2's oldest ids have eight).
const ID_HEX_MIN: usize = 8;

/// The grants at `level`, and what was done to get there. Actions that hand out credentials are left as they are.
pub(super) fn generalise(grants: BTreeSet<Grant>, level: Level) -> (BTreeSet<Grant>, Vec<Widening>) {
    let mut told = Vec::new();
    let mut grants = grants;
    if level >= Level::Keys {
        grants = prefixes(keys(grants, &mut told), &mut told);
    }
    if level >= Level::Ids {
        grants = ids(joined(grants), &mut told);
    }
    told.sort();
    (grants, told)
}

fn keys(grants: BTreeSet<Grant>, told: &mut Vec<Widening>) -> BTreeSet<Grant> {
    let mut kept = BTreeSet::new();
    let mut buckets: BTreeMap<(Grant, String), Vec<String>> = BTreeMap::new();
    for grant in grants {
        match bucket_and_key(&grant.resource) {
            Some((bucket, key)) if !grant.mints() => {
                let (bucket, key) = (bucket.to_owned(), key.to_owned());
                buckets.entry((Grant { resource: String::new(), ..grant }, bucket)).or_default().push(key);
            }
            _ => _ = kept.insert(grant),
        }
    }
    for ((grant, bucket), keys) in buckets {
        let with = |key: &str| Grant { resource: format!("{bucket}/{key}"), ..grant.clone() };
        for (folder, under) in folders(keys) {
            match folder {
                None => kept.extend(under.iter().map(|key| with(key))),
                Some(folder) => {
                    let wide = with(&format!("{folder}*"));
                    let from = under.iter().map(|key| with(key).resource).collect();
                    told.push(Widening {
                        level: Level::Keys,
                        action: wide.action.clone(),
                        to: wide.resource.clone(),
                        from,
                    });
                    kept.insert(wide);
                }
            }
        }
    }
    kept
}

/// Prefixes of listings. Their values stand for themselves under `StringEquals`, and under `StringLike` do not.
fn prefixes(grants: BTreeSet<Grant>, told: &mut Vec<Widening>) -> BTreeSet<Grant> {
    let name = |operator: &str| (operator.to_owned(), PREFIX.to_owned());
    let mut kept = BTreeSet::new();
    for mut grant in grants {
        let Some(values) = grant.terms.remove(&name("StringEquals")) else {
            kept.insert(grant);
            continue;
        };
        for (folder, under) in folders(values.into_iter().map(|value| value.replace("${$}", "$")).collect()) {
            let mut narrowed = grant.clone();
            match folder {
                None => {
                    let values = under.iter().map(|value| value.replace('$', "${$}")).collect();
                    narrowed.terms.insert(name("StringEquals"), values);
                }
                Some(folder) => {
                    let to = format!("{}*", escaped(&folder));
                    told.push(Widening {
                        level: Level::Keys,
                        action: grant.action.clone(),
                        to: format!("{PREFIX} {to}"),
                        from: under.iter().map(|value| format!("{PREFIX} {value}")).collect(),
                    });
                    narrowed.terms.insert(name("StringLike"), BTreeSet::from([to]));
                }
            }
            kept.insert(narrowed);
        }
    }
    kept
}

fn ids(grants: BTreeSet<Grant>, told: &mut Vec<Widening>) -> BTreeSet<Grant> {
    let mut from: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let mut widened = |grant: Grant| {
        let name_at = match bucket_and_key(&grant.resource) {
            Some((bucket, _)) => Some(bucket.len() + 1),
            None if grant.resource.starts_with("arn:") && !is_s3(&grant.resource) => {
                grant.resource.match_indices(':').nth(4).map(|(at, _)| at + 1)
            }
            None => None,
        };
        let Some((head, name)) = name_at.filter(|_| !grant.mints()).and_then(|at| grant.resource.split_at_checked(at))
        else {
            return grant;
        };
        let resource = format!("{head}{}", without_ids(name));
        if resource == grant.resource {
            return grant;
        }
        from.entry((grant.action.clone(), resource.clone())).or_default().push(grant.resource.clone());
        Grant { resource, ..grant }
    };
    let kept = grants.into_iter().map(&mut widened).collect();
    told.extend(from.into_iter().map(|((action, to), from)| Widening { level: Level::Ids, action, to, from }));
    kept
}

/// Groups names by their first folder. With two or more in it: the deepest folder that holds them all.
fn folders(names: Vec<String>) -> Vec<(Option<String>, Vec<String>)> {
    let mut by_first: BTreeMap<Option<String>, Vec<String>> = BTreeMap::new();
    for name in names {
        let first = name.split_once('/').map(|(first, _)| first.to_owned());
        by_first.entry(first).or_default().push(name);
    }
    let common = |(first, mut under): (Option<String>, Vec<String>)| {
        under.sort();
        let folder = (first.is_some() && under.len() > 1).then(|| deepest(&under)).filter(|folder| !folder.is_empty());
        (folder, under)
    };
    by_first.into_iter().map(common).collect()
}

/// With its `/`.
fn deepest(sorted: &[String]) -> String {
    let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else { return String::new() };
    let same = first.bytes().zip(last.bytes()).take_while(|(a, b)| a == b).count();
    let end = first.as_bytes().iter().take(same).rposition(|b| *b == b'/').map_or(0, |at| at + 1);
    first.get(..end).unwrap_or_default().to_owned()
}

fn is_s3(resource: &str) -> bool {
    resource.split(':').nth(2) == Some("s3")
}

/// `arn:…:bucket` and the key; `None` for anything else.
fn bucket_and_key(resource: &str) -> Option<(&str, &str)> {
    if !is_s3(resource) {
        return None;
    }
    resource.split_once('/')
}

/// The text with `*` for each id. What is between two other characters than letters and digits is looked at as one.
fn without_ids(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let uuid = uuid_at(rest).filter(|_| !out.ends_with(|c: char| c.is_ascii_alphanumeric()));
        let word = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let (piece, is_id) = match (uuid, word) {
            (Some(length), _) => (length, true),
            (None, 0) => (rest.chars().next().map_or(rest.len(), char::len_utf8), false),
            (None, word) => (word, rest.get(..word).is_some_and(is_id)),
        };
        let (piece, after) = rest.split_at_checked(piece).unwrap_or((rest, ""));
        match is_id {
            // Two ids side by side are one star: a second one says nothing.
            true if out.ends_with('*') => {}
            true => out.push('*'),
            false => out.push_str(piece),
        }
        rest = after;
    }
    out
}

/// A long decimal number, or a long hexadecimal one in which there is a digit.
fn is_id(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let hex = word.bytes().all(|b| b.is_ascii_hexdigit());
    (digits == word.len() && digits >= ID_DIGITS_MIN) || (hex && digits > 0 && word.len() >= ID_HEX_MIN)
}

/// Length of a UUID (RFC 9562) at the beginning of the text.
fn uuid_at(text: &str) -> Option<usize> {
    const LENGTH: usize = 36;
    let candidate = text.get(..LENGTH)?;
    let parts: Vec<&str> = candidate.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let hex = parts.iter().all(|part| part.bytes().all(|b| b.is_ascii_hexdigit()));
    let ends = !text.get(LENGTH..).unwrap_or_default().starts_with(|c: char| c.is_ascii_alphanumeric());
    (hex && ends && lengths == [8, 4, 4, 4, 12]).then_some(LENGTH)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Level, generalise, without_ids};
    use crate::learn::grant::{Grant, PREFIX};

    fn at(level: Level, grants: &[Grant]) -> (Vec<String>, usize) {
        let (grants, told) = generalise(grants.iter().cloned().collect(), level);
        (grants.into_iter().map(|grant| grant.resource).collect(), told.len())
    }

    fn gets(keys: &[&str]) -> Vec<Grant> {
        keys.iter().map(|key| Grant::new("s3:GetObject", format!("arn:aws:s3:::b/{key}"))).collect()
    }

    #[test]
    fn keys_of_one_folder_become_the_folder_and_others_stay() {
        let keys = gets(&["a/x/1", "a/x/2", "c/only", "root", "other"]);
        assert_eq!(at(Level::None, &keys).1, 0);
        let (resources, told) = at(Level::Keys, &keys);
        assert_eq!(told, 1);
        assert_eq!(
            resources,
            ["arn:aws:s3:::b/a/x/*", "arn:aws:s3:::b/c/only", "arn:aws:s3:::b/other", "arn:aws:s3:::b/root"]
        );
        assert_eq!(at(Level::Keys, &gets(&["a/x/1", "a/y/2"])).0, ["arn:aws:s3:::b/a/*"]);
        assert_eq!(at(Level::Keys, &gets(&["/x", "/y"])).0, ["arn:aws:s3:::b//*"]);
    }

    #[test]
    fn every_widening_names_what_it_stands_for() {
        let (_, told) = generalise(gets(&["a/2", "a/1"]).into_iter().collect(), Level::Keys);
        assert_eq!(told[0].to, "arn:aws:s3:::b/a/*");
        assert_eq!(told[0].from, ["arn:aws:s3:::b/a/1", "arn:aws:s3:::b/a/2"]);
    }

    #[test]
    fn prefixes_of_one_folder_become_a_pattern_that_escapes_what_is_literal() {
        let mut list = Grant::new("s3:ListBucket", "arn:aws:s3:::b").demanding(PREFIX, "a*/1");
        list.terms.values_mut().for_each(|values| _ = values.insert("a*/2".to_owned()));
        let (grants, told) = generalise(BTreeSet::from([list]), Level::Keys);
        let terms: Vec<_> = grants.iter().flat_map(|grant| grant.terms.values().flatten().cloned()).collect();
        assert_eq!((terms, told.len()), (vec!["a${*}/*".to_owned()], 1));
    }

    #[test]
    fn ids_become_stars_and_names_do_not() {
        for (text, expected) in [
            ("table/orders-2024", "table/orders-2024"),
            ("instance/i-0123456789abcdef0", "instance/i-*"),
            ("run/550e8400-e29b-41d4-a716-446655440000.json", "run/*.json"),
            ("20261123/report", "*/report"),
            ("deadbeef/facade", "deadbeef/facade"),
            ("x550e8400-e29b-41d4-a716-446655440000", "x550e8400-e29b-41d4-a716-*"),
            ("ä/123456", "ä/*"),
            ("v12345", "v12345"),
        ] {
            assert_eq!(without_ids(text), expected);
        }
    }

    #[test]
    fn a_bucket_an_account_and_what_mints_keep_their_ids() {
        let grants = [
            Grant::new("s3:ListBucket", "arn:aws:s3:::logs-123456789012"),
            Grant::new("s3:GetObject", "arn:aws:s3:::logs-123456789012/k/123456"),
            Grant::new("sqs:SendMessage", "arn:aws:sqs:us-east-1:123456789012:jobs"),
            Grant::new("sts:AssumeRole", "arn:aws:iam::123456789012:role/x-12345678"),
        ];
        let (resources, told) = at(Level::Ids, &grants);
        assert_eq!(told, 1);
        for kept in [&grants[0], &grants[2], &grants[3]] {
            assert!(resources.contains(&kept.resource), "{resources:?}");
        }
        assert!(resources.contains(&"arn:aws:s3:::logs-123456789012/k/*".to_owned()), "{resources:?}");
    }
}
