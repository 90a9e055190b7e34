//! One gate with everything around it visible.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hallpass_core::audit::Event;
use hallpass_core::budget::Caps;
use hallpass_core::clock::{Clock, ManualClock};
use hallpass_core::credential::{Credential, CredentialSource};
use hallpass_core::denial::DenialCode;
use hallpass_core::id::SessionId;
use hallpass_core::provider::{BoxFuture, ProviderError};
use hallpass_core::secret::Secret;
use hallpass_dataplane::gate::{
    CallerIdentity, Gate, GateConfig, Journal, JournalError, Limits, Notice, Notify, Placeholder, Registry, Upstreams,
};
use jiff::{SignedDuration, Timestamp};

/// The real credential of every test: none of these texts may ever reach the child, and all must reach the upstream.
pub(crate) const REAL_KEY: &str = "AKIAREALREALREALREAL";
pub(crate) const REAL_SECRET: &str = "canary-real-secret-canary-real-secret-00";
pub(crate) const REAL_TOKEN: &str = "canary-real-token";

/// What became of an allowed request: position of its entry, status, bytes in, bytes out, fault.
pub(crate) type Outcome = (u64, Option<u16>, u64, u64, Option<String>);

/// The audit log of a test, in memory.
#[derive(Default)]
pub(crate) struct Log {
    entries: Mutex<Vec<Event>>,
    pub(crate) broken: AtomicBool,
    pub(crate) delay_ms: AtomicU64,
    /// Looked at when an allowed request's entry is committed: signatures made so far.
    pub(crate) signed_before_entry: AtomicU64,
}

impl Log {
    pub(crate) fn entries(&self) -> Vec<Event> {
        self.entries.lock().expect("no panic").clone()
    }

    pub(crate) fn allowed(&self) -> usize {
        self.entries().iter().filter(|e| matches!(e, Event::RequestAllowed { .. })).count()
    }

    /// Codes of the refusals, in order.
    pub(crate) fn denied(&self) -> Vec<DenialCode> {
        let code = |event: &Event| match event {
            Event::RequestDenied { denial, .. } => Some(denial.code),
            _ => None,
        };
        self.entries().iter().filter_map(code).collect()
    }

    pub(crate) fn settled(&self) -> Vec<Outcome> {
        let outcome = |event: &Event| match event {
            Event::RequestSettled { of, status, bytes_in, bytes_out, fault, .. } => {
                Some((*of, *status, *bytes_in, *bytes_out, fault.clone()))
            }
            _ => None,
        };
        self.entries().iter().filter_map(outcome).collect()
    }

    /// Waits until `count` outcomes are there.
    pub(crate) async fn settles(&self, count: usize) -> Vec<Outcome> {
        eventually("outcomes", || self.settled().len() >= count).await;
        self.settled()
    }

    fn push(&self, event: Event) -> u64 {
        let mut entries = self.entries.lock().expect("no panic");
        entries.push(event);
        entries.len() as u64 - 1
    }
}

/// Waits at most ten seconds.
pub(crate) async fn eventually(what: &str, mut is: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < Duration::from_secs(10), "{what} did not come");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Hands out the real credential, and counts.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) asked: AtomicU64,
    pub(crate) invalidated: AtomicU64,
    pub(crate) fails: AtomicBool,
    pub(crate) token: Option<&'static str>,
    pub(crate) expires_at: Option<Timestamp>,
}

impl CredentialSource for Source {
    fn current(&self) -> BoxFuture<'_, Result<Credential, ProviderError>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let renewed = self.invalidated.load(Ordering::SeqCst);
        let made = if self.fails.load(Ordering::SeqCst) {
            Err(ProviderError::Unreachable { operation: "x".into(), endpoint: "y".into(), detail: "z".into() })
        } else {
            Ok(Credential {
                access_key_id: REAL_KEY.into(),
                secret_access_key: Secret::new(REAL_SECRET),
                session_token: self.token.map(|token| Secret::new(format!("{token}{renewed}"))),
                expires_at: self.expires_at,
            })
        };
        Box::pin(std::future::ready(made))
    }

    fn invalidate(&self) {
        self.invalidated.fetch_add(1, Ordering::SeqCst);
    }
}

pub(crate) struct World {
    pub(crate) gate: Gate,
    pub(crate) placeholder: Placeholder,
    pub(crate) log: Arc<Log>,
    pub(crate) source: Arc<Source>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) notices: Arc<Mutex<Vec<Notice>>>,
}

impl World {
    /// When the session ends.
    pub(crate) fn clock_end(&self) -> Timestamp {
        self.clock.now() + SignedDuration::from_secs(3_600)
    }
}

/// How a world is made.
pub(crate) struct Setup {
    upstreams: Upstreams,
    actions: Vec<&'static str>,
    ttl_s: i64,
    token: Option<&'static str>,
    credential_life_s: Option<i64>,
    extra_roots: Option<Vec<u8>>,
    caps: Caps,
    document: Option<serde_json::Value>,
    children: Option<Registry>,
}

impl Setup {
    /// Everything of S3 and SQS is allowed, on `upstream`.
    pub(crate) fn on(upstream: &str) -> Self {
        Self {
            upstreams: Upstreams::aws().with_base(upstream).expect("a legal URL"),
            actions: vec!["s3:*", "sqs:*"],
            ttl_s: 3_600,
            token: Some(REAL_TOKEN),
            credential_life_s: None,
            extra_roots: None,
            caps: Caps::default(),
            document: None,
            children: None,
        }
    }

