//! `hallpass s3 rm`.

mod stdin;
mod tally;

use std::ffi::OsString;

use clap::Args;
use hallpass_s3::client::{Client, Doomed, GetOptions, ObjectId};
use hallpass_s3::error::{ErrorKind, S3Error};
use hallpass_s3::filter::Filter;
use hallpass_s3::removal::{RemovalOptions, remove_keys, remove_versions, remove_walk};
use hallpass_s3::rights::Rights;
use hallpass_s3::target::Remote;
use hallpass_s3::walk::{Entry, WalkOptions};

use super::stores::{Failed, Stores};
use crate::command::since::Since;
use crate::error::{CommandError, ExitStatus};
use crate::output::{clean, prompt};
use tally::Tally;

/// Remove objects
///
/// Without `-r` each path is one object, and one that is not there is said, with exit status 5. With `-r`, `dir` is the
/// object `dir` and all below `dir/`, never `directory`. A whole bucket asks first; without a terminal it needs `--force`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 rm minio/data/a.txt minio/data/b.txt\n  \
    hallpass s3 rm -r minio/data/tmp/ --older-than 30d --dry-run\n  \
    hallpass s3 rm -r minio/data/tmp/ --versions\n  \
    hallpass s3 find minio/data --name '*.bak' | hallpass s3 rm --stdin")]
pub(crate) struct RmArgs {
    /// The objects, or with `-r` prefixes or a bucket
    #[arg(value_name = "PATH", required_unless_present = "stdin")]
    paths: Vec<OsString>,
    /// Everything below as well
    #[arg(short, long)]
    recursive: bool,
    /// Do not ask, and do not mind what is not there
    #[arg(short, long)]
    force: bool,
    /// All versions and delete markers, for good
    #[arg(long, conflicts_with = "version_id")]
    versions: bool,
    /// This version, for good
    #[arg(long, value_name = "ID", conflicts_with_all = ["recursive", "stdin"])]
    version_id: Option<String>,
    /// Only what was written before: `30d` (ago), `2026-01-31` (midnight UTC) or `2026-01-31T12:00:00Z`
    #[arg(long, value_name = "WHEN", requires = "recursive")]
    older_than: Option<Since>,
    /// Only what was written since
    #[arg(long, value_name = "WHEN", requires = "recursive")]
    newer_than: Option<Since>,
    /// Say what would be removed, and remove nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Also what governance retention keeps, if you may
    #[arg(long)]
    bypass_governance: bool,
    /// Read paths from stdin, one a line; a line that begins with `"` is a JSON string
    #[arg(long, conflicts_with_all = ["paths", "recursive", "versions"])]
    stdin: bool,
    /// Paths on stdin end with a NUL, as `find --print0` writes them, and are taken as they are
    #[arg(short = '0', long, requires = "stdin")]
    null: bool,
}

/// Removes them.
pub(super) fn rm(stores: &Stores<'_>, args: &RmArgs) -> Result<ExitStatus, CommandError> {
    if args.stdin {
        return stdin::rm(stores, args);
    }
    let remotes = args.paths.iter().map(|path| args.checked(stores, path)).collect::<Result<Vec<_>, _>>()?;
    let needs: Vec<_> = remotes.iter().map(|remote| (remote, args.rights(remote))).collect();
    if let Some(status) = stores.settled(&needs)? {
        return Ok(status);
    }
    for remote in remotes.iter().filter(|remote| remote.key.is_empty()) {
        args.confirm(remote)?;
    }
    let mut tally = Tally::new(stores.printer(), args);
    stores.run(async {
        for remote in &remotes {
            let client = stores.client(remote)?;
            if args.recursive {
                args.below(stores, &client, remote, &mut tally).await?;
            } else {
                args.single(&client, remote, &mut tally).await?;
            }
        }
        Ok(())
    })?;
    tally.end(stores)
}

impl RmArgs {
    fn checked(&self, stores: &Stores<'_>, path: &std::ffi::OsStr) -> Result<Remote, CommandError> {
        let remote = stores.in_bucket(path)?;
        if remote.key.is_empty() && !self.recursive {
            let named = format!("{}/{}", remote.alias, remote.bucket);
            return Err(CommandError::usage("s3.not_an_object", format!("`{named}` is a bucket, not an object")).next(
                format!("`hallpass s3 rb {named}` removes the bucket, `hallpass s3 rm -r {named}` what is in it"),
            ));
        }
        Ok(remote)
    }

