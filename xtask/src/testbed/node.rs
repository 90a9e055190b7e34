//! The Node part: the official JavaScript SDK.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Part;
use crate::process::{asked, network_step};

/// The oldest Node that the pinned SDK runs on.
const OLDEST_MAJOR: u32 = 20;

/// Makes `.testbed/node/node_modules` from the lock file.
///
/// # Errors
/// Node is missing or too old, or a package could not be installed.
pub(super) fn install(root: &Path, testbed: &Path) -> Result<()> {
    let version =
        asked("node", &["--version"]).context("the tests need Node.js: install it so that `node` is found")?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|m| m.parse::<u32>().ok());
    if major.is_none_or(|m| m < OLDEST_MAJOR) {
        bail!("the tests need Node.js {OLDEST_MAJOR} or newer, `node` is {version}");
    }
    let sources = root.join("xtask/testbed");
    let pins = [sources.join("package.json"), sources.join("package-lock.json")];
    let folder = testbed.join("node");
    let part = Part::new(folder.clone(), &pins, "node")?;
    if part.is_complete() {
        return Ok(());
    }
    part.clear()?;
    fs::create_dir_all(&folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
    for pin in &pins {
        let name = pin.file_name().context("a pin file has a name")?;
        fs::copy(pin, folder.join(name)).with_context(|| format!("cannot copy `{}`", pin.display()))?;
    }
    let hint = "see the lines above for the package; `xtask/testbed/package.json` names what is wanted";
    network_step("npm ci", hint, || {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(&folder);
        npm
    })?;
    part.seal()
}
