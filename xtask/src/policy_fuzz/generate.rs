//! Random policies and requests, from small pools so that they meet.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// SplitMix64 (Steele, Lea, Flood 2014): a seed gives the same run everywhere.
pub(super) struct Random(u64);

/// Every context key that a policy may name.
pub(super) const KEYS: [&str; 9] = [
    "aws:username",
    "aws:SourceIp",
    "aws:SourceArn",
    "aws:CurrentTime",
    "aws:SecureTransport",
    "aws:TagKeys",
    "s3:prefix",
    "s3:max-keys",
    "aws:RequestTag/team",
];

const REQUESTS: [(&str, &str); 12] = [
    ("s3:GetObject", "arn:aws:s3:::data/a"),
    ("s3:GetObject", "arn:aws:s3:::data/alice/b:c"),
    ("s3:PutObject", "arn:aws:s3:::data/a"),
    ("s3:ListBucket", "arn:aws:s3:::data"),
    ("s3:ListAllMyBuckets", "*"),
    ("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"),
    ("dynamodb:Query", "arn:aws:dynamodb:eu-west-1:111122223333:table/orders/index/i"),
    ("sns:Publish", "arn:aws:sns:us-east-1:111122223333:topic"),
    ("sqs:SendMessage", "arn:aws:sqs:us-east-1:111122223333:queue"),
    ("ec2:DescribeInstances", "*"),
    ("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:111122223333:function:f:1"),
    ("logs:GetLogEvents", "arn:aws:logs:us-east-1:111122223333:log-group:g:log-stream:s"),
];

const ACTIONS: [&str; 22] = [
    "*",
    "s3:*",
    "s3:Get*",
    "s3:GetObject",
    "S3:getobject",
    "s3:?etObject",
    "s3:*Object",
    "s3:List*",
    "s3:PutObject",
    "dynamodb:*",
    "dynamodb:Get*",
    "dynamodb:Query",
    "sns:Publish",
    "sns:*",
    "sqs:Send*",
    "ec2:Describe*",
    "lambda:Invoke*",
    "lambda:InvokeFunction",
    "logs:*",
    "logs:Get*Events",
    "iam:List*",
    "s3:GetObject*",
];

const RESOURCES: [&str; 24] = [
    "*",
    "*",
    "arn:aws:s3:::data/*",
    "arn:aws:s3:::data/a",
    "arn:aws:s3:::data",
    "arn:aws:s3:::data*",
    "arn:aws:s3:::*",
    "arn:aws:s3:::data/?",
    "arn:aws:s3:::DATA/*",
    "arn:aws:s3:::data/${aws:username}/*",
    "arn:aws:s3:::data/${aws:username, 'a'}*",
    "arn:aws:s3:::data/${*}",
    "arn:aws:s3:::data/alice/*:c",
    "arn:aws:dynamodb:*:111122223333:table/orders",
    "arn:aws:dynamodb:eu-west-1:*:table/*",
    "arn:aws:dynamodb:eu-*-1:111122223333:table/orders/index/*",
    "arn:aws:sns:us-east-?:111122223333:topic",
    "arn:aws:sns:*:*:*",
    "arn:aws:sqs:us-east-1:111122223333:queue",
    "arn:*:sqs:*:111122223333:q*",
    "arn:aws:lambda:us-east-1:111122223333:function:f",
    "arn:aws:lambda:us-east-1:111122223333:function:f*",
    "arn:aws:lambda:*:*:function:*:1",
    "arn:aws:logs:us-east-1:111122223333:log-group:g:*",
];

const TEXTS: [&str; 9] =
    ["alice", "Alice", "bob", "a*", "al?ce", "", "home/", "${aws:username}", "${aws:SourceArn, 'alice'}"];
const NUMBERS: [&str; 6] = ["10", "10.0", "9", "-1", "100", "0"];
const DATES: [&str; 5] =
    ["2026-01-01T00:00:00Z", "2026-06-01T12:00:00Z", "1767225600", "2026-01-01", "2026-01-01T01:00:00+01:00"];
