//! Where the test bed is: the only place of this crate that reads the environment.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The folder that `cargo xtask test` installs real servers and clients into: `HALLPASS_TESTBED`, else `.testbed`
/// of this workspace.
///
/// # Panics
/// It is not there. A test that needs it must fail and say so: skipping would be a promise that nobody checked.
pub fn testbed() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| named().unwrap_or_else(own));
    for part in ["py/.installed", "node/.installed"] {
        let installed = folder.join(part).is_file();
        assert!(installed, "the test bed is not installed in `{}`: run `cargo xtask test`", folder.display());
    }
    folder
}

#[expect(clippy::disallowed_methods, reason = "the one place of the test kit that reads the environment")]
fn named() -> Option<PathBuf> {
    std::env::var_os("HALLPASS_TESTBED").filter(|v| !v.is_empty()).map(PathBuf::from)
}

fn own() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.testbed")
}

/// `PATH` for clients: the test bed's programs first, then what the caller has.
#[expect(clippy::disallowed_methods, reason = "the one place of the test kit that reads the environment")]
pub fn client_path() -> std::ffi::OsString {
    let own = testbed().join("py/bin");
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(own).chain(std::env::split_paths(&inherited));
    std::env::join_paths(folders).expect("folders of PATH hold no separator, because they were split at it")
}
