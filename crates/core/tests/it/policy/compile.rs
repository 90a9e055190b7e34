//! Session policies: their exact text, their size, and that they say no less than the gate.

use hallpass_core::limits::{COMPILED_STATEMENTS_MAX, SESSION_POLICY_CHARS_MAX};
use hallpass_core::policy::{CompileError, Compiled, Context, PolicyDocument, ScopedPolicy, profile};
use serde_json::{Value, json};

use super::{access, answer, document, short};

fn sent(policy: &ScopedPolicy) -> (Compiled, Value) {
    let compiled = policy.compile("aws").expect("compiles");
    let json = compiled.json.clone().expect("inline");
    assert!(compiled.policy_arns.is_empty(), "an inline and a managed policy would add up");
    let value = serde_json::from_str(&json).expect("is JSON");
    (compiled, value)
}

fn actions(statement: &Value) -> Vec<String> {
    match &statement["Action"] {
        Value::String(one) => vec![one.clone()],
        Value::Array(many) => many.iter().map(|a| a.as_str().expect("text").to_owned()).collect(),
        other => unreachable!("{other}"),
    }
}

fn statements(policy: &Value) -> Vec<Value> {
    match &policy["Statement"] {
        Value::Array(many) => many.clone(),
        one => vec![one.clone()],
    }
}

/// Compiles, reads the result as a document of its own, and lets the evaluator decide under it.
fn cloud(policy: &ScopedPolicy, action: &str, arn: &str) -> &'static str {
    let (compiled, _) = sent(policy);
    let enforced = document(&compiled.json.expect("inline"));
    answer(&enforced, &access(action, arn), &Context::default())
}

fn read(json: &Value) -> PolicyDocument {
    PolicyDocument::parse(&json.to_string()).expect("document")
}

#[test]
fn the_text_is_compact_and_minimal() {
    let allow = "sqs:GetQueueUrl,sqs:Get*,s3:ListBucket,S3:listbucket";
    let (compiled, _) = sent(&short(allow, &["s3://b", "s3://b/*", "s3://b/x/*"], ""));
    let json = compiled.json.as_deref().expect("inline");
    assert_eq!(
        json,
        concat!(
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sqs:Get*","s3:ListBucket"],"#,
            r#""Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]}]}"#
        )
    );
    assert_eq!(compiled.chars(), json.chars().count());
    assert!(compiled.exact && compiled.notes.is_empty(), "{compiled:?}");
}

#[test]
fn a_deny_is_in_what_is_sent_even_when_nothing_allows_it() {
    let (_, value) = sent(&short("iam:ListUsers,iam:Create*", &["*"], "iam:CreateUser"));
    let denies: Vec<Value> = statements(&value).into_iter().filter(|s| s["Effect"] == "Deny").collect();
    assert_eq!(denies.len(), 1, "{value}");
    assert!(actions(&denies[0]).contains(&"iam:CreateUser".to_owned()) && denies[0]["Resource"] == "*", "{value}");
    let (_, value) = sent(&short("sqs:*", &["*"], "iam:CreateUser"));
    assert_eq!(statements(&value)[1], json!({"Effect": "Deny", "Action": "iam:CreateUser", "Resource": "*"}));
}

