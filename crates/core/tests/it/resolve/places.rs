//! A name says something only in the place where the service reads it, and an account only if it is the caller's.

use hallpass_core::resolve::Upstream;

use super::{asked, bare, outcome};

const THEIRS: &str = "210987654321";

fn json(service: &str, target: &str, body: &str) -> String {
    let request = asked(service, "POST", "/").header("content-type", "application/x-amz-json-1.1");
    outcome(request.header("x-amz-target", target).with_body(body))
}

#[test]
fn a_qualifier_of_lambda_counts_in_the_query_of_the_calls_that_take_one() {
    let on = |told: &str| told.rsplit_once("function:f").map(|(_, rest)| rest.to_owned());
    let invoke = "/2015-03-31/functions/f/invocations";
    let in_query = format!("{invoke}?Qualifier=dev");
    assert_eq!(on(&bare(&asked("lambda", "POST", &in_query))).as_deref(), Some(":dev"));
    let in_header = bare(&asked("lambda", "POST", invoke).header("qualifier", "dev"));
    assert_eq!(on(&in_header).as_deref(), Some(""), "{in_header}");
    // No parameter of these: Lambda changes the function itself, whatever the query says.
    for (method, target) in [
        ("PUT", "/2015-03-31/functions/f/configuration?Qualifier=dev"),
        ("DELETE", "/2017-10-31/functions/f/concurrency?Qualifier=dev"),
        ("POST", "/2015-03-31/functions/f/versions?Qualifier=dev"),
        ("GET", "/2015-03-31/functions/f/aliases?Qualifier=dev"),
    ] {
        let told = outcome(asked("lambda", method, target).with_body("{}"));
        assert_eq!(on(&told).as_deref(), Some(""), "{told}");
    }
    let twice = format!("{invoke}?Qualifier=dev&Qualifier=prod");
    assert_eq!(bare(&asked("lambda", "POST", &twice)), "malformed");
}

#[test]
fn the_account_of_s3_control_is_the_one_of_its_header() {
    const OWN: &str = "123456789012";
    let target = format!("/v20180820/accesspoint/ap/policy?x-amz-account-id={OWN}");
    let own = bare(&asked("s3", "GET", &target).header("x-amz-account-id", OWN));
    assert!(own.ends_with("@arn:aws:s3:eu-west-1:123456789012:accesspoint/ap"), "{own}");
    let theirs = bare(&asked("s3", "GET", &target).header("x-amz-account-id", THEIRS));
    assert!(theirs.ends_with("@?"), "{theirs}");
}

#[test]
fn the_path_of_s3_control_is_a_bucket_to_another_store() {
    let mut asked = asked("s3", "GET", "/v20180820/jobs").header("x-amz-account-id", "123456789012");
    assert_eq!(bare(&asked), "ListJobs s3:ListJobs@*");
    asked.upstream = Upstream::Compatible;
    assert_eq!(bare(&asked), "unmapped");
    asked.headers.clear();
    assert_eq!(bare(&asked), "GetObject s3:GetObject@arn:aws:s3:::v20180820/jobs");
}

