//! Documents that are accepted, and the many that are not, each with its place.

use hallpass_core::limits::{
    POLICY_ACTIONS_MAX, POLICY_DOCUMENT_BYTES_MAX, POLICY_JSON_DEPTH_MAX, POLICY_PATTERN_CHARS_MAX,
};
use hallpass_core::policy::PolicyDocument;
use hallpass_core::policy::document::Place;
use serde_json::json;

/// A document whose only statement has `members` beside `Effect`, `Action` and `Resource` where they are not named.
fn with(members: &str) -> String {
    let mut all = Vec::new();
    for (name, default) in [("Effect", "\"Allow\""), ("Action", "\"s3:GetObject\""), ("Resource", "\"*\"")] {
        let given = members.contains(&format!("\"{name}\"")) || members.contains(&format!("\"Not{name}\""));
        if !given {
            all.push(format!("\"{name}\":{default}"));
        }
    }
    if !members.is_empty() {
        all.push(members.to_owned());
    }
    format!("{{\"Version\":\"2012-10-17\",\"Statement\":{{{}}}}}", all.join(","))
}

#[test]
fn the_forms_of_the_grammar_are_accepted() {
    for members in [
        "",
        r#""Sid":"A1""#,
        r#""Action":["s3:*","ec2:Describe?"]"#,
        r#""Action":"*""#,
        r#""NotAction":"iam:*""#,
        r#""NotResource":["arn:aws:s3:::b/*"]"#,
        r#""Resource":"arn:aws:s3:::b/${aws:username}/*""#,
        r#""Condition":{"Bool":{"aws:SecureTransport":true}}"#,
        r#""Condition":{"Bool":{"aws:SecureTransport":[true,"false"]}}"#,
        r#""Condition":{"NumericLessThan":{"s3:max-keys":[10,"20"]}}"#,
        r#""Condition":{"StringEquals":{"aws:RequestTag/a b":"x"},"Null":{"aws:TokenIssueTime":"true"}}"#,
        r#""Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":"a"},"Null":{"aws:tagkeys":"false"}}"#,
        r#""Effect":"Deny","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":"a"}}"#,
    ] {
        let text = with(members);
        let document = PolicyDocument::parse(&text).expect(&text);
        let written = serde_json::to_string(&document).expect("writes");
        assert_eq!(PolicyDocument::parse(&written).expect(&written), document, "{written}");
    }
    for whole in [
        r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#,
        r#"{"Version":"2008-10-17","Id":"x","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#,
        r#"{"Statement":[{"Sid":"","Effect":"Allow","Action":"*","Resource":"*"},
            {"Sid":"","Effect":"Deny","Action":"iam:*","Resource":"*"}]}"#,
    ] {
        assert!(PolicyDocument::parse(whole).is_ok(), "{whole}");
    }
}

