//! `hallpass session watch`.

mod table;

use std::thread;
use std::time::Duration;

use clap::Args;
use hallpass_control::Store;
use hallpass_control::store::{Filter, Page, Record};
use hallpass_core::audit::{Entry, Event};
use hallpass_core::id::SessionId;
use serde_json::json;

use super::family;
use super::find::{find, not_found};
use super::requests::{Joiner, Row, Verdict, entries};
use crate::command::Context;
use crate::error::{CommandError, ErrorKind, ExitStatus};
use crate::output::{Paint, Printer, SCHEMA_VERSION, clean};
use table::Table;

/// Pause between two looks at the log, milliseconds.
const LOOK_EVERY_MS: u64 = 150;
/// Looks between two looks for new child sessions.
const CHILDREN_EVERY: u32 = 4;
/// Looks between two checks that the session's keeper still lives.
const KEEPER_EVERY: u32 = 10;

/// Watch a session's requests as they are decided; JSON lines with `--json`
///
/// A row for each request: time, operation, resource, verdict, bytes, estimated cost. Requests of child sessions are
/// there too, with the child's id. Without a session, the newest live one. It begins with what has been recorded
/// already, and stops when the session has ended.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass session watch\n  \
    hallpass session watch 3f2a91c0 --json | jq -r 'select(.verdict==\"denied\").reason'")]
pub(crate) struct WatchArgs {
    /// The session: its id, or at least four characters of its beginning
    #[arg(value_name = "SESSION")]
    session: Option<String>,
}

/// Prints until the session ends or nobody reads any more.
pub(crate) fn watch(context: &Context, args: WatchArgs) -> Result<ExitStatus, CommandError> {
    let shown = args.session.as_deref().unwrap_or("");
    let store =
        context.store_to_read()?.ok_or_else(|| if shown.is_empty() { nothing_live() } else { not_found(shown) })?;
    let record = match &args.session {
        Some(text) => find(context, &*store, text)?,
        None => newest_live(context, &*store)?,
    };
    let id = record.session.id.clone();
    let printer = context.printer;
    if !printer.is_json() {
        printer.data(printer.paint(Paint::Dim, Table::within(columns()).heading()))?;
    }
    let (mut root, mut children, mut looks) = (Followed::new(id, None), Vec::new(), 0_u32);
    loop {
        let ended = root.look(context, &*store)?;
        if looks % CHILDREN_EVERY == 0 || ended.is_some() {
            follow(context, &*store, &record, &mut children)?;
        }
        for child in &mut children {
            child.look(context, &*store)?;
        }
        if let Some(entry) = ended {
            let in_flight = children.iter().chain([&root]).map(|one| one.joiner.in_flight()).sum();
            end(printer, &entry, in_flight)?;
            return Ok(ExitStatus::Success);
        }
        looks += 1;
        if looks % KEEPER_EVERY == 0 {
            still_kept(context, &*store, &record)?;
        }
        thread::sleep(Duration::from_millis(LOOK_EVERY_MS));
    }
}

/// One session whose entries are read as they come.
struct Followed {
    id: SessionId,
    /// Of a child session: its short id, which its rows have.
    child: Option<String>,
    joiner: Joiner,
    next: Option<u64>,
}

impl Followed {
    fn new(id: SessionId, child: Option<String>) -> Self {
        Self { id, child, joiner: Joiner::default(), next: None }
    }

    /// Prints what is new; gives the entry of its end when it is among it.
    fn look(&mut self, context: &Context, store: &dyn Store) -> Result<Option<Entry>, CommandError> {
        let Self { id, child, joiner, next } = self;
        let mut ended = None;
        entries(context, store, id, next, &mut |entry| {
            if let Event::SessionEnded { .. } | Event::SessionImported { .. } = entry.event {
                ended = Some(entry);
                return Ok(());
            }
            let rows = joiner.take(entry).into_iter().map(|row| Row { child: child.clone(), ..row });
            rows.into_iter().try_for_each(|row| print(context.printer, &row))
        })?;
        Ok(ended)
    }
}

/// Takes in child sessions that are new.
fn follow(
    context: &Context,
    store: &dyn Store,
    root: &Record,
    children: &mut Vec<Followed>,
) -> Result<(), CommandError> {
    for record in context.block_on(family::below(store, &root.session))?? {
        if !children.iter().any(|known| known.id == record.session.id) {
            let short = record.session.short_id().to_owned();
            children.push(Followed::new(record.session.id, Some(short)));
        }
    }
    Ok(())
}

/// A session whose keeper died has no end until somebody writes one: opening the store repairs it.
fn still_kept(context: &Context, store: &dyn Store, record: &Record) -> Result<(), CommandError> {
    let now = context.block_on(store.session(&record.session.id))??;
    let Some(now) = now else { return Err(not_found(record.session.id.as_str())) };
    if now.keeper.is_none_or(|keeper| !keeper.is_alive()) {
        drop(context.store_to_read()?);
    }
    Ok(())
}

fn newest_live(context: &Context, store: &dyn Store) -> Result<Record, CommandError> {
    let listing = context.block_on(store.list(Filter { live: true, ..Filter::default() }, Page::default()))??;
    // Child sessions come and go below the one that somebody started.
    let (started, children): (Vec<Record>, Vec<Record>) =
        listing.records.into_iter().partition(|record| record.session.parent.is_none());
    started.into_iter().chain(children).next().ok_or_else(nothing_live)
}

fn nothing_live() -> CommandError {
    CommandError::new(ErrorKind::NotFound, "session.none_live", "no session is live")
        .next("name an ended one, as `hallpass session list` shows it")
}

fn print(printer: Printer, row: &Row) -> Result<(), CommandError> {
    if printer.is_json() {
        return printer.json(row);
    }
    let text = Table::within(columns()).row(row);
    let text = match row.verdict {
        Verdict::Allowed => text,
        Verdict::Denied | Verdict::Unknown => printer.paint(Paint::Warn, text),
    };
    printer.data(text)
}

/// Of the terminal as it is now; `None` where stdout is none.
fn columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

fn end(printer: Printer, entry: &Entry, in_flight: usize) -> Result<(), CommandError> {
    let (status, reason) = match &entry.event {
        Event::SessionEnded { status, reason, .. } => (status.as_str(), reason.as_str()),
        Event::SessionImported { status, .. } => (status.as_str(), "taken over from another tool's files"),
        _ => return Ok(()),
    };
    if printer.is_json() {
        let ended = json!({"schema_version": SCHEMA_VERSION, "ended": status, "reason": reason, "time": entry.time, "unsettled": in_flight});
        return printer.json(&ended);
    }
    let left = if in_flight > 0 { format!(", {in_flight} without an outcome") } else { String::new() };
    printer.data(printer.paint(Paint::Dim, clean::line(&format!("{status}: {reason}{left}"))))
}
