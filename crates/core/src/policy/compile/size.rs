//! The text as sent, and what makes it long.

use std::collections::HashSet;

use serde::Serialize;

use crate::policy::condition::Block;
use crate::policy::document::Statement;

/// Parts named when a policy is too large.
const PARTS_NAMED: usize = 3;
/// Characters shown of each.
const PART_CHARS_SHOWN: usize = 80;

/// Compact JSON. STS takes characters up to U+00FF only, so others are escaped; they then count as six each.
pub(super) fn text(policy: &impl Serialize) -> String {
    let json = serde_json::to_string(policy).expect("strings, lists and maps with string keys always become JSON");
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c > '\u{ff}' {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// The longest actions, resources and condition blocks, longest first.
pub(super) fn longest(statements: &[Statement]) -> Vec<(String, usize)> {
    let mut parts: Vec<(String, usize)> = Vec::new();
    let mut known = HashSet::new();
    let mut add = |part: String| {
        let chars = part.chars().count();
        if known.insert(part.clone()) {
            parts.push((part, chars));
        }
    };
    for statement in statements {
        statement.actions.items().iter().for_each(|item| add(item.to_string()));
        statement.resources.items().iter().for_each(|item| add(item.as_str().to_owned()));
        if !statement.conditions.is_empty() {
            add(text(&Block(&statement.conditions)));
        }
    }
    parts.sort_by_key(|(_, chars)| std::cmp::Reverse(*chars));
    parts.truncate(PARTS_NAMED);
    parts
}

/// For the error: `` `arn:…` (180), `…` (90) ``.
pub(super) fn listed(longest: &[(String, usize)]) -> String {
    let part = |(text, chars): &(String, usize)| {
        let shown: String = text.chars().take(PART_CHARS_SHOWN).collect();
        let dots = if *chars > PART_CHARS_SHOWN { "…" } else { "" };
        format!("`{shown}{dots}` ({chars})")
    };
    longest.iter().map(part).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{PART_CHARS_SHOWN, listed};

    #[test]
    fn a_long_part_is_cut_and_says_so() {
        let part = |chars: usize| ("a".repeat(chars), chars);
        let whole = format!("`{}` ({PART_CHARS_SHOWN})", "a".repeat(PART_CHARS_SHOWN));
        assert_eq!(listed(&[part(2), part(PART_CHARS_SHOWN)]), format!("`aa` (2), {whole}"));
        let cut = format!("`{}…` ({})", "a".repeat(PART_CHARS_SHOWN), PART_CHARS_SHOWN + 1);
        assert_eq!(listed(&[part(PART_CHARS_SHOWN + 1)]), cut);
    }
}
