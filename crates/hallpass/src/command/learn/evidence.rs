//! From the audit log to what was asked for.

use hallpass_control::Store;
use hallpass_control::store::EntryFilter;
use hallpass_core::id::SessionId;
use hallpass_core::learn::Learner;

use crate::command::Context;
use crate::command::session::family;
use crate::command::session::find::{find, not_found};
use crate::error::{CommandError, ErrorKind};

/// The entries that are about requests, and about URLs that others request with.
const KINDS: [&str; 4] = ["request_allowed", "request_settled", "request_denied", "url_presigned"];

/// The sessions that `texts` mean. What still runs has not yet asked for everything.
///
/// # Errors
/// When there is no such session, or when one has not ended.
pub(super) fn ended(context: &Context, texts: &[String]) -> Result<Vec<SessionId>, CommandError> {
    let first = texts.first().map_or("", String::as_str);
    let store = context.store_to_read()?.ok_or_else(|| not_found(first))?;
    let one = |text: &String| {
        let session = find(context, &*store, text)?.session;
        if session.status.is_final() {
            return Ok(session.id);
        }
        let message = format!("session `{}` is still {}", session.id.short(), session.status);
        Err(CommandError::new(ErrorKind::Conflict, "learn.live", message).next("learn from it when it has ended"))
    };
    texts.iter().map(one).collect()
}

/// Everything that these sessions asked for, and their child sessions: what those may do is never more than what their
/// parent may, so its policy must allow it too.
///
/// # Errors
/// When the log cannot be read.
pub(crate) fn of_sessions(context: &Context, sessions: &[SessionId]) -> Result<Learner, CommandError> {
    let mut learner = Learner::default();
    let Some(store) = context.store_to_read()? else { return Ok(learner) };
    for session in family(context, &*store, sessions)? {
        read(context, &*store, &session, &mut learner)?;
    }
    Ok(learner)
}

/// The sessions and, behind them, all their descendants.
fn family(context: &Context, store: &dyn Store, sessions: &[SessionId]) -> Result<Vec<SessionId>, CommandError> {
    let mut family = sessions.to_vec();
    for id in sessions {
        let session = find(context, store, id.as_str())?.session;
        for child in context.block_on(family::below(store, &session))?? {
            if !family.contains(&child.session.id) {
                family.push(child.session.id);
            }
        }
    }
    Ok(family)
}

fn read(context: &Context, store: &dyn Store, id: &SessionId, learner: &mut Learner) -> Result<(), CommandError> {
    let mut filter =
        EntryFilter { session: Some(id.clone()), kinds: KINDS.map(str::to_owned).to_vec(), ..EntryFilter::default() };
    loop {
        let page = context.block_on(store.entries(filter.clone()))??;
        for stored in &page {
            learner.observe(stored.seq, &stored.decode()?.event);
        }
        match page.last() {
            Some(last) => filter.from_seq = Some(last.seq.saturating_add(1)),
            None => return Ok(()),
        }
    }
}
