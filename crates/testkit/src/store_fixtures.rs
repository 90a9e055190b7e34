//! Sessions, events and clocks for tests of whatever stores them.

use std::any::Any;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use hallpass_control::Keeper;
use hallpass_control::store::{NewSession, Record, Store, Transition};
use hallpass_core::audit::{Event, Needs};
use hallpass_core::clock::ManualClock;
use hallpass_core::denial::{Denial, DenialCode};
use hallpass_core::id::SessionId;
use hallpass_core::policy::{ActionPattern, ScopedPolicy};
use hallpass_core::session::{Session, SessionEvent};
use jiff::{SignedDuration, Timestamp};

/// Life of the sessions made here, seconds.
pub const TTL_S: i64 = 900;

/// A store under test with the clock that it was given.
pub struct StoreFixture {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Its clock.
    pub clock: Arc<ManualClock>,
    /// What must outlive the store (its directory, its server).
    pub keep: Box<dyn Any + Send>,
}

impl std::fmt::Debug for StoreFixture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreFixture").field("store", &self.store).finish_non_exhaustive()
    }
}

/// The instant at which every test begins.
pub fn start() -> Timestamp {
    Timestamp::from_second(1_767_225_600).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Runs a future to its end on this thread.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime starts").block_on(future)
}

/// A session id.
pub fn id(text: &str) -> SessionId {
    SessionId::new(text).expect("a legal id")
}

/// A policy that allows these `service:Action` patterns on everything.
pub fn policy(actions: &[&str]) -> ScopedPolicy {
    let pattern = |text: &&str| {
        let (service, action) = text.split_once(':').expect("service:Action");
        ActionPattern { service: service.to_owned(), action: action.to_owned() }
    };
    let actions = actions.iter().map(pattern).collect();
    ScopedPolicy { actions, resources: vec!["*".to_owned()], ..ScopedPolicy::default() }
}

/// A pending AWS session with a role and a command.
pub fn session(name: &str) -> Session {
    let ttl = SignedDuration::from_secs(TTL_S);
    let role = "arn:aws:iam::123456789012:role/Agent".to_owned();
    let command = vec!["aws".to_owned(), "s3".to_owned(), "ls".to_owned()];
    Session::new(id(name), start(), ttl, None, policy(&["s3:GetObject"]), role, command)
}

/// A pending session in which every field differs from its default.
pub fn full_session(name: &str) -> Session {
    Session {
        budget: Some(2.5),
        max_requests: Some(100),
        max_bytes: Some(10 << 30),
        max_resources: Some(7),
        access_key_id: Some("AKIAEXAMPLE".into()),
        agent_id: Some("claude-code".into()),
        principal_id: Some("principal".into()),
        tags: BTreeMap::from([("ticket".into(), "T-1".into()), ("team".into(), "Grüße".into())]),
        tenant: Some("tenant".into()),
        region: Some("eu-central-1".into()),
        delivery: hallpass_core::delivery::Delivery::File,
        revocation: hallpass_core::session::Revocation::RoleWide,
        provider: hallpass_core::provider::CloudProvider::Azure,
        ..session(name)
    }
}

/// A keeper that is this process.
pub fn keeper() -> Keeper {
    Keeper::this_process("/run/hallpass/control".into(), "tester".into()).expect("proc tells the start time")
}

/// A keeper that does not run.
pub fn dead_keeper() -> Keeper {
    Keeper { started_ticks: 1, ..keeper() }
}

/// What [`Store::create`] takes.
pub fn new_session(session: Session) -> NewSession {
    NewSession { session, keeper: Some(keeper()), user: "tester".into() }
}

/// A change without anything special.
pub fn change(name: &str, event: SessionEvent) -> Transition {
    Transition::new(id(name), event, start(), format!("the test lets it {event}"))
}

/// Creates and activates a session.
pub async fn activate(store: &dyn Store, session: Session) -> Record {
    let name = session.id.to_string();
    store.create(new_session(session)).await.expect("created");
    store.transition(change(&name, SessionEvent::Activate)).await.expect("activated")
}

/// An allowed request.
pub fn request_allowed() -> Event {
    Event::RequestAllowed {
        service: "s3".into(),
        region: "us-east-1".into(),
        operation: "GetObject".into(),
        actions: vec!["s3:GetObject".into()],
        resources: vec!["arn:aws:s3:::bucket/key".into()],
        method: "GET".into(),
        upstream: "bucket.s3.amazonaws.com".into(),
        needs: Needs::default(),
        would_deny: None,
        guessed: false,
    }
}

/// A connection that passes through.
pub fn tunnel_opened() -> Event {
    Event::TunnelOpened { host: "a.example".into(), port: 443, address: "192.0.2.1:443".into(), plain: false }
}

/// A refused request that stands for `count` like it.
pub fn request_denied(count: u64) -> Event {
    Event::RequestDenied {
        service: Some("s3".into()),
        region: None,
        operation: None,
        method: "PUT".into(),
        denial: Denial::new(DenialCode::NotAllowed, "nothing allows it"),
        count,
    }
}

/// The outcome of the request at `of`.
pub fn request_settled(of: u64) -> Event {
    Event::RequestSettled {
        of,
        status: Some(200),
        bytes_in: 0,
        bytes_out: 5,
        duration_us: 1_000,
        upstream_request_id: None,
        cost_nano_usd: Some(400),
        refusal: None,
        fault: None,
    }
}
