//! The endpoint rules, read backwards: which hosts a gate stands in for.

use std::collections::BTreeSet;

use hallpass_catalog::{CATALOG, all};
use hallpass_core::denial::DenialCode;
use hallpass_core::resolve::host::{AwsHost, DOMAINS, Point, belongs_to_aws};
use hallpass_core::resolve::{Partition, endpoint::endpoint};

use super::asked;

fn shown(host: &str) -> String {
    let found = AwsHost::named(CATALOG, None, host).expect(host);
    let (endpoints, signing) = (found.endpoints.join("+"), found.signing.join("+"));
    format!("{endpoints} {signing} {} {}", found.region, found.bucket.unwrap_or_default())
}

#[test]
fn every_host_that_the_rules_make_is_known_as_what_it_is() {
    let (mut count, mut unknown) = (0, BTreeSet::new());
    for service in all() {
        for region in ["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1"] {
            let Ok(made) = endpoint(CATALOG, None, service.id, region) else { continue };
            let own = Partition::of_region(region).expect("a region");
            let known = AwsHost::named(CATALOG, Some(own), &made.host);
            if !in_domains(&made.host) {
                assert!(known.is_err(), "{}: no certificate may be made for it", made.host);
                continue;
            }
            let Ok(known) = known else {
                unknown.insert(made.host);
                continue;
            };
            assert!(known.takes(service.signing, &made.region), "{} {known:?}", made.host);
            count += 1;
        }
    }
    assert!(count > 600, "{count}");
    // No region in its name and none to sign for, or one of another partition: the proxy refuses these.
    let refused = [
        "codecatalyst.global.api.amazonwebservices.com.cn",
        "codecatalyst.global.api.aws",
        "pricingplanmanager.us-east-1.api.aws",
    ];
    assert_eq!(unknown, BTreeSet::from(refused.map(str::to_owned)));
}

#[test]
fn s3_is_known_in_path_style_and_as_a_virtual_host() {
    assert_eq!(shown("s3.eu-west-1.amazonaws.com"), "s3 s3 eu-west-1 ");
    assert_eq!(shown("lent.s3.eu-west-1.amazonaws.com"), "s3 s3 eu-west-1 lent");
    assert_eq!(shown("a.dotted.name.s3.cn-north-1.amazonaws.com.cn"), "s3 s3 cn-north-1 a.dotted.name");
    assert_eq!(shown("x.s3.s3.us-east-1.amazonaws.com"), "s3 s3 us-east-1 x.s3");
    assert_eq!(shown("lent.s3.amazonaws.com"), "s3 s3 us-east-1 lent");
    assert_eq!(shown("s3.amazonaws.com"), "s3 s3 us-east-1 ");
    assert_eq!(shown("lent.s3-us-west-2.amazonaws.com"), "s3 s3 us-west-2 lent");
    assert_eq!(shown("sts.amazonaws.com"), "sts sts us-east-1 ");
    assert_eq!(shown("iam.amazonaws.com"), "iam iam us-east-1 ");
    assert_eq!(shown("queue.amazonaws.com"), "sqs sqs us-east-1 ");
    assert_eq!(shown("eu-west-1.queue.amazonaws.com"), "sqs sqs eu-west-1 ");
    assert_eq!(shown("cn-north-1.queue.amazonaws.com.cn"), "sqs sqs cn-north-1 ");
    assert_eq!(shown("rds.amazonaws.com"), "rds+docdb+neptune rds us-east-1 ");
    assert_eq!(shown("us-west-2.elasticmapreduce.amazonaws.com"), "emr elasticmapreduce us-west-2 ");
}

#[test]
fn fips_and_dual_stack_hosts_are_known_as_such_in_every_partition() {
    for (host, expected) in [
        ("s3-fips.us-east-1.amazonaws.com", "s3 s3 us-east-1  fips"),
        ("lent.s3-fips.us-gov-west-1.amazonaws.com", "s3 s3 us-gov-west-1 lent fips"),
        ("a.b.s3.dualstack.eu-west-1.amazonaws.com", "s3 s3 eu-west-1 a.b dual"),
        ("lent.s3-fips.dualstack.us-west-2.amazonaws.com", "s3 s3 us-west-2 lent fips dual"),
        ("kms-fips.us-west-2.amazonaws.com", "kms kms us-west-2  fips"),
        ("sqs.eu-west-1.api.aws", "sqs sqs eu-west-1  dual"),
        ("pricingplanmanager.us-east-1.api.aws", "pricing-plan-manager pricingplanmanager us-east-1 "),
        ("lent.s3.us-iso-east-1.c2s.ic.gov", "s3 s3 us-iso-east-1 lent"),
        ("sqs.us-isob-east-1.sc2s.sgov.gov", "sqs sqs us-isob-east-1 "),
        ("sts.eusc-de-east-1.amazonaws.eu", "sts sts eusc-de-east-1 "),
    ] {
        let found = AwsHost::named(CATALOG, None, host).expect(host);
        let fips = if found.variant.fips { " fips" } else { "" };
        let dual = if found.variant.dual_stack { " dual" } else { "" };
        assert_eq!(format!("{}{fips}{dual}", shown(host)), expected, "{host}");
    }
}

