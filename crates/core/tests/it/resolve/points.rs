//! What stands in front of buckets, and beside them: access points, directory buckets, S3 Control.

use hallpass_catalog::CATALOG;
use hallpass_core::policy::access::Known;
use hallpass_core::policy::{Context, PolicyDocument, PreparedPolicy, ScopedPolicy};
use hallpass_core::resolve::{AwsHost, Partition, Resolved, endpoint::endpoint_of};

use super::{Asked, asked, bare, outcome, shown};

fn at<'a>(host: &str, service: &'a str, method: &'a str, target: &'a str) -> Asked<'a> {
    let at = Some(AwsHost::named(CATALOG, None, host).expect(host));
    Asked { at, ..asked(service, method, target) }
}

const POINT: &str = "lent-123456789012.s3-accesspoint.eu-west-1.amazonaws.com";

/// Where a request would be sent.
fn host_of(resolved: &Resolved) -> String {
    let found = endpoint_of(CATALOG, None, &resolved.endpoint, &resolved.region, resolved.variant);
    format!("{}{}", resolved.host_prefix, found.expect("an endpoint").host)
}

#[test]
fn a_request_to_an_access_point_is_decided_by_the_arn_of_the_access_point() {
    let arn = "arn:aws:s3:eu-west-1:123456789012:accesspoint/lent";
    for (method, target, expected) in [
        ("GET", "/a%20b/c", format!("GetObject s3:GetObject@{arn}/object/a b/c")),
        ("GET", "/v20180820/accesspoint/x", format!("GetObject s3:GetObject@{arn}/object/v20180820/accesspoint/x")),
        ("GET", "/?list-type=2&prefix=p", format!("ListObjectsV2 s3:ListBucket@{arn}")),
        ("HEAD", "/", format!("HeadBucket s3:ListBucket@{arn}")),
        ("PUT", "/k", format!("PutObject s3:PutObject@{arn}/object/k")),
    ] {
        let resolved = at(POINT, "s3", method, target).resolved();
        assert_eq!(shown(&resolved), expected);
        assert_eq!(host_of(&resolved), POINT);
    }
}

#[test]
fn the_variant_of_a_host_is_the_one_that_a_request_is_sent_to() {
    for host in [
        POINT,
        "lent-123456789012.s3-accesspoint.dualstack.eu-west-1.amazonaws.com",
        "lent-123456789012.s3-accesspoint-fips.eu-west-1.amazonaws.com",
        "lent-123456789012.s3-accesspoint-fips.dualstack.eu-west-1.amazonaws.com",
        "s3-fips.dualstack.eu-west-1.amazonaws.com",
        "s3.dualstack.eu-west-1.amazonaws.com",
        "s3-fips.eu-west-1.amazonaws.com",
    ] {
        assert_eq!(host_of(&at(host, "s3", "GET", "/buck/key").resolved()), host);
    }
    let bucket = at("buck.s3-fips.eu-west-1.amazonaws.com", "s3", "GET", "/buck/key").resolved();
    assert_eq!(host_of(&bucket), "s3-fips.eu-west-1.amazonaws.com");
}

#[test]
fn what_s3_does_not_take_through_an_access_point_is_refused() {
    for (method, target) in [("PUT", "/?policy"), ("DELETE", "/"), ("PUT", "/"), ("GET", "/?versioning")] {
        assert_eq!(bare(&at(POINT, "s3", method, target)), "unmapped", "{method} {target}");
    }
}

