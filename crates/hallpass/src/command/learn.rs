//! `hallpass learn`: the least policy that a run needed.

pub(crate) mod evidence;
pub(crate) mod report;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use hallpass_core::delivery::Delivery;
use hallpass_core::id::SessionId;
use hallpass_core::learn::{Learned, Learner, Level, Options};

use crate::command::Context;
use crate::command::run::args::{LendArgs, RunArgs};
use crate::command::run::{run_in_session, shadow};
use crate::config::duration::Seconds;
use crate::error::{CommandError, ErrorKind, ExitStatus};
use crate::output::clean;
use crate::output::file::{self, STDOUT, atomically};

/// Run a command, and print the least IAM policy that it needed
///
/// The command runs as under `run`, with a wide ceiling: every action but those that hand out credentials, unless
/// `--ceiling` or the flags of `run` say less. What it asked for is in the audit log, so the policy names exactly those
/// actions and resources, and whatever is made wider (`--generalise`) is listed. Calls that the cloud denied are
/// listed and not granted. `run --policy FILE` enforces the policy, `run --shadow --policy FILE` tries it out.
#[derive(Debug, Args)]
#[command(
    after_help = "The policy goes to stdout after the command's own output, or to the file of `-o`; everything else to stderr.\n\
Exit status:\n  \
    as of `run`\n\n\
Examples:\n  \
    hallpass learn -o learned.json -- ./job\n  \
    hallpass learn --ceiling 's3:*,sqs:*' --generalise keys -o learned.json -- ./job\n  \
    hallpass learn --from 3f2a91c0 --merge learned.json -o learned.json\n  \
    hallpass run --policy learned.json -- ./job"
)]
pub(crate) struct LearnArgs {
    /// What the command may do while it is watched: actions, or a policy as a file or JSON [default: every action but
    /// those that hand out credentials]
    #[arg(long, value_name = "CEILING", conflicts_with_all = ["allow", "policy", "from"])]
    ceiling: Option<String>,
    /// Learn from sessions that have ended, and run nothing
    #[arg(long, value_name = "SESSION", num_args = 1.., conflicts_with = "command")]
    from: Vec<String>,
    /// Also allow what these policies allow; for what several runs needed
    #[arg(long, value_name = "FILE")]
    merge: Vec<PathBuf>,
    /// How far to go beyond what was asked for
    #[arg(long, visible_alias = "generalize", value_name = "LEVEL", default_value = "none")]
    generalise: Generalise,
    /// Also grant what the cloud denied
    #[arg(long)]
    include_failed: bool,
    /// Write the policy to this file, as a whole or not at all; `-` is stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Time between TERM and KILL when the command is ended
    #[arg(long, value_name = "DURATION")]
    grace: Option<Seconds>,
    #[command(flatten)]
    lend: LendArgs,
    /// The command and its arguments
    #[arg(last = true, required_unless_present = "from", value_name = "CMD")]
    command: Vec<OsString>,
}

/// How far to go beyond what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Generalise {
    /// Nowhere
    None,
    /// S3 keys and prefixes: from two in one folder on, the folder
    Keys,
    /// As `keys`, and any text for ids in names, but never in a bucket's
    Ids,
}

/// Runs, reads, learns, prints.
pub(crate) fn learn(context: &Context, args: LearnArgs) -> Result<ExitStatus, CommandError> {
    // What is wrong here would otherwise show when the run is over, and cost its evidence.
    let mut others = Learner::default();
    let file = args.output.as_deref().filter(|path| *path != Path::new(STDOUT));
    let ready = merge(&mut others, &args.merge).and_then(|()| file.map_or(Ok(()), may_be_written));
    if let Err(error) = ready {
        return Err(if args.from.is_empty() { error.before_child() } else { error });
    }
    let (sessions, status) = if args.from.is_empty() {
        run_to_learn(context, &args)?
    } else {
        (evidence::ended(context, &args.from)?, ExitStatus::Success)
    };
    let learned = learned(context, &args, &sessions)?;
    if let (Some(path), Some(policy)) = (file, &learned.policy) {
        let text = report::policy_text(policy)?;
        atomically(path, |out| Ok(writeln!(out, "{text}")?))?;
    }
    report::show(context.printer, &learned, &sessions, status, file.is_none())?;
    match &learned.policy {
        None if file.is_some() => {
            let message = "nothing was learned, so no policy is written";
            Err(CommandError::new(ErrorKind::NotFound, "learn.nothing", message)
                .next("see what was refused with `hallpass audit list --kind request_denied`"))
        }
        _ => Ok(status),
    }
}

fn run_to_learn(context: &Context, args: &LearnArgs) -> Result<(Vec<SessionId>, ExitStatus), CommandError> {
    let mut lend = args.lend.clone();
    let unlimited = lend.allow.is_empty() && lend.policy.is_none() && lend.profile.is_none() && !lend.read_only;
    let ceiling = match &args.ceiling {
        Some(text) => {
            let document = !shadow::ceiling_of(text).map_err(CommandError::before_child)?.documents.is_empty();
            if document {
                lend.policy = Some(text.clone())
            } else {
                lend.allow.push(text.clone())
            }
            text.as_str()
        }
        None if unlimited => {
            lend.allow.push("*".to_owned());
            "every action"
        }
        None => "the policy that is given",
    };
    context.printer.say(clean::lines(&format!(
        "hallpass: learning: the command may use {ceiling}, less what hands out credentials, within what your own \
         identity may"
    )));
    let run = RunArgs {
        lend,
        delivery: Some(Delivery::Proxy),
        grace: args.grace,
        command: args.command.clone(),
        ..RunArgs::default()
    };
    let (session, status) = run_in_session(context, &run)?;
    Ok((session.into_iter().collect(), status))
}

fn learned(context: &Context, args: &LearnArgs, sessions: &[SessionId]) -> Result<Learned, CommandError> {
    let mut learner = evidence::of_sessions(context, sessions)?;
    merge(&mut learner, &args.merge)?;
    let level = match args.generalise {
        Generalise::None => Level::None,
        Generalise::Keys => Level::Keys,
        Generalise::Ids => Level::Ids,
    };
    learner.learn(Options { level, include_failed: args.include_failed }).map_err(|error| {
        let ids: Vec<&str> = sessions.iter().map(SessionId::short).collect();
        let again = format!("nothing has to run again: `hallpass learn --from {} --generalise keys`", ids.join(" "));
        CommandError::from(error).next(again)
    })
}

fn merge(learner: &mut Learner, paths: &[PathBuf]) -> Result<(), CommandError> {
    for path in paths {
        let document = crate::command::run::policy::document(path)?;
        learner.merge(&document).map_err(|error| {
            let message = format!("`{}` cannot be merged", path.display());
            CommandError::usage("learn.merge", message).because(&error)
        })?;
    }
    Ok(())
}

/// What is wrong with the file shows before the command runs.
fn may_be_written(path: &Path) -> Result<(), CommandError> {
    file::may_be_written(path).map_err(|error| {
        let message = format!("`{}` cannot be written", path.display());
        CommandError::new(ErrorKind::General, "learn.unwritable", message)
            .because(&error)
            .next("name a file in a folder that exists and that you may write to")
    })
}