#[test]
fn what_is_aws_is_never_taken_for_another_host() {
    for host in [
        "amazonaws.com",
        "S3.AmazonAWS.com.",
        "x.elb.us-east-1.amazonaws.com",
        "x.lambda-url.us-east-1.on.aws",
        "sqs.eu-west-1.api.aws",
        "s3.us-iso-east-1.c2s.ic.gov",
        "us-east-1.signin.aws.amazon.com",
    ] {
        assert!(belongs_to_aws(host), "{host}");
    }
    for host in ["docs.aws.amazon.com", "notamazonaws.com", "amazonaws.com.example", "api.aws.example", "aws", ""] {
        assert!(!belongs_to_aws(host), "{host}");
    }
}

#[test]
fn every_other_host_is_unknown() {
    for host in [
        "",
        "example.com",
        "amazonaws.com",
        ".amazonaws.com",
        "evil.amazonaws.com.example",
        "s3.us-east-1.amazonaws.com.",
        "S3.us-east-1.amazonaws.com",
        "s3.us-east-1.amazonaws.com:443",
        "s3..us-east-1.amazonaws.com",
        "s3.us-east-1.notamazonaws.com",
        "xs3.us-east-1.amazonaws.com",
        "buckets3.us-east-1.amazonaws.com",
        "s3-fips.cn-north-1.amazonaws.com.cn",
        "s3.dualstack.amazonaws.com",
        "sqs.aws-global.amazonaws.com",
        "s3-accesspoint.us-east-1.amazonaws.com",
        "lent.s3-accesspoint.us-east-1.amazonaws.com",
        "lent-12345678901.s3-accesspoint.us-east-1.amazonaws.com",
        "a.lent-123456789012.s3-accesspoint.us-east-1.amazonaws.com",
        "lent-123456789012.s3-accesspoint.amazonaws.com",
        "data--use1-az4--x-s3.s3express-use1-az5.us-east-1.amazonaws.com",
        "s3express-use1-az4.us-east-1.amazonaws.com",
        "x.s3express-control.us-east-1.amazonaws.com",
        "s3-website-us-east-1.amazonaws.com",
        "ec2-1-2-3-4.compute-1.amazonaws.com",
        "bucket.s3.amazonaws.com.cn",
        "127.0.0.1",
        "169.254.169.254",
        "[::1]",
        "::ffff:169.254.169.254",
        "localhost",
        "s3.us-east-1.amazonaws.com@evil.example",
        "lambda.evil.us-east-1.amazonaws.com",
        "evil.queue.amazonaws.com",
        "cn-north-1.queue.amazonaws.com",
        "queue.amazonaws.com.cn",
    ] {
        let code = AwsHost::named(CATALOG, None, host).map_err(|denial| denial.code);
        assert_eq!(code, Err(DenialCode::Unmapped), "{host}");
    }
}

#[test]
fn a_host_of_another_partition_is_refused() {
    assert!(AwsHost::named(CATALOG, Some(Partition::Aws), "s3.cn-north-1.amazonaws.com.cn").is_err());
    assert!(AwsHost::named(CATALOG, Some(Partition::AwsCn), "s3.cn-north-1.amazonaws.com.cn").is_ok());
    assert!(AwsHost::named(CATALOG, Some(Partition::AwsUsGov), "iam.amazonaws.com").is_err());
}

/// Whether a session's authority may speak for a host.
fn in_domains(host: &str) -> bool {
    DOMAINS.iter().any(|domain| host.ends_with(&format!(".{domain}")))
}

fn named(host: &str) -> AwsHost {
    AwsHost::named(CATALOG, None, host).expect(host)
}

