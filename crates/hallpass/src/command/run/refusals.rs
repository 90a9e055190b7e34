//! What is said at the end of what was refused: a tool may have shown nothing of it. `aws` says `403` for a `HEAD`,
//! whose answer has no body, and most clients tell of a refused tunnel that the proxy cannot be reached.

use hallpass_control::Store;
use hallpass_control::store::{EntryFilter, Record};
use hallpass_core::audit::Event;
use hallpass_core::session::Session;

use crate::command::session::family;

/// Characters of a reason in passing.
const REASON_CHARS: usize = 240;

/// Requests of a session that were refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusals {
    /// Whose report tells more.
    session: String,
    count: u64,
    /// The reason of one of the last.
    last: Option<String>,
}

impl Refusals {
    /// Of a session that has ended, and of its child sessions; `None` when nothing was refused. What cannot be read
    /// costs the line, or the reason in it.
    pub(super) async fn of(store: &dyn Store, record: &Record) -> Option<Self> {
        // Who was allowed nothing has made no child session.
        let children = match record.requests_allowed {
            0 => Vec::new(),
            _ => family::below(store, &record.session).await.unwrap_or_default(),
        };
        let refused: Vec<&Record> = [record].into_iter().chain(&children).filter(|r| r.requests_denied > 0).collect();
        let count = refused.iter().map(|record| record.requests_denied).fold(0, u64::saturating_add);
        let last = refused.last()?;
        // The report of the session that was started names the others.
        let told = if refused.len() == 1 { last } else { record };
        let session = told.session.short_id().to_owned();
        Some(Self { session, count, last: reason(store, &last.session).await })
    }

    /// The line for stderr.
    pub(super) fn sentence(&self) -> String {
        let all = format!("`hallpass session report {}`", self.session);
        let reason = self.last.as_deref().map(shortened);
        match (self.count, reason) {
            (1, Some(reason)) => format!("hallpass: 1 request was refused: {reason}; more in {all}"),
            (1, None) => format!("hallpass: 1 request was refused; see {all}"),
            (n, Some(reason)) => {
                format!("hallpass: {n} requests were refused, one of them: {reason}; more in {all}")
            }
            (n, None) => format!("hallpass: {n} requests were refused; see {all}"),
        }
    }
}

/// Why the last one was refused.
async fn reason(store: &dyn Store, session: &Session) -> Option<String> {
    let filter = EntryFilter {
        session: Some(session.id.clone()),
        kinds: vec!["request_denied".to_owned()],
        limit: 1,
        newest_first: true,
        ..EntryFilter::default()
    };
    let entry = store.entries(filter).await.ok()?.first()?.decode().ok()?;
    match entry.event {
        Event::RequestDenied { denial, .. } => Some(denial.reason),
        _ => None,
    }
}

fn shortened(reason: &str) -> String {
    match reason.char_indices().nth(REASON_CHARS) {
        Some((end, _)) => format!("{}…", reason.get(..end).unwrap_or(reason)),
        None => reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{REASON_CHARS, Refusals};

    #[test]
    fn the_line_at_the_end_says_how_many_why_and_where_the_rest_is() {
        let said = |count, last: Option<&str>| {
            Refusals { session: "0123abcd".to_owned(), count, last: last.map(str::to_owned) }.sentence()
        };
        let all = "`hallpass session report 0123abcd`";
        assert_eq!(said(1, Some("no")), format!("hallpass: 1 request was refused: no; more in {all}"));
        assert_eq!(said(3, Some("no")), format!("hallpass: 3 requests were refused, one of them: no; more in {all}"));
        assert_eq!(said(3, None), format!("hallpass: 3 requests were refused; see {all}"));
        let long = "ä".repeat(REASON_CHARS + 1);
        assert!(said(1, Some(&long)).contains(&format!("{}…;", "ä".repeat(REASON_CHARS))));
    }
}
