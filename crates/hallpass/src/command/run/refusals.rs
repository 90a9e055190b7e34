//! What is said at the end of what was refused: a tool may have shown nothing of it. `aws` says `403` for a `HEAD`,
//! whose answer has no body, and most clients tell of a refused tunnel that the proxy cannot be reached.

use hallpass_control::Store;
use hallpass_control::store::{EntryFilter, Record};
use hallpass_core::audit::Event;

/// Characters of a reason in passing.
const REASON_CHARS: usize = 240;

/// Requests of a session that were refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusals {
    session: String,
    count: u64,
    /// The last one's reason.
    last: Option<String>,
}

impl Refusals {
    /// Of a session that has ended; `None` when nothing was refused. A log that cannot be read costs the reason only.
    pub(super) async fn of(store: &dyn Store, record: &Record) -> Option<Self> {
        let count = record.requests_denied;
        if count == 0 {
            return None;
        }
        let filter = EntryFilter {
            session: Some(record.session.id.clone()),
            kinds: vec!["request_denied".to_owned()],
            limit: 1,
            newest_first: true,
            ..EntryFilter::default()
        };
        let entries = store.entries(filter).await.unwrap_or_default();
        let reason = |event| match event {
            Event::RequestDenied { denial, .. } => Some(denial.reason),
            _ => None,
        };
        let last = entries.first().and_then(|entry| entry.decode().ok()).and_then(|entry| reason(entry.event));
        Some(Self { session: record.session.short_id().to_owned(), count, last })
    }

    /// The line for stderr.
    pub(super) fn sentence(&self) -> String {
        let all = format!("`hallpass session report {}`", self.session);
        let reason = self.last.as_deref().map(shortened);
        match (self.count, reason) {
            (1, Some(reason)) => format!("hallpass: 1 request was refused: {reason}; more in {all}"),
            (1, None) => format!("hallpass: 1 request was refused; see {all}"),
            (n, Some(reason)) => {
                format!("hallpass: {n} requests were refused, the last one: {reason}; all of them in {all}")
            }
            (n, None) => format!("hallpass: {n} requests were refused; see {all}"),
        }
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
        assert_eq!(
            said(3, Some("no")),
            format!("hallpass: 3 requests were refused, the last one: no; all of them in {all}")
        );
        assert_eq!(said(3, None), format!("hallpass: 3 requests were refused; see {all}"));
        let long = "ä".repeat(REASON_CHARS + 1);
        assert!(said(1, Some(&long)).contains(&format!("{}…;", "ä".repeat(REASON_CHARS))));
    }
}
