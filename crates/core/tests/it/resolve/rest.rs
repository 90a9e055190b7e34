//! REST services: Lambda, API Gateway, Route 53 and others by the catalogue.

use hallpass_core::limits::QUERY_PARAMETERS_MAX;
use hallpass_core::resolve::Protocol;

use super::{Asked, asked, bare, outcome};

fn rest<'a>(service: &'a str, method: &'a str, target: &'a str) -> Asked<'a> {
    asked(service, method, target)
}

#[test]
fn an_operation_is_its_method_and_its_path() {
    let function = "arn:aws:lambda:eu-west-1:123456789012:function:f";
    for (service, method, target, expected) in [
        ("lambda", "GET", "/2015-03-31/functions/", "ListFunctions lambda:ListFunctions@*".to_owned()),
        ("lambda", "GET", "/2015-03-31/functions", "ListFunctions lambda:ListFunctions@*".to_owned()),
        ("lambda", "POST", "/2015-03-31/functions/f/invocations", format!("Invoke lambda:InvokeFunction@{function}")),
        ("lambda", "DELETE", "/2015-03-31/functions/f", format!("DeleteFunction lambda:DeleteFunction@{function}")),
        (
            "apigateway",
            "GET",
            "/restapis?limit=2",
            "GetRestApis apigateway:GET@arn:aws:apigateway:eu-west-1::/restapis".to_owned(),
        ),
        (
            "apigateway",
            "DELETE",
            "/restapis/abc/stages/prod",
            "DeleteStage apigateway:DELETE@arn:aws:apigateway:eu-west-1::/restapis/abc/stages/prod".to_owned(),
        ),
        ("apigateway", "GET", "/v2/apis", "GetApis apigateway:GET@arn:aws:apigateway:eu-west-1::/apis".to_owned()),
        ("route53", "GET", "/2013-04-01/hostedzone", "ListHostedZones route53:ListHostedZones@*".to_owned()),
        (
            "route53",
            "POST",
            "/2013-04-01/hostedzone/Z1/rrset/",
            "ChangeResourceRecordSets route53:ChangeResourceRecordSets@arn:aws:route53:::hostedzone/Z1".to_owned(),
        ),
        (
            "eks",
            "DELETE",
            "/clusters/c/addons/a",
            "DeleteAddon eks:DeleteAddon@~arn:aws:eks:eu-west-1:123456789012:addon/c/a/*".to_owned(),
        ),
    ] {
        assert_eq!(bare(&rest(service, method, target)), expected, "{method} {target}");
    }
    assert_eq!(rest("lambda", "GET", "/2015-03-31/functions").resolved().protocol, Protocol::RestJson);
    assert_eq!(rest("route53", "GET", "/2013-04-01/hostedzone").resolved().protocol, Protocol::RestXml);
}

#[test]
fn a_path_that_no_operation_has_is_refused_and_not_shown() {
    for (service, method, target) in [
        ("lambda", "GET", "/2015-03-31/function"),
        ("lambda", "GET", "/"),
        ("lambda", "PATCH", "/2015-03-31/functions"),
        ("lambda", "get", "/2015-03-31/functions"),
        ("lambda", "GET", "/2015-03-31/FUNCTIONS"),
        ("route53", "GET", "/2013-04-01/secret-zone"),
    ] {
        let denial = rest(service, method, target).head().expect_err(target);
        assert_eq!(denial.code.as_str(), "unmapped", "{target}");
        assert!(denial.message().contains(service) && !denial.message().contains("secret"), "{}", denial.message());
        assert!(denial.how_to_ask.is_some());
    }
}

/// What a server might read in another way than we do is not read at all.
#[test]
fn a_path_that_could_be_read_in_two_ways_is_refused() {
    for target in [
        "/2015-03-31//functions",
        "//2015-03-31/functions",
        "/2015-03-31/functions//",
        "/2015-03-31/functions/%2e%2e",
        "/2015-03-31/functions/../functions",
        "/2015-03-31/./functions",
        "/2015-03-31/functions/%zz",
        "/2015-03-31/functions/%00",
        "/2015-03-31/functions?Marker=a&marker=b",
        "/2015-03-31/functions?Marker=a+b",
    ] {
        assert_eq!(bare(&rest("lambda", "GET", target)), "malformed", "{target}");
    }
    let many = (0..=QUERY_PARAMETERS_MAX).map(|_| "tagKeys=a").collect::<Vec<_>>().join("&");
    let target = format!("/2017-03-31/tags/x?{many}");
    assert_eq!(bare(&rest("lambda", "DELETE", &target)), "malformed");
    let overridden = rest("lambda", "GET", "/2015-03-31/functions").header("x-http-method-override", "DELETE");
    assert_eq!(bare(&overridden), "malformed");
}

