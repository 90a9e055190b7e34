//! Condition keys of single services: what the request says of them, and what it leaves open.

use hallpass_core::limits::DYNAMODB_NUMBER_CHARS_MAX;
use hallpass_core::policy::access::Known;
use hallpass_core::resolve::Resolved;

use super::asked;

const FORM: &str = "application/x-www-form-urlencoded";

fn told(resolved: &Resolved, key: &str) -> String {
    match resolved.context.get(key) {
        Known::Present(values) => values.join(","),
        Known::Absent => "absent".to_owned(),
        Known::Unknown => "unknown".to_owned(),
    }
}

fn json(service: &str, target: &str, body: &str) -> Resolved {
    let request = asked(service, "POST", "/").header("content-type", "application/x-amz-json-1.0");
    request.header("x-amz-target", target).with_body(body).expect(body)
}

fn form(service: &str, body: &str) -> Resolved {
    asked(service, "POST", "/").header("content-type", FORM).with_body(body).expect(body)
}

fn dynamodb(operation: &str, body: &str) -> Resolved {
    json("dynamodb", &format!("DynamoDB_20120810.{operation}"), body)
}

#[test]
fn leading_keys_are_known_where_one_attribute_can_only_be_the_partitions() {
    for (operation, body, expected) in [
        ("GetItem", r#"{"TableName":"t","Key":{"user":{"S":"ann"}}}"#, "ann"),
        ("GetItem", r#"{"TableName":"t","Key":{"user":{"N":"7"}}}"#, "7"),
        ("GetItem", r#"{"TableName":"t","Key":{"user":{"S":"ann"},"at":{"N":"1"}}}"#, "unknown"),
        ("GetItem", r#"{"TableName":"t","Key":{"user":{"B":"YQ=="}}}"#, "unknown"),
        ("GetItem", r#"{"TableName":"t","Key":{"user":{"N":"-0.25"}}}"#, "-0.25"),
        ("GetItem", r#"{"TableName":"t","Key":{"user":{"S":"7.0"}}}"#, "7.0"),
        ("DeleteItem", r#"{"TableName":"t","Key":{"user":{"S":"ann"}}}"#, "ann"),
        ("UpdateItem", r#"{"TableName":"t","Key":{"user":{"S":"ann"}}}"#, "ann"),
        ("PutItem", r#"{"TableName":"t","Item":{"user":{"S":"ann"}}}"#, "unknown"),
        ("Scan", r#"{"TableName":"t"}"#, "unknown"),
        ("BatchGetItem", r#"{"RequestItems":{"t":{"Keys":[{"u":{"S":"a"}}]},"v":{"Keys":[{"w":{"S":"b"}}]}}}"#, "a,b"),
        (
            "BatchGetItem",
            r#"{"RequestItems":{"t":{"Keys":[{"u":{"S":"a"}},{"u":{"S":"a"},"x":{"S":"b"}}]}}}"#,
            "unknown",
        ),
        ("BatchWriteItem", r#"{"RequestItems":{"t":[{"DeleteRequest":{"Key":{"u":{"S":"a"}}}}]}}"#, "a"),
        ("BatchWriteItem", r#"{"RequestItems":{"t":[{"PutRequest":{"Item":{"u":{"S":"a"}}}}]}}"#, "unknown"),
    ] {
        assert_eq!(told(&dynamodb(operation, body), "dynamodb:LeadingKeys"), expected, "{operation} {body}");
    }
    let values = r#""ExpressionAttributeValues":{":u":{"S":"ann"},":x":{"S":"b"}}"#;
    for (expression, expected) in [
        ("user = :u", "ann"),
        ("#u = :u AND begins_with(at, :x)", "ann"),
        ("(at BETWEEN :x AND :x) and user=:u", "ann"),
        ("user = :u AND at = :x", "unknown"),
        ("user = :u OR at > :x", "unknown"),
        ("user = :nobody", "unknown"),
        ("user ; :u", "unknown"),
    ] {
        let body = format!(r#"{{"TableName":"t","KeyConditionExpression":"{expression}",{values}}}"#);
        assert_eq!(told(&dynamodb("Query", &body), "dynamodb:LeadingKeys"), expected, "{expression}");
    }
    let older = |more: &str| {
        let user = r#""user":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"ann"}]}"#;
        dynamodb("Query", &format!(r#"{{"TableName":"t","KeyConditions":{{{user}{more}}}}}"#))
    };
    assert_eq!(told(&older(""), "dynamodb:LeadingKeys"), "ann");
    let at = r#","at":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"x"}]}"#;
    assert_eq!(told(&older(at), "dynamodb:LeadingKeys"), "unknown");
}

#[test]
fn another_spelling_of_a_number_does_not_pass_for_another_key() {
    for number in ["7.0", "07", "+7", "7e0", "70e-1", "7.", " 7", "-0", "00", "0.10", ".5", "", "7,0", "0x7"] {
        let body = format!(r#"{{"TableName":"t","Key":{{"user":{{"N":"{number}"}}}}}}"#);
        assert_eq!(told(&dynamodb("GetItem", &body), "dynamodb:LeadingKeys"), "unknown", "{number}");
    }
    let long = |digits: usize| {
        let body = format!(r#"{{"TableName":"t","Key":{{"user":{{"N":"{}"}}}}}}"#, "7".repeat(digits));
        told(&dynamodb("GetItem", &body), "dynamodb:LeadingKeys")
    };
    let most = DYNAMODB_NUMBER_CHARS_MAX;
    assert_eq!((long(most), long(most + 1).as_str()), ("7".repeat(most), "unknown"));
}

#[test]
fn attributes_are_known_where_the_request_names_all_of_them() {
    let key = r#""TableName":"t","Key":{"id":{"S":"x"}}"#;
    for (operation, body, attributes, select) in [
        ("GetItem", format!(r#"{{{key},"ProjectionExpression":"a, b.c[1]"}}"#), "a,b,id", "SPECIFIC_ATTRIBUTES"),
        (
            "GetItem",
            format!(r##"{{{key},"ProjectionExpression":"#s","ExpressionAttributeNames":{{"#s":"secret"}}}}"##),
            "id,secret",
            "SPECIFIC_ATTRIBUTES",
        ),
        ("GetItem", format!(r##"{{{key},"ProjectionExpression":"#s"}}"##), "unknown", "SPECIFIC_ATTRIBUTES"),
        ("GetItem", format!("{{{key}}}"), "unknown", "ALL_ATTRIBUTES"),
        ("GetItem", format!(r#"{{{key},"AttributesToGet":["a"]}}"#), "a,id", "SPECIFIC_ATTRIBUTES"),
        ("Scan", r#"{"TableName":"t","Select":"COUNT"}"#.to_owned(), "unknown", "COUNT"),
        ("Scan", r#"{"TableName":"t","IndexName":"i"}"#.to_owned(), "unknown", "ALL_PROJECTED_ATTRIBUTES"),
        ("PutItem", r#"{"TableName":"t","Item":{"id":{"S":"x"},"a":{"N":"1"}}}"#.to_owned(), "a,id", "unknown"),
        (
            "BatchWriteItem",
            r#"{"RequestItems":{"t":[{"PutRequest":{"Item":{"id":{"S":"x"},"a":{"N":"1"}}}},
                {"DeleteRequest":{"Key":{"id":{"S":"y"},"r":{"N":"1"}}}}]}}"#
                .to_owned(),
            "a,id,r",
            "unknown",
        ),
        ("BatchWriteItem", r#"{"RequestItems":{"t":[{"Other":{}}]}}"#.to_owned(), "unknown", "unknown"),
        (
            "UpdateItem",
            format!(
                r#"{{{key},"UpdateExpression":"SET a=if_not_exists(b,:x)-:x REMOVE c","ConditionExpression":"attribute_exists(d)"}}"#
            ),
            "a,b,c,d,id",
            "unknown",
        ),
    ] {
        let resolved = dynamodb(operation, &body);
        assert_eq!(told(&resolved, "dynamodb:Attributes"), attributes, "{body}");
        assert_eq!(told(&resolved, "dynamodb:Select"), select, "{body}");
    }
    let twin = asked("dynamodb", "POST", "/")
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-target", "DynamoDB_20120810.GetItem")
        .with_body(format!(r#"{{{key},"key":{{"id":{{"S":"y"}}}}}}"#));
    assert!(twin.is_err());
    let put = dynamodb("PutItem", r#"{"TableName":"t","Item":{},"ReturnValues":"ALL_OLD"}"#);
    assert_eq!(told(&put, "dynamodb:ReturnValues"), "ALL_OLD");
}

#[test]
fn tags_of_a_new_machine_are_known_where_instance_and_volume_get_the_same() {
    let run = |more: &str| form("ec2", &format!("Action=RunInstances&MinCount=1&MaxCount=1{more}"));
    let spec = |n: u32, kind: &str, team: &str| {
        format!(
            "&TagSpecification.{n}.ResourceType={kind}&TagSpecification.{n}.Tag.1.Key=team&TagSpecification.{n}.Tag.1.Value={team}"
        )
    };
    let both = run(&format!("{}{}", spec(1, "instance", "blue"), spec(2, "volume", "blue")));
    assert_eq!(told(&both, "aws:RequestTag/team"), "blue");
    assert_eq!(told(&both, "aws:TagKeys"), "team");
    assert_eq!(told(&both, "ec2:CreateAction"), "RunInstances");
    assert_eq!(told(&run(""), "aws:TagKeys"), "absent");
    assert_eq!(told(&run(""), "ec2:CreateAction"), "unknown");
    for odd in [
        spec(1, "instance", "blue"),
        format!("{}{}", spec(1, "instance", "blue"), spec(2, "volume", "red")),
        format!("{}{}&LaunchTemplate.LaunchTemplateId=lt-1", spec(1, "instance", "blue"), spec(2, "volume", "blue")),
        format!("{}{}&TagSpecification.2.Tag.2.Key=x", spec(1, "instance", "blue"), spec(2, "volume", "blue")),
        "&TagSpecification.1.Tag.1.Key=team&TagSpecification.1.Tag.1.Value=blue".to_owned(),
        "&TagSpecifications.1.ResourceType=instance".to_owned(),
    ] {
        assert_eq!(told(&run(&odd), "aws:RequestTag/team"), "unknown", "{odd}");
    }
    let volume = form("ec2", &format!("Action=CreateVolume&VolumeType=gp3&Size=8{}", spec(1, "volume", "blue")));
    assert_eq!(told(&volume, "aws:RequestTag/team"), "blue");
    let alone = form("ec2", "Action=CreateTags&ResourceId.1=i-1&Tag.1.Key=team&Tag.1.Value=blue");
    assert_eq!(
        (told(&alone, "aws:RequestTag/team"), told(&alone, "ec2:CreateAction")),
        ("blue".into(), "absent".into())
    );
}

#[test]
fn keys_of_forms_repeat_their_parameters() {
    for (service, body, key, expected) in [
        (
            "ec2",
            "Action=RunInstances&MetadataOptions.HttpTokens=required&MaxCount=1&MinCount=1",
            "ec2:MetadataHttpTokens",
            "required",
        ),
        ("ec2", "Action=RunInstances&MaxCount=1&MinCount=1", "ec2:MetadataHttpTokens", "unknown"),
        ("ec2", "Action=CreateVolume&VolumeType=gp3&Size=8&Encrypted=true", "ec2:Encrypted", "true"),
        ("ec2", "Action=CreateVolume&VolumeType=gp3&Size=8", "ec2:VolumeSize", "8"),
        ("ec2", "Action=DescribeInstances", "ec2:Region", "eu-west-1"),
        (
            "iam",
            "Action=AttachRolePolicy&RoleName=r&PolicyArn=arn:aws:iam::aws:policy/P",
            "iam:PolicyARN",
            "arn:aws:iam::aws:policy/P",
        ),
        (
            "iam",
            "Action=CreateRole&RoleName=r&PermissionsBoundary=arn:aws:iam::1:policy/B",
            "iam:PermissionsBoundary",
            "arn:aws:iam::1:policy/B",
        ),
        ("iam", "Action=CreateRole&RoleName=r", "iam:PermissionsBoundary", "absent"),
        ("iam", "Action=AttachRolePolicy&RoleName=r&PolicyArn=a", "iam:PermissionsBoundary", "unknown"),
        ("sns", "Action=Subscribe&TopicArn=t&Protocol=https&Endpoint=https://x", "sns:Protocol", "https"),
        ("monitoring", "Action=PutMetricData&Namespace=Custom/App", "cloudwatch:namespace", "Custom/App"),
        (
            "cloudformation",
            "Action=CreateStack&StackName=s&TemplateURL=https://x",
            "cloudformation:TemplateUrl",
            "https://x",
        ),
        (
            "ec2",
            "Action=RunInstances&MaxCount=1&MinCount=1&IamInstanceProfile.Name=p",
            "iam:PassedToService",
            "ec2.amazonaws.com",
        ),
        (
            "rds",
            "Action=CreateDBInstance&DBInstanceIdentifier=d&Engine=postgres&DBInstanceClass=db.t3.micro",
            "rds:DatabaseEngine",
            "postgres",
        ),
    ] {
        assert_eq!(told(&form(service, body), key), expected, "{body}");
    }
}

#[test]
fn keys_of_json_repeat_their_members() {
    let key = |body: &str, key: &str| told(&json("kms", "TrentService.Encrypt", body), key);
    assert_eq!(key(r#"{"KeyId":"alias/app"}"#, "kms:RequestAlias"), "alias/app");
    assert_eq!(key(r#"{"KeyId":"arn:aws:kms:eu-west-1:123456789012:alias/app"}"#, "kms:RequestAlias"), "alias/app");
    assert_eq!(key(r#"{"KeyId":"12345678-1234-1234-1234-123456789012"}"#, "kms:RequestAlias"), "absent");
    assert_eq!(key("{}", "kms:CallerAccount"), "123456789012");
    assert_eq!(key("{}", "kms:ViaService"), "unknown");
    let create = json("kms", "TrentService.CreateKey", r#"{"KeySpec":"RSA_2048"}"#);
    assert_eq!(told(&create, "kms:KeySpec"), "RSA_2048");
}

#[test]
fn a_compressed_body_is_taken_where_only_keys_are_in_it_and_leaves_them_unknown() {
    let put = || {
        let target = "/service/GraniteServiceVersion20100801/operation/PutMetricData";
        asked("monitoring", "POST", target).header("smithy-protocol", "rpc-v2-cbor")
    };
    // {"Namespace": "a"}
    let body = b"\xa1\x69Namespace\x61a";
    assert_eq!(told(&put().with_body(body).expect("resolved"), "cloudwatch:namespace"), "a");
    let packed = put().header("content-encoding", "gzip").resolved();
    assert_eq!(told(&packed, "cloudwatch:namespace"), "unknown");
}

#[test]
fn an_event_sources_function_is_named_by_its_arn_and_only_in_the_body() {
    let function = |body: &str| {
        let request = asked("lambda", "POST", "/2015-03-31/event-source-mappings").header("functionname", "other");
        told(&request.with_body(body).expect(body), "lambda:FunctionArn")
    };
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:f";
    assert_eq!(function(r#"{"FunctionName":"f"}"#), arn);
    assert_eq!(function(r#"{"FunctionName":"f:live"}"#), format!("{arn}:live"));
    assert_eq!(function(&format!(r#"{{"FunctionName":"{arn}"}}"#)), arn);
    for odd in [
        "{}",
        r#"{"FunctionName":"123456789012:function:f"}"#,
        r#"{"FunctionName":"f*"}"#,
        r#"{"FunctionName":""}"#,
        r#"{"FunctionName":"arn:aws:lambda:eu-west-1:123456789012:layer:l"}"#,
        r#"{"FunctionName":"arn:aws:lambda:eu-west-1:123456789012:function:f*"}"#,
    ] {
        assert_eq!(function(odd), "unknown", "{odd}");
    }
}
