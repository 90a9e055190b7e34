//! Condition keys about who signs and which tags a request carries: known, certainly absent, or left open.

use hallpass_core::policy::access::Known;
use hallpass_core::resolve::{Caller, Resolved};

use super::{Asked, asked};

fn told(resolved: &Resolved, key: &str) -> String {
    match resolved.context.get(key) {
        Known::Present(values) => values.join(","),
        Known::Absent => "absent".to_owned(),
        Known::Unknown => "unknown".to_owned(),
    }
}

fn by(caller: Caller<'_>) -> Resolved {
    Asked { caller, ..asked("s3", "GET", "/buck/key") }.resolved()
}

#[test]
fn what_the_callers_arn_says_is_known_and_nothing_that_is_only_likely() {
    let user = by(Caller { arn: Some("arn:aws:iam::123456789012:user/team/ann"), ..Caller::default() });
    for (key, expected) in [
        ("aws:PrincipalArn", "arn:aws:iam::123456789012:user/team/ann"),
        ("aws:PrincipalAccount", "123456789012"),
        ("aws:PrincipalType", "User"),
        ("aws:username", "ann"),
        ("aws:SourceIdentity", "unknown"),
        ("aws:PrincipalTag/team", "unknown"),
    ] {
        assert_eq!(told(&user, key), expected, "{key}");
    }
    let session = "arn:aws:sts::123456789012:assumed-role/Agent/s1";
    let tags = [("team".to_owned(), "blue".to_owned())];
    let role =
        |role| Caller { arn: Some(session), role, tags: &tags, source_identity: Some("ann"), ..Caller::default() };
    let known = by(role(Some("arn:aws:iam::123456789012:role/paths/Agent")));
    for (key, expected) in [
        ("aws:PrincipalArn", "arn:aws:iam::123456789012:role/paths/Agent"),
        ("aws:PrincipalType", "AssumedRole"),
        ("aws:username", "absent"),
        ("aws:PrincipalTag/team", "blue"),
        ("aws:PrincipalTag/other", "unknown"),
        ("aws:SourceIdentity", "ann"),
    ] {
        assert_eq!(told(&known, key), expected, "{key}");
    }
    for other in [None, Some("arn:aws:iam::123456789012:role/Other"), Some("arn:aws:iam::210987654321:role/Agent")] {
        assert_eq!(told(&by(role(other)), "aws:PrincipalArn"), "unknown", "{other:?}");
    }
}

fn tagged(service: &str, target: &str, body: &str) -> (String, String) {
    let request = asked(service, "POST", "/").header("content-type", "application/x-amz-json-1.1");
    let resolved = request.header("x-amz-target", target).with_body(body).expect("resolved");
    (told(&resolved, "aws:RequestTag/team"), told(&resolved, "aws:TagKeys"))
}

