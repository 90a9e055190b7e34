//! The command line's short form: `--allow "s3:GetObject,lambda:Update*"` and `--resource arn:…`.

use std::collections::HashSet;

use super::action::ActionPattern;
use super::resource::ResourcePattern;
use super::syntax::SyntaxError;
use super::universal;
use crate::limits::{POLICY_ACTIONS_MAX, POLICY_PATTERN_CHARS_MAX};

/// Prefixes of common services, to guess where a forgotten colon belongs.
const COMMON_SERVICES: [&str; 24] = [
    "autoscaling",
    "cloudformation",
    "cloudwatch",
    "dynamodb",
    "ec2",
    "ecr",
    "ecs",
    "eks",
    "elasticloadbalancing",
    "events",
    "glue",
    "iam",
    "kinesis",
    "kms",
    "lambda",
    "logs",
    "rds",
    "route53",
    "s3",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
    "sts",
];

/// Reads a comma-separated list of actions. White space around an item is ignored, an action named twice counts
/// once, and universal keys (`storage:read`) are replaced by the actions that they stand for.
///
/// # Errors
/// A [`SyntaxError`] that points at the character; also for an empty item, and past [`POLICY_ACTIONS_MAX`] actions.
pub fn parse_actions(input: &str) -> Result<Vec<ActionPattern>, SyntaxError> {
    let mut actions = Vec::new();
    let mut seen = HashSet::new();
    let mut start = 0;
    for item in input.split(',') {
        let at = start + leading_space(item);
        start += item.chars().count() + 1;
        let text = item.trim();
        if text.is_empty() {
            return Err(SyntaxError::new(input, at, "an action such as `s3:GetObject`"));
        }
        let parsed = parse_item(text).map_err(|fault| fault.inside(input, at))?;
        for action in parsed {
            if seen.insert(action.folded()) {
                actions.push(action);
            }
        }
        if actions.len() > POLICY_ACTIONS_MAX {
            let expected = format!("at most {POLICY_ACTIONS_MAX} actions (a wildcard may replace many)");
            return Err(SyntaxError::new(input, at, expected));
        }
    }
    Ok(actions)
}

/// Reads one resource: `*`, an ARN pattern of six parts, or `s3://bucket/prefix/*` as a short form of
/// `arn:aws:s3:::bucket/prefix/*`. In other partitions than `aws` the ARN must be written out.
///
/// # Errors
/// A [`SyntaxError`] that points at the character.
pub fn parse_resource(input: &str) -> Result<String, SyntaxError> {
    let offset = leading_space(input);
    let text = input.trim();
    let arn = match text.strip_prefix("s3://") {
        Some(path) => s3_arn(path).map_err(|fault| fault.shifted(5)),
        None => Ok(text.to_owned()),
    };
    let checked = arn.and_then(|arn| {
        several_in_one(text)?;
        let shift = if text.starts_with("s3://") { None } else { Some(0) };
        ResourcePattern::parse(&arn).map_err(|fault| Fault::of_resource(text, &fault, shift))?;
        Ok(arn)
    });
    checked.map_err(|fault| fault.inside(input, offset))
}

/// One action, or `*`; no universal keys.
pub(crate) fn parse_action(text: &str) -> Result<ActionPattern, SyntaxError> {
    read_action(text).map_err(|fault| fault.inside(text, 0))
}

/// A mistake inside one item, before it is placed in the whole input.
struct Fault {
    at: usize,
    expected: String,
    suggestion: Option<String>,
}

impl Fault {
    fn new(at: usize, expected: impl Into<String>) -> Self {
        Self { at, expected: expected.into(), suggestion: None }
    }

    fn suggesting(mut self, suggestion: impl Into<Option<String>>) -> Self {
        self.suggestion = suggestion.into();
        self
    }

    fn shifted(self, by: usize) -> Self {
        Self { at: self.at + by, ..self }
    }

    fn inside(self, input: &str, offset: usize) -> SyntaxError {
        SyntaxError::new(input, offset + self.at, self.expected).suggesting(self.suggestion)
    }

