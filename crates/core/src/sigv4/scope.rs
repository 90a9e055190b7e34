//! The two times and the place of a signature: `x-amz-date` and the credential scope.

use std::fmt;

use jiff::Timestamp;

use super::TERMINATOR;

/// The value of `x-amz-date`: `YYYYMMDDTHHMMSSZ`, ISO 8601 basic format, always UTC, seconds precision.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AmzDate {
    text: [u8; 16],
    seconds: i64,
}

impl AmzDate {
    /// Reads the one legal form; `None` for every other, including times that do not exist.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let text: [u8; 16] = value.try_into().ok()?;
        if text[8] != b'T' || text[15] != b'Z' {
            return None;
        }
        let number = |range: std::ops::Range<usize>| {
            text[range].iter().try_fold(0_i16, |n, b| b.is_ascii_digit().then(|| n * 10 + i16::from(b - b'0')))
        };
        let small = |range| number(range).and_then(|n| i8::try_from(n).ok());
        let time = jiff::civil::DateTime::new(
            number(0..4)?,
            small(4..6)?,
            small(6..8)?,
            small(9..11)?,
            small(11..13)?,
            small(13..15)?,
            0,
        )
        .ok()?;
        let seconds = jiff::tz::TimeZone::UTC.to_timestamp(time).ok()?.as_second();
        Some(Self { text, seconds })
    }

    /// The text for an instant, rounded down to the second. `None` outside the years 0 to 9999.
    pub fn at(instant: Timestamp) -> Option<Self> {
        let time = jiff::tz::TimeZone::UTC.to_datetime(instant);
        let year = u16::try_from(time.year()).ok()?;
        let mut text = *b"00000000T000000Z";
        digits(&mut text[..4], year);
        let parts = [(4, time.month()), (6, time.day()), (9, time.hour()), (11, time.minute()), (13, time.second())];
        for (from, part) in parts {
            digits(&mut text[from..from + 2], u16::try_from(part).ok()?);
        }
        Self::parse(&text)
    }

    /// As in the header.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.text).unwrap_or_default()
    }

    /// The day, `YYYYMMDD`: what the scope of the same request must begin with.
    pub fn date(&self) -> &str {
        self.as_str().get(..8).unwrap_or_default()
    }

    /// Seconds since the Unix epoch.
    pub fn unix_s(&self) -> i64 {
        self.seconds
    }
}

impl fmt::Display for AmzDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for AmzDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The credential scope: `YYYYMMDD/region/service/aws4_request`.
///
/// The region and the service (the *signing name*) are 1 to 64 of `A-Z a-z 0-9 - _`: they reach a host name, a log
/// and a policy, so the alphabet is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scope<'a> {
    /// The day, eight digits.
    pub date: &'a str,
    /// The region; `us-east-1` for global services.
    pub region: &'a str,
    /// The signing name of the service.
    pub service: &'a str,
}

impl<'a> Scope<'a> {
    /// Checks the alphabet of each part. `None` when one is illegal.
    pub fn new(date: &'a str, region: &'a str, service: &'a str) -> Option<Self> {
        let date_ok = date.len() == 8 && date.bytes().all(|b| b.is_ascii_digit());
        (date_ok && is_label(region) && is_label(service)).then_some(Self { date, region, service })
    }

    /// Reads the four parts and checks each.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split('/');
        let scope = Self::new(parts.next()?, parts.next()?, parts.next()?)?;
        (parts.next() == Some(TERMINATOR) && parts.next().is_none()).then_some(scope)
    }

    /// Whether `text` is this scope, without writing it.
    pub(crate) fn is_written_as(&self, text: &str) -> bool {
        let mut rest = text;
        for part in [self.date, self.region, self.service] {
            match rest.strip_prefix(part).and_then(|r| r.strip_prefix('/')) {
                Some(after) => rest = after,
                None => return false,
            }
        }
        rest == TERMINATOR
    }
}

impl fmt::Display for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{TERMINATOR}", self.date, self.region, self.service)
    }
}

/// Writes a number with leading zeros, its last digits where there is no room for all.
fn digits(out: &mut [u8], number: u16) {
    let mut rest = number;
    for place in out.iter_mut().rev() {
        *place = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
    }
}

fn is_label(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{AmzDate, Scope};

    #[test]
    fn a_date_is_read_in_one_form_only() {
        let date = AmzDate::parse(b"20150830T123600Z").expect("legal");
        assert_eq!((date.as_str(), date.date(), date.unix_s()), ("20150830T123600Z", "20150830", 1_440_938_160));
        for bad in [
            "",
            "20150830T123600",
            "20150830 123600Z",
            "2015-08-30T12:36:00Z",
            "20150830T123600z",
            "20150230T000000Z",
            "20151330T000000Z",
            "20150830T240000Z",
            "20150830T236000Z",
            "20150830T23590+Z",
            "20150830T123600ZZ",
            "Sun, 30 Aug 2015",
            "２0150830T1236Z",
            "20150830t123600Z",
        ] {
            assert_eq!(AmzDate::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn an_instant_is_written_and_read_back() {
        let at = Timestamp::new(1_369_353_600, 999_999_999).expect("legal");
        let date = AmzDate::at(at).expect("legal");
        assert_eq!(date.as_str(), "20130524T000000Z");
        assert_eq!(AmzDate::parse(date.as_str().as_bytes()), Some(date));
        let digits = |second| AmzDate::at(Timestamp::from_second(second).expect("legal")).map(|at| at.to_string());
        assert_eq!(digits(1_735_689_599).as_deref(), Some("20241231T235959Z"));
        assert_eq!(digits(-62_135_596_800).as_deref(), Some("00010101T000000Z"));
        assert_eq!(AmzDate::at(Timestamp::MIN), None);
    }

    #[test]
    fn a_scope_has_four_parts_of_a_closed_alphabet() {
        let text = "20130524/us-east-1/s3/aws4_request";
        let scope = Scope::parse(text).expect("legal");
        assert_eq!((scope.date, scope.region, scope.service), ("20130524", "us-east-1", "s3"));
        assert_eq!(scope.to_string(), text);
        for bad in [
            "",
            "20130524/us-east-1/s3",
            "20130524/us-east-1/s3/aws4_request/",
            "20130524/us-east-1/s3/aws4_requesT",
            "2013052/us-east-1/s3/aws4_request",
            "2013052x/us-east-1/s3/aws4_request",
            "20130524//s3/aws4_request",
            "20130524/us-east-1//aws4_request",
            "20130524/../s3/aws4_request",
            "20130524/us east/s3/aws4_request",
            "20130524/us-east-1/s3\r/aws4_request",
            "20130524/us-east-1/s%33/aws4_request",
            "20130524/us-east-1/é/aws4_request",
            &format!("20130524/{}/s3/aws4_request", "r".repeat(65)),
        ] {
            assert_eq!(Scope::parse(bad), None, "{bad:?}");
        }
    }
}
