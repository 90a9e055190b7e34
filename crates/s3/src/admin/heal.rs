//! Healing: objects that are damaged or missing on some drives are written anew.

use http::Method;
use serde::{Deserialize, Serialize};

use super::AdminClient;
use super::ask::Ask;
use crate::error::S3Error;

/// What is to be healed, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HealOptions {
    /// Everything below as well.
    pub recursive: bool,
    /// Only look.
    pub dry_run: bool,
    /// Remove what cannot be healed.
    pub remove: bool,
    /// Read every byte and compare checksums, not only look whether parts are there.
    pub deep: bool,
    /// Start anew although a run is on its way.
    pub force: bool,
}

/// A run that has begun, or was stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealRun {
    /// Asks for its progress.
    pub token: String,
    /// When it began, RFC 3339.
    pub started_at: Option<String>,
}

/// How far a run is. The server tells each item once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealProgress {
    /// `running`, `finished` or `stopped`.
    pub summary: String,
    /// Why it stopped.
    pub detail: Option<String>,
    /// Things looked at since the last time somebody asked.
    pub items: u64,
    /// Those of them that a drive lacked or had damaged.
    pub damaged: u64,
    /// Those of them that are whole now.
    pub healed: u64,
}

/// What a server does by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackgroundHeal {
    /// Things looked at.
    pub scanned: Option<u64>,
    /// Drives that are being healed.
    pub drives: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    recursive: bool,
    dry_run: bool,
    remove: bool,
    recreate: bool,
    scan_mode: u8,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Started {
    client_token: String,
    start_time: Option<String>,
}

#[derive(Deserialize)]
struct Task {
    summary: String,
    detail: Option<String>,
    items: Option<Vec<Item>>,
}

#[derive(Deserialize)]
struct Item {
    before: Option<Drives>,
    after: Option<Drives>,
}

#[derive(Deserialize)]
struct Drives {
    drives: Option<Vec<DriveState>>,
}

#[derive(Deserialize)]
struct DriveState {
    state: Option<String>,
}

#[derive(Deserialize)]
struct Background {
    #[serde(rename = "ScannedItemsCount")]
    scanned: Option<u64>,
    #[serde(rename = "HealDisks")]
    drives: Option<Vec<String>>,
}

impl Drives {
    fn all_ok(drives: Option<&Self>) -> bool {
        let mut states = drives.into_iter().flat_map(|drives| drives.drives.iter().flatten());
        states.all(|drive| drive.state.as_deref() == Some("ok"))
    }
}

impl AdminClient {
    /// Begins to heal a bucket, or what is below a prefix (`bucket/prefix`).
    ///
    /// # Errors
    /// [`S3Error`]; of sort `Conflict` when a run is on its way, `Unsupported` on a single drive.
    pub async fn heal(&self, place: &str, options: &HealOptions) -> Result<HealRun, S3Error> {
        let settings = Settings {
            recursive: options.recursive,
            dry_run: options.dry_run,
            remove: options.remove,
            recreate: false,
            scan_mode: if options.deep { 2 } else { 1 },
        };
        let ask = Ask::new(Method::POST, "heal/").below(place).plain(&settings)?;
        let ask = if options.force { ask.query("forceStart", "true") } else { ask };
        let started: Started = self.change_told(&ask).await?;
        Ok(HealRun { token: started.client_token, started_at: started.start_time })
    }

    /// How far a run is.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `NotFound` when there is no such run.
    pub async fn heal_progress(&self, place: &str, token: &str) -> Result<HealProgress, S3Error> {
        let ask = Ask::new(Method::POST, "heal/").below(place).query("clientToken", token);
        let task: Task = self.change_told(&ask).await?;
        let items = task.items.unwrap_or_default();
        let damaged: Vec<_> = items.iter().filter(|item| !Drives::all_ok(item.before.as_ref())).collect();
        let healed = damaged.iter().filter(|item| item.after.is_some() && Drives::all_ok(item.after.as_ref())).count();
        Ok(HealProgress {
            summary: task.summary,
            detail: task.detail.filter(|text| !text.is_empty()),
            items: items.len() as u64,
            damaged: damaged.len() as u64,
            healed: healed as u64,
        })
    }

    /// Stops a run.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `NotFound` when none is on its way.
    pub async fn stop_heal(&self, place: &str) -> Result<HealRun, S3Error> {
        let ask = Ask::new(Method::POST, "heal/").below(place).query("forceStop", "true");
        let stopped: Started = self.change_told(&ask).await?;
        Ok(HealRun { token: stopped.client_token, started_at: stopped.start_time })
    }

    /// What the server heals by itself.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn background_heal(&self) -> Result<BackgroundHeal, S3Error> {
        let told: Background = self.change_told(&Ask::new(Method::POST, "background-heal/status")).await?;
        Ok(BackgroundHeal { scanned: told.scanned, drives: told.drives.unwrap_or_default() })
    }
}