    fn of_resource(text: &str, fault: &super::resource::ResourceFault, shift: Option<usize>) -> Self {
        let at = shift.map_or(0, |by| by + fault.at);
        Self::new(at, fault.expected.clone()).suggesting(resource_suggestion(text))
    }
}

fn parse_item(text: &str) -> Result<Vec<ActionPattern>, Fault> {
    let action = read_action(text)?;
    match universal::expand(&action) {
        None => Ok(vec![action]),
        Some(expanded) if !expanded.is_empty() => Ok(expanded),
        Some(_) => {
            let at = action.service.chars().count() + 1;
            let keys = universal::names_of(&action.service).join("`, `");
            Err(Fault::new(at, format!("one of the universal keys `{keys}`")))
        }
    }
}

fn read_action(text: &str) -> Result<ActionPattern, Fault> {
    if text == "*" {
        return Ok(ActionPattern::all());
    }
    if text.chars().count() > POLICY_PATTERN_CHARS_MAX {
        return Err(Fault::new(
            POLICY_PATTERN_CHARS_MAX,
            format!("at most {POLICY_PATTERN_CHARS_MAX} characters in one action"),
        ));
    }
    let Some((service, name)) = text.split_once(':') else {
        return Err(missing_colon(text));
    };
    if service.is_empty() {
        return Err(Fault::new(0, "a service before the `:`, such as `s3`"));
    }
    if let Some(at) = service.chars().position(|c| !(c.is_ascii_alphanumeric() || "-*?".contains(c))) {
        return Err(Fault::new(at, "a service prefix of letters, digits and `-`").suggesting(squeezed(text)));
    }
    let name_at = service.chars().count() + 1;
    if name.is_empty() {
        return Err(Fault::new(name_at, "an action after the `:`, such as `GetObject` or `*`"));
    }
    if let Some(at) = name.chars().position(|c| !(c.is_ascii_alphanumeric() || "*?".contains(c))) {
        let fault = match name.chars().nth(at) {
            Some(':') => Fault::new(name_at + at, "only one `:`, between the service and the action"),
            Some('-' | '_') => Fault::new(name_at + at, "an API action name, not a command")
                .suggesting(format!("{service}:{}", pascal_case(name))),
            _ => {
                Fault::new(name_at + at, "an action name of letters and digits, `*` or `?`").suggesting(squeezed(text))
            }
        };
        return Err(fault);
    }
    Ok(ActionPattern { service: service.to_owned(), action: name.to_owned() })
}

/// Points at where the colon belongs: at a wrong separator, before the first capital, after a known service.
fn missing_colon(text: &str) -> Fault {
    let expected = "`:` between the service and the action";
    let service_chars = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let separator = text.char_indices().position(|(_, c)| !service_chars(c));
    let capital = text.chars().position(|c| c.is_ascii_uppercase()).filter(|&at| at > 0);
    let known = COMMON_SERVICES.iter().filter(|service| text.starts_with(**service)).map(|s| s.len()).max();
    let at = separator.filter(|&at| at > 0 && capital.is_none_or(|capital| at < capital)).or(capital).or(known);
    let Some(at) = at else {
        return Fault::new(text.chars().count(), expected);
    };
    let head: String = text.chars().take(at).collect();
    let tail: String = text.chars().skip(at).skip_while(|c| !c.is_ascii_alphanumeric() && !"*?".contains(*c)).collect();
    let guess = format!("{head}:{tail}");
    Fault::new(at, expected).suggesting(read_action(&guess).is_ok().then_some(guess))
}

/// The text without white space, if that makes it right.
fn squeezed(text: &str) -> Option<String> {
    let guess: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    (guess != text && read_action(&guess).is_ok()).then_some(guess)
}

/// `list-objects-v2` → `ListObjectsV2`.
fn pascal_case(name: &str) -> String {
    let word = |word: &str| {
        let mut chars = word.chars();
        let first = chars.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(chars).collect::<String>()
    };
    name.split(['-', '_']).map(word).collect()
}

