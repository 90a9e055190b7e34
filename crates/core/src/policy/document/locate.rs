//! From the path of a value, `Statement[1].Action[0]`, to its line and column in the text.

use crate::limits::POLICY_JSON_DEPTH_MAX;

/// Line and column, both from 1; the column counts characters.
pub(super) type Position = (usize, usize);

/// Where the value at `path` begins; of a path that the text does not have, where the longest beginning of it does.
/// `None` only when the text is not JSON at all. A single statement is `Statement[0]`, with or without an array.
pub(super) fn locate(text: &str, path: &str) -> Option<Position> {
    let mut walk = Walk { text, at: 0, depth: 0, path, found: None };
    walk.value("");
    let at = walk.found?;
    let before = text.get(..at)?;
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Some((line, column))
}

/// One pass over JSON that has been parsed before: it stops at whatever it does not expect.
struct Walk<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    path: &'a str,
    found: Option<usize>,
}

impl Walk<'_> {
    /// Steps over one value whose path is `here`; remembers it when the wanted path leads through it.
    fn value(&mut self, here: &str) -> Option<()> {
        self.space();
        if leads(here, self.path) {
            self.found = Some(self.at);
        }
        match self.peek()? {
            b'{' | b'[' if self.depth >= POLICY_JSON_DEPTH_MAX => None,
            open @ (b'{' | b'[') => {
                self.depth += 1;
                let inside = if open == b'{' { self.members(here) } else { self.items(here) };
                self.depth -= 1;
                inside
            }
            b'"' => self.string().map(drop),
            _ => {
                while self.peek().is_some_and(|b| !matches!(b, b',' | b']' | b'}') && !b.is_ascii_whitespace()) {
                    self.at += 1;
                }
                Some(())
            }
        }
    }

    fn members(&mut self, here: &str) -> Option<()> {
        self.at += 1;
        loop {
            self.space();
            match self.peek()? {
                b'}' => break,
                b',' => self.at += 1,
                _ => {
                    let key_at = self.at;
                    let name = self.string()?;
                    self.space();
                    self.eat(b':')?;
                    let dotted = match here {
                        "" => name.clone(),
                        _ => format!("{here}.{}", name.escape_debug()),
                    };
                    let quoted = format!("{here}[{name:?}]");
                    let there = if leads(&quoted, self.path) { quoted } else { dotted };
                    // A member that is wrong as a whole is shown at its name.
                    let whole = there == self.path && matches!(self.next_value(), Some(b'{' | b'['));
                    self.statement_or_value(&there)?;
                    if whole {
                        self.found = Some(key_at);
                    }
                }
            }
        }
        self.at += 1;
        Some(())
    }

    /// `Statement` may be one object: its path is that of the only item.
    fn statement_or_value(&mut self, there: &str) -> Option<()> {
        if there == "Statement" && self.next_value() == Some(b'{') {
            return self.value("Statement[0]");
        }
        self.value(there)
    }

    fn items(&mut self, here: &str) -> Option<()> {
        self.at += 1;
        let mut n = 0;
        loop {
            self.space();
            match self.peek()? {
                b']' => break,
                b',' => self.at += 1,
                _ => {
                    self.value(&format!("{here}[{n}]"))?;
                    n += 1;
                }
            }
        }
        self.at += 1;
        Some(())
    }

    fn string(&mut self) -> Option<String> {
        let start = self.at;
        self.eat(b'"')?;
        loop {
            match self.peek()? {
                b'\\' => self.at += 2,
                b'"' => break,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        serde_json::from_str(self.text.get(start..self.at)?).ok()
    }

    fn next_value(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at..)?.iter().copied().find(|b| !b.is_ascii_whitespace())
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, wanted: u8) -> Option<()> {
        (self.peek()? == wanted).then(|| self.at += 1)
    }
}

/// True when `path` is `here` or goes on from it.
fn leads(here: &str, path: &str) -> bool {
    path.strip_prefix(here).is_some_and(|rest| here.is_empty() || rest.is_empty() || rest.starts_with(['.', '[']))
}

#[cfg(test)]
mod tests {
    use super::locate;
    use crate::limits::POLICY_JSON_DEPTH_MAX;

    const TEXT: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "A", "Effect": "Allow"},
    {
      "Effect": "Allow",
      "Action": ["s3:é", "s3:Get"],
      "Condition": {"StringEquals": {"aws:x\"y": ["1", 2, true]}}
    }
  ]
}"#;

    #[test]
    fn a_path_leads_to_its_line_and_column() {
        for (path, position) in [
            ("", (1, 1)),
            ("Version", (2, 14)),
            ("Statement[0].Effect", (4, 28)),
            ("Statement[1]", (5, 5)),
            ("Statement[1].Action[1]", (7, 26)),
            ("Statement[1].Action", (7, 7)),
            (r#"Statement[1].Condition.StringEquals["aws:x\"y"]"#, (8, 38)),
            (r#"Statement[1].Condition.StringEquals["aws:x\"y"][1]"#, (8, 56)),
            ("Statement[1].Resource", (5, 5)),
            ("Statement[1].Action[9]", (7, 17)),
            ("Statement[7]", (3, 16)),
        ] {
            assert_eq!(locate(TEXT, path), Some(position), "{path}");
        }
    }

    #[test]
    fn what_stands_in_a_text_or_beside_the_path_leads_nowhere() {
        let text = r#"{"Id": "a, b} ]", "Statement": [{"Sid": "x{", "Effect": "Allow"}]}"#;
        assert_eq!(locate(text, "Statement[0].Effect"), Some((1, 57)));
        let many = format!(r#"{{"Statement": [{}]}}"#, vec![r#"{"Sid":"A"}"#; 2 * POLICY_JSON_DEPTH_MAX].join("\n"));
        let last = 2 * POLICY_JSON_DEPTH_MAX;
        assert_eq!(locate(&many, &format!("Statement[{}].Sid", last - 1)), Some((last, 8)));
    }

    #[test]
    fn a_single_statement_is_the_first() {
        let text = r#"{"Statement": {"Effect": "No"}}"#;
        assert_eq!(locate(text, "Statement[0].Effect"), Some((1, 26)));
        assert_eq!(locate(text, "Statement[0]"), Some((1, 15)));
    }

    #[test]
    fn a_text_that_is_no_json_is_walked_to_its_end_and_no_further() {
        for text in ["", "{", "{\"a", "{\"a\":", "[", "[1,", "{\"\\", "{\"Statement\": [", "}", "{1}"] {
            locate(text, "Statement[0].Action");
        }
        assert_eq!(locate(&"[".repeat(200_000), "[0][0]"), Some((1, 3)));
    }
}
