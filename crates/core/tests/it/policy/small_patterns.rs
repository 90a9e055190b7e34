//! Every small pattern against every small text, and every pair of them: what the matcher, `covers` and `intersects`
//! say is compared with what can be counted.

use hallpass_core::policy::glob::Glob;

/// Longer patterns show nothing new: each has room for two wildcards and what stands between them.
const PATTERN_CHARS_MAX: usize = 3;
/// Two patterns of three that share a text share one of six; two that differ, differ in one of six.
const TEXT_CHARS_MAX: usize = 6;

/// Every word over `alphabet` of at most `chars_max` characters.
fn words(alphabet: &[char], chars_max: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut last = all.clone();
    for _ in 0..chars_max {
        last = last.iter().flat_map(|word| alphabet.iter().map(move |c| format!("{word}{c}"))).collect();
        all.extend(last.iter().cloned());
    }
    all
}

/// By the book: a star is nothing, or one character and the star again.
fn matches(pattern: &[char], text: &[char]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        (['*', rest @ ..], _) if matches(rest, text) => true,
        (['*', ..], [_, tail @ ..]) => matches(pattern, tail),
        (['?', rest @ ..], [_, tail @ ..]) => matches(rest, tail),
        ([one, rest @ ..], [c, tail @ ..]) => one == c && matches(rest, tail),
        _ => false,
    }
}

/// Each pattern with the texts that it matches.
fn table() -> Vec<(Glob, String, Vec<bool>)> {
    let texts: Vec<Vec<char>> = words(&['a', 'b'], TEXT_CHARS_MAX).iter().map(|text| text.chars().collect()).collect();
    let row = |pattern: String| {
        let chars: Vec<char> = pattern.chars().collect();
        (Glob::new(&pattern), pattern, texts.iter().map(|text| matches(&chars, text)).collect())
    };
    words(&['a', '*', '?'], PATTERN_CHARS_MAX).into_iter().map(row).collect()
}

#[test]
fn every_small_pattern_matches_exactly_the_texts_that_it_should() {
    let texts = words(&['a', 'b'], TEXT_CHARS_MAX);
    for (glob, pattern, expected) in table() {
        for (text, expected) in texts.iter().zip(&expected) {
            assert_eq!(glob.matches(text), *expected, "{pattern:?} {text:?}");
        }
    }
}

#[test]
fn a_small_pattern_covers_another_exactly_when_it_matches_all_of_its_texts() {
    let table = table();
    for (wide, wide_text, all) in &table {
        for (narrow, narrow_text, some) in &table {
            let subset = some.iter().zip(all).all(|(narrow, wide)| !narrow || *wide);
            assert_eq!(wide.covers(narrow), subset, "{wide_text:?} {narrow_text:?}");
        }
    }
}

#[test]
fn small_patterns_intersect_exactly_when_a_text_matches_both() {
    let table = table();
    for (one, one_text, some) in &table {
        for (other, other_text, others) in &table {
            let shared = some.iter().zip(others).any(|(a, b)| *a && *b);
            assert_eq!(one.intersects(other), shared, "{one_text:?} {other_text:?}");
        }
    }
}
