//! `hallpass session show`.

use clap::Args;
use hallpass_core::id::SessionId;
use serde::Serialize;

use super::family;
use super::find::{find, not_found};
use super::view::{SessionView, fields};
use crate::command::Context;
use crate::error::{CommandError, ExitStatus};
use crate::output::{Paint, SCHEMA_VERSION, clean};

/// Show one session
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass session show 3f2a91c0\n  \
    hallpass session show 3f2a91c0 --json")]
pub(crate) struct ShowArgs {
    /// The session: its id, or at least four characters of its beginning
    #[arg(value_name = "SESSION")]
    session: String,
}

#[derive(Serialize)]
struct Shown<'a> {
    schema_version: u32,
    session: SessionView<'a>,
    /// Child sessions, and theirs.
    children: Vec<&'a SessionId>,
}

/// Prints every field.
pub(crate) fn show(context: &Context, args: ShowArgs) -> Result<ExitStatus, CommandError> {
    let store = context.store_to_read()?.ok_or_else(|| not_found(&args.session))?;
    let record = find(context, &*store, &args.session)?;
    let children = context.block_on(family::below(&*store, &record.session))??;
    let now = context.now();
    let printer = context.printer;
    if printer.is_json() {
        let ids = children.iter().map(|child| &child.session.id).collect();
        let session = SessionView::new(&record, now);
        printer.json(&Shown { schema_version: SCHEMA_VERSION, session, children: ids })?;
        return Ok(ExitStatus::Success);
    }
    let children = family::line(&children).map(|line| ("children", line));
    for (name, value) in fields(&record, now).into_iter().chain(children) {
        printer.data(format_args!(
            "{}  {}",
            printer.paint(Paint::Dim, format_args!("{name:<10}")),
            clean::line(&value)
        ))?;
    }
    Ok(ExitStatus::Success)
}
