//! Which S3 operation a method, a level and a query marker name. Source: Amazon S3 API Reference, "Actions", and the
//! IAM action names of the Service Authorization Reference. What is not here does not exist.

/// Where in the tree a request points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Service,
    Bucket,
    Object,
}

/// What of the body must be read before the request is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    Opaque,
    /// The keys to delete.
    Delete,
    /// A restore may write its result to another bucket.
    Restore,
    /// A new bucket may be tagged on creation.
    Create,
}

/// One operation of S3.
#[derive(Debug, Clone, Copy)]
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) level: Level,
    /// The sub-resource in the query; empty for none.
    pub(super) marker: &'static str,
    pub(super) operation: &'static str,
    /// IAM action, without `s3:`.
    pub(super) action: &'static str,
    /// IAM action when `versionId` is given; `None` where S3 takes no version.
    pub(super) versioned: Option<&'static str>,
    /// Parameters that must be there.
    pub(super) needs: &'static [&'static str],
    /// Parameters that may be there.
    pub(super) may: &'static [&'static str],
    /// Takes its content from another object, named in `x-amz-copy-source`.
    pub(super) copies: bool,
    pub(super) body: Body,
}

/// Every marker, also those of operations that are refused: two of them in one query are ambiguous.
pub(super) const MARKERS: [&str; 49] = [
    "abac",
    "accelerate",
    "acl",
    "analytics",
    "annotation",
    "append",
    "attributes",
    "cors",
    "delete",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "list-type",
    "location",
    "logging",
    "metadataAnnotationTable",
    "metadataConfiguration",
    "metadataInventoryTable",
    "metadataJournalTable",
    "metadataTable",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "renameObject",
    "replication",
    "requestPayment",
    "restore",
    "retention",
    "select",
    "session",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versioning",
    "versions",
    "website",
    // of other stores; known so that they are called ambiguous and never ignored
    "events",
    "lambdaArn",
    "mdsearch",
    "quota",
    "truncate",
    "zip-contents",
];

const OVERRIDES: &[&str] = &[
    "partNumber",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
];

const fn route(
    method: &'static str,
    level: Level,
    marker: &'static str,
    operation: &'static str,
    action: &'static str,
) -> Route {
    let (needs, may): (&[&str], &[&str]) = (&[], &[]);
    Route { method, level, marker, operation, action, versioned: None, needs, may, copies: false, body: Body::Opaque }
}

const fn bucket(method: &'static str, marker: &'static str, operation: &'static str, action: &'static str) -> Route {
    route(method, Level::Bucket, marker, operation, action)
}

const fn object(method: &'static str, marker: &'static str, operation: &'static str, action: &'static str) -> Route {
    route(method, Level::Object, marker, operation, action)
}

impl Route {
    const fn needs(self, needs: &'static [&'static str]) -> Self {
        Self { needs, ..self }
    }

    const fn may(self, may: &'static [&'static str]) -> Self {
        Self { may, ..self }
    }

    const fn version(self, action: &'static str) -> Self {
        Self { versioned: Some(action), ..self }
    }

    const fn copy(self) -> Self {
        Self { copies: true, ..self }
    }

    const fn read(self, body: Body) -> Self {
        Self { body, ..self }
    }

    /// Whether this operation takes a parameter of that name.
    pub(super) fn takes(&self, name: &str) -> bool {
        name == self.marker
            || self.needs.contains(&name)
            || self.may.contains(&name)
            || (name == "versionId" && self.versioned.is_some())
    }
}

