//! The query, EC2, JSON and CBOR protocols.

use hallpass_core::policy::access::Known;
use hallpass_core::resolve::Protocol;
use proptest::prelude::*;

use super::{Asked, asked, bare, outcome};

const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

pub(super) fn form(service: &'static str, body: &str) -> String {
    outcome(asked(service, "POST", "/").header("content-type", FORM).with_body(body))
}

pub(super) fn json<'a>(service: &'a str, target: &'a str) -> Asked<'a> {
    asked(service, "POST", "/").header("content-type", "application/x-amz-json-1.1").header("x-amz-target", target)
}

pub(super) fn posted(service: &str, target: &str, body: &str) -> String {
    outcome(json(service, target).with_body(body))
}

#[test]
fn an_action_is_read_from_the_form() {
    assert_eq!(bare(&asked("sts", "POST", "/").header("content-type", FORM)), "needs-body");
    for (service, body, expected) in [
        ("sts", "Action=GetCallerIdentity&Version=2011-06-15", "GetCallerIdentity sts:GetCallerIdentity@*"),
        ("iam", "Action=ListUsers&Version=2010-05-08", "ListUsers iam:ListUsers@*"),
        ("ec2", "Action=DescribeInstances&Version=2016-11-15", "DescribeInstances ec2:DescribeInstances@*"),
        (
            "monitoring",
            "Action=PutMetricData&Version=2010-08-01&Namespace=a+b",
            "PutMetricData cloudwatch:PutMetricData@*",
        ),
        (
            "ses",
            "Action=SendEmail&Version=2010-12-01",
            "SendEmail ses:SendEmail@~arn:aws:ses:eu-west-1:123456789012:identity/*",
        ),
        (
            "elasticloadbalancing",
            "Action=DescribeTargetGroups",
            "DescribeTargetGroups elasticloadbalancing:DescribeTargetGroups@*",
        ),
    ] {
        assert_eq!(form(service, body), expected, "{body}");
    }
}

#[test]
fn an_action_that_could_be_read_in_two_ways_is_refused() {
    for bad in [
        "",
        "Version=2011-06-15",
        "action=GetCallerIdentity",
        "ACTION=GetCallerIdentity",
        "Action=GetCallerIdentity&Action=AssumeRole",
        "Action=GetCallerIdentity&action=AssumeRole",
        "Action=GetCallerIdentity&%41ction=AssumeRole",
        "Action=GetCallerIdentity&Operation=AssumeRole",
        "Action=GetCallerIdentity&X-Amz-Credential=x",
        "Action=GetCallerIdentity&AWSAccessKeyId=x",
        "Action=GetCallerIdentity&a=%",
        "Action=GetCallerIdentity&a=\u{e4}",
        "Action=GetCallerIdentity\n",
    ] {
        assert_eq!(form("sts", bad), "malformed", "{bad}");
    }
    let both = asked("sts", "POST", "/?Action=GetCallerIdentity").header("content-type", FORM);
    assert_eq!(outcome(both.with_body("Action=AssumeRole")), "malformed");
    assert_eq!(bare(&asked("sts", "POST", "/?Version=2011-06-15").header("content-type", FORM)), "malformed");
    let targeted =
        asked("sqs", "POST", "/").header("content-type", FORM).header("x-amz-target", "AmazonSQS.SendMessage");
    assert_eq!(outcome(targeted.with_body("Action=ListQueues")), "malformed");
}

#[test]
fn the_newest_call_of_sts_is_known_although_no_sdk_has_it() {
    assert_eq!(
        form("sts", "Action=GetScopedCredentials&Version=2011-06-15"),
        "GetScopedCredentials sts:GetScopedCredentials@*"
    );
}

#[test]
fn an_operation_that_is_not_in_the_table_is_refused() {
    for bad in ["GetCallerIdentity2", "getcalleridentity", "GetCallerIdentity ", "*", "GetScopedCredential", "=x", ""] {
        assert_eq!(form("sts", &format!("Action={}", bad.replace(' ', "+"))), "unmapped", "{bad}");
    }
    let denial =
        asked("sts", "POST", "/").header("content-type", FORM).with_body("Action=<script>").expect_err("refused");
    assert!(!denial.message().contains("script"), "{}", denial.message());
    let named =
        asked("sts", "POST", "/").header("content-type", FORM).with_body("Action=NoSuchThing").expect_err("refused");
    assert!(named.message().contains("sts NoSuchThing"), "{}", named.message());
    assert!(named.how_to_ask.is_some());
}

#[test]
fn a_get_carries_its_action_in_the_url_and_no_body() {
    let get = asked("sts", "GET", "/?Action=GetCallerIdentity&Version=2011-06-15");
    assert_eq!(bare(&get), "GetCallerIdentity sts:GetCallerIdentity@*");
    assert_eq!(outcome(get.with_body("Action=AssumeRole")), "malformed");
    assert_eq!(bare(&asked("sts", "GET", "/?Action=GetCallerIdentity").header("content-length", "5")), "malformed");
    assert_eq!(
        bare(&asked("sts", "GET", "/?Action=GetCallerIdentity").header("transfer-encoding", "chunked")),
        "malformed"
    );
    assert_eq!(bare(&asked("sts", "GET", "/?Action=GetCallerIdentity&action=x")), "malformed");
    assert_eq!(bare(&asked("sts", "PUT", "/?Action=GetCallerIdentity")), "unmapped");
    assert_eq!(bare(&asked("sts", "GET", "/x?Action=GetCallerIdentity")), "unmapped");
}

