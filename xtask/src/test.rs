//! `cargo xtask test`: installs, builds, runs every test, and closes with one line that adds them up.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::{environment, fuzz, process, say, testbed};

/// Runs the tests. `arguments` go to `cargo test`; without a `-p` the whole workspace is tested.
///
/// # Errors
/// Something could not be installed or built. Failed tests are an exit code, not an error.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<ExitCode> {
    let testbed = testbed::install(root)?;
    // Built apart, with the caller's own environment: fetching crates may need the proxy that a test must not see.
    let (build, _) = split_at_dashes(arguments);
    process::step("build the tests", &mut cargo_test(root, build, &["--no-run", "--quiet"]))?;
    say("xtask: run the tests");
    let started = Instant::now();
    let mut counts = Counts::default();
    let mut passed = counted(cargo_test(root, arguments, &["--no-fail-fast"]), &testbed, &mut counts)?;
    if arguments.is_empty() {
        passed &= counted(fuzz::smoke(root), &testbed, &mut counts)?;
    }
    say(&format!("xtask: run the tests: {:.1} s", started.elapsed().as_secs_f64()));
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{}", counts.summary()).context("cannot write the summary")?;
    if !passed {
        return Ok(ExitCode::FAILURE);
    }
    if counts.passed == 0 {
        bail!("no test ran: does the filter match anything?");
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs one test command and adds its results to `counts`; true when it passed.
fn counted(command: Command, testbed: &Path, counts: &mut Counts) -> Result<bool> {
    let mut command = interruptible(command);
    environment::clean(&mut command);
    command.env(environment::TESTBED, testbed).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().context("cannot start cargo")?;
    let stdout = child.stdout.take().context("stdout is piped")?;
    tee(BufReader::new(stdout), std::io::stdout(), counts)?;
    Ok(child.wait().context("cannot wait for cargo")?.success())
}

/// A shell starts what it puts into the background with Ctrl-C ignored, and every child inherits that; then no test of
/// Ctrl-C could pass. GNU's `env` puts the default back; where there is another, the command stays as it is.
fn interruptible(command: Command) -> Command {
    const DEFAULT: &str = "--default-signal=INT,QUIT";
    if process::asked("env", &[DEFAULT, "true"]).is_none() {
        return command;
    }
    let mut wrapped = Command::new("env");
    wrapped.arg(DEFAULT).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => wrapped.env(name, value),
            None => wrapped.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        wrapped.current_dir(folder);
    }
    wrapped
}

fn cargo_test(root: &Path, arguments: &[String], extra: &[&str]) -> Command {
    let (ours, theirs) = split_at_dashes(arguments);
    let mut command = environment::cargo(root);
    command.arg("test").args(extra);
    if !ours.iter().any(|a| a.starts_with("-p") || a.starts_with("--package")) {
        // With the comparison of alias output.
        command.args(["--workspace", "--features", "hallpass/golden"]);
    }
    command.args(ours);
    if !theirs.is_empty() {
        command.arg("--").args(theirs);
    }
    command
}

/// What is for cargo, and what is for the test binaries.
fn split_at_dashes(arguments: &[String]) -> (&[String], &[String]) {
    match arguments.iter().position(|a| a == "--") {
        Some(at) => (&arguments[..at], &arguments[at + 1..]),
        None => (arguments, &[]),
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Counts {
    /// Adds a `test result: …` line of a test binary; any other line changes nothing.
    fn add(&mut self, line: &str) {
        let Some(rest) = line.strip_prefix("test result: ") else { return };
        for part in rest.split([';', '.']) {
            let mut words = part.split_whitespace();
            if let (Some(Ok(number)), Some(what)) = (words.next().map(str::parse::<u64>), words.next()) {
                match what {
                    "passed" => self.passed += number,
                    "failed" => self.failed += number,
                    "ignored" => self.ignored += number,
                    _ => {}
                }
            }
        }
    }

    fn summary(&self) -> String {
        let Self { passed, failed, ignored } = self;
        if *ignored == 0 {
            format!("{passed} passed, {failed} failed")
        } else {
            format!("{passed} passed, {failed} failed, {ignored} skipped")
        }
    }
}

/// Passes the runner's output on, line by line, and adds its results up.
fn tee(mut from: impl BufRead, mut to: impl Write, counts: &mut Counts) -> Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if from.read_until(b'\n', &mut line).context("cannot read the runner's output")? == 0 {
            return Ok(());
        }
        counts.add(&String::from_utf8_lossy(&line));
        to.write_all(&line).and_then(|()| to.flush()).context("cannot pass the runner's output on")?;
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, cargo_test, tee};

    #[test]
    fn the_results_of_all_binaries_are_added_up() {
        let output = "running 2 tests\ntest result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s\n\
                      test result: FAILED. 5 passed; 3 failed; 0 ignored; 0 measured; 9 filtered out; finished in 1.50s\n";
        let mut passed_on = Vec::new();
        let mut counts = Counts::default();
        tee(output.as_bytes(), &mut passed_on, &mut counts).expect("reads");
        assert_eq!(passed_on, output.as_bytes());
        assert_eq!(counts, Counts { passed: 7, failed: 3, ignored: 1 });
        assert_eq!(counts.summary(), "7 passed, 3 failed, 1 skipped");
    }

    #[test]
    fn the_whole_workspace_is_tested_unless_a_package_is_named() {
        let shown = |arguments: &[&str]| {
            let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
            format!("{:?}", cargo_test(std::path::Path::new("."), &arguments, &[]))
        };
        assert!(
            shown(&["--", "revoked"]).contains("\"--workspace\" \"--features\" \"hallpass/golden\" \"--\" \"revoked\"")
        );
        assert!(!shown(&["-p", "hallpass-core"]).contains("--workspace"));
    }
}
