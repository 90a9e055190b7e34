//! What watches and slows bytes in flight.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use hallpass_core::limits::{S3_FLOW_BYTES_MAX, S3_FLOW_BYTES_MIN};
use tokio::time::Instant;

/// Hears how a transfer goes on. Called from the task that moves the bytes: it must not block.
pub trait Progress: Send + Sync + fmt::Debug {
    /// So many bytes moved. Negative: bytes that were counted have to be sent again.
    fn moved(&self, bytes: i64);
    /// So many bytes are known to be to move in all; called again when more are found.
    fn total(&self, _bytes: u64) {}
    /// One item is complete.
    fn item(&self) {}
}

/// A token bucket over bytes in flight, shared by all transfers that it is given to.
#[derive(Debug)]
pub struct RateLimit {
    bytes_per_s: u64,
    /// When the bytes given out so far have all been paid for.
    paid: Mutex<Option<Instant>>,
}

impl RateLimit {
    /// At most `bytes_per_s` bytes a second, up and down together. At least [`S3_FLOW_BYTES_MIN`].
    pub fn new(bytes_per_s: u64) -> Self {
        Self { bytes_per_s: bytes_per_s.max(S3_FLOW_BYTES_MIN), paid: Mutex::new(None) }
    }

    /// How long to wait before `bytes` more may move. They count from now on.
    pub(crate) fn take(&self, bytes: u64) -> Duration {
        self.take_at(Instant::now(), bytes)
    }

    fn take_at(&self, now: Instant, bytes: u64) -> Duration {
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        let from = paid.map_or(now, |paid| paid.max(now));
        let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(self.bytes_per_s);
        let until = from + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        *paid = Some(until);
        from.saturating_duration_since(now)
    }

    /// The bytes that move at once: a quarter of a second of them.
    fn step(&self) -> u64 {
        (self.bytes_per_s / 4).clamp(S3_FLOW_BYTES_MIN, S3_FLOW_BYTES_MAX)
    }
}

/// One request's bytes.
#[derive(Debug, Clone, Default)]
pub struct Flow {
    /// Slows them.
    pub limit: Option<Arc<RateLimit>>,
    /// Hears of them.
    pub progress: Option<Arc<dyn Progress>>,
}

impl Flow {
    /// Bytes that move at once.
    pub(crate) fn step(&self) -> u64 {
        self.limit.as_ref().map_or(S3_FLOW_BYTES_MAX, |limit| limit.step())
    }

    pub(crate) fn moved(&self, bytes: u64) {
        if let Some(progress) = &self.progress {
            progress.moved(i64::try_from(bytes).unwrap_or(i64::MAX));
        }
    }

    pub(crate) fn taken_back(&self, bytes: u64) {
        if let Some(progress) = &self.progress
            && bytes > 0
        {
            progress.moved(i64::try_from(bytes).map_or(i64::MIN, |bytes| -bytes));
        }
    }
}

/// How far one upload has come, and what went wrong with its source.
#[derive(Debug, Default)]
pub(crate) struct Transit {
    sent: AtomicU64,
    slowed: AtomicBool,
    fault: OnceLock<(String, String)>,
}

impl Transit {
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, bytes: u64) {
        self.sent.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Our own rate limit holds the bytes back: that is not the store's silence.
    pub(crate) fn slow(&self, slowed: bool) {
        self.slowed.store(slowed, Ordering::Relaxed);
    }

    pub(crate) fn is_slowed(&self) -> bool {
        self.slowed.load(Ordering::Relaxed)
    }

    /// The source, and what the system said about it.
    pub(crate) fn fail(&self, path: String, message: String) {
        // The first fault is the cause of the others.
        drop(self.fault.set((path, message)));
    }

    pub(crate) fn fault(&self) -> Option<(String, String)> {
        self.fault.get().cloned()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hallpass_core::limits::{S3_FLOW_BYTES_MAX, S3_FLOW_BYTES_MIN};
    use tokio::time::Instant;

    use super::RateLimit;

    #[test]
    fn a_rate_limit_gives_out_no_more_bytes_than_its_rate() {
        let limit = RateLimit::new(1_000_000);
        let now = Instant::now();
        assert_eq!(limit.take_at(now, 500_000), Duration::ZERO);
        assert_eq!(limit.take_at(now, 1_000_000), Duration::from_millis(500));
        assert_eq!(limit.take_at(now, 1), Duration::from_millis(1_500));
        let later = now + Duration::from_secs(60);
        assert_eq!(limit.take_at(later, 1_000_000), Duration::ZERO, "what was not used is not saved up");
        assert_eq!(limit.take_at(later, 1), Duration::from_secs(1));
    }

    #[test]
    fn the_bytes_that_move_at_once_have_a_floor_and_a_ceiling() {
        assert_eq!(RateLimit::new(1).step(), S3_FLOW_BYTES_MIN);
        assert_eq!(RateLimit::new(u64::MAX).step(), S3_FLOW_BYTES_MAX);
    }
}
