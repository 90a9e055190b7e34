//! Refusals that no other test missed when they were taken out, one by one.

use hallpass_catalog::CATALOG;
use hallpass_core::denial::DenialCode;
use hallpass_core::policy::access::Known;
use hallpass_core::resolve::endpoint::{endpoint, regional_sts};
use hallpass_core::resolve::host::AwsHost;

use super::{Asked, asked, bare, outcome};

const FORM: &str = "application/x-www-form-urlencoded";

fn json(service: &str, target: &str, body: &str) -> String {
    let request = asked(service, "POST", "/").header("content-type", "application/x-amz-json-1.1");
    outcome(request.header("x-amz-target", target).with_body(body))
}

fn form(service: &str, body: &str) -> String {
    outcome(asked(service, "POST", "/").header("content-type", FORM).with_body(body))
}

#[test]
fn a_signature_for_several_regions_is_taken_for_multi_region_access_points_only() {
    for service in ["sts", "s3", "dynamodb", "events"] {
        for region in ["us-east-1,us-west-2", "*", "us-*"] {
            let request = Asked { region, ..asked(service, "POST", "/") };
            assert_eq!(bare(&request.header("content-type", FORM)), "malformed", "{service} {region}");
        }
    }
}

#[test]
fn only_the_zones_and_regions_that_aws_could_have_make_hosts() {
    for zone in ["evil", "control2", "use1-az", "use1-azx", "use1-4", "a-b-c-d-az1"] {
        let host = format!("data--{zone}--x-s3.s3express-{zone}.us-east-1.amazonaws.com");
        assert!(AwsHost::named(CATALOG, None, &host).is_err(), "{host}");
        assert!(endpoint(CATALOG, None, &format!("s3express-{zone}"), "us-east-1").is_err(), "{zone}");
    }
    for bad in ["auto", "us-east-1a", "x", "us-east-123", "aws-global"] {
        assert_eq!(regional_sts(bad).expect_err(bad).code, DenialCode::Malformed, "{bad}");
    }
}

#[test]
fn a_host_without_a_bucket_names_none() {
    for host in ["iam.amazonaws.com", "s3.us-east-1.amazonaws.com", "s3.us-east-1.api.aws"] {
        let Ok(known) = AwsHost::named(CATALOG, None, host) else { continue };
        assert_eq!(known.bucket, None, "{host}");
    }
}

#[test]
fn a_cbor_body_that_is_called_otherwise_is_not_read() {
    let path = "/service/GraniteServiceVersion20100801/operation/DeleteAlarms";
    let request = |kind| {
        let request = asked("monitoring", "POST", path).header("smithy-protocol", "rpc-v2-cbor");
        outcome(request.header("content-type", kind).with_body(b"\xa1\x6aAlarmNames\x81\x61a"))
    };
    assert!(request("application/cbor").contains("alarm:a"), "{}", request("application/cbor"));
    for kind in ["application/json", FORM, "text/plain", "application/cborx"] {
        assert_eq!(request(kind), "malformed", "{kind}");
    }
}

/// SES has an API of forms and one of paths behind one signing name.
#[test]
fn a_form_is_an_operation_of_an_api_that_takes_forms() {
    assert_eq!(form("ses", "Action=GetEmailIdentity&EmailIdentity=a"), "unmapped");
    assert!(form("ses", "Action=GetSendQuota").starts_with("GetSendQuota "));
}

