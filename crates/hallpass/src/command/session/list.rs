//! `hallpass session list`.

use std::collections::HashMap;

use clap::Args;
use hallpass_control::Store;
use hallpass_control::store::{Cursor, Filter, Listing, Page, Record};
use hallpass_core::limits::{LIST_PAGE_MAX, SESSIONS_KEPT_MAX};
use hallpass_core::provider::CloudProvider;
use hallpass_core::session::{Session, SessionStatus};
use jiff::Timestamp;
use serde::Serialize;

use super::view::SessionView;
use crate::command::Context;
use crate::command::since::Since;
use crate::command::tag::TagFilter;
use crate::error::{CommandError, ExitStatus};
use crate::output::SCHEMA_VERSION;
use crate::output::table::Table;
use crate::output::time::{relative, span};

/// Characters of a command shown in the table.
const COMMAND_CHARS_MAX: usize = 60;

/// List sessions, newest first
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass session list --live\n  \
    hallpass session list --agent claude-code --since 2d\n  \
    hallpass session list --status failed,revoked --json")]
pub(crate) struct ListArgs {
    /// Only these states
    #[arg(long, value_name = "STATUS", value_delimiter = ',')]
    status: Vec<SessionStatus>,
    /// Only sessions that are pending or active
    #[arg(long, conflicts_with = "status")]
    live: bool,
    /// Only this cloud
    #[arg(long, value_name = "NAME")]
    provider: Option<CloudProvider>,
    /// Only this AI agent
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// Only with this label: KEY=VALUE, or KEY with any value
    #[arg(long, value_name = "TAG")]
    tag: Option<TagFilter>,
    /// Only this role or account
    #[arg(long, value_name = "ARN")]
    principal: Option<String>,
    /// Only sessions created since: `15m`, `2d`, a day (midnight UTC) or a time in RFC 3339
    #[arg(long, value_name = "MOMENT")]
    since: Option<Since>,
    /// Most sessions to list
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=SESSIONS_KEPT_MAX))]
    limit: u64,
    /// Go on where the page before ended: the `next` that it printed
    #[arg(long, value_name = "CURSOR")]
    after: Option<Cursor>,
}

#[derive(Serialize)]
struct Listed<'a> {
    schema_version: u32,
    sessions: Vec<SessionView<'a>>,
    next: Option<String>,
}

/// Prints a table, or one JSON object.
pub(crate) fn list(context: &Context, args: ListArgs) -> Result<ExitStatus, CommandError> {
    let now = context.now();
    let filter = Filter {
        statuses: args.status,
        provider: args.provider,
        agent: args.agent,
        tag: args.tag.map(|tag| (tag.key, tag.value)),
        principal: args.principal,
        since: args.since.map(|since| since.resolve(now)),
        live: args.live,
    };
    let store = context.store_to_read()?;
    let listing = match &store {
        Some(store) => pages(context, &**store, &filter, args.limit, args.after)?,
        None => Listing::default(),
    };
    let printer = context.printer;
    let next = listing.next.as_ref().map(Cursor::to_string);
    if printer.is_json() {
        let sessions = listing.records.iter().map(|record| SessionView::new(record, now)).collect();
        printer.json(&Listed { schema_version: SCHEMA_VERSION, sessions, next })?;
        return Ok(ExitStatus::Success);
    }
    if listing.records.is_empty() {
        printer.say("no sessions");
        return Ok(ExitStatus::Success);
    }
    let partial = filter != Filter::default() || listing.next.is_some();
    let ids = match &store {
        Some(store) if partial => shortest_in_store(context, &**store, &listing.records)?,
        _ => shortest(listing.records.iter().map(|record| record.session.id.as_str())),
    };
    printer.data(table(&listing.records, &ids, now).render(printer))?;
    if let Some(next) = next {
        printer.say(format_args!("more: repeat with `--after {next}`"));
    }
    Ok(ExitStatus::Success)
}

/// Up to `limit` records, page by page.
pub(super) fn pages(
    context: &Context,
    store: &dyn Store,
    filter: &Filter,
    limit: u64,
    mut after: Option<Cursor>,
) -> Result<Listing, CommandError> {
    let mut records = Vec::new();
    loop {
        let left = limit.saturating_sub(records.len() as u64);
        let page = Page { limit: u32::try_from(left).unwrap_or(u32::MAX).min(LIST_PAGE_MAX), after };
        let listing = context.block_on(store.list(filter.clone(), page))??;
        records.extend(listing.records);
        if listing.next.is_none() || records.len() as u64 >= limit {
            return Ok(Listing { records, next: listing.next });
        }
        after = listing.next;
    }
}

