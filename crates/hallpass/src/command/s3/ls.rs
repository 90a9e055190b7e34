//! `hallpass s3 ls`.

use std::ffi::OsString;

use clap::Args;
use hallpass_core::budget::shown_bytes;
use hallpass_s3::client::Client;
use hallpass_s3::error::{ErrorKind, S3Error};
use hallpass_s3::rights::Rights;
use hallpass_s3::target::Remote;
use hallpass_s3::walk::{Entry, Walk, WalkOptions};
use serde::Serialize;

use super::show::{self, Item, Look};
use super::stores::{Failed, Stores};
use crate::error::{CommandError, ExitStatus};
use crate::output::count::counted;

const FAMILY: &str = "s3_ls";

/// List buckets, or what is in one
///
/// A key that is an object lists that object; a prefix that ends with `/`, or has keys below it, lists as a folder; any
/// other text lists what begins with it. Nothing at all is exit status 5, unless it is a bucket that is empty.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 ls minio\n  \
    hallpass s3 ls minio/data/reports/\n  \
    hallpass s3 ls minio/data --recursive --summarize\n  \
    hallpass s3 ls minio/data/a.txt --versions --json")]
pub(crate) struct LsArgs {
    /// The store, a bucket, or something in it
    #[arg(value_name = "PATH")]
    path: OsString,
    /// Everything below, not only one folder
    #[arg(short, long)]
    recursive: bool,
    /// All versions and delete markers
    #[arg(long, conflicts_with = "incomplete")]
    versions: bool,
    /// Uploads that were begun and not ended
    #[arg(short = 'I', long)]
    incomplete: bool,
    /// Say at the end how much it was
    #[arg(long)]
    summarize: bool,
    /// Sizes in bytes
    #[arg(long)]
    bytes: bool,
}

/// What was listed.
#[derive(Debug, Default, Serialize)]
struct Summary {
    objects: u64,
    prefixes: u64,
    bytes: u64,
}

/// Lists.
pub(super) fn ls(stores: &Stores<'_>, args: &LsArgs) -> Result<ExitStatus, CommandError> {
    let remote = stores.remote(&args.path)?;
    check(&remote, args)?;
    let rights = match (remote.bucket.as_str(), args.versions, args.incomplete) {
        ("", ..) => Rights::list_buckets(),
        (bucket, true, _) => Rights::on_bucket(&["s3:ListBucketVersions"], bucket),
        (bucket, _, true) => Rights::on_bucket(&["s3:ListBucketMultipartUploads"], bucket),
        (bucket, ..) => Rights::on_bucket(&["s3:ListBucket"], bucket),
    };
    if let Some(status) = stores.settled(&[(&remote, rights)])? {
        return Ok(status);
    }
    stores.run(async {
        let client = stores.client(&remote)?;
        let mut listing = Run { stores, args, client, remote, summary: Summary::default() };
        listing.all().await?;
        if args.summarize {
            let summary = &listing.summary;
            show::one(stores.printer(), "s3_ls_summary", summary, || {
                let size = if args.bytes { format!("{} B", summary.bytes) } else { shown_bytes(summary.bytes) };
                let objects = counted(summary.objects, "object", "objects");
                format!("{objects}, {}, {size}", counted(summary.prefixes, "prefix", "prefixes"))
            })?;
        }
        Ok(ExitStatus::Success)
    })
}

/// Refuses what says nothing about a list of buckets.
fn check(remote: &Remote, args: &LsArgs) -> Result<(), CommandError> {
    let asked = [(args.recursive, "--recursive"), (args.versions, "--versions"), (args.incomplete, "--incomplete")];
    let Some((_, flag)) = asked.into_iter().find(|(asked, _)| *asked && remote.bucket.is_empty()) else {
        return Ok(());
    };
    let alias = &remote.alias;
    let message = format!("`{flag}` needs a bucket, and `{alias}` is a whole store");
    Err(CommandError::usage("s3.no_bucket", message).next(format!("write it like `{alias}/bucket`")))
}

struct Run<'a> {
    stores: &'a Stores<'a>,
    args: &'a LsArgs,
    client: Client,
    remote: Remote,
    summary: Summary,
}

impl Run<'_> {
    async fn all(&mut self) -> Result<(), Failed> {
        let (bucket, key) = (self.remote.bucket.clone(), self.remote.key.clone());
        if bucket.is_empty() {
            let buckets = self.client.list_buckets().await?.into_iter().map(Item::of_bucket).collect();
            return self.print(buckets, "");
        }
        let base = key.rsplit_once('/').map_or("", |(base, _)| &key[..=base.len()]).to_owned();
        if self.args.incomplete {
            let mut listing = self.client.list_uploads(&bucket, &key);
            while let Some(page) = listing.next().await? {
                self.print(page.into_iter().map(Item::of_upload).collect(), &base)?;
            }
            return Ok(());
        }
        if self.args.versions || key.is_empty() || key.ends_with('/') {
            return self.below(key, &base).await;
        }
        let named = self.client.named(&bucket, &key).await?;
        if let Some(object) = named.object {
            let mut items = vec![Item::of_object(&bucket, object)];
            if named.folder && !self.args.recursive {
                items.push(Item::of_prefix(&bucket, format!("{key}/")));
            }
            self.print(items, &base)?;
            return if named.folder && self.args.recursive {
                self.below(format!("{key}/"), &base).await
            } else {
                Ok(())
            };
        }
        if named.folder {
            let folder = format!("{key}/");
            return self.below(folder.clone(), &folder).await;
        }
        self.below(key, &base).await
    }

    async fn below(&mut self, prefix: String, base: &str) -> Result<(), Failed> {
        let bucket = self.remote.bucket.clone();
        let options = WalkOptions {
            prefix: prefix.clone(),
            flat: !self.args.recursive,
            versions: self.args.versions,
            page: None,
        };
        let mut walk = Walk::new(&self.client, &bucket, options);
        while let Some(step) = walk.next().await? {
            let prefixes = step.prefixes.into_iter().map(|prefix| Item::of_prefix(&bucket, prefix));
            let entries = step.entries.into_iter().map(|entry| match entry {
                Entry::Object(object) => Item::of_object(&bucket, object),
                Entry::Version(version) => Item::of_version(&bucket, version),
            });
            self.print(prefixes.chain(entries).collect(), base)?;
        }
        if !prefix.is_empty() && self.summary.objects + self.summary.prefixes == 0 {
            let message = format!("nothing in `{}/{bucket}` begins with `{prefix}`", self.remote.alias);
            let next = format!("see `hallpass s3 ls {}/{bucket}`", self.remote.alias);
            return Err(S3Error::refused(ErrorKind::NotFound, "nothing_there", message, next).into());
        }
        Ok(())
    }

    fn print(&mut self, items: Vec<Item>, base: &str) -> Result<(), Failed> {
        for item in &items {
            match item.kind {
                "prefix" | "bucket" => self.summary.prefixes += 1,
                _ => self.summary.objects += 1,
            }
            self.summary.bytes += item.size.unwrap_or(0);
        }
        let look = Look::of(&items, self.stores.printer(), base, self.args.bytes);
        Ok(show::all(self.stores.printer(), FAMILY, &items, |item| item.line(&look))?)
    }
}
