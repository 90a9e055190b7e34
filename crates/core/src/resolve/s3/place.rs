//! What holds the objects of a request: a bucket, an access point in front of one, or a directory bucket.
//! Source: Amazon S3 user guide, "Configuring IAM policies for using access points", "Authorizing Regional endpoint
//! API operations" (directory buckets); Service Authorization Reference, "Resource types defined by Amazon S3".

use super::super::host::s3::{is_point_name, is_zone};
use super::super::host::{AwsHost, Point};
use super::super::{Partition, Request, Upstream, malformed, unmapped};
use super::name::check_bucket;
use crate::denial::Denial;
use crate::policy::Resource;

/// A holder of objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// No bucket: the service itself.
    Service,
    /// A general purpose bucket.
    Bucket(String),
    /// An access point. The request does not tell which bucket is behind it.
    Point {
        /// Its ARN, or a pattern for it.
        arn: String,
        /// Whether the ARN is exact. An alias does not tell the name.
        exact: bool,
    },
    /// A directory bucket.
    Directory {
        /// Its whole name, `NAME--ZONE--x-s3`.
        name: String,
        zone: String,
        arn: Resource,
    },
}

impl Place {
    /// The access point of a host.
    pub(super) fn of_host(request: &Request<'_>, partition: Partition, at: &AwsHost) -> Option<Self> {
        let partition = partition.as_str();
        at.point.as_ref().map(|point| match point {
            Point::Access { name, account } => {
                let arn = format!("arn:{partition}:s3:{}:{account}:accesspoint/{name}", request.region);
                Self::Point { arn, exact: true }
            }
            // The alias is the only one in the world; its account is not in the request.
            Point::MultiRegion { alias } => {
                Self::Point { arn: format!("arn:{partition}:s3::*:accesspoint/{alias}"), exact: false }
            }
        })
    }

    /// What stands where a bucket's name does.
    pub(super) fn named(request: &Request<'_>, partition: Partition, name: &str) -> Result<Self, Denial> {
        check_bucket(name, request.upstream)?;
        let aws = request.upstream == Upstream::Aws;
        if let Some(stem) = name.strip_suffix("--x-s3") {
            let zone = stem.rsplit_once("--").map(|(_, zone)| zone).filter(|zone| aws && is_zone(zone));
            let zone = zone.ok_or_else(|| unmapped("the name is not one of a directory bucket of AWS"))?;
            let account = request.caller.account;
            let arn = |account: &str| {
                format!("arn:{}:s3express:{}:{account}:bucket/{name}", partition.as_str(), request.region)
            };
            let arn = account.map_or_else(|| Resource::Pattern(arn("*")), |account| Resource::Exact(arn(account)));
            return Ok(Self::Directory { name: name.to_owned(), zone: zone.to_owned(), arn });
        }
        if name.ends_with("-s3alias") && aws {
            let arn = format!("arn:{}:s3:{}:*:accesspoint/*", partition.as_str(), request.region);
            return Ok(Self::Point { arn, exact: false });
        }
        if ["-s3alias", "--ol-s3", "--xa-s3", "--table-s3", ".mrap"].iter().any(|end| name.ends_with(end)) {
            return Err(unmapped("access points of this kind and table buckets are not resolved"));
        }
        Ok(Self::Bucket(name.to_owned()))
    }

    /// The object of an access point by its ARN, `arn:…:accesspoint/NAME/object/KEY`: the place and the key.
    pub(super) fn of_object_arn(partition: Partition, text: &str) -> Result<(Self, String), Denial> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let found = match parts.as_slice() {
            ["arn", own, "s3", region, account, rest] if *own == partition.as_str() => {
                let named = rest.strip_prefix("accesspoint/").and_then(|rest| rest.split_once("/object/"));
                let legal = super::super::endpoint::is_aws_region(region)
                    && account.len() == 12
                    && account.bytes().all(|b| b.is_ascii_digit());
                named.filter(|(name, key)| legal && is_point_name(name) && !key.is_empty()).map(|(name, key)| {
                    let arn = format!("arn:{own}:s3:{region}:{account}:accesspoint/{name}");
                    (Self::Point { arn, exact: true }, key.to_owned())
                })
            }
            _ => None,
        };
        found.ok_or_else(|| {
            unmapped("x-amz-copy-source names an object by an ARN that is not one of an access point of this partition")
        })
    }

    /// The place itself, or one of its objects. A directory bucket's objects have no ARNs.
    pub(super) fn resource(&self, partition: Partition, key: &str) -> Resource {
        match self {
            Self::Service => Resource::Exact("*".to_owned()),
            Self::Bucket(bucket) if key.is_empty() => {
                Resource::Exact(format!("arn:{}:s3:::{bucket}", partition.as_str()))
            }
            Self::Bucket(bucket) => Resource::Exact(format!("arn:{}:s3:::{bucket}/{key}", partition.as_str())),
            Self::Point { arn, exact } => {
                let arn = if key.is_empty() { arn.clone() } else { format!("{arn}/object/{key}") };
                if *exact { Resource::Exact(arn) } else { Resource::Pattern(arn) }
            }
            Self::Directory { arn, .. } => arn.clone(),
        }
    }

    /// The service that a request for it must be signed for.
    pub(super) fn check_service(&self, service: &str) -> Result<(), Denial> {
        match (self, service) {
            (Self::Directory { .. } | Self::Service, "s3express")
            | (Self::Service | Self::Bucket(_) | Self::Point { .. }, "s3") => Ok(()),
            (Self::Directory { .. }, _) => Err(malformed("a request to a directory bucket is signed for `s3express`")),
            _ => Err(malformed("only requests to directory buckets are signed for `s3express`")),
        }
    }
}

/// What S3 takes through an access point ("Access point compatibility", Amazon S3 user guide).
pub(super) const THROUGH_POINT: [&str; 33] = [
    "AbortMultipartUpload",
    "CompleteMultipartUpload",
    "CopyObject",
    "CreateMultipartUpload",
    "DeleteObject",
    "DeleteObjectTagging",
    "DeleteObjects",
    "GetBucketAcl",
    "GetBucketCors",
    "GetBucketLocation",
    "GetBucketNotificationConfiguration",
    "GetBucketPolicy",
    "GetObject",
    "GetObjectAcl",
    "GetObjectAttributes",
    "GetObjectLegalHold",
    "GetObjectRetention",
    "GetObjectTagging",
    "HeadBucket",
    "HeadObject",
    "ListMultipartUploads",
    "ListObjectVersions",
    "ListObjects",
    "ListObjectsV2",
    "ListParts",
    "PutObject",
    "PutObjectAcl",
    "PutObjectLegalHold",
    "PutObjectRetention",
    "PutObjectTagging",
    "RestoreObject",
    "UploadPart",
    "UploadPartCopy",
];
