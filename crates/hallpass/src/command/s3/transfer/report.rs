//! What became of everything: a JSON line each and one for all, or a sentence at the end.

use std::time::Instant;

use hallpass_core::budget::shown_bytes;
use hallpass_s3::error::S3Error;
use hallpass_s3::execute::{Action, Hear, Orders, Outcome, Report};
use hallpass_s3::plan::{Passed, Place};
use serde::Serialize;

use crate::alias::failure;
use crate::command::s3::show::bare;
use crate::command::s3::stores::Stores;
use crate::error::{CommandError, ErrorKind, ExitStatus};
use crate::output::{Printer, clean, envelope, progress};

/// Which command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Cp,
    Mv,
    Mirror,
}

impl Verb {
    /// The family of its JSON.
    pub(crate) fn family(self) -> &'static str {
        match self {
            Self::Cp => "s3_cp",
            Self::Mv => "s3_mv",
            Self::Mirror => "s3_mirror",
        }
    }

    fn done(self) -> &'static str {
        match self {
            Self::Cp | Self::Mirror => "copied",
            Self::Mv => "moved",
        }
    }
}

/// One thing. The same for up, down and across, alone or among many; what is not known is `null`.
#[derive(Debug, Default, Serialize)]
struct Item {
    kind: &'static str,
    result: &'static str,
    action: Option<&'static str>,
    source: Option<String>,
    target: Option<String>,
    size: Option<u64>,
    reason: Option<&'static str>,
    etag: Option<String>,
    version_id: Option<String>,
    verified: Option<bool>,
    resumed_bytes: Option<u64>,
    error: Option<Failure>,
}

#[derive(Debug, Serialize)]
struct Failure {
    #[serde(rename = "type")]
    kind: &'static str,
    code: String,
    message: String,
    suggestion: Option<String>,
    retryable: bool,
}

/// All of them.
#[derive(Debug, Serialize)]
struct Summary {
    kind: &'static str,
    dry_run: bool,
    complete: bool,
    copied: u64,
    bytes: u64,
    identical: u64,
    skipped: u64,
    removed: u64,
    failed: u64,
    skipped_by_reason: std::collections::BTreeMap<&'static str, u64>,
}

/// Tells each thing as it ends.
#[derive(Debug)]
pub(crate) struct Teller {
    printer: Printer,
    verb: Verb,
    dry_run: bool,
    to_stdout: bool,
    tolerant: bool,
    resumes: bool,
    bar: bool,
    /// Failures that were not told yet: where the first ends everything, there are as many as were in flight.
    untold: Vec<S3Error>,
    since: Instant,
    /// The only thing there was, for the sentence.
    only: Option<(Action, String, String)>,
    told: u64,
}

impl Teller {
    pub(crate) fn new(printer: Printer, verb: Verb, orders: &Orders, to_stdout: bool) -> Self {
        let (dry_run, tolerant, resumes) = (orders.dry_run, orders.tolerant, orders.transfer.resume);
        Self {
            printer,
            verb,
            dry_run,
            to_stdout,
            tolerant,
            resumes,
            bar: false,
            untold: Vec::new(),
            since: Instant::now(),
            only: None,
            told: 0,
        }
    }

    /// A line of progress is shown meanwhile.
    pub(crate) fn on_terminal(&mut self, bar: bool) {
        self.bar = bar;
    }

    fn tell(&mut self, outcome: &Outcome) -> Result<(), CommandError> {
        let item = Item::of(outcome);
        if self.printer.is_json() {
            if self.to_stdout {
                return Ok(());
            }
            let good = !matches!(outcome, Outcome::Failed(..));
            return self.printer.data(envelope::line(self.verb.family(), good, &item)?);
        }
        match outcome {
            Outcome::Done(action, from, to, _) => {
                self.told += 1;
                self.only = Some((*action, shown(from), shown(to)));
            }
            Outcome::Planned(action, from, to, size) => {
                let size = size.map_or_else(|| "-".to_owned(), shown_bytes);
                let action = action.as_str();
                return self.printer.data(format_args!("{action:<8} {size:>10}  {} -> {}", shown(from), shown(to)));
            }
            Outcome::WouldRemove(place) => {
                return self.printer.data(format_args!("{:<8} {:>10}  {}", "remove", "-", shown(place)));
            }
            Outcome::Passed(name, why) if *why != Passed::Identical && self.dry_run => {
                let why = why.as_str();
                return self.printer.data(format_args!("{:<8} {:>10}  {} ({why})", "skip", "-", clean::quoted(name)));
            }
            // Alone, it is the failure of the command.
            Outcome::Failed(_, error) if !self.tolerant => self.untold.push(error.clone()),
            Outcome::Failed(_, error) => {
                if self.bar {
                    progress::clear_line();
                }
                self.printer.error(&failure::of(error.clone()));
            }
            _ => {}
        }
        Ok(())
    }