/// The operations, the more particular first.
pub(super) const ROUTES: &[Route] = &[
    route("GET", Level::Service, "", "ListBuckets", "ListAllMyBuckets").may(&[
        "bucket-region",
        "continuation-token",
        "max-buckets",
        "max-directory-buckets",
        "prefix",
    ]),
    // buckets: contents
    bucket("HEAD", "", "HeadBucket", "ListBucket"),
    bucket("GET", "", "ListObjects", "ListBucket").may(&["delimiter", "encoding-type", "marker", "max-keys", "prefix"]),
    bucket("GET", "list-type", "ListObjectsV2", "ListBucket").may(&[
        "continuation-token",
        "delimiter",
        "encoding-type",
        "fetch-owner",
        "max-keys",
        "prefix",
        "start-after",
    ]),
    bucket("GET", "versions", "ListObjectVersions", "ListBucketVersions").may(&[
        "delimiter",
        "encoding-type",
        "key-marker",
        "max-keys",
        "prefix",
        "version-id-marker",
    ]),
    bucket("GET", "uploads", "ListMultipartUploads", "ListBucketMultipartUploads").may(&[
        "delimiter",
        "encoding-type",
        "key-marker",
        "max-uploads",
        "prefix",
        "upload-id-marker",
    ]),
    bucket("POST", "delete", "DeleteObjects", "DeleteObject").read(Body::Delete),
    // buckets: themselves
    bucket("PUT", "", "CreateBucket", "CreateBucket").read(Body::Create),
    bucket("DELETE", "", "DeleteBucket", "DeleteBucket"),
    bucket("GET", "location", "GetBucketLocation", "GetBucketLocation"),
    bucket("GET", "abac", "GetBucketAbac", "GetBucketAbac"),
    bucket("PUT", "abac", "PutBucketAbac", "PutBucketAbac"),
    bucket("GET", "accelerate", "GetBucketAccelerateConfiguration", "GetAccelerateConfiguration"),
    bucket("PUT", "accelerate", "PutBucketAccelerateConfiguration", "PutAccelerateConfiguration"),
    bucket("GET", "acl", "GetBucketAcl", "GetBucketAcl"),
    bucket("PUT", "acl", "PutBucketAcl", "PutBucketAcl"),
    bucket("GET", "cors", "GetBucketCors", "GetBucketCORS"),
    bucket("PUT", "cors", "PutBucketCors", "PutBucketCORS"),
    bucket("DELETE", "cors", "DeleteBucketCors", "PutBucketCORS"),
    bucket("GET", "encryption", "GetBucketEncryption", "GetEncryptionConfiguration"),
    bucket("PUT", "encryption", "PutBucketEncryption", "PutEncryptionConfiguration"),
    bucket("DELETE", "encryption", "DeleteBucketEncryption", "PutEncryptionConfiguration"),
    bucket("GET", "lifecycle", "GetBucketLifecycleConfiguration", "GetLifecycleConfiguration"),
    bucket("PUT", "lifecycle", "PutBucketLifecycleConfiguration", "PutLifecycleConfiguration"),
    bucket("DELETE", "lifecycle", "DeleteBucketLifecycle", "PutLifecycleConfiguration"),
    bucket("GET", "logging", "GetBucketLogging", "GetBucketLogging"),
    bucket("PUT", "logging", "PutBucketLogging", "PutBucketLogging"),
    bucket("GET", "metadataConfiguration", "GetBucketMetadataConfiguration", "GetBucketMetadataTableConfiguration"),
    bucket(
        "DELETE",
        "metadataConfiguration",
        "DeleteBucketMetadataConfiguration",
        "DeleteBucketMetadataTableConfiguration",
    ),
    bucket("GET", "metadataTable", "GetBucketMetadataTableConfiguration", "GetBucketMetadataTableConfiguration"),
    bucket(
        "DELETE",
        "metadataTable",
        "DeleteBucketMetadataTableConfiguration",
        "DeleteBucketMetadataTableConfiguration",
    ),
    bucket("GET", "notification", "GetBucketNotificationConfiguration", "GetBucketNotification"),
    bucket("PUT", "notification", "PutBucketNotificationConfiguration", "PutBucketNotification"),
    bucket("GET", "object-lock", "GetObjectLockConfiguration", "GetBucketObjectLockConfiguration"),
    bucket("PUT", "object-lock", "PutObjectLockConfiguration", "PutBucketObjectLockConfiguration"),
    bucket("GET", "ownershipControls", "GetBucketOwnershipControls", "GetBucketOwnershipControls"),
    bucket("PUT", "ownershipControls", "PutBucketOwnershipControls", "PutBucketOwnershipControls"),
    bucket("DELETE", "ownershipControls", "DeleteBucketOwnershipControls", "PutBucketOwnershipControls"),
    bucket("GET", "policy", "GetBucketPolicy", "GetBucketPolicy"),
    bucket("PUT", "policy", "PutBucketPolicy", "PutBucketPolicy"),
    bucket("DELETE", "policy", "DeleteBucketPolicy", "DeleteBucketPolicy"),
    bucket("GET", "policyStatus", "GetBucketPolicyStatus", "GetBucketPolicyStatus"),
    bucket("GET", "publicAccessBlock", "GetPublicAccessBlock", "GetBucketPublicAccessBlock"),
    bucket("PUT", "publicAccessBlock", "PutPublicAccessBlock", "PutBucketPublicAccessBlock"),
    bucket("DELETE", "publicAccessBlock", "DeletePublicAccessBlock", "PutBucketPublicAccessBlock"),
    bucket("GET", "replication", "GetBucketReplication", "GetReplicationConfiguration"),
    bucket("PUT", "replication", "PutBucketReplication", "PutReplicationConfiguration"),
    bucket("DELETE", "replication", "DeleteBucketReplication", "PutReplicationConfiguration"),
    bucket("GET", "requestPayment", "GetBucketRequestPayment", "GetBucketRequestPayment"),
    bucket("PUT", "requestPayment", "PutBucketRequestPayment", "PutBucketRequestPayment"),
    bucket("GET", "tagging", "GetBucketTagging", "GetBucketTagging"),
    bucket("PUT", "tagging", "PutBucketTagging", "PutBucketTagging"),
    bucket("DELETE", "tagging", "DeleteBucketTagging", "PutBucketTagging"),
    bucket("GET", "versioning", "GetBucketVersioning", "GetBucketVersioning"),
    bucket("PUT", "versioning", "PutBucketVersioning", "PutBucketVersioning"),
    bucket("GET", "website", "GetBucketWebsite", "GetBucketWebsite"),
    bucket("PUT", "website", "PutBucketWebsite", "PutBucketWebsite"),
    bucket("DELETE", "website", "DeleteBucketWebsite", "DeleteBucketWebsite"),
    // buckets: configurations with an id
    bucket("GET", "analytics", "GetBucketAnalyticsConfiguration", "GetAnalyticsConfiguration").needs(&["id"]),
    bucket("GET", "analytics", "ListBucketAnalyticsConfigurations", "GetAnalyticsConfiguration")
        .may(&["continuation-token"]),
    bucket("PUT", "analytics", "PutBucketAnalyticsConfiguration", "PutAnalyticsConfiguration").needs(&["id"]),
    bucket("DELETE", "analytics", "DeleteBucketAnalyticsConfiguration", "PutAnalyticsConfiguration").needs(&["id"]),
    bucket(
        "GET",
        "intelligent-tiering",
        "GetBucketIntelligentTieringConfiguration",
        "GetIntelligentTieringConfiguration",
    )
    .needs(&["id"]),
    bucket(
        "GET",
        "intelligent-tiering",
        "ListBucketIntelligentTieringConfigurations",
        "GetIntelligentTieringConfiguration",
    )
    .may(&["continuation-token"]),
    bucket(
        "PUT",
        "intelligent-tiering",
        "PutBucketIntelligentTieringConfiguration",
        "PutIntelligentTieringConfiguration",
    )
    .needs(&["id"]),
    bucket(
        "DELETE",
        "intelligent-tiering",
        "DeleteBucketIntelligentTieringConfiguration",
        "PutIntelligentTieringConfiguration",
    )
    .needs(&["id"]),
    bucket("GET", "inventory", "GetBucketInventoryConfiguration", "GetInventoryConfiguration").needs(&["id"]),
    bucket("GET", "inventory", "ListBucketInventoryConfigurations", "GetInventoryConfiguration")
        .may(&["continuation-token"]),
    bucket("PUT", "inventory", "PutBucketInventoryConfiguration", "PutInventoryConfiguration").needs(&["id"]),
    bucket("DELETE", "inventory", "DeleteBucketInventoryConfiguration", "PutInventoryConfiguration").needs(&["id"]),
    bucket("GET", "metrics", "GetBucketMetricsConfiguration", "GetMetricsConfiguration").needs(&["id"]),
    bucket("GET", "metrics", "ListBucketMetricsConfigurations", "GetMetricsConfiguration").may(&["continuation-token"]),
    bucket("PUT", "metrics", "PutBucketMetricsConfiguration", "PutMetricsConfiguration").needs(&["id"]),
    bucket("DELETE", "metrics", "DeleteBucketMetricsConfiguration", "PutMetricsConfiguration").needs(&["id"]),
    // objects
    object("GET", "", "GetObject", "GetObject").version("GetObjectVersion").may(OVERRIDES),
    object("HEAD", "", "HeadObject", "GetObject").version("GetObjectVersion").may(OVERRIDES),
    object("PUT", "", "CopyObject", "PutObject").copy(),
    object("PUT", "", "PutObject", "PutObject"),
    object("DELETE", "", "DeleteObject", "DeleteObject").version("DeleteObjectVersion"),
    object("GET", "acl", "GetObjectAcl", "GetObjectAcl").version("GetObjectVersionAcl"),
    object("PUT", "acl", "PutObjectAcl", "PutObjectAcl").version("PutObjectVersionAcl"),
    object("GET", "attributes", "GetObjectAttributes", "GetObjectAttributes").version("GetObjectVersionAttributes"),
    object("PUT", "encryption", "UpdateObjectEncryption", "UpdateObjectEncryption").version("UpdateObjectEncryption"),
    object("GET", "legal-hold", "GetObjectLegalHold", "GetObjectLegalHold").version("GetObjectLegalHold"),
    object("PUT", "legal-hold", "PutObjectLegalHold", "PutObjectLegalHold").version("PutObjectLegalHold"),
    object("POST", "restore", "RestoreObject", "RestoreObject").version("RestoreObject").read(Body::Restore),
    object("GET", "retention", "GetObjectRetention", "GetObjectRetention").version("GetObjectRetention"),
    object("PUT", "retention", "PutObjectRetention", "PutObjectRetention").version("PutObjectRetention"),
    object("POST", "select", "SelectObjectContent", "GetObject").needs(&["select-type"]),
    object("GET", "tagging", "GetObjectTagging", "GetObjectTagging").version("GetObjectVersionTagging"),
    object("PUT", "tagging", "PutObjectTagging", "PutObjectTagging").version("PutObjectVersionTagging"),
    object("DELETE", "tagging", "DeleteObjectTagging", "DeleteObjectTagging").version("DeleteObjectVersionTagging"),
    object("GET", "torrent", "GetObjectTorrent", "GetObjectTorrent"),
    // multipart uploads
    object("POST", "uploads", "CreateMultipartUpload", "PutObject"),
    object("PUT", "uploadId", "UploadPartCopy", "PutObject").needs(&["partNumber"]).copy(),
    object("PUT", "uploadId", "UploadPart", "PutObject").needs(&["partNumber"]),
    object("POST", "uploadId", "CompleteMultipartUpload", "PutObject"),
    object("DELETE", "uploadId", "AbortMultipartUpload", "AbortMultipartUpload"),
    object("GET", "uploadId", "ListParts", "ListMultipartUploadParts").may(&["max-parts", "part-number-marker"]),
];
