//! Condition keys that an S3 request carries, or certainly does not carry.
//! Source: Service Authorization Reference, "Condition keys for Amazon S3".

use super::super::wire::Parameters;
use super::super::{Request, circumstances, unmapped};
use super::Call;
use super::copy::Source;
use super::delete::Doomed;
use super::place::Place;
use crate::denial::Denial;
use crate::policy::Context;

/// Condition keys that repeat a header, and the header.
const FROM_HEADERS: [(&str, &str); 17] = [
    ("s3:object-lock-legal-hold", "x-amz-object-lock-legal-hold"),
    ("s3:object-lock-mode", "x-amz-object-lock-mode"),
    ("s3:object-lock-retain-until-date", "x-amz-object-lock-retain-until-date"),
    ("s3:x-amz-acl", "x-amz-acl"),
    ("s3:x-amz-bucket-namespace", "x-amz-bucket-namespace"),
    ("s3:x-amz-grant-full-control", "x-amz-grant-full-control"),
    ("s3:x-amz-grant-read", "x-amz-grant-read"),
    ("s3:x-amz-grant-read-acp", "x-amz-grant-read-acp"),
    ("s3:x-amz-grant-write", "x-amz-grant-write"),
    ("s3:x-amz-grant-write-acp", "x-amz-grant-write-acp"),
    ("s3:x-amz-metadata-directive", "x-amz-metadata-directive"),
    ("s3:x-amz-object-ownership", "x-amz-object-ownership"),
    ("s3:x-amz-server-side-encryption", "x-amz-server-side-encryption"),
    ("s3:x-amz-server-side-encryption-aws-kms-key-id", "x-amz-server-side-encryption-aws-kms-key-id"),
    ("s3:x-amz-server-side-encryption-customer-algorithm", "x-amz-server-side-encryption-customer-algorithm"),
    ("s3:x-amz-storage-class", "x-amz-storage-class"),
    ("s3:x-amz-website-redirect-location", "x-amz-website-redirect-location"),
];

/// Operations after the first of a multipart upload: what the first one set is not in the request.
const CONTINUES_UPLOAD: [&str; 3] = ["CompleteMultipartUpload", "UploadPart", "UploadPartCopy"];
/// Operations whose body says what otherwise a header says.
const SAYS_IN_BODY: [&str; 2] = ["PutObjectLegalHold", "PutObjectRetention"];

impl Call<'_> {
    pub(super) fn context(&self, keys: &[Doomed]) -> Result<Context, Denial> {
        let mut context = circumstances(self.request)?;
        let presigned = self.query.get("X-Amz-Algorithm").is_some();
        context.set_fixed("s3:authType", if presigned { "REST-QUERY-STRING" } else { "REST-HEADER" });
        context.set_fixed("s3:signatureversion", "AWS4-HMAC-SHA256");
        put(&mut context, "s3:x-amz-content-sha256", self.request.header("x-amz-content-sha256")?);
        let operation = self.route.operation;
        let certain = !CONTINUES_UPLOAD.contains(&operation) && !SAYS_IN_BODY.contains(&operation);
        for (key, header) in FROM_HEADERS {
            match self.request.header(header)? {
                Some(value) => context.set_fixed(key, value),
                None if certain => context.set_absent_fixed(key),
                None => {}
            }
        }
        if ["CompleteMultipartUpload", "PutObject"].contains(&operation) {
            put(&mut context, "s3:if-match", self.request.header("if-match")?);
            put(&mut context, "s3:if-none-match", self.request.header("if-none-match")?);
        }
        if self.source.is_none() {
            context.set_absent_fixed("s3:x-amz-copy-source");
        }
        let lists = ["ListBucket", "ListBucketVersions"].contains(&self.route.action);
        for (key, parameter) in [("s3:prefix", "prefix"), ("s3:delimiter", "delimiter"), ("s3:max-keys", "max-keys")] {
            put(&mut context, key, self.query.get(parameter).filter(|_| lists));
        }
        self.version_key(&mut context, keys);
        self.tag_keys(&mut context)?;
        self.point_keys(&mut context);
        if self.request.service == "s3express" {
            self.session_mode(&mut context);
        }
        Ok(context)
    }

    /// One version, certainly none, or unknown when a multi-object delete names several.
    fn version_key(&self, context: &mut Context, keys: &[Doomed]) {
        let source = self.source.as_ref().and_then(|source| source.version.as_deref());
        let first = keys.first().and_then(|doomed| doomed.version.as_deref());
        if keys.iter().all(|doomed| doomed.version.as_deref() == first) {
            put(context, "s3:VersionId", self.version().or(source).or(first));
        }
    }

    /// The access point, where one is named; certainly none where neither the target nor the source is one.
    fn point_keys(&self, context: &mut Context) {
        match &self.target.place {
            Place::Point { arn, exact: true } => {
                context.set("s3:DataAccessPointArn", arn.as_str());
                context.set("s3:DataAccessPointAccount", arn.split(':').nth(4).unwrap_or_default());
            }
            Place::Point { exact: false, .. } => {}
            Place::Service | Place::Bucket(_) | Place::Directory { .. } => {
                let plain = |source: &Source| matches!(source.place, Place::Bucket(_) | Place::Directory { .. });
                if self.source.as_ref().is_none_or(plain) {
                    for key in ["s3:DataAccessPointArn", "s3:DataAccessPointAccount", "s3:AccessPointNetworkOrigin"] {
                        context.set_absent(key);
                    }
                }
            }
        }
    }

    fn tag_keys(&self, context: &mut Context) -> Result<(), Denial> {
        match self.request.header("x-amz-tagging")? {
            Some(text) => {
                let tags = Parameters::of_form(text.as_bytes())?;
                for (name, value) in tags.iter() {
                    context.set(&format!("s3:RequestObjectTag/{name}"), value);
                }
                context
                    .set_all_fixed("s3:RequestObjectTagKeys", tags.iter().map(|(name, _)| name.to_owned()).collect());
                context.set_complete(OBJECT_TAGS);
            }
            None if ["PutObjectTagging", "CopyObject"].contains(&self.route.operation) => {}
            None => {
                context.set_absent_fixed("s3:RequestObjectTagKeys");
                context.set_complete(OBJECT_TAGS);
            }
        }
        Ok(())
    }
}

