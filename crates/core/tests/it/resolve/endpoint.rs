//! Hosts and signing regions.

use hallpass_catalog::CATALOG;
use hallpass_core::denial::DenialCode;
use hallpass_core::resolve::Partition;
use hallpass_core::resolve::endpoint::endpoint;

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
    for unknown in ["us-iso-east-1", "eu-isoe-west-1", "eusc-de-east-1"] {
        assert_eq!(endpoint(CATALOG, None, "s3", unknown).expect_err(unknown).code, DenialCode::Unmapped, "{unknown}");
    }
}

#[test]
fn a_credential_stays_in_its_partition_and_a_name_in_the_table() {
    assert!(endpoint(CATALOG, Some(Partition::Aws), "s3", "cn-north-1").is_err());
    assert!(endpoint(CATALOG, Some(Partition::AwsCn), "s3", "cn-north-1").is_ok());
    for unknown in ["nosuch", "no.such", "evil.example/", "", "s3.evil"] {
        assert_eq!(endpoint(CATALOG, None, unknown, "us-east-1").expect_err(unknown).code, DenialCode::Unmapped);
    }
}
