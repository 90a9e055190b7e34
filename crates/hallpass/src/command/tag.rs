//! A label to look for: `key=value`, `key:value`, or a key alone.

use std::str::FromStr;

/// A label to look for; without a value, any value will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TagFilter {
    /// Key.
    pub(crate) key: String,
    /// Value, if it matters.
    pub(crate) value: Option<String>,
}

impl FromStr for TagFilter {
    type Err = String;

    /// The first `=` divides; where there is none, the first `:`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key, value) = match text.split_once('=').or_else(|| text.split_once(':')) {
            Some((key, value)) => (key, Some(value.to_owned())),
            None => (text, None),
        };
        if key.is_empty() {
            return Err(format!("`{text}` has no key: write `key=value`"));
        }
        Ok(Self { key: key.to_owned(), value })
    }
}

#[cfg(test)]
mod tests {
    use super::TagFilter;

    #[test]
    fn both_ways_to_write_a_tag_are_read_and_a_key_alone_means_any_value() {
        let tag = |text: &str| text.parse::<TagFilter>().map(|tag| (tag.key, tag.value)).ok();
        let pair = |key: &str, value: Option<&str>| Some((key.to_owned(), value.map(str::to_owned)));
        assert_eq!(tag("ticket=JIRA-1"), pair("ticket", Some("JIRA-1")));
        assert_eq!(tag("ticket:JIRA-1"), pair("ticket", Some("JIRA-1")));
        assert_eq!(tag("url=http://x"), pair("url", Some("http://x")));
        assert_eq!(tag("k="), pair("k", Some("")));
        assert_eq!(tag("k"), pair("k", None));
        assert_eq!(tag("=v"), None);
    }
}
