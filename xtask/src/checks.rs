//! `cargo xtask ci`: everything that must hold before a change lands, cheapest first.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::Result;

use crate::{environment, process, say, test};

/// Formatting, lints, documentation, tests.
///
/// # Errors
/// The first check that fails ends the run.
pub(crate) fn run(root: &Path) -> Result<ExitCode> {
    let started = Instant::now();
    lint(root)?;
    let outcome = test::run(root, &[])?;
    say(&format!("xtask: ci: {:.0} s in all", started.elapsed().as_secs_f64()));
    Ok(outcome)
}

fn lint(root: &Path) -> Result<()> {
    process::step("rustfmt", environment::cargo(root).args(["fmt", "--all", "--check"]))?;
    // `--all` would follow the paths of its dependencies back into the workspace.
    process::step(
        "rustfmt fuzz",
        environment::cargo(root).args(["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"]),
    )?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
    process::step("clippy", environment::cargo(root).args(clippy))?;
    process::step("rustdoc", &mut doc(root))
}

fn doc(root: &Path) -> Command {
    let mut command = environment::cargo(root);
    command.args(["doc", "--workspace", "--no-deps", "--document-private-items", "--quiet"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    command
}