#[test]
fn wildcards_are_sent_without_the_minting_class_and_literals_with_it() {
    let wild = short("sts:*,iam:*", &["*"], "");
    for action in ["sts:AssumeRole", "sts:GetFederationToken", "iam:CreateAccessKey", "iam:PassRole"] {
        assert_eq!(cloud(&wild, action, "*"), "explicit-deny", "{action}");
        let (_, value) = sent(&wild);
        assert!(statements(&value).iter().any(|s| s["Effect"] == "Deny"), "{value}");
    }
    assert_eq!(cloud(&wild, "iam:ListUsers", "*"), "allow");
    let named = short("sts:*,sts:AssumeRole", &["*"], "");
    let denied = |policy: &ScopedPolicy, action: &str| {
        let (_, value) = sent(policy);
        let action = hallpass_core::policy::ActionPattern::parse(action).expect("action");
        let denies = statements(&value).into_iter().filter(|s| s["Effect"] == "Deny");
        denies
            .flat_map(|s| actions(&s))
            .any(|d| hallpass_core::policy::ActionPattern::parse(&d).expect("pattern").covers(&action))
    };
    assert!(!denied(&named, "sts:AssumeRole"));
    assert!(denied(&named, "sts:AssumeRoleWithSAML") && denied(&named, "sts:GetSessionToken"));
    let (_, value) = sent(&short("s3:*,sts:AssumeRole", &["*"], ""));
    assert!(
        statements(&value).iter().all(|s| s["Effect"] == "Allow" || !actions(s).iter().any(|a| a.starts_with("sts")))
    );
    let (_, value) = sent(&short("s3:GetObject", &["*"], ""));
    assert_eq!(statements(&value).len(), 1, "{value}");
    let everything = short("*", &["*"], "").compile("aws").expect("fits");
    assert!(everything.chars() < SESSION_POLICY_CHARS_MAX, "{}", everything.chars());
    // What hands out credentials is denied in it; what acts with another identity has no room, and that is said.
    let json = everything.json.as_deref().expect("inline");
    assert!(json.contains("sts:AssumeRo*") && !json.contains("ssm:SendCommand") && !everything.exact, "{json}");
    assert!(everything.notes.iter().any(|note| note.contains("the gate alone refuses it")), "{:?}", everything.notes);
    let one_service = short("lambda:*", &["*"], "").compile("aws").expect("fits");
    assert!(one_service.exact && one_service.json.expect("inline").contains("lambda:UpdateFunctionCo*"));
}

#[test]
fn a_minting_action_named_on_one_resource_stays_denied_on_the_others() {
    let policy = document(
        &json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "sts:*", "Resource": "*"},
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::1:role/a"}]})
        .to_string(),
    );
    let (compiled, value) = sent(&policy);
    let rest = json!({"Effect": "Deny", "Action": "sts:AssumeRole", "NotResource": "arn:aws:iam::1:role/a"});
    assert!(compiled.exact && statements(&value).contains(&rest), "{value}");
}

#[test]
fn ceilings_are_intersected_where_that_can_be_written() {
    let ceiling = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "Guard", "Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": "arn:aws:s3:::b*",
         "Condition": {"Bool": {"aws:SecureTransport": true}}},
        {"Effect": "Deny", "Action": "s3:GetObjectAcl", "Resource": "arn:aws:s3:::b/private/*"}]});
    let policy = ScopedPolicy {
        documents: vec![read(&ceiling)],
        ..short("s3:GetObject,s3:PutObject", &["s3://b/*", "s3://c/*"], "")
    };
    let (compiled, value) = sent(&policy);
    assert_eq!(
        value,
        json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*",
             "Condition": {"Bool": {"aws:SecureTransport": "true"}}},
            {"Effect": "Deny", "Action": "s3:GetObjectAcl", "Resource": "arn:aws:s3:::b/private/*"}]})
    );
    assert!(compiled.exact, "{:?}", compiled.notes);
}

#[test]
fn an_intersection_that_cannot_be_written_is_wider_and_says_so() {
    let ceiling = json!({"Statement": {"Effect": "Allow", "Action": "s3:*Object", "Resource": "*"}});
    let policy = ScopedPolicy { documents: vec![read(&ceiling)], ..short("s3:Get*", &["*"], "") };
    let (compiled, _) = sent(&policy);
    assert!(!compiled.exact && !compiled.notes.is_empty());
    assert_eq!(cloud(&policy, "s3:GetObject", "*"), "allow");
    assert_eq!(cloud(&policy, "s3:PutObject", "*"), "not-allowed");
}