#[test]
fn a_copy_from_an_access_point_reads_the_object_behind_it() {
    let source = "arn:aws:s3:us-east-1:210987654321:accesspoint/theirs/object/a%2Fb";
    let copy = asked("s3", "PUT", "/buck/key").header("x-amz-copy-source", source).resolved();
    let read = "arn:aws:s3:us-east-1:210987654321:accesspoint/theirs/object/a/b";
    assert!(shown(&copy).contains(&format!("s3:GetObject@{read}")), "{}", shown(&copy));
    let behind: Vec<String> =
        copy.behind.iter().map(|access| format!("{} {:?}", access.action, access.resource)).collect();
    let object = r#"Pattern("arn:aws:s3:::*/a/b")"#;
    assert_eq!(behind, [format!("s3:GetObject {object}"), format!("s3:GetObjectTagging {object}")]);
    let alias = asked("s3", "PUT", "/buck/key").header("x-amz-copy-source", "src-s3alias/a").resolved();
    let any = "s3:GetObject@~arn:aws:s3:eu-west-1:*:accesspoint/*/object/a";
    assert!(shown(&alias).contains(any), "{}", shown(&alias));
    assert_eq!(alias.behind.len(), 2, "the object and its tags");
    let anywhere = at("abc123.mrap.accesspoint.s3-global.amazonaws.com", "s3", "GET", "/a");
    assert_eq!(anywhere.resolved().behind.len(), 1);
    assert!(asked("s3", "GET", "/accesspoint/k").resolved().behind.is_empty(), "a bucket of that name");
    assert!(matches!(copy.context.get("s3:DataAccessPointArn"), Known::Unknown));
    for bad in [
        "arn:aws-cn:s3:us-east-1:210987654321:accesspoint/theirs/object/k",
        "arn:aws:s3:us-east-1:21098765432:accesspoint/theirs/object/k",
        "arn:aws:s3:us-east-1:210987654321:accesspoint/theirs/object/",
        "arn:aws:s3:us-east-1:210987654321:accesspoint/a*b/object/k",
        "arn:aws:s3-outposts:us-east-1:210987654321:outpost/o/accesspoint/theirs/object/k",
    ] {
        let refused = bare(&asked("s3", "PUT", "/buck/key").header("x-amz-copy-source", bad));
        assert!(["unmapped", "malformed"].contains(&refused.as_str()), "{bad}: {refused}");
    }
}

fn policy(text: &str) -> PreparedPolicy<'static> {
    let document = PolicyDocument::parse(text).expect("a policy");
    PreparedPolicy::from(ScopedPolicy { documents: vec![document], ..ScopedPolicy::default() })
}

fn allows(policy: &PreparedPolicy<'_>, resolved: &Resolved) -> bool {
    resolved.accesses.iter().all(|access| policy.evaluate(access, &resolved.context).is_ok())
        && resolved.behind.iter().all(|access| policy.refuse_denied(access, &resolved.context).is_ok())
}

const ALLOW_ALL: &str = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;

#[test]
fn a_deny_on_a_bucket_holds_for_every_access_point_because_any_could_lead_there() {
    let all = policy(&format!(r#"{{"Version":"2012-10-17","Statement":[{ALLOW_ALL}]}}"#));
    let deny = |resource: &str| {
        policy(&format!(
            r#"{{"Version":"2012-10-17","Statement":[{ALLOW_ALL},{{"Effect":"Deny","Action":"s3:GetObject","Resource":"{resource}"}}]}}"#
        ))
    };
    let point = at(POINT, "s3", "GET", "/secret/key").resolved();
    let alias = asked("s3", "GET", "/lent-a1b2c3d4e5-s3alias/secret/key").resolved();
    for request in [&point, &alias] {
        assert!(allows(&all, request));
        assert!(!allows(&deny("arn:aws:s3:::vault/*"), request));
        assert!(!allows(&deny("arn:aws:s3:::*/secret/*"), request));
        assert!(allows(&deny("arn:aws:s3:::vault/other"), request));
    }
    assert!(!allows(&deny("arn:aws:s3:eu-west-1:123456789012:accesspoint/lent/object/*"), &point));
    assert!(allows(&deny("arn:aws:s3:eu-west-1:123456789012:accesspoint/other/object/*"), &point));
}

#[test]
fn an_allow_on_a_bucket_is_not_one_on_its_access_points() {
    let allow = |resource: &str| {
        policy(&format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"s3:GetObject","Resource":"{resource}"}}]}}"#
        ))
    };
    let point = at(POINT, "s3", "GET", "/key").resolved();
    let alias = asked("s3", "GET", "/lent-a1b2c3d4e5-s3alias/key").resolved();
    assert!(!allows(&allow("arn:aws:s3:::*"), &point));
    assert!(allows(&allow("arn:aws:s3:eu-west-1:123456789012:accesspoint/lent/object/*"), &point));
    assert!(!allows(&allow("arn:aws:s3:eu-west-1:123456789012:accesspoint/lent/object/*"), &alias));
    assert!(allows(&allow("arn:aws:s3:eu-west-1:*:accesspoint/*"), &alias));
}

