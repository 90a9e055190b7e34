//! `hallpass session kill`.

use std::time::{Duration, Instant};

use clap::Args;
use hallpass_control::store::{Record, Transition};
use hallpass_control::{Keeper, Store, lifecycle};
use hallpass_core::audit::Event;
use hallpass_core::limits::SETTLE_GRACE_S_MAX;
use hallpass_core::session::{SessionEvent, SessionStatus};
use serde::Serialize;

use super::find::{find, not_found};
use super::presigned;
use crate::command::Context;
use crate::command::run::this_user;
use crate::control_socket::client::{self, Outcome};
use crate::control_socket::protocol::Killed;
use crate::error::{CommandError, ErrorKind, ExitStatus};
use crate::output::{Paint, SCHEMA_VERSION, clean};

/// End a session now: its access at once, then its processes
///
/// The gate refuses from this instant, streams under way are cut, the command gets TERM and then KILL. A session that
/// has ended already is left as it is. Child sessions end with their parent; a child session alone is ended without
/// its parent, whose processes go on. Real URLs that it presigned work on until they expire, and are counted.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass session kill 3f2a91c0\n  \
    hallpass session kill 3f2a91c0 --json")]
pub(crate) struct KillArgs {
    /// The session: its id, or at least four characters of its beginning
    #[arg(value_name = "SESSION")]
    session: String,
}

/// What became of it. Times are microseconds from the moment the keeper read the command.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    schema_version: u32,
    session: String,
    /// `killed`, `ended_already`, `keeper_gone`, `keeper_ended`, `refused_by_store`.
    outcome: &'static str,
    pub(super) status: String,
    revocation: &'static str,
    /// Of a child session: the one that goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    steps: Option<Killed>,
    warnings: Vec<String>,
}

/// Kills, and says what that achieved.
pub(crate) fn kill(context: &Context, args: KillArgs) -> Result<ExitStatus, CommandError> {
    if !context.has_store()? {
        return Err(not_found(&args.session));
    }
    // Not even a configuration with a mistake in it, or the repair of other sessions, stands before a kill.
    let store = context.store_for_kill()?;
    let record = find(context, &*store, &args.session)?;
    let mut report = end(context, &*store, &record)?;
    // The session has ended: whatever is wrong with the log now must not hide that.
    match presigned::of(context, &*store, &record.session.id) {
        Ok(presigned) => report.warnings.extend(presigned.outliving()),
        Err(error) => report.warnings.push(format!("whether presigned URLs outlive it could not be read: {error}")),
    }
    print(context, &report)?;
    Ok(ExitStatus::Success)
}

/// Takes a session's access back and ends its processes, by whichever way still works.
///
/// # Errors
/// When its access could not be ended, or its end not be recorded.
pub(super) fn end(context: &Context, store: &dyn Store, record: &Record) -> Result<Report, CommandError> {
    let session = &record.session;
    let mut report = Report {
        schema_version: SCHEMA_VERSION,
        session: session.id.to_string(),
        outcome: "ended_already",
        status: session.status.to_string(),
        revocation: session.revocation.as_str(),
        parent: session.parent.as_ref().map(ToString::to_string),
        steps: None,
        warnings: Vec::new(),
    };
    if session.status.is_final() {
        return Ok(report);
    }
    let take_back = |keeper: &Keeper| match session.parent {
        Some(_) => client::kill_child(keeper, &session.id),
        None => client::kill(keeper),
    };
    let outcome = record.keeper.as_ref().map_or(Outcome::KeeperGone, take_back);
    match outcome {
        Outcome::Killed(killed) => {
            report.outcome = "killed";
            report.status = killed.status.clone().unwrap_or_else(|| SessionStatus::Revoked.to_string());
            let stuck = killed.processes_stuck;
            if stuck > 0 {
                report
                    .warnings
                    .push(format!("{stuck} processes hang in the kernel and outlive KILL; they have no access"));
            }
            if let Some(why) = &killed.not_recorded {
                report.warnings.push(format!("the keeper could not record it: {why}"));
                wait_for_the_end_of(record.keeper.as_ref());
                report.status = record_end(context, store, record, Some(&killed), "killed")?;
            }
            report.steps = Some(killed);
        }
        Outcome::KeeperGone => {
            report.outcome = "keeper_gone";
            report.status = repaired(context, store, record, None)?;
        }
        Outcome::KeeperEnded { after_us } => {
            report.outcome = "keeper_ended";
            report.warnings.push("its keeper did not answer and was ended with SIGKILL".to_owned());
            let killed = Killed { gate_refusing_us: after_us, streams_cut_us: after_us, ..Killed::default() };
            report.status = repaired(context, store, record, Some(&killed))?;
        }
        Outcome::OutOfReach(why) => {
            report.outcome = "refused_by_store";
            report.status = record_end(context, store, record, None, "killed; its keeper could not be reached")?;
            report.warnings.push(format!("its keeper could not be reached: {why}"));
            report
                .warnings
                .push("the store refuses its requests from now on, but its processes may still run".to_owned());
        }
    }
    Ok(report)
}

