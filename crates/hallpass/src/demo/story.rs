//! The story, act by act, told on stdout while it really happens.

use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, Command, Output};

use serde::Serialize;

use super::child::{SESSION_LINE, UNDER_WAY_LINE};
use super::stage::Stage;
use super::store::{BUCKET, PREFIX};
use super::timeline;
use crate::error::{CommandError, ErrorKind};
use crate::output::{Paint, Printer};

/// How the story ended, for `--json`.
#[derive(Debug, Serialize)]
pub(crate) struct Ending {
    /// The session that was lent.
    session: String,
    /// Requests that passed before the download.
    allowed: usize,
    /// Requests that were refused.
    refused: usize,
    /// It was killed, and its download cut off.
    killed: bool,
    /// The log verifies.
    intact: bool,
    /// Entries of the log.
    entries: usize,
}

/// Tells the story; an error when it did not end as promised.
pub(crate) fn tell(stage: &Stage, printer: Printer) -> Result<Ending, CommandError> {
    let say = |text: &str| printer.tell(text);
    say(&printer.paint(Paint::Bold, "Give your agent a hall pass, not your keys."))?;
    say(&format!("\nA store on {} really checks signatures. Its only key pair is ours:", stage.endpoint_url()))?;
    say(&format!("  {} (the agent must never see it)\n", stage.key_pair().0))?;
    say(&printer.paint(Paint::Bold, "1. The agent borrows: read and list, one prefix, one minute"))?;
    say(&format!("  $ hallpass run --policy read-{PREFIX} --ttl 60s -- agent"))?;

    let policy = Stage::policy();
    let mut run = command(stage, &["--quiet", "run", "--policy", &policy, "--ttl", "60s", "--"])?;
    run.arg(std::env::current_exe().map_err(|e| broken("our own program cannot be found", &e))?).arg("__demo-child");
    let mut child = run.spawn().map_err(|e| broken("the session could not be started", &e))?;
    let act = Act::follow(&mut child, stage, printer)?;

    let status = child.wait().map_err(|e| broken("the session could not be waited for", &e))?;
    expect(act.promises_kept(), "the session did not do what it promises", &act.errors(&mut child))?;
    say(&format!("  the agent is gone ({status})\n"))?;

    say(&printer.paint(Paint::Bold, "3. What did it do? The log proves it"))?;
    say("  $ hallpass audit verify")?;
    let verified = output(stage, &["audit", "verify"])?;
    indent(printer, &verified.stdout)?;
    indent(printer, &verified.stderr)?;
    expect(verified.status.success(), "the log does not verify", &String::from_utf8_lossy(&verified.stderr))?;
    let exported = output(stage, &["audit", "export"])?;
    say("")?;
    let log = String::from_utf8_lossy(&exported.stdout);
    say(&timeline::draw(&log, printer))?;
    let Act { session, allowed, refused, killed, .. } = act;
    Ok(Ending { session, allowed, refused, killed, intact: verified.status.success(), entries: log.lines().count() })
}

/// What the agent reported, and what we saw.
#[derive(Debug, Default)]
struct Act {
    session: String,
    allowed: usize,
    refused: usize,
    environments: Option<(usize, usize)>,
    killed: bool,
    finished: bool,
}

impl Act {
    /// Shows the agent's lines as they come, and kills the session when its download is under way.
    fn follow(child: &mut Child, stage: &Stage, printer: Printer) -> Result<Self, CommandError> {
        let mut act = Self::default();
        let Some(lines) = child.stdout.take() else { return Ok(act) };
        for line in BufReader::new(lines).lines() {
            let line = line.map_err(|e| broken("the agent's output could not be read", &e))?;
            act.line(&line, stage, printer)?;
        }
        Ok(act)
    }

    fn line(&mut self, line: &str, stage: &Stage, printer: Printer) -> Result<(), CommandError> {
        let parts = |rest: &str| rest.split_once('|').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap_or_default();
        if let Some(session) = line.strip_prefix(SESSION_LINE) {
            session.clone_into(&mut self.session);
        } else if let Some((request, got)) = line.strip_prefix("ok ").map(parts) {
            self.allowed += 1;
            printer.tell(format!("  {} {request:<34} {got}", printer.paint(Paint::Good, "allowed")))?;
        } else if let Some((request, why)) = line.strip_prefix("no ").map(parts) {
            self.refused += 1;
            printer.tell(format!("  {} {request}\n          {why}", printer.paint(Paint::Bad, "refused")))?;
        } else if let Some(variable) = line.strip_prefix("env ") {
            printer.tell(format!("  its env {variable}"))?;
        } else if let Some(got) = line.strip_prefix("got ") {
            printer.tell(format!("  download of {BUCKET}/reports/archive.bin: {got} of 64 MiB"))?;
        } else if line == UNDER_WAY_LINE {
            self.kill(stage, printer)?;
        } else if let Some(at) = line.strip_prefix("cut ") {
            printer.tell(format!("  {} the download, at {at} of 64", printer.paint(Paint::Bad, "cut off")))?;
        } else if line.starts_with("end ") {
            self.finished = true;
        }
        Ok(())
    }

    fn kill(&mut self, stage: &Stage, printer: Printer) -> Result<(), CommandError> {
        self.environments = stage.search_environments(&self.session);
        if let Some((read, found)) = self.environments {
            printer.tell(format!("  the real secret stands in {found} of the {read} environments of the session\n"))?;
        }
        printer.tell(printer.paint(Paint::Bold, "2. Somebody takes it back, from another terminal"))?;
        printer.tell(format!("  $ hallpass session kill {}", self.session.get(..8).unwrap_or(&self.session)))?;
        let killed = output(stage, &["session", "kill", &self.session])?;
        indent(printer, &killed.stdout)?;
        indent(printer, &killed.stderr)?;
        self.killed = killed.status.success();
        Ok(())
    }

    fn promises_kept(&self) -> bool {
        let secret_kept = self.environments.is_none_or(|(read, found)| read > 0 && found == 0);
        self.allowed == 2 && self.refused == 2 && self.killed && !self.finished && secret_kept
    }

    fn errors(&self, child: &mut Child) -> String {
        let mut text = format!("{self:?}");
        if let Some(mut stderr) = child.stderr.take() {
            text.push_str("; the session said: ");
            // What cannot be read is not shown; the report above stands by itself.
            drop(stderr.read_to_string(&mut text));
        }
        text
    }
}

fn command(stage: &Stage, arguments: &[&str]) -> Result<Command, CommandError> {
    stage.hallpass(arguments).map_err(|e| broken("our own program cannot be found", &e))
}

fn output(stage: &Stage, arguments: &[&str]) -> Result<Output, CommandError> {
    command(stage, arguments)?.output().map_err(|e| broken("our own program cannot be started", &e))
}

fn indent(printer: Printer, text: &[u8]) -> Result<(), CommandError> {
    for line in String::from_utf8_lossy(text).lines() {
        printer.tell(format!("  {line}"))?;
    }
    Ok(())
}

fn expect(kept: bool, broken: &str, detail: &str) -> Result<(), CommandError> {
    if kept { Ok(()) } else { Err(CommandError::new(ErrorKind::General, "demo.broken", broken).cause(detail)) }
}

fn broken(what: &str, error: &io::Error) -> CommandError {
    CommandError::new(ErrorKind::General, "demo.broken", what).because(error)
}