/// How the keys for the tags of a request begin.
const OBJECT_TAGS: &str = "s3:requestobjecttag/";

fn put(context: &mut Context, key: &'static str, value: Option<&str>) {
    match value {
        Some(value) => context.set_fixed(key, value),
        None => context.set_absent_fixed(key),
    }
}

/// `x-amz-*` headers that S3 defines and that we know the effect of.
const KNOWN_HEADERS: [&str; 46] = [
    "x-amz-acl",
    "x-amz-bucket-namespace",
    "x-amz-bucket-object-lock-enabled",
    "x-amz-bucket-object-lock-token",
    "x-amz-bypass-governance-retention",
    "x-amz-client-token",
    "x-amz-confirm-remove-self-bucket-access",
    "x-amz-content-sha256",
    "x-amz-copy-source",
    "x-amz-date",
    "x-amz-decoded-content-length",
    "x-amz-expected-bucket-owner",
    "x-amz-if-match-initiated-time",
    "x-amz-if-match-last-modified-time",
    "x-amz-if-match-size",
    "x-amz-max-parts",
    "x-amz-metadata-directive",
    "x-amz-mfa",
    "x-amz-mp-object-size",
    "x-amz-object-attributes",
    "x-amz-object-lock-legal-hold",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-retain-until-date",
    "x-amz-object-ownership",
    "x-amz-optional-object-attributes",
    "x-amz-part-number-marker",
    "x-amz-request-payer",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-security-token",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-bucket-key-enabled",
    "x-amz-server-side-encryption-context",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-server-side-encryption-customer-key-md5",
    "x-amz-skip-destination-validation",
    "x-amz-source-expected-bucket-owner",
    "x-amz-storage-class",
    "x-amz-tagging",
    "x-amz-tagging-directive",
    "x-amz-trailer",
    "x-amz-transition-default-minimum-object-size",
    "x-amz-user-agent",
    "x-amz-website-redirect-location",
    "x-amz-write-offset-bytes",
];
const KNOWN_PREFIXES: [&str; 6] = [
    "x-amz-checksum-",
    "x-amz-copy-source-if-",
    "x-amz-copy-source-range",
    "x-amz-copy-source-server-side-encryption-customer-",
    "x-amz-grant-",
    "x-amz-meta-",
];
/// Headers by which other stores do more than S3 would: unpack an archive, act as another method or user.
const FOREIGN_PREFIXES: [&str; 10] = [
    "seaweed-",
    "x-amz-meta-minio-snowball",
    "x-amz-meta-snowball",
    "x-ceph-",
    "x-garage-",
    "x-http-method",
    "x-method-override",
    "x-minio-",
    "x-rgw-",
    "x-rustfs-",
];

/// Refuses what might change the meaning of a request in a way that we do not know.
pub(super) fn refuse_unknown_headers(request: &Request<'_>) -> Result<(), Denial> {
    let begins = |name: &str, prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    for (name, _) in request.headers {
        let known = !name.starts_with("x-amz-") || KNOWN_HEADERS.contains(name) || begins(name, &KNOWN_PREFIXES);
        if !known || begins(name, &FOREIGN_PREFIXES) {
            let shown: String = name.chars().filter(char::is_ascii_graphic).take(64).collect();
            return Err(unmapped(format!("hallpass does not know what the header `{shown}` does to an S3 request")));
        }
        request.header(name)?;
    }
    Ok(())
}
