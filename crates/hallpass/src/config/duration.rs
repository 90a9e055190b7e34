//! Durations as people write them: `15m`, `1h30m`, `90s`, `2d`, or plain seconds. One parser for flags, files and
//! variables, so that none of them accepts what another refuses.

use std::fmt;
use std::str::FromStr;

use hallpass_core::limits::{SESSION_TTL_S_MAX, SESSION_TTL_S_MIN};

use crate::output::time::span;

/// A length of time, whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seconds(pub(crate) u64);

/// Life of a session, whole seconds, within [`SESSION_TTL_S_MIN`] and [`SESSION_TTL_S_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ttl(u64);

/// The text is not a duration, or not one that a session can live.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DurationError {
    /// Not in the syntax.
    #[error("`{0}` is not a duration: write it like `15m`, `1h30m`, `90s` or `3600` (seconds)")]
    Syntax(String),
    /// In the syntax, but outside the limits.
    #[error("a session may live {} to {}, not `{asked}`", span(SESSION_TTL_S_MIN), span(SESSION_TTL_S_MAX), asked = .0)]
    OutOfRange(String),
}

const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

impl FromStr for Seconds {
    type Err = DurationError;

    /// Numbers with units, largest first, each unit once; or one number, seconds. No signs, fractions or spaces.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || DurationError::Syntax(text.chars().take(40).collect());
        if let Some(seconds) = whole(text) {
            return Ok(Self(seconds));
        }
        let mut rest = text;
        let mut total = 0_u64;
        let mut units = UNITS.iter();
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(refused)?;
            let number = whole(&rest[..end]).ok_or_else(refused)?;
            let unit = rest[end..].chars().next().ok_or_else(refused)?;
            let (_, seconds) = units.find(|(name, _)| *name == unit).ok_or_else(refused)?;
            total = number.checked_mul(*seconds).and_then(|s| total.checked_add(s)).ok_or_else(refused)?;
            rest = &rest[end + unit.len_utf8()..];
        }
        if text.is_empty() { Err(refused()) } else { Ok(Self(total)) }
    }
}

fn whole(digits: &str) -> Option<u64> {
    let legal = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    legal.then(|| digits.parse().ok()).flatten()
}

impl Ttl {
    /// Takes a number of seconds.
    ///
    /// # Errors
    /// [`DurationError::OutOfRange`] outside the limits.
    pub(crate) fn new(seconds: u64) -> Result<Self, DurationError> {
        if (SESSION_TTL_S_MIN..=SESSION_TTL_S_MAX).contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err(DurationError::OutOfRange(span(seconds)))
        }
    }

    /// Seconds.
    pub(crate) fn seconds(self) -> u64 {
        self.0
    }
}

impl FromStr for Ttl {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Seconds(seconds) = text.parse()?;
        Self::new(seconds).map_err(|_| DurationError::OutOfRange(text.to_owned()))
    }
}

impl fmt::Display for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&span(self.0))
    }
}

#[cfg(test)]
mod tests {
    use hallpass_core::limits::{SESSION_TTL_S_MAX, SESSION_TTL_S_MIN};

    use super::{DurationError, Seconds, Ttl};

    #[test]
    fn every_way_to_write_a_duration_is_read() {
        let read = |text: &str| text.parse::<Seconds>().map(|s| s.0);
        assert_eq!(read("15m"), Ok(900));
        assert_eq!(read("1h30m"), Ok(5_400));
        assert_eq!(read("90s"), Ok(90));
        assert_eq!(read("3600"), Ok(3_600));
        assert_eq!(read("1d2h3m4s"), Ok(93_784));
        assert_eq!(read("0"), Ok(0));
    }

    #[test]
    fn what_is_not_a_duration_is_refused() {
        for bad in [
            "",
            " ",
            "m",
            "15 m",
            " 15m",
            "15M",
            "1.5h",
            "-5m",
            "+5",
            "1m1h",
            "5m5m",
            "1h30",
            "15min",
            "１5m",
            "5ß",
            "99999999999999999999",
            "999999999999999999h",
            "1h 30m",
        ] {
            assert!(matches!(bad.parse::<Seconds>(), Err(DurationError::Syntax(_))), "{bad:?}");
        }
    }

    #[test]
    fn a_life_outside_the_limits_is_refused() {
        assert_eq!("12h".parse::<Ttl>().map(Ttl::seconds), Ok(SESSION_TTL_S_MAX));
        assert_eq!("1s".parse::<Ttl>().map(Ttl::seconds), Ok(SESSION_TTL_S_MIN));
        for bad in [SESSION_TTL_S_MAX + 1, SESSION_TTL_S_MIN - 1] {
            assert!(matches!(bad.to_string().parse::<Ttl>(), Err(DurationError::OutOfRange(_))), "{bad}");
            assert!(matches!(Ttl::new(bad), Err(DurationError::OutOfRange(_))), "{bad}");
        }
    }
}
