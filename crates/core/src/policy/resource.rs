//! Resource patterns of statements: `*` or an ARN of six parts. IAM user guide, "Resource", "IAM ARNs".
//!
//! Two rules of matching exist, and they differ. In `Resource` and `NotResource` a wildcard stays inside its part of
//! the ARN, except that a `*` at the end of a part may run over the colons that follow. In `ArnLike` conditions
//! ([`arn_like`]) the six parts are compared one by one and nothing crosses a colon of the first five.

use std::borrow::Cow;

use super::access::{Context, Resource};
use super::glob::{Glob, Token};
use super::template::{Filled, Template, glob_of};
use super::truth::Truth;
use crate::limits::POLICY_PATTERN_CHARS_MAX;

/// Parts of an ARN: `arn:partition:service:region:account:resource`; the last keeps its own colons.
const ARN_PARTS: usize = 6;

/// `*` or an ARN pattern, checked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ResourcePattern {
    template: Template,
    /// Built once, where no variable has to be filled in first.
    glob: Option<Glob>,
}

/// What is wrong with a resource, in characters from its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResourceFault {
    pub(crate) at: usize,
    pub(crate) expected: String,
}

impl ResourcePattern {
    pub(crate) fn parse(text: &str) -> Result<Self, ResourceFault> {
        let fault = |at: usize, expected: &str| ResourceFault { at, expected: expected.to_owned() };
        if text.chars().count() > POLICY_PATTERN_CHARS_MAX {
            let expected = format!("at most {POLICY_PATTERN_CHARS_MAX} characters in one resource");
            return Err(ResourceFault { at: POLICY_PATTERN_CHARS_MAX, expected });
        }
        if let Some(at) = text.chars().position(char::is_control) {
            return Err(fault(at, "no control character in a resource"));
        }
        let template = Template::parse(text)
            .map_err(|wrong| ResourceFault { at: wrong.at, expected: wrong.expected.to_owned() })?;
        if text == "*" {
            return Ok(Self::of(template));
        }
        let colons: Vec<usize> = text.chars().enumerate().filter(|(_, c)| *c == ':').map(|(at, _)| at).collect();
        let part = |n: usize| text.splitn(ARN_PARTS, ':').nth(n).unwrap_or_default();
        if part(0) != "arn" {
            return Err(fault(0, "`*`, an ARN that begins with `arn:`, or `s3://bucket/key`"));
        }
        let variable = template.first_variable();
        if variable.is_some_and(|at| colons.get(ARN_PARTS - 2).is_none_or(|&fifth| at < fifth)) {
            return Err(fault(variable.unwrap_or(0), "no policy variable before the fifth `:` of an ARN"));
        }
        if colons.len() < ARN_PARTS - 1 {
            let end = text.chars().count();
            return Err(fault(end, "six parts, `arn:partition:service:region:account:resource`"));
        }
        let starts = |n: usize| colons.get(n - 1).map_or(0, |at| at + 1);
        let wildcard = part(2).chars().position(|c| matches!(c, '*' | '?'));
        match (part(1), part(2), wildcard, part(5)) {
            ("", ..) => Err(fault(starts(1), "a partition such as `aws`")),
            (_, "", ..) => Err(fault(starts(2), "a service such as `s3`")),
            (_, _, Some(at), _) => Err(fault(starts(2) + at, "no wildcard in the service part of an ARN")),
            (_, _, _, "") => Err(fault(starts(5), "a resource after the fifth `:`, or `*`")),
            _ => Ok(Self::of(template)),
        }
    }

    fn of(template: Template) -> Self {
        let glob = (!template.has_variables()).then(|| arn_glob(&template.widest()));
        Self { template, glob }
    }

    pub(crate) fn as_str(&self) -> &str {
        self.template.as_str()
    }

    /// True for `*`, which alone also means what has no ARN.
    pub(crate) fn is_everything(&self) -> bool {
        self.as_str() == "*"
    }

    pub(crate) fn has_variables(&self) -> bool {
        self.template.has_variables()
    }

