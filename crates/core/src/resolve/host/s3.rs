//! The hosts of S3: buckets, access points and directory buckets, each in its FIPS and dual-stack forms.
//! Source: Amazon S3 user guide, "Virtual hosting of general purpose buckets", "Accessing a bucket through an access
//! point", "Regional and Zonal endpoints for directory buckets"; botocore's endpoint rules.

use std::borrow::Cow;

use super::super::catalog::Variant;
use super::super::endpoint::is_aws_region;
use super::{AwsHost, Point, is_label};

/// What the label before the region says.
enum Kind<'a> {
    Buckets,
    AccessPoints,
    DirectoryControl,
    /// Its availability zone.
    Zone(&'a str),
}

/// `[bucket.]s3[-fips][.dualstack].{region}.{suffix}` and its kin, and the older `[bucket.]s3.amazonaws.com` and
/// `[bucket.]s3-{region}.{suffix}`.
pub(super) fn named(host: &str) -> Option<AwsHost> {
    if let Some(alias) = host.strip_suffix(".accesspoint.s3-global.amazonaws.com") {
        return multi_region(host, alias);
    }
    let (rest, suffix) = [".amazonaws.com.cn", ".amazonaws.com"]
        .into_iter()
        .find_map(|suffix| host.strip_suffix(suffix).map(|rest| (rest, suffix)))?;
    let (before, region) = rest.rsplit_once('.').unwrap_or(("", rest));
    if is_aws_region(region) && !before.is_empty() {
        return in_region(host, before, region);
    }
    let region = match region.strip_prefix("s3") {
        Some("") if suffix == ".amazonaws.com" => "us-east-1",
        Some(older) => older.strip_prefix('-').filter(|region| is_aws_region(region))?,
        None => return None,
    };
    Some(plain(host, before, region, Variant::default()))
}

fn in_region(host: &str, before: &str, region: &str) -> Option<AwsHost> {
    let (before, dual_stack) = before.strip_suffix(".dualstack").map_or((before, false), |before| (before, true));
    let (name, label) = before.rsplit_once('.').unwrap_or(("", before));
    let (kind, fips) = kind(label)?;
    let variant = Variant { fips, dual_stack };
    match kind {
        Kind::Buckets => Some(plain(host, name, region, variant)),
        Kind::AccessPoints => {
            let point = access_point(name)?;
            let bare = plain(host, "", region, variant);
            let endpoints = vec![Cow::Borrowed("s3-accesspoint")];
            Some(AwsHost { endpoints, prefix: name.to_owned(), point: Some(point), ..bare })
        }
        Kind::DirectoryControl if name.is_empty() => {
            let bare = plain(host, "", region, variant);
            Some(AwsHost { endpoints: vec![Cow::Borrowed("s3express-control")], signing: vec!["s3express"], ..bare })
        }
        Kind::DirectoryControl => None,
        Kind::Zone(zone) => {
            let bare = plain(host, name, region, variant);
            let own = name.strip_suffix("--x-s3").and_then(|name| name.rsplit_once("--"));
            let endpoints = vec![Cow::Owned(format!("s3express-{zone}"))];
            own.filter(|(_, named)| *named == zone)?;
            Some(AwsHost { endpoints, signing: vec!["s3express"], ..bare })
        }
    }
}

/// `ALIAS.mrap`: the alias is made by S3, of letters and digits.
fn multi_region(host: &str, alias: &str) -> Option<AwsHost> {
    let name = alias.strip_suffix(".mrap")?;
    let legal = is_label(name) && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    legal.then(|| AwsHost {
        endpoints: vec![Cow::Borrowed("s3-global")],
        prefix: alias.to_owned(),
        point: Some(Point::MultiRegion { alias: alias.to_owned() }),
        ..plain(host, "", "*", Variant::default())
    })
}

fn kind(label: &str) -> Option<(Kind<'_>, bool)> {
    Some(match label {
        "s3" => (Kind::Buckets, false),
        "s3-fips" => (Kind::Buckets, true),
        "s3-accesspoint" => (Kind::AccessPoints, false),
        "s3-accesspoint-fips" => (Kind::AccessPoints, true),
        "s3express-control" => (Kind::DirectoryControl, false),
        "s3express-control-fips" => (Kind::DirectoryControl, true),
        _ => {
            let zone = label.strip_prefix("s3express-")?;
            let (zone, fips) = zone.strip_prefix("fips-").map_or((zone, false), |zone| (zone, true));
            (Kind::Zone(Some(zone).filter(|zone| is_zone(zone))?), fips)
        }
    })
}

fn plain(host: &str, bucket: &str, region: &str, variant: Variant) -> AwsHost {
    AwsHost {
        host: host.to_owned(),
        endpoints: vec![Cow::Borrowed("s3")],
        signing: vec!["s3"],
        region: region.to_owned(),
        bucket: (!bucket.is_empty()).then(|| bucket.to_owned()),
        prefix: String::new(),
        variant,
        point: None,
    }
}

/// `NAME-ACCOUNT`: names are 3 to 50 of `a-z 0-9 -` ("Access points restrictions and limitations").
fn access_point(label: &str) -> Option<Point> {
    let (name, account) = label.rsplit_once('-')?;
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    let legal = is_label(label) && is_point_name(name) && is_account;
    legal.then(|| Point::Access { name: name.to_owned(), account: account.to_owned() })
}

/// Whether a text can be the name of an access point.
pub(in super::super) fn is_point_name(name: &str) -> bool {
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (3..=50).contains(&name.len()) && name.bytes().all(legal) && !name.starts_with('-') && !name.ends_with('-')
}

/// The id of an availability or local zone, `use1-az4`, `usw2-lax1-az1`.
pub(in super::super) fn is_zone(text: &str) -> bool {
    let legal = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let last = text.rsplit('-').next().unwrap_or_default();
    let numbered = last.strip_prefix("az").is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    (2..=4).contains(&text.split('-').count()) && text.split('-').all(legal) && numbered
}
