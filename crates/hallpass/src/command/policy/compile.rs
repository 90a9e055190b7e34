//! `hallpass policy compile`.

use clap::Args;
use hallpass_core::limits::SESSION_POLICY_CHARS_MAX;
use hallpass_core::policy::CompileError;
use serde::Serialize;

use super::source::{names_no_policy, with_stdin};
use crate::command::Context;
use crate::command::run::args::LendArgs;
use crate::command::run::policy::of_flags;
use crate::error::{CommandError, ExitStatus};
use crate::output::{Paint, SCHEMA_VERSION, clean};

/// Show the session policy that STS would be given, and its size
///
/// Takes the flags of `run` that say what is allowed, and leaves the rest alone. STS takes 2,048 characters.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass policy compile --allow s3:GetObject --resource 's3://data/*'\n  \
    hallpass policy compile --policy policy.json --read-only\n  \
    hallpass policy compile --policy - --json < policy.json")]
pub(crate) struct CompileArgs {
    #[command(flatten)]
    lend: LendArgs,
    /// The partition of managed policies
    #[arg(long, value_name = "NAME", default_value = "aws")]
    partition: String,
}

#[derive(Serialize)]
struct Shown<'a> {
    schema_version: u32,
    policy: Option<&'a str>,
    policy_arns: &'a [String],
    chars: usize,
    chars_max: usize,
    exact: bool,
    notes: &'a [String],
}

/// The policy is data; its size and the notes are talk.
pub(crate) fn compile(context: &Context, args: CompileArgs) -> Result<ExitStatus, CommandError> {
    if names_no_policy(&args.lend) {
        return Err(CommandError::usage("policy.none", "there is no policy to compile")
            .next("name one, with `--policy FILE` or `--allow ACTIONS`"));
    }
    let policy = of_flags(&with_stdin(args.lend)?, context.config()?)?;
    let compiled = policy.compile(&args.partition)?;
    let (printer, chars) = (context.printer, compiled.chars());
    if printer.is_json() {
        printer.json(&Shown {
            schema_version: SCHEMA_VERSION,
            policy: compiled.json.as_deref(),
            policy_arns: &compiled.policy_arns,
            chars,
            chars_max: SESSION_POLICY_CHARS_MAX,
            exact: compiled.exact,
            notes: &compiled.notes,
        })?;
        return Ok(ExitStatus::Success);
    }
    for text in compiled.json.iter().chain(&compiled.policy_arns) {
        printer.data(clean::line(text))?;
    }
    let scope = if compiled.exact { "the cloud enforces all of it" } else { "the gate enforces more than the cloud" };
    printer.say(format_args!("{chars} of {SESSION_POLICY_CHARS_MAX} characters; {scope}"));
    for note in &compiled.notes {
        printer.say(format_args!("{} {}", printer.paint_talk(Paint::Warn, "note:"), clean::line(note)));
    }
    Ok(ExitStatus::Success)
}

impl From<CompileError> for CommandError {
    fn from(error: CompileError) -> Self {
        let (code, next) = match &error {
            CompileError::NothingAllowed => {
                ("policy.empty", "allow something that every policy and flag given allows: they only narrow each other")
            }
            CompileError::Policy(_) => ("policy.invalid", "see `hallpass policy check`"),
            CompileError::Partition(_) => ("policy.partition", "name the partition of the role's ARN"),
            CompileError::TooLarge { .. } => {
                ("policy.too_large", "use wildcards; without `--role` the gate enforces a policy of any size")
            }
        };
        Self::usage(code, error.to_string()).next(next)
    }
}
