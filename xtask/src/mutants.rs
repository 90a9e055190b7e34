//! `cargo xtask mutants`: breaks the code on purpose, one place at a time, and shows which breaks no test notices.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::{environment, process, testbed};

/// The pinned version of cargo-mutants: another one makes other mutants.
const VERSION: &str = "27.1.0";
/// What decides who may do what, and the package whose tests answer for it.
const GUARDED: [(&str, &[&str]); 2] = [
    (
        "hallpass-core",
        &[
            "crates/core/src/sigv4/**",
            "crates/core/src/sigv4.rs",
            "crates/core/src/policy/**",
            "crates/core/src/policy.rs",
            "crates/core/src/resolve/**",
            "crates/core/src/resolve.rs",
        ],
    ),
    ("hallpass-dataplane", &["crates/dataplane/src/gate/verify.rs", "crates/dataplane/src/gate/decide.rs"]),
];
/// What a Debug form shows is tested where it could show a secret; its layout is nobody's promise.
const NOT_JUDGED: &str = "fmt::Debug";
/// A mutant whose tests take longer loops for ever, which counts as caught, seconds.
const TEST_S_MAX: &str = "180";
/// cargo-mutants says so when a mutant survived; everything else that is not 0 is a failure of the run.
const SURVIVED: i32 = 2;
/// …or when one of them looped, and the others were caught.
const LOOPED: i32 = 3;

/// Runs over every guarded file, or those that `arguments` name. One mutant at a time, in a copy of the tree, so the
/// tree itself is never touched.
///
/// # Errors
/// cargo-mutants cannot be installed or started, or no guarded file was meant.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<ExitCode> {
    let program = installed(root)?;
    let testbed = testbed::install(root)?;
    let chosen: Vec<(&str, Vec<&str>)> =
        GUARDED.iter().filter_map(|(package, files)| meant(package, files, arguments)).collect();
    if chosen.is_empty() {
        bail!("`{}` is no guarded file; name one such as `crates/core/src/sigv4/verify.rs`", arguments.join(" "));
    }
    let mut survived = false;
    for (package, files) in chosen {
        let mut command = mutating(root, &program, package, &files);
        command.env(environment::TESTBED, &testbed);
        let status = command.status()?;
        match status.code() {
            Some(0 | LOOPED) => {}
            Some(SURVIVED) => survived = true,
            _ => bail!("cargo-mutants ended with {status}"),
        }
    }
    Ok(if survived { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The files of one package: all that are guarded, or those of `words` that are among them.
fn meant<'a>(package: &'a str, files: &[&'a str], words: &'a [String]) -> Option<(&'a str, Vec<&'a str>)> {
    if words.is_empty() {
        return Some((package, files.to_vec()));
    }
    let below = |word: &&String| {
        files.iter().any(|file| word.starts_with(file.trim_end_matches("**")) || *file == word.as_str())
    };
    let named: Vec<&str> = words.iter().filter(below).map(String::as_str).collect();
    (!named.is_empty()).then_some((package, named))
}

fn mutating(root: &Path, program: &Path, package: &str, files: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root).arg("mutants").args(["-p", package, "--jobs", "1", "--no-shuffle"]);
    command.args(["--timeout", TEST_S_MAX, "-E", NOT_JUDGED]);
    for file in files {
        command.args(["-f", file]);
    }
    command.arg("-o").arg(root.join("target/xtask/mutants").join(package));
    environment::clean(&mut command);
    command.env_remove("CARGO_TARGET_DIR");
    command
}

fn installed(root: &Path) -> Result<PathBuf> {
    let folder = root.join("target/xtask/mutants");
    let program = folder.join("bin/cargo-mutants");
    let said = process::asked(&program.to_string_lossy(), &["mutants", "--version"]);
    if said.is_some_and(|text| text.ends_with(VERSION)) {
        return Ok(program);
    }
    process::network_step("install cargo-mutants", "is crates.io reachable?", || {
        let mut command = environment::cargo(root);
        command.args(["install", "cargo-mutants", "--locked", "--version", VERSION, "--force", "--root"]).arg(&folder);
        command
    })?;
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::{GUARDED, meant};

    #[test]
    fn every_guarded_file_exists() {
        let root = crate::workspace_root().expect("the workspace");
        for file in GUARDED.iter().flat_map(|(_, files)| files.iter()) {
            assert!(root.join(file.trim_end_matches("/**")).exists(), "{file}");
        }
    }

    #[test]
    fn one_file_can_be_named_and_only_a_guarded_one() {
        let (package, files) = GUARDED[0];
        let words = |text: &str| vec![text.to_owned()];
        let one = words("crates/core/src/sigv4/verify.rs");
        assert_eq!(meant(package, files, &one), Some((package, vec!["crates/core/src/sigv4/verify.rs"])));
        assert_eq!(meant(package, files, &words("crates/control/src/store.rs")), None);
        assert_eq!(meant(package, files, &[]).map(|(_, files)| files.len()), Some(files.len()));
    }
}
