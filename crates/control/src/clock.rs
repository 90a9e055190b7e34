//! The real clock, read here and nowhere else.

use hallpass_core::clock::Clock;
use jiff::Timestamp;

/// The operating system's wall clock, cut to microseconds: the precision of the store.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the real clock")]
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use hallpass_core::clock::Clock;

    use super::SystemClock;

    #[test]
    fn the_real_clock_has_the_precision_of_the_store() {
        assert_eq!(SystemClock.now().subsec_nanosecond() % 1_000, 0);
    }
}
