//! A mistake in a policy's short form, shown as a picture with a caret under the character.

use std::fmt;

use crate::limits::SYNTAX_PICTURE_CHARS_MAX;

/// What is wrong with an action list or a resource, and where.
///
/// `Display` is the picture:
///
/// ```text
/// s3GetObject
///   ^ expected `:` between the service and the action
/// did you mean `s3:GetObject`?
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    input: String,
    position: usize,
    expected: String,
    suggestion: Option<String>,
}

impl SyntaxError {
    /// `position` counts characters from 0.
    pub(crate) fn new(input: &str, position: usize, expected: impl Into<String>) -> Self {
        Self { input: input.to_owned(), position, expected: expected.into(), suggestion: None }
    }

    pub(crate) fn suggesting(mut self, suggestion: Option<String>) -> Self {
        self.suggestion = suggestion;
        self
    }

    /// The whole text that was given.
    pub fn input(&self) -> &str {
        &self.input
    }

    /// Where it went wrong: characters from the start, the first being 0; the length when something is missing
    /// at the end.
    pub fn position(&self) -> usize {
        self.position
    }

    /// What should have been there.
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// What was probably meant.
    pub fn suggestion(&self) -> Option<&str> {
        self.suggestion.as_deref()
    }

    /// The part of the input around the mistake, with control characters made visible as `·`, and the caret's
    /// distance from its start.
    fn window(&self) -> (String, usize) {
        let half = SYNTAX_PICTURE_CHARS_MAX / 2;
        let length = self.input.chars().count();
        let start = if length <= SYNTAX_PICTURE_CHARS_MAX { 0 } else { self.position.saturating_sub(half) };
        let shown = self.input.chars().skip(start).take(SYNTAX_PICTURE_CHARS_MAX);
        let mut line: String = shown.map(|c| if c.is_control() { '·' } else { c }).collect();
        let mut caret = self.position.saturating_sub(start);
        if start > 0 {
            line.insert(0, '…');
            caret += 1;
        }
        if start + SYNTAX_PICTURE_CHARS_MAX < length {
            line.push('…');
        }
        (line, caret)
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, caret) = self.window();
        write!(f, "{line}\n{:caret$}^ expected {}", "", self.expected)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, "\ndid you mean `{suggestion}`?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for SyntaxError {}

#[cfg(test)]
mod tests {
    use super::SyntaxError;
    use crate::limits::SYNTAX_PICTURE_CHARS_MAX;

    #[test]
    fn the_caret_stands_under_the_character() {
        let error = SyntaxError::new("s3GetObject", 2, "`:`").suggesting(Some("s3:GetObject".into()));
        assert_eq!(error.to_string(), "s3GetObject\n  ^ expected `:`\ndid you mean `s3:GetObject`?");
    }

    #[test]
    fn a_long_input_is_cut_to_a_window_around_the_caret() {
        let input = format!("{}!{}", "a".repeat(5_000), "b".repeat(5_000));
        let picture = SyntaxError::new(&input, 5_000, "nothing").to_string();
        let mut lines = picture.lines();
        let (line, caret) = (lines.next().expect("line"), lines.next().expect("caret"));
        assert!(line.chars().count() <= SYNTAX_PICTURE_CHARS_MAX + 2);
        let at = caret.chars().position(|c| c == '^').expect("caret");
        assert_eq!(line.chars().nth(at), Some('!'));
        assert!(line.starts_with('…') && line.ends_with('…'));
        assert_eq!(at, SYNTAX_PICTURE_CHARS_MAX / 2 + 1, "in the middle");
        let near_the_end = 10_001 - SYNTAX_PICTURE_CHARS_MAX / 2;
        let picture = SyntaxError::new(&input, near_the_end, "nothing").to_string();
        let line = picture.lines().next().expect("line");
        assert!(line.starts_with('…') && line.ends_with('b'), "{line}");
        assert_eq!(line.chars().count(), SYNTAX_PICTURE_CHARS_MAX + 1);
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let picture = SyntaxError::new("s3:\u{1b}[2J", 3, "a letter").to_string();
        assert!(!picture.contains('\u{1b}'), "{picture:?}");
    }
}