    /// Whether the access touches what the pattern means. `inverted` is for `NotResource`, where a variable
    /// without a value would make an Allow wider: there it leaves the answer open, and so does one that may have none.
    pub(crate) fn matches(&self, resource: &Resource, context: &Context, inverted: bool) -> Truth {
        if self.is_everything() {
            return Truth::Yes;
        }
        if let Some(glob) = &self.glob {
            return certain(glob, resource);
        }
        let Some(filled) = self.template.fill(context) else {
            return if inverted { Truth::Maybe } else { Truth::No };
        };
        let guessed = filled.contains(&Filled::Anything);
        match certain(&arn_glob(&filled), resource) {
            Truth::Yes if guessed => Truth::Maybe,
            Truth::No if guessed && inverted => Truth::Maybe,
            truth => truth,
        }
    }

    /// True when all that `other` can mean is meant by us. Variables only cover themselves.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        if self.is_everything() || self == other {
            return true;
        }
        // An ARN's pattern never covers the star that stands alone.
        self.glob.as_ref().is_some_and(|glob| glob.covers(&other.widest()))
    }

    /// Covers all that the pattern can become.
    fn widest(&self) -> Cow<'_, Glob> {
        self.glob.as_ref().map_or_else(|| Cow::Owned(arn_glob(&self.template.widest())), Cow::Borrowed)
    }

    /// True when some resource may be meant by both.
    pub(crate) fn may_overlap(&self, other: &Self) -> bool {
        self.is_everything() || other.is_everything() || self.widest().intersects(&other.widest())
    }
}

/// Whether a resource is one that a pattern other than `*` means.
fn certain(glob: &Glob, resource: &Resource) -> Truth {
    let (surely, possibly) = match resource {
        Resource::Exact(arn) if arn == "*" => (false, false),
        Resource::Exact(arn) if !is_arn(arn) => (false, true),
        Resource::Exact(arn) => {
            let matches = glob.matches(arn);
            (matches, matches)
        }
        Resource::Pattern(pattern) => {
            let asked = Glob::new(pattern);
            (glob.covers(&asked), glob.intersects(&asked))
        }
        Resource::Opaque => (false, true),
    };
    match (surely, possibly) {
        (true, _) => Truth::Yes,
        (false, true) => Truth::Maybe,
        (false, false) => Truth::No,
    }
}

/// `ArnEquals` and `ArnLike`: six parts against six parts. `None` when one of the two has fewer: a value of the wrong
/// type decides nothing.
pub(crate) fn arn_like(pattern: &[Filled], text: &str) -> Option<bool> {
    let parts = parts_of(pattern)?;
    if !is_arn(text) {
        return None;
    }
    Some(parts.iter().zip(text.splitn(ARN_PARTS, ':')).all(|(part, text)| glob_of(part, true).matches(text)))
}

/// True for the ARN that stands for every bucket, in the listing of them; no bucket has that name, and policies say `*`.
pub(crate) fn is_every_bucket(arn: &str) -> bool {
    arn.ends_with(":s3:::*")
}

/// True when a pattern has the six parts that [`arn_like`] compares.
pub(crate) fn is_arn_pattern(pattern: &[Filled]) -> bool {
    parts_of(pattern).is_some()
}

/// Six parts, the first of them `arn`.
pub(crate) fn is_arn(text: &str) -> bool {
    text.starts_with("arn:") && text.bytes().filter(|b| *b == b':').count() >= ARN_PARTS - 1
}

/// Splits at the first five colons.
fn parts_of(filled: &[Filled]) -> Option<Vec<&[Filled]>> {
    let colon = |f: &Filled| matches!(f, Filled::Plain(':') | Filled::Literal(':'));
    let parts: Vec<&[Filled]> = filled.splitn(ARN_PARTS, colon).collect();
    (parts.len() == ARN_PARTS).then_some(parts)
}

