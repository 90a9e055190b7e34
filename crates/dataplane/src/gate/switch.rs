//! The switch that ends a session's access, synchronously.
//!
//! A request announces itself as in flight *before* it looks at the switch, and the switch is thrown *before* the
//! requests in flight are looked at (both sequentially consistent). So either the request sees the switch, or the
//! switch sees the request; none slips through between.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::Waker;

use futures_util::task::AtomicWaker;
use hallpass_core::denial::{Denial, DenialCode};
use hallpass_core::id::SessionId;

/// Why a gate refuses everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// Somebody took the session back.
    Revoked,
    /// Its time is over.
    Expired,
    /// Its command ended.
    Completed,
    /// Its money is spent.
    BudgetExceeded,
}

impl Closed {
    const ALL: [Self; 4] = [Self::Revoked, Self::Expired, Self::Completed, Self::BudgetExceeded];

    /// The name that a cut request's `fault` carries.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::Completed => "completed",
            Self::BudgetExceeded => "budget-exceeded",
        }
    }

    /// What the child is told.
    pub(super) fn denial(self) -> Denial {
        match self {
            Self::Revoked => Denial::new(DenialCode::Revoked, "the session was taken back"),
            Self::Expired => Denial::new(DenialCode::Expired, "the session has expired"),
            Self::Completed => Denial::new(DenialCode::Revoked, "the session's command has ended"),
            Self::BudgetExceeded => Denial::new(DenialCode::BudgetExceeded, "the session's budget is spent"),
        }
    }
}

/// What [`Switch::refuse`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cut {
    /// Requests in flight that were cut.
    pub streams_cut: u64,
}

/// Ends a gate's access. Cheap to clone; every clone is the same switch.
#[derive(Debug, Clone, Default)]
pub struct Switch(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// 0 is open, else 1 + the index in [`Closed::ALL`].
    state: AtomicU8,
    /// Touched when a connection comes and goes and when the switch is thrown, never by a request. All switches of a
    /// gate share them, because a connection may serve one session's request after another's.
    connections: Arc<Mutex<HashMap<u64, Arc<Live>>>>,
    next: AtomicU64,
    /// The parent session's switch: what it refuses is refused here too.
    above: Option<Switch>,
    /// At the top: the switches of all child sessions below.
    below: Mutex<HashMap<SessionId, Weak<Self>>>,
}

impl Switch {
    /// Refuses every request from the instant it returns, and cuts every request in flight, in both directions:
    /// the task of each is woken and drops its sockets. The first reason stays; a second call changes nothing
    /// and cuts nothing. Does not wait, and may be called from any thread.
    pub fn refuse(&self, why: Closed) -> Cut {
        let code = (1_u8..).zip(Closed::ALL).find(|(_, each)| *each == why).map_or(1, |(code, _)| code);
        if self.0.state.compare_exchange(0, code, Ordering::SeqCst, Ordering::SeqCst).is_err() {
            return Cut::default();
        }
        let connections = self.0.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let mut streams_cut = 0;
        for live in connections.values() {
            streams_cut += u64::from(live.in_flight.load(Ordering::SeqCst) && live.serves(self));
            live.waker.wake();
        }
        Cut { streams_cut }
    }

    /// Refuses every request of one child session and of those below it, as [`Self::refuse`] does. `None` when this
    /// gate has no such child session.
    pub fn refuse_child(&self, child: &SessionId, why: Closed) -> Option<Cut> {
        let below = self.0.below.lock().unwrap_or_else(PoisonError::into_inner).get(child).and_then(Weak::upgrade);
        below.map(|inner| Self(inner).refuse(why))
    }

    /// Why everything is refused, if it is. One atomic load for each session up to the top.
    pub fn closed(&self) -> Option<Closed> {
        let code = self.0.state.load(Ordering::SeqCst);
        let own = |index| Closed::ALL.get(usize::from(index)).copied().unwrap_or(Closed::Revoked);
        code.checked_sub(1).map(own).or_else(|| self.0.above.as_ref().and_then(Self::closed))
    }

    /// The switch of a child session: thrown alone it ends the child only, and it is thrown with this one.
    pub(super) fn child(&self, id: &SessionId) -> Self {
        let child = Arc::new(Inner {
            connections: Arc::clone(&self.0.connections),
            above: Some(self.clone()),
            ..Inner::default()
        });
        let mut below = self.top().0.below.lock().unwrap_or_else(PoisonError::into_inner);
        below.retain(|_, switch| switch.strong_count() > 0);
        below.insert(id.clone(), Arc::downgrade(&child));
        Self(child)
    }

