//! Time as a parameter. The only implementation that reads a real clock is `control::clock::SystemClock`.

use std::fmt::Debug;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

/// Tells the time. One of the four seams of the architecture.
pub trait Clock: Send + Sync + Debug {
    /// The current wall-clock time, at microsecond precision (the precision of the store).
    fn now(&self) -> Timestamp;
}

/// A clock that stands still until it is told to move. For tests of every room.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// Starts at `now`.
    pub fn new(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.as_microsecond()))
    }

    /// Moves forward, or back when `seconds` is negative.
    pub fn advance_s(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.load(Ordering::SeqCst)).unwrap_or(Timestamp::MAX)
    }
}