fn s3_arn(path: &str) -> Result<String, Fault> {
    let (bucket, key) = path.split_once('/').map_or((path, None), |(bucket, key)| (bucket, Some(key)));
    if bucket.is_empty() {
        return Err(Fault::new(0, "a bucket name, as in `s3://bucket/prefix/*`"));
    }
    if let Some(at) = bucket.chars().position(|c| !(c.is_ascii_alphanumeric() || ".-_*?".contains(c))) {
        return Err(Fault::new(at, "a bucket name of letters, digits, `.` and `-`"));
    }
    match key {
        None => Ok(format!("arn:aws:s3:::{bucket}")),
        Some("") => Err(Fault::new(bucket.chars().count() + 1, "a key or `*` after the `/`, or no `/` for the bucket")
            .suggesting(format!("s3://{bucket}/*"))),
        Some(key) => Ok(format!("arn:aws:s3:::{bucket}/{key}")),
    }
}

/// A comma may stand in a key, so a list is recognised by what follows the comma.
fn several_in_one(text: &str) -> Result<(), Fault> {
    let next = [",arn:", ", arn:", ",s3://", ", s3://"].iter().filter_map(|mark| text.find(mark)).min();
    match next {
        None => Ok(()),
        Some(at) => {
            let at = text.get(..at).map_or(0, |head| head.chars().count());
            Err(Fault::new(at, "the end of the resource: give `--resource` once for each"))
        }
    }
}

fn resource_suggestion(text: &str) -> Option<String> {
    let guess = if let Some(rest) = text.strip_prefix("arn:aws:s3:").filter(|rest| !rest.starts_with(':')) {
        format!("arn:aws:s3:::{rest}")
    } else if text.starts_with("arn:") || text.contains(char::is_whitespace) {
        return None;
    } else {
        format!("s3://{}", text.trim_start_matches('/'))
    };
    parse_resource(&guess).is_ok().then_some(guess)
}

fn leading_space(text: &str) -> usize {
    if text.trim().is_empty() { 0 } else { text.chars().take_while(|c| c.is_whitespace()).count() }
}

#[cfg(test)]
mod tests {
    use super::{parse_actions, parse_resource};
    use crate::limits::{POLICY_ACTIONS_MAX, POLICY_PATTERN_CHARS_MAX};

    fn shown(input: &str) -> Vec<String> {
        parse_actions(input).expect("parses").iter().map(ToString::to_string).collect()
    }

    fn fault(input: &str) -> (usize, Option<String>) {
        let error = parse_actions(input).expect_err(input);
        assert_eq!(error.input(), input);
        (error.position(), error.suggestion().map(str::to_owned))
    }

    #[test]
    fn a_list_is_read_with_its_wildcards_and_without_its_repetitions() {
        assert_eq!(shown("s3:GetObject,lambda:Update*"), ["s3:GetObject", "lambda:Update*"]);
        assert_eq!(shown(" s3:GetObject ,\n\tS3:getobject,* "), ["s3:GetObject", "*"]);
        assert_eq!(shown("execute-api:Invoke,s3:?et*"), ["execute-api:Invoke", "s3:?et*"]);
    }

