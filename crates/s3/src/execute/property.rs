//! Content type by name, and what `--preserve` keeps of a file: `mtime` and `mode` in user metadata, in the form of
//! rclone and s3fs, which read and write them too.

use std::fs::{self, File, FileTimes, Metadata, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::client::payload::off_thread;
use crate::client::{ObjectHead, Properties};
use crate::error::S3Error;
use crate::transfer::local;

/// Seconds since 1970, with a fraction.
const MTIME: &str = "mtime";
/// Octal, with the file type, as `st_mode` has it.
const MODE: &str = "mode";
/// Bits that a download restores: never set-user-id and its like, which would come from the store.
const RESTORED_BITS: u32 = 0o777;

/// What was asked for, and a content type by the name where none was.
pub(super) fn of_name(key: &str, asked: &Properties) -> Properties {
    let mut properties = asked.clone();
    if properties.content_type.is_none() {
        properties.content_type = mime_guess::from_path(key).first_raw().map(str::to_owned);
    }
    properties
}

/// What the source has, where nothing else was asked for. Its tags stay: they are copied apart.
pub(super) fn merged(source: &Properties, asked: &Properties) -> Properties {
    let or = |asked: &Option<String>, source: &Option<String>| asked.clone().or_else(|| source.clone());
    let mut metadata = source.metadata.clone();
    for (name, value) in &asked.metadata {
        metadata.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        metadata.push((name.clone(), value.clone()));
    }
    Properties {
        content_type: or(&asked.content_type, &source.content_type),
        cache_control: or(&asked.cache_control, &source.cache_control),
        content_disposition: or(&asked.content_disposition, &source.content_disposition),
        content_encoding: or(&asked.content_encoding, &source.content_encoding),
        content_language: or(&asked.content_language, &source.content_language),
        expires: or(&asked.expires, &source.expires),
        storage_class: or(&asked.storage_class, &source.storage_class),
        acl: asked.acl.clone(),
        tagging: asked.tagging.clone(),
        encryption: or(&asked.encryption, &source.encryption),
        encryption_key: or(&asked.encryption_key, &source.encryption_key),
        metadata,
    }
}

/// Adds time and mode of a file to user metadata.
pub(super) fn keep(metadata: &Metadata, to: &mut Vec<(String, String)>) {
    to.retain(|(name, _)| name != MTIME && name != MODE);
    to.push((MTIME.to_owned(), format!("{}.{:09}", metadata.mtime(), metadata.mtime_nsec())));
    to.push((MODE.to_owned(), format!("{:07o}", metadata.mode())));
}

/// Gives a downloaded file the time of its object, or what was kept of the file that it was.
pub(super) async fn restore(path: &Path, head: &ObjectHead, kept: bool) -> Result<(), S3Error> {
    let found = |name: &str| {
        let found = head.properties.metadata.iter().find(|(known, _)| kept && known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    };
    let written = head.last_modified.map(SystemTime::from);
    let time = found(MTIME).and_then(time_of).or(written);
    let mode = found(MODE).and_then(|text| u32::from_str_radix(text, 8).ok()).map(|mode| mode & RESTORED_BITS);
    let path = path.to_owned();
    off_thread(move || {
        let set = || {
            if let Some(time) = time {
                // One that replaced a file which nobody may write is such a file as well.
                let file = File::open(&path).or_else(|_| File::options().write(true).open(&path))?;
                file.set_times(FileTimes::new().set_modified(time))?;
            }
            mode.map_or(Ok(()), |mode| fs::set_permissions(&path, Permissions::from_mode(mode)))
        };
        set().map_err(|e| local(&path, &e))
    })
    .await
}

/// `1354040105.123456789`; fewer digits, or none, are taken as well.
fn time_of(text: &str) -> Option<SystemTime> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !digits(fraction) || !digits(seconds) || fraction.len() > 9 {
        return None;
    }
    let nanos: u32 = format!("{fraction:0<9}").parse().ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds.parse().ok()?, nanos))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::{merged, of_name, time_of};
    use crate::client::Properties;

    #[test]
    fn the_content_type_comes_from_the_name_unless_it_was_given() {
        let kind = |key: &str, asked: Option<&str>| {
            let asked = Properties { content_type: asked.map(str::to_owned), ..Properties::default() };
            of_name(key, &asked).content_type
        };
        assert_eq!(kind("a/b.html", None).as_deref(), Some("text/html"));
        assert_eq!(kind("a.JSON", None).as_deref(), Some("application/json"));
        assert_eq!(kind("a/b", None), None);
        assert_eq!(kind("a.html", Some("x/y")).as_deref(), Some("x/y"));
    }

    #[test]
    fn a_time_that_is_none_is_not_guessed() {
        let at = |s, n| SystemTime::UNIX_EPOCH.checked_add(Duration::new(s, n));
        assert_eq!(time_of("1354040105.5"), at(1_354_040_105, 500_000_000));
        assert_eq!(time_of("7"), at(7, 0));
        for bad in ["", "-1", "1.2.3", "1.0123456789", "x", "99999999999999999999"] {
            assert_eq!(time_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_copy_keeps_what_nobody_asked_to_change() {
        let source = Properties {
            content_type: Some("a/b".into()),
            cache_control: Some("x".into()),
            metadata: vec![("k".into(), "1".into()), ("l".into(), "2".into())],
            ..Properties::default()
        };
        let asked = Properties {
            content_type: Some("c/d".into()),
            metadata: vec![("K".into(), "3".into())],
            ..Properties::default()
        };
        let merged = merged(&source, &asked);
        assert_eq!((merged.content_type.as_deref(), merged.cache_control.as_deref()), (Some("c/d"), Some("x")));
        assert_eq!(merged.metadata, [("l".to_owned(), "2".to_owned()), ("K".to_owned(), "3".to_owned())]);
    }
}
