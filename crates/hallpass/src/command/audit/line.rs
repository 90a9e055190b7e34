//! An entry as one line for people, and as JSON with its stored bytes untouched.

use hallpass_control::store::StoredEntry;
use hallpass_core::audit::entry::leaf_hash;
use hallpass_core::audit::{Entry, Event};
use hallpass_core::denial::Denial;

use crate::error::CommandError;
use crate::output::count::counted;
use crate::output::{Paint, Printer, clean};

/// The stored bytes as JSON text.
///
/// # Errors
/// When they are no entry: then they are not JSON that may be put into ours.
pub(super) fn raw(entry: &StoredEntry) -> Result<&str, CommandError> {
    entry.decode()?;
    std::str::from_utf8(&entry.bytes).map_err(|e| hallpass_core::audit::EntryError::Malformed(e.to_string()).into())
}

/// Hash of the stored bytes, hex.
pub(super) fn hash(entry: &StoredEntry) -> String {
    hex::encode(leaf_hash(&entry.bytes))
}

/// `SEQ  TIME  SESSION  KIND  what`.
pub(super) fn line(printer: Printer, stored: &StoredEntry) -> String {
    let Ok(entry) = stored.decode() else {
        let warning = printer.paint(Paint::Bad, "unreadable: run `hallpass audit verify`");
        return format!("{:>6}  {warning}", stored.seq);
    };
    let session = entry.session.as_ref().map_or("-", |id| id.short());
    let kind = printer.paint(paint(&entry.event), format_args!("{:<19}", entry.event.kind()));
    let what = clean::line(&summary(&entry));
    format!("{:>6}  {:.0}  {session:<8}  {kind}  {what}", entry.seq, entry.time)
}

fn paint(event: &Event) -> Paint {
    match event {
        Event::RequestDenied { .. } | Event::SessionKilled { .. } | Event::RequestsUnknown { .. } => Paint::Warn,
        Event::LogInterrupted { .. } => Paint::Bad,
        Event::RequestAllowed { .. } | Event::UrlPresigned { .. } => Paint::Good,
        Event::LogOpened { .. }
        | Event::SessionCreated { .. }
        | Event::CredentialsIssued { .. }
        | Event::SessionActivated { .. }
        | Event::RequestSettled { .. }
        | Event::TunnelOpened { .. }
        | Event::TunnelClosed { .. }
        | Event::CredentialsRevoked { .. }
        | Event::SessionEnded { .. }
        | Event::SessionImported { .. }
        | Event::SessionsPruned { .. } => Paint::Dim,
    }
}

/// What happened, in a few words.
fn summary(entry: &Entry) -> String {
    match &entry.event {
        Event::LogOpened { log_id, .. } => format!("log {log_id}"),
        Event::SessionCreated { command, allowed_actions, ttl_seconds, parent, .. } => {
            let of = parent.as_ref().map(|parent| format!("child of {parent}, ")).unwrap_or_default();
            format!("{of}{} for {ttl_seconds}s: {}", allowed_actions.join(","), command.join(" "))
        }
        Event::CredentialsIssued { access_key_id, base, .. } => format!("{access_key_id} from {base}"),
        Event::SessionActivated { pid } => format!("kept by process {pid}"),
        Event::RequestAllowed { actions, resources, would_deny, .. } => {
            let tried = would_deny.as_ref().map(|d| format!(" (shadow: would be refused: {})", d.reason));
            format!("{} on {}{}", actions.join(","), resources.join(","), tried.unwrap_or_default())
        }
        Event::RequestDenied { denial, count, .. } => denied(denial, *count),
        Event::RequestSettled { of, status, bytes_in, bytes_out, duration_us, fault, .. } => {
            let status = status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
            let fault = fault.as_ref().map(|fault| format!(", {fault}")).unwrap_or_default();
            format!("of {of}: {status}, {bytes_in} B up, {bytes_out} B down, {} ms{fault}", duration_us / 1_000)
        }
        Event::UrlPresigned { method, resources, expires_at, .. } => {
            format!("{method} of {} until {expires_at:.0}", resources.join(","))
        }
        Event::TunnelOpened { host, port, address, plain } => {
            format!("{}{host}:{port}, at {address}", if *plain { "http://" } else { "" })
        }
        Event::TunnelClosed { of, bytes_in, bytes_out, duration_us, fault } => {
            let fault = fault.as_ref().map(|fault| format!(", {fault}")).unwrap_or_default();
            format!("of {of}: {bytes_in} B up, {bytes_out} B down, {} ms{fault}", duration_us / 1_000)
        }
        Event::RequestsUnknown { of } => {
            format!("nobody knows what became of {}", counted(of.len(), "request", "requests"))
        }
        Event::SessionKilled { by, gate_refusing_us, streams_cut, .. } => {
            format!("by {by}: refused after {gate_refusing_us} us, {} cut", counted(*streams_cut, "stream", "streams"))
        }
        Event::CredentialsRevoked { reach, detail } => format!("{}: {detail}", reach.as_str()),
        Event::SessionEnded { status, reason, requests_allowed, requests_denied, .. } => {
            format!("{status}: {reason} ({requests_allowed} allowed, {requests_denied} refused)")
        }
        Event::SessionImported { status, file } => format!("{file}, {status}"),
        Event::SessionsPruned { count, ended_before } => format!("{count} that ended before {ended_before:.0}"),
        Event::LogInterrupted { since, reason, .. } => format!("since {since:.0}: {reason}"),
    }
}

fn denied(denial: &Denial, count: u64) -> String {
    let what = [&denial.action, &denial.resource].into_iter().flatten().cloned().collect::<Vec<_>>().join(" on ");
    let times = if count > 1 { format!(" ({count} times)") } else { String::new() };
    let gap = if what.is_empty() { "" } else { ": " };
    format!("{what}{gap}{} [{}]{times}", denial.reason, denial.code.as_str())
}
