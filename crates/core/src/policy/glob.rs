//! The one wildcard matcher: `*` is any run of characters, `?` is any one. IAM user guide, "Using wildcards".
//!
//! Most patterns are text up to one star at the end, and are compared as text. For the rest a pattern runs as a set of
//! positions, so the work is at most `(text + 1) × (pattern + 1)` steps whatever the
//! pattern is: there is no back-tracking that an attacker could blow up.

#[cfg(test)]
mod reference;

use std::collections::HashSet;

use crate::limits::GLOB_COVER_STATES_MAX;

/// One element of a pattern. `colon` says whether it may stand for a `:`; see [`super::resource`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Token {
    Char(char),
    One { colon: bool },
    Star { colon: bool },
}

/// A pattern, ready to match. Case matters; fold both sides first where it must not.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Glob {
    tokens: Vec<Token>,
    /// The characters before the first wildcard.
    prefix: String,
    /// How many tokens they are.
    literal: usize,
}

/// A kind of character that decides every question about patterns: a named one, or any that no pattern names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Symbol {
    Char(char),
    Other,
}

impl Glob {
    /// Reads `*` and `?` as wildcards, anything else as itself.
    pub fn new(pattern: &str) -> Self {
        Self::from_tokens(pattern.chars().map(Token::any).collect())
    }

    /// Like [`Self::new`], in ASCII lower case.
    pub fn folded(pattern: &str) -> Self {
        Self::new(&pattern.to_ascii_lowercase())
    }

    /// Neighbouring stars become one, so that following them costs a single step.
    pub(crate) fn from_tokens(raw: Vec<Token>) -> Self {
        let mut tokens: Vec<Token> = Vec::with_capacity(raw.len());
        for token in raw {
            match (tokens.last_mut(), token) {
                (Some(Token::Star { colon }), Token::Star { colon: also }) => *colon |= also,
                _ => tokens.push(token),
            }
        }
        let literal = |token: &Token| if let Token::Char(c) = token { Some(*c) } else { None };
        let prefix: String = tokens.iter().map_while(literal).collect();
        let literal = prefix.chars().count();
        Self { tokens, prefix, literal }
    }

    /// True when the whole of `text` matches.
    pub fn matches(&self, text: &str) -> bool {
        self.matches_counting(text).0
    }

    /// [`Self::matches`], and how many elementary steps it took, for the test that bounds them.
    pub fn matches_counting(&self, text: &str) -> (bool, usize) {
        let Some(text) = text.strip_prefix(self.prefix.as_str()) else { return (false, 1) };
        let at = self.literal;
        match self.tokens.get(at..).unwrap_or_default() {
            [] => (text.is_empty(), 1),
            [Token::Star { colon: true }] => (true, 1),
            rest if rest.len() < POSITIONS => in_bits(rest, text),
            _ => self.in_sets(at, text),
        }
    }

    /// For patterns that are too long for [`in_bits`].
    fn in_sets(&self, start: usize, text: &str) -> (bool, usize) {
        let mut steps = 0;
        let mut states = self.closed([start]);
        for c in text.chars() {
            steps += states.len();
            states = self.step(&states, Symbol::Char(c));
            if states.is_empty() {
                return (false, steps);
            }
        }
        (states.last() == Some(&self.tokens.len()), steps)
    }

    /// True when every text that matches `other` also matches `self`. May say false for a pair where it holds,
    /// when the proof would need more than [`GLOB_COVER_STATES_MAX`] states; never says true wrongly.
    pub fn covers(&self, other: &Self) -> bool {
        if self == other {
            return true;
        }
        // Long lists of plain texts are compared pair by pair, and nearly all pairs end here.
        if !other.prefix.starts_with(self.prefix.as_str()) || self.is_plain() {
            return false;
        }
        if other.is_plain() {
            return self.matches(&other.prefix);
        }
        let mut seen = HashSet::new();
        let mut open = vec![(0_usize, self.closed([0]))];
        while let Some((at, states)) = open.pop() {
            if states.is_empty() {
                return false;
            }
            let Some(token) = other.tokens.get(at) else {
                if states.last() == Some(&self.tokens.len()) {
                    continue;
                }
                return false;
            };
            if !seen.insert((at, states.clone())) {
                continue;
            }
            if seen.len() > GLOB_COVER_STATES_MAX {
                return false;
            }
            let next = match token {
                Token::Star { .. } => {
                    open.push((at + 1, states.clone()));
                    at
                }
                Token::Char(_) | Token::One { .. } => at + 1,
            };
            open.extend(token.symbols().map(|symbol| (next, self.step(&states, symbol))));
        }
        true
    }