const DIRECTORY: &str = "data--euw1-az1--x-s3";

#[test]
fn what_happens_in_a_directory_bucket_needs_its_one_permission() {
    let arn = "arn:aws:s3express:eu-west-1:123456789012:bucket/data--euw1-az1--x-s3";
    let (get, list) = (format!("/{DIRECTORY}/a/b"), format!("/{DIRECTORY}?list-type=2"));
    for (method, target, expected) in [
        ("GET", get.as_str(), format!("GetObject s3express:CreateSession@{arn}")),
        ("PUT", get.as_str(), format!("PutObject s3express:CreateSession@{arn}")),
        ("GET", list.as_str(), format!("ListObjectsV2 s3express:CreateSession@{arn}")),
    ] {
        let resolved = asked("s3express", method, target).resolved();
        assert_eq!(shown(&resolved), expected);
        assert_eq!(host_of(&resolved), format!("{DIRECTORY}.s3express-euw1-az1.eu-west-1.amazonaws.com"));
        let mode = if method == "GET" { "ReadOnly" } else { "ReadWrite" };
        assert!(matches!(resolved.context.get("s3express:SessionMode"), Known::Present([one]) if one == mode));
    }
    assert_eq!(asked("s3express", "GET", &get).resolved().path.as_deref(), Some("/a/b"));
    let control = asked("s3express", "GET", "/data--euw1-az1--x-s3?policy").resolved();
    assert_eq!(shown(&control), format!("GetBucketPolicy s3express:GetBucketPolicy@{arn}"));
    assert_eq!(host_of(&control), "s3express-control.eu-west-1.amazonaws.com");
    let all = asked("s3express", "GET", "/?max-directory-buckets=3").resolved();
    assert_eq!(shown(&all), "ListDirectoryBuckets s3express:ListAllMyDirectoryBuckets@*");
}

#[test]
fn a_session_of_a_directory_bucket_is_never_handed_out() {
    let target = format!("/{DIRECTORY}?session");
    let denial = asked("s3express", "GET", &target).head().expect_err("refused");
    assert_eq!(denial.code.as_str(), "not-allowed");
    assert_eq!(denial.action.as_deref(), Some("s3express:CreateSession"));
    assert!(denial.how_to_ask.expect("a way").contains("AWS_S3_DISABLE_EXPRESS_SESSION_AUTH=true"));
}

#[test]
fn directory_buckets_and_others_are_not_mistaken_for_each_other() {
    let (get, tagging) = (format!("/{DIRECTORY}/k"), format!("/{DIRECTORY}/k?tagging"));
    assert_eq!(bare(&asked("s3", "GET", &get)), "malformed");
    let reason = asked("s3", "GET", &get).head().expect_err("refused").reason;
    assert!(reason.contains("is signed for `s3express`"), "{reason}");
    assert_eq!(bare(&asked("s3express", "GET", "/buck/k")), "malformed");
    assert_eq!(bare(&asked("s3express", "GET", &tagging)), "unmapped");
    assert_eq!(bare(&asked("s3express", "GET", "/data--nowhere--x-s3/k")), "unmapped");
    let from_bucket = asked("s3express", "PUT", &get).header("x-amz-copy-source", "buck/k");
    assert_eq!(bare(&from_bucket), "unresolved");
}

