//! The Python part: the AWS servers that the tests run against, and two of the clients.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{Part, debian};
use crate::process::{asked, network_step};

/// The oldest Python that the pinned packages run on.
const OLDEST: (u32, u32) = (3, 11);

/// Makes `.testbed/py`, a venv with the pinned packages.
///
/// # Errors
/// Python is missing or too old, or a package could not be installed.
pub(super) fn install(root: &Path, testbed: &Path) -> Result<()> {
    let version = asked("python3", &["-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
        .context("the tests need Python 3: install it so that `python3` is found")?;
    if parse(&version).is_none_or(|v| v < OLDEST) {
        bail!("the tests need Python {}.{} or newer, `python3` is {version}", OLDEST.0, OLDEST.1);
    }
    let requirements = root.join("xtask/testbed/requirements.txt");
    let constraints = root.join("xtask/testbed/constraints.txt");
    let folder = testbed.join("py");
    let part = Part::new(folder.clone(), &[requirements.clone(), constraints.clone()], &format!("python {version}"))?;
    let python = folder.join("bin/python");
    if part.is_complete() && asked(&python.to_string_lossy(), &["-c", "import boto3, ministack, moto"]).is_some() {
        return Ok(());
    }
    part.clear()?;
    if !made_venv(&folder) {
        // Debian splits the venv module off; a failed attempt leaves half a venv behind.
        debian::packages(&["python3-venv"])?;
        part.clear()?;
        if !made_venv(&folder) {
            bail!("`python3 -m venv` does not work: install the Debian package python{version}-venv");
        }
    }
    let hint = "see the lines above for the package; `xtask/testbed/requirements.txt` names what is wanted";
    network_step("pip install -r xtask/testbed/requirements.txt", hint, || {
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"]);
        pip.arg("-r").arg(&requirements).arg("-c").arg(&constraints);
        pip
    })?;
    part.seal()
}

fn made_venv(folder: &Path) -> bool {
    asked("python3", &["-m", "venv", &folder.to_string_lossy()]).is_some()
}

fn parse(version: &str) -> Option<(u32, u32)> {
    let (major, minor) = version.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{OLDEST, parse};

    #[test]
    fn versions_compare_as_numbers() {
        assert!(parse("3.9").is_some_and(|v| v < OLDEST));
        assert!(parse("3.13").is_some_and(|v| v >= OLDEST));
        assert_eq!(parse("three"), None);
    }
}