#[test]
fn tags_of_a_json_request_are_known_where_the_model_has_them() {
    let create =
        |tags: &str| tagged("secretsmanager", "secretsmanager.CreateSecret", &format!("{{\"Name\":\"n\"{tags}}}"));
    let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
    assert_eq!(create(r#","Tags":[{"Key":"team","Value":"blue"},{"Key":"x","Value":""}]"#), pair("blue", "team,x"));
    assert_eq!(create(r#","Tags":[{"Key":"x","Value":"y"}]"#), pair("absent", "x"), "all of its tags are told");
    assert_eq!(create(""), pair("absent", "absent"));
    assert_eq!(create(r#","Tags":[]"#), pair("absent", "absent"));
    let untag = tagged("secretsmanager", "secretsmanager.UntagResource", r#"{"SecretId":"n","TagKeys":["team","x"]}"#);
    assert_eq!(untag, pair("absent", "team,x"));
}

#[test]
fn tags_that_could_be_read_in_two_ways_are_not_known() {
    for tags in [
        r#","tags":[{"Key":"team","Value":"blue"}]"#,
        r#","Tags":[{"Key":"team","Value":"blue"}],"tags":[]"#,
        r#","Tags":[{"key":"team","value":"blue"}]"#,
        r#","Tags":[{"Key":"team","Value":"blue","Extra":"x"}]"#,
        r#","Tags":[{"Key":"team","Value":"blue"},{"Key":"Team","Value":"red"}]"#,
        r#","Tags":{"team":"blue"}"#,
        r#","Tags":"team""#,
        r#","Tags":[{"Key":1,"Value":"blue"}]"#,
    ] {
        let (tag, keys) = tagged("secretsmanager", "secretsmanager.CreateSecret", &format!("{{\"Name\":\"n\"{tags}}}"));
        assert_eq!((tag.as_str(), keys.as_str()), ("unknown", "unknown"), "{tags}");
    }
}

#[test]
fn a_map_of_tags_is_known_only_as_a_map() {
    let create = |tags: &str| {
        let body = format!("{{\"logGroupName\":\"g\",\"tags\":{tags}}}");
        tagged("logs", "Logs_20140328.CreateLogGroup", &body)
    };
    let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
    assert_eq!(create(r#"{"team":"blue"}"#), pair("blue", "team"));
    for odd in [r#"["team"]"#, r#""team""#, r#"{"team":1}"#] {
        assert_eq!(create(odd), pair("unknown", "unknown"), "{odd}");
    }
}

#[test]
fn tags_of_a_form_and_of_a_path_are_known() {
    let form = |body: &str| {
        let kind = "application/x-www-form-urlencoded";
        let resolved =
            asked("cloudformation", "POST", "/").header("content-type", kind).with_body(body).expect("resolved");
        (told(&resolved, "aws:RequestTag/team"), told(&resolved, "aws:TagKeys"))
    };
    let create = "Action=CreateStack&Version=2010-05-15&StackName=s";
    let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
    let tags = "&Tags.member.1.Key=team&Tags.member.1.Value=blue&Tags.member.2.Key=x&Tags.member.2.Value=y";
    assert_eq!(form(&format!("{create}{tags}")), pair("blue", "team,x"));
    assert_eq!(form(create), pair("absent", "absent"));
    for odd in [
        "&Tags.1.Key=team",
        "&Tags.member.01.Key=team",
        "&Tags.member.1.Value=blue",
        "&tags.member.1.Key=team",
        "&Tags.member.1.Key=team&Tags.member.1.Extra=blue",
    ] {
        assert_eq!(form(&format!("{create}{odd}")), pair("unknown", "unknown"), "{odd}");
    }
    let arn = "arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Af";
    let target = format!("/2017-03-31/tags/{arn}?tagKeys=team&tagKeys=x");
    let untag = asked("lambda", "DELETE", &target).resolved();
    assert_eq!(told(&untag, "aws:TagKeys"), "team,x");
}

#[test]
fn a_key_that_repeats_a_parameter_is_known_when_the_parameter_is_given() {
    let kms = |body: &str| {
        let request = asked("kms", "POST", "/").header("content-type", "application/x-amz-json-1.1");
        request.header("x-amz-target", "TrentService.Decrypt").with_body(body).expect("resolved")
    };
    let with = kms(r#"{"CiphertextBlob":"eA==","EncryptionContext":{"app":"web","Tier":"1"}}"#);
    assert_eq!(told(&with, "kms:EncryptionContext:app"), "web");
    assert_eq!(told(&with, "kms:EncryptionContextKeys"), "app,Tier");
    assert_eq!(told(&with, "kms:EncryptionContext:other"), "unknown");
    assert_eq!(told(&kms(r#"{"CiphertextBlob":"eA=="}"#), "kms:EncryptionContextKeys"), "absent");
    for odd in [
        r#"{"EncryptionContext":{"app":"web"},"encryptioncontext":{"app":"x"}}"#,
        r#"{"EncryptionContext":{"app":"web","APP":"x"}}"#,
        r#"{"EncryptionContext":{"app":1}}"#,
        r#"{"EncryptionContext":["app"]}"#,
    ] {
        assert_eq!(told(&kms(odd), "kms:EncryptionContext:app"), "unknown", "{odd}");
        assert_eq!(told(&kms(odd), "kms:EncryptionContextKeys"), "unknown", "{odd}");
    }
    let run = |body: &str| {
        let kind = "application/x-www-form-urlencoded";
        asked("ec2", "POST", "/").header("content-type", kind).with_body(body).expect("resolved")
    };
    let small = run("Action=RunInstances&InstanceType=t3.micro&MinCount=1&MaxCount=1");
    assert_eq!(told(&small, "ec2:InstanceType"), "t3.micro");
    assert_eq!(told(&run("Action=RunInstances&MinCount=1&MaxCount=1"), "ec2:InstanceType"), "unknown");
    assert_eq!(told(&run("Action=DescribeInstances&InstanceType=t3.micro"), "ec2:InstanceType"), "unknown");
}

#[test]
fn more_tags_than_the_limit_are_not_known() {
    use hallpass_core::limits::REQUEST_TAGS_MAX;
    let create = |count: usize| {
        let tags: Vec<String> = (0..count).map(|n| format!("{{\"Key\":\"k{n}\",\"Value\":\"v\"}}")).collect();
        let body = format!("{{\"Name\":\"n\",\"Tags\":[{}]}}", tags.join(","));
        tagged("secretsmanager", "secretsmanager.CreateSecret", &body).1
    };
    assert_eq!(create(REQUEST_TAGS_MAX).split(',').count(), REQUEST_TAGS_MAX);
    assert_eq!(create(REQUEST_TAGS_MAX + 1), "unknown");
}

#[test]
fn a_root_a_federated_user_and_somebody_else_are_told_apart() {
    let keys = ["aws:PrincipalArn", "aws:PrincipalType", "aws:username"];
    for (arn, expected) in [
        ("arn:aws:iam::123456789012:root", ["arn:aws:iam::123456789012:root", "Account", "absent"]),
        ("arn:aws:sts::123456789012:federated-user/ann", ["unknown", "FederatedUser", "absent"]),
        ("arn:aws:iam::123456789012:group/g", ["unknown", "unknown", "unknown"]),
        ("nobody", ["unknown", "unknown", "unknown"]),
    ] {
        let resolved = by(Caller { arn: Some(arn), ..Caller::default() });
        assert_eq!(keys.map(|key| told(&resolved, key)), expected.map(str::to_owned), "{arn}");
    }
}

#[test]
fn tags_in_the_body_of_a_path_and_keys_of_a_list_are_known() {
    let lambda = |body: &str| {
        let resolved = asked("lambda", "POST", "/2015-03-31/functions").with_body(body).expect("resolved");
        (told(&resolved, "aws:RequestTag/team"), told(&resolved, "aws:TagKeys"))
    };
    let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
    assert_eq!(lambda(r#"{"FunctionName":"f","Tags":{"team":"blue"}}"#), pair("blue", "team"));
    assert_eq!(lambda(r#"{"FunctionName":"f"}"#), pair("absent", "absent"));
    let untag = |keys: &str| {
        let body = format!(r#"{{"SecretId":"n","TagKeys":{keys}}}"#);
        tagged("secretsmanager", "secretsmanager.UntagResource", &body).1
    };
    assert_eq!(untag(r#"["team","x"]"#), "team,x");
    for odd in [r#"{"team":"x"}"#, r#""team""#, r#"[{"team":"x"}]"#] {
        assert_eq!(untag(odd), "unknown", "{odd}");
    }
    let form = |body: &str| {
        let kind = "application/x-www-form-urlencoded";
        let resolved = asked("iam", "POST", "/").header("content-type", kind).with_body(body).expect("resolved");
        told(&resolved, "aws:TagKeys")
    };
    for silent in ["Action=GetRole&RoleName=R", "Action=ListRoles"] {
        assert_eq!(form(silent), "unknown", "{silent}: it takes no tags");
    }
    let untag = "Action=UntagRole&RoleName=R&TagKeys.member.1=team";
    assert_eq!(form(untag), "team");
    assert_eq!(form(&format!("{untag}&TagKeys.member.2.Key=x")), "unknown");
    let described = asked("ec2", "POST", "/").header("content-type", "application/x-www-form-urlencoded");
    let described = described.with_body("Action=DescribeInstances").expect("resolved");
    assert_eq!(told(&described, "aws:TagKeys"), "unknown");
}