    fn rights(&self, remote: &Remote) -> Rights {
        let Remote { bucket, key, .. } = remote;
        let for_good = self.versions || self.version_id.is_some();
        let mut deleting = vec![if for_good { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" }];
        deleting.extend(self.bypass_governance.then_some("s3:BypassGovernanceRetention"));
        deleting.extend(self.version_id.as_ref().map(|_| "s3:GetObjectVersion"));
        let list = if for_good { "s3:ListBucketVersions" } else { "s3:ListBucket" };
        let deletes = match (self.recursive, key.as_str()) {
            (false, key) => Rights::on_object(&deleting, bucket, key),
            (true, "") => Rights::below(&deleting, bucket, ""),
            (true, key) => {
                Rights::on_object(&deleting, bucket, key).and(Rights::below(&deleting, bucket, &folder(key)))
            }
        };
        deletes.and(Rights::on_bucket(&[list], bucket))
    }

    fn options(&self) -> RemovalOptions {
        RemovalOptions { bypass_governance: self.bypass_governance, dry_run: self.dry_run }
    }

    /// A whole bucket is never removed by a slip.
    fn confirm(&self, remote: &Remote) -> Result<(), CommandError> {
        if self.force || self.dry_run {
            return Ok(());
        }
        let named = format!("{}/{}", remote.alias, remote.bucket);
        let refused = |message: String| {
            Err(CommandError::usage("s3.not_confirmed", message).next("pass `--force` to do it without a question"))
        };
        if !prompt::is_possible() {
            return refused(format!("`{named}` is a whole bucket, and there is nobody to ask"));
        }
        let question = format!("This removes everything in {named}. Type the name of the bucket to go on");
        match prompt::line(&clean::line(&question))? == remote.bucket {
            true => Ok(()),
            false => refused("this was not the name of the bucket: nothing was removed".to_owned()),
        }
    }

    async fn below(
        &self,
        stores: &Stores<'_>,
        client: &Client,
        remote: &Remote,
        tally: &mut Tally,
    ) -> Result<(), Failed> {
        let Remote { alias, bucket, key } = remote;
        let now = stores.context.now();
        let filter = Filter {
            older: self.older_than.map(|since| since.resolve(now)),
            newer: self.newer_than.map(|since| since.resolve(now)),
            ..Filter::default()
        };
        let prefix = if key.is_empty() { String::new() } else { folder(key) };
        let versions = self.versions;
        let mut seen = 0;
        if !key.is_empty() && !key.ends_with('/') {
            // The object of that very name, beside the folder.
            let tell = |doomed, failed| tally.tell(alias, bucket, doomed, failed);
            seen += match versions {
                true => {
                    let is_doomed = |entry: &Entry| filter.holds(entry.object(), "");
                    remove_versions(client, bucket, key, self.options(), is_doomed, tell).await?
                }
                false => self.one(client, bucket, key, &filter, tell).await?,
            };
        }
        let walk = WalkOptions { prefix, versions, ..WalkOptions::default() };
        let is_doomed = |entry: &Entry| filter.holds(entry.object(), "");
        let tell = |doomed, failed| tally.tell(alias, bucket, doomed, failed);
        seen += remove_walk(client, bucket, walk, self.options(), is_doomed, tell).await?;
        if seen == 0 && !key.is_empty() && !self.force {
            tally.missing(alias, bucket, key, None);
        }
        Ok(())
    }

    /// The object of exactly this key, if it is meant.
    async fn one(
        &self,
        client: &Client,
        bucket: &str,
        key: &str,
        filter: &Filter,
        mut tell: impl FnMut(Doomed, Option<S3Error>) -> Result<(), Failed>,
    ) -> Result<u64, Failed> {
        let Some(object) = client.listed(bucket, key).await? else { return Ok(0) };
        if filter.holds(&object, "") {
            let doomed = Doomed { key: object.key, version: None };
            remove_keys(client, bucket, vec![doomed], self.options(), &mut tell).await?;
        }
        Ok(1)
    }

    async fn single(&self, client: &Client, remote: &Remote, tally: &mut Tally) -> Result<(), Failed> {
        let Remote { alias, bucket, key } = remote;
        let doomed = Doomed { key: key.clone(), version: self.version_id.clone() };
        if self.versions {
            let tell = |doomed, failed| tally.tell(alias, bucket, doomed, failed);
            let seen = remove_versions(client, bucket, key, self.options(), |_| true, tell).await?;
            if seen == 0 && !self.force {
                tally.missing(alias, bucket, key, None);
            }
            return Ok(());
        }
        if !self.force && !is_there(client, bucket, &doomed).await? {
            tally.missing(alias, bucket, key, self.version_id.as_deref());
            return Ok(());
        }
        let mut tell = |doomed, failed| tally.tell(alias, bucket, doomed, failed);
        remove_keys(client, bucket, vec![doomed], self.options(), &mut tell).await
    }
}

fn folder(key: &str) -> String {
    if key.ends_with('/') { key.to_owned() } else { format!("{key}/") }
}

/// Stores say yes to the deletion of what is not there.
async fn is_there(client: &Client, bucket: &str, doomed: &Doomed) -> Result<bool, S3Error> {
    if doomed.version.is_none() {
        return Ok(client.listed(bucket, &doomed.key).await?.is_some());
    }
    let object = ObjectId { bucket: bucket.to_owned(), key: doomed.key.clone(), version: doomed.version.clone() };
    match client.head(&object, &GetOptions::default()).await {
        Ok(_) => Ok(true),
        // A delete marker cannot be read, and can be removed.
        Err(error) if error.code() == "MethodNotAllowed" => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound && error.code() != "NoSuchBucket" => {
            is_listed(client, bucket, doomed).await
        }
        Err(error) => Err(error),
    }
}

/// Some stores say of a delete marker that it is not there, and list it.
async fn is_listed(client: &Client, bucket: &str, doomed: &Doomed) -> Result<bool, S3Error> {
    let mut found = false;
    let only_look = RemovalOptions { dry_run: true, ..RemovalOptions::default() };
    let is_it = |entry: &Entry| entry.version() == doomed.version.as_deref();
    let tell = |_, _| -> Result<(), S3Error> {
        found = true;
        Ok(())
    };
    match remove_versions(client, bucket, &doomed.key, only_look, is_it, tell).await {
        Ok(_) => Ok(found),
        // Who may not list is told what the store has said before.
        Err(S3Error::Store(ErrorKind::Auth | ErrorKind::Unsupported, _)) => Ok(false),
        Err(error) => Err(error),
    }
}
