//! Policy variables: `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`, and the escapes `${*}`, `${?}`, `${$}`.
//! IAM user guide, "Policy elements: variables and tags".

use super::access::{Context, Known};
use super::glob::{Glob, Token};

/// A text that may hold variables.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Template {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Piece {
    /// A character as written; may be a wildcard.
    Plain(char),
    /// A character that stands for itself wherever it is used.
    Literal(char),
    Variable {
        key: String,
        default: Option<String>,
    },
}

/// Where a template is malformed, in characters from its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TemplateFault {
    pub(crate) at: usize,
    pub(crate) expected: &'static str,
}

/// One character of a template whose variables have been filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filled {
    Plain(char),
    Literal(char),
    /// A variable whose value we cannot know: any text.
    Anything,
}

impl Template {
    pub(crate) fn parse(text: &str) -> Result<Self, TemplateFault> {
        let chars: Vec<char> = text.chars().collect();
        let mut pieces = Vec::with_capacity(chars.len());
        let mut at = 0;
        while let Some(&c) = chars.get(at) {
            if c == '$' && chars.get(at + 1) == Some(&'{') {
                let (piece, next) = variable(&chars, at)?;
                pieces.push(piece);
                at = next;
            } else {
                pieces.push(Piece::Plain(c));
                at += 1;
            }
        }
        Ok(Self { text: text.to_owned(), pieces })
    }

    /// As written in a document of version 2012-10-17.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn has_variables(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Variable { .. }))
    }

    /// Character index of the first variable.
    pub(crate) fn first_variable(&self) -> Option<usize> {
        // Every piece before it is one character, except the four of an escape such as `${*}`.
        let mut at = 0;
        for piece in &self.pieces {
            match piece {
                Piece::Plain(_) => at += 1,
                Piece::Literal(_) => at += 4,
                Piece::Variable { .. } => return Some(at),
            }
        }
        None
    }

    /// Fills the variables in. `None` when one has no value and no default: the template then stands for nothing.
    /// A variable of several values is as good as unknown, because IAM defines none for it.
    pub(crate) fn fill(&self, context: &Context) -> Option<Vec<Filled>> {
        let mut filled = Vec::with_capacity(self.pieces.len());
        for piece in &self.pieces {
            match piece {
                Piece::Plain(c) => filled.push(Filled::Plain(*c)),
                Piece::Literal(c) => filled.push(Filled::Literal(*c)),
                Piece::Variable { key, default } => match (context.get(key), default) {
                    (Known::Present([value]), _) => filled.extend(value.chars().map(Filled::Literal)),
                    (Known::Present([]) | Known::Absent, Some(default)) => {
                        filled.extend(default.chars().map(Filled::Literal));
                    }
                    (Known::Present([]) | Known::Absent, None) => return None,
                    (Known::Present(_) | Known::Unknown, _) => filled.push(Filled::Anything),
                },
            }
        }
        Some(filled)
    }

    /// The template with every variable standing for any text: covers all that it can become.
    pub(crate) fn widest(&self) -> Vec<Filled> {
        let widest = |piece: &Piece| match piece {
            Piece::Plain(c) => Filled::Plain(*c),
            Piece::Literal(c) => Filled::Literal(*c),
            Piece::Variable { .. } => Filled::Anything,
        };
        self.pieces.iter().map(widest).collect()
    }
}

/// A pattern over filled characters; `wildcards` says whether a plain `*` or `?` is one.
pub(crate) fn glob_of(filled: &[Filled], wildcards: bool) -> Glob {
    let token = |filled: &Filled| match *filled {
        Filled::Plain(c) if wildcards => Token::any(c),
        Filled::Plain(c) | Filled::Literal(c) => Token::Char(c),
        Filled::Anything => Token::Star { colon: true },
    };
    Glob::from_tokens(filled.iter().map(token).collect())
}

/// Makes a text of a version without variables mean the same in one that has them.
pub(crate) fn without_variables(text: &str) -> String {
    text.replace("${", "${$}{")
}

