//! `hallpass s3 policy`.

use std::ffi::OsString;
use std::path::Path;

use clap::{Args, Subcommand};
use hallpass_s3::anonymous::Anonymous;
use hallpass_s3::error::{ErrorKind, S3Error};
use hallpass_s3::rights::Rights;
use serde::Serialize;
use serde_json::Value;

use super::stores::{Failed, Stores};
use super::{document, show};
use crate::alias::failure;
use crate::error::{CommandError, ExitStatus};
use crate::output::clean;

/// Show and set a bucket's policy, or what everybody may do with it
///
/// `download` lets everybody list and read, `upload` write, `public` both; nobody without keys ever deletes. A policy
/// that somebody wrote is replaced only with `--force`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 policy get minio/data\n  \
    hallpass s3 policy set download minio/site\n  \
    hallpass s3 policy set ./policy.json minio/data --force")]
pub(crate) struct PolicyArgs {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// Show the policy, as JSON; the word for it is on stderr
    #[command(after_help = "Examples:\n  hallpass s3 policy get minio/data --json | jq -r .data.anonymous")]
    Get {
        /// The bucket
        #[arg(value_name = "BUCKET")]
        path: OsString,
    },
    /// Set the policy
    #[command(after_help = "Examples:\n  \
        hallpass s3 policy set none minio/data\n  \
        hallpass s3 policy set public minio/scratch\n  \
        hallpass s3 policy set ./policy.json minio/data")]
    Set {
        /// `none`, `download`, `upload`, `public`, or a JSON file; `-` is stdin
        #[arg(value_name = "POLICY")]
        policy: OsString,
        /// The bucket
        #[arg(value_name = "BUCKET")]
        path: OsString,
        /// Also in the place of a policy that somebody wrote
        #[arg(long)]
        force: bool,
    },
}

#[derive(Serialize)]
struct State<'a> {
    bucket: &'a str,
    anonymous: &'static str,
    policy: Option<Value>,
}

impl<'a> State<'a> {
    fn of(bucket: &'a str, policy: Option<Value>) -> Self {
        let anonymous = match &policy {
            None => "none",
            Some(policy) => Anonymous::of(policy, bucket).map_or("custom", Anonymous::as_str),
        };
        Self { bucket, anonymous, policy }
    }
}

/// Does it.
pub(super) fn policy(stores: &Stores<'_>, args: &PolicyArgs) -> Result<ExitStatus, CommandError> {
    match &args.command {
        PolicyCommand::Get { path } => get(stores, path),
        PolicyCommand::Set { policy, path, force } => set(stores, policy, path, *force),
    }
}

/// AWS says no more than this where a bucket may not be opened to everybody.
fn blocked(error: S3Error, word: Option<Anonymous>) -> Failed {
    if error.code() != "AccessDenied" || word.is_none() {
        return error.into();
    }
    let next =
        "the bucket or the account may block public access (S3 Block Public Access), or these keys may not do this";
    failure::of(error).next(next).into()
}

fn get(stores: &Stores<'_>, path: &OsString) -> Result<ExitStatus, CommandError> {
    let remote = stores.bucket(path)?;
    let bucket = remote.bucket.as_str();
    if let Some(status) = stores.settled(&[(&remote, Rights::on_bucket(&["s3:GetBucketPolicy"], bucket))])? {
        return Ok(status);
    }
    stores.run(async {
        let state = State::of(bucket, stores.client(&remote)?.policy(bucket).await?);
        let printer = stores.printer();
        show::one(printer, "s3_policy", &state, || match &state.policy {
            Some(policy) => clean::json(serde_json::to_string_pretty(policy).unwrap_or_default()),
            None => "{}".to_owned(),
        })?;
        if !printer.is_json() {
            printer.say(format_args!("everybody may: {}", state.anonymous));
        }
        Ok(ExitStatus::Success)
    })
}

fn set(stores: &Stores<'_>, policy: &OsString, path: &OsString, force: bool) -> Result<ExitStatus, CommandError> {
    let remote = stores.bucket(path)?;
    let bucket = remote.bucket.as_str();
    let word = [Anonymous::Download, Anonymous::Upload, Anonymous::Public].into_iter().find(|w| policy == w.as_str());
    let mut actions = vec![if policy == "none" { "s3:DeleteBucketPolicy" } else { "s3:PutBucketPolicy" }];
    actions.extend((!force).then_some("s3:GetBucketPolicy"));
    if let Some(status) = stores.settled(&[(&remote, Rights::on_bucket(&actions, bucket))])? {
        return Ok(status);
    }
    let new = match word {
        Some(word) => Some(word.policy(bucket)),
        None if policy == "none" => None,
        None => {
            let text = document::read(Path::new(policy))?;
            let value = serde_json::from_str::<Value>(&text).ok().filter(Value::is_object);
            Some(value.ok_or_else(|| {
                CommandError::usage("s3.policy", format!("`{}` holds no JSON object", policy.to_string_lossy()))
                    .next("write a policy as IAM has it, or one of `none`, `download`, `upload`, `public`")
            })?)
        }
    };
    stores.run(async {
        let client = stores.client(&remote)?;
        if !force && State::of(bucket, client.policy(bucket).await?).anonymous == "custom" {
            let message = format!("`{}/{bucket}` has a policy that somebody wrote", remote.alias);
            let next = "look at it with `hallpass s3 policy get`, and pass `--force` to replace it";
            return Err(S3Error::refused(ErrorKind::Conflict, "policy_exists", message, next).into());
        }
        match &new {
            Some(new) => client.set_policy(bucket, new).await.map_err(|error| blocked(error, word))?,
            None => client.remove_policy(bucket).await?,
        }
        let state = State::of(bucket, new);
        show::done(stores.printer(), "s3_policy", &state, || format!("everybody may: {}", state.anonymous))?;
        Ok(ExitStatus::Success)
    })
}