fn table(records: &[Record], ids: &HashMap<String, usize>, now: Timestamp) -> Table {
    let mut table = Table::new(&[
        "ID",
        "STATUS",
        "CREATED",
        "LEFT",
        "DELIVERY",
        "REVOCATION",
        "AGENT",
        "REQUESTS",
        "SPENT",
        "COMMAND",
    ]);
    for record in records {
        let session = &record.session;
        let id = session.id.as_str();
        let left = if session.status.is_final() {
            "-".to_owned()
        } else {
            span(session.remaining_seconds(now).unsigned_abs())
        };
        table.row(vec![
            id.get(..ids.get(id).copied().unwrap_or(id.len())).unwrap_or(id).to_owned(),
            session.status.to_string(),
            relative(session.created_at, now),
            left,
            session.delivery.as_str().to_owned(),
            session.revocation.as_str().to_owned(),
            session.agent_id.clone().unwrap_or_else(|| "-".to_owned()),
            format!("{}/{}", record.requests_allowed, record.requests_denied),
            spent(record),
            cut(&command(session)),
        ]);
    }
    table
}

/// The estimated cost, and the budget where there is one.
fn spent(record: &Record) -> String {
    let spent = format!("~{:.4}", record.spent.to_f64());
    match record.session.budget {
        Some(budget) => format!("{spent}/{budget} USD"),
        None => format!("{spent} USD"),
    }
}

/// The command; for a child session behind the session that it belongs to.
fn command(session: &Session) -> String {
    let command = session.command.join(" ");
    match &session.parent {
        Some(parent) => format!("child of {}: {command}", parent.short()),
        None => command,
    }
}

fn cut(command: &str) -> String {
    match command.char_indices().nth(COMMAND_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &command[..at]),
        None => command.to_owned(),
    }
}

/// For each id, how many characters of it name only that one among `ids`; at least eight.
fn shortest<'a>(ids: impl Iterator<Item = &'a str>) -> HashMap<String, usize> {
    let mut sorted: Vec<&str> = ids.collect();
    sorted.sort_unstable();
    let mut lengths = HashMap::with_capacity(sorted.len());
    for (index, id) in sorted.iter().enumerate() {
        let before = index.checked_sub(1).map_or(0, |at| common(id, sorted[at]));
        let after = sorted.get(index + 1).map_or(0, |other| common(id, other));
        lengths.insert((*id).to_owned(), (before.max(after) + 1).max(8).min(id.len()));
    }
    lengths
}

/// As [`shortest`], but among all sessions of the store: a listing that leaves some out cannot know them.
fn shortest_in_store(
    context: &Context,
    store: &dyn Store,
    records: &[Record],
) -> Result<HashMap<String, usize>, CommandError> {
    let mut lengths = HashMap::with_capacity(records.len());
    for record in records {
        let id = record.session.id.as_str();
        let fitting = context.block_on(store.matching(record.session.short_id(), LIST_PAGE_MAX))??;
        let among = shortest(fitting.iter().map(|other| other.session.id.as_str()));
        lengths.insert(id.to_owned(), among.get(id).copied().unwrap_or(id.len()));
    }
    Ok(lengths)
}

fn common(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_short_id_is_as_long_as_it_must_be_to_be_unambiguous() {
        let ids = ["aaaaaaaa-1", "aaaaaaaa-2", "bbbbbbbb-1", "cc", "aaaaaaaa"];
        let lengths = super::shortest(ids.into_iter());
        assert_eq!(lengths["aaaaaaaa-1"], 10);
        assert_eq!(lengths["aaaaaaaa-2"], 10);
        assert_eq!(lengths["bbbbbbbb-1"], 8);
        assert_eq!(lengths["cc"], 2);
        assert_eq!(lengths["aaaaaaaa"], 8);
    }

    #[test]
    fn a_long_command_is_cut_between_characters() {
        let cut = super::cut(&"ä".repeat(61));
        assert_eq!(cut, format!("{}…", "ä".repeat(60)));
    }
}
