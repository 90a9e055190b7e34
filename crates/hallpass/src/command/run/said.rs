//! What the command line and the configuration say, checked as they stand: before anybody is asked for anything, and
//! under `--dry-run` too.

use std::collections::BTreeMap;

use hallpass_core::limits::REGION_CHARS_MAX;

use crate::config::session::check_tags;
use crate::error::CommandError;

/// The role, empty when nobody named one. One that is named and empty is a mistake, most likely a variable that is not
/// set: taken as none it would lend the caller's own identity instead of the role.
///
/// # Errors
/// When it is named and empty.
pub(super) fn role(named: Option<String>) -> Result<String, CommandError> {
    match named {
        Some(role) if role.trim().is_empty() => Err(CommandError::usage("run.role", "the role is named, but empty")
            .next("give its ARN, or leave `--role` out to lend your own identity")),
        named => Ok(named.unwrap_or_default()),
    }
}

/// The region, where somebody named one.
///
/// # Errors
/// When it cannot be the name of a region: it becomes part of host names and of signatures.
pub(super) fn region(named: Option<String>) -> Result<Option<String>, CommandError> {
    let Some(region) = named else { return Ok(None) };
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if (1..=REGION_CHARS_MAX).contains(&region.len()) && region.bytes().all(legal) {
        return Ok(Some(region));
    }
    let shown: String = region.chars().take(REGION_CHARS_MAX).collect();
    Err(CommandError::usage("run.region", format!("`{shown}` is not the name of a region"))
        .next("write it like `eu-central-1`"))
}

/// The labels of the configuration, and over them those of the command line.
///
/// # Errors
/// For two labels of one key on the command line, which STS would refuse, and for what [`check_tags`] refuses.
pub(super) fn tags(
    configured: BTreeMap<String, String>,
    given: &[(String, String)],
) -> Result<BTreeMap<String, String>, CommandError> {
    for (n, (key, _)) in given.iter().enumerate() {
        if given[..n].iter().any(|(earlier, _)| earlier.eq_ignore_ascii_case(key)) {
            return Err(
                CommandError::usage("run.tag", format!("the tag `{key}` is given twice")).next("give each key once")
            );
        }
    }
    let mut tags = configured;
    tags.extend(given.iter().cloned());
    check_tags(&tags)
        .map_err(|why| CommandError::usage("run.tag", why).next("correct the tag, here or in the configuration"))?;
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use hallpass_core::limits::REGION_CHARS_MAX;

    use super::{region, role, tags};

    #[test]
    fn a_role_that_is_named_and_empty_is_not_the_callers_own_identity() {
        assert!(role(Some(String::new())).is_err() && role(Some(" ".to_owned())).is_err());
        assert_eq!(role(None), Ok(String::new()));
    }

    #[test]
    fn a_region_is_a_name_and_nothing_else() {
        for good in ["eu-central-1", "us-gov-west-1", "garage", &"a".repeat(REGION_CHARS_MAX)] {
            assert!(region(Some(good.to_owned())).is_ok(), "{good}");
        }
        let long = "a".repeat(REGION_CHARS_MAX + 1);
        for bad in ["", "us east", "us-east-1/../x", "x.example.com", "us-east-1\n", "é", &long] {
            assert!(region(Some(bad.to_owned())).is_err(), "{bad}");
        }
    }

    #[test]
    fn one_key_has_one_value() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let configured: BTreeMap<String, String> = [pair("team", "a")].into();
        let over = tags(configured.clone(), &[pair("team", "b")]).expect("a flag wins over the configuration");
        assert_eq!(over.get("team").map(String::as_str), Some("b"));
        assert!(tags(configured.clone(), &[pair("x", "1"), pair("X", "2")]).is_err());
        assert!(tags(configured, &[pair("aws:x", "1")]).is_err(), "AWS keeps this prefix for itself");
    }
}
