//! Resources that a request names within structures and lists, by the names of services, and by default.

use super::{asked, bare, outcome};

const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// With the ARNs' common beginning left out.
pub(super) fn short(text: &str) -> String {
    text.replace(":eu-west-1:123456789012:", ":::").replace("arn:aws:", "")
}

pub(super) fn json(service: &str, target: &str, body: &str) -> String {
    let request = asked(service, "POST", "/").header("content-type", "application/x-amz-json-1.1");
    short(&outcome(request.header("x-amz-target", target).with_body(body)))
}

pub(super) fn form(service: &str, body: &str) -> String {
    short(&outcome(asked(service, "POST", "/").header("content-type", FORM).with_body(body)))
}

#[test]
fn every_event_names_its_bus_and_one_without_goes_to_the_default_one() {
    for (body, expected) in [
        (r#"{"Entries":[{"EventBusName":"orders"},{"Source":"x"}]}"#, "events:::event-bus/orders default"),
        (
            r#"{"Entries":[{"EventBusName":"arn:aws:events:eu-west-1:123456789012:event-bus/orders"}]}"#,
            "events:::event-bus/orders",
        ),
        (r#"{"Entries":[{"EventBusName":"or*ers"}]}"#, "?"),
        (r#"{"Entries":[{"EventBusName":7}]}"#, "?"),
        (r#"{"Entries":[]}"#, "~events:::event-bus/*"),
    ] {
        let expected = expected.split(' ').map(|one| match one {
            "default" => "events:PutEvents@events:::event-bus/default".to_owned(),
            one => format!("events:PutEvents@{one}"),
        });
        let expected: Vec<String> = expected.collect();
        assert_eq!(json("events", "AWSEvents.PutEvents", body), format!("PutEvents {}", expected.join(" ")), "{body}");
    }
    let twin = r#"{"Entries":[{"EventBusName":"a","eventbusname":"b"}]}"#;
    assert_eq!(json("events", "AWSEvents.PutEvents", twin), "malformed");
}

#[test]
fn a_rule_of_events_is_named_below_its_bus_unless_that_is_the_default_one() {
    for (more, expected) in [
        ("", "events:::rule/r"),
        (r#","EventBusName":"default""#, "events:::rule/r"),
        (r#","EventBusName":"orders""#, "events:::rule/orders/r"),
        (r#","EventBusName":"arn:aws:events:eu-west-1:123456789012:event-bus/orders""#, "events:::rule/orders/r"),
        (r#","EventBusName":"arn:aws:events:eu-west-1:210987654321:event-bus/orders""#, "?"),
        (r#","EventBusName":"o*""#, "?"),
    ] {
        let targets = format!(r#"{{"Rule":"r","Targets":[]{more}}}"#);
        assert_eq!(
            json("events", "AWSEvents.PutTargets", &targets),
            format!("PutTargets events:PutTargets@{expected}")
        );
        let rule = format!(r#"{{"Name":"r"{more}}}"#);
        assert_eq!(
            json("events", "AWSEvents.DescribeRule", &rule),
            format!("DescribeRule events:DescribeRule@{expected}")
        );
    }
}

/// Service, target, body, and the accesses.
const NESTED: &[(&str, &str, &str, &str)] = &[
    (
        "glue",
        "AWSGlue.CreateDatabase",
        r#"{"DatabaseInput":{"Name":"d"}}"#,
        "glue:CreateDatabase@glue:::database/d glue:CreateDatabase@glue:::catalog",
    ),
    (
        "glue",
        "AWSGlue.GetSchema",
        r#"{"SchemaId":{"RegistryName":"r","SchemaName":"s"}}"#,
        "glue:GetSchema@glue:::registry/r glue:GetSchema@glue:::schema/r/s",
    ),
    (
        "glue",
        "AWSGlue.GetSchema",
        r#"{"SchemaId":{"SchemaArn":"arn:aws:glue:eu-west-1:123456789012:schema/r/s"}}"#,
        "glue:GetSchema@~glue:::registry/* glue:GetSchema@glue:::schema/r/s",
    ),
    (
        "glue",
        "AWSGlue.BatchDeleteTable",
        r#"{"DatabaseName":"d","TablesToDelete":["a","b"]}"#,
        "glue:BatchDeleteTable@glue:::database/d glue:BatchDeleteTable@glue:::catalog \
             glue:BatchDeleteTable@glue:::table/d/a glue:BatchDeleteTable@glue:::table/d/b",
    ),
    ("glue", "AWSGlue.GetWorkflowRun", r#"{"Name":"w","RunId":"x"}"#, "glue:GetWorkflowRun@glue:::workflow/w"),
    (
        "codepipeline",
        "CodePipeline_20150709.StartPipelineExecution",
        r#"{"name":"p"}"#,
        "codepipeline:StartPipelineExecution@codepipeline:::p",
    ),
    (
        "states",
        "AWSStepFunctions.DescribeExecution",
        r#"{"executionArn":"arn:aws:states:eu-west-1:123456789012:execution:m:e"}"#,
        "states:DescribeExecution@states:::execution:m:e",
    ),
    (
        "ecs",
        "AmazonEC2ContainerServiceV20141113.DescribeTasks",
        r#"{"tasks":["a","arn:aws:ecs:eu-west-1:123456789012:task/c/b"]}"#,
        "ecs:DescribeTasks@ecs:::task/default/a ecs:DescribeTasks@ecs:::task/c/b",
    ),
    (
        "ecs",
        "AmazonEC2ContainerServiceV20141113.UpdateService",
        r#"{"cluster":"arn:aws:ecs:eu-west-1:123456789012:cluster/c","service":"s"}"#,
        "ecs:UpdateService@ecs:::service/c/s",
    ),
    (
        "athena",
        "AmazonAthena.StartQueryExecution",
        r#"{"QueryString":"select 1"}"#,
        "athena:StartQueryExecution@athena:::workgroup/primary",
    ),
    (
        "ssm",
        "AmazonSSM.GetMaintenanceWindow",
        r#"{"WindowId":"mw-1"}"#,
        "ssm:GetMaintenanceWindow@ssm:::maintenancewindow/mw-1",
    ),
    (
        "kms",
        "TrentService.CreateAlias",
        r#"{"AliasName":"alias/a/b","TargetKeyId":"12345678-1234-1234-1234-123456789012"}"#,
        "kms:CreateAlias@kms:::alias/a/b kms:CreateAlias@kms:::key/12345678-1234-1234-1234-123456789012",
    ),
    (
        "sqs",
        "AmazonSQS.StartMessageMoveTask",
        r#"{"SourceArn":"arn:aws:sqs:eu-west-1:123456789012:dead"}"#,
        "sqs:StartMessageMoveTask@sqs:::dead sqs:ReceiveMessage@sqs:::dead sqs:DeleteMessage@sqs:::dead \
         sqs:GetQueueAttributes@sqs:::dead sqs:SendMessage@?",
    ),
    (
        "logs",
        "Logs_20140328.StartLiveTail",
        r#"{"logGroupIdentifiers":["arn:aws:logs:eu-west-1:123456789012:log-group:/a/b"]}"#,
        "logs:StartLiveTail@~logs:::log-group:/a/b:*",
    ),
    (
        "dynamodb",
        "DynamoDB_20120810.ImportTable",
        r#"{"TableCreationParameters":{"TableName":"t"}}"#,
        "dynamodb:ImportTable@dynamodb:::table/t",
    ),
];

#[test]
fn names_inside_structures_make_the_resource_exact() {
    for (service, target, body, expected) in NESTED {
        let operation = target.rsplit('.').next().expect("a target");
        assert_eq!(json(service, target, body), format!("{operation} {expected}"), "{target}");
    }
}

#[test]
fn a_family_with_its_revision_names_both_and_a_family_alone_any_of_its_revisions() {
    let run = |definition: &str| {
        let body = format!(r#"{{"cluster":"c","taskDefinition":"{definition}"}}"#);
        json("ecs", "AmazonEC2ContainerServiceV20141113.RunTask", &body)
    };
    let expected = |resource: &str| format!("RunTask ecs:RunTask@{resource}");
    assert_eq!(run("web:7"), expected("ecs:::task-definition/web:7"));
    assert_eq!(run("web"), expected("~ecs:::task-definition/web:*"));
    assert_eq!(
        run("arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7"),
        expected("ecs:::task-definition/web:7")
    );
    for odd in ["web:7:8", "web:", ":7", "w*b:7", "arn:aws:ecs:eu-west-1:123456789012:service/c/s", ""] {
        assert_eq!(run(odd), expected("?"), "{odd}");
    }
}

#[test]
fn forms_name_resources_in_lists_of_structures_and_by_their_services_names() {
    let rule = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/a/1/2/3";
    let elb = "elasticloadbalancing:::";
    for (service, body, expected) in [
        (
            "elasticloadbalancing",
            format!("Action=SetRulePriorities&Version=2015-12-01&RulePriorities.member.1.RuleArn={rule}&RulePriorities.member.1.Priority=1"),
            format!("SetRulePriorities elasticloadbalancing:SetRulePriorities@{elb}listener-rule/app/a/1/2/3"),
        ),
        (
            "elasticloadbalancing",
            "Action=SetRulePriorities&Version=2015-12-01&RulePriorities.member.1.Priority=1".to_owned(),
            "SetRulePriorities elasticloadbalancing:SetRulePriorities@?".to_owned(),
        ),
        (
            "elasticloadbalancing",
            format!("Action=DeleteRule&Version=2015-12-01&RuleArn={rule}"),
            format!("DeleteRule elasticloadbalancing:DeleteRule@{elb}listener-rule/app/a/1/2/3"),
        ),
        (
            "elasticloadbalancing",
            "Action=DeleteRule&Version=2015-12-01&RuleArn=arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/a/1".to_owned(),
            "DeleteRule elasticloadbalancing:DeleteRule@?".to_owned(),
        ),
        (
            "autoscaling",
            "Action=SetDesiredCapacity&AutoScalingGroupName=web&DesiredCapacity=2".to_owned(),
            "SetDesiredCapacity autoscaling:SetDesiredCapacity@~autoscaling:::autoScalingGroup:*:autoScalingGroupName/web".to_owned(),
        ),
        (
            "rds",
            "Action=AddTagsToResource&ResourceName=arn:aws:rds:eu-west-1:123456789012:db:d".to_owned(),
            "AddTagsToResource rds:AddTagsToResource@rds:::db:d".to_owned(),
        ),
        (
            "rds",
            "Action=CopyDBSnapshot&SourceDBSnapshotIdentifier=a&TargetDBSnapshotIdentifier=b".to_owned(),
            "CopyDBSnapshot rds:CopyDBSnapshot@rds:::snapshot:a rds:CopyDBSnapshot@rds:::snapshot:b".to_owned(),
        ),
        (
            "cloudformation",
            "Action=DeleteStack&StackName=arn:aws:cloudformation:eu-west-1:123456789012:stack/s/1-2".to_owned(),
            "DeleteStack cloudformation:DeleteStack@cloudformation:::stack/s/1-2".to_owned(),
        ),
        (
            "cloudformation",
            "Action=DeleteStack&StackName=s".to_owned(),
            "DeleteStack cloudformation:DeleteStack@~cloudformation:::stack/s/*".to_owned(),
        ),
        (
            "redshift",
            "Action=RestoreFromClusterSnapshot&ClusterIdentifier=new&SnapshotIdentifier=s".to_owned(),
            "RestoreFromClusterSnapshot redshift:RestoreFromClusterSnapshot@redshift:::cluster:new \
             redshift:RestoreFromClusterSnapshot@~redshift:::snapshot:*/s"
                .to_owned(),
        ),
        (
            "redshift",
            "Action=GetClusterCredentials&ClusterIdentifier=c&DbUser=u&DbName=n".to_owned(),
            "GetClusterCredentials redshift:GetClusterCredentials@redshift:::dbuser:c/u \
             redshift:GetClusterCredentials@redshift:::dbname:c/n"
                .to_owned(),
        ),
    ] {
        assert_eq!(form(service, &body), expected, "{body}");
    }
}

#[test]
fn entities_of_iam_are_named_whatever_their_path_and_new_ones_with_it() {
    let iam = "iam::123456789012:";
    for (body, expected) in [
        ("Action=AddUserToGroup&GroupName=g&UserName=u", format!("AddUserToGroup iam:AddUserToGroup@~{iam}group/*g")),
        ("Action=GetUser", "GetUser iam:GetUser@?".to_owned()),
        ("Action=GetGroup&GroupName=g*", "GetGroup iam:GetGroup@?".to_owned()),
        ("Action=CreateGroup&GroupName=g", format!("CreateGroup iam:CreateGroup@{iam}group/g")),
        ("Action=CreatePolicy&PolicyName=p&Path=/a/", format!("CreatePolicy iam:CreatePolicy@{iam}policy/a/p")),
        (
            "Action=UpdateUser&UserName=bob&NewUserName=admin",
            format!("UpdateUser iam:UpdateUser@~{iam}user/*bob iam:UpdateUser@~{iam}user/*admin"),
        ),
    ] {
        let request = asked("iam", "POST", "/").header("content-type", FORM).with_body(body);
        assert_eq!(outcome(request).replace("arn:aws:", ""), expected, "{body}");
    }
}

#[test]
fn a_model_is_its_foundation_model_or_a_profile_and_what_stands_behind_it() {
    let invoke = |model: &str| {
        let path = format!("/model/{model}/invoke");
        let request = asked("bedrock", "POST", &path).header("content-type", "application/json");
        short(&bare(&request)).replace("bedrock:InvokeModel@", "").replace("InvokeModel ", "")
    };
    let haiku = "anthropic.claude-3-haiku-20240307-v1:0";
    assert_eq!(invoke(haiku), format!("bedrock:eu-west-1::foundation-model/{haiku}"));
    assert_eq!(
        invoke(&format!("eu.{haiku}")),
        format!("bedrock:::inference-profile/eu.{haiku} ~bedrock:*::foundation-model/{haiku}")
    );
    let arn = |rest: &str| format!("arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3A{rest}");
    assert_eq!(
        invoke(&arn(&format!("inference-profile%2Feu.{haiku}"))),
        format!("bedrock:::inference-profile/eu.{haiku} ~bedrock:*::foundation-model/{haiku}")
    );
    assert_eq!(
        invoke(&arn("application-inference-profile%2Fabc")),
        "bedrock:::application-inference-profile/abc ~bedrock:*::foundation-model/*"
    );
    assert_eq!(invoke(&arn("provisioned-model%2Fabc")), "bedrock:::provisioned-model/abc");
    let of = |account: &str, rest: &str| format!("arn%3Aaws%3Abedrock%3Aeu-west-1%3A{account}%3A{rest}");
    for odd in [
        "nobody.knows-v1",
        "eu",
        "anthropic.*",
        &arn("guardrail%2Fx"),
        "arn%3Aaws%3As3%3A%3A%3Ax",
        &of("", "inference-profile%2Feu.x"),
        &of("12345", &format!("foundation-model%2F{haiku}")),
    ] {
        assert_eq!(invoke(odd), "?", "{odd}");
    }
}

#[test]
fn what_is_tagged_at_route_53_is_of_the_kind_that_the_path_says() {
    let tags = |path: &str| short(&bare(&asked("route53", "GET", &format!("/2013-04-01/tags/{path}"))));
    let expected = |resource: &str| format!("ListTagsForResource route53:ListTagsForResource@{resource}");
    assert_eq!(tags("hostedzone/Z1"), expected("route53:::hostedzone/Z1"));
    assert_eq!(tags("healthcheck/h"), expected("route53:::healthcheck/h"));
    assert_eq!(tags("trafficpolicy/h"), expected("?"));
    assert_eq!(tags("hostedzone/Z*"), expected("?"));
}

#[test]
fn an_instance_is_of_the_kind_that_its_id_says() {
    for (id, expected) in [("i-0abc", "ec2:::instance/i-0abc"), ("mi-0abc", "ssm:::managed-instance/mi-0abc")] {
        let body = format!(r#"{{"Target":"{id}"}}"#);
        let outcome = json("ssm", "AmazonSSM.StartSession", &body);
        assert!(outcome.contains(expected) && !outcome.contains('?'), "{outcome}");
        assert_eq!(outcome.matches("instance/").count(), 1, "{outcome}");
    }
    for (id, expected) in [("fs-1", "file-system/fs-1"), ("fsap-1", "access-point/fsap-1")] {
        let tags = short(&bare(&asked("elasticfilesystem", "GET", &format!("/2015-02-01/resource-tags/{id}"))));
        let expected = format!("elasticfilesystem:ListTagsForResource@elasticfilesystem:::{expected}");
        assert_eq!(tags, format!("ListTagsForResource {expected}"));
    }
}

#[test]
fn parameters_and_secrets_of_a_batch_are_named_one_by_one() {
    let path = |path: &str| json("ssm", "AmazonSSM.GetParametersByPath", &format!(r#"{{"Path":"{path}"}}"#));
    let expected = |resources: &str| format!("GetParametersByPath {resources}");
    assert_eq!(path("/app"), expected("ssm:GetParametersByPath@ssm:::parameter/app"));
    assert_eq!(
        path("/app/"),
        expected("ssm:GetParametersByPath@ssm:::parameter/app ssm:GetParametersByPath@ssm:::parameter/app/")
    );
    assert_eq!(path("/"), expected("ssm:GetParametersByPath@~ssm:::parameter/*"));
    assert_eq!(path("/a*"), expected("ssm:GetParametersByPath@?"));
    let batch = json("secretsmanager", "secretsmanager.BatchGetSecretValue", r#"{"SecretIdList":["a","b"]}"#);
    assert!(
        batch.contains("secretsmanager:GetSecretValue@~secretsmanager:::secret:a-??????")
            && batch.contains("secretsmanager:GetSecretValue@~secretsmanager:::secret:b-??????")
            && !batch.contains("secret:*"),
        "{batch}"
    );
}

#[test]
fn a_name_that_is_no_id_and_an_arn_of_something_else_name_no_resource() {
    let run = form("ec2", "Action=RunInstances&MinCount=1&MaxCount=1&SecurityGroup.1=web");
    assert!(run.contains("~ec2:::security-group/*") && !run.contains("security-group/web"), "{run}");
    let share = "arn:aws:ram:eu-west-1:123456789012:resource-share/s";
    let body = format!(r#"{{"resourceShareArn":"{share}","resourceArns":["arn:aws:ec2:eu-west-1:1:subnet/s"]}}"#);
    let associate = short(&outcome(asked("ram", "POST", "/associateresourceshare").with_body(body)));
    assert_eq!(associate, "AssociateResourceShare ram:AssociateResourceShare@ram:::resource-share/s");
    let channel = r#"{"arn":"arn:aws:ivs:eu-west-1:123456789012:channel/c"}"#;
    let delete = outcome(asked("ivs", "POST", "/DeleteChannel").with_body(channel));
    assert!(delete.contains('?'), "its stream keys go too: {delete}");
}

#[test]
fn another_accounts_catalogue_of_glue_is_not_the_callers() {
    let get =
        |catalog: &str| json("glue", "AWSGlue.GetDatabase", &format!(r#"{{"CatalogId":"{catalog}","Name":"d"}}"#));
    assert_eq!(get("210987654321"), "GetDatabase glue:GetDatabase@?");
    assert_eq!(get("123456789012"), "GetDatabase glue:GetDatabase@glue:::database/d glue:GetDatabase@glue:::catalog");
}

#[test]
fn a_layers_version_is_named_by_its_number_and_the_scope_of_waf_in_lower_case() {
    let layer = asked("lambda", "GET", "/2018-10-31/layers/l/versions/7");
    assert_eq!(short(&bare(&layer)), "GetLayerVersion lambda:GetLayerVersion@lambda:::layer:l:7");
    let concurrency = asked("lambda", "GET", "/2019-09-30/functions/f/provisioned-concurrency?Qualifier=live");
    assert_eq!(
        short(&bare(&concurrency)),
        "GetProvisionedConcurrencyConfig lambda:GetProvisionedConcurrencyConfig@lambda:::function:f:live"
    );
    let acl = json("wafv2", "AWSWAF_20190729.GetWebACL", r#"{"Scope":"REGIONAL","Name":"n","Id":"i"}"#);
    assert_eq!(acl, "GetWebACL wafv2:GetWebACL@wafv2:::regional/webacl/n/i");
}