#[test]
fn a_literal_of_the_query_chooses_the_operation() {
    let path = "/2019-09-30/functions/f/provisioned-concurrency";
    let named = |target: &str| bare(&rest("lambda", "GET", target)).split(' ').next().map(str::to_owned);
    assert_eq!(named(&format!("{path}?List=ALL")).as_deref(), Some("ListProvisionedConcurrencyConfigs"));
    assert_eq!(named(&format!("{path}?Qualifier=1")).as_deref(), Some("GetProvisionedConcurrencyConfig"));
}

#[test]
fn a_literal_of_the_query_that_stands_there_twice_chooses_nothing() {
    let path = "/2019-09-30/functions/f/provisioned-concurrency";
    for query in ["List=ALL&List=x", "List=x&List=ALL&Qualifier=1", "List=ALL&List=ALL"] {
        assert_eq!(bare(&rest("lambda", "GET", &format!("{path}?{query}"))), "malformed", "{query}");
    }
}

/// Whatever is not a plain name is an unknown resource, which only `*` allows.
#[test]
fn a_name_that_is_not_plain_is_never_part_of_an_arn() {
    let invoke = |name: &str| {
        let target = format!("/2015-03-31/functions/{name}/invocations");
        bare(&rest("lambda", "POST", &target)).replace("Invoke lambda:InvokeFunction@", "")
    };
    let own = "arn:aws:lambda:eu-west-1:123456789012:function:f";
    assert_eq!(invoke("f"), own);
    assert_eq!(invoke("arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Af"), own);
    assert_eq!(
        invoke("arn:aws:lambda:us-east-1:999999999999:function:g"),
        "arn:aws:lambda:us-east-1:999999999999:function:g"
    );
    for odd in [
        "*",
        "f%2A",
        "f%3F",
        "f%2Fg",
        "f%20g",
        "f%3Aprod%3Ax",
        "f%3A",
        "f%3A%2A",
        "%24%7Baws%3Ausername%7D",
        "arn:aws:lambda:eu-west-1:123456789012:layer:f",
        "arn:aws:sqs:eu-west-1:123456789012:f",
        "arn:aws-cn:lambda:eu-west-1:123456789012:function:f",
        "arn:aws:lambda:*:123456789012:function:f",
        "arn:aws:lambda:eu-west-1:12345:function:f",
        "123456789012:function:f",
    ] {
        assert_eq!(invoke(odd), "?", "{odd}");
    }
}

/// A Deny on a version reaches it whichever way it is named.
#[test]
fn a_qualifier_is_part_of_what_is_invoked() {
    let invoke = |rest_of: &str| {
        let target = format!("/2015-03-31/functions/{rest_of}");
        bare(&rest("lambda", "POST", &target)).replace("Invoke lambda:InvokeFunction@", "")
    };
    let own = "arn:aws:lambda:eu-west-1:123456789012:function:f";
    assert_eq!(invoke("f/invocations?Qualifier=prod"), format!("{own}:prod"));
    assert_eq!(invoke("f/invocations?Qualifier=%24LATEST"), format!("{own}:$LATEST"));
    assert_eq!(invoke(&format!("{own}:prod/invocations")), format!("{own}:prod"));
    for odd in ["*", "a%3Ab", "%2A", ""] {
        assert_eq!(invoke(&format!("f/invocations?Qualifier={odd}")), "?", "{odd}");
    }
    assert_eq!(invoke(&format!("{own}:prod/invocations?Qualifier=dev")), "?");
}