const ADDRESSES: [&str; 6] = ["10.0.0.0/8", "10.1.2.3", "10.1.2.3/32", "2001:db8::/32", "0.0.0.0/0", "192.168.0.0/16"];
const ARNS: [&str; 6] = [
    "arn:aws:s3:::data",
    "arn:aws:s3:::*",
    "arn:aws:sns:us-east-1:111122223333:topic",
    "arn:aws:sns:*:111122223333:*",
    "arn:aws:iam::111122223333:role/*/x",
    "arn:aws:iam::111122223333:role/a/x",
];

const OPERATORS: [(&str, &[&str]); 27] = [
    ("StringEquals", &TEXTS),
    ("StringNotEquals", &TEXTS),
    ("StringEqualsIgnoreCase", &TEXTS),
    ("StringNotEqualsIgnoreCase", &TEXTS),
    ("StringLike", &TEXTS),
    ("StringNotLike", &TEXTS),
    ("NumericEquals", &NUMBERS),
    ("NumericNotEquals", &NUMBERS),
    ("NumericLessThan", &NUMBERS),
    ("NumericLessThanEquals", &NUMBERS),
    ("NumericGreaterThan", &NUMBERS),
    ("NumericGreaterThanEquals", &NUMBERS),
    ("DateEquals", &DATES),
    ("DateNotEquals", &DATES),
    ("DateLessThan", &DATES),
    ("DateLessThanEquals", &DATES),
    ("DateGreaterThan", &DATES),
    ("DateGreaterThanEquals", &DATES),
    ("Bool", &["true", "false"]),
    ("BinaryEquals", &["YQ==", "YWI="]),
    ("IpAddress", &ADDRESSES),
    ("NotIpAddress", &ADDRESSES),
    ("ArnEquals", &ARNS),
    ("ArnNotEquals", &ARNS),
    ("ArnLike", &ARNS),
    ("ArnNotLike", &ARNS),
    ("Null", &["true", "false"]),
];

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        let n = u64::try_from(n.max(1)).unwrap_or(1);
        usize::try_from(self.next() % n).unwrap_or(0)
    }

    pub(super) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        let at = self.below(from.len());
        from.get(at).copied()
    }

    fn text(&mut self, from: &[&str]) -> String {
        self.pick(from).unwrap_or_default().to_owned()
    }

    /// A text, or a list of up to three.
    fn texts(&mut self, from: &[&str]) -> Value {
        match self.below(4) {
            0 | 1 => json!(self.text(from)),
            n => json!((0..n).map(|_| self.text(from)).collect::<Vec<_>>()),
        }
    }
}

pub(super) fn request(random: &mut Random) -> (String, String) {
    let (action, resource) = random.pick(&REQUESTS).unwrap_or_default();
    (action.to_owned(), resource.to_owned())
}

