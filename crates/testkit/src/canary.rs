//! Canaries: secrets with a known value, looked for in every form that a leak could take.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Files larger than this are read in part: a leak stands in configuration, logs and databases, not in payloads.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Deepest folder that is searched.
const DEPTH_MAX: usize = 16;

/// Secrets to look for.
#[derive(Debug, Default)]
pub struct Canaries {
    forms: Vec<(String, Vec<u8>)>,
}

/// Where a secret was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    /// Name and form of the secret (`real secret key, as hex`).
    pub what: String,
    /// File, process or text that held it.
    pub place: String,
}

impl Canaries {
    /// Looks for one more secret: as it is, in hexadecimal, in Base64 at each of its three alignments, and
    /// percent-encoded.
    ///
    /// # Panics
    /// The secret is too short to be told from chance.
    #[must_use]
    pub fn and(mut self, name: &str, secret: &str) -> Self {
        assert!(secret.len() >= 12, "a canary of {} bytes proves nothing", secret.len());
        let bytes = secret.as_bytes();
        let mut add = |form: &str, bytes: Vec<u8>| self.forms.push((format!("{name}, as {form}"), bytes));
        add("it is", bytes.to_vec());
        add("hex", bytes.iter().flat_map(|b| format!("{b:02x}").into_bytes()).collect());
        for skipped in 0..3 {
            add("base64", base64_core(bytes, skipped));
        }
        let percent: String = bytes.iter().map(|&b| percent(b)).collect();
        if percent != secret {
            add("percent-encoded text", percent.into_bytes());
        }
        self
    }

    /// Every secret in `bytes`.
    pub fn in_bytes(&self, place: &str, bytes: &[u8]) -> Vec<Leak> {
        let found = self.forms.iter().filter(|(_, needle)| contains(bytes, needle));
        found.map(|(what, _)| Leak { what: what.clone(), place: place.to_owned() }).collect()
    }

    /// Every secret in the files below `folder`.
    ///
    /// # Errors
    /// A folder or file cannot be read: then nothing was proved.
    pub fn in_folder(&self, folder: &Path) -> io::Result<Vec<Leak>> {
        let mut leaks = Vec::new();
        for file in files(folder, DEPTH_MAX)? {
            use std::io::Read;
            let mut bytes = Vec::new();
            fs::File::open(&file)?.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
            leaks.extend(self.in_bytes(&file.display().to_string(), &bytes));
        }
        Ok(leaks)
    }

    /// Every secret in the environment and the arguments of a process, as any process of the same user can read them.
    ///
    /// # Errors
    /// The process is gone or is not ours.
    pub fn in_process(&self, pid: u32) -> io::Result<Vec<Leak>> {
        let mut leaks = Vec::new();
        for name in ["environ", "cmdline"] {
            let place = format!("/proc/{pid}/{name}");
            leaks.extend(self.in_bytes(&place, &fs::read(&place)?));
        }
        Ok(leaks)
    }
}

fn files(folder: &Path, depth: usize) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if depth == 0 {
        return Ok(found);
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            found.extend(files(&entry.path(), depth - 1)?);
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// The Base64 characters of `bytes` that do not depend on what stands around them, when `skipped` bytes of an
/// earlier group of three come first.
fn base64_core(bytes: &[u8], skipped: usize) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let whole = &bytes[(3 - skipped) % 3..];
    let groups = whole.chunks_exact(3);
    groups
        .flat_map(|g| {
            let bits = u32::from(g[0]) << 16 | u32::from(g[1]) << 8 | u32::from(g[2]);
            [18, 12, 6, 0].map(|shift| ALPHABET[(bits >> shift) as usize & 63])
        })
        .collect()
}

fn percent(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

#[cfg(test)]
mod tests {
    use super::Canaries;

    const SECRET: &str = "wJalr/XUtnFEMI+K7MDENG";

    fn found(text: &str) -> bool {
        !Canaries::default().and("key", SECRET).in_bytes("text", text.as_bytes()).is_empty()
    }

    #[test]
    fn a_secret_is_found_in_every_form() {
        assert!(found(&format!("x={SECRET}&")));
        assert!(found("774a616c722f5855746e46454d492b4b374d44454e47"));
        assert!(found("wJalr%2FXUtnFEMI%2BK7MDENG"));
        // Python's base64 of the secret behind 0, 1 and 2 other bytes.
        assert!(found("d0phbHIvWFV0bkZFTUkrSzdNREVORw=="));
        assert!(found("eHdKYWxyL1hVdG5GRU1JK0s3TURFTkc="));
        assert!(found("eHh3SmFsci9YVXRuRkVNSStLN01ERU5H"));
    }

    #[test]
    fn what_only_looks_like_it_is_not_a_leak() {
        assert!(!found("wJalr/XUtnFEMI+K7MDENH"));
        assert!(!found(""));
    }

    #[test]
    fn a_secret_deep_in_a_folder_is_found_with_its_place() {
        let folder = tempfile::tempdir().expect("folder");
        std::fs::create_dir_all(folder.path().join("a/b")).expect("folders");
        std::fs::write(folder.path().join("a/b/c"), format!("..{SECRET}..")).expect("file");
        let leaks = Canaries::default().and("key", SECRET).in_folder(folder.path()).expect("reads");
        assert_eq!(leaks.len(), 1);
        assert!(leaks[0].place.ends_with("a/b/c") && leaks[0].what.starts_with("key"));
    }
}
