//! Which AWS endpoint is that host? The inverse of [`endpoint`](super::endpoint::endpoint): only names that a rule
//! makes are known.
//! This is the one place that decides for which hosts a gate stands in.

pub(super) mod s3;

use std::borrow::Cow;

use super::catalog::{Catalog, Variant};
use super::endpoint::{endpoint_of, is_aws_region};
use super::{Partition, Resolved, unmapped};
use crate::denial::Denial;

/// The domains under which every AWS endpoint of the rules lies: nothing else may be certified by a session.
pub const DOMAINS: [&str; 14] = [
    "amazonaws.com",
    "api.aws",
    "amazonaws.com.cn",
    "api.amazonwebservices.com.cn",
    "c2s.ic.gov",
    "api.aws.ic.gov",
    "sc2s.sgov.gov",
    "api.aws.scloud",
    "cloud.adc-e.uk",
    "api.cloud-aws.adc-e.uk",
    "csp.hci.ic.gov",
    "api.aws.hci.ic.gov",
    "amazonaws.eu",
    "api.amazonwebservices.eu",
];

/// Where else AWS takes credentials or signatures: function URLs, sign-in, consoles. No endpoint rule makes them.
const ELSEWHERE: [&str; 6] =
    ["on.aws", "signin.aws", "signin.aws.amazon.com", "console.aws.amazon.com", "awsapps.com", "amazonaws-us-gov.com"];

/// Hosts of older SDKs and of version 1 of the `aws` command line that no rule makes: host with `{}` for the region,
/// the APIs behind it, their signing name, and the region where the host does not say it.
/// Source: `overridesslcommonname.py` of that command line.
const OLDER: [(&str, &[&str], &str, &str); 5] = [
    ("sts.{suffix}", &["sts"], "sts", "us-east-1"),
    ("queue.{suffix}", &["sqs"], "sqs", "us-east-1"),
    ("rds.{suffix}", &["rds", "docdb", "neptune"], "rds", "us-east-1"),
    ("{}.queue.{suffix}", &["sqs"], "sqs", ""),
    ("{}.elasticmapreduce.{suffix}", &["emr"], "elasticmapreduce", ""),
];

/// An AWS endpoint, by its host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsHost {
    /// The host, lower case, without a port.
    pub host: String,
    /// The APIs that answer there, by their ids, as [`Resolved::endpoint`] has them. Some share a host.
    pub endpoints: Vec<Cow<'static, str>>,
    /// The signing names that their requests carry.
    pub signing: Vec<&'static str>,
    /// The region that its requests are signed for; the home region of a global service.
    pub region: String,
    /// The bucket of an S3 virtual host.
    pub bucket: Option<String>,
    /// Which of the region's endpoints it is; its requests go to the same.
    pub variant: Variant,
    /// What else stands before the endpoint, `data` or `sync-`; empty for most.
    pub prefix: String,
    /// The access point that an S3 host names.
    pub point: Option<Point>,
}

/// An S3 access point, as its host names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Point {
    /// `NAME-ACCOUNT.s3-accesspoint…`: one region's.
    Access {
        /// Its name.
        name: String,
        /// The account that it belongs to.
        account: String,
    },
    /// `ALIAS.accesspoint.s3-global.amazonaws.com`: of several regions.
    MultiRegion {
        /// Its alias, `mfzwi23gnjvgw.mrap`.
        alias: String,
    },
}

/// Whether a host is AWS's, known to the rules or not, in whatever case and with a final dot or without: what a proxy
/// must never leave alone.
pub fn belongs_to_aws(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let under = |domain: &str| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    DOMAINS.iter().chain(&ELSEWHERE).any(|domain| under(domain))
}

impl AwsHost {
    /// The endpoint behind `host`, if the rules know one and it lies in `partition` (`None`: in any).
    ///
    /// # Errors
    /// [`DenialCode::Unmapped`](crate::denial::DenialCode::Unmapped) for every other host: another cloud, an address.
    pub fn named(catalog: Catalog, partition: Option<Partition>, host: &str) -> Result<Self, Denial> {
        let found = if is_plain_name(host) {
            s3::named(host).or_else(|| older(host)).or_else(|| of_rules(catalog, partition, host))
        } else {
            None
        };
        let found = found.ok_or_else(|| unmapped("the host is no AWS endpoint that hallpass knows"))?;
        // The same rule that a request to it will have to pass, so that a credential stays in its partition.
        let first = found.endpoints.first().map(AsRef::as_ref).unwrap_or_default();
        endpoint_of(catalog, partition, first, &found.region, found.variant).map(|_| found)
    }

    /// True when a request for this host may carry that credential scope.
    pub fn takes(&self, service: &str, region: &str) -> bool {
        let several = matches!(self.point, Some(Point::MultiRegion { .. }));
        self.signing.contains(&service) && (self.region == region || several)
    }

    /// True when the operation is one of those that this host serves.
    pub fn serves(&self, resolved: &Resolved) -> bool {
        let prefix = resolved.host_prefix.trim_end_matches('.');
        let own = self.endpoints.iter().any(|endpoint| *endpoint == resolved.endpoint);
        own && self.variant == resolved.variant && (self.bucket.is_some() || self.prefix == prefix)
    }
}

/// Lower-case labels under one of [`DOMAINS`]: no address, no port, no upper case, no final dot.
fn is_plain_name(host: &str) -> bool {
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    host.len() <= 253
        && host.split('.').all(|label| is_label(label) && label.bytes().all(legal))
        && DOMAINS.iter().any(|domain| host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')))
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
}

fn older(host: &str) -> Option<AwsHost> {
    let first = host.split('.').next().filter(|label| is_aws_region(label));
    let partition = first.map_or(Some(Partition::Aws), |region| Partition::of_region(region).ok())?;
    let asked = first.map_or_else(|| host.to_owned(), |region| host.replacen(region, "{}", 1));
    let asked = asked.strip_suffix(partition.suffix())?;
    let same = |(host, ..): &(&str, &[&str], &str, &str)| host.strip_suffix("{suffix}") == Some(asked);
    let (_, endpoints, signing, region) = OLDER.into_iter().find(same)?;
    Some(AwsHost {
        host: host.to_owned(),
        endpoints: endpoints.iter().map(|endpoint| Cow::Borrowed(*endpoint)).collect(),
        signing: vec![signing],
        region: first.unwrap_or(region).to_owned(),
        bucket: None,
        variant: Variant::default(),
        prefix: String::new(),
        point: None,
    })
}

/// The APIs of which the rules make exactly this host.
fn of_rules(catalog: Catalog, partition: Option<Partition>, host: &str) -> Option<AwsHost> {
    let found = (catalog.located)(partition, host)?;
    let mut signing: Vec<_> = found.apis.iter().map(|api| api.signing).collect();
    signing.dedup();
    let of_s3 = found.apis.iter().any(|api| api.id == "s3");
    let (bucket, prefix) = if of_s3 { (found.prefix, String::new()) } else { (String::new(), found.prefix) };
    Some(AwsHost {
        host: host.to_owned(),
        endpoints: found.apis.iter().map(|api| Cow::Borrowed(api.id)).collect(),
        signing,
        region: found.region,
        bucket: (!bucket.is_empty()).then_some(bucket),
        variant: found.variant,
        prefix,
        point: None,
    })
}
