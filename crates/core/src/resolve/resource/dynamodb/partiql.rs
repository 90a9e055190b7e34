//! PartiQL as DynamoDB takes it: one verb and one table in each statement. What is not understood is refused.
//! Source: DynamoDB developer guide, "PartiQL statements for DynamoDB", "Use IAM security policies with PartiQL".

use crate::denial::Denial;
use crate::limits::{PARTIQL_STATEMENT_BYTES_MAX, PARTIQL_STATEMENTS_MAX};
use crate::resolve::json::Json;
use crate::resolve::resource::Given;
use crate::resolve::{too_large, unresolved};

/// What one statement does, and to what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    /// The IAM action.
    pub(super) action: &'static str,
    /// Name or ARN.
    pub(super) table: String,
    pub(super) index: Option<String>,
}

/// The operations, and where each has its statements.
const OPERATIONS: [(&str, &str); 3] =
    [("ExecuteStatement", ""), ("BatchExecuteStatement", "Statements"), ("ExecuteTransaction", "TransactStatements")];

/// Whether an operation of DynamoDB takes PartiQL.
pub(super) fn takes(operation: &str) -> bool {
    OPERATIONS.iter().any(|(name, _)| *name == operation)
}

/// Every statement of a request.
pub(super) fn statements(operation: &str, given: Given<'_>) -> Result<Vec<Statement>, Denial> {
    let member = OPERATIONS.iter().find(|(name, _)| *name == operation).map_or("", |(_, member)| *member);
    let texts = if member.is_empty() {
        vec![given.text("Statement")?]
    } else {
        let items = given.json(member)?.map(Json::items).unwrap_or_default();
        items.iter().map(|item| Given::Json(item).text("Statement")).collect::<Result<_, _>>()?
    };
    if texts.len() > PARTIQL_STATEMENTS_MAX {
        return Err(too_large(format!("the request has more than {PARTIQL_STATEMENTS_MAX} PartiQL statements")));
    }
    texts.into_iter().map(|text| text.ok_or_else(refused).and_then(read)).collect()
}

fn refused() -> Denial {
    let why = "a PartiQL statement is not one whose table hallpass can tell: write SELECT … FROM, INSERT INTO … VALUE, \
               UPDATE … SET or REMOVE, DELETE FROM, each with one table and without comments, joins and subqueries";
    unresolved(why)
}

fn read(text: &str) -> Result<Statement, Denial> {
    if text.len() > PARTIQL_STATEMENT_BYTES_MAX {
        return Err(too_large(format!("a PartiQL statement is longer than {PARTIQL_STATEMENT_BYTES_MAX} bytes")));
    }
    tokens(text).as_deref().and_then(statement).ok_or_else(refused)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// A bare word, upper case.
    Word(String, String),
    /// A name in double quotes.
    Quoted(String),
    /// A literal.
    Value,
    Mark(char),
}

impl Token {
    fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(upper, _) if upper == word)
    }
}

/// The statement in tokens; `None` for what has no place in one: comments, semicolons, backticks, a string without end.
fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let next = rest.peek().copied();
        match c {
            ' ' | '\t' | '\r' | '\n' => {}
            '-' if next == Some('-') => return None,
            '/' if next == Some('*') => return None,
            '\'' | '"' => {
                let mut inside = String::new();
                loop {
                    match rest.next()? {
                        end if end == c && rest.peek() == Some(&c) => {
                            rest.next();
                            inside.push(c);
                        }
                        end if end == c => break,
                        other => inside.push(other),
                    }
                }
                found.push(if c == '"' { Token::Quoted(inside) } else { Token::Value });
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let mut word = c.to_string();
                while let Some(more) = rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    word.push(more);
                }
                found.push(Token::Word(word.to_ascii_uppercase(), word));
            }
            c if c.is_ascii_digit() => {
                while rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '.').is_some() {}
                found.push(Token::Value);
            }
            '.' | ',' | '(' | ')' | '[' | ']' | '{' | '}' | '=' | '<' | '>' | '!' | '+' | '-' | '*' | '/' | ':'
            | '?' => {
                found.push(Token::Mark(c));
            }
            _ => return None,
        }
    }
    Some(found)
}