    /// AWS itself, where nothing may be sent to in a test.
    pub(crate) fn at_aws() -> Self {
        Self { upstreams: Upstreams::aws(), ..Self::on("http://127.0.0.1:1") }
    }

    /// A store at `upstream`, and nothing else.
    pub(crate) fn on_store(upstream: &str) -> Self {
        Self { upstreams: Upstreams::store(upstream).expect("a legal URL"), ..Self::on(upstream) }
    }

    /// An AWS host at another address.
    pub(crate) fn host_at(mut self, host: &str, url: &str) -> Self {
        self.upstreams = self.upstreams.with_host(host, url).expect("legal");
        self
    }

    /// Endpoints that the session demands.
    pub(crate) fn variant(mut self, variant: hallpass_core::resolve::catalog::Variant) -> Self {
        self.upstreams = self.upstreams.with_variant(variant);
        self
    }

    pub(crate) fn actions(mut self, actions: &[&'static str]) -> Self {
        self.actions = actions.to_vec();
        self
    }

    pub(crate) fn ttl_s(mut self, ttl_s: i64) -> Self {
        self.ttl_s = ttl_s;
        self
    }

    pub(crate) fn long_term_keys(mut self) -> Self {
        self.token = None;
        self
    }

    pub(crate) fn credential_life_s(mut self, life_s: i64) -> Self {
        self.credential_life_s = Some(life_s);
        self
    }

    /// An IAM document as a further ceiling.
    pub(crate) fn document(mut self, json: &str) -> Self {
        self.document = Some(serde_json::from_str(json).expect("JSON"));
        self
    }

    pub(crate) fn children(mut self, registry: Registry) -> Self {
        self.children = Some(registry);
        self
    }

    pub(crate) fn outward(mut self, outward: hallpass_dataplane::gate::Outward) -> Self {
        self.upstreams = self.upstreams.through(outward);
        self
    }

    pub(crate) fn extra_roots(mut self, pem: &str) -> Self {
        self.extra_roots = Some(pem.as_bytes().to_vec());
        self
    }

    pub(crate) fn caps(mut self, caps: Caps) -> Self {
        self.caps = caps;
        self
    }

    pub(crate) async fn gate(self) -> World {
        let placeholder = Placeholder::generate().expect("randomness");
        let clock = Arc::new(ManualClock::new(now()));
        let log = Arc::new(Log::default());
        let source = Arc::new(Source {
            asked: AtomicU64::new(0),
            invalidated: AtomicU64::new(0),
            fails: AtomicBool::new(false),
            token: self.token,
            expires_at: self.credential_life_s.map(|s| clock.now() + SignedDuration::from_secs(s)),
        });
        let notices = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&notices);
        let notify = Notify::new(move |notice| told.lock().expect("no panic").push(notice));
        let split = |text: &&str| text.split_once(':').map(|(s, a)| serde_json::json!({"service": s, "action": a}));
        let actions: Vec<_> = self.actions.iter().filter_map(split).collect();
        let policy = serde_json::json!({
            "actions": actions,
            "resources": ["*"],
            "documents": self.document.iter().collect::<Vec<_>>(),
        });
        let config = GateConfig {
            session: SessionId::new("0123456789").expect("legal"),
            placeholder: placeholder.clone(),
            policy: serde_json::from_value(policy).expect("a policy"),
            expires_at: clock.now() + SignedDuration::from_secs(self.ttl_s),
            source: source.clone(),
            clock: clock.clone(),
            journal: journal(&log, &source),
            upstreams: self.upstreams,
            caller: CallerIdentity {
                partition: "aws".into(),
                account: "123456789012".into(),
                ..CallerIdentity::default()
            },
            region: Some("us-east-1".to_owned()),
            allow_unmapped: Vec::new(),
            extra_roots: self.extra_roots,
            limits: Limits { caps: self.caps, priced: true, notify },
            children: self.children,
        };
        World { gate: Gate::bind(config).await.expect("binds"), placeholder, log, source, clock, notices }
    }
}

fn journal(log: &Arc<Log>, source: &Arc<Source>) -> Journal {
    let (log, source, later) = (Arc::clone(log), Arc::clone(source), Arc::clone(log));
    let record = move |event: Event| -> BoxFuture<'static, Result<u64, JournalError>> {
        let (log, source) = (Arc::clone(&log), Arc::clone(&source));
        Box::pin(async move {
            let delay = log.delay_ms.load(Ordering::SeqCst);
            if delay > 0 {
                tokio::time::sleep(Duration::from_millis(delay)).await;
            }
            if log.broken.load(Ordering::SeqCst) {
                return Err(JournalError("disk full".into()));
            }
            if matches!(event, Event::RequestAllowed { .. }) {
                log.signed_before_entry.store(source.asked.load(Ordering::SeqCst), Ordering::SeqCst);
            }
            Ok(log.push(event))
        })
    };
    Journal::new(record, move |event| {
        later.push(event);
    })
}

/// The time, for stores that compare it with their own.
#[expect(clippy::disallowed_methods, reason = "the tests' one clock")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
