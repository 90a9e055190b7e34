//! The canonical form: the key of session reuse.

use hallpass_core::policy::{Context, PolicyDocument, PreparedPolicy, ScopedPolicy};

use super::{access, answer, short};

const DOCUMENT: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Sid":"A","Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":["arn:aws:s3:::a/*","arn:aws:s3:::b/*"],
     "Condition":{"StringEquals":{"aws:PrincipalTag/x":["1","2"]},"Bool":{"aws:SecureTransport":"true"}}},
    {"Effect":"Deny","Action":"s3:GetObjectAcl","Resource":"*"}]}"#;

fn with(document: &str) -> ScopedPolicy {
    let documents = vec![PolicyDocument::parse(document).expect(document)];
    ScopedPolicy { documents, ..short("s3:*,ec2:Describe*", &["s3://a/*", "s3://b/*"], "s3:Put*,iam:*") }
}

#[test]
fn whatever_changes_authority_changes_the_canonical_form() {
    let base = with(DOCUMENT);
    let changed = |edit: fn(&mut ScopedPolicy)| {
        let mut policy = base.clone();
        edit(&mut policy);
        policy
    };
    let mut others = vec![
        changed(|p| p.actions.truncate(1)),
        changed(|p| p.actions[0].action = "Get*".into()),
        changed(|p| p.actions[0].service = "s3express".into()),
        changed(|p| p.resources.truncate(1)),
        changed(|p| p.resources.clear()),
        changed(|p| p.resources.push("*".into())),
        changed(|p| p.resources[0].make_ascii_uppercase()),
        changed(|p| p.denied.truncate(1)),
        changed(|p| p.denied.clear()),
        changed(|p| p.documents.clear()),
        changed(|p| p.read_only = true),
        changed(|p| std::mem::swap(&mut p.actions, &mut p.denied)),
    ];
    for (from, to) in [
        ("\"Effect\":\"Deny\"", "\"Effect\":\"Allow\""),
        ("\"Action\":[\"s3:Get*\"", "\"NotAction\":[\"s3:Get*\""),
        ("\"Resource\":[", "\"NotResource\":["),
        ("s3:GetObjectAcl", "s3:GetObjectTagging"),
        ("arn:aws:s3:::a/*", "arn:aws:s3:::A/*"),
        ("[\"1\",\"2\"]", "[\"1\"]"),
        ("[\"1\",\"2\"]", "[\"1\",\"2\",\"3\"]"),
        ("StringEquals", "StringLike"),
        ("StringEquals", "StringEqualsIfExists"),
        ("StringEquals", "ForAnyValue:StringEquals"),
        ("PrincipalTag/x", "PrincipalTag/y"),
        (",\"Bool\":{\"aws:SecureTransport\":\"true\"}", ""),
        ("{\"aws:SecureTransport\":\"true\"}", "{\"aws:SecureTransport\":\"false\"}"),
    ] {
        assert!(DOCUMENT.contains(from), "{from}");
        others.push(with(&DOCUMENT.replacen(from, to, 1)));
    }
    others.push(base);
    for (i, a) in others.iter().enumerate() {
        for (j, b) in others.iter().enumerate() {
            assert_eq!(a.same_authority(b), i == j, "{i} and {j}: {}", a.canonical());
            assert_eq!(a.sha256_hex() == b.sha256_hex(), i == j);
        }
    }
}

#[test]
fn what_changes_no_authority_does_not_change_it() {
    let base = with(DOCUMENT);
    for (from, to) in [
        ("\"Sid\":\"A\",", ""),
        ("\"Version\":\"2012-10-17\",", "\"Version\":\"2012-10-17\",\"Id\":\"x\","),
        ("[\"1\",\"2\"]", "[\"2\",\"1\",\"2\"]"),
        ("[\"s3:Get*\",\"s3:List*\"]", "[\"S3:list*\",\"s3:Get*\",\"s3:get*\"]"),
        ("aws:PrincipalTag/x", "AWS:principaltag/X"),
        ("\"Resource\":\"*\"", "\"Resource\":[\"*\"]"),
        ("\"true\"", "true"),
    ] {
        assert!(DOCUMENT.contains(from), "{from}");
        assert!(base.same_authority(&with(&DOCUMENT.replacen(from, to, 1))), "{from} {to}");
    }
    let json = serde_json::to_string(&base).expect("writes");
    assert!(base.same_authority(&serde_json::from_str(&json).expect("reads")));
    let star = short("s3:*", &["s3://a/*", "*"], "");
    assert!(star.same_authority(&short("S3:*,s3:*", &["*", "*"], "")));
    assert_eq!(base.sha256_hex().len(), 64);
}

#[test]
fn texts_that_contain_separators_are_not_confused() {
    let one = r#"{"actions":[{"service":"a","action":"b\",\"c"}],"resources":["x","y"]}"#;
    let two = r#"{"actions":[{"service":"a","action":"b"},{"service":"c","action":""}],"resources":["x\",\"y"]}"#;
    let three = r#"{"actions":[{"service":"a:b","action":"c"}],"resources":["x","y"]}"#;
    let four = r#"{"actions":[{"service":"a","action":"b:c"}],"resources":["x","y"]}"#;
    let read = |text: &str| serde_json::from_str::<ScopedPolicy>(text).expect(text);
    let all = [read(one), read(two), read(three), read(four)];
    for (i, a) in all.iter().enumerate() {
        assert!(all.iter().enumerate().all(|(j, b)| a.same_authority(b) == (i == j)), "{i}");
    }
}

#[test]
fn a_policy_that_is_tried_out_allows_nothing_and_refuses_nothing_but_is_not_the_same_session() {
    let enforced = short("s3:GetObject", &["*"], "");
    let trying =
        |tried: ScopedPolicy| ScopedPolicy { shadow: Some(Box::new(tried)), ..short("s3:GetObject", &["*"], "") };
    let wide = trying(short("s3:*", &["*"], ""));
    let prepared = PreparedPolicy::from(&wide);
    let tried = prepared.shadow().expect("tried out").policy();
    assert!(tried.same_authority(&short("s3:*", &["*"], "")));
    assert!(PreparedPolicy::from(&enforced).shadow().is_none());
    assert!(!wide.same_authority(&enforced) && !wide.same_authority(&trying(short("s3:Put*", &["*"], ""))));
    for policy in [&wide, &trying(ScopedPolicy::default())] {
        assert_eq!(answer(policy, &access("s3:GetObject", "arn:aws:s3:::b/k"), &Context::default()), "allow");
        assert_eq!(answer(policy, &access("s3:PutObject", "arn:aws:s3:::b/k"), &Context::default()), "not-allowed");
    }
}
