//! Several ceilings together, the short form, and what a refusal says.

use hallpass_core::denial::{DenialCode, Missing};
use hallpass_core::policy::{AccessRequest, ActionPattern, Context, PolicyDocument, Resource, ScopedPolicy, profile};

use super::{access, answer, document, short};

const OBJECT: &str = "arn:aws:s3:::b/k";

fn decide(policy: &ScopedPolicy, action: &str, arn: &str) -> &'static str {
    answer(policy, &access(action, arn), &Context::default())
}

fn allow_document(action: &str) -> PolicyDocument {
    let json =
        format!(r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"{action}","Resource":"*"}}}}"#);
    PolicyDocument::parse(&json).expect("document")
}

#[test]
fn a_policy_without_a_ceiling_allows_nothing() {
    for policy in
        [ScopedPolicy::default(), short("", &["*"], ""), short("", &["*"], "iam:*"), short("", &["s3://b/*"], "")]
    {
        assert!(policy.allows_nothing(), "{policy:?}");
        assert_eq!(decide(&policy, "s3:GetObject", OBJECT), "not-allowed", "{policy:?}");
    }
    assert_eq!(decide(&short("", &["*"], "iam:*"), "iam:CreateUser", "*"), "explicit-deny");
    let none = ScopedPolicy { resources: Vec::new(), ..short("s3:*", &["*"], "") };
    assert!(none.allows_nothing());
    assert_eq!(decide(&none, "s3:GetObject", OBJECT), "not-allowed");
}

#[test]
fn a_policy_that_denies_all_that_it_allows_allows_nothing() {
    for (allow, deny) in [("s3:Get*", "s3:*"), ("s3:GetObject,ec2:*", "s3:Get*,EC2:*"), ("*", "*"), ("iam:*", "*:*")] {
        assert!(short(allow, &["*"], deny).allows_nothing(), "{allow} {deny}");
    }
    for (allow, deny) in [("s3:*", "s3:Get*"), ("s3:*,ec2:*", "s3:*"), ("s3:*", "ec2:*")] {
        assert!(!short(allow, &["*"], deny).allows_nothing(), "{allow} {deny}");
    }
    let writes = ScopedPolicy { read_only: true, ..short("s3:PutObject,sts:AssumeRole", &["*"], "") };
    assert!(writes.allows_nothing());
    let deny_only = r#"{"Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*"}}"#;
    let both = ScopedPolicy { documents: document(deny_only).documents, ..short("s3:*", &["*"], "") };
    assert!(both.allows_nothing());
    assert!(both.warnings().iter().any(|note| note.contains("no Allow statement")), "{:?}", both.warnings());
}

#[test]
fn a_deny_that_overlaps_a_wildcard_takes_its_part_out_and_no_more() {
    for allow in ["iam:*", "iam:Create*", "*", "*:?*", "?am:*User", "iam:CreateUser,iam:DeleteUser"] {
        let policy = short(allow, &["*"], "iam:CreateUser");
        assert_eq!(decide(&policy, "iam:CreateUser", "*"), "explicit-deny", "{allow}");
        assert_eq!(decide(&policy, "IAM:createuser", "*"), "explicit-deny", "{allow}");
        let warned = policy.warnings().iter().any(|note| note.contains("`iam:CreateUser`"));
        assert!(warned, "{allow}: {:?}", policy.warnings());
    }
    assert_eq!(decide(&short("iam:*", &["*"], "iam:CreateUser"), "iam:DeleteUser", "*"), "allow");
    assert_eq!(decide(&short("iam:*", &["*"], "iam:?reate*"), "iam:CreateGroup", "*"), "explicit-deny");
}

#[test]
fn a_deny_that_cannot_be_read_refuses_everything() {
    let odd = ActionPattern { service: "s3:".into(), action: "Get Object".into() };
    let policy = ScopedPolicy { denied: vec![odd], ..short("s3:*", &["*"], "") };
    assert!(policy.validate().is_err() && policy.allows_nothing() && policy.compile("aws").is_err());
    assert_eq!(decide(&policy, "s3:PutObject", OBJECT), "explicit-deny");
}