    /// The last line, and how the command ends.
    ///
    /// # Errors
    /// What kept it from being complete.
    pub(crate) fn ended(&self, stores: &Stores<'_>, report: Report) -> Result<ExitStatus, CommandError> {
        self.summary(&report)?;
        let failures = report.failed;
        match (report.ended_by, report.first_failure) {
            (Some(S3Error::Interrupted), _) if !self.resumes && !self.to_stdout => {
                let next = "with `--resume`, what was done stays, and the same command goes on with it";
                Err(stores.failed(S3Error::Interrupted).next(next))
            }
            (Some(error), _) => Err(stores.failed(error)),
            (None, Some((first, _))) if failures == 1 => Err(stores.failed(first)),
            (None, Some((first, mixed))) => {
                let first = stores.failed(first);
                let kind = if mixed { ErrorKind::General } else { first.kind() };
                for error in &self.untold {
                    self.printer.error(&failure::of(error.clone()));
                }
                let message = format!("{failures} things could not be {}", self.verb.done());
                Err(CommandError::new(kind, "s3.partial", message).cause(first.message()).next("see the errors above"))
            }
            (None, None) => Ok(ExitStatus::Success),
        }
    }

    fn summary(&self, report: &Report) -> Result<(), CommandError> {
        let identical = report.passed.get(&Passed::Identical).copied().unwrap_or(0);
        let others = || report.passed.iter().filter(|(why, _)| **why != Passed::Identical);
        let skipped: u64 = others().map(|(_, count)| count).sum();
        if self.printer.is_json() && !self.to_stdout {
            let summary = Summary {
                kind: "summary",
                dry_run: self.dry_run,
                complete: report.ended_by.is_none() && report.failed == 0,
                copied: report.copied,
                bytes: report.bytes,
                identical,
                skipped,
                removed: report.removed,
                failed: report.failed,
                skipped_by_reason: others().map(|(why, count)| (why.as_str(), *count)).collect(),
            };
            return self.printer.data(envelope::line(self.verb.family(), summary.complete, &summary)?);
        }
        let nothing = report.copied + report.removed + identical + skipped == 0;
        let failed = report.failed > 0 || report.ended_by.is_some();
        if self.to_stdout || nothing && failed {
            return Ok(());
        }
        let seconds = self.since.elapsed().as_secs_f64();
        let size = shown_bytes(report.bytes);
        let mut parts = Vec::new();
        match &self.only {
            Some((_, from, to)) if self.told == 1 && report.copied == 1 => {
                parts.push(format!("{from} -> {to}: {size} in {seconds:.1} s"));
            }
            _ if self.dry_run => parts.push(format!("{} would be {}, {size}", report.copied, self.verb.done())),
            _ => parts.push(format!("{} {}, {size} in {seconds:.1} s", report.copied, self.verb.done())),
        }
        if identical > 0 {
            parts.push(format!("{identical} identical"));
        }
        parts.extend(others().map(|(why, count)| format!("{count} skipped ({})", words(*why))));
        if report.removed > 0 {
            parts.push(format!("{} {}", report.removed, if self.dry_run { "would be removed" } else { "removed" }));
        }
        if report.failed > 0 {
            parts.push(format!("{} failed", report.failed));
        }
        self.printer.say(parts.join(", "));
        Ok(())
    }
}

impl Hear for Teller {
    fn hear(&mut self, outcome: &Outcome) -> Result<(), S3Error> {
        // Nobody reads any more: there is nobody to work for.
        self.tell(outcome).map_err(|_| S3Error::Interrupted)
    }
}

impl Item {
    fn of(outcome: &Outcome) -> Self {
        let item = |result, what: Option<(&Action, &Place, &Place)>| Self {
            kind: "item",
            result,
            action: what.map(|(action, ..)| action.as_str()),
            source: what.map(|(_, from, _)| from.to_string()),
            target: what.map(|(_, _, to)| to.to_string()),
            ..Self::default()
        };
        match outcome {
            Outcome::Done(action, from, to, done) => Self {
                size: Some(done.size),
                etag: done.etag.clone().map(bare),
                version_id: done.version.clone(),
                verified: Some(done.verified),
                resumed_bytes: Some(done.resumed),
                ..item("copied", Some((action, from, to)))
            },
            Outcome::Planned(action, from, to, size) => {
                Self { size: *size, ..item("planned", Some((action, from, to))) }
            }
            Outcome::Passed(name, why) => {
                let result = if *why == Passed::Identical { "identical" } else { "skipped" };
                Self { source: Some(name.clone()), reason: Some(why.as_str()), ..item(result, None) }
            }
            Outcome::Removed(place) => {
                Self { action: Some("remove"), target: Some(place.to_string()), ..item("removed", None) }
            }
            Outcome::WouldRemove(place) => {
                Self { action: Some("remove"), target: Some(place.to_string()), ..item("planned", None) }
            }
            Outcome::Failed(what, error) => {
                let error = Failure {
                    kind: error.kind().as_str(),
                    code: error.code().to_owned(),
                    message: error.to_string(),
                    suggestion: failure::next_step(error),
                    retryable: error.retryable(),
                };
                let what = what.as_ref().map(|(action, from, to)| (action, from, to));
                Self { error: Some(error), ..item("failed", what) }
            }
        }
    }
}

fn shown(place: &Place) -> String {
    clean::quoted(&place.to_string())
}

fn words(why: Passed) -> &'static str {
    match why {
        Passed::Time => "by their time",
        Passed::Symlink => "symbolic links",
        Passed::Special => "no files",
        Passed::Marker => "folder markers",
        Passed::Exists => "there already",
        Passed::Identical => "identical",
    }
}
