//! Programs from Debian's packages, installed by name where they are missing and we may.

use std::process::Command;

use anyhow::{Result, bail};

use crate::process::{asked, exists, network_step};

/// Program → package that brings it. `cc` is what Rust itself links with.
const PROGRAMS: [(&str, &str); 6] =
    [("cc", "gcc"), ("npm", "npm"), ("tmux", "tmux"), ("ps", "procps"), ("zsh", "zsh"), ("fish", "fish")];

/// Installs the package of every program that is missing.
///
/// # Errors
/// Something is missing and cannot be installed: no `apt-get`, no right to use it, or it failed.
pub(super) fn install() -> Result<()> {
    let missing: Vec<&str> = PROGRAMS.iter().filter(|(program, _)| !exists(program)).map(|(_, p)| *p).collect();
    if missing.is_empty() { Ok(()) } else { packages(&missing) }
}

/// Installs Debian packages by name.
///
/// # Errors
/// See [`install`].
pub(super) fn packages(names: &[&str]) -> Result<()> {
    let list = names.join(" ");
    if !exists("apt-get") {
        bail!(
            "the tests need {list}: install it with this system's package manager, then run `cargo xtask test` again"
        );
    }
    let root = asked("id", &["-u"]).as_deref() == Some("0");
    if !root && asked("sudo", &["-n", "true"]).is_none() {
        bail!("the tests need {list}: run `sudo apt-get install {list}`, then `cargo xtask test` again");
    }
    let hint = format!("install {list} by hand and run `cargo xtask test` again");
    network_step("apt-get update", &hint, || apt(root, &["update", "-qq"]))?;
    let install = ["install", "-y", "-qq", "--no-install-recommends"];
    network_step(&format!("apt-get install {list}"), &hint, || apt(root, &[&install[..], names].concat()))
}

fn apt(root: bool, arguments: &[&str]) -> Command {
    let mut command = Command::new(if root { "apt-get" } else { "sudo" });
    if !root {
        command.args(["-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    }
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    command
}