#[test]
fn a_deny_beside_a_document_is_told_of_what_the_document_allows() {
    let json = r#"{"Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"},
        {"Effect":"Deny","Action":"sqs:*","Resource":"*"}]}"#;
    let noted = |deny: &str, pattern: &str| {
        let policy = ScopedPolicy { documents: document(json).documents, ..short("", &["*"], deny) };
        policy.warnings().iter().any(|note| note.starts_with(&format!("`{pattern}` is allowed")))
    };
    assert!(noted("s3:GetObject", "s3:Get*"));
    assert!(!noted("sqs:SendMessage", "sqs:*"));
}

#[test]
fn every_ceiling_must_allow() {
    let policy = ScopedPolicy {
        documents: vec![allow_document("s3:Get*"), allow_document("s3:*Object")],
        read_only: true,
        ..short("s3:*", &["s3://b/*"], "s3:GetBucketAcl")
    };
    assert!(!policy.allows_nothing());
    assert_eq!(decide(&policy, "s3:GetObject", OBJECT), "allow");
    for (action, arn) in [
        ("s3:GetObject", "arn:aws:s3:::c/k"),
        ("s3:GetObjectAcl", OBJECT),
        ("s3:PutObject", OBJECT),
        ("s3:ListObject", OBJECT),
        ("ec2:GetObject", OBJECT),
    ] {
        assert_eq!(decide(&policy, action, arn), "not-allowed", "{action} {arn}");
    }
}

#[test]
fn documents_alone_decide_and_read_only_alone_reads_everything() {
    let documents = ScopedPolicy { documents: vec![allow_document("s3:*")], ..ScopedPolicy::default() };
    assert_eq!(decide(&documents, "s3:PutObject", OBJECT), "allow");
    assert_eq!(decide(&documents, "ec2:StopInstances", "*"), "not-allowed");
    let reads = ScopedPolicy { read_only: true, ..short("", &["*"], "s3:GetObjectAcl") };
    for (action, expected) in [
        ("s3:GetObject", "allow"),
        ("ec2:DescribeInstances", "allow"),
        ("s3:PutObject", "not-allowed"),
        ("s3:GetObjectAcl", "explicit-deny"),
        ("secretsmanager:GetSecretValue", "not-allowed"),
        ("sts:GetSessionToken", "not-allowed"),
        ("sts:AssumeRole", "not-allowed"),
        ("lambda:GetFunction", "not-allowed"),
        ("x:Unheard", "not-allowed"),
    ] {
        assert_eq!(decide(&reads, action, "*"), expected, "{action}");
    }
}

#[test]
fn resources_without_actions_limit_the_other_ceilings() {
    let policy = ScopedPolicy { read_only: true, ..short("", &["s3://b/*"], "") };
    assert_eq!(decide(&policy, "s3:GetObject", OBJECT), "allow");
    assert_eq!(decide(&policy, "s3:GetObject", "arn:aws:s3:::c/k"), "not-allowed");
    assert_eq!(decide(&policy, "s3:ListAllMyBuckets", "*"), "not-allowed");
}