#[test]
fn values_that_differ_cannot_be_written_in_one_condition() {
    let ceiling = |values: Value| {
        let condition = json!({"StringEquals": {"aws:RequestedRegion": values}});
        read(&json!({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": condition}}))
    };
    let both = |ours: Value, theirs: Value| {
        let documents = vec![ceiling(ours), ceiling(theirs)];
        sent(&ScopedPolicy { documents, ..ScopedPolicy::default() }).0.exact
    };
    assert!(both(json!(["eu-west-1", "eu-west-2"]), json!(["eu-west-2", "eu-west-1"])));
    assert!(!both(json!(["eu-west-1", "eu-west-2"]), json!(["eu-west-1"])));
    assert!(!both(json!(["eu-west-1"]), json!(["eu-west-1", "eu-west-2"])));
    assert!(!both(json!(["eu-west-1"]), json!(["eu-west-2"])));
}

#[test]
fn all_but_some_actions_is_sent_without_the_minting_class() {
    let but = |actions: &str| {
        let allow = json!({"Statement": {"Effect": "Allow", "NotAction": actions, "Resource": "*"}});
        ScopedPolicy { documents: vec![read(&allow)], ..ScopedPolicy::default() }
    };
    assert_eq!(cloud(&but("s3:*"), "iam:CreateAccessKey", "*"), "explicit-deny");
    assert_eq!(cloud(&but("s3:*"), "iam:GetUser", "*"), "allow");
    // What is left out anyway needs no Deny.
    let (compiled, _) = sent(&but("iam:*"));
    let json = compiled.json.expect("inline");
    assert!(json.contains("sts:") && !json.contains("iam:CreateAccessKey"), "{json}");
}

#[test]
fn ceilings_without_anything_in_common_do_not_compile() {
    let ceiling = json!({"Statement": {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}});
    let policy = ScopedPolicy { documents: vec![read(&ceiling)], ..short("s3:*", &["*"], "") };
    assert_eq!(policy.compile("aws"), Err(CompileError::NothingAllowed));
}

#[test]
fn past_the_statement_limit_one_ceiling_is_sent_alone() {
    let allow = |n: usize| json!({"Effect": "Allow", "Action": "s3:*", "Resource": format!("arn:aws:s3:::{n}*")});
    let side = 8;
    assert!(side * side + side > COMPILED_STATEMENTS_MAX);
    let other = |n: usize| json!({"Effect": "Allow", "Action": "s3:Get*", "Resource": "*", "Condition": {"StringEquals": {"aws:x": n.to_string()}}});
    let ours: Vec<Value> = (0..side).map(allow).collect();
    let theirs: Vec<Value> = (0..=side).map(other).collect();
    let policy = ScopedPolicy {
        documents: vec![read(&json!({"Statement": ours})), read(&json!({"Statement": theirs}))],
        ..ScopedPolicy::default()
    };
    let (compiled, _) = sent(&policy);
    assert!(!compiled.exact && compiled.notes[0].contains("2 ceilings"), "{:?}", compiled.notes);
}

#[test]
fn read_only_is_a_managed_policy_and_never_both() {
    for partition in ["aws", "aws-cn", "aws-us-gov"] {
        let policy = ScopedPolicy { read_only: true, ..ScopedPolicy::default() };
        let compiled = policy.compile(partition).expect("compiles");
        assert_eq!(compiled.policy_arns, [format!("arn:{partition}:iam::aws:policy/ReadOnlyAccess")]);
        assert_eq!(compiled.json, None);
        assert!(!compiled.exact && !compiled.notes.is_empty());
    }
    for policy in [short("", &["*"], "s3:GetObject"), short("*", &["*"], ""), short("", &["s3://b/*"], "")] {
        let compiled = ScopedPolicy { read_only: true, ..policy }.compile("aws").expect("compiles");
        assert!(compiled.json.is_none() != compiled.policy_arns.is_empty(), "{compiled:?}");
        assert!(!compiled.exact);
    }
    for odd in ["", "AWS", "aws:iam", "azure", "aws/"] {
        let policy = ScopedPolicy { read_only: true, ..ScopedPolicy::default() };
        assert!(matches!(policy.compile(odd), Err(CompileError::Partition(_))), "{odd}");
    }
}

#[test]
fn read_only_with_an_allow_list_is_written_inline() {
    let policy = ScopedPolicy { read_only: true, ..short("ssm:*,s3:PutObject,dynamodb:Query", &["*"], "") };
    let (compiled, _) = sent(&policy);
    assert!(compiled.exact, "{:?}", compiled.notes);
    for (action, expected) in [
        ("ssm:DescribeParameters", "allow"),
        ("ssm:ListDocuments", "allow"),
        ("dynamodb:Query", "allow"),
        ("ssm:PutParameter", "not-allowed"),
        ("ssm:SendCommand", "not-allowed"),
        ("s3:PutObject", "not-allowed"),
        ("ssm:GetParameter", "explicit-deny"),
        ("ssm:GetAccessToken", "explicit-deny"),
    ] {
        assert_eq!(cloud(&policy, action, "*"), expected, "{action}");
    }
}

#[test]
fn a_wildcard_service_is_never_sent() {
    let allowed = short("*:Get*", &["*"], "").compile("aws").expect("compiles");
    assert!(!allowed.exact && !allowed.json.expect("inline").contains("*:Get"), "{:?}", allowed.notes);
    let (_, value) = sent(&short("*:Get*,sts:AssumeRole", &["*"], ""));
    let denied: Vec<String> = statements(&value).iter().filter(|s| s["Effect"] == "Deny").flat_map(actions).collect();
    assert!(denied.contains(&"iam:CreateAccessKey".into()) && !denied.contains(&"sts:AssumeRole".into()), "{value}");
    let (compiled, value) = sent(&short("s3:*,ec2:*", &["*"], "*:Delete*"));
    assert!(
        compiled.exact
            && statements(&value).iter().any(|s| s["Effect"] == "Deny" && actions(s).contains(&"s3:Delete*".into()))
    );
    let (compiled, value) = sent(&short("*", &["*"], "*:Delete*"));
    assert!(!compiled.exact && compiled.notes[0].contains("`--deny *:Delete*`"), "{:?} {value}", compiled.notes);
}

#[test]
fn a_policy_of_exactly_the_limit_fits_and_one_more_character_does_not() {
    let with_key = |n: usize| short("s3:GetObject", &[&format!("arn:aws:s3:::b/{}", "k".repeat(n))], "");
    let base = with_key(1).compile("aws").expect("fits").chars() - 1;
    let exact = with_key(SESSION_POLICY_CHARS_MAX - base).compile("aws").expect("fits");
    assert_eq!(exact.chars(), SESSION_POLICY_CHARS_MAX);
    let error = with_key(SESSION_POLICY_CHARS_MAX - base + 1).compile("aws").expect_err("too large");
    let CompileError::TooLarge { chars, over, longest } = &error else { unreachable!("{error}") };
    assert_eq!((*chars, *over), (SESSION_POLICY_CHARS_MAX + 1, 1));
    assert!(longest[0].0.starts_with("arn:aws:s3:::b/kkk"), "{longest:?}");
    let text = error.to_string();
    assert!(
        text.contains("1 more than the 2048") && text.contains("`arn:aws:s3:::b/kkk") && text.len() < 600,
        "{text}"
    );
}

#[test]
fn characters_that_sts_does_not_take_are_escaped_and_counted_as_sent() {
    let policy = short("s3:GetObject", &["arn:aws:s3:::b/é日😀/*"], "");
    let (compiled, value) = sent(&policy);
    let json = compiled.json.clone().expect("inline");
    assert!(json.chars().all(|c| ('\u{20}'..='\u{ff}').contains(&c)), "{json}");
    assert!(json.contains("é\\u65e5\\ud83d\\ude00"), "{json}");
    assert_eq!(value["Statement"][0]["Resource"], "arn:aws:s3:::b/é日😀/*");
    assert_eq!(compiled.chars(), json.chars().count());
}

#[test]
fn what_is_not_allowed_or_not_readable_is_not_compiled() {
    assert_eq!(ScopedPolicy::default().compile("aws"), Err(CompileError::NothingAllowed));
    assert_eq!(short("", &["*"], "s3:*").compile("aws"), Err(CompileError::NothingAllowed));
    let odd = ScopedPolicy { resources: vec!["b/*".into()], ..short("s3:*", &["*"], "") };
    assert!(matches!(odd.compile("aws"), Err(CompileError::Policy(_))));
}

#[test]
fn the_built_in_profiles_fit_with_room_for_a_resource() {
    let entry =
        profile("ecr-push").expect("profile").policy(&["arn:aws:ecr:us-east-1:123456789012:repository/team/*".into()]);
    let (compiled, _) = sent(&entry.expect("policy"));
    assert!(compiled.chars() < SESSION_POLICY_CHARS_MAX / 2, "{}", compiled.chars());
}