/// Words that begin a statement or name another table. Each stands where the one form of a statement has it.
const STRUCTURE: [&str; 12] =
    ["SELECT", "INSERT", "UPDATE", "DELETE", "UPSERT", "REPLACE", "FROM", "INTO", "JOIN", "UNION", "EXISTS", "LET"];

fn statement(tokens: &[Token]) -> Option<Statement> {
    let words: Vec<&str> =
        STRUCTURE.into_iter().flat_map(|word| tokens.iter().filter(move |t| t.is(word)).map(move |_| word)).collect();
    let (action, after, structure, ends): (_, _, &[&str], &[&str]) = match tokens {
        [first, Token::Mark('('), inner @ .., Token::Mark(')')] if first.is("EXISTS") => {
            // Nothing but the one statement may be within the brackets.
            let select = inner.first().is_some_and(|first| first.is("SELECT"))
                && words.iter().filter(|w| **w == "EXISTS").count() == 1;
            return statement(inner).filter(|_| select && balanced(inner));
        }
        [first, rest @ ..] if first.is("SELECT") => {
            let at = rest.iter().position(|token| token.is("FROM"))?;
            ("dynamodb:PartiQLSelect", rest.get(at + 1..)?, &["SELECT", "FROM"], &["WHERE", "ORDER"])
        }
        [first, into, rest @ ..] if first.is("INSERT") && into.is("INTO") => {
            ("dynamodb:PartiQLInsert", rest, &["INSERT", "INTO"], &["VALUE"])
        }
        [first, rest @ ..] if first.is("UPDATE") => ("dynamodb:PartiQLUpdate", rest, &["UPDATE"], &["SET", "REMOVE"]),
        [first, from, rest @ ..] if first.is("DELETE") && from.is("FROM") => {
            ("dynamodb:PartiQLDelete", rest, &["DELETE", "FROM"], &["WHERE"])
        }
        _ => return None,
    };
    let (table, index, rest) = table(after)?;
    let ended = match rest.first() {
        Some(token) => ends.iter().any(|end| token.is(end)),
        None => action == "dynamodb:PartiQLSelect",
    };
    let plain = words.len() == structure.len() && structure.iter().all(|word| words.contains(word));
    (ended && plain && balanced(tokens)).then_some(Statement { action, table, index })
}

/// `table` or `table.index`, and what follows.
fn table(tokens: &[Token]) -> Option<(String, Option<String>, &[Token])> {
    let name = |token: &Token| match token {
        Token::Quoted(name) => Some(name.clone()),
        Token::Word(upper, name) if !STRUCTURE.contains(&upper.as_str()) => Some(name.clone()),
        Token::Word(..) | Token::Value | Token::Mark(_) => None,
    };
    match tokens {
        [table, Token::Mark('.'), index, rest @ ..] => Some((name(table)?, Some(name(index)?), rest)),
        [table, rest @ ..] => Some((name(table)?, None, rest)),
        [] => None,
    }
}

