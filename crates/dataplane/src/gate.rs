//! The gate: accepts requests signed with a session's placeholder, and sends on what the session may do, signed
//! with the real credential.
//!
//! One file per step, in the order of a request's way:
//!
//! | file | step |
//! |---|---|
//! | `tunnel`, `authority`, `socket`, `passthrough` | the forward proxy: CONNECT, and TLS to the child as the host that it asked for |
//! | `address` | by which name the gate was asked, and that it fits what was signed |
//! | `listen`, `workers`, `connection`, `wire` | accepts, drives both connections on one thread, judges the framing of every head |
//! | `pipeline` | the order of all that follows |
//! | `head` | one reading only, from the child and not from a web page |
//! | `verify`, `body` | who asks; a body is read only where that needs it |
//! | `resolve`, `decide` | what it wants, and whether it may |
//! | `replay` | once, if it changes something |
//! | `budget` | room for it in the session's account |
//! | `record` | the audit entry, committed |
//! | `sign`, `headers` | built from nothing, signed with the real credential |
//! | `events` | which uploads are event streams, and with which keys |
//! | `forward`, `invitation`, `link`, `tls`, `upload`, `download` | sent, and streamed both ways |
//! | `settle`, `refusal` | what became of it |
//! | `mint`, `children`, `registry` | a call that mints credentials opens a child session instead |
//! | `presign` | real presigned URLs, decided and recorded like a request |
//! | `refuse` | every refusal, in the shape that the child's SDK reads |
//! | `switch` | ends it all, at once |

mod address;
mod anonymous;
mod asymmetric;
mod authority;
mod body;
mod budget;
mod children;
mod connection;
mod decide;
mod download;
mod events;
mod fail_points;
mod forward;
mod head;
mod headers;
mod invitation;
mod journal;
mod link;
mod listen;
mod meter;
mod mint;
mod outward;
mod passthrough;
mod phase;
mod pipeline;
mod placeholder;
mod presign;
mod record;
mod refusal;
mod refuse;
mod registry;
mod replay;
mod resolve;
mod settle;
mod sign;
mod socket;
mod switch;
mod tls;
mod tunnel;
mod upload;
mod upstreams;
mod verify;
mod wire;
mod workers;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hallpass_core::clock::Clock;
use hallpass_core::credential::CredentialSource;
use hallpass_core::id::SessionId;
use hallpass_core::limits::SETTLE_GRACE_S_MAX;
use hallpass_core::policy::{PreparedPolicy, ScopedPolicy};
use hallpass_core::secret::Secret;
use hallpass_core::sigv4::KeyCache;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

pub use budget::{Limits, Notice, Notify};
pub use fail_points::FAIL_POINTS;
pub use journal::{Journal, JournalError};
pub use outward::Outward;
pub use passthrough::{OuterProxy, OuterProxyError, Passthrough, PassthroughError};
pub use placeholder::{Placeholder, RandomnessError};
pub use presign::{PresignedUrl, Presigner, UrlWish};
pub use registry::{Change, NewChild, Opened, Registry};
pub use switch::{Closed, Cut, Switch};
pub use upstreams::{UpstreamUrlError, Upstreams};

/// Whom the real credential stands for; part of the ARNs and condition keys of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallerIdentity {
    /// `aws`, `aws-cn`, `aws-us-gov`; anything else counts as not known.
    pub partition: String,
    /// Twelve digits, or empty where it is not known.
    pub account: String,
    /// ARN of the caller, or empty where it is not known.
    pub arn: String,
    /// ARN of the role that was assumed for the session, with its path.
    pub role: Option<String>,
    /// Session tags that it was assumed with.
    pub tags: Vec<(String, String)>,
    /// Source identity that it was assumed with.
    pub source_identity: Option<String>,
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
    /// The region of calls that are not signed, and therefore name none; without one these are refused.
    pub region: Option<String>,
    /// Services, by their IAM prefixes, whose operations may be allowed by a guessed action where AWS's authorization
    /// data names none.
    pub allow_unmapped: Vec<String>,
    /// More certificate authorities for https upstreams, PEM; they are added to Mozilla's.
    pub extra_roots: Option<Vec<u8>>,
    /// What the session may use up.
    pub limits: Limits,
    /// Keeps the records of child sessions; without one, calls that would open a child session are refused.
    pub children: Option<Registry>,
}