    /// True when some text matches both.
    pub fn intersects(&self, other: &Self) -> bool {
        if self.is_plain() {
            return other.matches(&self.prefix);
        }
        if other.is_plain() {
            return self.matches(&other.prefix);
        }
        let width = other.tokens.len() + 1;
        let mut seen = vec![false; (self.tokens.len() + 1) * width];
        let mut open = vec![(0_usize, 0_usize)];
        while let Some((i, j)) = open.pop() {
            let at = i * width + j;
            if seen.get(at).copied().unwrap_or(true) {
                continue;
            }
            if let Some(cell) = seen.get_mut(at) {
                *cell = true;
            }
            let (a, b) = (self.tokens.get(i), other.tokens.get(j));
            if a.is_none() && b.is_none() {
                return true;
            }
            if a.is_some_and(|a| a.is_star()) {
                open.push((i + 1, j));
            }
            if b.is_some_and(|b| b.is_star()) {
                open.push((i, j + 1));
            }
            if let (Some(a), Some(b)) = (a, b)
                && a.meets(*b)
            {
                open.push((i + usize::from(!a.is_star()), j + usize::from(!b.is_star())));
            }
        }
        false
    }

    /// True when it has no wildcard, so that it matches one text only.
    fn is_plain(&self) -> bool {
        self.literal == self.tokens.len()
    }

    /// Positions reachable from `states` by one symbol, ascending and without repeats.
    fn step(&self, states: &[usize], symbol: Symbol) -> Vec<usize> {
        let reached = states.iter().filter_map(|&at| {
            let token = self.tokens.get(at)?;
            token.accepts(symbol).then_some(at + usize::from(!token.is_star()))
        });
        self.closed(reached)
    }

    /// Adds what is reachable without a symbol. The input ascends, so the output does.
    fn closed(&self, states: impl IntoIterator<Item = usize>) -> Vec<usize> {
        let mut closed: Vec<usize> = Vec::with_capacity(4);
        for state in states {
            let mut at = state;
            loop {
                if closed.last().is_none_or(|&last| last < at) {
                    closed.push(at);
                }
                if !self.tokens.get(at).is_some_and(|token| token.is_star()) {
                    break;
                }
                at += 1;
            }
        }
        closed
    }
}

/// Positions that fit into the bits of one number.
const POSITIONS: usize = 128;

/// Runs fewer than [`POSITIONS`] tokens, one bit for each position, and counts the steps.
fn in_bits(tokens: &[Token], text: &str) -> (bool, usize) {
    let star = |at: u32| usize::try_from(at).is_ok_and(|at| tokens.get(at).is_some_and(|token| token.is_star()));
    let closed = |states: u128, at: u32| states | 1 << at | if star(at) { 1 << (at + 1) } else { 0 };
    let mut states = closed(0, 0);
    let mut steps = 0;
    for c in text.chars() {
        let (mut next, mut left) = (0_u128, states);
        while left != 0 {
            let at = left.trailing_zeros();
            left &= left - 1;
            steps += 1;
            let token = usize::try_from(at).ok().and_then(|at| tokens.get(at));
            if let Some(token) = token.filter(|token| token.accepts(Symbol::Char(c))) {
                next = closed(next, at + u32::from(!token.is_star()));
            }
        }
        if next == 0 {
            return (false, steps);
        }
        states = next;
    }
    (states >> tokens.len() & 1 == 1, steps)
}

impl Token {
    pub(crate) fn any(c: char) -> Self {
        match c {
            '*' => Self::Star { colon: true },
            '?' => Self::One { colon: true },
            other => Self::Char(other),
        }
    }

    fn is_star(self) -> bool {
        matches!(self, Self::Star { .. })
    }

    fn accepts(self, symbol: Symbol) -> bool {
        match self {
            Self::Char(c) => symbol == Symbol::Char(c),
            Self::One { colon } | Self::Star { colon } => colon || symbol != Symbol::Char(':'),
        }
    }

    /// True when some character satisfies both.
    fn meets(self, other: Self) -> bool {
        match (self, other) {
            (Self::Char(c), token) | (token, Self::Char(c)) => token.accepts(Symbol::Char(c)),
            _ => true,
        }
    }

    /// The symbols that a proof about every text must try. A character that no pattern names is the hardest
    /// to accept; only `:` differs, because some wildcards refuse it.
    fn symbols(self) -> impl Iterator<Item = Symbol> {
        let (first, second) = match self {
            Self::Char(c) => (Symbol::Char(c), None),
            Self::One { colon } | Self::Star { colon } => (Symbol::Other, colon.then_some(Symbol::Char(':'))),
        };
        std::iter::once(first).chain(second)
    }
}

