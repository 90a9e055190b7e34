//! Which names an alias may have.

use hallpass_core::limits::ALIAS_NAME_BYTES_MAX;

use crate::error::S3Error;

/// The alias that is always there: the standard chain of AWS.
pub const BUILT_IN: &str = "aws";

/// Names that nobody may give: `aws` is built in, and `local` would read like a folder in every path.
pub const RESERVED: [&str; 2] = [BUILT_IN, "local"];

/// `[A-Za-z0-9_-]`, 1 to [`ALIAS_NAME_BYTES_MAX`] of them, the first a letter or digit, not [`RESERVED`]. Every legal
/// name can stand in a path (`name/bucket/key`) and in front of `--`.
///
/// # Errors
/// Which rule is broken.
pub fn check(name: &str) -> Result<(), S3Error> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let shown: String = name.chars().take(ALIAS_NAME_BYTES_MAX).collect();
    if name.is_empty() || name.len() > ALIAS_NAME_BYTES_MAX || !name.bytes().all(legal) {
        return Err(S3Error::usage_with(
            format!("`{shown}` is not an alias name"),
            format!("use 1 to {ALIAS_NAME_BYTES_MAX} letters, digits, `-` or `_`"),
        ));
    }
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Err(S3Error::usage_with(
            format!("`{shown}` is not an alias name"),
            "begin it with a letter or a digit",
        ));
    }
    if RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(name)) {
        return Err(S3Error::usage_with(format!("the alias name `{shown}` is reserved"), "choose another name"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use hallpass_core::limits::ALIAS_NAME_BYTES_MAX;

    use super::check;

    #[test]
    fn a_name_that_no_path_can_express_is_refused() {
        for good in ["a", "minio-1", "Prod_EU", "0", &"n".repeat(ALIAS_NAME_BYTES_MAX)] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        let long = "n".repeat(ALIAS_NAME_BYTES_MAX + 1);
        for bad in ["", "we ird/n", "a.b", "a/b", "-rf", "_x", "ä", "a:b", "a\n", "aws", "local", "AWS", &long] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