/// A gate as a forward proxy.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// The value of `HTTPS_PROXY` for the child. Secret: its password is what lets the child in.
    pub url: Secret,
    /// The certificate authority that the child must trust, PEM. Its key stays in the gate.
    pub certificate: String,
}

/// The gate could not become a proxy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the session's certificate authority could not be made: {0}")]
pub struct ProxyError(String);

/// What passed a gate in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Requests that were allowed and recorded as such. A request that is sent a second time with a renewed
    /// credential counts, and is recorded, twice.
    pub allowed: u64,
    /// Requests that were refused.
    pub denied: u64,
    /// Allowed requests whose outcome has been handed to the journal.
    pub settled: u64,
    /// Signatures made with the real credential; never more than `allowed`.
    pub signed: u64,
}

/// One session's gate, listening on 127.0.0.1. Dropping it ends it at once; [`Gate::shutdown`] is kinder.
#[derive(Debug)]
pub struct Gate {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// What all connections of a gate share.
#[derive(Debug)]
struct Shared {
    session: SessionId,
    placeholder: Placeholder,
    policy: PreparedPolicy<'static>,
    expires_at: Timestamp,
    source: Arc<dyn CredentialSource>,
    clock: Arc<dyn Clock>,
    journal: Journal,
    upstreams: Upstreams,
    caller: CallerIdentity,
    region: Option<String>,
    allow_unmapped: Vec<String>,
    hosts: head::Hosts,
    /// Before the path of a request, where the child was given it.
    prefix: Secret,
    tls: Arc<tls::Tls>,
    /// Set once the gate is a proxy.
    tunnels: Arc<OnceLock<tunnel::Tunnels>>,
    /// Keys that requests are verified with.
    keys: KeyCache,
    /// Keys that requests are signed with.
    signing_keys: KeyCache,
    switch: Switch,
    /// Signatures that may not come again.
    replays: replay::Replays,
    /// What the session and its children may use up together.
    budget: Arc<budget::Budget>,
    phase: Arc<phase::Phase>,
    limiter: Arc<refuse::Limiter>,
    tally: Arc<Tally>,
    tasks: TaskTracker,
    runtime: Handle,
    /// Set once connections are served by threads of their own.
    workers: Arc<OnceLock<workers::Workers>>,
    /// The child sessions of all depths that this gate serves too.
    children: Arc<children::Children>,
    /// 0 for the session that the gate was made for.
    depth: usize,
}

impl Shared {
    /// How the upstream is connected to.
    fn way_out(&self, offer: tls::Offer) -> link::WayOut<'_> {
        link::WayOut { tls: &self.tls, outward: self.upstreams.outward(), offer }
    }
}

#[derive(Debug, Default)]
struct Tally {
    allowed: AtomicU64,
    denied: AtomicU64,
    settled: AtomicU64,
    signed: AtomicU64,
    /// Refusals answered: their request ids are numbered.
    refusals: AtomicU64,
}

