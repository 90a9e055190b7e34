//! A policy in plain sentences: what each statement allows or denies, on what, and when.

use super::action::ActionPattern;
use super::condition::{Condition, Operator, Set};
use super::document::{Effect, PolicyDocument, Scope, Statement};
use super::minting;
use super::resource::ResourcePattern;

/// One statement in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementInWords {
    /// `Sid`, or `statement 2`.
    pub name: String,
    /// True for an Allow.
    pub allows: bool,
    /// One sentence.
    pub sentence: String,
}

impl PolicyDocument {
    /// Each statement as one sentence, in the document's order. A sentence names every action, resource and
    /// condition; it also says what is easily overlooked, such as a condition that holds when its key is absent.
    pub fn in_words(&self) -> Vec<StatementInWords> {
        let words = |(n, statement): (usize, &Statement)| StatementInWords {
            name: statement.name(n + 1),
            allows: statement.effect == Effect::Allow,
            sentence: statement.sentence(),
        };
        self.statements().iter().enumerate().map(words).collect()
    }
}

impl Statement {
    fn sentence(&self) -> String {
        self.sentence_with(match self.effect {
            Effect::Allow => "allows",
            Effect::Deny => "denies",
        })
    }

    /// The sentence with another verb, `no longer denies`.
    pub(super) fn sentence_with(&self, verb: &str) -> String {
        let mut sentence = format!("{verb} {} on {}", actions(&self.actions, self.effect), resources(&self.resources));
        if !self.conditions.is_empty() {
            let when: Vec<String> = self.conditions.iter().map(Condition::sentence).collect();
            let only = if self.effect == Effect::Allow { "only when" } else { "when" };
            sentence.push_str(&format!(", {only} {}", when.join(", and ")));
        }
        sentence
    }
}

impl Condition {
    /// `` `aws:SourceIp` is in `10.0.0.0/8` ``.
    pub(crate) fn sentence(&self) -> String {
        let key = quoted(&self.key);
        if let Some(absent) = self.operator.null_test(&self.values) {
            return format!("{key} is {}", if absent { "absent" } else { "present" });
        }
        let verb = verb(self.operator.name());
        let negated = self.operator.negated();
        let (any, last) = if negated && self.values.len() > 1 { (" any of", "and") } else { ("", "or") };
        let values = listed(self.values.iter().map(|value| quoted(value)), last);
        let subject = match self.operator.set {
            None => key,
            Some(Set::All) => format!("every value of {key}"),
            Some(Set::Any) => format!("some value of {key}"),
        };
        let absent = if self.holds_when_absent() { ", or is absent" } else { "" };
        format!("{subject} {verb}{any} {values}{absent}")
    }
}

/// The truth about wildcards: those of an Allow are without the minting class, those of a Deny are not.
fn actions(scope: &Scope<ActionPattern>, effect: Effect) -> String {
    let text = |pattern: &ActionPattern| format!("`{pattern}`");
    let minting = || format!("those that hand out credentials ({} kinds)", minting::MINTING.len());
    match (scope, effect) {
        (Scope::Only(patterns), _) if patterns.contains(&ActionPattern::all()) => {
            let mut named = patterns.iter().filter(|pattern| pattern.is_literal()).peekable();
            match effect {
                Effect::Deny => "every action".to_owned(),
                Effect::Allow if named.peek().is_none() => format!("every action but {}", minting()),
                Effect::Allow => format!("every action but {}, and also {}", minting(), listed(named.map(text), "and")),
            }
        }
        (Scope::Only(patterns), _) => listed(patterns.iter().map(text), "and"),
        (Scope::AllBut(patterns), Effect::Deny) => {
            format!("every action except {}", listed(patterns.iter().map(text), "and"))
        }
        (Scope::AllBut(patterns), Effect::Allow) => {
            format!("every action except {} and {}", listed(patterns.iter().map(text), "and"), minting())
        }
    }
}

fn resources(scope: &Scope<ResourcePattern>) -> String {
    let text = |pattern: &ResourcePattern| quoted(pattern.as_str());
    match scope {
        Scope::Only(patterns) if patterns.iter().any(ResourcePattern::is_everything) => "every resource".to_owned(),
        Scope::Only(patterns) => listed(patterns.iter().map(text), "and"),
        Scope::AllBut(patterns) => format!("every resource except {}", listed(patterns.iter().map(text), "and")),
    }
}

/// As it stands; only what a terminal would not show as itself is escaped.
fn quoted(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() + 2);
    shown.push('`');
    for c in text.chars() {
        match c {
            '"' | '\'' | '\\' => shown.push(c),
            c => shown.extend(c.escape_debug()),
        }
    }
    shown.push('`');
    shown
}

/// `a`, `a or b`, `a, b or c`.
fn listed(items: impl Iterator<Item = String>, last: &str) -> String {
    let mut items: Vec<String> = items.collect();
    match items.pop() {
        None => String::new(),
        Some(end) if items.is_empty() => end,
        Some(end) => format!("{} {last} {end}", items.join(", ")),
    }
}

