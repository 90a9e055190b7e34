//! `hallpass audit key`.

use clap::Args;
use serde::Serialize;

use super::no_log;
use crate::command::Context;
use crate::error::{CommandError, ExitStatus};
use crate::output::SCHEMA_VERSION;

/// Print the key that verifies the audit log; note it down elsewhere
///
/// Whoever can write the log's folder can also replace the key beside it. A key that was noted down elsewhere, and is
/// given to `audit verify --vkey`, detects that.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass audit key\n  \
    hallpass audit verify --vkey \"$(cat key-noted-down-elsewhere)\"")]
pub(crate) struct KeyArgs {}

#[derive(Serialize)]
struct Key<'a> {
    schema_version: u32,
    vkey: &'a str,
    key_id: Option<&'a str>,
    origin: &'a str,
    log_id: &'a str,
}

/// Prints the verifier key.
pub(crate) fn key(context: &Context, _args: KeyArgs) -> Result<ExitStatus, CommandError> {
    let store = context.store_to_read()?.ok_or_else(|| no_log(context))?;
    let info = context.block_on(store.log_info())??;
    let printer = context.printer;
    if printer.is_json() {
        printer.json(&Key {
            schema_version: SCHEMA_VERSION,
            vkey: &info.vkey,
            key_id: key_id(&info.vkey),
            origin: &info.origin,
            log_id: &info.log_id,
        })?;
    } else {
        printer.data(&info.vkey)?;
    }
    Ok(ExitStatus::Success)
}

/// The key id of a verifier key: `<name>+<8 hex>+<base64>` (C2SP signed-note).
pub(super) fn key_id(vkey: &str) -> Option<&str> {
    vkey.split('+').nth(1)
}
