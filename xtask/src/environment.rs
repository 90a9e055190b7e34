//! The only place where chores read the environment.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder that the tests find their servers and clients in.
pub(crate) const TESTBED: &str = "HALLPASS_TESTBED";

/// Prefixes of variables that would change what a test means: somebody's real credentials and settings.
/// `AWS_LC_` steers the build of a dependency: changing it between two builds would build everything again.
const DISTURBING: [&str; 8] = ["AWS_", "AUDEX_", "AZURE_", "CLOUDSDK_", "GOOGLE_", "HALLPASS_", "KUBE", "TF_CLI_"];
const BUILD_SETTINGS: &str = "AWS_LC_";
const PROXIES: [&str; 4] = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"];

/// Looks a variable up. An empty one counts as absent.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    all().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value)
}

/// True when a test must not see this variable.
pub(crate) fn disturbs(name: &str) -> bool {
    let proxy = PROXIES.iter().any(|p| name.eq_ignore_ascii_case(p));
    proxy || (!name.starts_with(BUILD_SETTINGS) && DISTURBING.iter().any(|p| name.starts_with(p)))
}

/// Takes from `command` every inherited variable that would change what a test means.
pub(crate) fn clean(command: &mut Command) {
    for (key, _) in all() {
        if key.to_str().is_some_and(disturbs) {
            command.env_remove(key);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place of the chores that reads the environment")]
fn all() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os()
}

/// Where cargo puts what it builds: `CARGO_TARGET_DIR`, else `target` in the workspace.
pub(crate) fn target_dir(root: &Path) -> PathBuf {
    variable("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir))
}

/// The cargo that runs this chore.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(variable("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

#[cfg(test)]
mod tests {
    use super::disturbs;

    #[test]
    fn a_test_sees_no_credential_no_proxy_and_no_setting_of_the_caller() {
        for name in
            ["AWS_PROFILE", "AWS_CA_BUNDLE", "HALLPASS_CONFIG", "https_proxy", "HTTPS_PROXY", "TF_CLI_CONFIG_FILE"]
        {
            assert!(disturbs(name), "{name}");
        }
        for name in ["PATH", "CARGO_TARGET_DIR", "AWS_LC_SYS_CMAKE_BUILDER", "RUSTFLAGS", "HOME"] {
            assert!(!disturbs(name), "{name}");
        }
    }
}
