//! The server itself.

use serde::Deserialize;

use super::AdminClient;
use super::ask::Ask;
use crate::error::S3Error;

/// What a server says about itself. What it does not say is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerInfo {
    /// `online`, or how else it words it.
    pub mode: Option<String>,
    /// Where it says it is.
    pub region: Option<String>,
    /// Id of the installation.
    pub deployment_id: Option<String>,
    /// Buckets.
    pub buckets: Option<u64>,
    /// Objects.
    pub objects: Option<u64>,
    /// Bytes of all objects.
    pub usage_bytes: Option<u64>,
    /// The machines.
    pub nodes: Vec<Node>,
}

/// One machine of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Host and port.
    pub endpoint: Option<String>,
    /// `online`, or how else it words it.
    pub state: Option<String>,
    /// Its release.
    pub version: Option<String>,
    /// How long it has run, seconds.
    pub uptime_s: Option<u64>,
    /// Drives, and those of them that are well.
    pub drives: u64,
    /// See [`Node::drives`].
    pub drives_ok: u64,
}

#[derive(Deserialize)]
struct Info {
    mode: Option<String>,
    region: Option<String>,
    #[serde(rename = "deploymentID")]
    deployment_id: Option<String>,
    buckets: Option<Count>,
    objects: Option<Count>,
    usage: Option<Size>,
    servers: Option<Vec<ServerNode>>,
}

#[derive(Deserialize)]
struct Count {
    count: Option<u64>,
}

#[derive(Deserialize)]
struct Size {
    size: Option<u64>,
}

#[derive(Deserialize)]
struct ServerNode {
    endpoint: Option<String>,
    state: Option<String>,
    version: Option<String>,
    uptime: Option<u64>,
    #[serde(alias = "disks")]
    drives: Option<Vec<Drive>>,
}

#[derive(Deserialize)]
struct Drive {
    state: Option<String>,
}

impl AdminClient {
    /// What the server says about itself.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn server(&self) -> Result<ServerInfo, S3Error> {
        let info: Info = self.told(&Ask::get("info")).await?;
        let node = |node: ServerNode| {
            let drives = node.drives.unwrap_or_default();
            let ok = drives.iter().filter(|drive| drive.state.as_deref() == Some("ok")).count();
            Node {
                endpoint: node.endpoint,
                state: node.state,
                version: node.version,
                uptime_s: node.uptime,
                drives: drives.len() as u64,
                drives_ok: ok as u64,
            }
        };
        Ok(ServerInfo {
            mode: info.mode,
            region: info.region.filter(|region| !region.is_empty()),
            deployment_id: info.deployment_id,
            buckets: info.buckets.and_then(|all| all.count),
            objects: info.objects.and_then(|all| all.count),
            usage_bytes: info.usage.and_then(|all| all.size),
            nodes: info.servers.unwrap_or_default().into_iter().map(node).collect(),
        })
    }
}