#[test]
fn who_one_is_may_be_asked_without_an_allow_unless_it_is_denied() {
    const ASK: &str = "sts:GetCallerIdentity";
    for policy in [
        short("s3:GetObject", &["s3://b/*"], ""),
        document(r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#),
        ScopedPolicy { read_only: true, ..short("s3:*", &["*"], "") },
    ] {
        assert_eq!(decide(&policy, ASK, "*"), "allow");
        assert_eq!(decide(&policy, "STS:getcalleridentity", "*"), "allow");
        assert_eq!(decide(&policy, "sts:GetAccessKeyInfo", "*"), "not-allowed");
        let granted = policy.grants(&access(ASK, "*"), &Context::default()).expect("allowed");
        assert_eq!((granted.len(), granted[0].ceiling.as_str()), (1, "no permission is needed"));
    }
    assert_eq!(decide(&short("s3:*", &["*"], "sts:*"), ASK, "*"), "explicit-deny");
    assert_eq!(decide(&ScopedPolicy::default(), ASK, "*"), "not-allowed");
}

#[test]
fn every_bucket_is_listed_under_a_star_and_under_every_bucket() {
    const EVERY: &str = "arn:aws:s3:::*";
    for resources in ["*", EVERY, "arn:*:s3:::*", "arn:aws:s3:*:*:*"] {
        let statement = |effect| format!(r#"{{"Effect":"{effect}","Action":"s3:*","Resource":"{resources}"}}"#);
        let allow = document(&format!(r#"{{"Statement":{}}}"#, statement("Allow")));
        assert_eq!(decide(&allow, "s3:ListAllMyBuckets", EVERY), "allow", "{resources}");
        let all = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
        let deny = document(&format!(r#"{{"Statement":[{all},{}]}}"#, statement("Deny")));
        assert_eq!(decide(&deny, "s3:ListAllMyBuckets", EVERY), "explicit-deny", "{resources}");
    }
    for narrower in ["arn:aws:s3:::b*", "arn:aws:s3:::*/*", "arn:aws:s3:::b", "arn:aws:s3:::${*}x"] {
        let allow = short("s3:*", &[narrower], "");
        assert_eq!(decide(&allow, "s3:ListAllMyBuckets", EVERY), "not-allowed", "{narrower}");
    }
}

#[test]
fn minting_needs_a_literal_name_in_every_ceiling_that_allows_actions() {
    let wild = short("sts:*,iam:*", &["*"], "");
    assert_eq!(decide(&wild, "sts:AssumeRole", "*"), "explicit-deny");
    assert_eq!(decide(&wild, "iam:CreateAccessKey", "*"), "explicit-deny");
    assert_eq!(decide(&wild, "sts:GetCallerIdentity", "*"), "allow");
    let named = ScopedPolicy { documents: vec![allow_document("sts:*")], ..short("sts:AssumeRole", &["*"], "") };
    assert_eq!(decide(&named, "sts:AssumeRole", "*"), "explicit-deny");
    let named =
        ScopedPolicy { documents: vec![allow_document("sts:AssumeRole")], ..short("sts:AssumeRole", &["*"], "") };
    assert_eq!(decide(&named, "sts:AssumeRole", "*"), "allow");
    assert_eq!(decide(&short("sts:AssumeRole", &["*"], "sts:*"), "sts:AssumeRole", "*"), "explicit-deny");
    assert!(wild.warnings().iter().any(|note| note.contains("without a wildcard")), "{:?}", wild.warnings());
    let push = profile("ecr-push").expect("profile").policy(&[]).expect("policy");
    assert_eq!(decide(&push, "ecr:GetAuthorizationToken", "*"), "allow");
}

#[test]
fn a_refusal_says_what_is_missing_and_how_to_ask() {
    let policy = short("s3:GetObject", &["s3://b/*"], "");
    let denial = policy.evaluate(&access("s3:PutObject", OBJECT), &Context::default()).expect_err("refused");
    assert_eq!(denial.code, DenialCode::NotAllowed);
    assert_eq!((denial.action.as_deref(), denial.resource.as_deref()), (Some("s3:PutObject"), Some(OBJECT)));
    assert_eq!(denial.reason, "`s3:PutObject` is not allowed: the session has only `--allow s3:GetObject`");
    assert_eq!(denial.how_to_ask.as_deref(), Some("ask for `--allow s3:PutObject --resource arn:aws:s3:::b/k`"));

    let denial =
        policy.evaluate(&access("s3:GetObject", "arn:aws:s3:::c/*\n"), &Context::default()).expect_err("refused");
    assert!(denial.reason.contains("`--resource arn:aws:s3:::b/*`"), "{}", denial.reason);
    assert_eq!(denial.how_to_ask.as_deref(), Some(r"ask for `--resource 'arn:aws:s3:::c/${*}\n'`"));

    let every_bucket = access("s3:ListAllMyBuckets", "arn:aws:s3:::*");
    let denial = policy.evaluate(&every_bucket, &Context::default()).expect_err("refused");
    assert_eq!(denial.how_to_ask.as_deref(), Some("ask for `--allow s3:ListAllMyBuckets --resource '*'`"));

    let denied = short("s3:*", &["*"], "s3:Put*");
    let denial = denied.evaluate(&access("s3:PutObject", OBJECT), &Context::default()).expect_err("refused");
    assert_eq!(denial.statement.as_deref(), Some("--deny s3:Put*"));

    let json = r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
        {"Sid":"NoTag","Effect":"Deny","Action":"s3:*","Resource":"*",
         "Condition":{"StringEquals":{"aws:ResourceTag/x":"y"}}}]}"#;
    let denial = document(json).evaluate(&access("s3:GetObject", OBJECT), &Context::default()).expect_err("refused");
    assert_eq!((denial.code, denial.statement.as_deref()), (DenialCode::ExplicitDeny, Some("NoTag")));
    assert!(denial.reason.contains("`aws:ResourceTag/x` cannot be known here"), "{}", denial.reason);
}

#[test]
fn a_refusal_names_the_statement_that_came_nearest() {
    let json = r#"{"Statement":[{"Effect":"Allow","NotAction":"s3:*","Resource":"*"},
        {"Effect":"Deny","Action":"s3:DeleteObject","Resource":"*"},
        {"Effect":"Allow","NotAction":["iam:*","ec2:*"],"Resource":"arn:aws:s3:::c/*"}]}"#;
    let refused = |policy: &ScopedPolicy, action: &str| {
        policy.evaluate(&access(action, OBJECT), &Context::default()).expect_err("refused")
    };
    let policy = document(json);
    let denial = refused(&policy, "s3:DeleteObject");
    assert_eq!(denial.statement.as_deref(), Some("statement 2"));
    assert!(denial.reason.ends_with("is denied by statement 2"), "{}", denial.reason);
    let denial = refused(&policy, "s3:GetObject");
    assert_eq!(denial.statement.as_deref(), Some("statement 3"));
    assert_eq!(
        denial.reason,
        "statement 3 of the policy document allows `s3:GetObject`, but not on `arn:aws:s3:::b/k`"
    );
    let several = ScopedPolicy { documents: [allow_document("s3:*"), policy.documents[0].clone()].into(), ..policy };
    let denial = refused(&several, "s3:DeleteObject");
    assert_eq!(denial.statement.as_deref(), Some("statement 2 of policy document 2"));
}

#[test]
fn a_value_that_cannot_be_compared_is_not_called_unknown() {
    let json = r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*",
        "Condition":{"NumericLessThan":{"s3:max-keys":"10"}}}}"#;
    let reason = |context: &Context| {
        document(json).evaluate(&access("s3:ListBucket", "arn:aws:s3:::b"), context).expect_err("refused").reason
    };
    let mut context = Context::default();
    assert!(reason(&context).contains("the condition key `s3:max-keys` cannot be known here"), "{}", reason(&context));
    context.set("s3:max-keys", "many");
    assert!(!reason(&context).contains("cannot be known"), "{}", reason(&context));
}

