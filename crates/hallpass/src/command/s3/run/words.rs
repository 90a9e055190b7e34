//! A line in words: quotes and backslashes as in a shell, and nothing else of it.

/// Splits a line. A `#` at the beginning of a word begins a comment.
pub(super) fn split(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = line.chars();
    while let Some(c) = letters.next() {
        match c {
            c if c.is_whitespace() => words.extend(word.take()),
            '#' if word.is_none() => break,
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match letters.next() {
                        Some('\'') => break,
                        Some(c) => word.push(c),
                        None => return Err("a single quote is not closed".to_owned()),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match letters.next() {
                        Some('"') => break,
                        Some('\\') => match letters.next() {
                            Some(c @ ('"' | '\\' | '$' | '`')) => word.push(c),
                            Some(c) => word.extend(['\\', c]),
                            None => return Err("a double quote is not closed".to_owned()),
                        },
                        Some(c) => word.push(c),
                        None => return Err("a double quote is not closed".to_owned()),
                    }
                }
            }
            '\\' => match letters.next() {
                Some(c) if c != '\n' => word.get_or_insert_default().push(c),
                _ => return Err("the line ends with a backslash".to_owned()),
            },
            c @ ('|' | ';' | '&' | '<' | '>' | '`' | '$') => {
                return Err(format!("`{c}` means nothing here: quote it, or use a shell"));
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn quotes_are_those_of_a_shell() {
        let words = split(r#"rm  'a b'"c\"d"\ e  "" x#y # rest"#).expect("words");
        assert_eq!(words, ["rm", "a bc\"d e", "", "x#y"]);
        assert!(split("  # nothing").expect("words").is_empty());
    }

    #[test]
    fn what_only_a_shell_can_do_is_refused() {
        for line in ["cat a | wc", "rm $KEY", "ls > x", "ls 'a", "ls \"a", "ls a\\", "ls; rm x"] {
            assert!(split(line).is_err(), "{line}");
        }
    }
}
