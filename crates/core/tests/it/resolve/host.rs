//! The endpoint rules, read backwards: which hosts a gate stands in for.

use std::collections::BTreeSet;

use hallpass_catalog::{CATALOG, all};
use hallpass_core::denial::DenialCode;
use hallpass_core::resolve::host::{AwsHost, DOMAINS, belongs_to_aws};
use hallpass_core::resolve::{Partition, endpoint::endpoint};

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
