//! `hallpass s3 stat`.

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::Args;
use hallpass_s3::client::settings::Tags;
use hallpass_s3::client::{Client, GetOptions, ObjectHead, ObjectId};
use hallpass_s3::error::ErrorKind;
use hallpass_s3::rights::Rights;
use hallpass_s3::target::Remote;
use serde::Serialize;

use super::show;
use super::stores::{Failed, Stores};
use crate::error::{CommandError, ExitStatus};
use crate::output::clean;

const FAMILY: &str = "s3_stat";

/// Say what is known about an object, a prefix or a bucket
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 stat minio/data/a.txt --tags\n  \
    hallpass s3 stat minio/data/reports/\n  \
    hallpass s3 stat minio/data --json")]
pub(crate) struct StatArgs {
    /// The object, prefix or bucket
    #[arg(value_name = "PATH")]
    path: OsString,
    /// Its tags as well
    #[arg(long)]
    tags: bool,
    /// One version
    #[arg(long, value_name = "ID")]
    version_id: Option<String>,
}

/// What is known. What is not, or makes no sense for the kind, is `null`.
#[derive(Debug, Default, Serialize)]
struct Stat {
    kind: &'static str,
    bucket: String,
    key: Option<String>,
    size: Option<u64>,
    etag: Option<String>,
    last_modified: Option<String>,
    version_id: Option<String>,
    content_type: Option<String>,
    content_encoding: Option<String>,
    content_language: Option<String>,
    content_disposition: Option<String>,
    cache_control: Option<String>,
    expires: Option<String>,
    storage_class: Option<String>,
    encryption: Option<String>,
    encryption_key: Option<String>,
    parts: Option<u32>,
    metadata: Option<BTreeMap<String, String>>,
    checksums: Option<BTreeMap<String, String>>,
    tags: Option<BTreeMap<String, String>>,
    region: Option<String>,
    versioning: Option<&'static str>,
}

/// Says it.
pub(super) fn stat(stores: &Stores<'_>, args: &StatArgs) -> Result<ExitStatus, CommandError> {
    let remote = stores.in_bucket(&args.path)?;
    if let Some(status) = stores.settled(&[(&remote, rights(&remote, args))])? {
        return Ok(status);
    }
    stores.run(async {
        let client = stores.client(&remote)?;
        let found = match remote.key.as_str() {
            "" => of_bucket(&client, &remote.bucket, args.tags).await?,
            _ => of_key(&client, &remote, args).await?,
        };
        show::one(stores.printer(), FAMILY, &found, || found.lines())?;
        Ok(ExitStatus::Success)
    })
}

fn rights(remote: &Remote, args: &StatArgs) -> Rights {
    let Remote { bucket, key, .. } = remote;
    if key.is_empty() {
        let actions: &[_] = if args.tags {
            &["s3:ListBucket", "s3:GetBucketVersioning", "s3:GetBucketTagging"]
        } else {
            &["s3:ListBucket", "s3:GetBucketVersioning"]
        };
        return Rights::on_bucket(actions, bucket);
    }
    let actions: &[_] = match (args.version_id.is_some(), args.tags) {
        (false, false) => &["s3:GetObject"],
        (false, true) => &["s3:GetObject", "s3:GetObjectTagging"],
        (true, false) => &["s3:GetObjectVersion"],
        (true, true) => &["s3:GetObjectVersion", "s3:GetObjectVersionTagging"],
    };
    Rights::on_object(actions, bucket, key).and(Rights::on_bucket(&["s3:ListBucket"], bucket))
}

async fn of_bucket(client: &Client, bucket: &str, tags: bool) -> Result<Stat, Failed> {
    let head = client.head_bucket(bucket).await?;
    let versioning = match client.versioning(bucket).await {
        Ok(state) => Some(state.as_str()),
        // The bucket is there; this is not known.
        Err(error) if matches!(error.kind(), ErrorKind::Unsupported) || error.code() == "AccessDenied" => None,
        Err(error) => return Err(error.into()),
    };
    let tags = if tags { Some(client.bucket_tags(bucket).await?.into_iter().collect()) } else { None };
    Ok(Stat { kind: "bucket", bucket: head.name, region: head.region, versioning, tags, ..Stat::default() })
}

