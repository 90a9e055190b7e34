//! What a name on the wire names, in forms, queries, headers and bodies, and what it does not.

use hallpass_core::denial::DenialCode;

use super::operations::{form, json, posted};
use super::{Asked, asked, bare, outcome};

#[test]
fn a_service_of_two_kinds_is_told_by_its_path_and_its_form() {
    let ses = |target: &'static str| bare(&asked("ses", "GET", target));
    assert_eq!(ses("/v2/email/account"), "GetAccount ses:GetAccount@*");
    assert_eq!(ses("/v2/email/account?Action=x"), "GetAccount ses:GetAccount@*");
    assert!(ses("/?Action=ListIdentities&Version=2010-12-01").starts_with("ListIdentities "));
    assert!(form("ses", "Action=ListIdentities&Version=2010-12-01").starts_with("ListIdentities "));
}

#[test]
fn the_version_of_a_form_chooses_among_apis_of_one_signing_name() {
    let api = |version: &str| {
        let body = format!("Action=DescribeLoadBalancers{version}");
        let kind = "application/x-www-form-urlencoded";
        let resolved = asked("elasticloadbalancing", "POST", "/").header("content-type", kind).with_body(&body);
        resolved.map(|resolved| resolved.endpoint.to_string()).map_err(|denial| denial.code)
    };
    assert_eq!(api("&Version=2012-06-01"), Ok("elb".to_owned()));
    assert_eq!(api("&Version=2015-12-01"), Ok("elbv2".to_owned()));
    assert_eq!(api("&Version=1999-01-01"), Err(DenialCode::Unmapped));
    assert!(
        form("sts", "Action=GetCallerIdentity&Version=1999-01-01").starts_with("GetCallerIdentity "),
        "the only one"
    );
}

#[test]
fn every_item_of_a_list_of_a_form_is_a_resource() {
    let machine = "arn:aws:ec2:eu-west-1:123456789012:instance";
    let two = form("ec2", "Action=TerminateInstances&InstanceId.1=i-0a&InstanceId.2=i-0b");
    let expected = format!("ec2:TerminateInstances@{machine}/i-0a ec2:TerminateInstances@{machine}/i-0b");
    assert_eq!(two, format!("TerminateInstances {expected}"));
    for odd in ["InstanceId.x=i-0c", "InstanceId.1.2.3=i-0c", "InstanceId.=i-0c", "InstanceIds.1=i-0c"] {
        let found = form("ec2", &format!("Action=TerminateInstances&{odd}"));
        assert!(!found.contains("i-0c"), "{odd}: {found}");
    }
}

#[test]
fn a_refusal_says_what_was_not_understood() {
    let said = |request: &Asked<'_>| request.head().expect_err("refused").reason;
    for (request, says) in [
        (json("dynamodb", "DynamoDB_20120810.GetItem"), "takes POST requests only"),
        (asked("no-such.service_1", "POST", "/"), "no-such.service_1 is not a service"),
        (asked("no such", "POST", "/"), "this service is not a service"),
        (asked("s3", "POST", "/bucket"), "browser form uploads are not supported"),
        (asked("s3", "PUT", "/bucket/k?renameObject"), "copy the object and delete it"),
        (asked("s3", "GET", "/bucket/k?x-id=PutObject"), "its x-id says PutObject"),
        (asked("s3", "GET", "/bucket/k?x-id=Nothing"), "its x-id says another operation"),
        (asked("execute-api", "GET", "/participant/views/v"), "with a token of its own"),
        (asked("s3", "DELETE", "/v20180820/bucket/b").header("x-amz-account-id", "123456789012"), "for S3 on Outposts"),
        (asked("lambda", "PUT", "/nothing/here"), "this path with PUT"),
        (asked("lambda", "BREW", "/nothing/here"), "this path with this method"),
    ] {
        let request = Asked { method: if says.starts_with("takes POST") { "PUT" } else { request.method }, ..request };
        assert!(said(&request).contains(says), "{}", said(&request));
    }
    let query = Asked { target: "/?a=1", ..json("dynamodb", "DynamoDB_20120810.GetItem") };
    assert!(said(&query).contains("takes no query parameters"), "{}", said(&query));
    let (long, fits) = ("a".repeat(65), "a".repeat(64));
    assert!(said(&asked(&long, "POST", "/")).starts_with("this service is not"));
    assert!(said(&asked(&fits, "POST", "/")).starts_with("aaaa"));
}

#[test]
fn a_parameter_that_stands_twice_in_a_path_s_query_is_refused_unless_it_is_a_list() {
    let lambda = |method, target| bare(&asked("lambda", method, target));
    let once = lambda("DELETE", "/2015-03-31/functions/f?Qualifier=1");
    assert_eq!(once, "DeleteFunction lambda:DeleteFunction@arn:aws:lambda:eu-west-1:123456789012:function:f:1");
    assert_eq!(lambda("DELETE", "/2015-03-31/functions/f?Qualifier=1&Qualifier=2"), "malformed");
    let analyzer = |query: String| {
        let target = format!("/analyzed-resource?{query}");
        bare(&asked("access-analyzer", "GET", &target))
    };
    let arn = "analyzerArn=arn%3Aaws%3Aaccess-analyzer%3Aeu-west-1%3A123456789012%3Aanalyzer%2Fa";
    assert!(analyzer(arn.to_owned()).ends_with(":analyzer/a"), "{}", analyzer(arn.to_owned()));
    assert_eq!(analyzer(format!("{arn}&{arn}")), "malformed");
}

