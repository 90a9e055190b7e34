//! The one decoder of paths, queries, forms and headers. Whatever two parsers could read in two ways is refused.

use std::collections::{HashMap, HashSet};

use super::{Request, malformed};
use crate::denial::Denial;
use crate::limits::{FORM_PARAMETERS_MAX, QUERY_PARAMETERS_MAX};
use crate::sigv4::presigned::PROOF;

/// What a `+` means. In a form it is a space; in a URL servers disagree, so it is refused there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plus {
    Space,
    Refused,
    Literal,
}

/// Decodes percent-escapes once. `None` for a broken escape, a byte that needed one, a NUL, or text that is not UTF-8.
pub(super) fn decode(raw: &str, plus: Plus) -> Option<String> {
    let mut out = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        let decoded = match byte {
            b'%' => hex_digit(bytes.next()?)? << 4 | hex_digit(bytes.next()?)?,
            b'+' if plus == Plus::Space => b' ',
            b'+' if plus == Plus::Refused => return None,
            0x21..=0x7e => byte,
            _ => return None,
        };
        if decoded == 0 {
            return None;
        }
        out.push(decoded);
    }
    String::from_utf8(out).ok()
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Decoded parameters, each name once, whatever its case.
#[derive(Debug, Default)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// The query of a URL.
    pub(crate) fn of_query(raw: &str) -> Result<Self, Denial> {
        Self::parse(raw, Plus::Refused, QUERY_PARAMETERS_MAX, "query")
    }

    /// The query of a REST service's URL, where lists repeat their name.
    pub(super) fn of_rest_query(raw: &str) -> Result<Self, Denial> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for part in raw.split('&').filter(|part| !part.is_empty()) {
            let one = Self::parse(part, Plus::Refused, 1, "query")?.0;
            let twin = |name: &str| pairs.iter().any(|(known, _)| known != name && known.eq_ignore_ascii_case(name));
            if one.iter().any(|(name, _)| twin(name)) {
                return Err(malformed("a parameter occurs twice in the query, in another case"));
            }
            if pairs.len() == QUERY_PARAMETERS_MAX {
                return Err(malformed(format!("the query has more than {QUERY_PARAMETERS_MAX} parameters")));
            }
            pairs.extend(one);
        }
        Ok(Self(pairs))
    }

    /// A body of type `application/x-www-form-urlencoded`.
    pub(crate) fn of_form(body: &[u8]) -> Result<Self, Denial> {
        let raw = str::from_utf8(body).map_err(|_| malformed("the form body is not ASCII"))?;
        Self::parse(raw, Plus::Space, FORM_PARAMETERS_MAX, "form body")
    }

    fn parse(raw: &str, plus: Plus, count_max: usize, place: &str) -> Result<Self, Denial> {
        let mut pairs = Vec::new();
        let mut seen = HashSet::new();
        for part in raw.split('&').filter(|part| !part.is_empty()) {
            if pairs.len() == count_max {
                return Err(malformed(format!("the {place} has more than {count_max} parameters")));
            }
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let (Some(name), Some(value)) = (decode(name, plus), decode(value, plus)) else {
                return Err(malformed(format!("the {place} is not percent-encoded UTF-8 (send a plus sign as %2B)")));
            };
            if !seen.insert(name.to_ascii_lowercase()) {
                return Err(malformed(format!("a parameter occurs twice in the {place}")));
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All values of a name that may repeat.
    pub(super) fn all<'s>(&'s self, name: &str) -> impl Iterator<Item = &'s str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The texts of a list in a form: `Name.1`, `Name.member.1`.
    pub(super) fn listed<'s>(&'s self, name: &str) -> impl Iterator<Item = &'s str> {
        let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let item = move |known: &str| {
            let rest = known.strip_prefix(name).and_then(|rest| rest.strip_prefix('.'));
            rest.is_some_and(|rest| number(rest.rsplit('.').next().unwrap_or_default()) && rest.split('.').count() <= 2)
        };
        self.0.iter().filter(move |(known, _)| item(known)).map(|(_, value)| value.as_str())
    }

    /// Whether something is given under the name of a list, and is none of its items: `Name=x`, `Name[]=x`, `Name.1.x=y`.
    /// Some servers take that for an item. `Name=` is how a form writes an empty list.
    pub(super) fn has_stray_item(&self, name: &str) -> bool {
        let items = self.listed(name).count();
        let under = |(known, value): &&(String, String)| match known.strip_prefix(name) {
            Some("") => !value.is_empty(),
            Some(rest) => rest.starts_with(['.', '[']),
            None => false,
        };
        self.0.iter().filter(under).count() > items
    }

    /// Whether two parameters differ in case only, at any depth and whatever the numbers of their items:
    /// `Id.1=a&id.2=b`. Servers differ about which of them they read.
    pub(super) fn has_twin_in_another_case(&self) -> bool {
        let mut spelled: HashMap<String, &str> = HashMap::new();
        self.0.iter().any(|(name, _)| {
            let mut folded = String::with_capacity(name.len());
            name.split('.').any(|part| {
                let numbered = part.bytes().all(|b| b.is_ascii_digit());
                folded.push('.');
                folded.push_str(&if numbered { "#".to_owned() } else { part.to_ascii_lowercase() });
                !numbered && *spelled.entry(folded.clone()).or_insert(part) != part
            })
        })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One parameter of a form body or of a query, decoded; its name has to match in case. The request that holds it has
/// been resolved, so no name occurs twice.
pub(crate) fn parameter(raw: &str, name: &str) -> Option<String> {
    let named = |part: &&str| decode(part.split('=').next().unwrap_or_default(), Plus::Space).as_deref() == Some(name);
    let part = raw.split('&').find(named)?;
    decode(part.split_once('=').map_or("", |(_, value)| value), Plus::Space)
}

/// Whether a query parameter belongs to a presigned URL's authentication, which is not ours to judge.
pub(crate) fn is_presign_parameter(name: &str) -> bool {
    PROOF.contains(&name)
}

impl<'a> Request<'a> {
    /// The value of a header that may occur once.
    pub(super) fn header(&self, name: &str) -> Result<Option<&'a str>, Denial> {
        let mut values = self.headers.iter().filter(|(known, _)| *known == name);
        let Some((_, value)) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(malformed(format!("the header `{name}` occurs twice")));
        }
        let text = str::from_utf8(value).map_err(|_| malformed(format!("the header `{name}` is not text")))?;
        Ok(Some(text.trim_matches([' ', '\t'])))
    }

    pub(super) fn has_header(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| *known == name)
    }
}

