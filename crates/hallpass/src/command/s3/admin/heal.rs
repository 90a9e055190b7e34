//! `hallpass s3 admin heal`.

use std::ffi::OsString;

use clap::Args;
use hallpass_s3::admin::AdminClient;
use hallpass_s3::admin::heal::{HealOptions, HealRun};
use hallpass_s3::error::S3Error;
use serde::Serialize;

use super::with;
use crate::command::s3::show;
use crate::command::s3::stores::Stores;
use crate::error::{CommandError, ExitStatus};
use crate::output::clean;

pub(super) const FAMILY: &str = "s3_admin_heal";

/// Have objects healed that drives lack or have damaged
///
/// An alias alone says what the server heals by itself. With a bucket a run begins, and a token is printed that asks for
/// its progress; the run goes on at the server.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 admin heal minio\n  \
    hallpass s3 admin heal minio/data --recursive --dry-run\n  \
    hallpass s3 admin heal minio/data --token 5f1c…\n  \
    hallpass s3 admin heal minio/data --stop")]
pub(super) struct HealArgs {
    /// The server, a bucket, or a prefix in one
    #[arg(value_name = "PATH")]
    path: OsString,
    /// Everything below as well
    #[arg(short, long, conflicts_with_all = ["token", "stop"])]
    recursive: bool,
    /// Only look
    #[arg(long, conflicts_with_all = ["token", "stop"])]
    dry_run: bool,
    /// Read every byte and compare checksums
    #[arg(long, conflicts_with_all = ["token", "stop"])]
    deep: bool,
    /// Remove what cannot be healed
    #[arg(long, conflicts_with_all = ["token", "stop"])]
    remove: bool,
    /// Begin anew although a run is on its way
    #[arg(long, conflicts_with_all = ["token", "stop"])]
    force: bool,
    /// Say how far this run is
    #[arg(long, value_name = "TOKEN", conflicts_with = "stop")]
    token: Option<String>,
    /// Stop the run
    #[arg(long)]
    stop: bool,
}

/// A run, or what the server does by itself. What makes no sense for the action is `null`.
#[derive(Debug, Default, Serialize)]
struct Shown {
    action: &'static str,
    token: Option<String>,
    started_at: Option<String>,
    summary: Option<String>,
    detail: Option<String>,
    items: Option<u64>,
    damaged: Option<u64>,
    healed: Option<u64>,
    scanned: Option<u64>,
    drives: Option<Vec<String>>,
}

impl Shown {
    fn of_run(action: &'static str, run: HealRun) -> Self {
        Self { action, token: Some(run.token), started_at: run.started_at, ..Self::default() }
    }

    fn line(&self) -> String {
        let number = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
        let token = self.token.as_deref().unwrap_or_default();
        match self.action {
            "background" => {
                let drives = self.drives.as_deref().unwrap_or_default();
                format!("by itself: {} looked at, {} drives being healed", number(self.scanned), drives.len())
            }
            "progress" => format!(
                "{}: {} looked at, {} damaged, {} healed {}",
                self.summary.as_deref().unwrap_or("-"),
                number(self.items),
                number(self.damaged),
                number(self.healed),
                self.detail.as_deref().unwrap_or_default()
            ),
            "stop" => format!("stopped {token}"),
            _ => format!("begun; ask with `--token {token}`"),
        }
    }
}

/// Begins, asks or stops.
pub(super) fn heal(stores: &Stores<'_>, args: &HealArgs) -> Result<ExitStatus, CommandError> {
    let remote = stores.remote(&args.path)?;
    let place = if remote.key.is_empty() { remote.bucket.clone() } else { format!("{}/{}", remote.bucket, remote.key) };
    let begins = args.recursive || args.dry_run || args.deep || args.remove || args.force;
    if place.is_empty() && begins {
        return Err(CommandError::usage("s3.no_bucket", format!("`{}` names no bucket", remote.alias))
            .next(format!("write it like `{}/bucket`", remote.alias)));
    }
    let printer = stores.printer();
    with(stores, &remote, "admin:Heal", |client| async move {
        let shown = asked(&client, &place, args).await?;
        Ok(show::one(printer, FAMILY, &shown, || clean::line(&shown.line()))?)
    })
}

async fn asked(client: &AdminClient, place: &str, args: &HealArgs) -> Result<Shown, S3Error> {
    if args.stop {
        return Ok(Shown::of_run("stop", client.stop_heal(place).await?));
    }
    if let Some(token) = &args.token {
        let told = client.heal_progress(place, token).await?;
        return Ok(Shown {
            action: "progress",
            token: Some(token.clone()),
            summary: Some(told.summary),
            detail: told.detail,
            items: Some(told.items),
            damaged: Some(told.damaged),
            healed: Some(told.healed),
            ..Shown::default()
        });
    }
    if place.is_empty() {
        let told = client.background_heal().await?;
        return Ok(Shown {
            action: "background",
            scanned: told.scanned,
            drives: Some(told.drives),
            ..Shown::default()
        });
    }
    let options = HealOptions {
        recursive: args.recursive,
        dry_run: args.dry_run,
        remove: args.remove,
        deep: args.deep,
        force: args.force,
    };
    Ok(Shown::of_run("start", client.heal(place, &options).await?))
}
