//! The child sessions that a gate serves beside its own: each with a placeholder, a policy, a time, a credential and a
//! switch of its own, below those of its parent.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hallpass_core::credential::{Credential, FixedCredential};
use hallpass_core::denial::{Denial, DenialCode};
use hallpass_core::limits::{CHILD_SESSION_DEPTH_MAX, CHILD_SESSIONS_MAX, EXPIRY_CHECK_MS_MAX};
use hallpass_core::permit::Permit;
use hallpass_core::sigv4::{Authorization, KeyCache, Parts};
use http::request;
use tokio::time::Instant;

use super::registry::{Change, Registry};
use super::replay::Replays;
use super::switch::Closed;
use super::{CallerIdentity, Journal, Placeholder, Shared};

/// Every child session of a gate, by the access key id of its placeholder.
#[derive(Debug)]
pub(super) struct Children {
    registry: Option<Registry>,
    /// How many there are in `known`: a gate without any, which is the usual one, looks no further.
    count: AtomicUsize,
    known: Mutex<HashMap<String, Arc<Shared>>>,
}

/// A child session whose credential has been issued.
pub(super) struct Issued {
    pub(super) permit: Permit,
    pub(super) journal: Journal,
    pub(super) placeholder: Placeholder,
    pub(super) credential: Credential,
    pub(super) caller: CallerIdentity,
}

impl Children {
    pub(super) fn new(registry: Option<Registry>) -> Self {
        Self { registry, count: AtomicUsize::new(0), known: Mutex::default() }
    }

    /// Where a child session would be recorded.
    ///
    /// # Errors
    /// [`DenialCode::NotAllowed`] when this gate opens none, or none under a session of this depth, or no more.
    pub(super) fn registry(&self, depth: usize) -> Result<Registry, Denial> {
        let refused = |why: String| Denial::new(DenialCode::NotAllowed, why);
        let registry =
            self.registry.clone().ok_or_else(|| refused("no child session can be opened here".to_owned()))?;
        if depth >= CHILD_SESSION_DEPTH_MAX {
            let why = format!("child sessions nest {CHILD_SESSION_DEPTH_MAX} deep at most");
            return Err(Denial { how_to_ask: Some("assume the role from a session above".to_owned()), ..refused(why) });
        }
        self.make_room()?;
        Ok(registry)
    }

    /// Forgets ended sessions when there is no room for another.
    fn make_room(&self) -> Result<(), Denial> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CHILD_SESSIONS_MAX {
            known.retain(|_, child| child.switch.closed().is_none());
            self.count.store(known.len(), Ordering::Release);
        }
        if known.len() < CHILD_SESSIONS_MAX {
            return Ok(());
        }
        let why = format!("the session has {CHILD_SESSIONS_MAX} child sessions already");
        let how = "use the credentials of one of them, or end one with `hallpass session kill`".to_owned();
        Err(Denial { how_to_ask: Some(how), ..Denial::new(DenialCode::NotAllowed, why) })
    }

    /// From here on requests that carry its placeholder are its own.
    ///
    /// # Errors
    /// As [`Self::make_room`]: others may have come meanwhile.
    fn adopt(&self, child: &Arc<Shared>) -> Result<(), Denial> {
        self.make_room()?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(child.placeholder.access_key_id.clone(), Arc::clone(child));
        self.count.store(known.len(), Ordering::Release);
        Ok(())
    }

    /// The child session of this access key id. A hash table keyed at random tells a stranger nothing about the ids.
    fn of_key(&self, access_key_id: &str) -> Option<Arc<Shared>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(access_key_id).cloned()
    }
}

impl Shared {
    /// The session whose request this claims to be: a child's, if it carries a child's access key id, else the gate's
    /// own. Proves nothing yet.
    pub(super) fn serving(self: Arc<Self>, head: &request::Parts, headers: &[(&str, &[u8])]) -> Arc<Self> {
        if self.children.count.load(Ordering::Acquire) == 0 {
            return self;
        }
        let query = head.uri.query().unwrap_or_default();
        let parts = Parts { method: head.method.as_str(), path: head.uri.path(), query, headers };
        let claimed = Authorization::of(&parts).ok().map(|authorization| authorization.access_key_id);
        claimed.and_then(|key| self.children.of_key(key)).unwrap_or(self)
    }

    pub(super) fn is_child(&self) -> bool {
        self.depth > 0
    }

    /// Begins to serve a child session.
    ///
    /// # Errors
    /// When there is no room for it any more.
    pub(super) fn adopt(self: &Arc<Self>, issued: Issued, registry: Registry) -> Result<(), Denial> {
        let Issued { permit, journal, placeholder, credential, caller } = issued;
        let expires_at =
            credential.expires_at.unwrap_or(permit.not_after()).min(permit.not_after()).min(self.expires_at);
        let child = Arc::new(Self {
            session: permit.session().clone(),
            placeholder,
            policy: permit.policy().clone().into(),
            expires_at,
            source: Arc::new(FixedCredential(credential)),
            clock: Arc::clone(&self.clock),
            journal,
            upstreams: self.upstreams.clone(),
            caller,
            hosts: self.hosts.clone(),
            prefix: self.prefix.clone(),
            region: self.region.clone(),
            allow_unmapped: self.allow_unmapped.clone(),
            tls: Arc::clone(&self.tls),
            tunnels: Arc::clone(&self.tunnels),
            keys: KeyCache::new(),
            signing_keys: KeyCache::new(),
            switch: self.switch.child(permit.session()),
            replays: Replays::default(),
            budget: Arc::clone(&self.budget),
            phase: Arc::clone(&self.phase),
            limiter: Arc::clone(&self.limiter),
            tally: Arc::clone(&self.tally),
            tasks: self.tasks.clone(),
            runtime: self.runtime.clone(),
            workers: Arc::clone(&self.workers),
            children: Arc::clone(&self.children),
            depth: self.depth + 1,
        });
        self.children.adopt(&child)?;
        self.tasks.spawn_on(expire(child, registry), &self.runtime);
        Ok(())
    }
}

/// Throws a child session's switch when its time is over, and has that recorded. Its parent's end is its own anyway.
async fn expire(child: Arc<Shared>, registry: Registry) {
    let left = child.expires_at.duration_since(child.clock.now());
    let deadline = Instant::now().checked_add(Duration::try_from(left).unwrap_or_default());
    loop {
        if child.switch.closed().is_some_and(|why| why != Closed::Expired) {
            return;
        }
        let over = deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if over || child.clock.now() >= child.expires_at {
            break;
        }
        let look = Instant::now() + Duration::from_millis(EXPIRY_CHECK_MS_MAX);
        tokio::select! {
            () = child.phase.closing() => return,
            () = tokio::time::sleep_until(deadline.map_or(look, |deadline| deadline.min(look))) => {}
        }
    }
    child.switch.refuse(Closed::Expired);
    if let Err(error) = registry.alter(child.session.clone(), Change::Expired).await {
        tracing::warn!(%error, session = %child.session, "the expiry of a child session could not be recorded");
    }
}
