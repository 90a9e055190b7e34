//! Every permission that S3 checks for one request.

use super::super::malformed;
use super::Call;
use super::delete::Doomed;
use super::place::Place;
use crate::denial::Denial;
use crate::policy::{AccessRequest, Resource};

impl Call<'_> {
    /// The accesses that must all be allowed. `keys` are those of a multi-object delete.
    pub(super) fn accesses(&self, keys: &[Doomed]) -> Result<Vec<AccessRequest>, Denial> {
        if self.request.service == "s3express" {
            return self.directory_accesses();
        }
        let mut all = match self.route.operation {
            "DeleteObjects" => self.deletes(keys)?,
            _ => vec![self.main()],
        };
        match self.route.operation {
            "CreateBucket" => self.bucket_creation(&mut all)?,
            "PutBucketReplication" => all.push(access("iam:PassRole", Resource::Opaque)),
            "GetObjectAttributes" => {
                all.push(self.object_access(if self.version().is_some() { "GetObjectVersion" } else { "GetObject" }));
            }
            "PutObject" | "CopyObject" | "CreateMultipartUpload" => self.object_creation(&mut all),
            "DeleteObject" | "PutObjectRetention" if self.bypasses_governance()? => {
                all.push(self.object_access("BypassGovernanceRetention"));
            }
            _ => {}
        }
        // A conditional write or delete tells what is there (S3 user guide, "Conditional requests").
        if ["PutObject", "CompleteMultipartUpload", "DeleteObject"].contains(&self.route.operation)
            && self.request.has_header("if-match")
        {
            all.push(self.object_access("GetObject"));
        }
        self.source_access(&mut all)?;
        Ok(all)
    }

    fn main(&self) -> AccessRequest {
        let action = match (self.version(), self.route.versioned) {
            (Some(_), Some(versioned)) => versioned,
            _ => self.route.action,
        };
        self.object_access(action)
    }

    pub(super) fn bucket_access(&self, action: &str) -> AccessRequest {
        self.key_access(action, &self.target.place, "")
    }

    fn object_access(&self, action: &str) -> AccessRequest {
        self.key_access(action, &self.target.place, &self.target.key)
    }

    fn key_access(&self, action: &str, place: &Place, key: &str) -> AccessRequest {
        let resource = match (place, self.request.service) {
            // All buckets (S3 user guide, "Controlling access to a bucket with user policies"); their own service has
            // no ARN for directory buckets.
            (Place::Service, "s3") => Resource::Exact(format!("arn:{}:s3:::*", self.partition.as_str())),
            _ => place.resource(self.partition, key),
        };
        access(&format!("{}:{action}", self.request.service), resource)
    }

    fn deletes(&self, keys: &[Doomed]) -> Result<Vec<AccessRequest>, Denial> {
        let bypass = self.bypasses_governance()?;
        let mut all = Vec::with_capacity(keys.len());
        for doomed in keys {
            let action = if doomed.version.is_some() { "DeleteObjectVersion" } else { "DeleteObject" };
            all.push(self.key_access(action, &self.target.place, &doomed.key));
            if bypass {
                all.push(self.key_access("BypassGovernanceRetention", &self.target.place, &doomed.key));
            }
            if doomed.conditional {
                all.push(self.key_access("GetObject", &self.target.place, &doomed.key));
            }
        }
        Ok(all)
    }

    fn bucket_creation(&self, all: &mut Vec<AccessRequest>) -> Result<(), Denial> {
        if self.sets_acl() {
            all.push(self.bucket_access("PutBucketAcl"));
        }
        if self.request.has_header("x-amz-object-ownership") {
            all.push(self.bucket_access("PutBucketOwnershipControls"));
        }
        if self.flag("x-amz-bucket-object-lock-enabled")? {
            all.push(self.bucket_access("PutBucketObjectLockConfiguration"));
            all.push(self.bucket_access("PutBucketVersioning"));
        }
        Ok(())
    }

    fn object_creation(&self, all: &mut Vec<AccessRequest>) {
        let has = |name| self.request.has_header(name);
        if self.sets_acl() {
            all.push(self.object_access("PutObjectAcl"));
        }
        if has("x-amz-tagging") {
            all.push(self.object_access("PutObjectTagging"));
        }
        if has("x-amz-object-lock-mode") || has("x-amz-object-lock-retain-until-date") {
            all.push(self.object_access("PutObjectRetention"));
        }
        if has("x-amz-object-lock-legal-hold") {
            all.push(self.object_access("PutObjectLegalHold"));
        }
    }

    /// A copy reads its source, and takes the source's tags along unless told otherwise.
    fn source_access(&self, all: &mut Vec<AccessRequest>) -> Result<(), Denial> {
        let Some(source) = &self.source else { return Ok(()) };
        let versioned = source.version.is_some();
        let read = if versioned { "GetObjectVersion" } else { "GetObject" };
        all.push(self.key_access(read, &source.place, &source.key));
        if self.route.operation == "CopyObject" && self.request.header("x-amz-tagging-directive")? != Some("REPLACE") {
            let read_tags = if versioned { "GetObjectVersionTagging" } else { "GetObjectTagging" };
            all.push(self.key_access(read_tags, &source.place, &source.key));
            let write_tags = self.object_access("PutObjectTagging");
            if !all.contains(&write_tags) {
                all.push(write_tags);
            }
        }
        Ok(())
    }

    fn sets_acl(&self) -> bool {
        let sets = |name: &str| name == "x-amz-acl" || name.starts_with("x-amz-grant-");
        self.request.headers.iter().any(|(name, _)| sets(name))
    }

    fn bypasses_governance(&self) -> Result<bool, Denial> {
        self.flag("x-amz-bypass-governance-retention")
    }

    /// A header that is `true` or `false`; servers disagree about anything else.
    fn flag(&self, name: &str) -> Result<bool, Denial> {
        match self.request.header(name)? {
            None => Ok(false),
            Some(value) if value.eq_ignore_ascii_case("true") => Ok(true),
            Some(value) if value.eq_ignore_ascii_case("false") => Ok(false),
            Some(_) => Err(malformed(format!("the header `{name}` is neither `true` nor `false`"))),
        }
    }
}

/// What the accesses may mean as well: a bucket that the request does not tell stands behind each access point.
pub(super) fn behind(accesses: &[AccessRequest]) -> Vec<AccessRequest> {
    let bucket = |access: &AccessRequest| {
        let (Resource::Exact(arn) | Resource::Pattern(arn)) = &access.resource else { return None };
        let mut parts = arn.splitn(6, ':').skip(1);
        let (partition, _, region, account) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let point = parts.next()?.strip_prefix("accesspoint/").filter(|_| !region.is_empty() || !account.is_empty())?;
        let key = point.split_once("/object").map_or("", |(_, key)| key);
        let resource = Resource::Pattern(format!("arn:{partition}:s3:::*{key}"));
        Some(AccessRequest { action: access.action.clone(), resource })
    };
    accesses.iter().filter_map(bucket).collect()
}

fn access(action: &str, resource: Resource) -> AccessRequest {
    AccessRequest { action: action.to_owned(), resource }
}