impl Gate {
    /// Begins to listen on an ephemeral port of 127.0.0.1. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When no socket can be had, or when `extra_roots` is not PEM.
    pub async fn bind(config: GateConfig) -> io::Result<Self> {
        let tls = tls::Tls::new(config.extra_roots.as_deref())
            .map_err(|why| io::Error::new(io::ErrorKind::InvalidInput, why))?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            session: config.session,
            placeholder: config.placeholder,
            policy: config.policy.into(),
            expires_at: config.expires_at,
            source: config.source,
            clock: config.clock,
            journal: config.journal,
            upstreams: config.upstreams,
            caller: config.caller,
            region: config.region,
            allow_unmapped: config.allow_unmapped,
            hosts: head::Hosts::new(address.port()),
            prefix: placeholder::prefix().map_err(io::Error::other)?,
            tls: Arc::new(tls),
            tunnels: Arc::default(),
            keys: KeyCache::new(),
            signing_keys: KeyCache::new(),
            switch: Switch::default(),
            replays: replay::Replays::default(),
            budget: Arc::new(budget::Budget::new(config.limits)),
            phase: Arc::default(),
            limiter: Arc::new(refuse::Limiter::new()),
            tally: Arc::default(),
            tasks: TaskTracker::new(),
            runtime: Handle::current(),
            workers: Arc::default(),
            children: Arc::new(children::Children::new(config.children)),
            depth: 0,
        });
        shared.tasks.spawn(listen::listen(Arc::clone(&shared), listener));
        shared.tasks.spawn(listen::keep_time(Arc::clone(&shared)));
        Ok(Self { address, shared })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The value of `AWS_ENDPOINT_URL` for the child.
    pub fn endpoint_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The value of `AWS_ENDPOINT_URL_<SERVICE>` for the child: behind a path that nobody else knows. It adds to the
    /// signature, and replaces nothing of it.
    pub fn service_endpoint_url(&self) -> Secret {
        Secret::new(format!("http://{}{}", self.address, self.shared.prefix.expose()))
    }

    /// From here on new connections are served by up to `threads` threads of their own, each connection by one; without
    /// this, by the runtime that the gate was bound in. `threads` is asked once, when one thread has too much to do. A
    /// second call changes nothing.
    pub fn spread(&self, threads: fn() -> usize) {
        self.shared.workers.get_or_init(|| workers::Workers::new(threads));
    }

    /// From here on the gate is a forward proxy too, for AWS and for the hosts of `passthrough`. A second call gives
    /// the same proxy.
    ///
    /// # Errors
    /// [`ProxyError`] when no certificate authority can be made.
    pub fn open_proxy(&self, passthrough: Passthrough) -> Result<Proxy, ProxyError> {
        tunnel::open(&self.shared, self.address.port(), passthrough).map(tunnel::Tunnels::proxy)
    }

    /// The handle that makes real presigned URLs.
    pub fn presigner(&self) -> Presigner {
        Presigner::new(&self.shared)
    }

    /// The handle that ends the session's access.
    pub fn switch(&self) -> Switch {
        self.shared.switch.clone()
    }

    /// What has passed so far.
    pub fn counts(&self) -> Counts {
        let tally = &self.shared.tally;
        let read = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
        Counts {
            allowed: read(&tally.allowed),
            denied: read(&tally.denied),
            settled: read(&tally.settled),
            signed: read(&tally.signed),
        }
    }

    /// Stops listening, lets requests in flight end within `grace`, then cuts what is left. Every outcome has been
    /// handed to the journal when it returns, unless the journal does not answer for [`SETTLE_GRACE_S_MAX`].
    pub async fn shutdown(self, grace: Duration) -> Counts {
        let shared = &self.shared;
        shared.tasks.close();
        shared.phase.close();
        shared.switch.wake_all();
        if tokio::time::timeout(grace, shared.tasks.wait()).await.is_err() {
            shared.phase.end();
            shared.switch.wake_all();
            let settling = Duration::from_secs(SETTLE_GRACE_S_MAX);
            if tokio::time::timeout(settling, shared.tasks.wait()).await.is_err() {
                tracing::warn!("the journal does not answer, so not every request could be settled");
            }
        }
        shared.limiter.flush(&shared.journal);
        self.counts()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.shared.phase.end();
        self.shared.switch.wake_all();
    }
}
