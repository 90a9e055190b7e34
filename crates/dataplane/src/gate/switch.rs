//! The switch that ends a session's access, synchronously.
//!
//! A request announces itself as in flight *before* it looks at the switch, and the switch is thrown *before* the
//! requests in flight are looked at (both sequentially consistent). So either the request sees the switch, or the
//! switch sees the request; none slips through between.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use futures_util::task::AtomicWaker;
use hallpass_core::denial::{Denial, DenialCode};

/// Why a gate refuses everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// Somebody took the session back.
    Revoked,
    /// Its time is over.
    Expired,
    /// Its command ended.
    Completed,
    /// Its budget or another of its caps is used up.
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
            Self::BudgetExceeded => {
                Denial::new(DenialCode::BudgetExceeded, "the session's budget or another of its caps is used up")
            }
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
    /// Touched when a connection comes and goes and when the switch is thrown, never by a request.
    connections: Mutex<HashMap<u64, Arc<Live>>>,
    next: AtomicU64,
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
            streams_cut += u64::from(live.in_flight.load(Ordering::SeqCst));
            live.waker.wake();
        }
        Cut { streams_cut }
    }

    /// Why everything is refused, if it is. One atomic load.
    pub fn closed(&self) -> Option<Closed> {
        let code = self.0.state.load(Ordering::SeqCst);
        code.checked_sub(1).map(|index| Closed::ALL.get(usize::from(index)).copied().unwrap_or(Closed::Revoked))
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
    /// The answer's head is on its way: too late to refuse, so the connection itself must be cut.
    answering: AtomicBool,
    /// Nothing moves any more, so the connection is about to be cut.
    stalled: AtomicBool,
    /// What is left to say would be a lie or an invitation to a duplicate: the connection breaks instead.
    broken: AtomicBool,
    waker: AtomicWaker,
}

impl Live {
    /// Who to wake when the switch is thrown.
    pub(super) fn watch(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    /// From here on a throw of the switch counts and cuts this request. Look at the switch *after* this.
    pub(super) fn begin(&self) {
        self.in_flight.store(true, Ordering::SeqCst);
    }

    pub(super) fn answer(&self) {
        self.answering.store(true, Ordering::SeqCst);
    }

    pub(super) fn end(&self) {
        self.answering.store(false, Ordering::SeqCst);
        self.in_flight.store(false, Ordering::SeqCst);
    }

    pub(super) fn is_answering(&self) -> bool {
        self.answering.load(Ordering::SeqCst)
    }

    pub(super) fn stall(&self) {
        self.stalled.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_stalled(&self) -> bool {
        self.stalled.load(Ordering::SeqCst)
    }

    /// Breaks the connection at once, as the upstream broke its own.
    pub(super) fn break_off(&self) {
        self.broken.store(true, Ordering::SeqCst);
        self.waker.wake();
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::SeqCst)
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
    use super::{Closed, Switch};

    #[test]
    fn the_first_reason_stays_and_only_it_cuts() {
        let switch = Switch::default();
        let one = switch.register();
        let two = switch.register();
        let gone = switch.register();
        one.live.begin();
        gone.live.begin();
        drop(gone);
        assert_eq!(switch.closed(), None);
        assert_eq!(switch.refuse(Closed::BudgetExceeded).streams_cut, 1);
        two.live.begin();
        assert_eq!(switch.refuse(Closed::Revoked).streams_cut, 0);
        assert_eq!(switch.clone().closed(), Some(Closed::BudgetExceeded));
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
