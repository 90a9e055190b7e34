//! `cargo xtask fuzz`: coverage-guided fuzzing on the pinned stable compiler, which needs no other toolchain.
//!
//! libFuzzer's counters are an LLVM pass that stable rustc can be asked for; only the address sanitizer is not, and
//! the code under test holds no `unsafe`. What a run finds grows in `target/xtask/fuzz/<target>`; an input that breaks
//! a promise is kept under `target/xtask/fuzz/found/<target>` and belongs into `fuzz/corpus/<target>` with its fix.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::{environment, process, say};

/// What cargo-fuzz passes too, without a sanitizer.
const COVERAGE: [&str; 5] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];
/// How long each target runs when nobody says.
const MINUTES: u64 = 1;
/// An input that takes longer is a finding, seconds on the clock: a machine that does other things too may take much
/// of it. What an input may cost is asserted in steps by the targets themselves.
const INPUT_S_MAX: u64 = 300;
/// A run that holds more is a finding, MiB.
const MEMORY_MIB_MAX: u64 = 1_024;
/// The longest input that is tried, bytes.
const INPUT_BYTES_MAX: u64 = 4_096;
/// What this target reads lives as long as the process, as tables do: short inputs, and more memory in the end.
const KEEPING: (&str, u64, u64) = ("catalogue", 768, 8_192);

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
struct Wish {
    target: Option<String>,
    minutes: u64,
}

/// Fuzzes one target, or each in turn.
///
/// # Errors
/// No such target, it cannot be built, or an input broke a promise.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<ExitCode> {
    let wish = read(arguments)?;
    let targets = targets(root)?;
    let chosen: Vec<&String> = targets.iter().filter(|name| wish.target.as_ref().is_none_or(|w| w == *name)).collect();
    if chosen.is_empty() {
        bail!("no fuzz target is called `{}`; there are: {}", wish.target.unwrap_or_default(), targets.join(", "));
    }
    let triple = triple()?;
    let build = root.join("target/fuzz");
    process::step("build the fuzzer", &mut built(root, &build, &triple))?;
    let binary = build.join(&triple).join("release/fuzz");
    let mut found = Vec::new();
    for target in chosen {
        if let Err(error) = process::step(&format!("fuzz {target}"), &mut fuzzing(root, &binary, target, wish.minutes)?)
        {
            say(&format!("xtask: {error:#}"));
            found.push(target.as_str());
        }
    }
    if found.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    bail!("findings: {}; the inputs are in target/xtask/fuzz/found", found.join(", "))
}

/// Every input of the committed corpus and a few thousand mutations of it, without the fuzzer: part of a test run.
pub(crate) fn smoke(root: &Path) -> Command {
    let mut command = environment::cargo(root);
    command.args(["test", "--manifest-path", "fuzz/Cargo.toml"]);
    command.env("CARGO_TARGET_DIR", environment::target_dir(root));
    command
}

fn read(arguments: &[String]) -> Result<Wish> {
    let mut wish = Wish { target: None, minutes: MINUTES };
    let mut left = arguments.iter();
    while let Some(argument) = left.next() {
        if argument == "--minutes" {
            let minutes = left.next().and_then(|text| text.parse().ok()).filter(|minutes| *minutes > 0);
            wish.minutes = minutes.context("--minutes needs a whole number above 0")?;
        } else if argument.starts_with('-') || wish.target.replace(argument.clone()).is_some() {
            bail!("`{argument}` is not understood: cargo xtask fuzz [target] [--minutes N]");
        }
    }
    Ok(wish)
}

/// A target's corpus has its name.
fn targets(root: &Path) -> Result<Vec<String>> {
    let folders = fs::read_dir(root.join("fuzz/corpus")).context("cannot list `fuzz/corpus`")?.flatten();
    let mut names: Vec<String> = folders.filter_map(|folder| folder.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

/// The host's target triple. Named to cargo, so that build scripts and macros are built without the counters.
fn triple() -> Result<String> {
    let said = process::asked("rustc", &["-vV"]).context("cannot ask rustc for its version")?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not say what it builds for")
}

fn built(root: &Path, build: &Path, triple: &str) -> Command {
    let mut command = environment::cargo(root);
    command.args(["build", "--release", "--manifest-path", "fuzz/Cargo.toml", "--features", "libfuzzer"]);
    command.args(["--bin", "fuzz", "--target", triple]);
    command.env("RUSTFLAGS", COVERAGE.join(" ")).env("CARGO_TARGET_DIR", build);
    command
}

fn fuzzing(root: &Path, binary: &Path, target: &str, minutes: u64) -> Result<Command> {
    let folder = |name: &str| -> Result<PathBuf> {
        let path = root.join("target/xtask/fuzz").join(name);
        fs::create_dir_all(&path).with_context(|| format!("cannot create `{}`", path.display()))?;
        Ok(path)
    };
    let (grown, found) = (folder(target)?, folder(&format!("found/{target}"))?);
    let mut command = Command::new(binary);
    command.env("HALLPASS_FUZZ", target).arg(grown).arg(root.join("fuzz/corpus").join(target));
    command.arg(format!("-max_total_time={}", minutes * 60)).arg(format!("-timeout={INPUT_S_MAX}"));
    let (bytes, memory) = if target == KEEPING.0 { (KEEPING.1, KEEPING.2) } else { (INPUT_BYTES_MAX, MEMORY_MIB_MAX) };
    command.arg(format!("-rss_limit_mb={memory}")).arg(format!("-max_len={bytes}"));
    command.arg(format!("-artifact_prefix={}/", found.display())).args(["-print_final_stats=1", "-verbosity=0"]);
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::{Wish, read, targets};

    fn wish(words: &[&str]) -> anyhow::Result<Wish> {
        read(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_target_and_minutes_may_be_named_in_any_order() {
        assert_eq!(wish(&[]).expect("all"), Wish { target: None, minutes: 1 });
        let ten = Wish { target: Some("sigv4".to_owned()), minutes: 10 };
        assert_eq!(wish(&["sigv4", "--minutes", "10"]).expect("legal"), ten);
        assert_eq!(wish(&["--minutes", "10", "sigv4"]).expect("legal"), ten);
        for bad in [&["--minutes"][..], &["--minutes", "0"], &["--minutes", "x"], &["a", "b"], &["--fast"]] {
            assert!(wish(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn every_corpus_is_a_target() {
        let root = crate::workspace_root().expect("the workspace");
        let targets = targets(&root).expect("the corpus");
        assert!(targets.iter().any(|name| name == "sigv4") && targets.len() >= 8, "{targets:?}");
    }
}
