//! Text that came from a child, a cloud or a file must not steer the terminal that shows it.

/// One line: control characters and direction overrides become `�`.
pub(crate) fn line(text: &str) -> String {
    text.chars().map(|c| if is_steering(c) { '\u{fffd}' } else { c }).collect()
}

/// One line from which the text can be read again: what steers a terminal, or begins with `"`, becomes a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    if !text.starts_with('"') && !text.chars().any(is_steering) {
        return text.to_owned();
    }
    json(serde_json::Value::from(text).to_string())
}

/// Several lines: as [`line()`], but line breaks stay.
pub(crate) fn lines(text: &str) -> String {
    text.chars().map(|c| if c != '\n' && is_steering(c) { '\u{fffd}' } else { c }).collect()
}

/// JSON text: what JSON leaves unescaped but a terminal obeys is escaped. Such characters occur only inside strings,
/// so the value stays the same.
pub(crate) fn json(text: String) -> String {
    if !text.chars().any(is_steering) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_steering(c) && c != '\n' {
            out.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out
}

/// C0, DEL, C1, and the Unicode characters that reorder or hide text.
fn is_steering(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    #[test]
    fn escape_sequences_never_reach_the_terminal() {
        let hostile = "a\u{1b}[2Jb\u{9b}31m\r\nc\u{202e}d";
        assert_eq!(super::line(hostile), "a\u{fffd}[2Jb\u{fffd}31m\u{fffd}\u{fffd}c\u{fffd}d");
        assert_eq!(super::lines("a\nb\u{7}"), "a\nb\u{fffd}");
        let json = super::json(serde_json::to_string(hostile).expect("writes"));
        assert!(!json.chars().any(super::is_steering), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).expect("reads"), hostile);
    }

    #[test]
    fn what_is_quoted_can_be_read_again() {
        assert_eq!(super::quoted("a \\ 'b' \"c\" é"), "a \\ 'b' \"c\" é");
        for text in ["a\nb", "a\u{1b}[2J", "\u{202e}x\u{9b}", "\"quoted\"", "tab\there\u{7f}"] {
            let quoted = super::quoted(text);
            assert!(!quoted.chars().any(super::is_steering), "{quoted}");
            assert_eq!(serde_json::from_str::<String>(&quoted).expect("reads"), text);
        }
    }
}