/// Reads the variable that begins at `start`; gives it and the index after it.
fn variable(chars: &[char], start: usize) -> Result<(Piece, usize), TemplateFault> {
    let fault = |at: usize, expected| TemplateFault { at, expected };
    let rest = chars.get(start + 2..).unwrap_or_default();
    let Some(length) = rest.iter().position(|c| matches!(c, '}' | ',')) else {
        return Err(fault(start, "a `}` that closes the policy variable"));
    };
    let key: String = rest.iter().take(length).collect::<String>().trim().to_owned();
    let after = start + 2 + length;
    let closed = chars.get(after) == Some(&'}');
    if let ("*" | "?" | "$", true, 1) = (key.as_str(), closed, length) {
        return Ok((Piece::Literal(key.chars().next().unwrap_or('$')), after + 1));
    }
    let named = key.split_once(':').is_some_and(|(service, name)| !service.is_empty() && !name.is_empty());
    if !named || key.contains("${") || key.chars().any(char::is_control) {
        return Err(fault(start, "a condition key in the policy variable, such as `${aws:username}`"));
    }
    if closed {
        return Ok((Piece::Variable { key, default: None }, after + 1));
    }
    let spaces = |from: usize| chars.iter().skip(from).take_while(|c| **c == ' ').count();
    let quote = after + 1 + spaces(after + 1);
    if chars.get(quote) != Some(&'\'') {
        return Err(fault(quote, "a default in single quotes"));
    }
    let value = chars.get(quote + 1..).unwrap_or_default();
    let Some(length) = value.iter().position(|c| *c == '\'') else {
        return Err(fault(quote, "a `'` that closes the default"));
    };
    let default = value.iter().take(length).collect();
    let end = quote + 1 + length + 1;
    let brace = end + spaces(end);
    if chars.get(brace) != Some(&'}') {
        return Err(fault(brace, "a `}` after the default"));
    }
    Ok((Piece::Variable { key, default: Some(default) }, brace + 1))
}

#[cfg(test)]
mod tests {
    use super::{Template, glob_of, without_variables};
    use crate::policy::access::Context;

    fn matches(template: &str, context: &Context, text: &str) -> Option<bool> {
        let template = Template::parse(template).expect("parses");
        template.fill(context).map(|filled| glob_of(&filled, true).matches(text))
    }

    #[test]
    fn a_variable_is_filled_in_as_literal_text() {
        let mut context = Context::default();
        context.set("aws:username", "a*");
        context.set_absent("aws:userid");
        assert_eq!(matches("h/${AWS:UserName}/*", &context, "h/a*/x"), Some(true));
        assert_eq!(matches("h/${aws:username}/*", &context, "h/ab/x"), Some(false));
        assert_eq!(matches("${aws:userid, 'no}ne'}", &context, "no}ne"), Some(true));
        assert_eq!(matches("${aws:userid,'no' }", &context, "no"), Some(true));
        assert_eq!(matches("${aws:userid}", &context, ""), None);
        assert_eq!(matches("${s3:unknown}", &context, "whatever"), Some(true));
        assert_eq!(matches("a${*}b${?}${$}{", &context, "a*b?${"), Some(true));
        assert_eq!(matches("a${*}b", &context, "axb"), Some(false));
        assert_eq!(matches("a$b", &context, "a$b"), Some(true));
    }

    #[test]
    fn a_malformed_variable_is_an_error_where_it_stands() {
        for (text, at) in [
            ("a${b", 1),
            ("${}", 0),
            ("${x}", 0),
            ("${aws:x,}", 8),
            ("${aws:x,'a}", 8),
            ("${aws:x,'a'b}", 11),
            ("${a${aws:x}}", 0),
            ("x${:a}", 1),
        ] {
            assert_eq!(Template::parse(text).expect_err(text).at, at, "{text}");
        }
    }

    #[test]
    fn a_text_of_the_older_version_keeps_its_meaning() {
        let text = without_variables("${aws:username}/*");
        assert_eq!(matches(&text, &Context::default(), "${aws:username}/x"), Some(true));
    }
}
