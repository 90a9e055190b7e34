//! From every older form of the file to today's: one file per step, applied in order, in memory; an edit writes the
//! result.
//!
//! | version | what it brought |
//! |---|---|
//! | 1 | the settings, and aliases with static keys; also every file that names no version |
//! | 2 | `session_token`, `expires_at`, `session`, `role`, `profile`, `credential_process`, `addressing` |

mod v1_to_v2;

use toml_edit::{DocumentMut, Item, value};

use crate::error::{ErrorKind, S3Error};

/// The version that we write.
pub const SCHEMA_VERSION: i64 = 2;

type Step = fn(&mut DocumentMut);

/// The step at index *n* leads from version *n* + 1 to *n* + 2.
const STEPS: &[Step] = &[v1_to_v2::migrate];

/// The key, at the top of the file.
const KEY: &str = "schema_version";

/// Brings the document to [`SCHEMA_VERSION`]; answers the version it had.
///
/// # Errors
/// A version that is newer than we are, or none at all.
pub(crate) fn migrate(document: &mut DocumentMut) -> Result<i64, S3Error> {
    let found = version(document)?;
    let done = usize::try_from(found - 1).unwrap_or(usize::MAX);
    for step in STEPS.iter().skip(done) {
        step(document);
    }
    if found != SCHEMA_VERSION {
        set_version(document);
    }
    Ok(found)
}

/// The version that the file names; one that names none is of version 1.
fn version(document: &DocumentMut) -> Result<i64, S3Error> {
    let Some(item) = document.get(KEY) else { return Ok(1) };
    match item.as_integer() {
        Some(version @ 1..=SCHEMA_VERSION) => Ok(version),
        Some(newer) if newer > SCHEMA_VERSION => Err(S3Error::refused(
            ErrorKind::Unsupported,
            "config_newer",
            format!("the configuration has schema_version {newer}, and this hallpass knows {SCHEMA_VERSION} at most"),
            "use a newer hallpass; nothing was changed",
        )),
        _ => Err(S3Error::usage_with(
            "`schema_version` is not a whole number from 1 on",
            format!("write `schema_version = {SCHEMA_VERSION}`, or remove the line"),
        )),
    }
}

fn set_version(document: &mut DocumentMut) {
    if let Some(Item::Value(old)) = document.get_mut(KEY) {
        let decor = old.decor().clone();
        *old = SCHEMA_VERSION.into();
        *old.decor_mut() = decor;
        return;
    }
    document.insert(KEY, value(SCHEMA_VERSION));
}

#[cfg(test)]
mod tests {
    use toml_edit::DocumentMut;

    use super::{SCHEMA_VERSION, STEPS, migrate};
    use crate::error::ErrorKind;

    fn migrated(text: &str) -> (i64, String) {
        let mut document: DocumentMut = text.parse().expect("TOML");
        let from = migrate(&mut document).expect("migrates");
        (from, document.to_string())
    }

    #[test]
    fn there_is_one_step_for_every_older_version() {
        assert_eq!(i64::try_from(STEPS.len()), Ok(SCHEMA_VERSION - 1));
    }

    #[test]
    fn a_file_without_a_version_is_of_version_1_and_keeps_every_line() {
        let old = "# mine\n[session]\nttl = \"15m\" # short\n\n[[aliases]] # home\nname = \"a\"\n";
        let (from, new) = migrated(old);
        assert_eq!(from, 1);
        for line in old.lines() {
            assert!(new.contains(line), "{line} is lost: {new}");
        }
        assert!(new.contains("schema_version = 2\n"), "{new}");
        assert_eq!(migrated(&new), (2, new.clone()), "the second time nothing happens");
    }

    #[test]
    fn a_file_in_the_shape_of_rc_is_brought_along() {
        let old = "schema_version = 1 # v\n[[aliases]]\nname = \"m\"\nendpoint = \"http://h\"\naccess_key = \"k\"\n\
            secret_key = \"s\"\nregion = \"r\"\nbucket_lookup = \"dns\" # virtual\n";
        let (from, new) = migrated(old);
        assert_eq!(from, 1);
        assert!(new.contains("schema_version = 2 # v"), "{new}");
        assert!(new.contains("addressing = \"virtual-host\" # virtual"), "{new}");
        assert!(!new.contains("bucket_lookup"), "{new}");
    }

    #[test]
    fn a_newer_file_is_refused_as_such() {
        let mut document: DocumentMut = "schema_version = 3".parse().expect("TOML");
        assert_eq!(migrate(&mut document).expect_err("newer").kind(), ErrorKind::Unsupported);
        for bad in ["schema_version = 0", "schema_version = \"2\"", "schema_version = -1", "[schema_version]"] {
            let mut document: DocumentMut = bad.parse().expect("TOML");
            assert_eq!(migrate(&mut document).expect_err(bad).kind(), ErrorKind::Usage);
        }
    }
}
