//! Action patterns made ready to match: each is taken apart once, and told apart by its form. Without regard to case
//! (IAM user guide, "Action").

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;

use super::action::ActionPattern;
use super::glob::Glob;

/// One half of an action pattern. Most are plain names or end in their only star, and are compared as text.
#[derive(Debug, Clone)]
pub(super) enum Part<T> {
    /// `*`
    Any,
    /// No wildcard.
    Exact(T),
    /// A star at the end, which is kept, and no other wildcard.
    Prefix(T),
    /// Anything else, in lower case.
    Glob(Glob),
}

impl<T: AsRef<str>> Part<T> {
    pub(super) fn of(pattern: T) -> Self {
        let text = pattern.as_ref();
        match text.bytes().position(|b| matches!(b, b'*' | b'?')) {
            None => Self::Exact(pattern),
            Some(0) if text == "*" => Self::Any,
            Some(at) if at + 1 == text.len() && text.ends_with('*') => Self::Prefix(pattern),
            Some(_) => Self::Glob(Glob::folded(text)),
        }
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.matches_folded(text, || Cow::Owned(text.to_ascii_lowercase()))
    }

    /// As [`Self::matches`], by a text in lower case that the caller may have already.
    fn matches_folded<'t>(&self, text: &str, folded: impl FnOnce() -> Cow<'t, str>) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(name) => name.as_ref().eq_ignore_ascii_case(text),
            Self::Prefix(pattern) => {
                let prefix = pattern.as_ref().strip_suffix('*').unwrap_or_default().as_bytes();
                text.as_bytes().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
            }
            Self::Glob(glob) => glob.matches(&folded()),
        }
    }
}

/// A list of action patterns.
#[derive(Debug, Clone)]
pub(super) struct Matchers(Vec<[Part<Box<str>>; 2]>);

impl Matchers {
    pub(super) fn of(patterns: &[ActionPattern]) -> Self {
        let part = |text: &str| Part::of(Box::from(text));
        Self(patterns.iter().map(|pattern| [part(&pattern.service), part(&pattern.action)]).collect())
    }

    /// Places of the patterns that mean the IAM action `service:name`.
    pub(super) fn matching(&self, service: &str, name: &str) -> impl Iterator<Item = usize> {
        let matches =
            move |[of_service, of_name]: &[Part<Box<str>>; 2]| of_service.matches(service) && of_name.matches(name);
        self.0.iter().enumerate().filter(move |(_, parts)| matches(parts)).map(|(at, _)| at)
    }

    /// True when one of them means it.
    pub(super) fn any(&self, service: &str, name: &str) -> bool {
        self.matching(service, name).next().is_some()
    }
}

/// Rows of one of our own tables, found by their service: one that is spelled out, or `*`.
#[derive(Debug)]
pub(super) struct Rows(BTreeMap<&'static str, Vec<(Part<&'static str>, usize)>>);

impl Rows {
    /// `service:Action` patterns, the service in lower case.
    pub(super) fn of(patterns: impl IntoIterator<Item = &'static str>) -> Self {
        let mut rows: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (at, pattern) in patterns.into_iter().enumerate() {
            let (service, name) = pattern.split_once(':').unwrap_or(("", pattern));
            rows.entry(service).or_default().push((Part::of(name), at));
        }
        Self(rows)
    }

    /// Place of the first row that means the IAM action `service:name`.
    pub(super) fn find(&self, service: &str, name: &str) -> Option<usize> {
        let upper = service.bytes().any(|b| b.is_ascii_uppercase());
        let service = if upper { Cow::Owned(service.to_ascii_lowercase()) } else { Cow::Borrowed(service) };
        let rows = |service: &str| self.0.get(service).map(Vec::as_slice).unwrap_or_default();
        let lower = OnceCell::new();
        let folded = || Cow::Borrowed(lower.get_or_init(|| name.to_ascii_lowercase()).as_str());
        let matches = |part: &Part<&str>| part.matches_folded(name, folded);
        let first = |service| rows(service).iter().find(|(part, _)| matches(part)).map(|(_, at)| *at);
        [first(service.as_ref()), first("*")].into_iter().flatten().min()
    }

    /// Every service that there are rows for.
    #[cfg(test)]
    pub(super) fn services(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::{Matchers, Part, Rows};
    use crate::policy::ActionPattern;
    use crate::policy::glob::Glob;

    #[test]
    fn a_plain_pattern_is_compared_as_text() {
        assert!(matches!(Part::of("*"), Part::Any));
        assert!(matches!(Part::of("GetObject"), Part::Exact(_)));
        assert!(matches!(Part::of("Get*"), Part::Prefix(_)));
        for pattern in ["Get?", "*Object", "Get*Acl", "Get*?", "?*", "**"] {
            assert!(matches!(Part::of(pattern), Part::Glob(_)), "{pattern}");
        }
    }

    /// Every text of up to `most` of these letters.
    fn texts(letters: &[char], most: usize) -> Vec<String> {
        let mut all = vec![String::new()];
        let mut last = all.clone();
        for _ in 0..most {
            last = last.iter().flat_map(|text| letters.iter().map(move |c| format!("{text}{c}"))).collect();
            all.extend(last.clone());
        }
        all
    }

    #[test]
    fn every_form_of_a_pattern_matches_as_the_general_matcher_does() {
        let names = texts(&['a', 'B', 'é'], 3);
        for pattern in texts(&['A', 'b', '*', '?'], 4) {
            let (part, slow) = (Part::of(pattern.as_str()), Glob::folded(&pattern));
            for name in &names {
                assert_eq!(part.matches(name), slow.matches(&name.to_ascii_lowercase()), "{pattern} {name}");
            }
        }
    }

    #[test]
    fn a_list_says_which_of_its_patterns_mean_an_action() {
        let patterns = ["s3:Get*", "S3:*", "*", "s3:PutObject", "s?:G*t"].map(|text| text.parse::<ActionPattern>());
        let patterns: Vec<_> = patterns.into_iter().map(|pattern| pattern.expect("parses")).collect();
        let matching: Vec<_> = Matchers::of(&patterns).matching("s3", "getobject").collect();
        assert_eq!(matching, [0, 1, 2, 4]);
        assert!(!Matchers::of(&[]).any("s3", "GetObject"));
    }

    #[test]
    fn the_first_row_of_a_service_or_of_all_counts_and_other_services_have_none() {
        let rows = Rows::of(["iam:Put*Policy", "sts:*", "iam:PutRolePolicy", "*:GetToken"]);
        assert_eq!((rows.find("sts", "GetToken"), rows.find("s3", "gettoken")), (Some(1), Some(3)));
        assert_eq!(rows.find("IAM", "putrolepolicy"), Some(0));
        assert_eq!((rows.find("sts", "X"), rows.find("s3", "X"), rows.find("iam", "Put")), (Some(1), None, None));
    }
}