#[test]
fn faults_of_a_statement_are_named_by_their_path() {
    for (members, path, says) in [
        (r#""Principal":"*""#, "Statement[0].Principal", "names no principal"),
        (r#""NotPrincipal":"*""#, "Statement[0].NotPrincipal", "names no principal"),
        (r#""Comment":"x""#, "Statement[0].Comment", "unknown member `Comment`"),
        (r#""effect":"Allow""#, "Statement[0].effect", "unknown member `effect`"),
        (r#""Effect":"allow""#, "Statement[0].Effect", "neither `Allow` nor `Deny`"),
        (r#""Effect":true"#, "Statement[0].Effect", "a boolean where a string belongs"),
        (r#""Sid":"a b""#, "Statement[0].Sid", "letters and digits"),
        (r#""Action":[]"#, "Statement[0].Action", "empty array"),
        (r#""Action":["s3:*",1]"#, "Statement[0].Action[1]", "a number where a string"),
        (r#""Action":null"#, "Statement[0].Action", "null where a string"),
        (r#""Action":"s3GetObject""#, "Statement[0].Action", "did you mean `s3:GetObject`?"),
        (r#""Action":"*:Get*""#, "Statement[0].Action", "no wildcard in the service"),
        (r#""Action":"s?:Get*""#, "Statement[0].Action", "no wildcard in the service"),
        (r#""Action":"storage:read""#, "Statement[0].Action", "universal key"),
        (r#""Action":"*","NotAction":"iam:*""#, "Statement[0]", "not both"),
        (r#""Resource":"*","NotResource":"arn:aws:s3:::b""#, "Statement[0]", "not both"),
        (r#""Resource":[]"#, "Statement[0].Resource", "empty array"),
        (r#""Resource":"b/k""#, "Statement[0].Resource", "an ARN"),
        (r#""Resource":["*","arn:aws:s3"]"#, "Statement[0].Resource[1]", "six parts"),
        (r#""Resource":"arn:aws:*:::b""#, "Statement[0].Resource", "no wildcard in the service part"),
        (r#""Resource":"arn:aws:s3:${aws:username}::b""#, "Statement[0].Resource", "before the fifth"),
        (r#""Resource":"arn:aws:s3:::b/${aws:username""#, "Statement[0].Resource", "closes"),
        (r#""Condition":[]"#, "Statement[0].Condition", "an array where an object"),
        (r#""Condition":{}"#, "Statement[0].Condition", "empty block"),
        (r#""Condition":{"StringEquals":{}}"#, "Statement[0].Condition.StringEquals", "without a condition key"),
        (
            r#""Condition":{"StringEqual":{"aws:x":"y"}}"#,
            "Statement[0].Condition.StringEqual",
            "not a condition operator",
        ),
        (r#""Condition":{"Bool":{"aws:x":"maybe"}}"#, "Statement[0].Condition.Bool[\"aws:x\"]", "`true` or `false`"),
        (r#""Condition":{"Bool":{"aws:x":[true,"x"]}}"#, "Statement[0].Condition.Bool[\"aws:x\"]", "`true` or `false`"),
        (r#""Condition":{"Bool":{"aws:x":[]}}"#, "Statement[0].Condition.Bool[\"aws:x\"]", "empty"),
        (r#""Condition":{"Null":{"aws:x":["true","true"]}}"#, "Statement[0].Condition.Null[\"aws:x\"]", "exactly one"),
        (r#""Condition":{"NullIfExists":{"aws:x":"true"}}"#, "Statement[0].Condition.NullIfExists", "takes neither"),
        (
            r#""Condition":{"StringEquals":{"x":"y"}}"#,
            "Statement[0].Condition.StringEquals[\"x\"]",
            "not a condition key",
        ),
        (
            r#""Condition":{"StringEquals":{"aws:x":[]}}"#,
            "Statement[0].Condition.StringEquals[\"aws:x\"]",
            "empty array",
        ),
        (
            r#""Condition":{"StringEquals":{"aws:x":{}}}"#,
            "Statement[0].Condition.StringEquals[\"aws:x\"]",
            "an object where",
        ),
        (
            r#""Condition":{"StringEquals":{"aws:x":[["y"]]}}"#,
            "Statement[0].Condition.StringEquals[\"aws:x\"][0]",
            "an array where",
        ),
        (
            r#""Condition":{"StringEquals":{"aws:x":null}}"#,
            "Statement[0].Condition.StringEquals[\"aws:x\"]",
            "null where",
        ),
        (
            r#""Condition":{"StringEquals":{"aws:X":"1","aws:x":"2"}}"#,
            "Statement[0].Condition.StringEquals[\"aws:x\"]",
            "twice",
        ),
        (
            r#""Condition":{"NumericEquals":{"aws:x":"ten"}}"#,
            "Statement[0].Condition.NumericEquals[\"aws:x\"]",
            "decimal number",
        ),
        (
            r#""Condition":{"NumericEquals":{"aws:x":"${aws:y}"}}"#,
            "Statement[0].Condition.NumericEquals[\"aws:x\"]",
            "variables may not",
        ),
        (
            r#""Condition":{"DateLessThan":{"aws:CurrentTime":"2026"}}"#,
            "Statement[0].Condition.DateLessThan[\"aws:CurrentTime\"]",
            "not a date",
        ),
        (
            r#""Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/99"}}"#,
            "Statement[0].Condition.IpAddress[\"aws:SourceIp\"]",
            "CIDR",
        ),
        (r#""Condition":{"BinaryEquals":{"aws:x":"%"}}"#, "Statement[0].Condition.BinaryEquals[\"aws:x\"]", "base64"),
        (
            r#""Condition":{"ArnLike":{"aws:SourceArn":"*"}}"#,
            "Statement[0].Condition.ArnLike[\"aws:SourceArn\"]",
            "six parts",
        ),
        (r#""Condition":{"StringLike":{"aws:x":"${"}}"#, "Statement[0].Condition.StringLike[\"aws:x\"]", "closes"),
        (
            r#""Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":"a"}}"#,
            "Statement[0].Condition",
            "when `aws:TagKeys` is absent",
        ),
        (
            r#""Condition":{"ForAllValues:StringEqualsIfExists":{"aws:TagKeys":"a"},"Null":{"aws:TagKeys":"false"}}"#,
            "Statement[0].Condition",
            "absent",
        ),
        (
            r#""Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":"a"},"Null":{"aws:TagKeys":"true"}}"#,
            "Statement[0].Condition",
            "absent",
        ),
    ] {
        let error = PolicyDocument::parse(&with(members)).expect_err(members);
        assert_eq!(error.place, Place::Path(path.to_owned()), "{members}: {error}");
        assert!(error.message.contains(says), "{members}: {error}");
    }
}

#[test]
fn faults_of_the_whole_document_are_refused() {
    let statement = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    for (text, says) in [
        ("[]".to_owned(), "an array where an object"),
        ("null".to_owned(), "null where an object"),
        ("{}".to_owned(), "`Statement` is missing"),
        (r#"{"Statement":[]}"#.to_owned(), "empty array"),
        (r#"{"Statement":["x"]}"#.to_owned(), "a string where an object"),
        (r#"{"Statement":{}}"#.to_owned(), "`Effect` is missing"),
        (r#"{"Statement":{"Effect":"Allow","Resource":"*"}}"#.to_owned(), "`Action` or `NotAction` is missing"),
        (r#"{"Statement":{"Effect":"Allow","Action":"*"}}"#.to_owned(), "`Resource` or `NotResource` is missing"),
        (format!(r#"{{"Version":"2012-10-18","Statement":{statement}}}"#), "not a version"),
        (format!(r#"{{"Version":2012,"Statement":{statement}}}"#), "a number where a string"),
        (format!(r#"{{"Statements":{statement}}}"#), "unknown member `Statements`"),
        (format!(r#"{{"Statement":{statement},"Principal":"*"}}"#), "unknown member `Principal`"),
        (r#"{"Statement":[{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"a","Effect":"Deny","Action":"*","Resource":"*"}]}"#.to_owned(), "earlier statement"),
    ] {
        let error = PolicyDocument::parse(&text).expect_err(&text);
        assert!(matches!(error.place, Place::Path(_)) && error.to_string().contains(says), "{text}: {error}");
    }
    let error = PolicyDocument::parse("[]").expect_err("an array");
    assert!(error.to_string().contains("top level"), "{error}");
}

#[test]
fn faults_of_the_text_are_named_by_line_and_column() {
    let place = |text: &str| PolicyDocument::parse(text).expect_err(text).place;
    assert_eq!(place("{\n  \"Statement\": oops\n}"), Place::Text { line: 2, column: 16 });
    let twice = "{\"Statement\":{\"Effect\":\"Allow\",\n\"Action\":\"s3:Get*\",\n\"Action\":\"*\",\"Resource\":\"*\"}}";
    let error = PolicyDocument::parse(twice).expect_err("twice");
    assert!(matches!(error.place, Place::Text { line: 3, .. }), "{error}");
    assert!(error.message.contains("`Action` is given twice"), "{error}");
    assert_eq!(place("{\"Id\":\"öäü\" oops}"), Place::Text { line: 1, column: 13 }, "in characters");
    let unknown = PolicyDocument::parse("{\n  \"Statements\": []}").expect_err("unknown");
    assert_eq!(unknown.position("{\n  \"Statements\": []}"), (2, 3), "a member is shown at its name");
    let marked = PolicyDocument::parse("\u{feff}{}").expect_err("marked").message;
    assert!(marked.contains("byte order mark"), "{marked}");
    for text in [
        "",
        "{",
        "{\"Statement\":{}} trailing",
        "\u{feff}{}",
        "{\"Version\":\"2012-10-17\",\"Version\":\"2008-10-17\"}",
    ] {
        assert!(matches!(place(text), Place::Text { .. }), "{text:?}");
    }
}

#[test]
fn a_number_that_a_float_cannot_hold_exactly_is_refused() {
    let most = |number: &str| with(&format!(r#""Condition":{{"NumericLessThan":{{"s3:max-keys":{number}}}}}"#));
    for exact in ["10", "0.5", "-3", "18446744073709551615", "\"99999999999999999999999999\""] {
        PolicyDocument::parse(&most(exact)).expect(exact);
    }
    let limit = format!("{:.1}", hallpass_core::limits::POLICY_JSON_FLOAT_MAX);
    for lossy in [limit.as_str(), "18446744073709551616", "-99999999999999999999", "1e300"] {
        let error = PolicyDocument::parse(&most(lossy)).expect_err(lossy);
        assert!(error.message.contains("write it as a string"), "{error}");
    }
}

#[test]
fn documents_past_their_limits_are_refused() {
    let large = |bytes: usize| format!("{}{}", with(""), " ".repeat(bytes - with("").len()));
    assert!(PolicyDocument::parse(&large(POLICY_DOCUMENT_BYTES_MAX)).is_ok());
    let error = PolicyDocument::parse(&large(POLICY_DOCUMENT_BYTES_MAX + 1)).expect_err("large");
    assert!(error.message.contains("bytes"), "{error}");

    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let deep = PolicyDocument::parse(&nested(POLICY_JSON_DEPTH_MAX + 1)).expect_err("deep");
    assert!(deep.message.contains("nested deeper"), "{deep}");
    let shallow = PolicyDocument::parse(&nested(POLICY_JSON_DEPTH_MAX)).expect_err("not a document");
    assert!(!shallow.message.contains("nested"), "{shallow}");
    assert!(PolicyDocument::parse(&nested(100_000)).expect_err("deep").message.contains("nested deeper"));

    let actions = |n: usize| json!({"Statement": {"Effect": "Allow", "Action": vec!["s3:*"; n], "Resource": "*"}});
    assert!(PolicyDocument::parse(&actions(POLICY_ACTIONS_MAX).to_string()).is_ok());
    assert!(PolicyDocument::parse(&actions(POLICY_ACTIONS_MAX + 1).to_string()).is_err());
    let statement = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let many = |n: usize| json!({"Statement": vec![statement.clone(); n]}).to_string();
    assert!(PolicyDocument::parse(&many(POLICY_ACTIONS_MAX)).is_ok());
    assert!(PolicyDocument::parse(&many(POLICY_ACTIONS_MAX + 1)).is_err());
    let long = format!("arn:aws:s3:::{}", "k".repeat(POLICY_PATTERN_CHARS_MAX));
    assert!(PolicyDocument::parse(&with(&format!("\"Resource\":\"{long}\""))).is_err());
}

#[test]
fn without_the_newer_version_a_variable_is_plain_text() {
    use super::{Context, access, answer, document};
    let text = r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}/*",
        "Condition":{"StringEquals":{"aws:userid":"${aws:username}"}}}}"#;
    let mut context = Context::default();
    context.set("aws:username", "alice");
    context.set("aws:userid", "${aws:username}");
    let policy = document(text);
    assert_eq!(answer(&policy, &access("s3:GetObject", "arn:aws:s3:::b/${aws:username}/k"), &context), "allow");
    assert_eq!(answer(&policy, &access("s3:GetObject", "arn:aws:s3:::b/alice/k"), &context), "not-allowed");
    let written = serde_json::to_string(&policy.documents[0]).expect("writes");
    assert!(written.contains("b/${$}{aws:username}/*"), "{written}");
    let newer = text.replacen('{', r#"{"Version":"2012-10-17","#, 1);
    context.set("aws:userid", "alice");
    assert_eq!(answer(&document(&newer), &access("s3:GetObject", "arn:aws:s3:::b/alice/k"), &context), "allow");
}
