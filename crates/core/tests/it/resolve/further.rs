//! What a request touches beside what the templates of ARNs know.

use super::named::{form, json, short};
use super::{asked, outcome};

/// The resources of one action, in their order.
fn on(told: &str, action: &str) -> Vec<String> {
    let prefix = format!("{action}@");
    told.split(' ').filter_map(|access| access.strip_prefix(&prefix)).map(str::to_owned).collect()
}

#[test]
fn a_secret_by_its_name_is_one_with_a_suffix_in_every_call() {
    for name in ["RotateSecret", "ReplicateSecretToRegions", "RemoveRegionsFromReplication", "ValidateResourcePolicy"] {
        let told = json("secretsmanager", &format!("secretsmanager.{name}"), r#"{"SecretId":"prod"}"#);
        assert_eq!(told, format!("{name} secretsmanager:{name}@~secretsmanager:::secret:prod-??????"));
    }
    let told = json("secretsmanager", "secretsmanager.StopReplicationToReplica", r#"{"SecretId":"prod"}"#);
    assert!(told.ends_with("@~secretsmanager:::secret:prod-??????"), "{told}");
}

#[test]
fn a_policy_of_an_organization_is_told_by_its_id_and_so_is_who_gets_it() {
    for (target, expected) in [
        ("123456789012", "~organizations::123456789012:account/o-*/123456789012"),
        ("ou-ab12-cdef", "~organizations::123456789012:ou/o-*/ou-ab12-cdef"),
        ("r-ab12", "~organizations::123456789012:root/o-*/r-ab12"),
        ("r-*", "?"),
        ("x", "?"),
    ] {
        for name in ["AttachPolicy", "DetachPolicy"] {
            let body = format!(r#"{{"PolicyId":"p-1","TargetId":"{target}"}}"#);
            let told = json("organizations", &format!("AWSOrganizationsV20161128.{name}"), &body);
            let policy = "~organizations::123456789012:policy/o-*/*/p-1".to_owned();
            assert_eq!(on(&told, &format!("organizations:{name}")), [policy, expected.to_owned()], "{told}");
        }
    }
    let told = json("organizations", "AWSOrganizationsV20161128.DescribePolicy", r#"{"PolicyId":"p-1"}"#);
    let alone = ["~organizations::123456789012:policy/o-*/*/p-1"];
    assert_eq!(on(&told, "organizations:DescribePolicy"), alone, "who has it is not looked at: {told}");
}

#[test]
fn the_arn_of_a_change_set_may_be_of_any_stack_whatever_stack_is_named_beside_it() {
    let of = |more: &str| {
        on(&form("cloudformation", &format!("Action=ExecuteChangeSet{more}")), "cloudformation:ExecuteChangeSet")
    };
    let arn = "&ChangeSetName=arn:aws:cloudformation:eu-west-1:123456789012:changeSet/x/1";
    assert_eq!(of("&ChangeSetName=x&StackName=mine"), ["~cloudformation:::stack/mine/*"]);
    assert_eq!(of(&format!("{arn}&StackName=mine")), ["~cloudformation:::stack/*"]);
    assert_eq!(of(arn), ["~cloudformation:::stack/*"]);
    let template = form("cloudformation", &format!("Action=GetTemplate&StackName=mine{arn}"));
    assert!(template.ends_with("stack/*") && !template.contains("mine"), "{template}");
}

#[test]
fn a_document_of_aws_is_nobodys_and_targets_may_be_any_instance() {
    let send = |body: &str| on(&json("ssm", "AmazonSSM.SendCommand", body), "ssm:SendCommand");
    let mine = send(r#"{"DocumentName":"mine","InstanceIds":["i-1"]}"#);
    assert_eq!(mine, ["ssm:::document/mine", "ec2:::instance/i-1"]);
    let shell = send(r#"{"DocumentName":"AWS-RunShellScript","InstanceIds":["i-1"]}"#);
    assert_eq!(shell, ["ssm:eu-west-1::document/AWS-RunShellScript", "ec2:::instance/i-1"]);
    for targets in [r#""Targets":[{"Key":"tag:a","Values":["b"]}]"#, r#""Targets":7"#] {
        let both = send(&format!(r#"{{"DocumentName":"mine","InstanceIds":["i-1"],{targets}}}"#));
        assert!(both.contains(&"~ec2:::instance/*".to_owned()), "{both:?}");
        assert!(both.contains(&"~ssm:::managed-instance/*".to_owned()), "{both:?}");
    }
    let body = r#"{"Name":"d","InstanceId":"i-1","Targets":[{"Key":"InstanceIds","Values":["i-2"]}]}"#;
    let associated = json("ssm", "AmazonSSM.CreateAssociation", body);
    assert!(associated.contains("ssm:CreateAssociation@~ec2:::instance/*"), "{associated}");
}

#[test]
fn an_instance_needs_all_that_it_is_started_with_and_no_more() {
    let run = |more: &str| on(&form("ec2", &format!("Action=RunInstances&ImageId=ami-1{more}")), "ec2:RunInstances");
    let image = "ec2:eu-west-1::image/ami-1";
    assert_eq!(
        run("&SubnetId=subnet-1&SecurityGroupId.1=sg-1&KeyName=k&Placement.GroupName=pg"),
        [
            image,
            "~ec2:::instance/*",
            "~ec2:::network-interface/*",
            "ec2:::security-group/sg-1",
            "ec2:::subnet/subnet-1",
            "~ec2:::volume/*",
            "ec2:::key-pair/k",
            "ec2:::placement-group/pg",
        ]
    );
    let plain = run("&NetworkInterface.1.DeviceIndex=0&Placement.Tenancy=default");
    let interface = run("&NetworkInterface.1.SubnetId=subnet-9&NetworkInterface.1.SecurityGroupId.1=sg-9\
        &NetworkInterface.2.NetworkInterfaceId=eni-9&NetworkInterface.1.DeviceIndex=0&Placement.Tenancy=default");
    let more: Vec<_> = interface.iter().filter(|resource| !plain.contains(resource)).collect();
    assert_eq!(more, ["ec2:::subnet/subnet-9", "ec2:::security-group/sg-9", "ec2:::network-interface/eni-9"]);
    assert!(!plain.iter().any(|resource| resource.ends_with("/0") || resource.ends_with("/default")), "{plain:?}");
    assert!(run("&KeyName=k*").contains(&"?".to_owned()));
    for (more, kind) in [
        ("&BlockDeviceMapping.1.Ebs.SnapshotId=snap-1", "~ec2:eu-west-1::snapshot/*"),
        ("&LaunchTemplate.LaunchTemplateId=lt-1", "~ec2:::launch-template/*"),
        ("&LaunchTemplate.LaunchTemplateId=lt-1", "~ec2:::capacity-reservation/*"),
        ("&CapacityReservationSpecification.CapacityReservationPreference=open", "~ec2:::capacity-reservation/*"),
        ("&LicenseSpecification.1.LicenseConfigurationArn=x", "~license-manager:::license-configuration:*"),
    ] {
        assert!(run(more).contains(&kind.to_owned()), "{more}: {:?}", run(more));
    }
}

#[test]
fn a_security_group_is_told_by_its_id_and_an_address_by_its_number_is_not() {
    let group = |more: &str| {
        let told = form("ec2", &format!("Action=AuthorizeSecurityGroupIngress{more}"));
        on(&told, "ec2:AuthorizeSecurityGroupIngress").join(" ")
    };
    assert_eq!(group("&GroupId=sg-1"), "ec2:::security-group/sg-1");
    for open in ["&GroupId=sg-1&GroupName=x", "&GroupName=x", "&GroupId=sg-*"] {
        assert_eq!(group(open), "~ec2:::security-group/*", "{open}");
    }
    let address = form("ec2", "Action=AssociateAddress&PublicIp=192.0.2.1&InstanceId=i-1");
    assert!(address.ends_with("ec2:AssociateAddress@?"), "{address}");
    assert!(!form("ec2", "Action=AssociateAddress&AllocationId=eipalloc-1&InstanceId=i-1").contains('?'));
}

#[test]
fn messages_are_moved_by_whoever_may_receive_delete_and_send_them() {
    let queue = |name: &str| format!("arn:aws:sqs:eu-west-1:123456789012:{name}");
    let body = format!(r#"{{"SourceArn":"{}","DestinationArn":"{}"}}"#, queue("dead"), queue("live"));
    let told = json("sqs", "AmazonSQS.StartMessageMoveTask", &body);
    for action in ["StartMessageMoveTask", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes"] {
        assert_eq!(on(&told, &format!("sqs:{action}")), ["sqs:::dead"], "{action}");
    }
    assert_eq!(on(&told, "sqs:SendMessage"), ["sqs:::live"]);
    let odd = json("sqs", "AmazonSQS.StartMessageMoveTask", &body.replace("live", "li*e"));
    assert_eq!(on(&odd, "sqs:SendMessage"), ["?"]);
}

#[test]
fn a_statement_of_a_database_reads_the_secret_that_it_names() {
    let secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:s-AbCdEf";
    let cluster = "arn:aws:rds:eu-west-1:123456789012:cluster:c";
    let body = format!(r#"{{"resourceArn":"{cluster}","secretArn":"{secret}","sql":"x"}}"#);
    for target in ["/Execute", "/Execute?secretArn=arn:aws:secretsmanager:eu-west-1:123456789012:secret:mine-AbCdEf"] {
        let told = short(&outcome(asked("rds-data", "POST", target).with_body(&body)));
        assert_eq!(on(&told, "rds-data:ExecuteStatement"), ["rds:::cluster:c"], "{told}");
        assert_eq!(on(&told, "secretsmanager:GetSecretValue"), ["secretsmanager:::secret:s-AbCdEf"], "{told}");
    }
    let body = format!(r#"{{"ClusterIdentifier":"c","Sql":"x","SecretArn":"{secret}"}}"#);
    let told = json("redshift-data", "RedshiftData.ExecuteStatement", &body);
    assert_eq!(on(&told, "secretsmanager:GetSecretValue"), ["secretsmanager:::secret:s-AbCdEf"], "{told}");
}

#[test]
fn log_groups_of_another_account_are_not_the_callers() {
    let events = |more: &str| {
        let body = format!(r#"{{{more}"logStreamName":"s"}}"#);
        on(&json("logs", "Logs_20140328.GetLogEvents", &body), "logs:GetLogEvents").join(" ")
    };
    assert_eq!(events(r#""logGroupName":"g","#), "logs:::log-group:g:log-stream:s");
    assert_eq!(events(r#""logGroupName":"/aws/lambda/f","#), "logs:::log-group:/aws/lambda/f:log-stream:s");
    let of_lambda = r#"{"logGroupName":"/aws/lambda/f","logStreamName":"2026/01/31/[$LATEST]0a","logEvents":[]}"#;
    let put = json("logs", "Logs_20140328.PutLogEvents", of_lambda);
    let stream = "logs:::log-group:/aws/lambda/f:log-stream:2026/01/31/[$LATEST]0a";
    assert_eq!(on(&put, "logs:PutLogEvents"), [stream], "{put}");
    for odd in ["/g:*", "/*", "g:log-stream:x", "/g ", ""] {
        let found = events(&format!(r#""logGroupName":"{odd}","#));
        assert!(found == "?" || found.starts_with('~'), "{odd}: {found}");
    }
    for own in ["g", "arn:aws:logs:eu-west-1:123456789012:log-group:g"] {
        assert_eq!(events(&format!(r#""logGroupIdentifier":"{own}","#)), "~logs:::log-group:*:log-stream:s", "{own}");
    }
    for open in [
        r#""logGroupIdentifier":"arn:aws:logs:eu-west-1:210987654321:log-group:g","#,
        r#""logGroupIdentifier":"theirs","logGroupName":"g","#,
    ] {
        assert_eq!(events(open), "?", "{open}");
    }
    let query = r#"{"logGroupNames":["a"],"logGroupIdentifiers":["b"],"queryString":"x"}"#;
    assert!(json("logs", "Logs_20140328.StartQuery", query).ends_with("@?"));
    let linked = json("logs", "Logs_20140328.DescribeLogGroups", r#"{"includeLinkedAccounts":true}"#);
    assert!(linked.ends_with("@?"), "{linked}");
}

#[test]
fn a_policy_of_aws_itself_has_an_arn_too() {
    let told = form("iam", "Action=GetPolicy&PolicyArn=arn:aws:iam::aws:policy/ReadOnlyAccess");
    assert_eq!(told, "GetPolicy iam:GetPolicy@iam::aws:policy/ReadOnlyAccess");
    let told = form("iam", "Action=GetPolicy&PolicyArn=arn:aws:iam::gcp:policy/ReadOnlyAccess");
    assert_eq!(told, "GetPolicy iam:GetPolicy@?");
}

#[test]
fn whoever_gives_a_profile_a_role_passes_it() {
    let told = form("iam", "Action=AddRoleToInstanceProfile&InstanceProfileName=p&RoleName=admin");
    assert_eq!(on(&told, "iam:PassRole"), ["~iam::123456789012:role/*admin"], "{told}");
    let odd = form("iam", "Action=AddRoleToInstanceProfile&InstanceProfileName=p&RoleName=a*");
    assert_eq!(on(&odd, "iam:PassRole"), ["?"], "{odd}");
}

#[test]
fn an_automation_is_one_version_of_a_document_and_aws_has_its_own() {
    let start = |body: &str| {
        let told = json("ssm", "AmazonSSM.StartAutomationExecution", body);
        on(&told, "ssm:StartAutomationExecution").into_iter().find(|arn| arn.contains("definition")).expect("one")
    };
    assert_eq!(start(r#"{"DocumentName":"mine"}"#), "ssm:::automation-definition/mine:$DEFAULT");
    assert_eq!(start(r#"{"DocumentName":"mine","DocumentVersion":"2"}"#), "ssm:::automation-definition/mine:2");
    let own = start(r#"{"DocumentName":"AWS-RestartEC2Instance"}"#);
    assert_eq!(own, "ssm:eu-west-1::automation-definition/AWS-RestartEC2Instance:$DEFAULT");
    for odd in [r#"{"DocumentName":"m*"}"#, r#"{"DocumentName":"mine","DocumentVersion":2}"#, "{}"] {
        assert_eq!(start(odd), "~ssm:::automation-definition/*:*", "{odd}");
    }
}
