//! How large the parts are, and how many are in flight.

use std::time::Duration;

use hallpass_core::limits::{
    S3_ITEMS_IN_FLIGHT, S3_ITEMS_IN_FLIGHT_MAX, S3_OBJECT_BYTES_MAX, S3_PART_BYTES, S3_PART_BYTES_MAX,
    S3_PART_BYTES_MIN, S3_PART_NUMBER_MAX, S3_PARTS_IN_FLIGHT, S3_PARTS_IN_FLIGHT_MAX,
};
use tokio::time::Instant;

use super::TransferOptions;
use crate::error::S3Error;

/// One part: number from 1, first byte, length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) number: u32,
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

/// The parts of `size` bytes.
pub(crate) fn ranges(size: u64, part_size: u64) -> impl Iterator<Item = Range> {
    let count = size.div_ceil(part_size.max(1));
    (0..count).map(move |index| {
        let offset = index * part_size;
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        Range { number, offset, length: part_size.min(size - offset) }
    })
}

/// The part size for an object of `size` bytes: [`S3_PART_BYTES`] while they fit, then as small as they fit, in whole
/// MiB.
///
/// # Errors
/// [`S3Error::Usage`] for an object that no store takes, and for a part size that does not fit.
pub(crate) fn part_size(size: u64, asked: Option<u64>) -> Result<u64, S3Error> {
    if size > S3_OBJECT_BYTES_MAX {
        return Err(S3Error::usage(format!("{size} bytes: an object has at most {S3_OBJECT_BYTES_MAX}")));
    }
    let mib = 1024 * 1024;
    let least = size.div_ceil(u64::from(S3_PART_NUMBER_MAX)).div_ceil(mib) * mib;
    let Some(asked) = asked else { return Ok(least.max(S3_PART_BYTES)) };
    if !(S3_PART_BYTES_MIN..=S3_PART_BYTES_MAX).contains(&asked) || asked < least {
        return Err(S3Error::usage_with(
            format!("parts of {asked} bytes do not fit an object of {size} bytes"),
            format!("use at least {} and at most {S3_PART_BYTES_MAX} bytes", least.max(S3_PART_BYTES_MIN)),
        ));
    }
    Ok(asked)
}

/// Rates that are averaged before anything is decided: that of a moment says little.
const RATES: u32 = 3;
/// Decisions that are left out after more in flight turned out to be slower.
const PATIENCE: u32 = 8;

/// How many parts are in flight: grows unless that makes the whole slower, and shrinks when the whole becomes much slower.
/// Noise alone never shrinks it: with few in flight, a store spends more on each.
#[derive(Debug)]
pub(crate) struct Gauge {
    now: usize,
    max: usize,
    fixed: bool,
    since: Instant,
    bytes: u64,
    done: usize,
    /// Sum and number of rates since the last decision.
    rates: (f64, u32),
    /// What was in flight before the last decision, and how fast that was.
    before: (usize, f64),
    patience: u32,
}

impl Gauge {
    /// `held`: bytes that each part keeps in memory.
    pub(crate) fn new(options: &TransferOptions, held: u64) -> Self {
        let fits = usize::try_from(options.memory() / held.max(1)).unwrap_or(usize::MAX).max(1);
        let max = fits.min(S3_PARTS_IN_FLIGHT_MAX);
        let now = options.concurrency.unwrap_or(S3_PARTS_IN_FLIGHT).clamp(1, max);
        Self::starting(now, max, options.concurrency.is_some())
    }

    /// For whole files and objects, whose memory somebody else counts.
    pub(crate) fn of_items(wanted: Option<usize>) -> Self {
        let now = wanted.unwrap_or(S3_ITEMS_IN_FLIGHT).clamp(1, S3_ITEMS_IN_FLIGHT_MAX);
        Self::starting(now, S3_ITEMS_IN_FLIGHT_MAX, wanted.is_some())
    }

    fn starting(now: usize, max: usize, fixed: bool) -> Self {
        let (rates, before) = ((0.0, 0), (now, 0.0));
        Self { now, max, fixed, since: Instant::now(), bytes: 0, done: 0, rates, before, patience: 0 }
    }

    /// Parts that may be in flight.
    pub(crate) fn limit(&self) -> usize {
        self.now
    }

    /// A part is done. After as many as are in flight, their rate is looked at.
    pub(crate) fn done(&mut self, bytes: u64) {
        self.bytes += bytes;
        self.done += 1;
        if self.fixed || self.done < self.now {
            return;
        }
        let rate = self.bytes as f64 / self.since.elapsed().max(Duration::from_millis(1)).as_secs_f64();
        self.judge(rate);
        (self.since, self.bytes, self.done) = (Instant::now(), 0, 0);
    }

    fn judge(&mut self, rate: f64) {
        self.rates = (self.rates.0 + rate, self.rates.1 + 1);
        if self.rates.1 < RATES {
            return;
        }
        let mean = self.rates.0 / f64::from(RATES);
        let (few, usual) = self.before;
        self.before = (self.now, mean);
        self.rates = (0.0, 0);
        if self.now > few && mean < usual * 0.9 {
            self.now = few;
            self.patience = PATIENCE;
        } else if mean < usual * 0.5 {
            self.now = (self.now - (self.now / 4).max(1)).max(2.min(self.max));
            self.patience = PATIENCE;
        } else if self.patience > 0 {
            self.patience -= 1;
        } else {
            self.now = (self.now + (self.now / 2).max(1)).min(self.max);
        }
    }
}

