//! `hallpass s3 cors`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use hallpass_s3::client::settings::Setting;
use hallpass_s3::rights::Rights;
use serde::Serialize;
use serde_json::Value;

use super::stores::Stores;
use super::{document, show};
use crate::alias::failure;
use crate::error::{CommandError, ExitStatus};
use crate::output::clean;

/// Set, show and remove who may use a bucket from a web page
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 cors set minio/data cors.json\n  \
    hallpass s3 cors get minio/data > cors.json")]
pub(crate) struct CorsArgs {
    #[command(subcommand)]
    command: CorsCommand,
}

#[derive(Debug, Subcommand)]
enum CorsCommand {
    /// Replace the rules
    #[command(after_help = "Examples:\n  \
        hallpass s3 cors set minio/data cors.json\n  \
        echo '{\"CORSRules\":[{\"AllowedMethods\":[\"GET\"],\"AllowedOrigins\":[\"*\"]}]}' | \
        hallpass s3 cors set minio/data -")]
    Set {
        /// The bucket
        #[arg(value_name = "BUCKET")]
        path: OsString,
        /// The rules, JSON as the AWS command line has it or XML; `-` is stdin
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Show the rules, as JSON
    #[command(after_help = "Examples:\n  hallpass s3 cors get minio/data")]
    Get {
        /// The bucket
        #[arg(value_name = "BUCKET")]
        path: OsString,
    },
    /// Remove the rules
    #[command(visible_alias = "rm", after_help = "Examples:\n  hallpass s3 cors remove minio/data")]
    Remove {
        /// The bucket
        #[arg(value_name = "BUCKET")]
        path: OsString,
    },
}

/// A setting as a document; `null`: there is none.
#[derive(Serialize)]
pub(super) struct Document<'a> {
    pub(super) bucket: &'a str,
    pub(super) document: Option<Value>,
}

impl Document<'_> {
    /// The document itself, for people and files.
    pub(super) fn text(&self) -> String {
        let text = self.document.as_ref().and_then(|value| serde_json::to_string_pretty(value).ok());
        text.map_or_else(|| "{}".to_owned(), clean::json)
    }
}

/// Does it.
pub(super) fn cors(stores: &Stores<'_>, args: &CorsArgs) -> Result<ExitStatus, CommandError> {
    let (path, action) = match &args.command {
        CorsCommand::Get { path } => (path, "s3:GetBucketCORS"),
        CorsCommand::Set { path, .. } | CorsCommand::Remove { path } => (path, "s3:PutBucketCORS"),
    };
    let remote = stores.bucket(path)?;
    let bucket = remote.bucket.as_str();
    if let Some(status) = stores.settled(&[(&remote, Rights::on_bucket(&[action], bucket))])? {
        return Ok(status);
    }
    let new = match &args.command {
        CorsCommand::Set { file, .. } => Some(Setting::Cors.read(&document::read(file)?).map_err(failure::of)?),
        _ => None,
    };
    stores.run(async {
        let client = stores.client(&remote)?;
        let printer = stores.printer();
        match (&args.command, new) {
            (CorsCommand::Get { .. }, _) => {
                let found = Document { bucket, document: client.setting(bucket, Setting::Cors).await? };
                show::one(printer, "s3_cors", &found, || found.text())?;
            }
            (_, Some(new)) => {
                client.set_setting(bucket, Setting::Cors, &new).await?;
                let set = Document { bucket, document: Some(new) };
                show::done(printer, "s3_cors", &set, || "rules set".to_owned())?;
            }
            (_, None) => {
                client.remove_setting(bucket, Setting::Cors).await?;
                show::done(printer, "s3_cors", &Document { bucket, document: None }, || "rules removed".to_owned())?;
            }
        }
        Ok(ExitStatus::Success)
    })
}