#[test]
fn s3_control_is_told_by_its_path_and_names_its_resources() {
    let asked = |method, target| asked("s3", method, target).header("x-amz-account-id", "123456789012");
    for (method, target, expected) in [
        (
            "GET",
            "/v20180820/accesspoint/lent/policy",
            "GetAccessPointPolicy s3:GetAccessPointPolicy@arn:aws:s3:eu-west-1:123456789012:accesspoint/lent",
        ),
        ("PUT", "/v20180820/configuration/publicAccessBlock", "PutPublicAccessBlock s3:PutAccountPublicAccessBlock@*"),
        ("GET", "/v20180820/jobs/j-1", "DescribeJob s3:DescribeJob@arn:aws:s3:eu-west-1:123456789012:job/j-1"),
    ] {
        let resolved = asked(method, target).with_body("").expect("resolved");
        assert_eq!(shown(&resolved), expected);
        assert_eq!(host_of(&resolved), "123456789012.s3-control.eu-west-1.amazonaws.com");
    }
    assert_eq!(bare(&asked("GET", "/v20180820/bucket/b")), "unmapped");
    assert_eq!(bare(&asked("GET", "/v20180820/nothing")), "unmapped");
}

#[test]
fn s3_control_of_another_account_is_nobodys_resource() {
    let target = "/v20180820/accesspoint/lent/policy";
    let theirs = asked("s3", "GET", target).header("x-amz-account-id", "210987654321");
    assert_eq!(outcome(theirs.with_body("")), "GetAccessPointPolicy s3:GetAccessPointPolicy@?");
    assert_eq!(bare(&asked("s3", "GET", target)), "malformed");
    let odd = asked("s3", "GET", target).header("x-amz-account-id", "evil.example/");
    assert_eq!(bare(&odd), "malformed");
}

#[test]
fn a_request_for_several_regions_is_one_in_each_of_them() {
    let ask = |region, at: bool| {
        let mut request = asked("s3", "GET", "/key");
        let host = "abc123.mrap.accesspoint.s3-global.amazonaws.com";
        request.at = at.then(|| AwsHost::named(hallpass_catalog::CATALOG, None, host).expect(host));
        Asked { region, ..request }
    };
    let regions = |region| -> Vec<String> {
        let resolved = ask(region, true).resolved();
        let told = |context: &Context| match context.get("aws:RequestedRegion") {
            Known::Present([one]) => one.clone(),
            other => format!("{other:?}"),
        };
        resolved.contexts().iter().map(|context| told(context)).collect()
    };
    assert_eq!(regions("eu-west-1,us-east-1"), ["eu-west-1", "us-east-1"]);
    assert_eq!(regions("eu-west-1").len(), 1);
    assert_eq!(regions("*").len(), 1);
    assert_eq!(regions("eu-*,us-east-1").len(), 1);
    for several in ["eu-west-1,us-east-1", "*"] {
        assert_eq!(bare(&ask(several, false)), "malformed", "{several}");
        let mut other = ask(several, true);
        other.caller.partition = Some(Partition::AwsCn);
        assert_eq!(bare(&other), "malformed", "{several}");
    }
}

#[test]
fn the_access_point_of_a_request_is_a_condition_key() {
    let point = "point-123456789012.s3-accesspoint.eu-west-1.amazonaws.com";
    let through = at(point, "s3", "GET", "/k").resolved();
    let told = |resolved: &Resolved, key: &str| match resolved.context.get(key) {
        Known::Present(values) => values.join(","),
        Known::Absent => "absent".to_owned(),
        Known::Unknown => "unknown".to_owned(),
    };
    let arn = "arn:aws:s3:eu-west-1:123456789012:accesspoint/point";
    assert_eq!(told(&through, "s3:DataAccessPointArn"), arn);
    assert_eq!(told(&through, "s3:DataAccessPointAccount"), "123456789012");
    assert_eq!(told(&through, "s3:AccessPointNetworkOrigin"), "unknown");
    let plain = asked("s3", "GET", "/bucket/k").resolved();
    for key in ["s3:DataAccessPointArn", "s3:DataAccessPointAccount", "s3:AccessPointNetworkOrigin"] {
        assert_eq!(told(&plain, key), "absent", "{key}");
    }
}
