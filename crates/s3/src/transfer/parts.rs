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

/// How many parts are in flight: grows while that makes the whole faster, and shrinks when it makes it slower.
#[derive(Debug)]
pub(crate) struct Gauge {
    now: usize,
    max: usize,
    fixed: bool,
    since: Instant,
    bytes: u64,
    done: usize,
    best: f64,
}

impl Gauge {
    /// `held`: bytes that each part keeps in memory.
    pub(crate) fn new(options: &TransferOptions, held: u64) -> Self {
        let fits = usize::try_from(options.memory() / held.max(1)).unwrap_or(usize::MAX).max(1);
        let max = fits.min(S3_PARTS_IN_FLIGHT_MAX);
        let now = options.concurrency.unwrap_or(S3_PARTS_IN_FLIGHT).clamp(1, max);
        Self { now, max, fixed: options.concurrency.is_some(), since: Instant::now(), bytes: 0, done: 0, best: 0.0 }
    }

    /// For whole files and objects, whose memory somebody else counts.
    pub(crate) fn of_items(wanted: Option<usize>) -> Self {
        let now = wanted.unwrap_or(S3_ITEMS_IN_FLIGHT).clamp(1, S3_ITEMS_IN_FLIGHT_MAX);
        let (max, fixed) = (S3_ITEMS_IN_FLIGHT_MAX, wanted.is_some());
        Self { now, max, fixed, since: Instant::now(), bytes: 0, done: 0, best: 0.0 }
    }

    /// Parts that may be in flight.
    pub(crate) fn limit(&self) -> usize {
        self.now
    }

    /// A part is done. After as many as are in flight, their rate is compared with the best so far.
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
        if rate > self.best * 1.05 {
            self.now = (self.now + 1).min(self.max);
        } else if rate < self.best * 0.8 {
            self.now = (self.now - 1).max(2.min(self.max));
        }
        // What was best once is forgotten slowly: networks change.
        self.best = (self.best * 0.98).max(rate);
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

    #[test]
    fn more_parts_are_sent_at_once_while_that_is_faster() {
        let mut gauge = Gauge::new(&TransferOptions::default(), 1);
        for rate in [100.0, 120.0, 140.0] {
            gauge.judge(rate);
        }
        assert_eq!(gauge.limit(), S3_PARTS_IN_FLIGHT + 3);
        gauge.judge(139.0);
        assert_eq!(gauge.limit(), S3_PARTS_IN_FLIGHT + 3);
        gauge.judge(50.0);
        assert_eq!(gauge.limit(), S3_PARTS_IN_FLIGHT + 2);
        (0..100).for_each(|_| gauge.judge(0.0));
        assert_eq!(gauge.limit(), 2);
    }
}
