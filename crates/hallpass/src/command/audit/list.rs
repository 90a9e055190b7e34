//! `hallpass audit list`.

use std::io::Write;

use clap::Args;
use hallpass_control::Store;
use hallpass_control::store::{EntryFilter, StoredEntry};
use hallpass_core::limits::LIST_PAGE_MAX;
use jiff::Timestamp;

use super::filter::FilterArgs;
use super::line::{line, raw};
use crate::command::Context;
use crate::command::since::Since;
use crate::error::{CommandError, ExitStatus};
use crate::output::{SCHEMA_VERSION, clean};

/// List the newest entries of the audit log, newest last
///
/// `audit export` prints all of them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass audit list --session 3f2a91c0\n  \
    hallpass audit list --kind request_denied --since 1h\n  \
    hallpass audit list --limit 1000 --json")]
pub(crate) struct ListArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// Only entries since: `15m`, `2d`, a day (midnight UTC) or a time in RFC 3339
    #[arg(long, value_name = "MOMENT")]
    since: Option<Since>,
    /// Most entries to list
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=i64::from(LIST_PAGE_MAX)))]
    limit: u32,
}

/// Prints lines, or one JSON object.
pub(crate) fn list(context: &Context, args: ListArgs) -> Result<ExitStatus, CommandError> {
    let entries = match context.store_to_read()? {
        Some(store) => {
            let filter = args.filter.resolve(context, &*store)?;
            let since = args.since.map(|since| since.resolve(context.now()));
            newest(context, &*store, filter, since, args.limit)?
        }
        None => Vec::new(),
    };
    let printer = context.printer;
    if printer.is_json() {
        let all = entries.iter().map(raw).collect::<Result<Vec<_>, _>>()?.join(",");
        let text = format!("{{\"schema_version\":{SCHEMA_VERSION},\"entries\":[{all}]}}");
        printer.data(clean::json(text))?;
        return Ok(ExitStatus::Success);
    }
    if entries.is_empty() {
        printer.say("no entries");
    }
    printer.write(|out| entries.iter().try_for_each(|entry| writeln!(out, "{}", line(printer, entry))))?;
    Ok(ExitStatus::Success)
}

/// The newest `limit` entries, oldest of them first. Looks no further back than the first page that holds nothing
/// young enough, because times rise with positions, but for a clock that was set back a little.
pub(super) fn newest(
    context: &Context,
    store: &dyn Store,
    filter: EntryFilter,
    since: Option<Timestamp>,
    limit: u32,
) -> Result<Vec<StoredEntry>, CommandError> {
    let limit = limit as usize;
    let mut found: Vec<StoredEntry> = Vec::new();
    let mut filter = EntryFilter { newest_first: true, limit: LIST_PAGE_MAX, ..filter };
    if since.is_none() {
        filter.limit = u32::try_from(limit).unwrap_or(LIST_PAGE_MAX).min(LIST_PAGE_MAX);
    }
    loop {
        let page = context.block_on(store.entries(filter.clone()))??;
        let last = page.last().map(|entry| entry.seq);
        let asked = page.len() == filter.limit as usize;
        let before = found.len();
        found.extend(page.into_iter().filter(|entry| is_young(entry, since)));
        let more = asked && found.len() < limit && found.len() > before;
        match last.and_then(|seq| seq.checked_sub(1)) {
            Some(from) if more => filter.from_seq = Some(from),
            _ => break,
        }
    }
    found.truncate(limit);
    found.reverse();
    Ok(found)
}

/// An entry that cannot be read is shown rather than hidden.
fn is_young(entry: &StoredEntry, since: Option<Timestamp>) -> bool {
    since.is_none_or(|since| entry.decode().map_or(true, |entry| entry.time >= since))
}
