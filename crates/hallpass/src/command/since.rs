//! A moment, as people write it: `15m`, `2d`, RFC 3339, or a day.

use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::config::duration::Seconds;

/// A moment: so long ago, or at this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    /// So many seconds ago.
    Ago(Seconds),
    /// At this time.
    At(Timestamp),
}

impl Since {
    /// The moment, seen from `now`; never later than `now`'s distance from the beginning of time allows.
    pub(crate) fn resolve(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Ago(Seconds(seconds)) => {
                let span = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
                now.checked_sub(span).unwrap_or(Timestamp::MIN)
            }
        }
    }
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(seconds) = text.parse() {
            return Ok(Self::Ago(seconds));
        }
        let hint = "is not a moment: write it like `15m`, `2d`, `2026-01-31` or `2026-01-31T12:00:00Z`";
        time(text).map(Self::At).ok_or_else(|| format!("`{text}` {hint}"))
    }
}

/// A time by itself: RFC 3339, or a day (`2026-01-31`), which is its midnight in UTC.
///
/// # Errors
/// How to write it.
pub(crate) fn parse_time(text: &str) -> Result<Timestamp, String> {
    let hint = "is not a time: write it like `2026-01-31`, which is midnight UTC, or `2026-01-31T12:00:00Z`";
    time(text).ok_or_else(|| format!("`{text}` {hint}"))
}

fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| {
        // A day's parser takes a time without an offset as well, and forgets it.
        let is_day = text.len() == "2026-01-31".len() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let day: Date = text.parse().ok().filter(|_| is_day)?;
        Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp())
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{Since, parse_time};

    #[test]
    fn a_moment_is_so_long_ago_or_a_time() {
        let now: Timestamp = "2026-01-02T00:00:00Z".parse().expect("time");
        let at = |text: &str| text.parse::<Since>().map(|since| since.resolve(now).to_string());
        assert_eq!(at("1d"), Ok("2026-01-01T00:00:00Z".to_owned()));
        assert_eq!(at("2025-12-31T23:00:00+01:00"), Ok("2025-12-31T22:00:00Z".to_owned()));
        assert_eq!(at("213503982334601d"), Ok(Timestamp::MIN.to_string()));
        assert!(at("yesterday").is_err());
    }

    #[test]
    fn a_day_is_its_midnight_in_utc_and_a_time_without_an_offset_is_none() {
        let midnight = Ok("2026-01-02T00:00:00Z".parse().expect("time"));
        assert_eq!(parse_time("2026-01-02"), midnight);
        assert_eq!("2026-01-02".parse(), midnight.map(Since::At));
        for text in ["2026-01-02T12:00", "2026-01-02T12", "2026-02-30", "20260102", "2026-1-2", "-26-01-021", ""] {
            assert!(parse_time(text).expect_err("no time").contains("midnight UTC"), "{text}");
            assert!(!matches!(text.parse(), Ok(Since::At(_))), "{text}");
        }
    }
}
