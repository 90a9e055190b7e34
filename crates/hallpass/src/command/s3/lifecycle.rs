//! `hallpass s3 lifecycle`.

mod rule;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use hallpass_s3::client::settings::Setting;
use hallpass_s3::error::{ErrorKind, S3Error};
use hallpass_s3::rights::Rights;
use hallpass_s3::target::Remote;
use serde::Serialize;
use serde_json::{Value, json};

use super::cors::Document;
use super::stores::{Failed, Stores};
use super::{document, show};
use crate::alias::failure;
use crate::error::{CommandError, ExitStatus};
use rule::AddArgs;

const FAMILY: &str = "s3_lifecycle";

/// Say what happens to objects as they age
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 lifecycle rule add minio/data --prefix tmp/ --expire-days 7\n  \
    hallpass s3 lifecycle rule ls minio/data\n  \
    hallpass s3 lifecycle export minio/data > rules.json")]
pub(crate) struct LifecycleArgs {
    #[command(subcommand)]
    command: LifecycleCommand,
}

#[derive(Debug, Subcommand)]
enum LifecycleCommand {
    /// Add, list and remove single rules
    #[command(subcommand)]
    Rule(RuleCommand),
    /// Show all rules, as JSON
    #[command(after_help = "Examples:\n  hallpass s3 lifecycle export minio/data > rules.json")]
    Export {
        /// The bucket
        #[arg(value_name = "BUCKET")]
        path: OsString,
    },
    /// Replace all rules
    #[command(after_help = "Examples:\n  hallpass s3 lifecycle import minio/data rules.json")]
    Import {
        /// The bucket
        #[arg(value_name = "BUCKET")]
        path: OsString,
        /// The rules, JSON as the AWS command line has it or XML; `-` is stdin
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum RuleCommand {
    Add(Box<AddArgs>),
    /// List the rules
    #[command(visible_alias = "list", after_help = "Examples:\n  hallpass s3 lifecycle rule ls minio/data --json")]
    Ls {
        /// The bucket
        #[arg(value_name = "BUCKET")]
        path: OsString,
    },
    /// Remove a rule, or all
    #[command(
        visible_alias = "remove",
        after_help = "Examples:\n  \
        hallpass s3 lifecycle rule rm minio/data --id tmp\n  \
        hallpass s3 lifecycle rule rm minio/data --all"
    )]
    Rm {
        /// The bucket
        #[arg(value_name = "BUCKET")]
        path: OsString,
        /// This one
        #[arg(long, value_name = "ID", required_unless_present = "all")]
        id: Option<String>,
        /// All of them
        #[arg(long, conflicts_with = "id")]
        all: bool,
    },
}

#[derive(Serialize)]
struct Rule<'a> {
    bucket: &'a str,
    rule: Value,
}

