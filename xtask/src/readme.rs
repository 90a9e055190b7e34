//! `cargo xtask readme`: runs the real demo and pastes its transcript into README.md, between two marks.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::{environment, process, say};

const BEGIN: &str = "<!-- transcript: made by `cargo xtask readme`, not by hand -->";
const END: &str = "<!-- end of transcript -->";
/// A longer line is cut, so that the page does not scroll sideways.
const LINE_CHARS: usize = 112;
/// What the first screen can do without; the demo itself says it all.
const LEFT_OUT: [&str; 7] = [
    "A store on",
    "  AKIADEMO",
    "  its env AWS_SECRET_ACCESS_KEY",
    "  its env AWS_SESSION_TOKEN",
    "  its env AWS_ENDPOINT_URL",
    "  download of",
    "Try it by hand",
];

/// Replaces the transcript in README.md by that of a run of this very moment.
///
/// # Errors
/// The demo fails, or README.md lacks its marks.
pub(crate) fn run(root: &Path) -> Result<()> {
    process::step("build the demo", environment::cargo(root).args(["build", "--release", "-p", "hallpass"]))?;
    let state = root.join("target/readme-state");
    let mut demo = std::process::Command::new(environment::target_dir(root).join("release/hallpass"));
    environment::clean(&mut demo);
    demo.arg("demo").env("HALLPASS_STATE_DIR", &state).env("NO_COLOR", "1").stdin(Stdio::null());
    let output = demo.output().context("cannot start the demo")?;
    if !output.status.success() {
        bail!("the demo ended with {}:\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let transcript = format!("$ cargo run --release -- demo\n{out}{err}");
    let path = root.join("README.md");
    let readme = fs::read_to_string(&path).context("cannot read README.md")?;
    fs::write(&path, pasted(&readme, &transcript)?).context("cannot write README.md")?;
    say("xtask: README.md shows the demo of this moment");
    Ok(())
}

fn pasted(readme: &str, transcript: &str) -> Result<String> {
    let (before, rest) = readme.split_once(BEGIN).context("README.md has no mark where the transcript begins")?;
    let (_, after) = rest.split_once(END).context("README.md has no mark where the transcript ends")?;
    let lines =
        transcript.lines().filter(|line| !line.trim().is_empty() && !LEFT_OUT.iter().any(|l| line.starts_with(l)));
    let lines: Vec<String> = lines.map(shortened).collect();
    Ok(format!("{before}{BEGIN}\n```text\n{}\n```\n{END}{after}", lines.join("\n")))
}

fn shortened(line: &str) -> String {
    let line = line.trim_end();
    if line.chars().count() <= LINE_CHARS {
        return line.to_owned();
    }
    line.chars().take(LINE_CHARS - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::{BEGIN, END, pasted};

    #[test]
    fn only_what_stands_between_the_marks_is_replaced() {
        let readme = format!("top\n{BEGIN}\nold\n{END}\nbottom\n");
        let once = pasted(&readme, "new  \n\nA store on x\nlines\n").expect("pastes");
        assert_eq!(once, format!("top\n{BEGIN}\n```text\nnew\nlines\n```\n{END}\nbottom\n"));
        assert_eq!(pasted(&once, "new\nlines").expect("pastes"), once);
        assert!(pasted("no marks", "x").is_err());
    }
}
