//! `hallpass audit verify`.

use clap::Args;
use hallpass_control::audit::{Finding, LogSource, Verdict, verify as verify_log};
use hallpass_control::{Keeper, files};
use serde::Serialize;

use super::no_log;
use crate::command::Context;
use crate::error::{CommandError, ErrorKind, ExitStatus};
use crate::output::count::counted;
use crate::output::{Paint, SCHEMA_VERSION, clean};

/// Verify the whole audit log: chain, tree, signed checkpoints, and that nothing is missing
///
/// Fails when anything is wrong, and names the first bad entry and what is wrong with it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass audit verify\n  \
    hallpass audit verify --json\n  \
    hallpass audit verify --vkey \"$(cat key-noted-down-elsewhere)\"")]
pub(crate) struct VerifyArgs {
    /// The key that must have signed, as `audit key` printed it once; without it the key beside the log counts
    #[arg(long, value_name = "VKEY")]
    vkey: Option<String>,
    /// Leave the records of killed sessions as they are
    #[arg(long)]
    no_repair: bool,
}

#[derive(Serialize)]
struct Verified<'a> {
    schema_version: u32,
    intact: bool,
    log_id: &'a str,
    entries: u64,
    checkpoints: u64,
    signed_size: u64,
    key_id: Option<&'a str>,
    first: Option<FindingView>,
    findings: Vec<FindingView>,
    findings_left_out: u64,
}

#[derive(Serialize)]
struct FindingView {
    code: &'static str,
    position: Option<u64>,
    message: String,
}

/// Verifies, reports, and fails when the log is not intact.
pub(crate) fn verify(context: &Context, args: VerifyArgs) -> Result<ExitStatus, CommandError> {
    let dir = context.state_dir()?;
    // A log whose database is gone has still been there: its checkpoints lie beside it.
    let has_store = context.has_store()?;
    if !has_store && !context.has_state_file(files::ANCHOR)? {
        return Err(no_log(context));
    }
    let vkey = if has_store { prepare(context, args.no_repair) } else { None };
    let source = LogSource { vkey: args.vkey.clone(), ..LogSource::new(dir) };
    let verdict = verify_log(&source, &Keeper::is_alive)?;
    let key_id = args.vkey.or(vkey).as_deref().and_then(super::key::key_id).map(str::to_owned);
    report(context, &verdict, key_id.as_deref())?;
    match verdict.first() {
        None => Ok(ExitStatus::Success),
        Some(first) => Err(tampered(first)),
    }
}

/// Repairs, and asks for the key. A log that is damaged may not even open: then it is verified as it lies there.
fn prepare(context: &Context, no_repair: bool) -> Option<String> {
    if no_repair {
        return None;
    }
    let prepared = context.store().and_then(|store| Ok(context.block_on(store.log_info())??.vkey));
    match prepared {
        Ok(vkey) => Some(vkey),
        Err(error) => {
            context.printer.warn(format_args!("verified without repair: {}", clean::lines(&error.to_string())));
            None
        }
    }
}

fn report(context: &Context, verdict: &Verdict, key_id: Option<&str>) -> Result<(), CommandError> {
    let printer = context.printer;
    if printer.is_json() {
        return printer.json(&Verified {
            schema_version: SCHEMA_VERSION,
            intact: verdict.is_intact(),
            log_id: &verdict.log_id,
            entries: verdict.entries,
            checkpoints: verdict.checkpoints,
            signed_size: verdict.signed_size,
            key_id,
            first: verdict.first().map(view),
            findings: verdict.findings.iter().map(view).collect(),
            findings_left_out: verdict.findings_left_out,
        });
    }
    let state = if verdict.is_intact() {
        printer.paint(Paint::Good, "intact")
    } else {
        printer.paint(Paint::Bad, "not intact")
    };
    let signed = format!(
        "{} of them signed in {}",
        verdict.signed_size,
        counted(verdict.checkpoints, "checkpoint", "checkpoints")
    );
    let key = key_id.map(|id| format!(" with key {id}")).unwrap_or_default();
    let log = clean::line(&verdict.log_id);
    printer
        .data(format_args!("{state}: {}, {signed}{key}, log {log}", counted(verdict.entries, "entry", "entries")))?;
    for finding in &verdict.findings {
        printer.data(format_args!("  {}  {}", finding.code(), clean::line(&finding.to_string())))?;
    }
    if verdict.findings_left_out > 0 {
        printer.data(format_args!("  and {} more", verdict.findings_left_out))?;
    }
    Ok(())
}

fn view(finding: &Finding) -> FindingView {
    FindingView { code: finding.code(), position: finding.position(), message: finding.to_string() }
}

fn tampered(first: &Finding) -> CommandError {
    CommandError::new(ErrorKind::General, "audit.not_intact", "the audit log is not intact")
        .cause(format!("{} [{}]", first, first.code()))
        .next("keep the files as they are, and compare with an export or a checkpoint kept elsewhere")
}
