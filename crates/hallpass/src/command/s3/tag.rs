//! `hallpass s3 tag`.

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::{Args, Subcommand};
use hallpass_core::limits::{S3_BUCKET_TAGS_MAX, S3_OBJECT_TAGS_MAX};
use hallpass_s3::client::settings::{Tags, check_tags};
use hallpass_s3::client::{Client, ObjectId};
use hallpass_s3::error::S3Error;
use hallpass_s3::rights::Rights;
use hallpass_s3::target::Remote;
use serde::Serialize;

use super::pipe::pair;
use super::show;
use super::stores::Stores;
use crate::alias::failure;
use crate::error::{CommandError, ExitStatus};
use crate::output::clean;

/// Set, list and remove tags of objects and buckets
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 tag set minio/data/a.txt team=blue stage=draft\n  \
    hallpass s3 tag list minio/data --json")]
pub(crate) struct TagArgs {
    #[command(subcommand)]
    command: TagCommand,
}

#[derive(Debug, Subcommand)]
enum TagCommand {
    Set(SetArgs),
    #[command(visible_alias = "ls")]
    List(ListArgs),
    #[command(visible_alias = "rm")]
    Remove(RemoveArgs),
}

/// Replace all tags
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 tag set minio/data/a.txt team=blue stage=draft\n  \
    hallpass s3 tag set minio/data cost-centre=42")]
struct SetArgs {
    #[command(flatten)]
    place: Place,
    /// The tags, `NAME=VALUE`; those that are not named go
    #[arg(value_name = "NAME=VALUE", required = true, value_parser = pair)]
    tags: Vec<(String, String)>,
}

/// List tags
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  hallpass s3 tag list minio/data/a.txt")]
struct ListArgs {
    #[command(flatten)]
    place: Place,
}

/// Remove all tags
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  hallpass s3 tag remove minio/data/a.txt")]
struct RemoveArgs {
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct Place {
    /// The object or bucket
    #[arg(value_name = "PATH")]
    path: OsString,
    /// One version of the object
    #[arg(long, value_name = "ID")]
    version_id: Option<String>,
}

#[derive(Serialize)]
struct Tagged<'a> {
    bucket: &'a str,
    key: Option<&'a str>,
    tags: BTreeMap<String, String>,
}

/// What is done with tags: the words of its rights, for objects, versions of them, and buckets.
#[derive(Clone, Copy)]
enum Verb {
    Set,
    List,
    Remove,
}

/// Does it.
pub(super) fn tag(stores: &Stores<'_>, args: &TagArgs) -> Result<ExitStatus, CommandError> {
    let (verb, place, tags) = match &args.command {
        TagCommand::Set(args) => (Verb::Set, &args.place, args.tags.clone()),
        TagCommand::List(args) => (Verb::List, &args.place, Tags::new()),
        TagCommand::Remove(args) => (Verb::Remove, &args.place, Tags::new()),
    };
    let remote = stores.in_bucket(&place.path)?;
    let most = if remote.key.is_empty() { S3_BUCKET_TAGS_MAX } else { S3_OBJECT_TAGS_MAX };
    check_tags(&tags, most).map_err(failure::of)?;
    if let Some(status) = stores.settled(&[(&remote, rights(verb, &remote, place.version_id.is_some()))])? {
        return Ok(status);
    }
    let object = ObjectId { version: place.version_id.clone(), ..ObjectId::new(&remote.bucket, &remote.key) };
    stores.run(async {
        let client = stores.client(&remote)?;
        let tags = done(&client, verb, &object, tags).await?;
        let Remote { bucket, key, .. } = &remote;
        let tagged =
            Tagged { bucket, key: Some(key.as_str()).filter(|key| !key.is_empty()), tags: tags.into_iter().collect() };
        let printer = stores.printer();
        match verb {
            Verb::List if printer.is_json() => show::one(printer, "s3_tag_list", &tagged, String::new)?,
            Verb::List => {
                for (name, value) in &tagged.tags {
                    printer.data(clean::line(&format!("{name}={value}")))?;
                }
            }
            Verb::Set => show::done(printer, "s3_tag_set", &tagged, || "tags set".to_owned())?,
            Verb::Remove => show::done(printer, "s3_tag_remove", &tagged, || "tags removed".to_owned())?,
        }
        Ok(ExitStatus::Success)
    })
}

fn rights(verb: Verb, remote: &Remote, version: bool) -> Rights {
    let Remote { bucket, key, .. } = remote;
    if key.is_empty() {
        let action = match verb {
            Verb::List => "s3:GetBucketTagging",
            Verb::Set | Verb::Remove => "s3:PutBucketTagging",
        };
        return Rights::on_bucket(&[action], bucket);
    }
    let action = match (verb, version) {
        (Verb::Set, false) => "s3:PutObjectTagging",
        (Verb::Set, true) => "s3:PutObjectVersionTagging",
        (Verb::List, false) => "s3:GetObjectTagging",
        (Verb::List, true) => "s3:GetObjectVersionTagging",
        (Verb::Remove, false) => "s3:DeleteObjectTagging",
        (Verb::Remove, true) => "s3:DeleteObjectVersionTagging",
    };
    Rights::on_object(&[action], bucket, key)
}

async fn done(client: &Client, verb: Verb, object: &ObjectId, tags: Tags) -> Result<Tags, S3Error> {
    let bucket = object.bucket.as_str();
    match (verb, object.key.is_empty()) {
        (Verb::List, true) => return client.bucket_tags(bucket).await,
        (Verb::List, false) => return client.object_tags(object).await,
        (Verb::Set, true) => client.set_bucket_tags(bucket, &tags).await?,
        (Verb::Set, false) => client.set_object_tags(object, &tags).await?,
        (Verb::Remove, true) => client.remove_bucket_tags(bucket).await?,
        (Verb::Remove, false) => client.remove_object_tags(object).await?,
    }
    Ok(tags)
}
