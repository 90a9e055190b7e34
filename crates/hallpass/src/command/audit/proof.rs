//! `hallpass audit proof`.

use std::io::Read;
use std::path::PathBuf;

use clap::Args;
use hallpass_control::audit::{LogSource, Proof, proof as prove, verify_proof};
use hallpass_core::limits::PROOF_BYTES_MAX;
use serde::Serialize;

use super::no_log;
use crate::command::Context;
use crate::error::{CommandError, ErrorKind, ExitStatus};
use crate::output::SCHEMA_VERSION;

/// Prove that one entry is in the audit log, to somebody who does not have the log
///
/// The proof is JSON: the entry, the hashes that lead from it to the root, and the signed checkpoint.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass audit proof 17 > proof.json\n  \
    hallpass audit proof --check proof.json --vkey \"$(hallpass audit key)\"")]
pub(crate) struct ProofArgs {
    /// Position of the entry, from 0
    #[arg(value_name = "SEQ", required_unless_present = "check")]
    seq: Option<u64>,
    /// Check a proof instead of making one; needs no log
    #[arg(long, value_name = "FILE", conflicts_with = "seq", requires = "vkey")]
    check: Option<PathBuf>,
    /// The key that must have signed, as `audit key` prints it
    #[arg(long, value_name = "VKEY", requires = "check")]
    vkey: Option<String>,
}

#[derive(Serialize)]
struct Proven<'a> {
    schema_version: u32,
    #[serde(flatten)]
    proof: &'a Proof,
}

#[derive(Serialize)]
struct Checked {
    schema_version: u32,
    valid: bool,
    index: u64,
    size: u64,
}

/// Makes a proof, or checks one.
pub(crate) fn proof(context: &Context, args: ProofArgs) -> Result<ExitStatus, CommandError> {
    match (args.seq, args.check, args.vkey) {
        (_, Some(file), Some(vkey)) => check(context, &file, &vkey),
        (Some(seq), _, _) => make(context, seq),
        _ => Err(CommandError::usage("usage", "name an entry, or a proof to check").next("see `--help`")),
    }
}

fn make(context: &Context, seq: u64) -> Result<ExitStatus, CommandError> {
    let store = context.store_to_read()?.ok_or_else(|| no_log(context))?;
    // What was written a moment ago may not be signed yet.
    context.block_on(store.checkpoint())??;
    super::show::entry(context, &*store, seq)?;
    drop(store);
    let proof = prove(&LogSource::new(context.state_dir()?), seq)?;
    context.printer.json(&Proven { schema_version: SCHEMA_VERSION, proof: &proof })?;
    Ok(ExitStatus::Success)
}

fn check(context: &Context, path: &std::path::Path, vkey: &str) -> Result<ExitStatus, CommandError> {
    let unreadable = |cause: &(dyn std::error::Error + 'static)| {
        let message = format!("`{}` is not a proof", path.display());
        CommandError::new(ErrorKind::Usage, "proof.unreadable", message).because(cause)
    };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|e| unreadable(&e))?;
    file.take(PROOF_BYTES_MAX).read_to_string(&mut text).map_err(|e| unreadable(&e))?;
    let proof: Proof = serde_json::from_str(&text).map_err(|e| unreadable(&e))?;
    verify_proof(&proof, vkey).map_err(|e| {
        CommandError::new(ErrorKind::General, "proof.invalid", "the proof does not prove anything").because(&e)
    })?;
    let printer = context.printer;
    if printer.is_json() {
        let (index, size) = (proof.index, proof.size);
        printer.json(&Checked { schema_version: SCHEMA_VERSION, valid: true, index, size })?;
    } else {
        printer.data(format_args!(
            "valid: entry {} is in the log of {} entries that was signed",
            proof.index, proof.size
        ))?;
    }
    Ok(ExitStatus::Success)
}
