//! A name says something only in the place where the service reads it, and an account only if it is the caller's.

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

fn form(service: &str, body: &str) -> String {
    let request = asked(service, "POST", "/").header("content-type", "application/x-www-form-urlencoded");
    outcome(request.with_body(body)).replace("arn:aws:ec2:eu-west-1:", "")
}

#[test]
fn what_ec2_tags_is_told_by_its_ids() {
    for (ids, expected) in [
        ("ResourceId.1=i-0a&ResourceId.2=vol-1", "123456789012:instance/i-0a ec2:CreateTags@123456789012:volume/vol-1"),
        ("ResourceId.1=ami-1", ":image/ami-1"),
        ("ResourceId.1=snap-1", ":snapshot/snap-1"),
        ("ResourceId.1=i-1&ResourceId.2=new-1", "123456789012:instance/i-1 ec2:CreateTags@?"),
        ("ResourceId.1=i-*", "?"),
        ("ResourceId.1=i-1/x", "?"),
        ("ResourceId.1=i-", "?"),
        ("ResourceId.1=mykey", "?"),
        ("", "?"),
    ] {
        let told = form("ec2", &format!("Action=CreateTags&{ids}&Tag.1.Key=a"));
        assert_eq!(told, format!("CreateTags ec2:CreateTags@{expected}"), "{ids}");
    }
    assert_eq!(form("ec2", "Action=CreateTags&ResourceId.1=i-1&ResourceId=i-2"), "malformed");
}

#[test]
fn what_a_call_of_ec2_tags_on_creation_is_of_the_kinds_that_it_names() {
    let tagged = |more: &str| {
        let told = form("ec2", &format!("Action=RunInstances&ImageId=ami-1{more}"));
        let on = told.split(' ').filter_map(|access| access.strip_prefix("ec2:CreateTags@"));
        on.collect::<Vec<_>>().join(" ")
    };
    let of = |number: u8, kind: &str| {
        let list = format!("&TagSpecification.{number}");
        format!("{list}.ResourceType={kind}{list}.Tag.1.Key=a")
    };
    assert_eq!(tagged(&of(1, "instance")), "~123456789012:instance/*");
    let both = of(1, "instance") + &of(2, "volume");
    assert_eq!(tagged(&both), "~123456789012:instance/* ~123456789012:volume/*");
    assert_eq!(tagged(&of(1, "snapshot")), "~:snapshot/*");
    let without_kind = of(1, "instance") + "&TagSpecification.2.Tag.1.Key=a";
    for odd in [
        of(1, "*"),
        of(1, "Instance"),
        of(1, ""),
        without_kind,
        of(1, "instance") + "&LaunchTemplate.LaunchTemplateId=lt-1",
        of(1, "instance") + "&TagSpecifications.2.ResourceType=volume",
        of(1, "instance") + "&TagSpecification=x",
    ] {
        assert_eq!(tagged(&odd), "?", "{odd}");
    }
}

#[test]
fn the_tags_of_what_is_made_are_not_those_of_what_it_is_made_in() {
    let own =
        json("ecs", "AmazonEC2ContainerServiceV20141113.RunTask", r#"{"taskDefinition":"t:1","tags":[{"key":"a"}]}"#);
    assert!(own.ends_with("ecs:TagResource@?"), "{own}");
    let target = "AmazonEC2ContainerServiceV20141113.RegisterContainerInstance";
    let registered = json("ecs", target, r#"{"cluster":"c","tags":[{"key":"a","value":"b"}]}"#);
    assert!(registered.contains(":cluster/c") && registered.ends_with("ecs:TagResource@?"), "{registered}");
    let group = "arn:aws:eks:eu-west-1:123456789012:cluster/c";
    let made =
        outcome(asked("eks", "POST", "/clusters/c/node-groups").with_body(r#"{"nodegroupName":"n","tags":{"a":"b"}}"#));
    assert!(made.contains(group) && made.ends_with("eks:TagResource@?"), "{made}");
}

#[test]
fn a_function_is_named_with_its_version_too() {
    let invoke = |function: &str, query: &str| {
        let target = format!("/2015-03-31/functions/{function}/invocations{query}");
        bare(&asked("lambda", "POST", &target)).replace("Invoke lambda:InvokeFunction@", "")
    };
    let on = |rest: &str| format!("arn:aws:lambda:eu-west-1:123456789012:function:{rest}");
    assert_eq!(invoke("f%3Aprod", ""), on("f:prod"));
    assert_eq!(invoke("f%3A%24LATEST", ""), on("f:$LATEST"));
    assert_eq!(invoke("f%3Aprod", "?Qualifier=prod"), on("f:prod"));
    assert_eq!(invoke("f%3Aprod", "?Qualifier=dev"), "?");
    // The function itself has no versions to change.
    let code = outcome(asked("lambda", "PUT", "/2015-03-31/functions/f%3Aprod/configuration").with_body("{}"));
    assert!(code.ends_with("@?"), "{code}");
}

#[test]
fn the_log_groups_are_listed_by_the_arn_that_aws_says() {
    let told = json("logs", "Logs_20140328.DescribeLogGroups", "{}");
    assert_eq!(
        told,
        "DescribeLogGroups logs:DescribeLogGroups@arn:aws:logs:eu-west-1:123456789012:log-group::log-stream:"
    );
}
