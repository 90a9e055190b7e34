//! Requests over time, as a small picture for a terminal.

use jiff::Timestamp;
use serde::Serialize;

use crate::command::session::requests::{Row, Verdict};
use crate::output::time::span;

/// Columns of the picture.
const COLUMNS: usize = 60;
/// Heights, from nothing to the most.
const HEIGHTS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// One column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Bucket {
    pub(super) passed: u64,
    pub(super) denied: u64,
}

/// A session's time in columns.
#[derive(Debug)]
pub(super) struct Picture {
    begin_us: i64,
    length_us: i64,
    buckets: [Bucket; COLUMNS],
}

impl Picture {
    /// From `begin` to `end`.
    pub(super) fn new(begin: Timestamp, end: Timestamp) -> Self {
        let (begin_us, end_us) = (begin.as_microsecond(), end.as_microsecond());
        Self { begin_us, length_us: end_us.saturating_sub(begin_us).max(1), buckets: [Bucket::default(); COLUMNS] }
    }

    /// Adds one row. What lies outside counts at the edge.
    pub(super) fn add(&mut self, row: &Row) {
        let offset = i128::from(row.time.as_microsecond()) - i128::from(self.begin_us);
        let column = offset.max(0) * COLUMNS as i128 / i128::from(self.length_us);
        let column = usize::try_from(column).unwrap_or(COLUMNS).min(COLUMNS - 1);
        match row.verdict {
            Verdict::Allowed | Verdict::Unknown => self.buckets[column].passed += row.count,
            Verdict::Denied => self.buckets[column].denied += row.count,
        }
    }

    /// The columns, for JSON.
    pub(super) fn buckets(&self) -> &[Bucket] {
        &self.buckets
    }

    /// Two rows of bars and a line of time.
    pub(super) fn lines(&self) -> Vec<String> {
        let most = self.buckets.iter().map(|b| b.passed.max(b.denied)).max().unwrap_or(0);
        let bars = |of: fn(&Bucket) -> u64| self.buckets.iter().map(|b| height(of(b), most)).collect::<String>();
        let length = span(u64::try_from(self.length_us / 1_000_000).unwrap_or(0));
        vec![
            format!("passed  |{}|", bars(|b| b.passed)),
            format!("refused |{}|", bars(|b| b.denied)),
            format!("         0{length:>width$}  (a full column: {most})", width = COLUMNS - 1),
        ]
    }
}

/// Anything above nothing is seen.
fn height(count: u64, most: u64) -> char {
    let steps = HEIGHTS.len() as u64 - 1;
    let step = (u128::from(count) * u128::from(steps)).div_ceil(u128::from(most.max(1)));
    usize::try_from(step).ok().and_then(|step| HEIGHTS.get(step)).copied().unwrap_or(' ')
}

#[cfg(test)]
mod tests {
    use super::{COLUMNS, Picture, height};

    #[test]
    fn one_request_is_seen_beside_a_thousand_and_none_is_not() {
        assert_eq!((height(0, 1_000), height(1, 1_000), height(1_000, 1_000)), (' ', '▁', '█'));
        assert_eq!(height(0, 0), ' ');
        assert_eq!(height(u64::MAX, u64::MAX), '█');
    }

    #[test]
    fn an_empty_picture_of_no_time_has_its_shape() {
        let now = "2026-01-01T00:00:00Z".parse().expect("time");
        let lines = Picture::new(now, now).lines();
        assert_eq!(lines[0].chars().count(), COLUMNS + 10);
    }
}