fn arn_glob(filled: &[Filled]) -> Glob {
    let Some(parts) = parts_of(filled) else {
        return glob_of(filled, true);
    };
    let mut tokens = Vec::with_capacity(filled.len());
    for (n, part) in parts.iter().enumerate() {
        let last_part = n + 1 == ARN_PARTS;
        for (at, piece) in part.iter().enumerate() {
            tokens.push(match *piece {
                Filled::Plain('*') => Token::Star { colon: last_part || at + 1 == part.len() },
                Filled::Plain('?') => Token::One { colon: last_part },
                Filled::Plain(c) | Filled::Literal(c) => Token::Char(c),
                Filled::Anything => Token::Star { colon: true },
            });
        }
        if !last_part {
            tokens.push(Token::Char(':'));
        }
    }
    Glob::from_tokens(tokens)
}

#[cfg(test)]
mod tests {
    use super::{ResourcePattern, arn_like, is_arn};
    use crate::policy::access::{Context, Resource};
    use crate::policy::template::Template;
    use crate::policy::truth::Truth::{self, Maybe, No, Yes};

    #[test]
    fn an_arn_has_its_beginning_and_six_parts() {
        assert!(is_arn("arn:aws:s3:::b") && is_arn("arn:aws:s3:::b:c"));
        for text in ["", "arn:", "arn:aws:s3", "arn:aws:s3::a-long-name", "urn:aws:s3:::b", "a:b:c:d:e:f:g"] {
            assert!(!is_arn(text), "{text}");
        }
    }

    fn exact(pattern: &str, arn: &str) -> Truth {
        let pattern = ResourcePattern::parse(pattern).expect("parses");
        pattern.matches(&Resource::Exact(arn.to_owned()), &Context::default(), false)
    }

    fn like(pattern: &str, arn: &str) -> Option<bool> {
        let filled = Template::parse(pattern).expect("parses").fill(&Context::default()).expect("fills");
        arn_like(&filled, arn)
    }

    #[test]
    fn a_star_at_the_end_of_a_part_crosses_colons_in_a_resource_but_not_in_a_condition() {
        let pattern = "arn:aws:sns:us-east-1*:123456789012:topic";
        let odd = "arn:aws:sns:us-east-1:x:123456789012:topic";
        assert_eq!(exact(pattern, odd), Yes);
        assert_eq!(like(pattern, odd), Some(false));
        assert_eq!(exact("arn:aws:sns:us*1:123456789012:topic", "arn:aws:sns:us:x:1:123456789012:topic"), No);
        assert_eq!(exact("arn:aws:sns:us?1:1:t", "arn:aws:sns:us:1:1:t"), No);
        for arn in ["arn:aws:s3:::b/a/b", "arn:aws:s3:::b/a:b"] {
            assert_eq!((exact("arn:aws:s3:::b/*b", arn), like("arn:aws:s3:::b/*b", arn)), (Yes, Some(true)));
        }
        assert_eq!(like("*", "arn:aws:s3:::b"), None);
        assert_eq!(like("arn:*:*:*:*:*", "b"), None);
    }

    #[test]
    fn only_a_star_means_what_has_no_arn() {
        assert_eq!([exact("*", "*"), exact("arn:aws:s3:::*", "*")], [Yes, No]);
        assert_eq!([exact("*", "bucket/key"), exact("arn:aws:s3:::*", "bucket/key")], [Yes, Maybe]);
        let opaque =
            |p: &str| ResourcePattern::parse(p).expect("ok").matches(&Resource::Opaque, &Context::default(), false);
        assert_eq!([opaque("*"), opaque("arn:aws:s3:::*")], [Yes, Maybe]);
    }

    #[test]
    fn a_request_for_a_pattern_is_covered_wholly_or_not_at_all() {
        let asked = Resource::Pattern("arn:aws:secretsmanager:us-east-1:1:secret:db-??????".into());
        let against = |p: &str| ResourcePattern::parse(p).expect("ok").matches(&asked, &Context::default(), false);
        assert_eq!(against("arn:aws:secretsmanager:us-east-1:1:secret:db-*"), Yes);
        assert_eq!(against("arn:aws:secretsmanager:*:1:secret:*"), Yes);
        assert_eq!(against("arn:aws:secretsmanager:us-east-1:1:secret:db-abcdef"), Maybe);
        assert_eq!(against("arn:aws:secretsmanager:us-east-1:1:secret:web-*"), No);
    }
}