#[test]
fn a_resource_of_an_account_that_the_request_names_is_not_the_callers() {
    let ecr = |registry: &str| {
        let body = format!(r#"{{{registry}"repositoryName":"r"}}"#);
        json("ecr", "AmazonEC2ContainerRegistry_V20150921.BatchGetImage", &body)
    };
    let own = "BatchGetImage ecr:BatchGetImage@arn:aws:ecr:eu-west-1:123456789012:repository/r";
    assert_eq!(ecr(""), own);
    assert_eq!(ecr(r#""registryId":"123456789012","#), own);
    assert_eq!(ecr(&format!(r#""registryId":"{THEIRS}","#)), own.replace("123456789012", THEIRS));
    for odd in ["210987654321", "null", r#""*""#, r#""""#] {
        assert_eq!(ecr(&format!(r#""registryId":{odd},"#)), "BatchGetImage ecr:BatchGetImage@?", "{odd}");
    }
    let package = |more: &str| {
        let target = format!("/v1/package?domain=d&repository=r&format=npm&package=p{more}");
        bare(&asked("codeartifact", "GET", &target))
    };
    assert!(package("&domain-owner=210987654321").contains(":210987654321:package/"));
    assert!(package("").contains(":123456789012:package/"));
}

/// Service, method, target, body with `ACCT` for an account.
const OWNED: &[(&str, &str, &str, &str)] = &[
    ("glacier", "GET", "/ACCT/vaults/v", ""),
    ("quicksight", "GET", "/accounts/ACCT/dashboards/d", ""),
    ("backup", "GET", "/backup-vaults/v?backupVaultAccountId=ACCT", ""),
    ("appmesh", "GET", "/v20190125/meshes/m?meshOwner=ACCT", ""),
    ("signer", "POST", "/signing-jobs", r#"{"profileName":"p","profileOwner":"ACCT"}"#),
    ("account", "POST", "/putAlternateContact", r#"{"AccountId":"ACCT"}"#),
    ("budgets", "JSON", "AWSBudgetServiceGateway.DescribeBudget", r#"{"AccountId":"ACCT","BudgetName":"b"}"#),
    (
        "cloudtrail",
        "JSON",
        "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.GetQueryResults",
        r#"{"EventDataStoreOwnerAccountId":"ACCT","EventDataStore":"e","QueryId":"q"}"#,
    ),
    (
        "redshift",
        "FORM",
        "",
        "Action=RestoreFromClusterSnapshot&ClusterIdentifier=c&SnapshotIdentifier=s&OwnerAccount=ACCT",
    ),
    (
        "redshift-serverless",
        "JSON",
        "RedshiftServerless.RestoreFromSnapshot",
        r#"{"namespaceName":"n","workgroupName":"w","snapshotName":"s","ownerAccount":"ACCT"}"#,
    ),
];

#[test]
fn what_may_be_another_accounts_is_left_open() {
    for (service, method, target, body) in OWNED {
        let told = |account: &str| {
            let (target, body) = (target.replace("ACCT", account), body.replace("ACCT", account));
            match *method {
                "JSON" => json(service, &target, &body),
                "FORM" => {
                    let form = asked(service, "POST", "/").header("content-type", "application/x-www-form-urlencoded");
                    outcome(form.with_body(body))
                }
                method => outcome(asked(service, method, &target).with_body(body)),
            }
        };
        let (own, theirs) = (told("123456789012"), told(THEIRS));
        assert!(own.contains(":123456789012:"), "{service}: {own}");
        assert!(theirs.ends_with("@?") && !theirs.contains("123456789012"), "{service}: {theirs}");
    }
    assert!(bare(&asked("glacier", "GET", "/-/vaults/v")).ends_with(":123456789012:vaults/v"));
}

#[test]
fn a_number_where_a_name_belongs_is_not_overlooked() {
    const ECS: &str = "AmazonEC2ContainerServiceV20141113";
    let clusters = json("ecs", &format!("{ECS}.DescribeClusters"), r#"{"clusters":["mine",5]}"#);
    assert!(clusters.ends_with("cluster/mine ecs:DescribeClusters@?"), "{clusters}");
    let alias = json("kms", "TrentService.CreateAlias", r#"{"AliasName":"alias/x","TargetKeyId":5}"#);
    assert!(alias.ends_with("alias/x kms:CreateAlias@?"), "{alias}");
    let query = json("dynamodb", "DynamoDB_20120810.Query", r#"{"TableName":"t","IndexName":5}"#);
    assert_eq!(query, "Query dynamodb:Query@?");
}

#[test]
fn a_body_in_another_charset_is_refused() {
    let body = r#"{"QueueUrl":"https://sqs.eu-west-1.amazonaws.com/123456789012/q"}"#;
    for (kind, taken) in [
        ("application/x-amz-json-1.0", true),
        ("application/x-amz-json-1.0; charset=UTF-8", true),
        ("application/x-amz-json-1.0;Charset=\"utf-8\"", true),
        ("application/x-amz-json-1.0; charset=utf-7", false),
        ("application/x-amz-json-1.0; x=y; CHARSET = ibm037", false),
        ("application/x-amz-json-1.0; charset", false),
    ] {
        let request = asked("sqs", "POST", "/").header("content-type", kind);
        let told = outcome(request.header("x-amz-target", "AmazonSQS.SendMessage").with_body(body));
        assert_eq!(told == "malformed", !taken, "{kind}: {told}");
        assert_eq!(told.ends_with(":q"), taken, "{kind}: {told}");
    }
    for (kind, taken) in [("", true), ("; charset=utf-8", true), ("; charset=utf-16", false)] {
        let kind = format!("application/x-www-form-urlencoded{kind}");
        let told = outcome(asked("iam", "POST", "/").header("content-type", &kind).with_body("Action=ListRoles"));
        assert_eq!(told != "malformed", taken, "{kind}: {told}");
        let kind = kind.replace("x-www-form-urlencoded", "json");
        let told = outcome(asked("signer", "POST", "/signing-jobs").header("content-type", &kind).with_body("{}"));
        assert_eq!(told != "malformed", taken, "{kind}: {told}");
    }
}
