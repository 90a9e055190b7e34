//! Hosts and signing regions.

use hallpass_catalog::CATALOG;
use hallpass_core::denial::DenialCode;
use hallpass_core::resolve::Partition;
use hallpass_core::resolve::catalog::Variant;
use hallpass_core::resolve::endpoint::{endpoint, endpoint_of, hosts, regional_sts};

fn at(name: &str, region: &str) -> String {
    endpoint(CATALOG, None, name, region).map(|e| format!("{}@{}", e.host, e.region)).expect("an endpoint")
}

#[test]
fn hosts_are_those_of_the_rule_sets() {
    for (name, region, expected) in [
        ("s3", "us-east-1", "s3.us-east-1.amazonaws.com@us-east-1"),
        ("s3", "cn-north-1", "s3.cn-north-1.amazonaws.com.cn@cn-north-1"),
        ("sts", "eu-central-1", "sts.eu-central-1.amazonaws.com@eu-central-1"),
        ("iam", "eu-central-1", "iam.amazonaws.com@us-east-1"),
        ("iam", "us-gov-east-1", "iam.us-gov.amazonaws.com@us-gov-west-1"),
        ("iam", "cn-northwest-1", "iam.cn-north-1.amazonaws.com.cn@cn-north-1"),
        ("organizations", "ap-south-1", "organizations.us-east-1.amazonaws.com@us-east-1"),
        ("ec2", "us-gov-west-1", "ec2.us-gov-west-1.amazonaws.com@us-gov-west-1"),
        ("email", "us-west-2", "email.us-west-2.amazonaws.com@us-west-2"),
        ("streams.dynamodb", "us-west-2", "streams.dynamodb.us-west-2.amazonaws.com@us-west-2"),
        ("transcribe", "cn-north-1", "cn.transcribe.cn-north-1.amazonaws.com.cn@cn-north-1"),
        ("ecr", "us-west-2", "api.ecr.us-west-2.amazonaws.com@us-west-2"),
        ("monitoring", "eu-west-1", "monitoring.eu-west-1.amazonaws.com@eu-west-1"),
        ("s3", "us-iso-east-1", "s3.us-iso-east-1.c2s.ic.gov@us-iso-east-1"),
        ("sqs", "us-isob-east-1", "sqs.us-isob-east-1.sc2s.sgov.gov@us-isob-east-1"),
        ("sts", "eu-isoe-west-1", "sts.eu-isoe-west-1.cloud.adc-e.uk@eu-isoe-west-1"),
        ("ec2", "us-isof-south-1", "ec2.us-isof-south-1.csp.hci.ic.gov@us-isof-south-1"),
        ("lambda", "eusc-de-east-1", "lambda.eusc-de-east-1.amazonaws.eu@eusc-de-east-1"),
        ("iam", "us-iso-east-1", "iam.us-iso-east-1.c2s.ic.gov@us-iso-east-1"),
        ("iam", "aws-global", "iam.amazonaws.com@us-east-1"),
        ("sts", "aws-global", "sts.amazonaws.com@us-east-1"),
        ("s3", "aws-global", "s3.amazonaws.com@us-east-1"),
        ("iam", "aws-us-gov-global", "iam.us-gov.amazonaws.com@us-gov-west-1"),
    ] {
        assert_eq!(at(name, region), expected);
    }
}

#[test]
fn a_region_never_becomes_another_host() {
    for bad in
        ["", "us-east-1.evil.example", "us-east-1/", "us-east-1@evil", "US-EAST-1", "auto", "a-b-1", "us--1", "us-1"]
    {
        assert_eq!(endpoint(CATALOG, None, "s3", bad).expect_err(bad).code, DenialCode::Malformed, "{bad}");
    }
    assert_eq!(endpoint(CATALOG, None, "s3", "us-isox-east-1").expect_err("unknown").code, DenialCode::Unmapped);
    let made_up = endpoint(CATALOG, None, "sqs", "aws-global").expect_err("SQS has no home");
    assert_eq!(made_up.code, DenialCode::Unmapped);
    assert_eq!(endpoint(CATALOG, None, "iam", "evil-global").expect_err("no partition").code, DenialCode::Malformed);
}

