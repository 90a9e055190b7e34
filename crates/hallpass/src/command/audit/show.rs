//! `hallpass audit show`.

use clap::Args;
use hallpass_control::Store;
use hallpass_control::store::{EntryFilter, StoredEntry};

use super::line::{hash, raw};
use super::no_log;
use crate::command::Context;
use crate::error::{CommandError, ErrorKind, ExitStatus};
use crate::output::{Paint, SCHEMA_VERSION, clean};

/// Show one entry of the audit log, and its hash
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass audit show 17\n  \
    hallpass audit show 17 --json")]
pub(crate) struct ShowArgs {
    /// Position of the entry, from 0
    #[arg(value_name = "SEQ")]
    seq: u64,
}

/// Prints the entry.
pub(crate) fn show(context: &Context, args: ShowArgs) -> Result<ExitStatus, CommandError> {
    let store = context.store_to_read()?.ok_or_else(|| no_log(context))?;
    let entry = entry(context, &*store, args.seq)?;
    let (text, hash) = (raw(&entry)?, hash(&entry));
    let printer = context.printer;
    if printer.is_json() {
        let json = format!("{{\"schema_version\":{SCHEMA_VERSION},\"entry\":{text},\"hash\":\"{hash}\"}}");
        printer.data(clean::json(json))?;
        return Ok(ExitStatus::Success);
    }
    let value: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let pretty = serde_json::to_string_pretty(&value).unwrap_or_else(|_| text.to_owned());
    printer.data(clean::json(pretty))?;
    printer.data(format_args!("{}  {hash}", printer.paint(Paint::Dim, "hash")))?;
    Ok(ExitStatus::Success)
}

/// The entry at `seq`.
pub(super) fn entry(context: &Context, store: &dyn Store, seq: u64) -> Result<StoredEntry, CommandError> {
    let filter = EntryFilter { from_seq: Some(seq), limit: 1, ..EntryFilter::default() };
    let found = context.block_on(store.entries(filter))??.into_iter().find(|entry| entry.seq == seq);
    found.ok_or_else(|| {
        CommandError::new(ErrorKind::NotFound, "audit.no_entry", format!("there is no entry {seq} in the audit log"))
            .next("see `hallpass audit list`")
    })
}
