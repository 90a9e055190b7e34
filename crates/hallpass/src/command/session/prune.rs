//! `hallpass session prune`.

use std::io::{self, BufRead, IsTerminal, Write};

use clap::Args;
use hallpass_control::Store;
use hallpass_control::store::{Filter, Retention};
use hallpass_core::limits::SESSIONS_KEPT_MAX;
use hallpass_core::session::SessionStatus;
use serde::Serialize;

use super::list::pages;
use crate::command::Context;
use crate::command::since::Since;
use crate::error::{CommandError, ErrorKind, ExitStatus};
use crate::output::SCHEMA_VERSION;

/// Remove the records of ended sessions; their audit entries stay
///
/// Live sessions are never removed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass session prune --older-than 30d --dry-run\n  \
    hallpass session prune --older-than 30d --yes\n  \
    hallpass session prune --keep 1000 --yes")]
pub(crate) struct PruneArgs {
    /// Remove what ended before: `30d`, `12h`, a day (midnight UTC) or a time in RFC 3339
    #[arg(long, value_name = "MOMENT")]
    older_than: Option<Since>,
    /// Keep at most this many ended sessions [default: `store.keep_sessions`]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=SESSIONS_KEPT_MAX))]
    keep: Option<u64>,
    /// Only say how many would go
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

#[derive(Serialize)]
struct Done {
    schema_version: u32,
    removed: u64,
    dry_run: bool,
}

/// Counts, asks, removes.
pub(crate) fn prune(context: &Context, args: PruneArgs) -> Result<ExitStatus, CommandError> {
    let kept_max = args.keep.unwrap_or(context.config()?.store.keep_sessions());
    let retention = Retention { kept_max, ended_before: args.older_than.map(|moment| moment.resolve(context.now())) };
    if !args.dry_run && !args.yes && !io::stdin().is_terminal() {
        return Err(CommandError::new(ErrorKind::Usage, "prune.not_confirmed", "nobody is here to confirm")
            .next("pass `--yes`, or look first with `--dry-run`"));
    }
    let store = context.store()?;
    let removed = if args.dry_run {
        count(context, &*store, retention)?
    } else {
        if !args.yes && !confirmed(context, count(context, &*store, retention)?)? {
            return Err(CommandError::new(ErrorKind::Interrupted, "prune.declined", "nothing was removed"));
        }
        context.block_on(store.prune(retention))??.count
    };
    let printer = context.printer;
    if printer.is_json() {
        printer.json(&Done { schema_version: SCHEMA_VERSION, removed, dry_run: args.dry_run })?;
    } else if args.dry_run {
        printer.data(format_args!("would remove {removed} ended sessions"))?;
    } else {
        printer.data(format_args!("removed {removed} ended sessions"))?;
    }
    Ok(ExitStatus::Success)
}

/// How many a pruning would remove now.
fn count(context: &Context, store: &dyn Store, retention: Retention) -> Result<u64, CommandError> {
    let statuses = [
        SessionStatus::Completed,
        SessionStatus::Expired,
        SessionStatus::Revoked,
        SessionStatus::BudgetExceeded,
        SessionStatus::Failed,
    ];
    let filter = Filter { statuses: statuses.to_vec(), ..Filter::default() };
    let ended = pages(context, store, &filter, u64::MAX, None)?.records;
    let old = |record: &&hallpass_control::store::Record| {
        let ended_at = record.session.ended_at.unwrap_or(record.session.expires_at);
        retention.ended_before.is_some_and(|before| ended_at < before)
    };
    let by_age = ended.iter().filter(old).count() as u64;
    let by_number = (ended.len() as u64).saturating_sub(retention.kept_max);
    Ok(by_age.max(by_number))
}

fn confirmed(context: &Context, count: u64) -> Result<bool, CommandError> {
    // Asked even with `--quiet`: a question that nobody sees cannot be answered.
    write!(io::stderr().lock(), "remove the records of {count} ended sessions? their audit entries stay [y/N] ")?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    let yes = matches!(answer.trim(), "y" | "Y" | "yes");
    if !yes {
        context.printer.say("left as it is");
    }
    Ok(yes)
}