#[test]
fn a_member_that_is_no_text_is_not_one_that_is_absent() {
    const TARGET: &str = "AmazonEC2ContainerServiceV20141113.DescribeServices";
    let named = json("ecs", TARGET, r#"{"services":["s"]}"#);
    assert!(named.contains(":service/default/s"), "{named}");
    for cluster in ["7", "{}", "[\"theirs\"]", "null", "\"\""] {
        let told = json("ecs", TARGET, &format!(r#"{{"cluster":{cluster},"services":["s"]}}"#));
        assert!(!told.contains("default"), "{cluster}: {told}");
    }
}

#[test]
fn a_subscription_is_no_topic() {
    let topic = "arn:aws:sns:eu-west-1:123456789012:t";
    assert_eq!(form("sns", &format!("Action=Publish&TopicArn={topic}")), format!("Publish sns:Publish@{topic}"));
    assert_eq!(form("sns", &format!("Action=Publish&TopicArn={topic}:c7fe3a54")), "Publish sns:Publish@?");
}

#[test]
fn keys_of_several_partitions_are_unknown_and_so_are_those_of_no_item() {
    let told = |operation: &str, body: &str, key: &str| {
        let target = format!("DynamoDB_20120810.{operation}");
        let request = asked("dynamodb", "POST", "/").header("content-type", "application/x-amz-json-1.0");
        let resolved = request.header("x-amz-target", &target).with_body(body).expect(body);
        match resolved.context.get(key) {
            Known::Present(values) => values.join(","),
            Known::Absent => "absent".to_owned(),
            Known::Unknown => "unknown".to_owned(),
        }
    };
    let two = r#"{"RequestItems":{"t":{"Keys":[{"u":{"S":"mine"}},{"u":{"S":"theirs"}}]}}}"#;
    assert_eq!(told("BatchGetItem", two, "dynamodb:LeadingKeys"), "unknown");
    let deleted = r#"{"DeleteRequest":{"Key":{"u":{"S":"mine"}}}},{"DeleteRequest":{"Key":{"u":{"S":"theirs"}}}}"#;
    let two = format!(r#"{{"RequestItems":{{"t":[{deleted}]}}}}"#);
    assert_eq!(told("BatchWriteItem", &two, "dynamodb:LeadingKeys"), "unknown");
    for none in [r#"{"RequestItems":{}}"#, "{}"] {
        for key in ["dynamodb:LeadingKeys", "dynamodb:Attributes"] {
            assert_eq!(told("BatchGetItem", none, key), "unknown", "{none}");
        }
    }
}

/// Servers differ about which of two values they read; what decides nothing may be a list.
#[test]
fn what_decides_is_said_once_in_the_query_of_a_path() {
    let told = |service, method, target: &str| {
        outcome(asked(service, method, target).header("content-type", "application/json").with_body(""))
    };
    let invoke = |query: &str| told("lambda", "POST", &format!("/2015-03-31/functions/f/invocations?{query}"));
    assert!(invoke("Qualifier=dev").ends_with(":function:f:dev"), "{}", invoke("Qualifier=dev"));
    for twice in ["Qualifier=dev&Qualifier=prod", "Qualifier=dev&qualifier=prod", "Qualifier=dev&Qualifie%72=prod"] {
        assert_eq!(invoke(twice), "malformed", "{twice}");
    }
    let tags = |query: &str| told("glacier", "POST", &format!("/-/vaults/v/tags?{query}"));
    assert!(tags("operation=add").starts_with("AddTagsToVault "), "{}", tags("operation=add"));
    assert!(tags("operation=remove").starts_with("RemoveTagsFromVault "));
    for twice in ["operation=add&operation=remove", "operation=remove&operation=add", "operation=add&operation=add"] {
        assert_eq!(tags(twice), "malformed", "{twice}");
    }
    // A member of the table that names a resource in the query.
    let named = |query: &str| told("apigateway", "DELETE", &format!("/restapis/a?{query}"));
    assert!(named("x=1&x=2").starts_with("DeleteRestApi "), "what nobody reads may come twice");
}

/// Every list and every name of a form, written in another way that some servers read too.
#[test]
fn a_form_says_nothing_in_two_ways() {
    let own = "Action=TerminateInstances&Version=2016-11-15&InstanceId.1=mine";
    assert!(form("ec2", own).ends_with("instance/mine"), "{}", form("ec2", own));
    for more in [
        "InstanceId.01=theirs",
        "instanceId.2=theirs",
        "InstanceID.2=theirs",
        "InstanceId.2.x=theirs",
        "InstanceId[]=theirs",
        "InstanceId[2]=theirs",
        "InstanceId=theirs",
    ] {
        let told = form("ec2", &format!("{own}&{more}"));
        assert!(told == "malformed" || told.contains("theirs") || told.contains('?'), "{more}: {told}");
    }
    assert!(form("ec2", &format!("{own}&InstanceId=")).ends_with("instance/mine"), "an empty list beside it");
    let rules = "Action=SetRulePriorities&RulePriorities.member.1.Priority=1&RulePriorities.member.1.RuleArn=a";
    for more in ["RulePriorities.member.2.ruleArn=b", "RulePriorities.Member.2.RuleArn=b", "rulepriorities.x=b"] {
        assert_eq!(form("elasticloadbalancing", &format!("{rules}&{more}")), "malformed", "{more}");
    }
    // Names of different structures may differ in case: those of SNS do.
    let topic = "Action=CreateTopic&Name=t&Attributes.entry.1.key=a&Attributes.entry.1.value=b&Tags.member.1.Key=c";
    assert!(form("sns", topic).starts_with("CreateTopic "), "{}", form("sns", topic));
}

#[test]
fn a_name_in_the_query_is_given_once() {
    let finding = |query: &str| bare(&asked("access-analyzer", "GET", &format!("/finding/a?{query}")));
    let own = "analyzerArn=arn:aws:access-analyzer:eu-west-1:123456789012:analyzer/mine";
    assert!(finding(own).ends_with(":analyzer/mine"), "{}", finding(own));
    assert_eq!(finding(&format!("{own}&{}", own.replace("mine", "theirs"))), "malformed");
}

/// A catalogue within the caller's, or another's, has databases and tables of the same names.
#[test]
fn a_table_of_another_catalogue_is_not_the_one_of_the_same_name() {
    let table = |more: &str| json("glue", "AWSGlue.GetTable", &format!(r#"{{"DatabaseName":"d","Name":"t"{more}}}"#));
    let plain = table("");
    assert!(plain.contains(":table/d/t") && !plain.contains('?'), "{plain}");
    assert_eq!(table(r#","CatalogId":"123456789012""#), plain);
    for other in ["210987654321", "s3tablescatalog/b", "123456789012:s3tablescatalog/b", "", "x"] {
        assert_eq!(table(&format!(r#","CatalogId":"{other}""#)), "GetTable glue:GetTable@?", "{other}");
    }
}

#[test]
fn a_bus_that_is_made_is_no_rule_and_a_listing_of_uploads_has_no_prefix_key() {
    let made = json("events", "AWSEvents.CreateEventBus", r#"{"Name":"b"}"#);
    assert!(made.contains(":event-bus/b") && !made.contains("rule/"), "{made}");
    let listed = |target| {
        let resolved = asked("s3", "GET", target).resolved();
        matches!(resolved.context.get("s3:prefix"), Known::Present(values) if *values == ["a"])
    };
    assert!(listed("/buck?list-type=2&prefix=a"));
    assert!(!listed("/buck?uploads&prefix=a"), "AWS has it for listings of objects");
}

#[test]
fn a_declaration_of_xml_is_quoted() {
    let delete = |declaration: &str| {
        let body = format!("{declaration}<Delete><Object><Key>a</Key></Object></Delete>");
        outcome(asked("s3", "POST", "/buck?delete").with_body(body))
    };
    assert!(delete(r#"<?xml version="1.0"?>"#).contains(":::buck/a"));
    for odd in ["<?xml version=1.01?>", "<?xml version=x1.0x?>", "<?xml version?>"] {
        assert_eq!(delete(odd), "malformed", "{odd}");
    }
}
