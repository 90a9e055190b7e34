//! A moment in the past, as people write it: `15m`, `2d`, or RFC 3339.

use std::str::FromStr;

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
        text.parse()
            .map(Self::At)
            .map_err(|_| format!("`{text}` is not a moment: write it like `15m`, `2d` or `2026-01-31T12:00:00Z`"))
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::Since;

    #[test]
    fn a_moment_is_so_long_ago_or_a_time() {
        let now: Timestamp = "2026-01-02T00:00:00Z".parse().expect("time");
        let at = |text: &str| text.parse::<Since>().map(|since| since.resolve(now).to_string());
        assert_eq!(at("1d"), Ok("2026-01-01T00:00:00Z".to_owned()));
        assert_eq!(at("2025-12-31T23:00:00+01:00"), Ok("2025-12-31T22:00:00Z".to_owned()));
        assert_eq!(at("213503982334601d"), Ok(Timestamp::MIN.to_string()));
        assert!(at("yesterday").is_err());
    }
}