    #[test]
    fn a_mistake_is_pointed_at_by_character() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(fault("s3GetObject"), (2, some("s3:GetObject")));
        assert_eq!(fault("s3:GetObject,s3GetObject"), (15, some("s3:GetObject")));
        assert_eq!(fault("s3.GetObject"), (2, some("s3:GetObject")));
        assert_eq!(fault("s3getobject"), (2, some("s3:getobject")));
        assert_eq!(fault("nonsense"), (8, None));
        assert_eq!(fault("s3 : GetObject"), (2, some("s3:GetObject")));
        assert_eq!(fault("s3:list-objects-v2"), (7, some("s3:ListObjectsV2")));
        assert_eq!(fault("s3::GetObject"), (3, None));
        assert_eq!(fault("s3:Get:Object"), (6, None));
        assert_eq!(fault(":GetObject"), (0, None));
        assert_eq!(fault("s3:"), (3, None));
        assert_eq!(fault("s3:Gét"), (4, None));
        assert_eq!(fault("日本:Get"), (0, None));
        assert_eq!(fault("s3:Get*, 日本"), (11, None));
        assert_eq!(fault("s3:Get\u{0}"), (6, None));
        assert_eq!(fault("storage:raed").0, 8);
        assert_eq!(fault("fooGetBar"), (3, some("foo:GetBar")));
        assert_eq!(fault("GetObject"), (9, None));
        let twice = parse_actions("s3:Get:Object").expect_err("two colons");
        assert_eq!(twice.expected(), "only one `:`, between the service and the action");
    }

    #[test]
    fn an_empty_item_is_an_error_where_it_stands() {
        for (input, at) in [("", 0), ("   ", 0), (",", 0), ("s3:*,", 5), ("s3:*, ,ec2:*", 5), (" ,s3:*", 0)] {
            assert_eq!(fault(input).0, at, "{input:?}");
        }
    }

    #[test]
    fn lists_and_items_past_their_limits_are_refused() {
        let list = |n: usize| (0..n).map(|i| format!("s3:A{i}")).collect::<Vec<_>>().join(",");
        assert_eq!(shown(&list(POLICY_ACTIONS_MAX)).len(), POLICY_ACTIONS_MAX);
        assert!(parse_actions(&list(POLICY_ACTIONS_MAX + 1)).is_err());
        assert_eq!(shown(&vec!["s3:*"; POLICY_ACTIONS_MAX + 1].join(",")).len(), 1);
        let long = |chars: usize| parse_actions(&format!("s3:{}", "A".repeat(chars - 3)));
        assert!(long(POLICY_PATTERN_CHARS_MAX).is_ok() && long(POLICY_PATTERN_CHARS_MAX + 1).is_err());
        let long = |chars: usize| parse_resource(&format!("arn:aws:s3:::{}", "k".repeat(chars - 13)));
        assert!(long(POLICY_PATTERN_CHARS_MAX).is_ok() && long(POLICY_PATTERN_CHARS_MAX + 1).is_err());
    }

    #[test]
    fn a_resource_is_a_star_an_arn_or_an_s3_path() {
        for (input, arn) in [
            ("*", "*"),
            (" arn:aws:s3:::b/k ", "arn:aws:s3:::b/k"),
            ("s3://bucket/prefix/*", "arn:aws:s3:::bucket/prefix/*"),
            ("s3://bucket", "arn:aws:s3:::bucket"),
            ("s3://b/a,b", "arn:aws:s3:::b/a,b"),
            ("arn:aws-cn:dynamodb:*:123456789012:table/T:x", "arn:aws-cn:dynamodb:*:123456789012:table/T:x"),
        ] {
            assert_eq!(parse_resource(input).as_deref(), Ok(arn), "{input}");
        }
    }

    #[test]
    fn a_wrong_resource_is_refused_with_a_suggestion() {
        for (input, at, suggestion) in [
            ("bucket/*", 0, Some("s3://bucket/*")),
            ("arn:aws:s3:bucket/*", 19, Some("arn:aws:s3:::bucket/*")),
            ("arn:aws:*:::x", 8, None),
            ("s3://", 5, None),
            ("s3://b/", 7, Some("s3://b/*")),
            ("s3://b ucket/x", 6, None),
            ("", 0, None),
            ("arn:aws:s3:::a,arn:aws:s3:::b", 14, None),
            ("arn:aws:s3:::b/${aws:username", 15, None),
            ("arn:aws:${s3:x}:::b", 8, None),
            ("arn:aws:iam::${aws:username}:role/r", 13, None),
            ("arn:aws:s3:::b/${*}${aws:username", 19, None),
            ("arn:aws:${*}${aws:x}:::b", 12, None),
            ("arn::s3:::b", 4, None),
            ("arn:aws::::b", 8, None),
            ("arn:aws:s*:::b", 9, None),
            ("arn:aws:s3:::", 13, None),
            ("bucket/a b", 0, None),
        ] {
            let error = parse_resource(input).expect_err(input);
            assert_eq!((error.position(), error.suggestion()), (at, suggestion), "{input}: {error}");
        }
    }
}
