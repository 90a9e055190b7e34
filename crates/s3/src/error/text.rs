//! What a store wrote, made fit to be shown.

use hallpass_core::limits::{S3_NAME_SHOWN_CHARS_MAX, S3_STORE_TEXT_CHARS_MAX};

/// A store's text without control characters, line breaks and characters that turn the reading direction or are not
/// seen; short; first letter small and no full stop, as our own sentences are.
pub(crate) fn cleaned(text: &str) -> String {
    let shown: String =
        text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| is_shown(*c)).collect();
    let shown: String = shown.trim().trim_end_matches('.').chars().take(S3_STORE_TEXT_CHARS_MAX).collect();
    let mut letters = shown.chars();
    match (letters.next(), letters.next()) {
        // `The specified key …`, but not `S3 …` or `ETag …`.
        (Some(first), Some(second)) if first.is_uppercase() && !second.is_uppercase() && !second.is_ascii_digit() => {
            first.to_lowercase().chain(shown.chars().skip(1)).collect()
        }
        _ => shown,
    }
}

/// False for what a terminal obeys or a reader cannot see: C0, C1, bidi controls, zero-width characters, tags.
fn is_shown(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        && !matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A name of bucket or key without what a terminal obeys or a reader cannot see; its letters stay as they are.
pub(crate) fn cleaned_name(name: &str) -> String {
    name.chars().map(|c| if is_shown(c) { c } else { '\u{fffd}' }).take(S3_NAME_SHOWN_CHARS_MAX).collect()
}

/// A code as it may be shown: letters, digits, `.`, `_`, `-`, at most 64.
pub(crate) fn code(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')).take(64).collect()
}

#[cfg(test)]
mod tests {
    use hallpass_core::limits::{S3_NAME_SHOWN_CHARS_MAX, S3_STORE_TEXT_CHARS_MAX};

    use super::{cleaned, cleaned_name, code};

    #[test]
    fn a_stores_text_cannot_steer_a_terminal_or_turn_the_line_around() {
        let evil = "\u{1b}[31mThe\u{202e} key\r\nis\u{0007} \u{2066}gone\u{200b}.\u{9b}2J";
        let shown = cleaned(evil);
        assert!(shown.chars().all(|c| !c.is_control()), "{shown:?}");
        for hidden in ['\u{202e}', '\u{2066}', '\u{200b}', '\u{9b}'] {
            assert!(!shown.contains(hidden), "{shown:?}");
        }
        assert_eq!(cleaned("The specified key does not exist."), "the specified key does not exist");
        assert_eq!(cleaned("ETag differs"), "ETag differs");
    }

    #[test]
    fn a_stores_text_is_no_longer_than_the_limit() {
        assert_eq!(cleaned(&"x".repeat(S3_STORE_TEXT_CHARS_MAX + 1)).chars().count(), S3_STORE_TEXT_CHARS_MAX);
        assert_eq!(cleaned_name(&"X".repeat(S3_NAME_SHOWN_CHARS_MAX + 1)), "X".repeat(S3_NAME_SHOWN_CHARS_MAX));
        assert_eq!(cleaned_name("Ab/\u{1b}c\u{202e}"), "Ab/\u{fffd}c\u{fffd}");
        assert_eq!(code(&"x\n".repeat(100)).len(), 64);
    }
}