#[test]
fn tags_of_a_path_may_stand_in_its_query_or_a_header() {
    let tagged = |query: &str, header: Option<(&str, &str)>| {
        let target = format!("/2015-03-31/functions{query}");
        let request = asked("lambda", "POST", &target);
        let request = match header {
            Some((name, value)) => request.header(name, value),
            None => request,
        };
        outcome(request.with_body(r#"{"FunctionName":"f"}"#)).contains("lambda:TagResource")
    };
    for (query, header, expected) in [
        ("", None, false),
        ("?tags=a", None, true),
        ("?Tags=a", None, true),
        ("?tags=", None, false),
        ("?other=a", None, false),
        ("", Some(("x-amz-tags", "a")), true),
        ("", Some(("tags", "a")), true),
        ("", Some(("x-amz-tags", "")), false),
        ("", Some(("x-amz-other", "a")), false),
    ] {
        assert_eq!(tagged(query, header), expected, "{query} {header:?}");
    }
}

#[test]
fn a_body_of_exactly_the_limit_is_read() {
    use hallpass_core::limits::BUFFERED_BODY_BYTES_MAX;
    let head = r#"{"TableName":"t","Key":{}"#;
    let body = |bytes: usize| format!("{head}{}}}", " ".repeat(bytes - head.len() - 1));
    let asked = |bytes| json("dynamodb", "DynamoDB_20120810.GetItem").with_body(body(bytes));
    assert!(asked(BUFFERED_BODY_BYTES_MAX).is_ok());
    assert_eq!(asked(BUFFERED_BODY_BYTES_MAX + 1).expect_err("large").code, DenialCode::TooLarge);
}

#[test]
fn a_get_is_resolved_with_an_empty_body_and_no_other() {
    let get = asked("sts", "GET", "/?Action=GetCallerIdentity&Version=2011-06-15");
    assert!(outcome(get.with_body("")).starts_with("GetCallerIdentity "));
    assert_eq!(outcome(get.with_body("x")), "malformed");
}

#[test]
fn what_is_no_name_of_its_kind_names_no_resource() {
    let of = |service: &str, target: &str, body: String| {
        let found = posted(service, target, &body);
        found.split_once('@').map_or(found.clone(), |(_, resource)| resource.to_owned())
    };
    let local = |service: &str, rest: &str| format!("arn:aws:{service}:eu-west-1:123456789012:{rest}");
    let secret = |id: &str| {
        let body = format!(r#"{{"SecretId":"{id}"}}"#);
        of("secretsmanager", "secretsmanager.GetSecretValue", body)
    };
    let whole = local("secretsmanager", "secret:name-Ab3dE9");
    assert_eq!(secret(&whole), whole);
    for part in ["secret:name", "secret:name-abc", "secret:name-ab.de9", "secret:some-alphanumeric"] {
        let part = local("secretsmanager", part);
        assert_eq!(secret(&part), format!("~{part}-??????"));
    }
    let key = |id: &str| of("kms", "TrentService.DescribeKey", format!(r#"{{"KeyId":"{id}"}}"#));
    let id = "1234abcd-12ab-34cd-56ef-1234567890ab";
    assert_eq!(key(id), local("kms", &format!("key/{id}")));
    assert_eq!(key("mrk-1234abcd"), local("kms", "key/mrk-1234abcd"));
    for odd in ["a-name", "alias/a", &"*".repeat(36), "mrk-*"] {
        assert_eq!(key(odd), "?", "{odd}");
    }
    let parameter = |name: &str| of("ssm", "AmazonSSM.GetParameter", format!(r#"{{"Name":"{name}"}}"#));
    assert_eq!(parameter("/a/b:3"), local("ssm", "parameter/a/b"));
    for odd in ["a b", "/a//b", "a:b:c", "a*", "//a"] {
        assert!(parameter(odd).starts_with('?'), "{odd}: {}", parameter(odd));
    }
}

#[test]
fn a_name_with_slashes_is_one_whose_parts_are_names() {
    let package = |name: &str| {
        let target = format!("/v1/package?domain=d&repository=r&format=generic&package={name}");
        bare(&asked("codeartifact", "GET", &target))
    };
    assert!(package("a%2Fb").ends_with("/a/b"), "{}", package("a%2Fb"));
    assert!(package("a").ends_with("/a"), "{}", package("a"));
    for odd in ["a%2F%2Fb", "a%2F", "%2Fa", "a%2Ab", "a%20b"] {
        assert!(package(odd).ends_with('?'), "{odd}: {}", package(odd));
    }
}

#[test]
fn an_arn_without_a_region_is_taken_without_one() {
    let plan = |arn: &str| {
        let request = asked("arc-region-switch", "POST", "/").header("content-type", "application/x-amz-json-1.0");
        let request = request.header("x-amz-target", "ArcRegionSwitch.GetPlanInRegion");
        outcome(request.with_body(format!(r#"{{"arn":"{arn}"}}"#)))
    };
    let arn = "arn:aws:arc-region-switch::123456789012:plan/p";
    assert!(plan(arn).ends_with(&format!("@{arn}")), "{}", plan(arn));
    assert!(plan("arn:aws:arc-region-switch:eu-west-1:123456789012:plan/p").ends_with("@?"));
}

#[test]
fn an_index_is_touched_by_a_query_and_a_scan_only() {
    let table = "arn:aws:dynamodb:eu-west-1:123456789012:table/t";
    for (operation, expected) in
        [("Query", format!("{table}/index/i")), ("Scan", format!("{table}/index/i")), ("GetItem", table.to_owned())]
    {
        let target = format!("DynamoDB_20120810.{operation}");
        let body = r#"{"TableName":"t","IndexName":"i","Key":{}}"#;
        assert_eq!(posted("dynamodb", &target, body), format!("{operation} dynamodb:{operation}@{expected}"));
    }
}