/// The keeper is dead: the repair marks what nobody knows any more, then the kill is recorded.
fn repaired(
    context: &Context,
    store: &dyn Store,
    record: &Record,
    killed: Option<&Killed>,
) -> Result<String, CommandError> {
    context.repair(store)?;
    record_end(context, store, record, killed, "killed; its keeper was gone")
}

/// Its command is gone, so a keeper soon is too; until then it may still write outcomes.
fn wait_for_the_end_of(keeper: Option<&Keeper>) {
    let patience = Instant::now() + 2 * Duration::from_secs(SETTLE_GRACE_S_MAX);
    while keeper.is_some_and(Keeper::is_alive) && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Records the kill; the session is revoked by it unless it has ended before.
fn record_end(
    context: &Context,
    store: &dyn Store,
    record: &Record,
    killed: Option<&Killed>,
    reason: &str,
) -> Result<String, CommandError> {
    let killed = killed.cloned().unwrap_or_default();
    let event = Event::SessionKilled {
        by: this_user(),
        gate_refusing_us: killed.gate_refusing_us,
        streams_cut_us: killed.streams_cut_us,
        streams_cut: killed.streams_cut,
        processes_signalled_us: killed.processes_signalled_us,
        processes_gone_us: killed.processes_gone_us,
    };
    let id = record.session.id.clone();
    let mut events = vec![event];
    // A living keeper knows what became of its requests; when it is gone, nobody does, and the log says so.
    if !record.keeper.as_ref().is_some_and(Keeper::is_alive) {
        match context.block_on(lifecycle::unknown(store, &id))? {
            Ok((unknown, _)) => events.extend(unknown),
            Err(error) => context.printer.warn(format_args!("requests without an outcome could not be read ({error})")),
        }
    }
    let change = Transition { events, ..Transition::new(id, SessionEvent::Revoke, context.now(), reason) };
    let ended = context.block_on(store.transition(change))?.map_err(|error| {
        CommandError::new(ErrorKind::General, "kill.not_recorded", "the end of the session could not be recorded")
            .because(&error)
            .next("correct what stands above, then kill again")
    })?;
    Ok(ended.session.status.to_string())
}

/// Prints the report.
pub(super) fn print(context: &Context, report: &Report) -> Result<(), CommandError> {
    let printer = context.printer;
    if printer.is_json() {
        return printer.json(report);
    }
    let short = report.session.get(..8).unwrap_or(&report.session);
    let line = match report.outcome {
        "ended_already" => format!("session {short} has ended already: {}", report.status),
        "killed" => {
            format!(
                "session {short} is {}: {}",
                report.status,
                report.steps.as_ref().map(|killed| steps(killed, report.parent.as_deref())).unwrap_or_default()
            )
        }
        _ => format!("session {short} is {}", report.status),
    };
    printer.data(printer.paint(Paint::Bold, line))?;
    for warning in &report.warnings {
        printer.warn(clean::line(warning));
    }
    if report.outcome != "ended_already" && report.revocation != "instant" {
        printer.warn(format_args!(
            "its credential left the gate and ends {}; take it back with `hallpass session revoke {short}`",
            if report.revocation == "role-wide" {
                "only when it expires, or by a denial on the role"
            } else {
                "when it expires"
            }
        ));
    }
    Ok(())
}

fn steps(killed: &Killed, parent: Option<&str>) -> String {
    let ms = |us: u64| format!("{}.{} ms", us / 1_000, us % 1_000 / 100);
    let gone = match (parent, killed.processes_gone_us) {
        (Some(parent), _) => format!("its parent {} goes on", parent.get(..8).unwrap_or(parent)),
        (None, None) => "processes still ending".to_owned(),
        (None, Some(us)) => format!("processes gone after {}", ms(us)),
    };
    let streams = if killed.streams_cut == 1 { "stream" } else { "streams" };
    format!("refused after {}, {} {streams} cut, {gone}", ms(killed.gate_refusing_us), killed.streams_cut)
}