#[cfg(test)]
mod tests {
    use super::{Parameters, Plus, decode};
    use crate::limits::{FORM_PARAMETERS_MAX, QUERY_PARAMETERS_MAX};

    #[test]
    fn text_is_decoded_once_or_not_at_all() {
        assert_eq!(decode("a%2520b%2Fc", Plus::Literal).as_deref(), Some("a%20b/c"));
        assert_eq!(decode("%C3%A4", Plus::Literal).as_deref(), Some("ä"));
        for bad in ["%", "%4", "%zz", "%00", "%ff", "%c0%af", "ä", "a b", "\u{7f}", "%+1"] {
            assert_eq!(decode(bad, Plus::Literal), None, "{bad}");
        }
    }

    #[test]
    fn a_plus_is_a_space_in_a_form_and_nothing_in_a_url() {
        assert_eq!(decode("a+b", Plus::Space).as_deref(), Some("a b"));
        assert_eq!(decode("a+b", Plus::Literal).as_deref(), Some("a+b"));
        assert!(Parameters::of_query("prefix=a+b").is_err());
        assert_eq!(Parameters::of_form(b"A=a+b").expect("form").get("A"), Some("a b"));
    }

    #[test]
    fn a_parameter_occurs_once_whatever_its_case_or_encoding() {
        let many = (0..32).map(|n| format!("p{n}=1&")).collect::<String>();
        assert!(Parameters::of_query(&many).is_ok());
        for twice in ["a=1&a=1", "Action=a&action=b", "a=1&%61=2", "a&A"] {
            assert!(Parameters::of_query(twice).is_err(), "{twice}");
            assert!(Parameters::of_query(&format!("{many}{twice}")).is_err(), "behind many: {twice}");
        }
        for early in 0..32 {
            assert!(Parameters::of_query(&format!("{many}P{early}=2")).is_err(), "{early}");
        }
        assert_eq!(Parameters::of_query("a=1&&b").expect("query").get("b"), Some(""));
    }

    #[test]
    fn parameters_are_counted() {
        let many = |n: usize| (0..n).map(|i| format!("p{i}=1")).collect::<Vec<_>>().join("&");
        assert!(Parameters::of_query(&many(QUERY_PARAMETERS_MAX)).is_ok());
        assert!(Parameters::of_query(&many(QUERY_PARAMETERS_MAX + 1)).is_err());
        assert!(Parameters::of_form(many(FORM_PARAMETERS_MAX).as_bytes()).is_ok());
        assert!(Parameters::of_form(many(FORM_PARAMETERS_MAX + 1).as_bytes()).is_err());
    }
}
