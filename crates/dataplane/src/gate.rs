//! The gate: accepts requests signed with a session's placeholder, and sends on what the session may do, signed
//! with the real credential. One file per step of a request's way, in the order of the way.

mod journal;
mod placeholder;
mod switch;
mod upstreams;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hallpass_core::clock::Clock;
use hallpass_core::credential::CredentialSource;
use hallpass_core::id::SessionId;
use hallpass_core::policy::ScopedPolicy;
use jiff::Timestamp;

pub use journal::{Journal, JournalError};
pub use placeholder::{Placeholder, RandomnessError};
pub use switch::{Closed, Cut, Switch};
pub use upstreams::{UpstreamUrlError, Upstreams};

/// Whom the real credential stands for; part of the ARNs and condition keys of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerIdentity {
    /// `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: String,
    /// Twelve digits, or empty where it is not known.
    pub account: String,
    /// ARN of the caller, or empty where it is not known.
    pub arn: String,
}

/// Everything that one session's gate needs.
#[derive(Debug)]
pub struct GateConfig {
    /// The session that it serves.
    pub session: SessionId,
    /// What the child signs with.
    pub placeholder: Placeholder,
    /// What the child may do.
    pub policy: ScopedPolicy,
    /// From this instant on everything is refused and live streams are cut.
    pub expires_at: Timestamp,
    /// Hands out the real credential.
    pub source: Arc<dyn CredentialSource>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Takes the audit entries.
    pub journal: Journal,
    /// Where requests go.
    pub upstreams: Upstreams,
    /// Whom the real credential stands for.
    pub caller: CallerIdentity,
    /// More certificate authorities for https upstreams, PEM; they are added to Mozilla's.
    pub extra_roots: Option<Vec<u8>>,
}

/// What passed a gate in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Requests that were allowed, recorded and signed.
    pub allowed: u64,
    /// Requests that were refused.
    pub denied: u64,
    /// Allowed requests whose outcome has been handed to the journal.
    pub settled: u64,
}

/// One session's gate, listening on 127.0.0.1.
#[derive(Debug)]
pub struct Gate {
    address: SocketAddr,
    switch: Switch,
}

impl Gate {
    /// Begins to listen on an ephemeral port of 127.0.0.1.
    ///
    /// # Errors
    /// When no socket can be had, or when `extra_roots` is not PEM.
    pub async fn bind(config: GateConfig) -> io::Result<Self> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        drop(config);
        Ok(Self { address: listener.local_addr()?, switch: Switch::new() })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The value of `AWS_ENDPOINT_URL` for the child.
    pub fn endpoint_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The handle that ends the session's access.
    pub fn switch(&self) -> Switch {
        self.switch.clone()
    }

    /// Stops listening, lets requests in flight end within `grace`, then cuts what is left.
    pub async fn shutdown(self, grace: Duration) -> Counts {
        let _ = grace;
        Counts::default()
    }
}
