//! The matcher against a table of `(text + 1) × (pattern + 1)` answers, slow and obviously right, on random pairs.

use super::{Glob, Token};

/// Pairs of every test run, and of the long one (`cargo test -p hallpass-core --release -- --ignored ten_million`).
const PAIRS: u64 = 200_000;
const PAIRS_LONG: u64 = 10_000_000;

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    /// Wildcards of both kinds, those that stop at a colon and those that do not.
    fn token(&mut self) -> Token {
        match self.below(8) {
            0 | 1 => Token::Char('a'),
            2 => Token::Char('b'),
            3 => Token::Char(':'),
            4 | 5 => Token::Star { colon: self.below(2) == 0 },
            6 => Token::One { colon: self.below(2) == 0 },
            _ => Token::Char('é'),
        }
    }

    fn letter(&mut self) -> char {
        ['a', 'a', 'b', ':', 'é', 'c'][usize::try_from(self.below(6)).expect("fits")]
    }
}

/// `table[i][j]`: whether the first `i` tokens match the first `j` characters.
fn matches(tokens: &[Token], text: &[char]) -> bool {
    let mut table = vec![vec![false; text.len() + 1]; tokens.len() + 1];
    table[0][0] = true;
    for (i, token) in tokens.iter().enumerate() {
        for j in 0..=text.len() {
            let before = j.checked_sub(1).map(|before| (before, text[before]));
            table[i + 1][j] = match *token {
                Token::Char(c) => before.is_some_and(|(at, t)| table[i][at] && t == c),
                Token::One { colon } => before.is_some_and(|(at, t)| table[i][at] && (colon || t != ':')),
                Token::Star { colon } => {
                    table[i][j] || before.is_some_and(|(at, t)| table[i + 1][at] && (colon || t != ':'))
                }
            };
        }
    }
    table[tokens.len()][text.len()]
}

fn compare(pairs: u64) {
    let mut random = Random(1);
    let mut matched = 0_u64;
    for _ in 0..pairs {
        let tokens: Vec<Token> = (0..random.below(9)).map(|_| random.token()).collect();
        let text: Vec<char> = (0..random.below(10)).map(|_| random.letter()).collect();
        let expected = matches(&tokens, &text);
        let text: String = text.into_iter().collect();
        assert_eq!(Glob::from_tokens(tokens.clone()).matches(&text), expected, "{tokens:?} on {text}");
        matched += u64::from(expected);
    }
    assert!(matched > pairs / 50 && matched < pairs / 2, "{matched} of {pairs} matched: the pairs say little");
}

#[test]
fn the_matcher_agrees_with_the_table_on_many_pairs() {
    compare(PAIRS);
}

#[test]
#[ignore = "minutes without optimisation: run it with --release"]
fn the_matcher_agrees_with_the_table_on_ten_million_pairs() {
    compare(PAIRS_LONG);
}

/// Every text of up to four of these letters: enough for patterns of up to four tokens.
fn texts() -> Vec<String> {
    let mut all = vec![String::new()];
    let mut from = 0;
    for _ in 0..4 {
        let to = all.len();
        for at in from..to {
            all.extend(['a', 'b', ':', 'é', 'c'].map(|letter| format!("{}{letter}", all[at])));
        }
        from = to;
    }
    all
}

#[test]
fn covering_and_meeting_agree_with_the_matcher_on_every_short_text() {
    let (mut random, texts) = (Random(2), texts());
    let mut seen = [0_u32; 4];
    for _ in 0..2_000 {
        let glob = |random: &mut Random| Glob::from_tokens((0..random.below(5)).map(|_| random.token()).collect());
        let (a, b) = (glob(&mut random), glob(&mut random));
        let of = |glob: &Glob| -> Vec<bool> { texts.iter().map(|text| glob.matches(text)).collect() };
        let (in_a, in_b) = (of(&a), of(&b));
        let both = in_a.iter().zip(&in_b).any(|(a, b)| *a && *b);
        let within = in_b.iter().zip(&in_a).all(|(b, a)| !b || *a);
        // A star may stand for more than four letters, so only a pattern without one is told whole by these texts.
        let plain = |glob: &Glob| glob.tokens.iter().all(|token| matches!(token, Token::Char(_)));
        let (meets, covered) = (a.intersects(&b), a.covers(&b));
        assert!(meets || !both, "{a:?} {b:?}");
        assert!(both || !(meets && (plain(&a) || plain(&b))), "{a:?} {b:?}");
        assert!(within || !covered, "{a:?} {b:?}");
        assert!(covered || !(within && plain(&b)), "{a:?} {b:?}");
        seen[usize::from(both)] += 1;
        seen[2 + usize::from(covered)] += 1;
    }
    assert!(seen.iter().all(|count| *count > 100), "the pairs say little: {seen:?}");
}
