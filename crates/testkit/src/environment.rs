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
fn path(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from)
}

fn named() -> Option<PathBuf> {
    path("HALLPASS_TESTBED")
}

/// The clients that only their table needs: `HALLPASS_TEST_CLIENTS`, else `clients` in the test bed.
pub fn clients_folder() -> PathBuf {
    path("HALLPASS_TEST_CLIENTS").unwrap_or_else(|| testbed().join("clients"))
}

/// Where the table of clients is written to (`HALLPASS_TEST_CLIENTS_PAGE`).
pub fn clients_page() -> Option<PathBuf> {
    path("HALLPASS_TEST_CLIENTS_PAGE")
}

/// The client on the Rust SDK (`HALLPASS_TEST_RUST_SDK`).
pub fn rust_sdk() -> Option<PathBuf> {
    path("HALLPASS_TEST_RUST_SDK")
}

/// [`client_path`] with one more folder before it.
///
/// # Panics
/// The folder's name cannot stand in `PATH`.
pub fn path_with(folder: &Path) -> std::ffi::OsString {
    let inherited = client_path();
    let folders = std::iter::once(folder.to_path_buf()).chain(std::env::split_paths(&inherited));
    std::env::join_paths(folders).expect("folders of PATH hold no separator, because they were split at it")
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
