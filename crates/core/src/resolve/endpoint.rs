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
    /// Isolated, top secret (US).
    AwsIso,
    /// Isolated, secret (US).
    AwsIsoB,
    /// Isolated (Europe).
    AwsIsoE,
    /// Isolated, for allies (US).
    AwsIsoF,
    /// European sovereign cloud.
    AwsEusc,
}

impl Partition {
    const ALL: [Self; 8] = [
        Self::Aws,
        Self::AwsCn,
        Self::AwsUsGov,
        Self::AwsIso,
        Self::AwsIsoB,
        Self::AwsIsoE,
        Self::AwsIsoF,
        Self::AwsEusc,
    ];

    /// The name in ARNs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::AwsCn => "aws-cn",
            Self::AwsUsGov => "aws-us-gov",
            Self::AwsIso => "aws-iso",
            Self::AwsIsoB => "aws-iso-b",
            Self::AwsIsoE => "aws-iso-e",
            Self::AwsIsoF => "aws-iso-f",
            Self::AwsEusc => "aws-eusc",
        }
    }

    /// The partition by its name in ARNs.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|partition| partition.as_str() == name)
    }

    /// The partition of a region, or of a pseudo region such as `aws-global`. Regions that other S3 stores make up
    /// (`auto`, `garage`) count as commercial. Source: `partitions.json` of botocore.
    ///
    /// # Errors
    /// [`DenialCode::Malformed`](crate::denial::DenialCode::Malformed) for text that cannot be a region,
    /// [`DenialCode::Unmapped`](crate::denial::DenialCode::Unmapped) for a partition without rules.
    pub fn of_region(region: &str) -> Result<Self, Denial> {
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if !(1..=32).contains(&region.len()) || !region.bytes().all(legal) {
            return Err(malformed("the region of the credential scope is not a region name"));
        }
        if let Some(partition) = region.strip_suffix(GLOBAL).and_then(Self::by_name) {
            return Ok(partition);
        }
        let mut words = region.split('-');
        match (words.next(), words.next()) {
            (Some("cn"), _) => Ok(Self::AwsCn),
            (Some("us"), Some("gov")) => Ok(Self::AwsUsGov),
            (Some("us"), Some("iso")) => Ok(Self::AwsIso),
            (Some("us"), Some("isob")) => Ok(Self::AwsIsoB),
            (Some("eu"), Some("isoe")) => Ok(Self::AwsIsoE),
            (Some("us"), Some("isof")) => Ok(Self::AwsIsoF),
            (Some("eusc"), _) => Ok(Self::AwsEusc),
            (_, Some(word)) if word.starts_with("iso") => {
                Err(unmapped("this isolated AWS partition is younger than what hallpass knows"))
            }
            _ => Ok(Self::Aws),
        }
    }

    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Aws | Self::AwsUsGov => "amazonaws.com",
            Self::AwsCn => "amazonaws.com.cn",
            Self::AwsIso => "c2s.ic.gov",
            Self::AwsIsoB => "sc2s.sgov.gov",
            Self::AwsIsoE => "cloud.adc-e.uk",
            Self::AwsIsoF => "csp.hci.ic.gov",
            Self::AwsEusc => "amazonaws.eu",
        }
    }
}

/// After a partition's name: the region of its global services, `aws-global`.
const GLOBAL: &str = "-global";

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
    endpoint_of(catalog, partition, name, region, Variant::default())
}

/// As [`endpoint`], for one of the region's other endpoints: FIPS, dual-stack, both.
///
/// # Errors
/// As [`endpoint`]; where the region has no such endpoint, the plain one never takes its place.
pub fn endpoint_of(
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
    let pseudo = is_pseudo_region(region);
    if !pseudo && !is_aws_region(region) {
        return Err(malformed("the region of the credential scope is not an AWS region, set AWS_REGION"));
    }
    let none = |id: &str| {
        let kind = match (variant.fips, variant.dual_stack) {
            (false, false) => "",
            (true, false) => "FIPS ",
            (false, true) => "dual-stack ",
            (true, true) => "dual-stack FIPS ",
        };
        unmapped(format!("{id} has no {kind}endpoint in this region that hallpass knows"))
    };
    if let Some(label) = s3_label(name, variant).filter(|_| !pseudo) {
        let of_rules = || (catalog.named)("s3").and_then(|api| api.host(own, region, variant));
        // What S3 itself does not have in a region, its access points and zones do not have either.
        if variant != Variant::default() && of_rules().is_none() {
            return Err(none(name));
        }
        let dual = if variant.dual_stack { ".dualstack" } else { "" };
        return Ok(Endpoint { host: format!("{label}{dual}.{region}.{}", own.suffix()), region: region.to_owned() });
    }
    let api = (catalog.named)(name).or_else(|| only_api_of(catalog, name));
    let api = api.ok_or_else(|| unmapped("the service has no endpoint rule"))?;
    // A pseudo region is no region to sign for: only a service with a home elsewhere has an endpoint in it.
    let found = api.host(own, region, variant).filter(|found| !(pseudo && found.region == region));
    found.ok_or_else(|| none(api.id))
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
pub fn hosts(
    catalog: Catalog,
    partition: Option<Partition>,
    signing_name: &str,
    region: &str,
    variant: Variant,
) -> Vec<String> {
    let names: Vec<&str> = match signing_name {
        "s3" => vec!["s3"],
        name => (catalog.signing_as)(name).into_iter().map(|api| api.id).collect(),
    };
    let made = |name| endpoint_of(catalog, partition, name, region, variant).ok().map(|made| made.host);
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

/// Whether a text is the region that a partition's global services have: `aws-global`, `aws-us-gov-global`.
pub fn is_pseudo_region(region: &str) -> bool {
    region.strip_suffix(GLOBAL).is_some_and(|name| Partition::by_name(name).is_some())
}

/// Whether a text has the form of a region's name, `us-east-1`, `us-gov-west-1`, `eusc-de-east-1`: two letters or
/// `eusc`, one or more words, one or two digits.
pub fn is_aws_region(region: &str) -> bool {
    let parts: Vec<&str> = region.split('-').collect();
    let (Some(area), Some(number)) = (parts.first(), parts.last()) else { return false };
    let words = parts.get(1..parts.len().saturating_sub(1)).unwrap_or_default();
    (area.len() == 2 || *area == "eusc")
        && area.bytes().all(|b| b.is_ascii_lowercase())
        && !words.is_empty()
        && words.iter().all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()))
        && (1..=2).contains(&number.len())
        && number.bytes().all(|b| b.is_ascii_digit())
}
