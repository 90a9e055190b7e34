//! Patterns of names: `*.log`, `logs/**`, `img-[0-9]?.png`.

use hallpass_core::limits::S3_PATTERN_BYTES_MAX;

use crate::error::S3Error;

/// A pattern. One without `/` is held against the last piece of a name, wherever that is; one with `/` against the
/// whole name. `*` and `?` do not cross a `/`, `**` does; `[a-z]` and `[!a-z]` are one character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    tokens: Vec<Token>,
    whole: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    One(char),
    Any,
    Set { negated: bool, ranges: Vec<(char, char)> },
    Star,
    DoubleStar,
}

impl Pattern {
    /// Reads a pattern. A `\` takes the next character as it is.
    ///
    /// # Errors
    /// [`S3Error::Usage`] for an empty or too long pattern, and for a `[` without its `]`.
    pub fn parse(text: &str) -> Result<Self, S3Error> {
        let shown: String = text.chars().take(80).collect();
        let wrong = |why: &str| S3Error::usage_with(format!("the pattern `{shown}` {why}"), "write it like `*.log`");
        if text.is_empty() || text.len() > S3_PATTERN_BYTES_MAX {
            return Err(wrong(&format!("has {} bytes, and 1 to {S3_PATTERN_BYTES_MAX} are taken", text.len())));
        }
        // `/x` means what `x` in the root means.
        let rooted = text.strip_prefix('/');
        let mut tokens = Vec::new();
        let mut rest = rooted.unwrap_or(text).chars().peekable();
        while let Some(c) = rest.next() {
            tokens.push(match c {
                '*' if rest.next_if_eq(&'*').is_some() => {
                    while rest.next_if_eq(&'*').is_some() {}
                    Token::DoubleStar
                }
                '*' => Token::Star,
                '?' => Token::Any,
                '[' => set(&mut rest).ok_or_else(|| wrong("has a `[` without its `]`"))?,
                '\\' => Token::One(rest.next().ok_or_else(|| wrong("ends with a `\\`"))?),
                other => Token::One(other),
            });
        }
        // A folder's pattern means all that is in it.
        if tokens.last() == Some(&Token::One('/')) {
            tokens.push(Token::DoubleStar);
        }
        let whole = rooted.is_some() || tokens.contains(&Token::One('/'));
        Ok(Self { tokens, whole })
    }

    /// True when the name, relative to the root of its side, is meant.
    pub fn matches(&self, name: &str) -> bool {
        let held = if self.whole { name } else { name.rsplit_once('/').map_or(name, |(_, last)| last) };
        let name: Vec<char> = held.chars().collect();
        // What each beginning of the pattern can have consumed: no backtracking, so no pattern is slow.
        let mut reached = vec![false; name.len() + 1];
        reached[0] = true;
        for (index, token) in self.tokens.iter().enumerate() {
            let before_slash = self.tokens.get(index + 1) == Some(&Token::One('/'));
            reached = step(token, &name, &reached, before_slash);
        }
        // `**/x` also means `x` itself.
        reached.last().copied().unwrap_or(false) || self.without_leading_folders(held)
    }

    fn without_leading_folders(&self, name: &str) -> bool {
        match self.tokens.as_slice() {
            [Token::DoubleStar, Token::One('/'), rest @ ..] => {
                Self { tokens: rest.to_vec(), whole: true }.matches(name)
            }
            _ => false,
        }
    }
}

/// Positions of the name that can be reached by one token more.
fn step(token: &Token, name: &[char], reached: &[bool], before_slash: bool) -> Vec<bool> {
    let mut next = vec![false; reached.len()];
    match token {
        Token::Star | Token::DoubleStar => {
            let mut open = false;
            for (at, was) in reached.iter().enumerate() {
                open |= was;
                next[at] = open;
                if *token == Token::Star && name.get(at) == Some(&'/') {
                    open = false;
                }
            }
        }
        single => {
            for (at, c) in name.iter().enumerate() {
                next[at + 1] = reached[at] && single.takes(*c);
            }
        }
    }
    // `a/**/b` also means `a/b`: the slash after `**` may be the one before it.
    if *token == Token::DoubleStar && before_slash {
        for at in 1..next.len() {
            if reached[at] && name[at - 1] == '/' {
                next[at - 1] = true;
            }
        }
    }
    next
}

impl Token {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::One(one) => *one == c,
            Self::Any => c != '/',
            Self::Set { negated, ranges } => {
                c != '/' && ranges.iter().any(|(first, last)| (*first..=*last).contains(&c)) != *negated
            }
            Self::Star | Self::DoubleStar => false,
        }
    }
}

/// What follows a `[`; `None`: no `]` follows.
fn set(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Token> {
    let negated = rest.next_if(|c| matches!(c, '!' | '^')).is_some();
    let mut ranges: Vec<(char, char)> = Vec::new();
    loop {
        let first = match rest.next()? {
            ']' if !ranges.is_empty() => return Some(Token::Set { negated, ranges }),
            '\\' => rest.next()?,
            other => other,
        };
        let mut ahead = rest.clone();
        let last = match (ahead.next(), ahead.next()) {
            (Some('-'), Some(last)) if last != ']' => {
                *rest = ahead;
                last
            }
            _ => first,
        };
        ranges.push((first, last));
    }
}

#[cfg(test)]
mod tests {
    use hallpass_core::limits::S3_PATTERN_BYTES_MAX;

    use super::Pattern;

    fn is(pattern: &str, name: &str) -> bool {
        Pattern::parse(pattern).expect("a pattern").matches(name)
    }

    #[test]
    fn a_pattern_without_a_slash_means_the_last_piece_anywhere() {
        assert!(is("*.log", "a.log") && is("*.log", "x/y/a.log") && is("a?c", "d/abc") && is("ü*", "d/über"));
        assert!(!is("*.log", "a.log/b") && !is("a?c", "ac") && !is("*.log", "a.logs"));
    }

    #[test]
    fn a_star_does_not_cross_a_slash_and_two_do() {
        assert!(is("logs/*.gz", "logs/a.gz") && !is("logs/*.gz", "logs/x/a.gz") && !is("logs/*.gz", "old/logs/a.gz"));
        assert!(is("logs/**", "logs/x/a.gz") && is("logs/", "logs/x/a.gz") && !is("logs/**", "logs"));
        assert!(is("**/tmp/*", "a/b/tmp/c") && is("**/tmp/*", "tmp/c") && !is("**/tmp/*", "xtmp/c"));
        assert!(is("a/**/b", "a/b") && is("a/**/b", "a/x/y/b") && !is("a/**/b", "a/xb"));
        assert!(is("/x", "x") && !is("/x", "a/x"));
    }

    #[test]
    fn sets_and_escapes_are_one_character() {
        assert!(is("[a-c]x", "bx") && !is("[a-c]x", "dx") && is("[!a-c]x", "dx") && !is("[!a-c]x", "/x"));
        assert!(is("[]]", "]") && is("[a-]", "-") && is(r"\*", "*") && !is(r"\*", "a"));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        let long = "x".repeat(S3_PATTERN_BYTES_MAX + 1);
        for bad in ["", "[", "[]", "a[b", "a\\", long.as_str()] {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
        assert!(Pattern::parse(&long[1..]).is_ok());
    }

    #[test]
    fn a_pattern_that_would_backtrack_for_ever_does_not() {
        assert!(!is(&format!("{}b", "*a".repeat(100)), &"a".repeat(1_000)));
    }
}