#[test]
fn a_form_that_is_packed_or_called_otherwise_is_not_read() {
    assert_eq!(bare(&asked("sts", "POST", "/")), "unmapped");
    assert_eq!(bare(&asked("sts", "POST", "/").header("content-type", "text/plain")), "unmapped");
    let packed = asked("monitoring", "POST", "/").header("content-type", FORM).header("content-encoding", "gzip");
    assert_eq!(bare(&packed), "unmapped");
    let packed = json("dynamodb", "DynamoDB_20120810.GetItem").header("content-encoding", "gzip");
    assert_eq!(bare(&packed), "unmapped");
}

#[test]
fn services_that_no_model_has_are_refused_and_say_so() {
    for (service, method, target) in
        [("s3-outposts", "GET", "/buck"), ("execute-api", "GET", "/stage"), ("no-such-service", "POST", "/")]
    {
        let denial = asked(service, method, target).head().expect_err(service);
        assert_eq!(denial.code.as_str(), "unmapped");
        assert!(
            denial.reason.contains("hallpass knows") || denial.reason.contains("no operation"),
            "{}",
            denial.reason
        );
        assert!(!denial.message().contains(target.trim_end_matches('/')) || target == "/", "{}", denial.message());
    }
}

#[test]
fn a_target_names_service_and_operation() {
    let put = json("kinesis", "Kinesis_20131202.ListStreams");
    assert_eq!(bare(&put), "ListStreams kinesis:ListStreams@*");
    assert_eq!(put.resolved().protocol, Protocol::Json11);
    assert_eq!(put.resolved().endpoint, "kinesis");
    let streams = json("dynamodb", "DynamoDBStreams_20120810.GetRecords");
    assert_eq!(
        bare(&streams),
        "GetRecords dynamodb:GetRecords@~arn:aws:dynamodb:eu-west-1:123456789012:table/*/stream/*"
    );
    assert_eq!(streams.resolved().endpoint, "dynamodbstreams");
    let trail = json("cloudtrail", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents");
    assert_eq!(bare(&trail), "LookupEvents cloudtrail:LookupEvents@*");
}

#[test]
fn a_target_that_is_not_exactly_one_of_the_service_is_refused() {
    for (service, target, code) in [
        ("dynamodb", "DynamoDB_20120810.NoSuchThing", "unmapped"),
        ("dynamodb", "DynamoDB_20120810.listTables", "unmapped"),
        ("dynamodb", "DynamoDB_20111205.ListTables", "unmapped"),
        ("dynamodb", "Kinesis_20131202.ListStreams", "unmapped"),
        ("dynamodb", "DynamoDB_20120810.ListTables.", "unmapped"),
        ("dynamodb", "DynamoDB_20120810. ListTables", "unmapped"),
        ("dynamodb", "ListTables", "malformed"),
        ("dynamodb", "", "malformed"),
        ("iam", "-.ListUsers", "unmapped"),
        ("lambda", "AWSLambda.Invoke", "unmapped"),
    ] {
        assert_eq!(bare(&json(service, target)), code, "{service} {target}");
    }
    let twice = json("dynamodb", "DynamoDB_20120810.ListTables").header("x-amz-target", "DynamoDB_20120810.GetItem");
    assert_eq!(bare(&twice), "malformed");
    let typed = asked("dynamodb", "POST", "/").header("x-amz-target", "DynamoDB_20120810.ListTables");
    assert_eq!(bare(&typed), "malformed");
    let table = "DynamoDB_20120810.ListTables";
    assert_eq!(bare(&Asked { target: "/x", ..json("dynamodb", table) }), "malformed");
    assert_eq!(bare(&Asked { target: "/?Action=GetItem", ..json("dynamodb", table) }), "malformed");
    assert_eq!(bare(&Asked { method: "GET", ..json("dynamodb", table) }), "malformed");
    assert_eq!(bare(&json("dynamodb", table).header("x-http-method-override", "PUT")), "malformed");
}

#[test]
fn a_cbor_operation_is_in_the_path_and_nowhere_else() {
    let path = "/service/GraniteServiceVersion20100801/operation/ListMetrics";
    let cbor = |target| asked("monitoring", "POST", target).header("smithy-protocol", "rpc-v2-cbor");
    assert_eq!(bare(&cbor(path)), "ListMetrics cloudwatch:ListMetrics@*");
    assert_eq!(cbor(path).resolved().protocol, Protocol::RpcV2Cbor);
    assert_eq!(bare(&asked("monitoring", "POST", path)), "malformed");
    assert_eq!(bare(&cbor(path).header("x-amz-target", "GraniteServiceVersion20100801.ListMetrics")), "malformed");
    assert_eq!(bare(&asked("monitoring", "POST", path).header("smithy-protocol", "rpc-v3")), "unmapped");
    for bad in [
        "/service/GraniteServiceVersion20100801/operation/NoSuchThing",
        "/service/GraniteServiceVersion20100801/operation/PutMetricData/",
        "/service/GraniteServiceVersion20100801/operation/Put%4detricData",
        "/service/CodeBuild_20161006/operation/PutMetricData",
        "/service/x/operation/y/operation/PutMetricData",
    ] {
        assert_eq!(bare(&cbor(bad)), "unmapped", "{bad}");
    }
    assert_eq!(bare(&cbor("/")), "malformed");
    assert_eq!(bare(&cbor("/service/GraniteServiceVersion20100801/operation/PutMetricData?x=y")), "malformed");
    assert_eq!(bare(&asked("monitoring", "GET", path).header("smithy-protocol", "rpc-v2-cbor")), "malformed");
}

/// A Deny on an action reaches every operation that AWS authorises as that action.
#[test]
fn an_operation_of_another_name_needs_the_actions_that_aws_checks() {
    let url = "QueueUrl=https://sqs.eu-west-1.amazonaws.com/123456789012/q";
    let queue = "arn:aws:sqs:eu-west-1:123456789012:q";
    for (operation, action) in [
        ("SendMessageBatch", "SendMessage"),
        ("DeleteMessageBatch", "DeleteMessage"),
        ("ChangeMessageVisibilityBatch", "ChangeMessageVisibility"),
    ] {
        assert_eq!(form("sqs", &format!("Action={operation}&{url}")), format!("{operation} sqs:{action}@{queue}"));
    }
    let topic = "arn:aws:sns:eu-west-1:123456789012:t";
    assert_eq!(
        form("sns", &format!("Action=PublishBatch&TopicArn={topic}")),
        format!("PublishBatch sns:Publish@{topic}")
    );
    assert_eq!(
        posted("kms", "TrentService.ReEncrypt", r#"{"SourceKeyId":"alias/a"}"#),
        "ReEncrypt kms:ReEncryptFrom@? kms:ReEncryptTo@?"
    );
    assert_eq!(
        posted("secretsmanager", "secretsmanager.BatchGetSecretValue", "{}"),
        "BatchGetSecretValue secretsmanager:BatchGetSecretValue@* \
         secretsmanager:GetSecretValue@~arn:aws:secretsmanager:eu-west-1:123456789012:secret:* \
         secretsmanager:ListSecrets@*"
    );
    assert_eq!(
        posted("budgets", "AWSBudgetServiceGateway.DeleteBudget", r#"{"AccountId":"123456789012","BudgetName":"b"}"#),
        "DeleteBudget budgets:ModifyBudget@arn:aws:budgets::123456789012:budget/b"
    );
    assert_eq!(
        bare(&json("tagging", "ResourceGroupsTaggingAPI_20170126.GetResources")),
        "GetResources tag:GetResources@*"
    );
    assert_eq!(bare(&json("memorydb", "AmazonMemoryDB.CreateACL").header("x", "y")), "needs-body");
}

#[test]
fn operations_whose_reach_is_not_in_the_request_are_refused() {
    assert_eq!(bare(&json("tagging", "ResourceGroupsTaggingAPI_20170126.TagResources")), "unresolved");
    assert_eq!(bare(&json("cloudcontrolapi", "CloudApiService.CreateResource")), "unresolved");
    assert_eq!(bare(&json("kms", "TrentService.GetKeyLastUsage")), "unmapped");
    assert_eq!(bare(&json("timestream", "Timestream_20181101.WriteRecords")), "unmapped");
}

#[test]
fn a_role_that_is_handed_over_needs_pass_role() {
    let role = "arn:aws:iam::123456789012:role/Deploy";
    let run = |body: &str| form("ec2", &format!("Action=RunInstances{body}"));
    let made = run("&ImageId=ami-1");
    for resource in [
        "arn:aws:ec2:eu-west-1::image/ami-1",
        "~arn:aws:ec2:eu-west-1:123456789012:instance/*",
        "~arn:aws:ec2:eu-west-1:123456789012:subnet/*",
    ] {
        assert!(made.contains(&format!(" ec2:RunInstances@{resource}")), "{made}");
    }
    // A structure of the request names it.
    assert!(
        run("&LaunchTemplate.LaunchTemplateName=x").contains("@~arn:aws:ec2:eu-west-1:123456789012:launch-template/*")
    );
    assert!(run("&IamInstanceProfile.Name=p").ends_with(" iam:PassRole@?"));
    assert!(run("&LaunchTemplate.LaunchTemplateId=lt-1").ends_with(" iam:PassRole@? ec2:CreateTags@?"));
    assert_eq!(
        form("cloudformation", &format!("Action=CreateStack&StackName=s&RoleARN={role}")),
        format!(
            "CreateStack cloudformation:CreateStack@~arn:aws:cloudformation:eu-west-1:123456789012:stack/s/* \
             iam:PassRole@{role}"
        )
    );
    let target = "AmazonEC2ContainerServiceV20141113.RegisterTaskDefinition";
    assert_eq!(bare(&json("ecs", target)), "needs-body");
    let register =
        |body: &str| posted("ecs", target, body).replace("RegisterTaskDefinition ecs:RegisterTaskDefinition@", "");
    let made = "~arn:aws:ecs:eu-west-1:123456789012:task-definition/*:*";
    assert_eq!(register("{}"), made);
    assert_eq!(
        register(&format!(r#"{{"taskRoleArn":"{role}","executionRoleArn":"{role}"}}"#)),
        format!("{made} iam:PassRole@{role}")
    );
    let unknown = format!("{made} iam:PassRole@?");
    assert_eq!(register(r#"{"taskRoleArn":"Deploy"}"#), unknown);
    assert_eq!(register(r#"{"taskRoleArn":"arn:aws:iam::123456789012:role/*"}"#), unknown);
    assert_eq!(register(r#"{"taskRoleArn":"a","taskRoleArn":"b"}"#), "malformed");
    let cbor = asked("codebuild", "POST", "/service/CodeBuild_20161006/operation/CreateProject")
        .header("smithy-protocol", "rpc-v2-cbor");
    assert_eq!(bare(&cbor), "needs-body");
    assert_eq!(
        outcome(cbor.with_body(b"\xa2\x64name\x61p\x6bserviceRole\x61r")),
        "CreateProject codebuild:CreateProject@arn:aws:codebuild:eu-west-1:123456789012:project/p iam:PassRole@?"
    );
}

#[test]
fn tags_on_creation_need_the_tagging_action() {
    assert_eq!(
        form("ec2", "Action=CreateVolume&TagSpecification.1.ResourceType=volume&TagSpecification.1.Tag.1.Key=a"),
        "CreateVolume ec2:CreateVolume@~arn:aws:ec2:eu-west-1:123456789012:volume/* \
         ec2:CreateTags@~arn:aws:ec2:eu-west-1:123456789012:volume/*"
    );
    assert!(!form("ec2", "Action=CreateVolume&Size=1").contains("CreateTags"));
    let role = "arn:aws:iam::123456789012:role/R";
    assert_eq!(
        form("sts", &format!("Action=AssumeRole&RoleArn={role}&Tags.member.1.Key=a&SourceIdentity=me")),
        format!("AssumeRole sts:AssumeRole@{role} sts:TagSession@{role} sts:SetSourceIdentity@{role}")
    );
}

#[test]
fn resources_are_named_where_the_request_names_them() {
    let account = "123456789012";
    for (service, body, expected) in [
        (
            "sts",
            "Action=AssumeRole&RoleArn=arn:aws:iam::123456789012:role/a/R",
            "sts:AssumeRole@arn:aws:iam::123456789012:role/a/R",
        ),
        ("sts", "Action=AssumeRole&RoleArn=arn:aws:iam::123456789012:role/*", "sts:AssumeRole@?"),
        ("sts", "Action=AssumeRole&RoleArn=arn:aws-cn:iam::123456789012:role/R", "sts:AssumeRole@?"),
        ("sts", "Action=AssumeRole&RoleArn=R", "sts:AssumeRole@?"),
        ("iam", "Action=GetRole&RoleName=R", "iam:GetRole@~arn:aws:iam::123456789012:role/*R"),
        ("iam", "Action=GetRole&RoleName=*", "iam:GetRole@?"),
        ("iam", "Action=DeleteUser&UserName=U", "iam:DeleteUser@~arn:aws:iam::123456789012:user/*U"),
        ("iam", "Action=ListAccessKeys", "iam:ListAccessKeys@?"),
        ("iam", "Action=CreateUser&UserName=U", "iam:CreateUser@arn:aws:iam::123456789012:user/U"),
        ("iam", "Action=CreateRole&RoleName=R&Path=/a/b/", "iam:CreateRole@arn:aws:iam::123456789012:role/a/b/R"),
        ("iam", "Action=CreateRole&RoleName=R&Path=/a/*/", "iam:CreateRole@?"),
        (
            "sqs",
            "Action=SendMessage&QueueUrl=http://127.0.0.1:4566/000000000000/q.fifo",
            "sqs:SendMessage@arn:aws:sqs:eu-west-1:000000000000:q.fifo",
        ),
        ("sqs", "Action=SendMessage&QueueUrl=https://x/123456789012/a/b", "sqs:SendMessage@?"),
        ("sqs", "Action=SendMessage&QueueUrl=https://x/123456789012/q?a", "sqs:SendMessage@?"),
        ("sqs", "Action=SendMessage&QueueUrl=https://x/123456789012/*", "sqs:SendMessage@?"),
        ("sqs", "Action=SendMessage&QueueUrl=q", "sqs:SendMessage@?"),
        ("sqs", "Action=CreateQueue&QueueName=q", "sqs:CreateQueue@arn:aws:sqs:eu-west-1:123456789012:q"),
        ("sqs", "Action=GetQueueUrl&QueueName=q&QueueOwnerAWSAccountId=1", "sqs:GetQueueUrl@?"),
        (
            "sns",
            "Action=Publish&TopicArn=arn:aws:sns:us-east-1:123456789012:t",
            "sns:Publish@arn:aws:sns:us-east-1:123456789012:t",
        ),
        ("sns", "Action=Publish&TopicArn=arn:aws:sns:us-east-1:123456789012:t&TargetArn=x", "sns:Publish@?"),
        ("sns", "Action=Publish&PhoneNumber=1", "sns:Publish@?"),
        ("sns", "Action=CreateTopic&Name=t", "sns:CreateTopic@arn:aws:sns:eu-west-1:123456789012:t"),
    ] {
        let got = form(service, body);
        assert_eq!(got.split_once(' ').map(|(_, access)| access), Some(expected), "{body}: {got}");
    }
    let unknown = Asked { account: None, ..asked("sqs", "POST", "/").header("content-type", FORM) };
    let got = outcome(unknown.with_body(format!("Action=CreateQueue&QueueName=q&x={account}")));
    assert_eq!(got, "CreateQueue sqs:CreateQueue@~arn:aws:sqs:eu-west-1:*:q");
}

#[test]
fn json_resources_are_named_where_the_request_names_them() {
    let table = "dynamodb:GetItem@arn:aws:dynamodb:eu-west-1:123456789012:table/T";
    let key = "12345678-1234-1234-1234-123456789012";
    let key_arn = format!("arn:aws:kms:eu-west-1:123456789012:key/{key}");
    let secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret";
    let value = "secretsmanager:GetSecretValue";
    let parameter = "arn:aws:ssm:eu-west-1:123456789012:parameter";
    for (service, target, body, expected) in [
        ("dynamodb", "DynamoDB_20120810.GetItem", r#"{"TableName":"T"}"#, table.to_owned()),
        (
            "dynamodb",
            "DynamoDB_20120810.GetItem",
            r#"{"TableName":"arn:aws:dynamodb:eu-west-1:123456789012:table/T"}"#,
            table.to_owned(),
        ),
        ("dynamodb", "DynamoDB_20120810.GetItem", r#"{"TableName":"T*"}"#, "dynamodb:GetItem@?".to_owned()),
        ("dynamodb", "DynamoDB_20120810.GetItem", r#"{"TableName":"T","tableName":"U"}"#, "malformed".to_owned()),
        ("dynamodb", "DynamoDB_20120810.GetItem", "{}", "dynamodb:GetItem@?".to_owned()),
        (
            "dynamodb",
            "DynamoDB_20120810.Query",
            r#"{"TableName":"T","IndexName":"I"}"#,
            format!("{}/index/I", table.replace("GetItem", "Query")),
        ),
        (
            "secretsmanager",
            "secretsmanager.GetSecretValue",
            r#"{"SecretId":"prod/db"}"#,
            format!("{value}@~{secret}:prod/db-??????"),
        ),
        (
            "secretsmanager",
            "secretsmanager.GetSecretValue",
            &format!(r#"{{"SecretId":"{secret}:db-AbC123"}}"#),
            format!("{value}@{secret}:db-AbC123"),
        ),
        (
            "secretsmanager",
            "secretsmanager.GetSecretValue",
            &format!(r#"{{"SecretId":"{secret}:db"}}"#),
            format!("{value}@~{secret}:db-??????"),
        ),
        ("secretsmanager", "secretsmanager.GetSecretValue", r#"{"SecretId":"a*"}"#, format!("{value}@?")),
        ("kms", "TrentService.Decrypt", &format!(r#"{{"KeyId":"{key}"}}"#), format!("kms:Decrypt@{key_arn}")),
        ("kms", "TrentService.Decrypt", &format!(r#"{{"KeyId":"{key_arn}"}}"#), format!("kms:Decrypt@{key_arn}")),
        ("kms", "TrentService.Decrypt", r#"{"KeyId":"alias/a"}"#, "kms:Decrypt@?".to_owned()),
        ("kms", "TrentService.Decrypt", "{}", "kms:Decrypt@?".to_owned()),
        ("ssm", "AmazonSSM.GetParameter", r#"{"Name":"/a/b:3"}"#, format!("ssm:GetParameter@{parameter}/a/b")),
        ("ssm", "AmazonSSM.GetParameter", r#"{"Name":"a"}"#, format!("ssm:GetParameter@{parameter}/a")),
        (
            "ssm",
            "AmazonSSM.GetParameters",
            r#"{"Names":["a","/b"]}"#,
            format!("ssm:GetParameters@{parameter}/a ssm:GetParameters@{parameter}/b"),
        ),
        (
            "ssm",
            "AmazonSSM.GetParameter",
            r#"{"Name":"/aws/reference/secretsmanager/x"}"#,
            format!("ssm:GetParameter@{parameter}/aws/reference/secretsmanager/x {value}@?"),
        ),
        (
            "kinesis",
            "Kinesis_20131202.PutRecord",
            r#"{"StreamName":"s"}"#,
            "kinesis:PutRecord@arn:aws:kinesis:eu-west-1:123456789012:stream/s".to_owned(),
        ),
        (
            "kinesis",
            "Kinesis_20131202.PutRecord",
            r#"{"StreamName":"s","StreamARN":"x"}"#,
            "kinesis:PutRecord@?".to_owned(),
        ),
        (
            "sqs",
            "AmazonSQS.SendMessage",
            r#"{"QueueUrl":"https://x/123456789012/q"}"#,
            "sqs:SendMessage@arn:aws:sqs:eu-west-1:123456789012:q".to_owned(),
        ),
    ] {
        assert_eq!(bare(&json(service, target)), "needs-body", "{target}");
        let got = posted(service, target, body);
        let accesses = got.split_once(' ').map_or(got.as_str(), |(_, rest)| rest);
        assert_eq!(accesses, expected, "{target} {body}");
    }
}

#[test]
fn an_arn_is_taken_only_in_the_form_of_its_kind() {
    for (arn, exact) in [
        ("arn:aws:acm:us-east-1:123456789012:certificate/s", true),
        ("arn:aws-cn:acm:us-east-1:123456789012:certificate/s", false),
        ("arn:aws:sqs:us-east-1:123456789012:certificate/s", false),
        ("arn:aws:acm::123456789012:certificate/s", false),
        ("arn:aws:acm:us_east:123456789012:certificate/s", false),
        ("arn:aws:acm:us-east-1:1234:certificate/s", false),
        ("arn:aws:acm:us-east-1:123456789012:table/s", false),
        ("arn:aws:acm:us-east-1:123456789012:certificate/", false),
        ("arn:aws:acm:us-east-1:123456789012:certificate/*", false),
        ("urn:aws:acm:us-east-1:123456789012:certificate/s", false),
    ] {
        let got = posted("acm", "CertificateManager.DescribeCertificate", &format!(r#"{{"CertificateArn":"{arn}"}}"#));
        let expected = if exact { arn } else { "?" };
        assert_eq!(got, format!("DescribeCertificate acm:DescribeCertificate@{expected}"), "{arn}");
    }
}

#[test]
fn a_child_whose_parent_is_not_named_is_below_the_default_one_or_a_pattern() {
    let target = "AmazonEC2ContainerServiceV20141113.DeleteService";
    let service = "arn:aws:ecs:eu-west-1:123456789012:service";
    for (body, expected) in [
        (r#"{"cluster":"c","service":"s"}"#, format!("{service}/c/s")),
        (r#"{"service":"s"}"#, format!("{service}/default/s")),
        (r#"{"cluster":"c"}"#, format!("~{service}/c/*")),
    ] {
        assert_eq!(posted("ecs", target, body), format!("DeleteService ecs:DeleteService@{expected}"), "{body}");
    }
    let snapshot = "~arn:aws:redshift:eu-west-1:123456789012:snapshot:*/s";
    let delete = form("redshift", "Action=DeleteClusterSnapshot&SnapshotIdentifier=s");
    assert_eq!(delete, format!("DeleteClusterSnapshot redshift:DeleteClusterSnapshot@{snapshot}"));
}

#[test]
fn tags_are_seen_at_any_depth_of_a_body() {
    let target = "AmazonEC2ContainerRegistry_V20150921.CreateRepository";
    for (body, tags) in [
        (r#"{"repositoryName":"r"}"#, false),
        (r#"{"repositoryName":"r","imageTagMutability":"MUTABLE"}"#, false),
        (r#"{"repositoryName":"r","tag":"v1","tagged":true}"#, false),
        (r#"{"repositoryName":"r","tags":[{"Key":"a"}]}"#, true),
        (r#"{"repositoryName":"r","more":{"Tags":[{}]}}"#, true),
        (r#"{"repositoryName":"r","more":[{"x":{"tagList":[0]}}]}"#, true),
        (r#"{"repositoryName":"r","tags":"a"}"#, true),
        (r#"{"repositoryName":"r","tags":[]}"#, false),
        (r#"{"repositoryName":"r","more":[{"x":{"tags":{}}}]}"#, false),
    ] {
        let told = posted("ecr", target, body);
        assert_eq!(told.ends_with(" ecr:TagResource@arn:aws:ecr:eu-west-1:123456789012:repository/r"), tags, "{body}");
        assert_eq!(told.contains("ecr:TagResource"), tags, "{body}");
    }
}

#[test]
fn tags_at_creation_need_the_tagging_action_of_their_service() {
    for (service, target, body, action) in [
        (
            "secretsmanager",
            "secretsmanager.CreateSecret",
            r#"{"Name":"n","Tags":[{"Key":"a"}]}"#,
            "secretsmanager:TagResource",
        ),
        ("ssm", "AmazonSSM.PutParameter", r#"{"Name":"n","Tags":[{"Key":"a"}]}"#, "ssm:AddTagsToResource"),
        ("acm", "CertificateManager.RequestCertificate", r#"{"Tags":[{"Key":"a"}]}"#, "acm:AddTagsToCertificate"),
        ("logs", "Logs_20140328.CreateLogGroup", r#"{"logGroupName":"g","tags":{"a":"b"}}"#, "logs:TagResource"),
        (
            "dynamodb",
            "DynamoDB_20120810.CreateTable",
            r#"{"TableName":"t","Tags":[{"Key":"a"}]}"#,
            "dynamodb:TagResource",
        ),
        ("sqs", "AmazonSQS.CreateQueue", r#"{"QueueName":"q","tags":{"a":"b"}}"#, "sqs:TagQueue"),
    ] {
        let without = body.replace("Tags", "Other").replace("tags", "other");
        let told = posted(service, target, body);
        let (made, tagged) = told.rsplit_once(&format!(" {action}@")).expect(target);
        // On what is made, where its own permission is on that.
        let on = made.rsplit_once('@').map(|(_, on)| on).filter(|_| service != "acm");
        assert_eq!(tagged, on.unwrap_or("?"), "{target}");
        assert!(!posted(service, target, &without).contains(action), "{target}");
        let empty = body.replace(r#"[{"Key":"a"}]"#, "[]").replace(r#"{"a":"b"}"#, "{}");
        assert!(empty != body && !posted(service, target, &empty).contains(action), "{target}: an empty list");
    }
    let role = "arn:aws:iam::123456789012:role/R";
    let made = form("iam", "Action=CreateRole&RoleName=R&Tags.member.1.Key=a&Tags.member.1.Value=b");
    assert_eq!(made, format!("CreateRole iam:CreateRole@{role} iam:TagRole@{role}"));
    let made = form("iam", "Action=CreatePolicy&PolicyName=P&Tags.member.1.Key=a");
    assert!(made.contains(" iam:TagPolicy@"), "{made}");
    assert!(!form("iam", "Action=CreatePolicy&PolicyName=P").contains("TagPolicy"));
    assert!(!form("iam", "Action=CreatePolicy&PolicyName=P&Tags=").contains("TagPolicy"), "an empty list");
    assert!(form("iam", "Action=CreatePolicy&PolicyName=P&Tags=x").contains("TagPolicy"));
    let queue = form("sqs", "Action=CreateQueue&QueueName=q&Tag.1.Key=a&Tag.1.Value=b");
    assert!(queue.ends_with(" sqs:TagQueue@arn:aws:sqs:eu-west-1:123456789012:q"), "{queue}");
    let lambda = |body: &str| outcome(asked("lambda", "POST", "/2015-03-31/functions").with_body(body));
    let made = lambda(r#"{"FunctionName":"f","Tags":{"a":"b"}}"#);
    assert!(made.ends_with(" lambda:TagResource@arn:aws:lambda:eu-west-1:123456789012:function:f"), "{made}");
    // A variable of the function is no tag.
    assert!(!lambda(r#"{"FunctionName":"f","Environment":{"Variables":{"TAG":"v1"}}}"#).contains("TagResource"));
}

#[test]
fn every_table_of_a_batch_or_a_transaction_is_a_resource() {
    let table = |name: &str| format!("arn:aws:dynamodb:eu-west-1:123456789012:table/{name}");
    assert_eq!(
        posted("dynamodb", "DynamoDB_20120810.BatchGetItem", r#"{"RequestItems":{"mine":{},"theirs":{}}}"#),
        format!("BatchGetItem dynamodb:BatchGetItem@{} dynamodb:BatchGetItem@{}", table("mine"), table("theirs"))
    );
    let steps = r#"{"TransactItems":[{"Put":{"TableName":"a"}},{"Delete":{"TableName":"b"}},{"ConditionCheck":{"TableName":"a"}},{"Update":{}}]}"#;
    assert_eq!(
        posted("dynamodb", "DynamoDB_20120810.TransactWriteItems", steps),
        format!(
            "TransactWriteItems dynamodb:PutItem@{} dynamodb:DeleteItem@{} dynamodb:ConditionCheckItem@{} dynamodb:UpdateItem@?",
            table("a"),
            table("b"),
            table("a")
        )
    );
    let every = "dynamodb:PutItem@? dynamodb:UpdateItem@? dynamodb:DeleteItem@? dynamodb:ConditionCheckItem@?";
    for empty in ["{}", r#"{"TransactItems":[]}"#] {
        assert_eq!(
            posted("dynamodb", "DynamoDB_20120810.TransactWriteItems", empty),
            format!("TransactWriteItems {every}")
        );
    }
    let odd = posted(
        "dynamodb",
        "DynamoDB_20120810.TransactWriteItems",
        r#"{"TransactItems":[{"Replace":{"TableName":"a"}}]}"#,
    );
    assert!(odd.contains("dynamodb:PutItem@?") && odd.contains("dynamodb:DeleteItem@?"), "{odd}");
    let mixed = r#"{"TransactItems":[{"Put":{"TableName":"a"}},{"Replace":{"TableName":"b"}}]}"#;
    let mixed = posted("dynamodb", "DynamoDB_20120810.TransactWriteItems", mixed);
    assert!(mixed.contains("dynamodb:DeleteItem@?"), "{mixed}");
    assert_eq!(posted("dynamodb", "DynamoDB_20120810.BatchGetItem", "{}"), "BatchGetItem dynamodb:BatchGetItem@?");
}

#[test]
fn a_global_service_is_requested_in_its_home_region() {
    let iam = asked("iam", "GET", "/?Action=ListUsers").resolved();
    assert!(matches!(iam.context.get("aws:RequestedRegion"), Known::Present([home]) if home == "us-east-1"));
    assert_eq!((iam.region.as_str(), iam.endpoint.as_str()), ("eu-west-1", "iam"));
    let sts = asked("sts", "GET", "/?Action=GetCallerIdentity").resolved();
    assert!(matches!(sts.context.get("aws:RequestedRegion"), Known::Present([region]) if region == "eu-west-1"));
}

proptest! {
    #[test]
    fn no_head_makes_resolution_panic(
        service in "(sts|ec2|sqs|dynamodb|monitoring|lambda|\\PC{0,8})",
        method in "(GET|POST|\\PC{0,4})",
        target in "/\\PC{0,30}",
        header in "\\PC{0,30}",
    ) {
        for name in ["x-amz-target", "smithy-protocol", "content-type", "content-encoding"] {
            let request = asked(&service, &method, &target).header(name, &header);
            let _outcome = request.head();
            let _outcome = request.with_body(header.as_bytes());
        }
    }

    #[test]
    fn no_json_body_makes_resolution_panic(body in "\\{(\"[A-Za-z]{1,9}\":(\"\\PC{0,9}\"|[0-9]|\\[\\]|\\{\\}),?){0,4}\\}") {
        for target in ["DynamoDB_20120810.TransactWriteItems", "DynamoDB_20120810.GetItem"] {
            let _outcome = json("dynamodb", target).with_body(&body);
        }
    }
}

#[test]
fn partiql_is_decided_by_the_verb_and_the_table_of_each_statement() {
    let arn = "arn:aws:dynamodb:eu-west-1:123456789012:table";
    let ask = |operation: &str, body: &str| {
        let target = format!("DynamoDB_20120810.{operation}");
        outcome(
            asked("dynamodb", "POST", "/")
                .header("content-type", "application/x-amz-json-1.0")
                .header("x-amz-target", &target)
                .with_body(body),
        )
    };
    let one = r#"{"Statement":"SELECT * FROM \"Orders\".\"by-date\" WHERE id=?","Parameters":[{"S":"x"}]}"#;
    assert_eq!(
        ask("ExecuteStatement", one),
        format!("ExecuteStatement dynamodb:PartiQLSelect@{arn}/Orders/index/by-date")
    );
    let many =
        r#"{"Statements":[{"Statement":"INSERT INTO A VALUE {'id':1}"},{"Statement":"DELETE FROM B WHERE id=1"}]}"#;
    let both = format!("BatchExecuteStatement dynamodb:PartiQLInsert@{arn}/A dynamodb:PartiQLDelete@{arn}/B");
    assert_eq!(ask("BatchExecuteStatement", many), both);
    let transaction = r#"{"TransactStatements":[{"Statement":"UPDATE A SET x=1 WHERE id=1"}]}"#;
    assert_eq!(ask("ExecuteTransaction", transaction), format!("ExecuteTransaction dynamodb:PartiQLUpdate@{arn}/A"));
    let hidden = r#"{"Statements":[{"Statement":"SELECT * FROM A"},{"Statement":"DROP TABLE B"}]}"#;
    assert_eq!(ask("BatchExecuteStatement", hidden), "unresolved");
    assert_eq!(ask("ExecuteStatement", r#"{"Statement":1}"#), "unresolved");
    for odd in ["FROM DELETE A WHERE x=1", "FOO INTO A VALUE {'x': INSERT}", "DELETE OUT WHERE x=FROM"] {
        assert_eq!(ask("ExecuteStatement", &format!(r#"{{"Statement":"{odd}"}}"#)), "unresolved", "{odd}");
    }
}

#[test]
fn an_operation_without_a_known_action_is_allowed_by_its_guess_only_where_the_service_is_named() {
    let last_usage = || json("kms", "TrentService.GetKeyLastUsage");
    let named = |service: &str| Asked { allow_unmapped: vec![service.to_owned()], ..last_usage() };
    let denial = last_usage().head().expect_err("refused");
    assert_eq!(denial.code.as_str(), "unmapped");
    assert!(denial.how_to_ask.expect("a way").contains("allow_unmapped = [\"kms\"]"));
    assert_eq!(bare(&named("sqs")), "unmapped");
    assert_eq!(bare(&named("*")), "unmapped");
    assert_eq!(bare(&named("kms")), "GetKeyLastUsage kms:GetKeyLastUsage@?");
    assert!(named("kms").resolved().guessed);
    let sure = Asked { allow_unmapped: vec!["kms".to_owned()], ..json("kms", "TrentService.ListKeys") };
    assert!(!sure.resolved().guessed);
    // What is refused for another reason stays refused.
    let tags = Asked {
        allow_unmapped: vec!["tag".to_owned()],
        ..json("tagging", "ResourceGroupsTaggingAPI_20170126.TagResources")
    };
    assert_eq!(bare(&tags), "unresolved");
}

#[test]
fn statements_of_partiql_are_counted() {
    use hallpass_core::limits::PARTIQL_STATEMENTS_MAX;
    let ask = |count: usize| {
        let body = vec![r#"{"Statement":"SELECT * FROM A"}"#; count].join(",");
        let request = json("dynamodb", "DynamoDB_20120810.BatchExecuteStatement");
        outcome(request.with_body(format!("{{\"Statements\":[{body}]}}")))
    };
    let once = "BatchExecuteStatement dynamodb:PartiQLSelect@arn:aws:dynamodb:eu-west-1:123456789012:table/A";
    assert_eq!(ask(PARTIQL_STATEMENTS_MAX), once);
    assert_eq!(ask(PARTIQL_STATEMENTS_MAX + 1), "too-large");
}