#[cfg(test)]
mod tests {
    use super::{Glob, POSITIONS, in_bits};
    use crate::limits::GLOB_COVER_STATES_MAX;

    #[test]
    fn wildcards_stand_for_runs_and_for_single_characters() {
        let yes = [("", ""), ("*", ""), ("*", "a:/é"), ("a*c", "ac"), ("a*c", "abcbc"), ("?é?", "aéb"), ("**", "x")];
        for (pattern, text) in yes {
            assert!(Glob::new(pattern).matches(text), "{pattern} {text}");
        }
        for (pattern, text) in [("", "a"), ("?", ""), ("?", "ab"), ("a*c", "abcd"), ("A", "a"), ("a?c", "ac")] {
            assert!(!Glob::new(pattern).matches(text), "{pattern} {text}");
        }
    }

    #[test]
    fn text_with_one_star_at_its_end_is_compared_as_text() {
        let long = "a".repeat(1_000);
        assert_eq!(Glob::new("a*").matches_counting(&long), (true, 1));
        assert_eq!(Glob::new(&long).matches_counting(&long), (true, 1));
        assert_eq!(Glob::new("a").matches_counting(&long), (false, 1));
    }

    #[test]
    fn a_pattern_with_more_positions_than_a_number_has_bits_matches_what_it_should() {
        for tokens in POSITIONS - 2..POSITIONS + 3 {
            let name = "a".repeat(tokens - 2);
            let glob = Glob::new(&format!("?*{name}"));
            for (text, expected) in [
                (format!("x{name}"), true),
                (format!("xaaab{name}"), true),
                (format!("x{name}b"), false),
                (name.clone(), false),
                (String::new(), false),
            ] {
                assert_eq!(glob.matches(&text), expected, "{tokens} {text}");
            }
        }
    }

    #[test]
    fn long_and_short_patterns_are_matched_in_the_same_steps() {
        let patterns = ["?", "*a", "a*b?", "*?*a*", "?*ab*ba", "*a*a*a*b"];
        for (glob, text) in patterns.iter().flat_map(|p| ["", "a", "ab", "aab", "abab", "abba", "bbbb"].map(|t| (p, t)))
        {
            let glob = Glob::new(glob);
            let rest = glob.tokens.get(glob.literal..).unwrap_or_default();
            if let Some(text) = text.strip_prefix(glob.prefix.as_str()) {
                assert_eq!(glob.in_sets(glob.literal, text), in_bits(rest, text), "{glob:?} {text}");
            }
        }
    }

    #[test]
    fn covering_sees_through_different_spellings() {
        let yes = [("*", "a?"), ("a*", "ab*"), ("*?", "?*"), ("?*", "*a*"), ("*a*", "?a?"), ("a", "a"), ("**", "*")];
        for (wide, narrow) in yes {
            assert!(Glob::new(wide).covers(&Glob::new(narrow)), "{wide} {narrow}");
        }
        for (wide, narrow) in [("a", "?"), ("?*", "*"), ("ab*", "a*"), ("*a", "*"), ("a*b", "a*"), ("", "*")] {
            assert!(!Glob::new(wide).covers(&Glob::new(narrow)), "{wide} {narrow}");
        }
    }

    #[test]
    fn patterns_intersect_when_some_text_matches_both() {
        for (a, b) in [("a*", "*b"), ("*", ""), ("?b", "a?"), ("a*c*e", "*b*d*"), ("iam:*", "*:CreateUser")] {
            assert!(Glob::new(a).intersects(&Glob::new(b)), "{a} {b}");
        }
        for (a, b) in [("a*", "b*"), ("?", ""), ("*a", "*b"), ("??", "???"), ("s3:Get*", "s3:Put*")] {
            assert!(!Glob::new(a).intersects(&Glob::new(b)), "{a} {b}");
        }
    }

    #[test]
    fn a_proof_that_needs_too_many_states_is_given_up_as_no() {
        // Which of the last n characters were a colon: 2^n sets of positions.
        let wide = |n: usize| Glob::new(&format!("*:{}*", "?".repeat(n)));
        let narrow = |n: usize| Glob::new(&format!("*:{}", "?".repeat(n)));
        assert!(wide(6).covers(&narrow(6)));
        let past_the_limit = usize::try_from(GLOB_COVER_STATES_MAX.ilog2()).expect("fits") + 1;
        assert!(!wide(past_the_limit).covers(&narrow(past_the_limit)));
        assert!(wide(past_the_limit).covers(&wide(past_the_limit)));
    }
}
