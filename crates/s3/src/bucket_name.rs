//! Which names a new bucket may have. An existing bucket is taken as it is: old ones have names of older rules.

use crate::error::S3Error;

/// Checks the name of a bucket that is to be made (Amazon S3 User Guide, "Bucket naming rules").
///
/// # Errors
/// The rule that it breaks.
pub fn check(name: &str) -> Result<(), S3Error> {
    let shown: String = name.chars().take(80).collect();
    let refused = |why: &str| {
        Err(S3Error::usage_with(
            format!("`{shown}` is no name for a bucket: {why}"),
            "use 3 to 63 lower-case letters, digits, `-` and `.`",
        ))
    };
    let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let bytes = name.as_bytes();
    if !(3..=63).contains(&bytes.len()) {
        return refused("it has fewer than 3 or more than 63 characters");
    }
    if !bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.')) {
        return refused("it has other characters than lower-case letters, digits, `-` and `.`");
    }
    if !edge(bytes.first()) || !edge(bytes.last()) {
        return refused("it does not begin and end with a letter or a digit");
    }
    if name.contains("..") {
        return refused("it has two dots in a row");
    }
    if name.parse::<std::net::Ipv4Addr>().is_ok() {
        return refused("it is an IP address");
    }
    let prefixes = ["xn--", "sthree-", "amzn-s3-demo-"];
    let suffixes = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];
    if prefixes.iter().any(|p| name.starts_with(p)) || suffixes.iter().any(|s| name.ends_with(s)) {
        return refused("S3 keeps this beginning or end for itself");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn trap_10_a_bucket_name_is_checked_before_the_store_is_asked() {
        for good in ["abc", "my-bucket.1", "0x0", &"b".repeat(63)] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        let long = "b".repeat(64);
        for bad in [
            "",
            "ab",
            "UPPER",
            "under_score",
            "-abc",
            "abc-",
            "a..b",
            "192.168.0.1",
            "a b",
            "ä-bucket",
            "xn--abc",
            "abc-s3alias",
            ".abc",
            &long,
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
