//! Where a request goes: (partition, endpoint name, region) → host and signing region.
//! Source: the endpoint rule sets of botocore, reduced to one rule and the exceptions in the catalogue.

use super::service::{Service, at_endpoint, signing_as};
use super::{malformed, unmapped};
use crate::denial::Denial;

/// A set of AWS regions with its own identities, ARNs and hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Partition {
    /// The commercial regions.
    Aws,
    /// China.
    AwsCn,
    /// GovCloud (US).
    AwsUsGov,
}

impl Partition {
    /// The name in ARNs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::AwsCn => "aws-cn",
            Self::AwsUsGov => "aws-us-gov",
        }
    }

    /// The partition by its name in ARNs.
    pub fn by_name(name: &str) -> Option<Self> {
        [Self::Aws, Self::AwsCn, Self::AwsUsGov].into_iter().find(|partition| partition.as_str() == name)
    }

    /// The partition of a region. Regions that other S3 stores make up (`auto`, `garage`) count as commercial.
    ///
    /// # Errors
    /// [`DenialCode::Malformed`](crate::denial::DenialCode::Malformed) for text that cannot be a region,
    /// [`DenialCode::Unmapped`](crate::denial::DenialCode::Unmapped) for a partition without rules.
    pub fn of_region(region: &str) -> Result<Self, Denial> {
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if !(1..=32).contains(&region.len()) || !region.bytes().all(legal) {
            return Err(malformed("the region of the credential scope is not a region name"));
        }
        match region.split('-').next() {
            Some("cn") => Ok(Self::AwsCn),
            Some("us") if region.starts_with("us-gov-") => Ok(Self::AwsUsGov),
            Some("us" | "eu") if region.contains("-iso") => Err(unmapped("isolated AWS partitions are not supported")),
            Some("eusc") => Err(unmapped("the European sovereign partition is not supported")),
            _ => Ok(Self::Aws),
        }
    }

    fn suffix(self) -> &'static str {
        match self {
            Self::Aws | Self::AwsUsGov => "amazonaws.com",
            Self::AwsCn => "amazonaws.com.cn",
        }
    }
}

/// An upstream that rules, not the client, have named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Host name, to be reached over HTTPS on port 443.
    pub host: String,
    /// Region to sign with; the partition's home region for a global service.
    pub region: String,
}

/// The AWS endpoint of a request. `name` is [`Resolved::endpoint`](super::Resolved::endpoint), or the signing name of
/// a service that has one API only. `region` is the one of the credential scope: an SDK that was given an endpoint URL signs global services in its own region, and only
/// the result here is the region that AWS expects. The child's own host is never used.
///
/// # Errors
/// [`DenialCode::Malformed`](crate::denial::DenialCode::Malformed) for a region that is not one of AWS's or not of
/// the partition, [`DenialCode::Unmapped`](crate::denial::DenialCode::Unmapped) for a name without a rule.
pub fn endpoint(partition: Option<Partition>, name: &str, region: &str) -> Result<Endpoint, Denial> {
    let own = Partition::of_region(region)?;
    if partition.is_some_and(|partition| partition != own) {
        return Err(malformed("the region of the credential scope belongs to another partition than the credential"));
    }
    if !is_aws_region(region) {
        return Err(malformed("the region of the credential scope is not an AWS region, set AWS_REGION"));
    }
    let (name, special) = match name {
        "s3" => ("s3", None),
        _ => {
            let service = at_endpoint(name).or_else(|| only_api_of(name));
            let service = service.ok_or_else(|| unmapped("the service has no endpoint rule"))?;
            (service.endpoint, service.host(own))
        }
    };
    let Some(special) = special else {
        return Ok(Endpoint { host: format!("{name}.{region}.{}", own.suffix()), region: region.to_owned() });
    };
    let (host, home) = special.split_once('@').unwrap_or((special, region));
    Ok(Endpoint { host: host.replace("{}", region), region: home.to_owned() })
}

/// The hosts of every API that signs with this name in this region.
pub fn hosts(partition: Option<Partition>, signing_name: &str, region: &str) -> Vec<String> {
    let names: Vec<&str> = match signing_name {
        "s3" => vec!["s3"],
        name => signing_as(name).map(|service| service.endpoint).collect(),
    };
    names.into_iter().filter_map(|name| endpoint(partition, name, region).ok()).map(|made| made.host).collect()
}

fn only_api_of(signing_name: &str) -> Option<&'static Service> {
    let mut found = signing_as(signing_name);
    found.next().filter(|_| found.next().is_none())
}

/// The region that a request is made in as far as policies are concerned; global services are in their home region.
pub(super) fn requested_region(partition: Partition, name: &str, region: &str) -> String {
    let special = at_endpoint(name).and_then(|service| service.host(partition));
    special.and_then(|host| host.split_once('@')).map_or(region, |(_, home)| home).to_owned()
}

/// `us-east-1`, `ap-southeast-4`, `us-gov-west-1`: two letters, one or more words, one or two digits.
pub(super) fn is_aws_region(region: &str) -> bool {
    let parts: Vec<&str> = region.split('-').collect();
    let (Some(area), Some(number)) = (parts.first(), parts.last()) else { return false };
    let words = parts.get(1..parts.len().saturating_sub(1)).unwrap_or_default();
    area.len() == 2
        && area.bytes().all(|b| b.is_ascii_lowercase())
        && !words.is_empty()
        && words.iter().all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()))
        && (1..=2).contains(&number.len())
        && number.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{Partition, endpoint};
    use crate::denial::DenialCode;

    fn at(name: &str, region: &str) -> String {
        endpoint(None, name, region).map(|e| format!("{}@{}", e.host, e.region)).expect("an endpoint")
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
        for bad in [
            "",
            "us-east-1.evil.example",
            "us-east-1/",
            "us-east-1@evil",
            "US-EAST-1",
            "auto",
            "a-b-1",
            "us--1",
            "us-1",
        ] {
            assert_eq!(endpoint(None, "s3", bad).expect_err(bad).code, DenialCode::Malformed, "{bad}");
        }
        for unknown in ["us-iso-east-1", "eu-isoe-west-1", "eusc-de-east-1"] {
            assert_eq!(endpoint(None, "s3", unknown).expect_err(unknown).code, DenialCode::Unmapped, "{unknown}");
        }
    }

    #[test]
    fn a_credential_stays_in_its_partition_and_a_name_in_the_table() {
        assert!(endpoint(Some(Partition::Aws), "s3", "cn-north-1").is_err());
        assert!(endpoint(Some(Partition::AwsCn), "s3", "cn-north-1").is_ok());
        for unknown in ["lambda", "ses", "evil.example/", "", "s3.evil"] {
            assert_eq!(endpoint(None, unknown, "us-east-1").expect_err(unknown).code, DenialCode::Unmapped);
        }
    }
}
