//! `hallpass s3 admin info`.

use std::ffi::OsString;

use clap::Args;
use hallpass_core::budget::shown_bytes;
use hallpass_s3::admin::server::{Node, ServerInfo};
use serde::Serialize;

use super::{server, with};
use crate::command::s3::show;
use crate::command::s3::stores::Stores;
use crate::error::{CommandError, ExitStatus};
use crate::output::clean;
use crate::output::count::counted;

pub(super) const FAMILY: &str = "s3_admin_info";

/// Say how the server is
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 admin info minio --json")]
pub(super) struct InfoArgs {
    /// The server
    alias: OsString,
}

/// The server. What it does not say is `null`.
#[derive(Debug, Serialize)]
struct Shown {
    mode: Option<String>,
    region: Option<String>,
    deployment_id: Option<String>,
    buckets: Option<u64>,
    objects: Option<u64>,
    usage_bytes: Option<u64>,
    nodes: Vec<ShownNode>,
}

#[derive(Debug, Serialize)]
struct ShownNode {
    endpoint: Option<String>,
    state: Option<String>,
    version: Option<String>,
    uptime_s: Option<u64>,
    drives: u64,
    drives_ok: u64,
}

impl Shown {
    fn of(info: ServerInfo) -> Self {
        let node = |node: Node| ShownNode {
            endpoint: node.endpoint,
            state: node.state,
            version: node.version,
            uptime_s: node.uptime_s,
            drives: node.drives,
            drives_ok: node.drives_ok,
        };
        Self {
            mode: info.mode,
            region: info.region,
            deployment_id: info.deployment_id,
            buckets: info.buckets,
            objects: info.objects,
            usage_bytes: info.usage_bytes,
            nodes: info.nodes.into_iter().map(node).collect(),
        }
    }

    fn lines(&self) -> String {
        let dash = || "-".to_owned();
        let many = |number: Option<u64>, one: &str, more: &str| match number {
            Some(number) => counted(number, one, more),
            None => format!("- {more}"),
        };
        let usage = self.usage_bytes.map_or_else(dash, shown_bytes);
        let mode = self.mode.clone().unwrap_or_else(dash);
        let (buckets, objects) = (many(self.buckets, "bucket", "buckets"), many(self.objects, "object", "objects"));
        let mut lines = format!("{mode}: {buckets}, {objects}, {usage}");
        for node in &self.nodes {
            let text = |text: &Option<String>| text.clone().unwrap_or_else(dash);
            let (endpoint, state, version) = (text(&node.endpoint), text(&node.state), text(&node.version));
            let up = node.uptime_s.map_or_else(dash, |seconds| seconds.to_string());
            let (good, drives) = (node.drives_ok, counted(node.drives, "drive", "drives"));
            lines.push_str(&format!("\n{endpoint}: {state}, {version}, up {up} s, {good} of {drives} ok"));
        }
        lines
    }
}

/// Says it.
pub(super) fn info(stores: &Stores<'_>, args: &InfoArgs) -> Result<ExitStatus, CommandError> {
    let printer = stores.printer();
    with(stores, &server(stores, &args.alias)?, "admin:ServerInfo", |client| async move {
        let shown = Shown::of(client.server().await?);
        Ok(show::one(printer, FAMILY, &shown, || clean::lines(&shown.lines()))?)
    })
}
