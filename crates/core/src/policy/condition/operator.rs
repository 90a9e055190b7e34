//! The condition operators: one table of names, what they compare, and which are negations.

use std::fmt;

use super::value::{self, Decimal, Operand};
use crate::policy::access::Context;
use crate::policy::glob::Glob;
use crate::policy::resource::{arn_like, is_arn_pattern};
use crate::policy::template::{Filled, Template, glob_of};
use crate::policy::truth::Truth;

/// An operator with its prefix and suffix, `ForAnyValue:StringLikeIfExists`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operator {
    pub(crate) set: Option<Set>,
    kind: &'static Kind,
    pub(crate) if_exists: bool,
}

/// How the values of a multivalued key are taken together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Set {
    /// `ForAllValues:` every value of the request.
    All,
    /// `ForAnyValue:` at least one.
    Any,
}

/// One row of the table.
#[derive(Debug, PartialEq, Eq)]
struct Kind {
    name: &'static str,
    test: Test,
    negated: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Test {
    Text { ignore_case: bool, wildcards: bool },
    Number(Order),
    Date(Order),
    Bool,
    Binary,
    Address,
    Arn,
    Null,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

const EXACT: Test = Test::Text { ignore_case: false, wildcards: false };
const FOLDED: Test = Test::Text { ignore_case: true, wildcards: false };
const LIKE: Test = Test::Text { ignore_case: false, wildcards: true };

/// Every operator of the IAM user guide, "Condition operators".
const KINDS: [Kind; 27] = [
    Kind { name: "StringEquals", test: EXACT, negated: false },
    Kind { name: "StringNotEquals", test: EXACT, negated: true },
    Kind { name: "StringEqualsIgnoreCase", test: FOLDED, negated: false },
    Kind { name: "StringNotEqualsIgnoreCase", test: FOLDED, negated: true },
    Kind { name: "StringLike", test: LIKE, negated: false },
    Kind { name: "StringNotLike", test: LIKE, negated: true },
    Kind { name: "NumericEquals", test: Test::Number(Order::Equal), negated: false },
    Kind { name: "NumericNotEquals", test: Test::Number(Order::Equal), negated: true },
    Kind { name: "NumericLessThan", test: Test::Number(Order::Less), negated: false },
    Kind { name: "NumericLessThanEquals", test: Test::Number(Order::LessOrEqual), negated: false },
    Kind { name: "NumericGreaterThan", test: Test::Number(Order::Greater), negated: false },
    Kind { name: "NumericGreaterThanEquals", test: Test::Number(Order::GreaterOrEqual), negated: false },
    Kind { name: "DateEquals", test: Test::Date(Order::Equal), negated: false },
    Kind { name: "DateNotEquals", test: Test::Date(Order::Equal), negated: true },
    Kind { name: "DateLessThan", test: Test::Date(Order::Less), negated: false },
    Kind { name: "DateLessThanEquals", test: Test::Date(Order::LessOrEqual), negated: false },
    Kind { name: "DateGreaterThan", test: Test::Date(Order::Greater), negated: false },
    Kind { name: "DateGreaterThanEquals", test: Test::Date(Order::GreaterOrEqual), negated: false },
    Kind { name: "Bool", test: Test::Bool, negated: false },
    Kind { name: "BinaryEquals", test: Test::Binary, negated: false },
    Kind { name: "IpAddress", test: Test::Address, negated: false },
    Kind { name: "NotIpAddress", test: Test::Address, negated: true },
    Kind { name: "ArnEquals", test: Test::Arn, negated: false },
    Kind { name: "ArnNotEquals", test: Test::Arn, negated: true },
    Kind { name: "ArnLike", test: Test::Arn, negated: false },
    Kind { name: "ArnNotLike", test: Test::Arn, negated: true },
    Kind { name: "Null", test: Test::Null, negated: false },
];

impl Operator {
    /// Reads an operator's name; case matters, as in IAM. The error says what is wrong, without the place.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (set, rest) = match text.split_once(':') {
            None => (None, text),
            Some(("ForAllValues", rest)) => (Some(Set::All), rest),
            Some(("ForAnyValue", rest)) => (Some(Set::Any), rest),
            Some(_) => return Err(format!("`{}` is not a condition operator", text.escape_debug())),
        };
        let name = rest.strip_suffix("IfExists").unwrap_or(rest);
        let if_exists = name.len() != rest.len();
        let Some(kind) = KINDS.iter().find(|kind| kind.name == name) else {
            let near = KINDS.iter().find(|kind| kind.name.eq_ignore_ascii_case(name));
            let hint = near.map(|kind| format!("; did you mean `{}`?", kind.name)).unwrap_or_default();
            return Err(format!("`{}` is not a condition operator{hint}", text.escape_debug()));
        };
        if kind.test == Test::Null && (if_exists || set.is_some()) {
            return Err(format!("`{text}`: `Null` takes neither `IfExists` nor a set prefix"));
        }
        Ok(Self { set, kind, if_exists })
    }

