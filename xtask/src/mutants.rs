//! `cargo xtask mutants`: breaks the code on purpose, one place at a time, and shows which breaks no test notices.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

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

/// What was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wish {
    /// Guarded files, or folders of them; empty means all.
    files: Vec<String>,
    /// `K/N`: every Nth mutant, beginning with number K.
    shard: Option<String>,
    /// Mutate the tree itself. It is put back, unless the run is killed.
    in_place: bool,
    /// The tests are known to pass without a mutant.
    no_baseline: bool,
}

/// Runs over every guarded file, or those that `arguments` name, or a sample of their mutants. One mutant at a time, in
/// a copy of the tree unless `--in-place` is said.
///
/// # Errors
/// cargo-mutants cannot be installed or started, or no guarded file was meant.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<ExitCode> {
    let wish = read(arguments)?;
    let chosen: Vec<(&str, Vec<String>)> =
        GUARDED.iter().filter_map(|(package, files)| meant(package, files, &wish.files)).collect();
    if chosen.is_empty() {
        bail!("`{}` is no guarded file; name one such as `crates/core/src/sigv4/verify.rs`", wish.files.join(" "));
    }
    let program = installed(root)?;
    let testbed = testbed::install(root)?;
    let mut survived = false;
    for (package, files) in chosen {
        let mut command = mutating(root, &program, package, &files, &wish);
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

fn read(arguments: &[String]) -> Result<Wish> {
    let mut wish = Wish::default();
    let mut left = arguments.iter();
    while let Some(argument) = left.next() {
        match argument.as_str() {
            "--shard" => wish.shard = Some(left.next().filter(|text| is_shard(text)).context(SHARD)?.clone()),
            "--in-place" => wish.in_place = true,
            "--no-baseline" => wish.no_baseline = true,
            flag if flag.starts_with('-') => bail!(
                "`{flag}` is not understood: cargo xtask mutants [FILE…] [--shard K/N] [--in-place] [--no-baseline]"
            ),
            file => wish.files.push(file.to_owned()),
        }
    }
    Ok(wish)
}

const SHARD: &str = "--shard needs K/N with K below N, such as 3/10";

fn is_shard(text: &str) -> bool {
    let numbers = text.split_once('/').and_then(|(k, n)| Some((k.parse::<u32>().ok()?, n.parse::<u32>().ok()?)));
    numbers.is_some_and(|(k, n)| k < n)
}

/// The files of one package: all that are guarded, or those of `words` that are among them.
fn meant<'a>(package: &'a str, files: &[&str], words: &[String]) -> Option<(&'a str, Vec<String>)> {
    if words.is_empty() {
        return Some((package, files.iter().map(|file| (*file).to_owned()).collect()));
    }
    let below = |word: &&String| {
        files.iter().any(|file| word.starts_with(file.trim_end_matches("**")) || *file == word.as_str())
    };
    // A folder stands for what is in it.
    let glob = |word: &String| if word.ends_with('/') { format!("{word}**") } else { word.clone() };
    let named: Vec<String> = words.iter().filter(below).map(glob).collect();
    (!named.is_empty()).then_some((package, named))
}

fn mutating(root: &Path, program: &Path, package: &str, files: &[String], wish: &Wish) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root).arg("mutants").args(["-p", package, "--jobs", "1", "--no-shuffle"]);
    command.args(["--timeout", TEST_S_MAX, "-E", NOT_JUDGED]);
    for file in files {
        command.args(["-f", file]);
    }
    if let Some(shard) = &wish.shard {
        // Every Nth, so that a sample holds a part of every file.
        command.args(["--sharding", "round-robin", "--shard", shard]);
    }
    if wish.in_place {
        command.arg("--in-place");
    }
    if wish.no_baseline {
        command.args(["--baseline", "skip"]);
    }
    command.arg("-o").arg(root.join("target/xtask/mutants").join(package));
    // Neither examples nor benches: what decides is tested in the crate and beside it.
    command.args(["--", "--lib", "--test", "it"]);
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
    use super::{GUARDED, Wish, meant, read};

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn every_guarded_file_exists() {
        let root = crate::workspace_root().expect("the workspace");
        for file in GUARDED.iter().flat_map(|(_, files)| files.iter()) {
            assert!(root.join(file.trim_end_matches("/**")).exists(), "{file}");
        }
    }

    #[test]
    fn files_and_folders_can_be_named_and_only_guarded_ones() {
        let (package, files) = GUARDED[0];
        let named = |text: &str| meant(package, files, &words(text)).map(|(_, files)| files);
        let one = "crates/core/src/sigv4/verify.rs";
        assert_eq!(named(one), Some(words(one)));
        assert_eq!(named("crates/core/src/policy/"), Some(words("crates/core/src/policy/**")));
        assert_eq!(named("crates/control/src/store.rs"), None);
        assert_eq!(named("").map(|files| files.len()), Some(files.len()));
    }

    #[test]
    fn a_sample_is_every_nth_mutant() {
        let wish = read(&words("a.rs --shard 3/10 --in-place --no-baseline")).expect("legal");
        let shard = Some("3/10".to_owned());
        assert_eq!(wish, Wish { files: words("a.rs"), shard, in_place: true, no_baseline: true });
        assert_eq!(read(&[]).expect("legal"), Wish::default());
        for bad in ["--shard", "--shard 3", "--shard 3/3", "--shard a/b", "--fast"] {
            assert!(read(&words(bad)).is_err(), "{bad}");
        }
    }
}