#[cfg(test)]
mod tests {
    use hallpass_core::limits::{
        S3_ITEMS_IN_FLIGHT, S3_ITEMS_IN_FLIGHT_MAX, S3_OBJECT_BYTES_MAX, S3_PART_BYTES, S3_PART_BYTES_MAX,
        S3_PART_BYTES_MIN, S3_PART_NUMBER_MAX, S3_PARTS_IN_FLIGHT, S3_PARTS_IN_FLIGHT_MAX,
        S3_TRANSFER_MEMORY_BYTES_MAX,
    };

    use super::{Gauge, Range, part_size, ranges};
    use crate::transfer::TransferOptions;

    #[test]
    fn parts_are_as_large_as_it_takes_and_never_too_many() {
        assert_eq!(part_size(0, None), Ok(S3_PART_BYTES));
        assert_eq!(part_size(S3_PART_BYTES * u64::from(S3_PART_NUMBER_MAX), None), Ok(S3_PART_BYTES));
        assert!(part_size(S3_PART_BYTES * u64::from(S3_PART_NUMBER_MAX) + 1, None).expect("fits") > S3_PART_BYTES);
        let largest = part_size(S3_OBJECT_BYTES_MAX, None).expect("fits");
        assert!(ranges(S3_OBJECT_BYTES_MAX, largest).count() <= S3_PART_NUMBER_MAX as usize);
        assert!(part_size(S3_OBJECT_BYTES_MAX + 1, None).is_err());
        for (size, asked) in [(1, S3_PART_BYTES_MIN - 1), (1, S3_PART_BYTES_MAX + 1), (S3_OBJECT_BYTES_MAX, 5 << 20)] {
            assert!(part_size(size, Some(asked)).is_err(), "{size} {asked}");
        }
    }

    #[test]
    fn ranges_cover_every_byte_once() {
        let all: Vec<_> = ranges(25, 10).collect();
        assert_eq!(all[2], Range { number: 3, offset: 20, length: 5 });
        assert_eq!(all.iter().map(|range| range.length).sum::<u64>(), 25);
        assert_eq!(ranges(20, 10).count(), 2);
        assert_eq!(ranges(0, 10).count(), 0);
    }

    #[test]
    fn parts_in_flight_fit_the_memory_and_the_limit() {
        let options = TransferOptions { concurrency: Some(1_000), ..TransferOptions::default() };
        assert_eq!(Gauge::new(&options, 1).limit(), S3_PARTS_IN_FLIGHT_MAX);
        let held = S3_TRANSFER_MEMORY_BYTES_MAX / 3;
        assert_eq!(Gauge::new(&options, held).limit(), 3);
        assert_eq!(Gauge::new(&options, S3_TRANSFER_MEMORY_BYTES_MAX + 1).limit(), 1);
        assert_eq!(Gauge::new(&TransferOptions::default(), 1).limit(), S3_PARTS_IN_FLIGHT);
    }

    #[test]
    fn items_in_flight_have_a_limit_whatever_is_asked() {
        assert_eq!(Gauge::of_items(Some(usize::MAX)).limit(), S3_ITEMS_IN_FLIGHT_MAX);
        assert_eq!((Gauge::of_items(Some(0)).limit(), Gauge::of_items(None).limit()), (1, S3_ITEMS_IN_FLIGHT));
    }

    /// What is in flight after so many decisions, where `rate` says how fast what is in flight is.
    fn after(decisions: u32, mut gauge: Gauge, mut rate: impl FnMut(usize) -> f64) -> Gauge {
        for _ in 0..decisions * super::RATES {
            gauge.judge(rate(gauge.limit()));
        }
        gauge
    }

    #[test]
    fn more_parts_are_sent_at_once_unless_that_is_slower() {
        let parts = || Gauge::new(&TransferOptions::default(), 1);
        assert_eq!(after(1, parts(), |_| 100.0).limit(), S3_PARTS_IN_FLIGHT + S3_PARTS_IN_FLIGHT / 2);
        assert_eq!(after(9, parts(), |_| 100.0).limit(), S3_PARTS_IN_FLIGHT_MAX);
        let crowded = |now: usize| if now > S3_PARTS_IN_FLIGHT { 80.0 } else { 100.0 };
        assert_eq!(after(2, parts(), crowded).limit(), S3_PARTS_IN_FLIGHT);
        assert_eq!(after(5, parts(), crowded).limit(), S3_PARTS_IN_FLIGHT, "and it is not tried again at once");
    }

    #[test]
    fn a_store_that_becomes_much_slower_gets_fewer_at_once() {
        let mut rate = 1e6;
        let slower = after(9, Gauge::of_items(None), |_| {
            rate *= 0.7;
            rate
        });
        assert!(slower.limit() < S3_ITEMS_IN_FLIGHT, "{slower:?}");
        let mut rate = 1e300;
        let least = after(99, slower, |_| {
            rate *= 0.1;
            rate
        });
        assert_eq!(least.limit(), 2);
    }

    #[test]
    fn noise_does_not_make_them_fewer() {
        let mut seed = 7_u32;
        let mut least = usize::MAX;
        let noisy = after(60, Gauge::of_items(None), |now| {
            least = least.min(now);
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            50.0 + f64::from(seed >> 16) / 655.36
        });
        assert!(least >= S3_ITEMS_IN_FLIGHT && noisy.limit() > S3_ITEMS_IN_FLIGHT, "{least} {noisy:?}");
    }
}
