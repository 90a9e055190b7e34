//! The wildcard matcher against one that is slow and plainly right, and the two questions about pairs of patterns.

use hallpass_core::policy::glob::Glob;

/// Two patterns and a text, divided by NULs.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut parts = text.splitn(3, '\0');
    let (one, other, text) =
        (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let (glob, also) = (Glob::new(one), Glob::new(other));
    let (matched, steps) = glob.matches_counting(text);
    assert_eq!(matched, slow(one, text), "{one:?} on {text:?}");
    assert!(steps <= (text.chars().count() + 1) * (one.chars().count() + 1), "{steps} steps");
    let also_matched = also.matches(text);
    assert!(!(glob.covers(&also) && also_matched) || matched, "{one:?} covers {other:?}, but not for {text:?}");
    assert!(!(matched && also_matched) || glob.intersects(&also), "{one:?} and {other:?} share {text:?}");
    assert_eq!(glob.intersects(&also), also.intersects(&glob));
    assert!(glob.covers(&glob) && glob.intersects(&glob));
}

/// By the book: a table of which prefix of the pattern matches which prefix of the text.
fn slow(pattern: &str, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut row = vec![false; text.len() + 1];
    row[0] = true;
    for symbol in pattern.chars() {
        let mut next = vec![false; text.len() + 1];
        next[0] = symbol == '*' && row[0];
        for at in 0..text.len() {
            next[at + 1] = match symbol {
                '*' => row[at + 1] || next[at],
                '?' => row[at],
                plain => row[at] && text[at] == plain,
            };
        }
        row = next;
    }
    row[text.len()]
}
