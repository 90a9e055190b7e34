//! What the child trusts: the session's own certificate authority beside everything that it trusted before.
//!
//! Nothing is added to a store of the system or of the user: a file in the session's private folder is named to every
//! tool in the variable that this tool reads, and goes with the session.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use hallpass_core::limits::CA_BUNDLE_BYTES_MAX;

use super::environment::{Variables, set};
use super::place::Place;

/// Every tool's own variable for a file of certificate authorities. Most replace what the tool trusts by itself, so
/// the file holds the system's as well.
const VARIABLES: [&str; 10] = [
    "AWS_CA_BUNDLE",       // AWS CLI, boto3, Go, Rust
    "SSL_CERT_FILE",       // OpenSSL, Go, Ruby, rustls-native-certs
    "REQUESTS_CA_BUNDLE",  // Python requests
    "CURL_CA_BUNDLE",      // curl, requests
    "NODE_EXTRA_CA_CERTS", // Node.js
    "GIT_SSL_CAINFO",      // git
    "PIP_CERT",            // pip
    "DENO_CERT",           // Deno
    "CARGO_HTTP_CAINFO",   // Cargo
    "NIX_SSL_CERT_FILE",   // Nix, and what it builds
];

/// Where systems keep theirs: Debian, Fedora, openSUSE, OpenELEC, Alpine, FreeBSD, macOS.
const SYSTEM: [&str; 7] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
    "/etc/ssl/cert.pem",
];

/// Writes the bundle and names it to every tool.
///
/// # Errors
/// When the bundle cannot be written.
pub(super) fn deliver(variables: &mut Variables, place: &Place, certificate: &str) -> io::Result<()> {
    let (path, mut file) = place.create("ca-bundle.pem")?;
    write_bundle(&mut file, variables, certificate, &SYSTEM.map(Path::new))?;
    for name in VARIABLES {
        set(variables, name, path.as_os_str());
    }
    Ok(())
}

/// The session's authority first, then every bundle that the child's tools would have read. The kernel copies those: a
/// system's has a quarter of a megabyte, and to hold it in memory would be much of what a short run costs.
fn write_bundle(bundle: &mut File, variables: &Variables, certificate: &str, system: &[&Path]) -> io::Result<()> {
    let named = VARIABLES.iter().filter_map(|name| variables.get(OsStr::new(name))).map(PathBuf::from);
    let own = system.iter().find(|path| path.is_file()).map(|path| path.to_path_buf());
    bundle.write_all(certificate.as_bytes())?;
    let mut read: Vec<PathBuf> = Vec::new();
    for path in named.chain(own) {
        if read.contains(&path) {
            continue;
        }
        let before = bundle.stream_position()?;
        if let Err(error) = append(bundle, &path) {
            tracing::warn!(%error, path = %path.display(), "the command will not trust this bundle");
            bundle.set_len(before)?;
            bundle.seek(SeekFrom::Start(before))?;
        }
        read.push(path);
    }
    Ok(())
}

fn append(bundle: &mut File, path: &Path) -> io::Result<()> {
    let mut more = File::open(path)?.take(CA_BUNDLE_BYTES_MAX + 1);
    bundle.write_all(b"\n")?;
    if io::copy(&mut more, bundle)? > CA_BUNDLE_BYTES_MAX {
        return Err(io::Error::other(format!("it has more than {CA_BUNDLE_BYTES_MAX} bytes")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::fs::MetadataExt;

    use hallpass_core::id::SessionId;
    use hallpass_core::limits::CA_BUNDLE_BYTES_MAX;

    use super::super::place::Root;
    use super::{VARIABLES, Variables, deliver, write_bundle};

    #[test]
    fn every_tool_is_given_one_private_bundle_that_is_gone_with_the_session() {
        let state = tempfile::tempdir().expect("folder");
        let place = Root::open(state.path()).and_then(|root| root.place(&SessionId::new("abc").expect("id")));
        let place = place.expect("place");
        let mut variables = Variables::new();
        deliver(&mut variables, &place, "OURS").expect("delivered");
        let path = variables.get(OsStr::new("AWS_CA_BUNDLE")).expect("set").clone();
        assert!(VARIABLES.iter().all(|name| variables.get(OsStr::new(name)) == Some(&path)));
        let written = std::fs::metadata(&path).expect("there");
        assert_eq!(written.mode() & 0o777, 0o600);
        assert!(std::fs::read_to_string(&path).expect("text").starts_with("OURS"));
        drop(place);
        assert!(!std::path::Path::new(&path).exists());
    }

    #[test]
    fn what_was_trusted_before_is_trusted_beside_it_once() {
        let folder = tempfile::tempdir().expect("folder");
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("written");
            path
        };
        let (system, corporate) = (file("system", "SYSTEM\n"), file("corporate", "CORPORATE"));
        let huge = file("huge", "");
        let sized = std::fs::OpenOptions::new().write(true).open(&huge).expect("opens");
        sized.set_len(CA_BUNDLE_BYTES_MAX + 1).expect("sized");
        let set = Variables::from([
            ("NODE_EXTRA_CA_CERTS".into(), corporate.clone().into()),
            ("REQUESTS_CA_BUNDLE".into(), corporate.into()),
            ("SSL_CERT_FILE".into(), system.clone().into()),
            ("CURL_CA_BUNDLE".into(), huge.into()),
            ("PIP_CERT".into(), "/nowhere".into()),
        ]);
        let missing = folder.path().join("missing");
        let made = folder.path().join("made");
        let mut bundle = std::fs::File::create_new(&made).expect("created");
        write_bundle(&mut bundle, &set, "OURS", &[&missing, &system]).expect("written");
        assert_eq!(std::fs::read_to_string(&made).expect("text"), "OURS\nSYSTEM\n\nCORPORATE");
    }
}