#[test]
fn fips_and_dual_stack_are_what_was_asked_and_never_the_plain_endpoint_instead() {
    let fips = Variant { fips: true, dual_stack: false };
    let dual = Variant { fips: false, dual_stack: true };
    let both = Variant { fips: true, dual_stack: true };
    let at = |name, region, variant| endpoint_of(CATALOG, None, name, region, variant).map(|found| found.host);
    for (name, region, variant, expected) in [
        ("s3", "us-east-1", fips, "s3-fips.us-east-1.amazonaws.com"),
        ("s3", "eu-west-1", dual, "s3.dualstack.eu-west-1.amazonaws.com"),
        ("s3", "us-gov-west-1", both, "s3-fips.dualstack.us-gov-west-1.amazonaws.com"),
        ("kms", "us-west-2", fips, "kms-fips.us-west-2.amazonaws.com"),
        ("sqs", "eu-west-1", dual, "sqs.eu-west-1.api.aws"),
        ("lambda", "cn-north-1", dual, "lambda.cn-north-1.api.amazonwebservices.com.cn"),
        ("lambda", "us-east-1", both, "lambda-fips.us-east-1.api.aws"),
    ] {
        assert_eq!(at(name, region, variant).as_deref(), Ok(expected));
    }
    let refused = at("s3", "cn-north-1", fips).expect_err("China has none");
    assert!(refused.code == DenialCode::Unmapped && refused.reason.contains("FIPS"), "{refused:?}");
}

#[test]
fn a_credential_stays_in_its_partition_and_a_name_in_the_table() {
    assert!(endpoint(CATALOG, Some(Partition::Aws), "s3", "cn-north-1").is_err());
    assert!(endpoint(CATALOG, Some(Partition::AwsCn), "s3", "cn-north-1").is_ok());
    for unknown in ["nosuch", "no.such", "evil.example/", "", "s3.evil"] {
        assert_eq!(endpoint(CATALOG, None, unknown, "us-east-1").expect_err(unknown).code, DenialCode::Unmapped);
    }
}

#[test]
fn only_the_name_of_a_zone_makes_an_endpoint_of_one() {
    let made = |zone: &str| endpoint(CATALOG, None, &format!("s3express-{zone}"), "us-east-1").map(|made| made.host);
    for zone in ["use1-az4", "usw2-lax1-az1", "use1-az12"] {
        assert_eq!(made(zone), Ok(format!("s3express-{zone}.us-east-1.amazonaws.com")));
    }
    for zone in ["az4", "use1-az", "use1-azx", "use1-foo", "use1--az4", "USE1-az4", "a-b-c-d-az1", "us_e-az4"] {
        assert!(made(zone).is_err(), "{zone}");
    }
}

#[test]
fn multi_region_access_points_have_one_host_in_one_partition() {
    let made = |partition| endpoint_of(CATALOG, partition, "s3-global", "*", Variant::default()).map(|made| made.host);
    let host = "accesspoint.s3-global.amazonaws.com".to_owned();
    assert_eq!((made(None), made(Some(Partition::Aws))), (Ok(host.clone()), Ok(host)));
    assert!(made(Some(Partition::AwsCn)).is_err());
}

#[test]
fn sts_has_its_own_endpoint_in_every_region() {
    let host = |region: &str| regional_sts(region).map(|made| made.host);
    assert_eq!(host("eu-west-1"), Ok("sts.eu-west-1.amazonaws.com".to_owned()));
    assert_eq!(host("cn-north-1"), Ok("sts.cn-north-1.amazonaws.com.cn".to_owned()));
    for region in ["", "nonsense", "aws-global", "eu-west-1.evil.example"] {
        assert!(host(region).is_err(), "{region}");
    }
}

#[test]
fn a_signing_name_stands_for_the_hosts_of_its_services() {
    let found = |name: &str| hosts(CATALOG, None, name, "eu-west-1", Variant::default());
    assert_eq!(found("s3"), ["s3.eu-west-1.amazonaws.com"]);
    assert_eq!(found("sqs"), ["sqs.eu-west-1.amazonaws.com"]);
    assert!(found("nonsense").is_empty());
    assert_eq!(at("awsssoportal", "eu-west-1"), "portal.sso.eu-west-1.amazonaws.com@eu-west-1");
    assert!(endpoint(CATALOG, None, "aws-marketplace", "us-east-1").is_err(), "one of several");
}
