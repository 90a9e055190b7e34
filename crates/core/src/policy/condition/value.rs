//! Values of conditions and how they are read: decimals, dates, booleans, base64, addresses.

use std::cmp::Ordering;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::policy::glob::Glob;
use crate::policy::template::Template;

/// One value of a policy, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Operand {
    /// With its glob, built once, where no variable has to be filled in first; ARNs are compared part by part.
    Text(Template, Option<Glob>),
    Number(Decimal),
    Date(Timestamp),
    Bool(bool),
    Binary(Vec<u8>),
    Network(Network),
}

/// An exact decimal: a float would call 9007199254740993 and 9007199254740992 equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    /// Digits before the point, without leading zeros.
    whole: String,
    /// Digits after the point, without trailing zeros.
    fraction: String,
}

impl Decimal {
    /// `-12`, `3.50`; no exponent.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let numeric = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !numeric(whole) || !numeric(fraction) || digits.ends_with('.') {
            return None;
        }
        let whole = whole.trim_start_matches('0').to_owned();
        let fraction = fraction.trim_end_matches('0').to_owned();
        let zero = whole.is_empty() && fraction.is_empty();
        Some(Self { negative: negative && !zero, whole, fraction })
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let magnitude =
            || (self.whole.len(), &self.whole, &self.fraction).cmp(&(other.whole.len(), &other.whole, &other.fraction));
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => magnitude(),
            (true, true) => magnitude().reverse(),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A range of addresses. IPv4 written as IPv6 (`::ffff:0:0/96`) is IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    /// `10.0.0.0/8`, `2001:db8::/32`, or one address.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match length {
            None => bits,
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok().filter(|n| *n <= bits)?,
            Some(_) => return None,
        };
        match address {
            IpAddr::V6(v6) if prefix >= 96 => Some(match v6.to_ipv4_mapped() {
                Some(v4) => Self { address: IpAddr::V4(v4), prefix: prefix - 96 },
                None => Self { address, prefix },
            }),
            _ => Some(Self { address, prefix }),
        }
    }

    pub(crate) fn contains(self, address: IpAddr) -> bool {
        let same = |ours: u128, theirs: u128, bits: u32| {
            let shift = bits - self.prefix;
            ours.checked_shr(shift) == theirs.checked_shr(shift)
        };
        match (self.address, address) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => same(u32::from(ours).into(), u32::from(theirs).into(), 32),
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => same(ours.into(), theirs.into(), 128),
            _ => false,
        }
    }
}

/// One address of a request.
pub(crate) fn address(text: &str) -> Option<IpAddr> {
    let address: IpAddr = text.parse().ok()?;
    Some(match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    })
}

/// ISO 8601 with a zone, a plain date (midnight UTC), or seconds since 1970. Digits alone that could be a year or a
/// day (`2026`, `20260131`) are refused: IAM would read them as seconds, and the author meant something else.
pub(crate) fn date(text: &str) -> Option<Timestamp> {
    if let Some(decimal) = Decimal::parse(text) {
        let seconds = text.split('.').next()?.parse().ok()?;
        return (text.len() > 8 && !decimal.negative).then(|| Timestamp::from_second(seconds).ok())?;
    }
    if text.contains('[') {
        return None;
    }
    let day = |text: &str| (text.len() == 10).then(|| text.parse::<Date>().ok()).flatten();
    match day(text) {
        Some(day) => day.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp()),
        None => text.parse().ok(),
    }
}

/// `true` or `false`, in any case.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// Standard base64 with padding.
pub(crate) fn binary(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::{Decimal, Network, address, date};

    #[test]
    fn numbers_are_compared_exactly() {
        let n = |text: &str| Decimal::parse(text).expect(text);
        let ascending = ["-10", "-9.5", "-9.05", "0", "0.05", "0.5", "1", "10", "9007199254740992", "9007199254740993"];
        for pair in ascending.windows(2) {
            assert!(n(pair[0]) < n(pair[1]), "{pair:?}");
        }
        assert_eq!(n("-0"), n("+00.00"));
        assert_eq!(n("1.50"), n("01.5"));
        for bad in ["", "-", ".5", "5.", "1e3", "0x1", "1,5", " 1", "--1", "1.2.3", "NaN"] {
            assert_eq!(Decimal::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn dates_come_in_three_forms() {
        let epoch = date("1767225600").expect("epoch");
        for same in ["2026-01-01T00:00:00Z", "2026-01-01", "2026-01-01T01:00:00+01:00", "2026-01-01T00:00Z"] {
            assert_eq!(date(same), Some(epoch), "{same}");
        }
        for bad in [
            "",
            "2026",
            "20260131",
            "2026-01-01T00:00:00",
            "2026-13-01",
            "yesterday",
            "-5",
            "2026-01-01T00:00:00Z[UTC]",
        ] {
            assert_eq!(date(bad), None, "{bad}");
        }
    }

    #[test]
    fn networks_contain_their_addresses_and_mapped_ones() {
        let inside = |net: &str, ip: &str| Network::parse(net).expect(net).contains(address(ip).expect(ip));
        for (net, ip) in [
            ("10.0.0.0/8", "10.255.0.1"),
            ("10.1.2.3/8", "10.0.0.0"),
            ("0.0.0.0/0", "203.0.113.9"),
            ("203.0.113.9", "203.0.113.9"),
            ("10.0.0.0/8", "::ffff:10.0.0.1"),
            ("::ffff:10.0.0.0/104", "10.9.9.9"),
            ("::ffff:10.0.0.0/90", "::ffc0:5:6"),
            ("2001:db8::/32", "2001:db8:1::1"),
            ("::/0", "2001:db8::1"),
        ] {
            assert!(inside(net, ip), "{net} {ip}");
        }
        for (net, ip) in [
            ("10.0.0.0/8", "11.0.0.1"),
            ("::ffff:10.0.0.0/104", "11.0.0.1"),
            ("::/0", "10.0.0.1"),
            ("0.0.0.0/0", "2001:db8::1"),
            ("::1", "::2"),
        ] {
            assert!(!inside(net, ip), "{net} {ip}");
        }
        for bad in ["10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/+8", "10.0.0.0/", "x", "010.0.0.1/8"] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
    }
}