/// A document; half of what it names is of the request's service.
pub(super) fn document(random: &mut Random, about: (&str, &str)) -> Value {
    let count = 1 + random.below(3);
    let statements: Vec<Value> = (0..count).map(|n| statement(random, n > 0, about)).collect();
    if random.one_in(12) {
        return json!({ "Statement": statements });
    }
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn statement(random: &mut Random, may_deny: bool, (asked, on): (&str, &str)) -> Value {
    let service = asked.split(':').next().unwrap_or_default();
    let near = |text: &&&str| **text == "*" || text.to_ascii_lowercase().split(':').any(|part| part == service);
    let pool = |random: &mut Random, all: &[&'static str]| -> Vec<&'static str> {
        if random.one_in(3) { all.to_vec() } else { all.iter().filter(near).copied().collect() }
    };
    let (actions, resources) = (pool(random, &ACTIONS), pool(random, &RESOURCES));
    let resources = if on == "*" && random.one_in(2) { vec!["*"] } else { resources };
    let mut statement = Map::new();
    let denies = if may_deny { random.one_in(2) } else { random.one_in(8) };
    statement.insert("Effect".to_owned(), json!(if denies { "Deny" } else { "Allow" }));
    let action = if random.one_in(8) { "NotAction" } else { "Action" };
    statement.insert(action.to_owned(), random.texts(&actions));
    let resource = if random.one_in(8) { "NotResource" } else { "Resource" };
    statement.insert(resource.to_owned(), random.texts(&resources));
    if random.one_in(2) {
        statement.insert("Condition".to_owned(), conditions(random));
    }
    Value::Object(statement)
}

fn conditions(random: &mut Random) -> Value {
    let mut block = Map::new();
    for _ in 0..1 + random.below(2) {
        let Some((operator, values)) = random.pick(&OPERATORS) else { continue };
        let (prefix, suffix) = match (operator, random.below(8)) {
            ("Null", _) => ("", ""),
            (_, 0) => ("ForAnyValue:", ""),
            (_, 1) => ("ForAllValues:", ""),
            (_, 2) => ("", "IfExists"),
            _ => ("", ""),
        };
        let key = key_for(random, operator, !prefix.is_empty());
        let values =
            if matches!(operator, "Bool" | "Null") { json!(random.text(values)) } else { random.texts(values) };
        if prefix == "ForAllValues:" && random.one_in(2) {
            block.insert("Null".to_owned(), json!({ &key: "false" }));
        }
        block.insert(format!("{prefix}{operator}{suffix}"), json!({ key: values }));
    }
    Value::Object(block)
}

/// A key whose values fit the operator, in some spelling.
fn key_for(random: &mut Random, operator: &str, set: bool) -> String {
    let key = match operator {
        _ if set => "aws:TagKeys",
        "Bool" => "aws:SecureTransport",
        "IpAddress" | "NotIpAddress" => "aws:SourceIp",
        "BinaryEquals" => "aws:RequestTag/team",
        name if name.starts_with("Numeric") => "s3:max-keys",
        name if name.starts_with("Date") => "aws:CurrentTime",
        name if name.starts_with("Arn") => "aws:SourceArn",
        "Null" => random.pick(&KEYS).unwrap_or("aws:username"),
        _ => random.pick(&["aws:username", "s3:prefix", "aws:RequestTag/team"]).unwrap_or("aws:username"),
    };
    if random.one_in(6) { key.to_ascii_lowercase() } else { key.to_owned() }
}

pub(super) fn context(random: &mut Random) -> BTreeMap<String, Value> {
    let pools: [(&str, &[&str]); 9] = [
        ("aws:username", &["alice", "bob", "Alice", "a*"]),
        ("aws:SourceIp", &["10.1.2.3", "192.168.1.1", "8.8.8.8", "2001:db8::1"]),
        (
            "aws:SourceArn",
            &["arn:aws:s3:::data", "arn:aws:sns:us-east-1:111122223333:topic", "arn:aws:iam::111122223333:role/a/x"],
        ),
        ("aws:CurrentTime", &["2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z", "2025-12-31T23:59:59Z"]),
        ("aws:SecureTransport", &["true", "false"]),
        ("aws:TagKeys", &["alice", "bob", "a*", "10", "10.1.2.3", "true"]),
        ("s3:prefix", &["home/", "", "alice"]),
        ("s3:max-keys", &["10", "9", "100", "-1"]),
        ("aws:RequestTag/team", &["alice", "YQ==", "YWI="]),
    ];
    let mut context = BTreeMap::new();
    for (key, values) in pools {
        if random.one_in(3) {
            continue;
        }
        let value = match key {
            "aws:TagKeys" => json!((0..random.below(4)).map(|_| random.text(values)).collect::<Vec<_>>()),
            _ => json!(random.text(values)),
        };
        context.insert(key.to_owned(), value);
    }
    context
}
