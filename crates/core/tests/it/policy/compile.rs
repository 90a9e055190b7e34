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
fn all_but_some_actions_takes_them_out_of_another_ceiling() {
    let both = |ours: Value, theirs: &str| {
        let ceiling = |member: &str, actions: &Value| {
            read(&json!({"Statement": {"Effect": "Allow", member: actions, "Resource": "*"}}))
        };
        let documents = vec![ceiling("Action", &ours), ceiling("NotAction", &json!(theirs))];
        let (compiled, value) = sent(&ScopedPolicy { documents, ..ScopedPolicy::default() });
        (actions(&statements(&value)[0]), compiled.exact)
    };
    let kept = |action: &str| vec![action.to_owned()];
    assert_eq!(both(json!(["s3:GetObject", "sqs:SendMessage"]), "s3:*"), (kept("sqs:SendMessage"), true));
    assert!(!both(json!(["s3:Get*", "sqs:SendMessage"]), "s3:*Object").1, "a part of it is taken out");
}

#[test]
fn conditions_of_another_operator_or_key_are_sent_beside_each_other() {
    let both = |ours: Value, theirs: Value| {
        let ceiling = |condition: Value| {
            read(&json!({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": condition}}))
        };
        let documents = vec![ceiling(ours), ceiling(theirs)];
        let (compiled, value) = sent(&ScopedPolicy { documents, ..ScopedPolicy::default() });
        (statements(&value)[0]["Condition"].clone(), compiled.exact)
    };
    let (a, b) = (json!({"StringEquals": {"aws:a": "x"}}), json!({"StringEquals": {"aws:b": "y"}}));
    assert_eq!(both(a.clone(), b), (json!({"StringEquals": {"aws:a": "x", "aws:b": "y"}}), true));
    let like = json!({"StringLike": {"aws:a": "x*"}});
    let expected = json!({"StringEquals": {"aws:a": "x"}, "StringLike": {"aws:a": "x*"}});
    assert_eq!(both(a, like), (expected, true));
    let not = |value: &str| json!({"StringNotEquals": {"aws:a": value}});
    assert_eq!(both(not("x"), not("y")), (json!({"StringNotEquals": {"aws:a": ["x", "y"]}}), true));
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
fn statements_of_other_resources_or_conditions_stay_apart() {
    let secure = json!({"Bool": {"aws:SecureTransport": "true"}});
    let statement = |action: &str, bucket: &str| json!({"Effect": "Allow", "Action": action, "Resource": format!("arn:aws:s3:::{bucket}/*")});
    let with = |mut statement: Value, condition: &Value| {
        statement["Condition"] = condition.clone();
        statement
    };
    let apart = json!({"Version": "2012-10-17", "Statement": [
        statement("s3:GetObject", "b"), statement("s3:PutObject", "c"),
        with(statement("s3:DeleteObject", "b"), &secure), with(statement("s3:GetObjectAcl", "d"), &secure)]});
    assert_eq!(sent(&document(&apart.to_string())).1, apart);
}

#[test]
fn statements_that_differ_only_in_their_actions_become_one() {
    let of = |action: Value| {
        json!({"Effect": "Allow", "Action": action, "Resource": "arn:aws:s3:::b/*",
        "Condition": {"Bool": {"aws:SecureTransport": "true"}}})
    };
    let policy = |statements: Value| json!({"Version": "2012-10-17", "Statement": statements});
    let apart = policy(json!([of(json!("s3:GetObject")), of(json!("s3:PutObject"))]));
    let (_, value) = sent(&document(&apart.to_string()));
    assert_eq!(value, policy(json!([of(json!(["s3:GetObject", "s3:PutObject"]))])));
}

#[test]
fn denies_of_everything_are_sent_as_one() {
    let deny = |action: &str| json!({"Effect": "Deny", "Action": action, "Resource": "*"});
    let policy = json!({"Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"},
        deny("sqs:DeleteQueue"), deny("sqs:PurgeQueue")]});
    let (_, value) = sent(&document(&policy.to_string()));
    let denies: Vec<Value> = statements(&value).into_iter().filter(|s| s["Effect"] == "Deny").collect();
    assert_eq!(denies, [json!({"Effect": "Deny", "Action": ["sqs:DeleteQueue", "sqs:PurgeQueue"], "Resource": "*"})]);
}

#[test]
fn only_a_wildcard_that_would_mint_is_narrowed_by_a_deny() {
    let allow = |action: &str, resource: &str| json!({"Effect": "Allow", "Action": action, "Resource": resource});
    let role = "arn:aws:iam::123456789012:role/r";
    let of = |statements: Value| document(&json!({"Statement": statements}).to_string());
    let (_, value) = sent(&of(json!([allow("sqs:*", "*"), allow("iam:PassRole", role)])));
    assert!(statements(&value).iter().all(|s| s["Effect"] == "Allow"), "{value}");
    let beside = of(json!([allow("iam:*", "*"), allow("s3:*", "*"), allow("s3:GetObject", "arn:aws:s3:::b/*")]));
    assert_eq!(cloud(&beside, "s3:GetObject", "arn:aws:s3:::c/k"), "allow", "no other action is taken for one of them");
    let when = json!({"Effect": "Allow", "Action": "iam:PassRole", "Resource": role,
        "Condition": {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}});
    let (compiled, _) = sent(&of(json!([allow("iam:*", "*"), when])));
    assert!(!compiled.exact, "{:?}", compiled.notes);
    assert!(compiled.notes[0].contains("when `iam:PassRole` may be used"), "{:?}", compiled.notes);
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
fn ceilings_that_are_too_large_together_are_not_too_large_alone() {
    let ceiling = |key: &str, side: usize| {
        let one = |n: usize| {
            json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*",
            "Condition": {"StringEquals": {key: n.to_string()}}})
        };
        read(&json!({"Statement": (0..side).map(one).collect::<Vec<Value>>()}))
    };
    let of = |documents| ScopedPolicy { documents, ..ScopedPolicy::default() };
    let (ours, theirs) = (ceiling("aws:PrincipalTag/a", 7), ceiling("aws:PrincipalTag/bb", 8));
    let (compiled, value) = sent(&of(vec![ours.clone(), theirs]));
    assert!(!compiled.exact && compiled.notes[0].contains("of 2 ceilings the cloud enforces number 1"), "{compiled:?}");
    assert_eq!(value, sent(&of(vec![ours.clone()])).1);
    let large = of(vec![ours, ceiling("aws:PrincipalTag/bb", 40)]);
    assert_eq!(sent(&large).1, value, "the one that fits");
    let error = of(vec![ceiling("aws:a", 40)]).compile("aws").expect_err("too large");
    assert!(matches!(error, CompileError::TooLarge { .. }), "{error}");
    let values: Vec<String> = (0..40).map(|n| format!("{}{n}", "v".repeat(60))).collect();
    let condition = json!({"StringEquals": {"aws:a": values}});
    let statement = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": condition});
    let error = document(&json!({"Statement": statement}).to_string()).compile("aws").expect_err("too large");
    let CompileError::TooLarge { longest, .. } = error else { unreachable!("{error}") };
    assert_eq!(longest[0].0, condition.to_string());
}

#[test]
fn a_managed_policy_says_what_the_gate_alone_enforces() {
    let notes = |policy: ScopedPolicy| {
        let compiled = ScopedPolicy { read_only: true, ..policy }.compile("aws").expect("compiles");
        assert_eq!(compiled.json, None);
        let said = |what: &str| compiled.notes.iter().any(|note| note.contains(what));
        (said("`--deny` is enforced by the gate alone"), said("what limits actions and resources"))
    };
    assert_eq!(notes(ScopedPolicy::default()), (false, false));
    assert_eq!(notes(short("", &["*"], "s3:GetObject")), (true, false));
    assert_eq!(notes(short("*", &["*"], "")), (false, true));
    assert_eq!(notes(short("", &["s3://b/*"], "")), (false, true));
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
fn reads_that_cannot_be_told_apart_from_the_rest_are_not_exact() {
    for (allow, exact) in [("s3:Get*,dynamodb:Query", true), ("s3:*Object,dynamodb:Query", false)] {
        let (compiled, _) = sent(&ScopedPolicy { read_only: true, ..short(allow, &["*"], "") });
        assert_eq!(compiled.exact, exact, "{allow}: {:?}", compiled.notes);
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
fn all_denies_are_sent_while_they_fit() {
    let with_key = |n: usize| short("sts:*,iot:*", &[&format!("arn:aws:s3:::b/{}", "k".repeat(n))], "").compile("aws");
    let base = with_key(1).expect("fits").chars() - 1;
    let exact = with_key(SESSION_POLICY_CHARS_MAX - base).expect("fits");
    assert_eq!(exact.chars(), SESSION_POLICY_CHARS_MAX);
    assert!(exact.exact && exact.notes.is_empty(), "{:?}", exact.notes);
    let fewer = with_key(SESSION_POLICY_CHARS_MAX - base + 1).expect("fits");
    assert!(!fewer.exact && fewer.notes[0].contains("there is no room"), "{:?}", fewer.notes);
    assert!(fewer.chars() < SESSION_POLICY_CHARS_MAX);
}

#[test]
fn characters_that_sts_does_not_take_are_escaped_and_counted_as_sent() {
    let policy = short("s3:GetObject", &["arn:aws:s3:::b/éÿ日😀/*"], "");
    let (compiled, value) = sent(&policy);
    let json = compiled.json.clone().expect("inline");
    assert!(json.chars().all(|c| ('\u{20}'..='\u{ff}').contains(&c)), "{json}");
    assert!(json.contains("éÿ\\u65e5\\ud83d\\ude00"), "{json}");
    assert_eq!(value["Statement"][0]["Resource"], "arn:aws:s3:::b/éÿ日😀/*");
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
