//! A CBOR body, read as strictly as a JSON one and into the same shape. Source: RFC 8949; Smithy RPC v2 CBOR.

use std::collections::HashSet;

use super::json::Json;
use super::malformed;
use crate::denial::Denial;
use crate::limits::BODY_JSON_DEPTH_MAX;

/// Reads one map, in which every name is a text that occurs once, nested [`BODY_JSON_DEPTH_MAX`] levels at most.
pub(super) fn parse(body: &[u8]) -> Result<Json, Denial> {
    let mut reader = Reader { left: body };
    match reader.item(BODY_JSON_DEPTH_MAX) {
        Some(map @ Json::Object(_)) if reader.left.is_empty() => Ok(map),
        _ => Err(malformed(
            "the CBOR body is not one map in which every name is a text that occurs once, nested 100 levels at most",
        )),
    }
}

struct Reader<'a> {
    left: &'a [u8],
}

/// The first byte of an item and what its argument says.
struct Head {
    major: u8,
    /// `None` for an indefinite length.
    argument: Option<u64>,
}

const BREAK: u8 = 0xff;

impl<'a> Reader<'a> {
    fn item(&mut self, depth: usize) -> Option<Json> {
        let head = self.head()?;
        match (head.major, head.argument) {
            (0 | 1 | 7, Some(_)) => Some(Json::Other),
            (2, length) => self.bytes(2, length).map(|_| Json::Other),
            (3, length) => Some(Json::Text(String::from_utf8(self.bytes(3, length)?).ok()?)),
            (4, length) => self.list(length, depth.checked_sub(1)?),
            (5, length) => self.map(length, depth.checked_sub(1)?),
            (6, Some(_)) => self.item(depth.checked_sub(1)?),
            _ => None,
        }
    }

    fn head(&mut self) -> Option<Head> {
        let first = self.take(1)?.first().copied()?;
        let (major, low) = (first >> 5, first & 0x1f);
        let wide = match low {
            0..=23 => return Some(Head { major, argument: Some(u64::from(low)) }),
            24..=27 => 1_usize << (low - 24),
            31 if (2..=5).contains(&major) => return Some(Head { major, argument: None }),
            _ => return None,
        };
        let argument = self.take(wide)?.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        Some(Head { major, argument: Some(argument) })
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, left) = self.left.split_at_checked(count)?;
        self.left = left;
        Some(taken)
    }

    /// A string in one piece, or in definite pieces of the same kind.
    fn bytes(&mut self, major: u8, length: Option<u64>) -> Option<Vec<u8>> {
        let Some(length) = length else {
            let mut whole = Vec::new();
            while !self.broke() {
                let piece = self.head().filter(|piece| piece.major == major)?;
                whole.extend_from_slice(self.take(usize::try_from(piece.argument?).ok()?)?);
            }
            return Some(whole);
        };
        self.take(usize::try_from(length).ok()?).map(<[u8]>::to_vec)
    }

    fn list(&mut self, length: Option<u64>, depth: usize) -> Option<Json> {
        let mut items = Vec::new();
        while !self.ended(length, items.len())? {
            items.push(self.item(depth)?);
        }
        Some(Json::List(items))
    }

    fn map(&mut self, length: Option<u64>, depth: usize) -> Option<Json> {
        let (mut members, mut seen) = (Vec::new(), HashSet::new());
        while !self.ended(length, members.len())? {
            let Json::Text(name) = self.item(0)? else { return None };
            if !seen.insert(name.clone()) {
                return None;
            }
            members.push((name, self.item(depth)?));
        }
        Some(Json::Object(members))
    }

    /// Whether a list or map that has `count` entries so far is complete. `None` where too few bytes are left for it,
    /// so that a length alone costs nothing.
    fn ended(&mut self, length: Option<u64>, count: usize) -> Option<bool> {
        match length {
            None => Some(self.broke()),
            Some(length) => {
                let (length, count) = (usize::try_from(length).ok()?, count);
                (length - count <= self.left.len()).then_some(count == length)
            }
        }
    }

    fn broke(&mut self) -> bool {
        let broke = self.left.first() == Some(&BREAK);
        if broke {
            self.left = self.left.get(1..).unwrap_or_default();
        }
        broke
    }
}

#[cfg(test)]
mod tests {
    use super::{Json, parse};
    use crate::limits::BODY_JSON_DEPTH_MAX;

    #[test]
    fn definite_and_indefinite_bodies_read_the_same() {
        let expected = Json::Object(vec![
            ("a".into(), Json::Text("xy".into())),
            ("b".into(), Json::List(vec![Json::Other, Json::Text("z".into())])),
        ]);
        assert_eq!(parse(b"\xa2\x61a\x62xy\x61b\x82\x01\x61z").expect("definite"), expected);
        assert_eq!(parse(b"\xbf\x61a\x7f\x61x\x61y\xff\x61b\x9f\xf5\x61z\xff\xff").expect("indefinite"), expected);
        let others =
            b"\xa4\x61a\xc1\x1a\x00\x00\x00\x01\x61b\xfb\x00\x00\x00\x00\x00\x00\x00\x00\x61c\x41\xff\x61d\xf6";
        assert!(parse(others).expect("others").members().iter().all(|(_, value)| *value == Json::Other));
    }

    #[test]
    fn a_body_that_could_be_read_in_two_ways_is_refused() {
        for bad in [
            &b""[..],
            b"\x01",
            b"\xa0\xa0",
            b"\xa2\x61a\x01\x61a\x02",
            b"\xbf\x61a\x01\x61a\x02\xff",
            b"\xa1\x01\x02",
            b"\xa1\x61a",
            b"\xbf\x61a\x01",
            b"\xa1\x61\xff\x01",
            b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\xa1\x61a\x9b\x7f\xff\xff\xff\xff\xff\xff\xff",
            b"\xa1\x61a\x7f\x41x\xff",
            b"\xa1\x61a\x1c",
            b"\xa1\x61a\x1f",
            b"\xa1\x61a\x3f",
            b"\xa1\x61a\xff",
        ] {
            assert!(parse(bad).is_err(), "{bad:x?}");
        }
    }

    #[test]
    fn a_length_may_have_several_bytes() {
        for (head, length) in [(&b"\x78\xc8"[..], 200_usize), (b"\x79\x01\x2c", 300), (b"\x7a\x00\x01\x00\x05", 65_541)]
        {
            let body = [b"\xa1\x61a", head, &b"x".repeat(length)].concat();
            let expected = Json::Object(vec![("a".into(), Json::Text("x".repeat(length)))]);
            assert_eq!(parse(&body).expect("one text"), expected, "{length}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |n: usize| [b"\xa1\x61a".repeat(n), vec![1]].concat();
        assert!(parse(&nested(BODY_JSON_DEPTH_MAX)).is_ok());
        assert!(parse(&nested(BODY_JSON_DEPTH_MAX + 1)).is_err());
        assert!(parse(&nested(1_000_000)).is_err());
        assert!(parse(&[b"\xa1\x61a".to_vec(), vec![0xc1; 1_000_000]].concat()).is_err());
    }
}