/// Does it.
pub(super) fn lifecycle(stores: &Stores<'_>, args: &LifecycleArgs) -> Result<ExitStatus, CommandError> {
    let (get, put) = ("s3:GetLifecycleConfiguration", "s3:PutLifecycleConfiguration");
    let (path, actions): (_, &[_]) = match &args.command {
        LifecycleCommand::Export { path } | LifecycleCommand::Rule(RuleCommand::Ls { path }) => (path, &[get]),
        LifecycleCommand::Import { path, .. } => (path, &[put]),
        LifecycleCommand::Rule(RuleCommand::Add(args)) => (&args.path, &[get, put]),
        LifecycleCommand::Rule(RuleCommand::Rm { path, .. }) => (path, &[get, put]),
    };
    let remote = stores.bucket(path)?;
    let bucket = remote.bucket.as_str();
    if let Some(status) = stores.settled(&[(&remote, Rights::on_bucket(actions, bucket))])? {
        return Ok(status);
    }
    let new = match &args.command {
        LifecycleCommand::Import { file, .. } => {
            Some(Setting::Lifecycle.read(&document::read(file)?).map_err(failure::of)?)
        }
        LifecycleCommand::Rule(RuleCommand::Add(args)) => Some(args.rule()?),
        _ => None,
    };
    stores.run(async {
        match (&args.command, new) {
            (LifecycleCommand::Import { .. }, Some(new)) => {
                stores.client(&remote)?.set_setting(bucket, Setting::Lifecycle, &new).await?;
                let set = Document { bucket, document: Some(new) };
                show::done(stores.printer(), FAMILY, &set, || "rules set".to_owned())?;
            }
            (LifecycleCommand::Rule(RuleCommand::Add(_)), Some(new)) => add(stores, &remote, new).await?,
            (LifecycleCommand::Rule(RuleCommand::Rm { id, .. }), _) => remove(stores, &remote, id.as_deref()).await?,
            (LifecycleCommand::Rule(_), _) => {
                let rules = rules(stores, &remote).await?.into_iter().map(|rule| Rule { bucket, rule });
                let rules: Vec<_> = rules.collect();
                show::all(stores.printer(), "s3_lifecycle_rule", &rules, |rule| rule::line(&rule.rule))?;
            }
            (..) => {
                let found = stores.client(&remote)?.setting(bucket, Setting::Lifecycle).await?;
                let found = Document { bucket, document: found };
                show::one(stores.printer(), FAMILY, &found, || found.text())?;
            }
        }
        Ok(ExitStatus::Success)
    })
}

async fn rules(stores: &Stores<'_>, remote: &Remote) -> Result<Vec<Value>, Failed> {
    let found = stores.client(remote)?.setting(&remote.bucket, Setting::Lifecycle).await?;
    Ok(match found.and_then(|mut found| found.get_mut("Rules").map(Value::take)) {
        Some(Value::Array(rules)) => rules,
        _ => Vec::new(),
    })
}

async fn add(stores: &Stores<'_>, remote: &Remote, rule: Value) -> Result<(), Failed> {
    let mut all = rules(stores, remote).await?;
    if all.iter().any(|other| other["ID"] == rule["ID"]) {
        let shown = rule["ID"].as_str().unwrap_or_default();
        let message = format!("`{}` has a rule `{shown}` already", remote.bucket);
        let next = format!("choose another `--id`, or remove it: `hallpass s3 lifecycle rule rm … --id {shown}`");
        return Err(S3Error::refused(ErrorKind::Conflict, "rule_exists", message, next).into());
    }
    all.push(rule.clone());
    stores.client(remote)?.set_setting(&remote.bucket, Setting::Lifecycle, &json!({"Rules": all})).await?;
    let added = Rule { bucket: &remote.bucket, rule };
    Ok(show::done(stores.printer(), "s3_lifecycle_rule", &added, || {
        format!("added rule {}", added.rule["ID"].as_str().unwrap_or_default())
    })?)
}

async fn remove(stores: &Stores<'_>, remote: &Remote, id: Option<&str>) -> Result<(), Failed> {
    let client = stores.client(remote)?;
    let bucket = remote.bucket.as_str();
    let mut left = Vec::new();
    if let Some(id) = id {
        let all = rules(stores, remote).await?;
        let before = all.len();
        left = all.into_iter().filter(|rule| rule["ID"] != *id).collect();
        if left.len() == before {
            let message = format!("`{bucket}` has no rule `{id}`");
            let next = "see `hallpass s3 lifecycle rule ls`";
            return Err(S3Error::refused(ErrorKind::NotFound, "no_such_rule", message, next).into());
        }
    }
    let document = match left.is_empty() {
        true => {
            client.remove_setting(bucket, Setting::Lifecycle).await?;
            None
        }
        false => {
            let document = json!({"Rules": left});
            client.set_setting(bucket, Setting::Lifecycle, &document).await?;
            Some(document)
        }
    };
    let left = Document { bucket, document };
    Ok(show::done(stores.printer(), FAMILY, &left, || "removed".to_owned())?)
}