/// A call that may reach more than its plain members say is not allowed by what they say.
#[test]
fn a_selector_stands_for_every_resource_of_its_kind() {
    let send = |body: &str| {
        let request = asked("ssm", "POST", "/")
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", "AmazonSSM.SendCommand");
        outcome(request.with_body(body))
    };
    let every = "ssm:SendCommand@~arn:aws:ec2:eu-west-1:123456789012:instance/*";
    let chosen = r#"{"DocumentName":"d","Targets":[{"Key":"tag:a","Values":["b"]}]}"#;
    assert!(send(chosen).contains(every), "{}", send(chosen));
    let named = send(r#"{"DocumentName":"d","InstanceIds":["i-1"]}"#);
    assert!(named.contains("ssm:SendCommand@arn:aws:ec2:eu-west-1:123456789012:instance/i-1"), "{named}");
    assert!(!named.contains(every), "{named}");
    let start = asked("ssm", "POST", "/")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "AmazonSSM.StartSession");
    let started = outcome(start.with_body(r#"{"Target":"i-1","DocumentName":"d"}"#));
    assert!(started.contains("instance/i-1") && started.contains("document/d"), "{started}");
    assert!(outcome(start.with_body(r#"{"Target":"ecs:c_t_r","DocumentName":"d"}"#)).ends_with('?'));
}

#[test]
fn a_body_is_read_where_it_names_resources_and_only_there() {
    let create = || rest("lambda", "POST", "/2015-03-31/functions");
    assert_eq!(bare(&create()), "needs-body");
    assert_eq!(
        outcome(
            create().with_body(r#"{"FunctionName":"f","Role":"arn:aws:iam::123456789012:role/R","Tags":{"a":"b"}}"#)
        ),
        "CreateFunction lambda:CreateFunction@arn:aws:lambda:eu-west-1:123456789012:function:f \
         iam:PassRole@arn:aws:iam::123456789012:role/R \
         lambda:TagResource@arn:aws:lambda:eu-west-1:123456789012:function:f"
    );
    assert_eq!(
        outcome(create().with_body("{}")),
        "CreateFunction lambda:CreateFunction@~arn:aws:lambda:eu-west-1:123456789012:function:*"
    );
    for bad in [r#"{"FunctionName":"a","FunctionName":"b"}"#, r#"{"FunctionName":"a","functionName":"b"}"#, "[]", "x"] {
        assert_eq!(outcome(create().with_body(bad)), "malformed", "{bad}");
    }
    assert_eq!(outcome(create().header("content-type", "text/plain").with_body("{}")), "malformed");
    assert_eq!(bare(&create().header("content-encoding", "gzip")), "unmapped");
    let streamed = rest("lambda", "POST", "/2015-03-31/functions/f/invocations");
    assert!(outcome(streamed.with_body("not json")).starts_with("Invoke "));
}

#[test]
fn an_arn_in_the_path_must_be_one_of_the_action() {
    let tag = |arn: &str| bare(&rest("lambda", "GET", &format!("/2017-03-31/tags/{arn}")));
    let function = "arn:aws:lambda:eu-west-1:123456789012:function:f";
    assert_eq!(tag(function), format!("ListTags lambda:ListTags@{function}"));
    assert_eq!(tag("arn:aws:dynamodb:eu-west-1:123456789012:table%2Ft"), "ListTags lambda:ListTags@?");
    assert_eq!(tag("f"), "ListTags lambda:ListTags@?");
}

#[test]
fn a_parent_in_another_account_is_an_unknown_resource() {
    let target = "AmazonEC2ContainerServiceV20141113.DeleteService";
    let delete = |cluster: &str| {
        let request = asked("ecs", "POST", "/")
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", target);
        let body = format!(r#"{{"cluster":"{cluster}","service":"s"}}"#);
        outcome(request.with_body(body)).replace("DeleteService ecs:DeleteService@", "")
    };
    let service = |cluster: &str| format!("arn:aws:ecs:eu-west-1:123456789012:service/{cluster}/s");
    assert_eq!(delete("c"), service("c"));
    assert_eq!(delete("arn:aws:ecs:eu-west-1:123456789012:cluster/c"), service("c"));
    assert_eq!(delete("arn:aws:ecs:eu-west-1:123456789012:service/c/d"), format!("~{}", service("*")));
    assert_eq!(delete("arn:aws:eks:eu-west-1:123456789012:cluster/c"), "?");
    assert_eq!(delete("arn:aws:ecs:eu-west-1:999999999999:cluster/c"), "?");
    assert_eq!(delete("*"), "?");
}

#[test]
fn a_cbor_body_names_resources_as_a_json_body_does() {
    let path = "/service/AmazonSQS/operation/x";
    assert!(bare(&asked("sqs", "POST", path).header("smithy-protocol", "rpc-v2-cbor")) != "needs-body");
    let start = asked("codebuild", "POST", "/service/CodeBuild_20161006/operation/StartBuild")
        .header("smithy-protocol", "rpc-v2-cbor")
        .header("content-type", "application/cbor");
    assert_eq!(bare(&start), "needs-body");
    assert_eq!(
        outcome(start.with_body(b"\xa1\x6bprojectName\x61p")),
        "StartBuild codebuild:StartBuild@arn:aws:codebuild:eu-west-1:123456789012:project/p"
    );
    assert_eq!(outcome(start.with_body(b"\xa2\x6bprojectName\x61p\x6bprojectName\x61q")), "malformed");
}
