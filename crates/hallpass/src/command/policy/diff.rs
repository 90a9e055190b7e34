//! `hallpass policy diff`.

use clap::{Args, ValueEnum};
use hallpass_core::policy::{Change, PolicyDiff};
use serde::Serialize;

use super::source::Source;
use crate::command::Context;
use crate::error::{CommandError, ExitStatus};
use crate::output::{Paint, SCHEMA_VERSION, clean};

/// Show what a new policy document allows and the old one did not, and the other way round
///
/// For pull requests: it compares what the documents mean, not their texts. A difference is never overlooked; two
/// texts that say one thing in a roundabout way may be shown as different.
#[derive(Debug, Args)]
#[command(after_help = "Exit status:\n  \
    0 both allow the same; 1 they differ, with `--fail-on wider` only when the new one allows more\n\n\
Examples:\n  \
    hallpass policy diff old.json new.json\n  \
    git show main:policy.json | hallpass policy diff - policy.json\n  \
    hallpass policy diff --fail-on wider old.json new.json\n  \
    hallpass policy diff old.json new.json --json")]
pub(crate) struct DiffArgs {
    /// What is in force: a file, or `-` for standard input
    #[arg(value_name = "OLD")]
    old: String,
    /// What is to be in force
    #[arg(value_name = "NEW")]
    new: String,
    /// Which difference is a failure
    #[arg(long, value_name = "WHAT", default_value = "any")]
    fail_on: FailOn,
}

/// What ends with 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Any difference
    Any,
    /// Something that is newly allowed
    Wider,
}

#[derive(Serialize)]
struct Shown<'a> {
    schema_version: u32,
    same: bool,
    #[serde(flatten)]
    diff: &'a PolicyDiff,
}

/// `+` before what is newly allowed, `-` before what no longer is.
pub(crate) fn diff(context: &Context, args: DiffArgs) -> Result<ExitStatus, CommandError> {
    if args.old == "-" && args.new == "-" {
        return Err(CommandError::usage("policy.stdin_twice", "standard input holds one document, not two")
            .next("write one of the two to a file"));
    }
    let (old, new) = (Source::read(&args.old)?, Source::read(&args.new)?);
    let diff = PolicyDiff::between(&old.document()?, &new.document()?);
    let same = diff.is_empty();
    let fails = match args.fail_on {
        FailOn::Any => !same,
        FailOn::Wider => !diff.newly_allowed.is_empty(),
    };
    let status = if fails { ExitStatus::Failure } else { ExitStatus::Success };
    let printer = context.printer;
    if printer.is_json() {
        printer.json(&Shown { schema_version: SCHEMA_VERSION, same, diff: &diff })?;
        return Ok(status);
    }
    if same {
        printer.say("both allow the same");
    }
    let marked = [(&diff.newly_allowed, "+", Paint::Warn), (&diff.no_longer_allowed, "-", Paint::Dim)];
    for (changes, mark, paint) in marked {
        for Change { statement, sentence, .. } in changes {
            let text = clean::line(&format!("{mark} {sentence} ({statement})"));
            printer.data(printer.paint(paint, text))?;
        }
    }
    Ok(status)
}
