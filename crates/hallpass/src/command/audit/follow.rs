//! `hallpass audit follow`.

use std::io::Write;
use std::thread;
use std::time::Duration;

use clap::Args;
use hallpass_control::store::{EntryFilter, StoredEntry};
use hallpass_core::audit::Event;
use hallpass_core::limits::LIST_PAGE_MAX;

use super::filter::FilterArgs;
use super::line::{line, raw};
use super::list::newest;
use crate::command::Context;
use crate::error::{CommandError, ExitStatus};
use crate::output::clean;

/// Pause between two looks at the log, milliseconds.
const LOOK_EVERY_MS: u64 = 150;

/// Print entries of the audit log as they are written; JSON lines with `--json`
///
/// With `--session`, it stops when the session has ended.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass audit follow\n  \
    hallpass audit follow --session 3f2a91c0 --kind request_allowed,request_denied\n  \
    hallpass audit follow --lines 0 --json")]
pub(crate) struct FollowArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// Begin with so many of the newest entries
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=i64::from(LIST_PAGE_MAX)))]
    lines: u32,
}

/// Prints until interrupted, or until the followed session ends.
pub(crate) fn follow(context: &Context, args: FollowArgs) -> Result<ExitStatus, CommandError> {
    let store = context.store()?;
    let filter = args.filter.resolve(context, &*store)?;
    let mut next = context.block_on(store.log_info())??.size;
    if args.lines > 0 {
        let seen = newest(context, &*store, filter.clone(), None, args.lines)?;
        print(context, &seen)?;
        next = next.max(seen.last().map_or(0, |entry| entry.seq + 1));
    }
    if let Some(id) = &filter.session
        && context.block_on(store.session(id))??.is_none_or(|record| record.session.status.is_final())
    {
        return Ok(ExitStatus::Success);
    }
    // The end of the session must be seen even when its kind is filtered out.
    let watched = EntryFilter { kinds: Vec::new(), ..filter.clone() };
    loop {
        let page = context.block_on(store.entries(EntryFilter { from_seq: Some(next), ..watched.clone() }))??;
        next = page.last().map_or(next, |entry| entry.seq + 1);
        let is_end = |entry: &StoredEntry| entry.decode().is_ok_and(|e| matches!(e.event, Event::SessionEnded { .. }));
        let ended = filter.session.is_some() && page.iter().any(is_end);
        let wanted: Vec<StoredEntry> = page.into_iter().filter(|entry| is_wanted(entry, &filter.kinds)).collect();
        print(context, &wanted)?;
        if ended {
            return Ok(ExitStatus::Success);
        }
        thread::sleep(Duration::from_millis(LOOK_EVERY_MS));
    }
}

fn is_wanted(entry: &StoredEntry, kinds: &[String]) -> bool {
    kinds.is_empty() || entry.decode().map_or(true, |e| kinds.iter().any(|kind| kind == e.event.kind()))
}

fn print(context: &Context, entries: &[StoredEntry]) -> Result<(), CommandError> {
    let printer = context.printer;
    for entry in entries {
        let text = if printer.is_json() { clean::json(raw(entry)?.to_owned()) } else { line(printer, entry) };
        printer.write(|out| writeln!(out, "{text}"))?;
    }
    Ok(())
}