/// The predicate of an operator, without prefix and suffix.
fn verb(operator: &str) -> &'static str {
    match operator {
        "StringEquals" | "Bool" => "is",
        "StringNotEquals" => "is not",
        "StringEqualsIgnoreCase" => "is (in any case)",
        "StringNotEqualsIgnoreCase" => "is not (in any case)",
        "StringLike" => "matches",
        "StringNotLike" => "does not match",
        "NumericEquals" => "equals",
        "NumericNotEquals" => "does not equal",
        "NumericLessThan" => "is less than",
        "NumericLessThanEquals" => "is at most",
        "NumericGreaterThan" => "is greater than",
        "NumericGreaterThanEquals" => "is at least",
        "DateEquals" => "is the time",
        "DateNotEquals" => "is not the time",
        "DateLessThan" => "is before",
        "DateLessThanEquals" => "is not after",
        "DateGreaterThan" => "is after",
        "DateGreaterThanEquals" => "is not before",
        "BinaryEquals" => "has the bytes",
        "IpAddress" => "is in",
        "NotIpAddress" => "is not in",
        "ArnEquals" | "ArnLike" => "matches the ARN",
        "ArnNotEquals" | "ArnNotLike" => "does not match the ARN",
        _ => "compares with",
    }
}

impl Operator {
    /// True for `StringEquals` and its like, which compare `*` and `?` as they stand.
    pub(super) fn takes_wildcards_literally(self) -> bool {
        matches!(
            self.name(),
            "StringEquals" | "StringNotEquals" | "StringEqualsIgnoreCase" | "StringNotEqualsIgnoreCase"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::verb;
    use crate::policy::condition::operator::names;
    use crate::policy::document::PolicyDocument;

    fn words(statement: &str) -> String {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":{statement}}}"#);
        let document = PolicyDocument::parse(&text).expect(statement);
        document.in_words().pop().expect("one").sentence
    }

    #[test]
    fn every_operator_has_a_verb() {
        for name in names().filter(|name| *name != "Null") {
            assert_ne!(verb(name), "compares with", "{name}");
        }
    }

    #[test]
    fn a_statement_reads_as_one_sentence() {
        assert_eq!(
            words(r#"{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::b/*"}"#),
            "allows `s3:GetObject` and `s3:PutObject` on `arn:aws:s3:::b/*`"
        );
        assert_eq!(
            words(
                r#"{"Effect":"Deny","NotAction":"s3:*","NotResource":"arn:aws:s3:::b/*",
                "Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-west-1","eu-west-2"]},
                             "Null":{"aws:username":"false"}}}"#
            ),
            "denies every action except `s3:*` on every resource except `arn:aws:s3:::b/*`, when `aws:username` is \
             present, and `aws:RequestedRegion` is not any of `eu-west-1` and `eu-west-2`, or is absent"
        );
        assert!(words(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#).contains("hand out credentials"));
    }

    #[test]
    fn only_the_wildcards_of_an_allow_leave_out_what_mints() {
        let of = |effect: &str, actions: &str| words(&format!(r#"{{"Effect":"{effect}",{actions},"Resource":"*"}}"#));
        let some = "those that hand out credentials";
        for (effect, actions, says) in [
            ("Allow", r#""Action":"*""#, true),
            ("Deny", r#""Action":"*""#, false),
            ("Allow", r#""NotAction":"s3:*""#, true),
            ("Deny", r#""NotAction":"s3:*""#, false),
        ] {
            assert_eq!(of(effect, actions).contains(some), says, "{}", of(effect, actions));
        }
        let named = of("Allow", r#""Action":["*","iam:PassRole"]"#);
        assert!(named.contains(some) && named.contains("`iam:PassRole`"), "{named}");
    }

    #[test]
    fn a_quote_stands_as_it_is_and_a_control_character_does_not() {
        let text = words(
            r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username, 'x'}","Condition":
            {"StringEquals":{"aws:a":"\"\u001b"}}}"#,
        );
        assert!(text.contains("`arn:aws:s3:::b/${aws:username, 'x'}`") && text.contains("`\"\\u{1b}`"), "{text}");
    }

    #[test]
    fn several_values_are_alternatives_and_of_a_negation_all_are_excluded() {
        let when = |operator: &str, values: &str| {
            let condition = format!(r#"{{"{operator}":{{"aws:a":{values}}}}}"#);
            words(&format!(r#"{{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{condition}}}"#))
        };
        for (operator, values, end) in [
            ("StringEquals", r#"["x","y","z"]"#, "only when `aws:a` is `x`, `y` or `z`"),
            ("StringEquals", r#""x""#, "only when `aws:a` is `x`"),
            ("StringNotEquals", r#"["x","y"]"#, "only when `aws:a` is not any of `x` and `y`, or is absent"),
            ("StringNotEquals", r#""x""#, "only when `aws:a` is not `x`, or is absent"),
        ] {
            assert!(when(operator, values).ends_with(end), "{}", when(operator, values));
        }
    }

    #[test]
    fn each_statement_has_its_name_and_its_effect() {
        let text = r#"{"Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"},
            {"Effect":"Allow","Action":"ec2:*","Resource":"*"},
            {"Sid":"Named","Effect":"Allow","Action":"sqs:*","Resource":"*"}]}"#;
        let words = PolicyDocument::parse(text).expect("a document").in_words();
        let shown: Vec<(&str, bool)> = words.iter().map(|one| (one.name.as_str(), one.allows)).collect();
        assert_eq!(shown, [("statement 1", false), ("statement 2", true), ("Named", true)]);
    }

    #[test]
    fn what_holds_without_its_key_says_so() {
        let with = |operator: &str| {
            words(&format!(
                r#"{{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{{"{operator}":{{"aws:TagKeys":"a"}}}}}}"#
            ))
        };
        for operator in ["StringNotLike", "StringEqualsIfExists", "ForAllValues:StringEquals"] {
            assert!(with(operator).ends_with("or is absent"), "{operator}: {}", with(operator));
        }
        for operator in ["StringLike", "ForAnyValue:StringEquals", "ForAnyValue:StringNotEquals"] {
            assert!(!with(operator).contains("absent"), "{operator}: {}", with(operator));
        }
    }
}
