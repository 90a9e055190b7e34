//! Directory buckets (S3 Express One Zone): one permission for all that happens to objects, and a few for the bucket.
//! Source: Amazon S3 user guide, "Authorizing Zonal endpoint API operations with CreateSession", "AWS Identity and
//! Access Management for Regional endpoint API operations"; Service Authorization Reference, "Amazon S3 Express".

use super::super::{Request, unmapped, unresolved};
use super::Call;
use super::place::Place;
use crate::denial::{Denial, DenialCode};
use crate::policy::{AccessRequest, Context};

/// Operations on the bucket: at the regional endpoint, in path style.
const CONTROL: [(&str, &str); 11] = [
    ("CreateBucket", "CreateBucket"),
    ("DeleteBucket", "DeleteBucket"),
    ("DeleteBucketEncryption", "PutEncryptionConfiguration"),
    ("DeleteBucketLifecycle", "PutLifecycleConfiguration"),
    ("DeleteBucketPolicy", "DeleteBucketPolicy"),
    ("GetBucketEncryption", "GetEncryptionConfiguration"),
    ("GetBucketLifecycleConfiguration", "GetLifecycleConfiguration"),
    ("GetBucketPolicy", "GetBucketPolicy"),
    ("PutBucketEncryption", "PutEncryptionConfiguration"),
    ("PutBucketLifecycleConfiguration", "PutLifecycleConfiguration"),
    ("PutBucketPolicy", "PutBucketPolicy"),
];
/// Operations on objects that only read.
const READS: [&str; 7] = [
    "GetObject",
    "GetObjectAttributes",
    "HeadBucket",
    "HeadObject",
    "ListMultipartUploads",
    "ListObjectsV2",
    "ListParts",
];
/// Operations on objects that write.
const WRITES: [&str; 9] = [
    "AbortMultipartUpload",
    "CompleteMultipartUpload",
    "CopyObject",
    "CreateMultipartUpload",
    "DeleteObject",
    "DeleteObjects",
    "PutObject",
    "UploadPart",
    "UploadPartCopy",
];

/// The permission for every operation on objects.
pub(super) const SESSION: &str = "s3express:CreateSession";

/// The operation of a route, which has another name where directory buckets are listed.
pub(super) fn operation(routed: &'static str, request: &Request<'_>) -> &'static str {
    if routed == "ListBuckets" && request.service == "s3express" { "ListDirectoryBuckets" } else { routed }
}

/// `CreateSession` itself is not passed on: what it returns works without the gate, and for the whole bucket.
pub(super) fn session_refused() -> Denial {
    let why = "`s3express:CreateSession` is not passed on: its credentials work for the whole bucket, past this gate";
    let how = "set AWS_S3_DISABLE_EXPRESS_SESSION_AUTH=true, so that each request is signed and decided by itself; \
               it then needs `s3express:CreateSession` in the policy";
    let denial = Denial::new(DenialCode::NotAllowed, why);
    Denial { how_to_ask: Some(how.to_owned()), action: Some(SESSION.to_owned()), ..denial }
}

impl Call<'_> {
    /// The access to a directory bucket; objects have no permissions of their own.
    pub(super) fn directory_accesses(&self) -> Result<Vec<AccessRequest>, Denial> {
        let resource = self.target.place.resource(self.partition, "");
        let operation = self.route.operation;
        if self.target.place == Place::Service {
            let action = "s3express:ListAllMyDirectoryBuckets".to_owned();
            return Ok(vec![AccessRequest { action, resource }]);
        }
        if let Some((_, action)) = CONTROL.iter().find(|(name, _)| *name == operation) {
            return Ok(vec![AccessRequest { action: format!("s3express:{action}"), resource }]);
        }
        if !READS.contains(&operation) && !WRITES.contains(&operation) {
            return Err(unmapped(format!("{operation} is no operation of directory buckets that hallpass knows")));
        }
        let mut all = vec![AccessRequest { action: SESSION.to_owned(), resource }];
        if let Some(source) = &self.source {
            if !matches!(source.place, Place::Directory { .. }) {
                let why =
                    "a copy from a general purpose bucket into a directory bucket is not resolved; read and put it";
                return Err(unresolved(why));
            }
            all.push(AccessRequest { action: SESSION.to_owned(), resource: source.place.resource(self.partition, "") });
        }
        Ok(all)
    }

    /// The mode that a session for this request would need.
    pub(super) fn session_mode(&self, context: &mut Context) {
        let operation = self.route.operation;
        if READS.contains(&operation) {
            context.set("s3express:SessionMode", "ReadOnly");
        } else if WRITES.contains(&operation) {
            context.set("s3express:SessionMode", "ReadWrite");
        } else {
            context.set_absent("s3express:SessionMode");
        }
    }

    /// The endpoint, what stands before it, and the path: a zone's endpoint takes virtual hosts only.
    pub(super) fn directory_endpoint(&self) -> (String, String, Option<String>) {
        let own = READS.contains(&self.route.operation) || WRITES.contains(&self.route.operation);
        match &self.target.place {
            Place::Directory { name, zone, .. } if own => {
                let path = self.request.path.strip_prefix('/').and_then(|rest| rest.strip_prefix(name.as_str()));
                let path = path.filter(|path| !path.is_empty()).unwrap_or("/");
                (format!("s3express-{zone}"), format!("{name}."), Some(path.to_owned()))
            }
            _ => ("s3express-control".to_owned(), String::new(), None),
        }
    }
}