    fn top(&self) -> &Self {
        self.0.above.as_ref().map_or(self, Self::top)
    }

    /// True for itself and for every switch below `other`.
    fn is_within(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.above.as_ref().is_some_and(|above| above.is_within(other))
    }

    /// Lets every connection look at what has changed.
    pub(super) fn wake_all(&self) {
        self.0.connections.lock().unwrap_or_else(PoisonError::into_inner).values().for_each(|live| live.waker.wake());
    }

    /// Adds a connection, for as long as the registration lives.
    pub(super) fn register(&self) -> Registration {
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let live = Arc::new(Live::default());
        self.0.connections.lock().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::clone(&live));
        Registration { switch: self.clone(), id, live }
    }
}

/// What the switch knows of one connection of the child. A connection serves one request at a time.
#[derive(Debug, Default)]
pub(super) struct Live {
    in_flight: AtomicBool,
    /// The switch of the child session whose request is served; `None` for the gate's own session.
    child: Mutex<Option<Switch>>,
    /// The answer's head is on its way: too late to refuse, so the connection itself must be cut.
    answering: AtomicBool,
    waker: AtomicWaker,
}

impl Live {
    /// Who to wake when the switch is thrown.
    pub(super) fn watch(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    /// From here on a throw of the switch counts and cuts this request. Look at the switch *after* this.
    pub(super) fn begin(&self, child: Option<&Switch>) {
        *self.child.lock().unwrap_or_else(PoisonError::into_inner) = child.cloned();
        self.in_flight.store(true, Ordering::SeqCst);
    }

    pub(super) fn answer(&self) {
        self.answering.store(true, Ordering::SeqCst);
    }

    pub(super) fn end(&self) {
        self.answering.store(false, Ordering::SeqCst);
        self.in_flight.store(false, Ordering::SeqCst);
    }

    /// True when `switch` ends the request that is served.
    fn serves(&self, switch: &Switch) -> bool {
        let child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        child.as_ref().map_or(switch.0.above.is_none(), |child| child.is_within(switch))
    }

    /// Why the child session whose request was served last is refused, if it is one and is.
    pub(super) fn child_closed(&self) -> Option<Closed> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(Switch::closed)
    }

    pub(super) fn is_answering(&self) -> bool {
        self.answering.load(Ordering::SeqCst)
    }
}

/// A connection's place in the switch.
#[derive(Debug)]
pub(super) struct Registration {
    switch: Switch,
    id: u64,
    pub(super) live: Arc<Live>,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.switch.0.connections.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use hallpass_core::id::SessionId;

    use super::{Closed, Cut, Switch};

    #[test]
    fn the_first_reason_stays_and_only_it_cuts() {
        let switch = Switch::default();
        let one = switch.register();
        let two = switch.register();
        let gone = switch.register();
        one.live.begin(None);
        gone.live.begin(None);
        drop(gone);
        assert_eq!(switch.closed(), None);
        assert_eq!(switch.refuse(Closed::BudgetExceeded).streams_cut, 1);
        two.live.begin(None);
        assert_eq!(switch.refuse(Closed::Revoked).streams_cut, 0);
        assert_eq!(switch.clone().closed(), Some(Closed::BudgetExceeded));
    }

    #[test]
    fn a_child_sessions_switch_ends_it_and_what_is_below_it_and_nothing_else() {
        let id = |text: &str| SessionId::new(text).expect("legal");
        let top = Switch::default();
        let (one, two) = (top.child(&id("one")), top.child(&id("two")));
        let below = one.child(&id("below"));
        let connections = [None, Some(&one), Some(&two), Some(&below)].map(|child| {
            let connection = top.register();
            connection.live.begin(child);
            connection
        });
        assert_eq!(top.refuse_child(&id("one"), Closed::Revoked), Some(Cut { streams_cut: 2 }));
        assert_eq!((one.closed(), below.closed()), (Some(Closed::Revoked), Some(Closed::Revoked)));
        assert_eq!((top.closed(), two.closed()), (None, None));
        let cut = connections.each_ref().map(|connection| connection.live.child_closed().is_some());
        assert_eq!(cut, [false, true, false, true]);
        assert_eq!(top.refuse(Closed::Completed).streams_cut, 4);
        assert_eq!((two.closed(), one.closed()), (Some(Closed::Completed), Some(Closed::Revoked)));
        assert_eq!(top.refuse_child(&id("none"), Closed::Revoked), None);
    }

    #[test]
    fn every_reason_is_told_as_it_was_given() {
        for why in Closed::ALL {
            let switch = Switch::default();
            switch.refuse(why);
            assert_eq!(switch.closed(), Some(why));
        }
    }
}
