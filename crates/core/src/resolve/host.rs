//! Which AWS endpoint is that host? The inverse of [`endpoint`]: only names that a rule makes are known.
//! This is the one place that decides for which hosts a gate stands in.

use super::endpoint::{endpoint, is_aws_region};
use super::service::all;
use super::{Partition, unmapped};
use crate::denial::Denial;

/// The domains under which every AWS endpoint of the rules lies: nothing else may be certified by a session.
pub const DOMAINS: [&str; 4] = ["amazonaws.com", "amazonaws.com.cn", "api.aws", "api.amazonwebservices.com.cn"];

/// Hosts of older SDKs that no rule makes: `(host, endpoint name, signing name, region)`.
const OLDER: [(&str, &str, &str, &str); 1] = [("sts.amazonaws.com", "sts", "sts", "us-east-1")];

/// The home regions of global services, one for each partition that has them.
const HOMES: [&str; 5] = ["us-east-1", "us-gov-west-1", "cn-north-1", "cn-northwest-1", "us-west-2"];

/// An AWS endpoint, by its host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsHost {
    /// The host, lower case, without a port.
    pub host: String,
    /// Names the endpoint, `streams.dynamodb`: equal to [`Resolved::endpoint`](super::Resolved::endpoint).
    pub endpoint: &'static str,
    /// The signing name that its requests carry.
    pub signing: &'static str,
    /// The region that its requests are signed for; the home region of a global service.
    pub region: String,
    /// The bucket of an S3 virtual host.
    pub bucket: Option<String>,
}

impl AwsHost {
    /// The endpoint behind `host`, if the rules know one and it lies in `partition` (`None`: in any).
    ///
    /// # Errors
    /// [`DenialCode::Unmapped`](crate::denial::DenialCode::Unmapped) for every other host: another cloud, an address,
    /// a FIPS or dual-stack variant (the gate would send the request to the plain one, which is not what was asked).
    pub fn named(partition: Option<Partition>, host: &str) -> Result<Self, Denial> {
        let found = if is_plain_name(host) {
            s3(host).or_else(|| older(host)).or_else(|| of_rules(partition, host))
        } else {
            None
        };
        let found = found.ok_or_else(|| unmapped("the host is no AWS endpoint that hallpass knows"))?;
        // The same rule that a request to it will have to pass, so that a credential stays in its partition.
        endpoint(partition, found.endpoint, &found.region).map(|_| found)
    }

    /// True when a request for this host may carry that credential scope.
    pub fn takes(&self, service: &str, region: &str) -> bool {
        self.signing == service && self.region == region
    }
}

/// Lower-case labels under one of [`DOMAINS`]: no address, no port, no upper case, no final dot.
fn is_plain_name(host: &str) -> bool {
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(legal);
    host.len() <= 253
        && host.split('.').all(label)
        && DOMAINS.iter().any(|domain| host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')))
}

/// `[bucket.]s3.{region}.{suffix}`, and the older `[bucket.]s3.amazonaws.com` and `[bucket.]s3-{region}.{suffix}`.
fn s3(host: &str) -> Option<AwsHost> {
    let (rest, suffix) = [".amazonaws.com.cn", ".amazonaws.com"]
        .into_iter()
        .find_map(|suffix| host.strip_suffix(suffix).map(|rest| (rest, suffix)))?;
    let (before, region) = match rest.rsplit_once('.') {
        Some((before, region)) if is_aws_region(region) && ends_with_label(before, "s3") => {
            (before.strip_suffix("s3")?, region)
        }
        _ => {
            let (before, last) = rest.rsplit_once('.').map_or(("", rest), |(before, last)| (before, last));
            let region = match last.strip_prefix("s3") {
                Some("") if suffix == ".amazonaws.com" => "us-east-1",
                Some(older) => older.strip_prefix('-').filter(|region| is_aws_region(region))?,
                None => return None,
            };
            (before, region)
        }
    };
    let bucket = before.strip_suffix('.').unwrap_or(before);
    Some(AwsHost {
        host: host.to_owned(),
        endpoint: "s3",
        signing: "s3",
        region: region.to_owned(),
        bucket: (!bucket.is_empty()).then(|| bucket.to_owned()),
    })
}

fn ends_with_label(text: &str, label: &str) -> bool {
    text.strip_suffix(label).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn older(host: &str) -> Option<AwsHost> {
    let (_, endpoint, signing, region) = OLDER.into_iter().find(|(older, ..)| *older == host)?;
    Some(AwsHost { host: host.to_owned(), endpoint, signing, region: region.to_owned(), bucket: None })
}

/// The one service of which the rules make exactly this host in some region. Partitions share a few hosts.
fn of_rules(partition: Option<Partition>, host: &str) -> Option<AwsHost> {
    let regions = || host.split('.').filter(|label| is_aws_region(label)).chain(HOMES);
    all().find_map(|service| {
        let made = regions().find_map(|region| {
            endpoint(partition, service.endpoint, region).ok().filter(|made| made.host == host).map(|made| made.region)
        });
        made.map(|region| AwsHost {
            host: host.to_owned(),
            endpoint: service.endpoint,
            signing: service.signing,
            region,
            bucket: None,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::Partition;
    use super::super::endpoint::endpoint;
    use super::super::service::all;
    use super::{AwsHost, DOMAINS};
    use crate::denial::DenialCode;

    fn shown(host: &str) -> String {
        let found = AwsHost::named(None, host).expect(host);
        format!("{} {} {} {}", found.endpoint, found.signing, found.region, found.bucket.unwrap_or_default())
    }

    #[test]
    fn every_host_that_the_rules_make_is_known_as_what_it_is() {
        let mut count = 0;
        for service in all() {
            for region in ["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1"] {
                let made = endpoint(None, service.endpoint, region).expect("a rule");
                let own = Partition::of_region(region).expect("a region");
                let known = AwsHost::named(Some(own), &made.host).expect(&made.host);
                assert!(known.takes(service.signing, &made.region), "{} {known:?}", made.host);
                count += 1;
            }
        }
        assert!(count > 600, "{count}");
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
            "s3-fips.us-east-1.amazonaws.com",
            "s3.dualstack.us-east-1.amazonaws.com",
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
        ] {
            let code = AwsHost::named(None, host).map_err(|denial| denial.code);
            assert_eq!(code, Err(DenialCode::Unmapped), "{host}");
        }
    }

    #[test]
    fn a_host_of_another_partition_is_refused() {
        assert!(AwsHost::named(Some(Partition::Aws), "s3.cn-north-1.amazonaws.com.cn").is_err());
        assert!(AwsHost::named(Some(Partition::AwsCn), "s3.cn-north-1.amazonaws.com.cn").is_ok());
        assert!(AwsHost::named(Some(Partition::AwsUsGov), "iam.amazonaws.com").is_err());
    }

    #[test]
    fn every_host_of_the_rules_lies_in_the_domains() {
        for service in all() {
            for region in ["us-east-1", "cn-north-1", "us-gov-west-1"] {
                let made = endpoint(None, service.endpoint, region).expect("a rule").host;
                assert!(DOMAINS.iter().any(|d| made.ends_with(&format!(".{d}"))), "{made}");
            }
        }
    }
}