#[test]
fn a_host_takes_only_the_signatures_of_its_own_services_and_region() {
    let queue = named("sqs.eu-west-1.amazonaws.com");
    for (service, region, expected) in [
        ("sqs", "eu-west-1", true),
        ("sqs", "eu-west-2", false),
        ("sns", "eu-west-1", false),
        ("sns", "eu-west-2", false),
    ] {
        assert_eq!(queue.takes(service, region), expected, "{service} {region}");
    }
    let anywhere = named("abc123.mrap.accesspoint.s3-global.amazonaws.com");
    assert!(anywhere.takes("s3", "*") && anywhere.takes("s3", "eu-west-1,us-east-1"));
    assert!(!anywhere.takes("sqs", "*"));
}

#[test]
fn a_host_serves_only_the_operations_that_are_sent_there() {
    let listed = asked("lambda", "GET", "/2015-03-31/functions/").resolved();
    for (host, expected) in [
        ("lambda.eu-west-1.amazonaws.com", true),
        ("lambda-fips.us-east-1.amazonaws.com", false),
        ("sqs.eu-west-1.amazonaws.com", false),
    ] {
        assert_eq!(named(host).serves(&listed), expected, "{host}");
    }
    let call = |target| {
        let request = asked("servicediscovery", "POST", "/").header("content-type", "application/x-amz-json-1.1");
        let body = r#"{"NamespaceName":"n","ServiceName":"s"}"#;
        request.header("x-amz-target", target).with_body(body).expect("resolved")
    };
    let discover = call("Route53AutoNaming_v20170314.DiscoverInstances");
    let list = call("Route53AutoNaming_v20170314.ListNamespaces");
    let (own, data) =
        (named("servicediscovery.eu-west-1.amazonaws.com"), "data-servicediscovery.eu-west-1.amazonaws.com");
    assert!(own.serves(&list) && !own.serves(&discover));
    assert!(named(data).serves(&discover) && !named(data).serves(&list));
    let mut get = asked("s3", "GET", "/key");
    get.at = Some(named("lent.s3.eu-west-1.amazonaws.com"));
    let get = get.resolved();
    assert!(named("lent.s3.eu-west-1.amazonaws.com").serves(&get));
    assert!(!named("lent.s3-fips.us-east-1.amazonaws.com").serves(&get));
}

#[test]
fn hosts_of_access_points_and_directory_buckets_are_known_as_such() {
    assert_eq!(shown("point-123456789012.s3-accesspoint.eu-west-1.amazonaws.com"), "s3-accesspoint s3 eu-west-1 ");
    let numbered = named("my-point-2-123456789012.s3-accesspoint.eu-west-1.amazonaws.com");
    assert_eq!(numbered.point, Some(Point::Access { name: "my-point-2".into(), account: "123456789012".into() }));
    assert_eq!(shown("s3express-control.eu-north-1.amazonaws.com"), "s3express-control s3express eu-north-1 ");
    assert_eq!(shown("s3express-control-fips.us-east-1.amazonaws.com"), "s3express-control s3express us-east-1 ");
    assert_eq!(
        shown("lent--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com"),
        "s3express-use1-az4 s3express us-east-1 lent--use1-az4--x-s3"
    );
    let anywhere = named("abc123.mrap.accesspoint.s3-global.amazonaws.com");
    assert_eq!((anywhere.endpoints.join("+"), anywhere.region.as_str()), ("s3-global".to_owned(), "*"));
    assert_eq!(anywhere.prefix, "abc123.mrap");
    assert_eq!(anywhere.point, Some(Point::MultiRegion { alias: "abc123.mrap".into() }));
    assert_eq!(shown("a.dotted.name.s3-fips.us-west-2.amazonaws.com"), "s3 s3 us-west-2 a.dotted.name");
    assert_eq!(shown("a.dotted.name.s3.amazonaws.com"), "s3 s3 us-east-1 a.dotted.name");
}

#[test]
fn a_name_that_is_none_is_no_host_of_s3() {
    let long = format!("{}.s3.eu-west-1.amazonaws.com", "a".repeat(64));
    for host in [
        "b_u.s3.eu-west-1.amazonaws.com",
        "a..b.s3.eu-west-1.amazonaws.com",
        long.as_str(),
        "x.s3express-control.eu-north-1.amazonaws.com",
        "-a-123456789012.s3-accesspoint.eu-west-1.amazonaws.com",
        "a-123456789012.s3-accesspoint.eu-west-1.amazonaws.com",
        "abc-123.mrap.accesspoint.s3-global.amazonaws.com",
        ".mrap.accesspoint.s3-global.amazonaws.com",
        "abc123.accesspoint.s3-global.amazonaws.com",
    ] {
        assert!(AwsHost::named(CATALOG, None, host).is_err(), "{host}");
    }
}
