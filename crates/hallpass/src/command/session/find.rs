//! From what a person types to one session: the whole id, or a beginning of it that only one session has.

use hallpass_control::Store;
use hallpass_control::store::Record;
use hallpass_core::id::SessionId;

use crate::command::Context;
use crate::error::{CommandError, ErrorKind};

/// Fewest characters of a beginning: shorter ones hit a session by accident.
const PREFIX_CHARS_MIN: usize = 4;
/// Most candidates shown when a beginning fits several sessions.
const CANDIDATES_MAX: u32 = 10;

/// The session that `text` means.
///
/// # Errors
/// `session.id_empty`, `session.id_invalid`, `session.id_too_short`, `session.not_found`, `session.id_ambiguous` (with
/// the candidates), or an outage of the store.
pub(crate) fn find(context: &Context, store: &dyn Store, text: &str) -> Result<Record, CommandError> {
    let hint = "see `hallpass session list`";
    if text.is_empty() {
        return Err(CommandError::usage("session.id_empty", "the session id is empty").next(hint));
    }
    let id = SessionId::new(text)?;
    if let Some(record) = context.block_on(store.session(&id))?? {
        return Ok(record);
    }
    if text.len() < PREFIX_CHARS_MIN {
        let message = format!("`{text}` is too short to name a session: type at least {PREFIX_CHARS_MIN} characters");
        return Err(CommandError::usage("session.id_too_short", message).next(hint));
    }
    let mut fitting = context.block_on(store.matching(text, CANDIDATES_MAX + 1))??;
    match fitting.len() {
        0 => Err(not_found(text)),
        1 => fitting.pop().ok_or_else(|| not_found(text)),
        _ => Err(ambiguous(text, &fitting)),
    }
}

/// There is no such session.
pub(crate) fn not_found(text: &str) -> CommandError {
    CommandError::new(ErrorKind::NotFound, "session.not_found", format!("there is no session `{text}`"))
        .next("see `hallpass session list`")
}

fn ambiguous(text: &str, fitting: &[Record]) -> CommandError {
    let shown = usize::try_from(CANDIDATES_MAX).unwrap_or(usize::MAX);
    let many = if fitting.len() > shown { format!("more than {shown}") } else { fitting.len().to_string() };
    let mut error =
        CommandError::usage("session.id_ambiguous", format!("`{text}` is the beginning of {many} sessions"));
    for record in fitting.iter().take(shown) {
        let session = &record.session;
        error = error.cause(format!("{} ({}, {})", session.id, session.status, session.command.join(" ")));
    }
    error.next("type more of the id")
}
