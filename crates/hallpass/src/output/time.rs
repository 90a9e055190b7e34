//! Times for people: how long ago, how long from now. JSON has RFC 3339.

use jiff::Timestamp;

/// `now`, `42s ago`, `in 5m`, `3h ago`, `12d ago`.
pub(crate) fn relative(time: Timestamp, now: Timestamp) -> String {
    let seconds = time.duration_since(now).as_secs();
    match seconds {
        0 => "now".to_owned(),
        ..0 => format!("{} ago", span(seconds.unsigned_abs())),
        1.. => format!("in {}", span(seconds.unsigned_abs())),
    }
}

/// The largest unit that fits, and the next one when it says something: `1h30m`, `45s`, `3d`.
pub(crate) fn span(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes, seconds % 60) {
        (0, 0, 0, s) => format!("{s}s"),
        (0, 0, m, 0) => format!("{m}m"),
        (0, 0, m, s) => format!("{m}m{s}s"),
        (0, h, 0, _) => format!("{h}h"),
        (0, h, m, _) => format!("{h}h{m}m"),
        (d, 0, _, _) => format!("{d}d"),
        (d, h, _, _) => format!("{d}d{h}h"),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    #[test]
    fn times_are_shown_with_at_most_two_units() {
        let now: Timestamp = "2026-01-02T00:00:00Z".parse().expect("time");
        let at = |text: &str| super::relative(text.parse().expect("time"), now);
        assert_eq!(at("2026-01-02T00:00:00Z"), "now");
        assert_eq!(at("2026-01-01T23:59:18Z"), "42s ago");
        assert_eq!(at("2026-01-02T01:30:59Z"), "in 1h30m");
        assert_eq!(at("2025-12-30T22:00:00Z"), "2d2h ago");
    }
}