async fn of_key(client: &Client, remote: &Remote, args: &StatArgs) -> Result<Stat, Failed> {
    let version = args.version_id.clone();
    let object = ObjectId { version, ..ObjectId::new(&remote.bucket, &remote.key) };
    let head = match client.head(&object, &GetOptions::default()).await {
        Ok(head) => head,
        Err(error) if error.kind() == ErrorKind::NotFound && object.version.is_none() => {
            let folder = format!("{}/", remote.key.trim_end_matches('/'));
            if error.code() == "NoSuchBucket"
                || !client.named(&remote.bucket, folder.trim_end_matches('/')).await?.folder
            {
                return Err(error.into());
            }
            let bucket = remote.bucket.clone();
            return Ok(Stat { kind: "prefix", bucket, key: Some(folder), ..Stat::default() });
        }
        Err(error) => return Err(error.into()),
    };
    let tags: Option<Tags> = if args.tags { Some(client.object_tags(&object).await?) } else { None };
    Ok(Stat { tags: tags.map(|tags| tags.into_iter().collect()), ..Stat::of_object(remote, head) })
}

impl Stat {
    fn of_object(remote: &Remote, head: ObjectHead) -> Self {
        let properties = head.properties;
        Self {
            kind: "object",
            bucket: remote.bucket.clone(),
            key: Some(remote.key.clone()),
            size: Some(head.size),
            etag: head.etag.map(show::bare),
            last_modified: head.last_modified.map(|time| time.to_string()),
            version_id: head.version,
            content_type: properties.content_type,
            content_encoding: properties.content_encoding,
            content_language: properties.content_language,
            content_disposition: properties.content_disposition,
            cache_control: properties.cache_control,
            expires: properties.expires,
            storage_class: properties.storage_class,
            encryption: properties.encryption,
            encryption_key: properties.encryption_key,
            parts: head.parts,
            metadata: Some(properties.metadata.into_iter().collect()),
            checksums: Some(head.checksums.into_iter().collect()),
            ..Self::default()
        }
    }

    /// `name: value` for all that is known.
    fn lines(&self) -> String {
        let name = match &self.key {
            Some(key) => format!("{}/{key}", self.bucket),
            None => self.bucket.clone(),
        };
        let (size, parts) = (self.size.map(|size| size.to_string()), self.parts.map(|parts| parts.to_string()));
        let single = [
            ("kind", Some(self.kind)),
            ("name", Some(name.as_str())),
            ("size", size.as_deref()),
            ("etag", self.etag.as_deref()),
            ("last modified", self.last_modified.as_deref()),
            ("version", self.version_id.as_deref()),
            ("content type", self.content_type.as_deref()),
            ("content encoding", self.content_encoding.as_deref()),
            ("content language", self.content_language.as_deref()),
            ("content disposition", self.content_disposition.as_deref()),
            ("cache control", self.cache_control.as_deref()),
            ("expires", self.expires.as_deref()),
            ("storage class", self.storage_class.as_deref()),
            ("encryption", self.encryption.as_deref()),
            ("encryption key", self.encryption_key.as_deref()),
            ("parts", parts.as_deref()),
            ("region", self.region.as_deref()),
            ("versioning", self.versioning),
        ];
        let many = [("metadata", &self.metadata), ("checksum", &self.checksums), ("tag", &self.tags)];
        let single = single.into_iter().filter_map(|(name, value)| Some((name, clean::line(value?))));
        let many = many.into_iter().flat_map(|(name, pairs)| {
            let pairs = pairs.iter().flatten();
            pairs.map(move |(key, value)| (name, clean::line(&format!("{key}={value}"))))
        });
        single.chain(many).map(|(name, value)| format!("{name:<20} {value}")).collect::<Vec<_>>().join("\n")
    }
}
