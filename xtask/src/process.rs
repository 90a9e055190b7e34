//! Running a program as a named step: its time, its failure, and a second try where the network may be at fault.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::say;

/// Tries of a step that needs the network.
const NETWORK_TRIES: u32 = 3;
/// Wait before the second try; the third waits twice as long.
const NETWORK_WAIT: Duration = Duration::from_secs(5);

/// Runs `command` with stdin closed; its output goes where ours goes.
///
/// # Errors
/// It could not be started, or it ended with anything but 0.
pub(crate) fn step(what: &str, command: &mut Command) -> Result<()> {
    say(&format!("xtask: {what}"));
    let started = Instant::now();
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("{what} failed: {} ended with {status}", shown(command));
    }
    say(&format!("xtask: {what}: {:.1} s", started.elapsed().as_secs_f64()));
    Ok(())
}

/// [`step`] with its output held back and shown only when it fails for good; tried again after a network hiccup.
///
/// # Errors
/// `hint` is what the reader can do when every try failed.
pub(crate) fn network_step(what: &str, hint: &str, mut build: impl FnMut() -> Command) -> Result<()> {
    let started = Instant::now();
    let mut wait = NETWORK_WAIT;
    for tried in 1..=NETWORK_TRIES {
        say(&format!("xtask: {what}{}", if tried == 1 { "" } else { ", once more" }));
        let mut command = build();
        let output =
            command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {}", shown(&command)))?;
        if output.status.success() {
            say(&format!("xtask: {what}: {:.1} s", started.elapsed().as_secs_f64()));
            return Ok(());
        }
        say(&last_lines(&output.stdout, 10));
        say(&last_lines(&output.stderr, 30));
        if tried < NETWORK_TRIES {
            std::thread::park_timeout(wait);
            wait *= 2;
        }
    }
    bail!("{what} failed {NETWORK_TRIES} times; {hint}")
}

/// What a program prints on stdout, trimmed; `None` when it is missing or fails.
pub(crate) fn asked(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// True when the program can be found and started.
pub(crate) fn exists(program: &str) -> bool {
    let path = crate::environment::variable("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let text: Vec<_> = words.map(|w| w.to_string_lossy().into_owned()).collect();
    format!("`{}`", text.join(" "))
}

fn last_lines(bytes: &[u8], count: usize) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{last_lines, network_step, step};

    #[test]
    fn a_failed_step_names_what_failed_and_how() {
        let failed = step("count sheep", Command::new("sh").args(["-c", "exit 3"])).expect_err("fails");
        let text = format!("{failed:#}");
        assert!(text.contains("count sheep failed") && text.contains("exit status: 3"), "{text}");
    }

    #[test]
    fn a_missing_program_is_named() {
        let failed = step("fetch", &mut Command::new("no-such-program-here")).expect_err("fails");
        assert!(format!("{failed:#}").contains("no-such-program-here"));
        assert!(network_step("fetch", "hint", || Command::new("no-such-program-here")).is_err());
    }

    #[test]
    fn only_the_end_of_a_long_output_is_shown() {
        assert_eq!(last_lines(b"a\nb\nc\n", 2), "b\nc");
    }
}