fn balanced(tokens: &[Token]) -> bool {
    let mut open = 0_usize;
    for token in tokens {
        match token {
            Token::Mark('(') => open += 1,
            Token::Mark(')') if open == 0 => return false,
            Token::Mark(')') => open -= 1,
            _ => {}
        }
    }
    open == 0
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::limits::PARTIQL_STATEMENT_BYTES_MAX;

    fn shown(text: &str) -> String {
        match read(text) {
            Ok(found) => {
                let index = found.index.map(|index| format!("/{index}")).unwrap_or_default();
                format!("{} {}{index}", found.action.trim_start_matches("dynamodb:PartiQL"), found.table)
            }
            Err(denial) => denial.code.as_str().to_owned(),
        }
    }

    #[test]
    fn a_statement_has_one_verb_and_one_table() {
        for (text, expected) in [
            ("SELECT * FROM Music", "Select Music"),
            ("select Artist, \"Song\" from \"My.Music-1\" where Artist='O''Brien -- FROM x'", "Select My.Music-1"),
            (
                "SELECT OrderID FROM \"Orders\".\"by-date\" WHERE OrderID IN [1, 2] ORDER BY OrderID DESC",
                "Select Orders/by-date",
            ),
            ("INSERT INTO \"Music\" VALUE {'Artist': 'Acme', 'n': ?}", "Insert Music"),
            (
                "UPDATE \"Music\" SET Awards=1, x = list_append(x, <<1>>) WHERE Artist='a' RETURNING ALL OLD *",
                "Update Music",
            ),
            ("UPDATE Music REMOVE Award.Grammys WHERE Artist=?", "Update Music"),
            ("DELETE FROM \"Music\" WHERE Artist='FROM Secrets' AND n > -1.5e3", "Delete Music"),
            ("SELECT a/b FROM Music WHERE n > 10", "Select Music"),
            ("SELECT * FROM \"My\"\"Music\"", "Select My\"Music"),
            ("EXISTS(SELECT * FROM \"Music\" WHERE Artist=? AND begins_with(\"FROM\", 'x'))", "Select Music"),
            (
                "SELECT * FROM \"arn:aws:dynamodb:us-east-1:123456789012:table/T\"",
                "Select arn:aws:dynamodb:us-east-1:123456789012:table/T",
            ),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn what_may_touch_another_table_is_refused() {
        for text in [
            "",
            "SELECT * FROM",
            "SELECT *",
            "SELECT * FROM A, B",
            "SELECT * FROM A AS x",
            "SELECT * FROM A x, B y",
            "SELECT * FROM A JOIN B",
            "SELECT * FROM A.B.C WHERE x=1",
            "SELECT * FROM A WHERE x IN (SELECT y FROM B)",
            "SELECT (SELECT y FROM B) FROM A",
            "SELECT * FROM (SELECT * FROM B)",
            "SELECT * FROM A WHERE EXISTS(x)",
            "SELECT * FROM A; DELETE FROM B WHERE x=1",
            "SELECT * -- x\nFROM A",
            "SELECT * /* x */ FROM A",
            "SELECT * FROM 'A'",
            "SELECT * FROM `A`",
            "SELECT * FROM \"A",
            "SELECT * FROM A WHERE x='open",
            "INSERT INTO A SELECT * FROM B",
            "INSERT A VALUE {}",
            "INSERT OVER A VALUE {}",
            "FOO INTO A VALUE {'x': INSERT}",
            "INSERT FOO A VALUE {'x': INTO}",
            "INSERT FOO VALUE {'x': INTO}",
            "FROM DELETE A WHERE x=1",
            "DROP FROM A WHERE x=DELETE",
            "DELETE OUT A WHERE x=FROM",
            "DELETE OUT WHERE x=FROM",
            "MERGE INTO A VALUE {}",
            "DELETE OUT A WHERE x=1",
            "DROP FROM A WHERE x=1",
            "SELECT * FROM SELECT",
            "SELECT * FROM INTO WHERE x=1",
            "LIST(SELECT * FROM A)",
            "INSERT INTO A",
            "UPSERT INTO A VALUE {}",
            "UPDATE A WHERE x=1",
            "UPDATE A, B SET x=1",
            "UPDATE A SET x=(SELECT y FROM B)",
            "DELETE FROM A",
            "DELETE A WHERE x=1",
            "DROP TABLE A",
            "EXISTS(DELETE FROM A WHERE x=1)",
            "EXISTS(SELECT * FROM A) OR EXISTS(SELECT * FROM B)",
            "EXISTS(EXISTS(SELECT * FROM A))",
            "SELECT * FROM A)",
            "SELECT * FROM A WHERE x=1)",
            "SELECT * FROM A WHERE (x=1",
            "SELECT * FROM A WHERE x=1) AND (y=2",
            "EXISTS(SELECT * FROM A WHERE x=1) AND (y=2)",
            "SELECT * FROM Ａ",
        ] {
            assert_eq!(shown(text), "unresolved", "{text}");
        }
    }

    #[test]
    fn a_statement_is_bounded() {
        let long = |n: usize| format!("SELECT * FROM A WHERE x='{}'", "x".repeat(n));
        let head = long(0).len();
        assert_eq!(shown(&long(PARTIQL_STATEMENT_BYTES_MAX - head)), "Select A");
        assert_eq!(shown(&long(PARTIQL_STATEMENT_BYTES_MAX - head + 1)), "too-large");
    }
}
