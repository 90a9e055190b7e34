//! `hallpass s3 legal-hold`.

use std::ffi::OsString;

use clap::{Args, Subcommand};
use hallpass_s3::client::ObjectId;
use hallpass_s3::rights::Rights;
use serde::Serialize;

use super::show;
use super::stores::Stores;
use crate::error::{CommandError, ExitStatus};

/// Keep objects from being deleted or replaced until they are let go
///
/// The bucket must have been made with object lock (`hallpass s3 mb --with-lock`).
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 legal-hold set minio/vault/a.pdf\n  \
    hallpass s3 legal-hold clear minio/vault/a.pdf")]
pub(crate) struct LegalHoldArgs {
    #[command(subcommand)]
    command: LegalHoldCommand,
}

#[derive(Debug, Subcommand)]
enum LegalHoldCommand {
    /// Hold an object
    #[command(after_help = "Examples:\n  hallpass s3 legal-hold set minio/vault/a.pdf")]
    Set(ObjectArgs),
    /// Say whether an object is held
    #[command(after_help = "Examples:\n  hallpass s3 legal-hold info minio/vault/a.pdf")]
    Info(ObjectArgs),
    /// Let an object go
    #[command(after_help = "Examples:\n  hallpass s3 legal-hold clear minio/vault/a.pdf")]
    Clear(ObjectArgs),
}

#[derive(Debug, Args)]
struct ObjectArgs {
    /// The object
    #[arg(value_name = "OBJECT")]
    path: OsString,
    /// One version of it
    #[arg(long, value_name = "ID")]
    version_id: Option<String>,
}

#[derive(Serialize)]
struct State<'a> {
    bucket: &'a str,
    key: &'a str,
    held: bool,
}

/// Does it.
pub(super) fn legal_hold(stores: &Stores<'_>, args: &LegalHoldArgs) -> Result<ExitStatus, CommandError> {
    let (wanted, args) = match &args.command {
        LegalHoldCommand::Set(args) => (Some(true), args),
        LegalHoldCommand::Info(args) => (None, args),
        LegalHoldCommand::Clear(args) => (Some(false), args),
    };
    let remote = stores.object(&args.path)?;
    let (bucket, key) = (remote.bucket.as_str(), remote.key.as_str());
    let action = if wanted.is_some() { "s3:PutObjectLegalHold" } else { "s3:GetObjectLegalHold" };
    if let Some(status) = stores.settled(&[(&remote, Rights::on_object(&[action], bucket, key))])? {
        return Ok(status);
    }
    let object = ObjectId { version: args.version_id.clone(), ..ObjectId::new(bucket, key) };
    stores.run(async {
        let client = stores.client(&remote)?;
        let word = |held| if held { "held" } else { "not held" }.to_owned();
        match wanted {
            Some(held) => {
                client.set_legal_hold(&object, held).await?;
                show::done(stores.printer(), "s3_legal_hold", &State { bucket, key, held }, || word(held))?;
            }
            None => {
                let held = client.legal_hold(&object).await?;
                show::one(stores.printer(), "s3_legal_hold", &State { bucket, key, held }, || word(held))?;
            }
        }
        Ok(ExitStatus::Success)
    })
}
