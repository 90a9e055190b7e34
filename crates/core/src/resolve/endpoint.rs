//! Where a request goes: (partition, endpoint name, region) → host and signing region.
//! Source: the endpoint rule sets of botocore, as the catalogue has them.

use super::catalog::{Api, Catalog, Variant};
use super::host::s3::is_zone;
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
pub fn endpoint(catalog: Catalog, partition: Option<Partition>, name: &str, region: &str) -> Result<Endpoint, Denial> {
    variant_endpoint(catalog, partition, name, region, Variant::default())
}

/// As [`endpoint`], for one of the region's variants.
///
/// # Errors
/// As [`endpoint`].
pub fn variant_endpoint(
    catalog: Catalog,
    partition: Option<Partition>,
    name: &str,
    region: &str,
    variant: Variant,
) -> Result<Endpoint, Denial> {
    if name == "s3-global" && partition.is_none_or(|partition| partition == Partition::Aws) {
        return Ok(Endpoint { host: "accesspoint.s3-global.amazonaws.com".to_owned(), region: region.to_owned() });
    }
    let own = Partition::of_region(region)?;
    if partition.is_some_and(|partition| partition != own) {
        return Err(malformed("the region of the credential scope belongs to another partition than the credential"));
    }
    if !is_aws_region(region) {
        return Err(malformed("the region of the credential scope is not an AWS region, set AWS_REGION"));
    }
    if let Some(label) = s3_label(name, variant) {
        let dual = if variant.dual_stack { ".dualstack" } else { "" };
        return Ok(Endpoint { host: format!("{label}{dual}.{region}.{}", own.suffix()), region: region.to_owned() });
    }
    let api = (catalog.named)(name).or_else(|| only_api_of(catalog, name));
    let api = api.ok_or_else(|| unmapped("the service has no endpoint rule"))?;
    let found = api.host(own, region, variant);
    found.ok_or_else(|| unmapped(format!("{} has no endpoint in this region that hallpass knows", api.id)))
}

/// The label of S3's hosts, which follow no rule of the catalogue.
fn s3_label(name: &str, variant: Variant) -> Option<String> {
    let fips = if variant.fips { "-fips" } else { "" };
    match name {
        "s3" | "s3-accesspoint" | "s3express-control" => Some(format!("{name}{fips}")),
        _ => {
            let zone = name.strip_prefix("s3express-").filter(|zone| is_zone(zone))?;
            Some(format!("s3express{fips}-{zone}"))
        }
    }
}

/// STS's own endpoint of a region, which has one form in every partition.
///
/// # Errors
/// As [`endpoint`], for a region that is not one of AWS's.
pub fn regional_sts(region: &str) -> Result<Endpoint, Denial> {
    let suffix = Partition::of_region(region)?.suffix();
    if !is_aws_region(region) {
        return Err(malformed("the region is not an AWS region, set AWS_REGION"));
    }
    Ok(Endpoint { host: format!("sts.{region}.{suffix}"), region: region.to_owned() })
}

/// The hosts of every API that signs with this name in this region.
pub fn hosts(catalog: Catalog, partition: Option<Partition>, signing_name: &str, region: &str) -> Vec<String> {
    let names: Vec<&str> = match signing_name {
        "s3" => vec!["s3"],
        name => (catalog.signing_as)(name).into_iter().map(|api| api.id).collect(),
    };
    let made = |name| endpoint(catalog, partition, name, region).ok().map(|made| made.host);
    names.into_iter().filter_map(made).collect()
}

fn only_api_of(catalog: Catalog, signing_name: &str) -> Option<&'static Api> {
    match (catalog.signing_as)(signing_name).as_slice() {
        [api] => Some(api),
        _ => None,
    }
}

/// The region that a request is made in as far as policies are concerned; global services are in their home region.
pub(super) fn requested_region(partition: Partition, api: &Api, region: &str) -> String {
    api.host(partition, region, Variant::default()).map_or_else(|| region.to_owned(), |endpoint| endpoint.region)
}

/// Whether a text has the form of a region's name: `us-east-1`, `ap-southeast-4`, `us-gov-west-1`: two letters, one or more words, one or two digits.
pub fn is_aws_region(region: &str) -> bool {
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