#[test]
fn every_refusal_says_its_ceiling_its_statement_and_what_is_missing() {
    let known = |condition: &str| {
        format!(r#"{{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::b/*","Condition":{{{condition}}}}}"#)
    };
    let beside = r#"{"Effect":"Allow","Action":"sqs:*","Resource":"*"},
        {"Effect":"Deny","Action":"s3:*","NotResource":"*"},"#;
    let of = |statements: &str| document(&format!(r#"{{"Statement":[{beside}{statements}]}}"#));
    let mut context = Context::default();
    context.set("aws:a", "1");
    context.set("aws:b", "2");
    let (fails, open) = (r#""StringEquals":{"aws:a":"1","aws:b":"3"}"#, r#""StringEquals":{"aws:unknown":"x"}"#);
    let get = access("s3:GetObject", OBJECT);
    let any = AccessRequest { action: "s3:GetObject".into(), resource: Resource::Pattern("arn:aws:s3:::b*".into()) };
    let key = |key: &str| key.to_owned();
    let third = Some("statement 3");
    for (policy, asked, ceiling, statement, missing, says) in [
        (ScopedPolicy::default(), &get, None, None, Some(Missing::Ceiling), "allows nothing"),
        (short("s3:*", &["*"], "s3:Get*"), &get, Some("--deny"), Some("--deny s3:Get*"), None, "--deny s3:Get*"),
        (short("sqs:*", &["*"], ""), &get, Some("--allow"), None, Some(Missing::Action), "only `--allow sqs:*`"),
        (short("s3:*", &["s3://c/*"], ""), &get, Some("--resource"), None, Some(Missing::Resource), "only `--resource"),
        (
            of(r#"{"Effect":"Allow","Action":"sns:*","Resource":"*"}"#),
            &get,
            Some("the policy document"),
            None,
            Some(Missing::Action),
            "no statement of the policy document",
        ),
        (
            of(&known(fails)),
            &get,
            Some("the policy document"),
            third,
            Some(Missing::Condition { key: key("aws:b") }),
            "only when `aws:b` is `3`",
        ),
        (
            of(&known(open)),
            &get,
            Some("the policy document"),
            third,
            Some(Missing::ContextKey { key: key("aws:unknown") }),
            "statement 3 of the policy document does not surely",
        ),
        (
            of(&known(open)),
            &any,
            Some("the policy document"),
            third,
            Some(Missing::Resource),
            "which resource is meant is not certain",
        ),
        (
            of(r#"{"Effect":"Deny","Action":"s3:*","Resource":"*"}"#),
            &get,
            Some("the policy document"),
            third,
            None,
            "is denied by statement 3",
        ),
    ] {
        let denial = policy.evaluate(asked, &context).expect_err("refused");
        let (said, named) = (denial.ceiling.as_deref(), denial.statement.as_deref());
        assert_eq!((said, named, &denial.missing), (ceiling, statement, &missing), "{denial:?}");
        assert!(denial.reason.contains(says), "{}", denial.reason);
    }
    let none = short("s3:ListAllMyBuckets", &["s3://b/*"], "").evaluate(&access("s3:ListAllMyBuckets", "*"), &context);
    let none = none.expect_err("refused");
    assert!(none.reason.contains("it works on no single resource"), "{}", none.reason);
    assert_eq!(none.how_to_ask.as_deref(), Some("ask for `--resource '*'`"));
}

#[test]
fn what_a_refusal_says_to_ask_for_is_one_word_to_a_shell_and_a_service_is_asked_for_by_a_star() {
    let policy = short("s3:GetObject", &["s3://b/*"], "");
    let how = |action: &str, resource: &str| {
        let denial = policy.evaluate(&access(action, resource), &Context::default()).expect_err("refused");
        denial.how_to_ask.expect("a way")
    };
    let all = "ask for `--allow s3:ListAllMyBuckets --resource '*'`";
    assert_eq!(how("s3:ListAllMyBuckets", "arn:aws:s3:::*"), all, "the cloud knows no such resource");
    assert_eq!(how("s3:GetObject", "arn:aws:s3:::c/it's *"), r"ask for `--resource 'arn:aws:s3:::c/it'\''s ${*}'`");
    assert_eq!(how("s3:GetObject", "arn:aws:s3:::c/$(x)"), "ask for `--resource 'arn:aws:s3:::c/${$}(x)'`");
}

#[test]
fn what_grants_an_access_is_named_with_its_ceiling() {
    let named = |policy: &ScopedPolicy| -> Vec<(String, Option<String>)> {
        let granted = policy.grants(&access("s3:GetObject", OBJECT), &Context::default()).expect("allowed");
        granted.into_iter().map(|grant| (grant.ceiling, grant.statement)).collect()
    };
    let pair = |ceiling: &str, statement: Option<&str>| (ceiling.to_owned(), statement.map(str::to_owned));
    let one = ScopedPolicy { documents: vec![allow_document("s3:*")], ..short("s3:Get*", &["*"], "") };
    let expected = [pair("--allow", Some("--allow s3:Get*")), pair("the policy document", Some("statement 1"))];
    assert_eq!(named(&one), expected);
    let documents = vec![allow_document("s3:*"), allow_document("s3:Get*")];
    let two = ScopedPolicy { documents, read_only: true, ..ScopedPolicy::default() };
    let numbered = |n: usize| pair(&format!("policy document {n}"), Some("statement 1"));
    assert_eq!(named(&two), [numbered(1), numbered(2), pair("--read-only", None)]);
}

#[test]
fn a_refusal_of_a_long_request_is_a_short_sentence() {
    let long = format!("arn:aws:s3:::b/{}", "k".repeat(4_000));
    let policy = short("s3:GetObject", &["s3://c/*"], "");
    let denial = policy.evaluate(&access("s3:GetObject", &long), &Context::default()).expect_err("refused");
    assert_eq!(denial.resource.as_deref(), Some(long.as_str()));
    assert!(denial.message().len() < 1_500, "{}", denial.message().len());
}

#[test]
fn an_unknown_resource_is_allowed_by_a_star_only() {
    let opaque = |policy: &ScopedPolicy| {
        let asked = hallpass_core::policy::AccessRequest { action: "s3:GetObject".into(), resource: Resource::Opaque };
        answer(policy, &asked, &Context::default())
    };
    assert_eq!(opaque(&short("s3:*", &["*"], "")), "allow");
    assert_eq!(opaque(&short("s3:*", &["arn:aws:s3:::*"], "")), "unresolved");
    assert_eq!(opaque(&short("s3:*", &["arn:aws:s3:::*", "*"], "")), "allow");
}

#[test]
fn session_files_of_before_are_read_and_new_parts_are_written_only_when_there() {
    let old = r#"{"actions":[{"service":"s3","action":"ListAllMyBuckets"}],"resources":["*"]}"#;
    let policy: ScopedPolicy = serde_json::from_str(old).expect("reads");
    assert_eq!(serde_json::to_string(&policy).expect("writes"), old);
    assert_eq!(policy, short("s3:ListAllMyBuckets", &["*"], ""));
    let full = ScopedPolicy {
        documents: vec![allow_document("s3:*")],
        read_only: true,
        ..short("s3:Get*", &["s3://b/${aws:username}/*"], "s3:GetObjectAcl")
    };
    let json = serde_json::to_string(&full).expect("writes");
    assert_eq!(serde_json::from_str::<ScopedPolicy>(&json).expect("reads"), full);
    for odd in [
        r#"{"actions":[],"resources":[],"ceiling":1}"#,
        r#"{"actions":[],"resources":[],"resources":[]}"#,
        r#"{"actions":[{"service":"s3","action":"*","effect":"Deny"}],"resources":["*"]}"#,
        r#"{"actions":[],"resources":[],"documents":[{"Statement":[]}]}"#,
    ] {
        assert!(serde_json::from_str::<ScopedPolicy>(odd).is_err(), "{odd}");
    }
}

#[test]
fn patterns_of_another_cloud_match_no_aws_action_and_do_not_compile() {
    let old = r#"{"actions":[{"service":"storage","action":"objects.get"}],"resources":["*"]}"#;
    let policy: ScopedPolicy = serde_json::from_str(old).expect("reads");
    assert_eq!(decide(&policy, "storage:objects", "*"), "not-allowed");
    assert!(policy.compile("aws").is_err());
}