    /// Without prefix and suffix.
    pub(crate) fn name(self) -> &'static str {
        self.kind.name
    }

    pub(crate) fn negated(self) -> bool {
        self.kind.negated
    }

    pub(crate) fn takes_one_value(self) -> bool {
        self.kind.test == Test::Null
    }

    /// For `Null`: whether the key must be absent.
    pub(crate) fn null_test(self, values: &[String]) -> Option<bool> {
        let wants = values.first().is_some_and(|value| value.eq_ignore_ascii_case("true"));
        (self.kind.test == Test::Null).then_some(wants)
    }

    /// Reads one value of the policy.
    pub(crate) fn operand(self, text: &str) -> Result<Operand, String> {
        let shown = text.escape_debug();
        let typed = |operand: Option<Operand>, what: &str| {
            if text.contains("${") {
                return Err(format!("`{shown}`: policy variables may not be used with `{self}`"));
            }
            operand.ok_or_else(|| format!("`{shown}` is not {what}"))
        };
        match self.kind.test {
            Test::Text { .. } | Test::Arn => {
                let template =
                    Template::parse(text).map_err(|fault| format!("`{shown}`: expected {}", fault.expected))?;
                if self.kind.test == Test::Arn && !template.has_variables() && !is_arn_pattern(&template.widest()) {
                    return Err(format!(
                        "`{shown}` is not an ARN pattern of six parts, which `{self}` compares one by one"
                    ));
                }
                let glob = match self.kind.test {
                    Test::Text { ignore_case, wildcards } if !template.has_variables() => {
                        Some(text_glob(template.widest(), ignore_case, wildcards))
                    }
                    _ => None,
                };
                Ok(Operand::Text(template, glob))
            }
            Test::Number(_) => typed(Decimal::parse(text).map(Operand::Number), "a decimal number"),
            Test::Date(_) => typed(value::date(text).map(Operand::Date), "a date such as `2026-01-31T00:00:00Z`"),
            Test::Bool | Test::Null => typed(value::boolean(text).map(Operand::Bool), "`true` or `false`"),
            Test::Binary => typed(value::binary(text).map(Operand::Binary), "base64"),
            Test::Address => typed(value::Network::parse(text).map(Operand::Network), "an IP address or CIDR range"),
        }
    }

    /// One value of the request against one of the policy, without regard to negation.
    pub(crate) fn compare(self, value: &str, operand: &Operand, context: &Context) -> Truth {
        let known = |answer: Option<bool>| answer.map_or(Truth::Maybe, Truth::from);
        match (self.kind.test, operand) {
            (Test::Text { ignore_case: false, .. }, Operand::Text(_, Some(glob))) => glob.matches(value).into(),
            (Test::Text { ignore_case: true, .. }, Operand::Text(_, Some(glob))) => {
                glob.matches(&value.to_lowercase()).into()
            }
            (Test::Text { ignore_case, wildcards }, Operand::Text(template, None)) => {
                text_matches(template, value, ignore_case, wildcards, context)
            }
            (Test::Arn, Operand::Text(template, _)) => match template.fill(context) {
                None => Truth::No,
                Some(filled) if filled.contains(&Filled::Anything) => Truth::Maybe,
                Some(filled) => known(arn_like(&filled, value)),
            },
            (Test::Number(order), Operand::Number(ours)) => {
                known(Decimal::parse(value).map(|it| order.admits(it.cmp(ours))))
            }
            (Test::Date(order), Operand::Date(ours)) => known(value::date(value).map(|it| order.admits(it.cmp(ours)))),
            (Test::Bool, Operand::Bool(ours)) => known(value::boolean(value).map(|it| it == *ours)),
            (Test::Binary, Operand::Binary(ours)) => known(value::binary(value).map(|it| it == *ours)),
            (Test::Address, Operand::Network(ours)) => known(value::address(value).map(|it| ours.contains(it))),
            _ => Truth::Maybe,
        }
    }
}

fn text_matches(template: &Template, value: &str, ignore_case: bool, wildcards: bool, context: &Context) -> Truth {
    let Some(filled) = template.fill(context) else {
        return Truth::No;
    };
    let guessed = filled.contains(&Filled::Anything);
    let glob = text_glob(filled, ignore_case, wildcards);
    let matches = if ignore_case { glob.matches(&value.to_lowercase()) } else { glob.matches(value) };
    match matches {
        false => Truth::No,
        true if guessed => Truth::Maybe,
        true => Truth::Yes,
    }
}

fn text_glob(filled: Vec<Filled>, ignore_case: bool, wildcards: bool) -> Glob {
    let filled = if ignore_case { filled.into_iter().flat_map(lowered).collect() } else { filled };
    glob_of(&filled, wildcards)
}

fn lowered(filled: Filled) -> Vec<Filled> {
    match filled {
        Filled::Plain(c) => c.to_lowercase().map(Filled::Plain).collect(),
        Filled::Literal(c) => c.to_lowercase().map(Filled::Literal).collect(),
        Filled::Anything => vec![filled],
    }
}

impl Order {
    fn admits(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.set {
            None => "",
            Some(Set::All) => "ForAllValues:",
            Some(Set::Any) => "ForAnyValue:",
        })?;
        f.write_str(self.kind.name)?;
        f.write_str(if self.if_exists { "IfExists" } else { "" })
    }
}

#[cfg(test)]
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name)
}

#[cfg(test)]
mod tests {
    use super::{KINDS, Operator};

    #[test]
    fn every_operator_is_read_back_from_its_name() {
        for kind in &KINDS {
            for (prefix, suffix) in [("", ""), ("ForAllValues:", ""), ("ForAnyValue:", "IfExists"), ("", "IfExists")] {
                let name = format!("{prefix}{}{suffix}", kind.name);
                let plain = prefix.is_empty() && suffix.is_empty();
                match Operator::parse(&name) {
                    Ok(operator) => assert_eq!(operator.to_string(), name),
                    Err(_) => assert!(kind.name == "Null" && !plain, "{name}"),
                }
            }
        }
    }

    #[test]
    fn an_unknown_operator_is_refused_with_its_likely_name() {
        assert!(Operator::parse("stringequals").expect_err("case").contains("`StringEquals`"));
        for bad in ["", "StringEqual", "ForSomeValues:StringEquals", "IfExists", "ForAnyValue:", "BoolNot"] {
            assert!(Operator::parse(bad).is_err(), "{bad}");
        }
    }
}
