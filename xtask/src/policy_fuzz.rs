//! `cargo xtask policy-fuzz`: random policies and requests, decided by us and by a second engine
//! (`@cloud-copilot/iam-simulate`, a program of its own, fetched by name from npm, never part of ours). Prints how
//! often both agree and every class of disagreement with its smallest case; `docs/security/policy-differences.md`
//! settles each.

mod case;
mod generate;
mod shrink;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc;

use anyhow::{Context, Result, bail};

use crate::process::network_step;
use crate::say;
use case::{Case, Verdict};
use generate::Random;

const CASES_DEFAULT: u64 = 1_000_000;
const ENGINE: &str = "@cloud-copilot/iam-simulate@0.1.173";
/// Cases on their way to the engine at once.
const BATCH: usize = 2_000;

/// Runs `--cases N` (default 1,000,000) from `--seed S` (default 1).
///
/// # Errors
/// The engine cannot be installed or started, or a class is not in the page that settles them.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<()> {
    let (cases, seed) = (option(arguments, "--cases")?.unwrap_or(CASES_DEFAULT), option(arguments, "--seed")?);
    let folder = install(root)?;
    let mut engine = Engine::start(root, &folder)?;
    let mut random = Random::new(seed.unwrap_or(1));
    let mut tally = Tally::default();
    while tally.compared + tally.not_read < cases {
        let left = usize::try_from(cases - tally.compared - tally.not_read).unwrap_or(BATCH);
        let batch: Vec<Case> = (0..BATCH.min(left)).map(|_| Case::random(&mut random)).collect();
        let theirs = engine.ask(&batch)?;
        for (case, theirs) in batch.iter().zip(theirs) {
            tally.count(case, theirs, &mut engine)?;
        }
    }
    engine.end()?;
    tally.report();
    tally.unsettled(&root.join("docs/security/policy-differences.md"))
}

fn option(arguments: &[String], name: &str) -> Result<Option<u64>> {
    let Some(at) = arguments.iter().position(|argument| argument == name) else { return Ok(None) };
    let value = arguments.get(at + 1).with_context(|| format!("`{name}` needs a number"))?;
    value.replace('_', "").parse().map(Some).with_context(|| format!("`{name} {value}` is no number"))
}

fn install(root: &Path) -> Result<PathBuf> {
    let folder = root.join("target/policy-fuzz");
    std::fs::create_dir_all(&folder)?;
    if !folder.join("node_modules/@cloud-copilot/iam-simulate").exists() {
        network_step("install the second policy engine", "it comes from npm by name", || {
            let mut npm = Command::new("npm");
            npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]).arg(&folder).arg(ENGINE);
            npm
        })?;
    }
    Ok(folder)
}

/// The other engine's process.
struct Engine {
    child: Child,
    lines: mpsc::Sender<String>,
    answers: BufReader<ChildStdout>,
}

impl Engine {
    fn start(root: &Path, folder: &Path) -> Result<Self> {
        let mut node = Command::new("node");
        node.arg(root.join("xtask/policy_fuzz.mjs")).current_dir(folder);
        let mut child = node.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("cannot start node")?;
        let input = child.stdin.take().context("node has no stdin")?;
        let answers = BufReader::new(child.stdout.take().context("node has no stdout")?);
        let (lines, written) = mpsc::channel();
        // Both pipes fill at once, so one side must not wait for the other.
        std::thread::spawn(move || feed(input, written));
        Ok(Self { child, lines, answers })
    }

    fn ask(&mut self, cases: &[Case]) -> Result<Vec<Verdict>> {
        let text: String = cases.iter().map(|case| format!("{}\n", case.to_json())).collect();
        self.lines.send(text).context("node has ended")?;
        cases.iter().map(|_| self.answer()).collect()
    }

    fn answer(&mut self) -> Result<Verdict> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        match line.trim_end() {
            "A" => Ok(Verdict::Allow),
            "D" => Ok(Verdict::ExplicitDeny),
            "I" => Ok(Verdict::ImplicitDeny),
            "E" => Ok(Verdict::Error),
            other => bail!("node answered `{other}`"),
        }
    }

    fn end(mut self) -> Result<()> {
        drop(self.lines);
        self.child.wait().context("node does not end").map(drop)
    }
}

fn feed(input: ChildStdin, lines: mpsc::Receiver<String>) {
    let mut input = BufWriter::new(input);
    for text in lines {
        // A reader that has gone away is noticed where its answers are missing.
        if input.write_all(text.as_bytes()).and_then(|()| input.flush()).is_err() {
            return;
        }
    }
}

/// What came out.
#[derive(Default)]
struct Tally {
    compared: u64,
    agreed: BTreeMap<Verdict, u64>,
    /// Documents that we do not read: we are stricter on purpose.
    not_read: u64,
    /// Every disagreement, by what its smallest case shows.
    classes: BTreeMap<String, (u64, Case)>,
}

impl Tally {
    fn count(&mut self, case: &Case, theirs: Verdict, engine: &mut Engine) -> Result<()> {
        let Some(ours) = case.ours() else {
            self.not_read += 1;
            return Ok(());
        };
        self.compared += 1;
        if ours == theirs {
            *self.agreed.entry(ours).or_default() += 1;
            return Ok(());
        }
        let small = shrink::smallest(case, &mut |cases| engine.ask(cases))?;
        let answer = engine.ask(std::slice::from_ref(&small))?.pop().unwrap_or(Verdict::Error);
        let class = small.class(small.ours().unwrap_or(Verdict::Error), answer);
        self.classes.entry(class).or_insert_with(|| (0, small)).0 += 1;
        Ok(())
    }

    fn report(&self) {
        let agreed: u64 = self.agreed.values().sum();
        say(&format!("compared {}, agreed {agreed}, differed {}", self.compared, self.compared - agreed));
        for (verdict, count) in &self.agreed {
            say(&format!("  agreed on {verdict:?}: {count}"));
        }
        say(&format!("not read by us, on purpose: {}", self.not_read));
        for (class, (count, case)) in &self.classes {
            say(&format!("\n{class}: {count}\n  {}", case.to_json()));
        }
    }

    /// Fails when a class of disagreement has no line in the page that settles them.
    fn unsettled(&self, page: &Path) -> Result<()> {
        let settled = std::fs::read_to_string(page).unwrap_or_default();
        // Each line of the page is a class and its count.
        let named = |line: &'_ str| line.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end().to_owned();
        let settled: BTreeSet<String> = settled.lines().map(named).collect();
        let open: Vec<&str> =
            self.classes.keys().map(String::as_str).filter(|class| !settled.contains(*class)).collect();
        if !open.is_empty() {
            bail!("{} classes are not settled in {}:\n  {}", open.len(), page.display(), open.join("\n  "));
        }
        Ok(())
    }
}
