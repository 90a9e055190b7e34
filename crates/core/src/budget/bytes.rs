//! Amounts of bytes as people write them.

/// Suffixes with their factors: IEC and SI, and the bare letters that tools use for the binary ones.
const UNITS: [(&str, u64); 14] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("K", 1 << 10),
    ("M", 1 << 20),
    ("G", 1 << 30),
    ("T", 1 << 40),
    ("B", 1),
];

/// `10GiB`, `500MB`, `1048576`: a whole number above zero with an optional unit.
///
/// # Errors
/// One sentence with what was wrong.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let wrong = || {
        let shown: String = text.escape_debug().take(40).collect();
        format!("`{shown}` is not an amount of bytes: a whole number above zero, such as `10GiB`, `500MB` or `1048576`")
    };
    let (number, factor) =
        UNITS.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor))).unwrap_or((text, 1));
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    let bytes = number.parse::<u64>().ok().and_then(|n| n.checked_mul(factor));
    bytes.filter(|n| (1..=i64::MAX.unsigned_abs()).contains(n)).ok_or_else(wrong)
}

/// A size for people: `1.5 GiB`, `17 B`.
pub fn shown_bytes(bytes: u64) -> String {
    let unit = UNITS[..4].iter().rev().find(|(_, factor)| bytes >= *factor);
    match unit {
        None => format!("{bytes} B"),
        Some((name, factor)) => {
            let tenths = u128::from(bytes) * 10 / u128::from(*factor);
            if tenths % 10 == 0 {
                format!("{} {name}", tenths / 10)
            } else {
                format!("{}.{} {name}", tenths / 10, tenths % 10)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{parse_bytes, shown_bytes};

    #[test]
    fn an_amount_of_bytes_is_read_in_iec_and_si() {
        for (text, bytes) in [
            ("10GiB", 10 << 30),
            ("500MB", 500_000_000),
            ("1", 1),
            ("2K", 2_048),
            ("3kB", 3_000),
            ("7B", 7),
            ("1TiB", 1 << 40),
        ] {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        for bad in
            ["", "0", "-1", "1.5GiB", "GiB", "10 GiB", "1e9", "NaN", "99999999999999999999", "9000000TiB", "0GiB"]
        {
            assert!(parse_bytes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_size_is_shown_in_the_largest_unit_that_fits() {
        assert_eq!(shown_bytes(17), "17 B");
        assert_eq!(shown_bytes(1_536), "1.5 KiB");
        assert_eq!(shown_bytes(10 << 30), "10 GiB");
        assert_eq!(shown_bytes(u64::MAX), "16777215.9 TiB");
    }
}
