//! `hallpass session report`: one page from intent to end.

mod picture;
mod summary;

use clap::Args;
use hallpass_control::store::Record;
use hallpass_core::budget::price::PRICES_AS_OF;
use hallpass_core::budget::shown_bytes;
use jiff::Timestamp;
use serde_json::json;

use super::family;
use super::find::{find, not_found};
use super::presigned::Presigned;
use super::requests::{Joiner, entries};
use super::view::{SessionView, fields};
use crate::command::Context;
use crate::error::{CommandError, ExitStatus};
use crate::output::table::Table;
use crate::output::{Paint, Printer, SCHEMA_VERSION, clean};
use picture::Picture;
use summary::Summary;

/// Report on one session: what was asked for, what was done, what was refused, what it cost, how it ended
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass session report 3f2a91c0\n  \
    hallpass session report 3f2a91c0 --json")]
pub(crate) struct ReportArgs {
    /// The session: its id, or at least four characters of its beginning
    #[arg(value_name = "SESSION")]
    session: String,
}

/// Prints the page.
pub(crate) fn report(context: &Context, args: ReportArgs) -> Result<ExitStatus, CommandError> {
    let store = context.store_to_read()?.ok_or_else(|| not_found(&args.session))?;
    let record = find(context, &*store, &args.session)?;
    let now = context.now();
    let session = &record.session;
    let until = session.ended_at.unwrap_or(now);
    let (mut joiner, mut summary, mut next) = (Joiner::default(), Summary::default(), None);
    let mut picture = Picture::new(session.created_at, until);
    let mut presigned = Presigned::default();
    entries(context, &*store, &session.id, &mut next, &mut |entry| {
        presigned.take(&entry, now);
        for row in joiner.take(entry) {
            picture.add(&row);
            summary.add(&row);
        }
        Ok(())
    })?;
    summary.in_flight = joiner.in_flight() as u64;
    let children = context.block_on(family::below(&*store, session))??;
    let printer = context.printer;
    if printer.is_json() {
        let body = json!({
            "schema_version": SCHEMA_VERSION,
            "session": SessionView::new(&record, now),
            "policy_document": session.policy,
            "operations": summary.operations(),
            "denials": summary.denials(),
            "denials_left_out": summary.left_out,
            "in_flight": summary.in_flight,
            "presigned": presigned.urls,
            "presigned_count": presigned.count,
            "presigned_working": presigned.working,
            "cost_usd_estimate": summary.cost.to_f64(),
            "prices_as_of": PRICES_AS_OF,
            "timeline": picture.buckets(),
            "children": children.iter().map(|child| child.session.id.as_str()).collect::<Vec<_>>(),
        });
        printer.json(&body)?;
    } else {
        let mut all = fields(&record, now);
        all.extend(family::line(&children).map(|line| ("children", line)));
        page(printer, &record, &all, &summary, &picture)?;
        urls(printer, &presigned, now)?;
        cost(printer, &summary)?;
    }
    Ok(ExitStatus::Success)
}

fn page(
    printer: Printer,
    record: &Record,
    all: &[(&str, String)],
    summary: &Summary,
    picture: &Picture,
) -> Result<(), CommandError> {
    let heading = |text: &str| printer.data(format_args!("\n{}", printer.paint(Paint::Bold, text)));
    for (name, value) in all {
        let name = printer.paint(Paint::Dim, format_args!("{name:<10}"));
        printer.data(format_args!("{name}  {}", clean::line(value)))?;
    }
    heading("Policy")?;
    let policy = serde_json::to_string(&record.session.policy).unwrap_or_default();
    printer.data(clean::line(&policy))?;
    heading("Requests")?;
    let operations = summary.operations();
    if operations.is_empty() {
        printer.data("none")?;
    } else {
        let mut table = Table::new(&["OPERATION", "ALLOWED", "DENIED", "UNKNOWN", "UP", "DOWN", "COST (ESTIMATE)"]);
        for operation in &operations {
            table.row(vec![
                operation.name.clone(),
                operation.allowed.to_string(),
                operation.denied.to_string(),
                operation.unknown.to_string(),
                shown_bytes(operation.bytes_in),
                shown_bytes(operation.bytes_out),
                operation.cost.to_string(),
            ]);
        }
        printer.data(table.render(printer))?;
        heading("Over time")?;
        picture.lines().iter().try_for_each(|line| printer.data(line))?;
    }
    let denials = summary.denials();
    if !denials.is_empty() {
        heading("Refused, and why")?;
        for denial in &denials {
            let text = format!("{:>6}x  {}  {} [{}]", denial.count, denial.what, denial.reason, denial.code);
            printer.data(clean::line(&text))?;
        }
        if summary.left_out > 0 {
            printer.data(format_args!("{:>6}x  for other reasons: see `hallpass audit list`", summary.left_out))?;
        }
    }
    Ok(())
}

/// What goes on working without the session.
fn urls(printer: Printer, presigned: &Presigned, now: Timestamp) -> Result<(), CommandError> {
    if presigned.count == 0 {
        return Ok(());
    }
    printer.data(format_args!("\n{}", printer.paint(Paint::Bold, "Presigned URLs")))?;
    for url in &presigned.urls {
        let state = if url.expires_at > now { "works until" } else { "worked until" };
        printer.data(clean::line(&format!("{} {} {state} {}", url.method, url.resource, url.expires_at)))?;
    }
    let listed = u64::try_from(presigned.urls.len()).unwrap_or(u64::MAX);
    if let Some(more) = presigned.count.checked_sub(listed).filter(|more| *more > 0) {
        printer.data(format_args!("{more} more: see `hallpass audit list --kind url_presigned`"))?;
    }
    Ok(())
}

fn cost(printer: Printer, summary: &Summary) -> Result<(), CommandError> {
    printer.data(format_args!("\n{}", printer.paint(Paint::Bold, "Cost")))?;
    printer.data(format_args!("{} (estimate, list prices of {PRICES_AS_OF})", summary.cost))
}
