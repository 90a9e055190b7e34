//! A session's requests, joined from the entries of the audit log: what was asked, and what became of it.

use std::collections::BTreeMap;

use hallpass_control::Store;
use hallpass_control::store::EntryFilter;
use hallpass_core::audit::{Entry, Event};
use hallpass_core::budget::Usd;
use hallpass_core::id::SessionId;
use jiff::Timestamp;
use serde::Serialize;

use crate::command::Context;
use crate::error::CommandError;

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// Sent on.
    Allowed,
    /// Refused.
    Denied,
    /// Sent on or not: its keeper died, and nobody knows.
    Unknown,
}

impl Verdict {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Unknown => "unknown",
        }
    }
}

/// One request, or several refused ones that share an entry.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Row {
    /// When it was decided.
    pub(super) time: Timestamp,
    pub(super) service: Option<String>,
    pub(super) operation: Option<String>,
    /// Its resources, or the one that was refused.
    pub(super) resources: Vec<String>,
    pub(super) verdict: Verdict,
    /// Code and reason of a refusal, or what went wrong in transit.
    pub(super) code: Option<String>,
    pub(super) reason: Option<String>,
    /// HTTP status of the upstream.
    pub(super) status: Option<u16>,
    pub(super) bytes_in: u64,
    pub(super) bytes_out: u64,
    /// Estimated.
    pub(super) cost_usd: Option<f64>,
    #[serde(skip)]
    pub(super) cost: Usd,
    /// How many this row stands for.
    pub(super) count: u64,
    /// The child session that sent it, by its short id, where it is told beside its parent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) child: Option<String>,
}

/// Joins entries in the order of the log.
#[derive(Debug, Default)]
pub(super) struct Joiner {
    open: BTreeMap<u64, Row>,
}

impl Joiner {
    /// Takes the next entry; gives the rows that it completes.
    pub(super) fn take(&mut self, entry: Entry) -> Vec<Row> {
        match entry.event {
            Event::RequestAllowed { service, operation, resources, .. } => {
                let row = Row::new(entry.time, Verdict::Allowed, Some(service), Some(operation), resources);
                self.open.insert(entry.seq, row);
                Vec::new()
            }
            Event::RequestDenied { service, operation, denial, count, .. } => {
                let resources = denial.resource.into_iter().collect();
                let row = Row::new(entry.time, Verdict::Denied, service, operation, resources);
                let (code, reason) = (Some(denial.code.as_str().to_owned()), Some(denial.reason));
                vec![Row { code, reason, count, ..row }]
            }
            Event::RequestSettled { of, status, bytes_in, bytes_out, cost_nano_usd, fault, .. } => {
                let cost = cost_nano_usd.map(Usd::from_nano);
                let settle = |row: Row| Row {
                    status,
                    bytes_in,
                    bytes_out,
                    cost_usd: cost.map(Usd::to_f64),
                    cost: cost.unwrap_or_default(),
                    reason: fault,
                    ..row
                };
                self.open.remove(&of).map(settle).into_iter().collect()
            }
            Event::RequestsUnknown { of } => {
                let lost = |row: Row| Row { verdict: Verdict::Unknown, ..row };
                of.iter().filter_map(|seq| self.open.remove(seq)).map(lost).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Allowed requests that have no outcome yet.
    pub(super) fn in_flight(&self) -> usize {
        self.open.len()
    }
}

impl Row {
    fn new(
        time: Timestamp,
        verdict: Verdict,
        service: Option<String>,
        operation: Option<String>,
        resources: Vec<String>,
    ) -> Self {
        Self {
            time,
            service,
            operation,
            resources,
            verdict,
            code: None,
            reason: None,
            status: None,
            bytes_in: 0,
            bytes_out: 0,
            cost_usd: None,
            cost: Usd::ZERO,
            count: 1,
            child: None,
        }
    }

    /// `s3 GetObject`, as far as it is known.
    pub(super) fn operation(&self) -> String {
        let part = |text: &Option<String>| text.as_deref().unwrap_or("-").to_owned();
        format!("{} {}", part(&self.service), part(&self.operation))
    }
}

/// Gives the session's entries from `next` on to `take`, page by page, and moves `next` past the last.
pub(super) fn entries(
    context: &Context,
    store: &dyn Store,
    session: &SessionId,
    next: &mut Option<u64>,
    take: &mut dyn FnMut(Entry) -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    loop {
        let filter = EntryFilter { session: Some(session.clone()), from_seq: *next, ..EntryFilter::default() };
        let page = context.block_on(store.entries(filter))??;
        let Some(last) = page.last() else { return Ok(()) };
        *next = Some(last.seq + 1);
        for entry in &page {
            take(entry.decode()?)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use hallpass_core::audit::{Entry, Event};
    use hallpass_core::denial::{Denial, DenialCode};

    use super::{Joiner, Verdict};

    fn entry(seq: u64, event: Event) -> Entry {
        let time = "2026-01-01T00:00:00Z".parse().expect("time");
        Entry { seq, prev: String::new(), time, session: None, event }
    }

    fn allowed() -> Event {
        Event::RequestAllowed {
            service: "s3".into(),
            region: "r".into(),
            operation: "GetObject".into(),
            actions: vec![],
            resources: vec!["arn:aws:s3:::b/k".into()],
            method: "GET".into(),
            upstream: "u".into(),
            needs: Default::default(),
            would_deny: None,
            guessed: false,
        }
    }

    fn settled(of: u64) -> Event {
        Event::RequestSettled {
            of,
            status: Some(200),
            bytes_in: 1,
            bytes_out: 2,
            duration_us: 3,
            upstream_request_id: None,
            cost_nano_usd: Some(400),
            fault: None,
            refusal: None,
        }
    }

    #[test]
    fn a_request_becomes_a_row_when_its_outcome_is_known_and_only_then() {
        let mut joiner = Joiner::default();
        assert!(joiner.take(entry(5, allowed())).is_empty());
        assert!(joiner.take(entry(6, allowed())).is_empty());
        assert_eq!(joiner.in_flight(), 2);
        let rows = joiner.take(entry(7, settled(5)));
        assert_eq!((rows[0].verdict, rows[0].status, rows[0].bytes_out), (Verdict::Allowed, Some(200), 2));
        assert!(joiner.take(entry(8, settled(5))).is_empty(), "it has had its outcome");
        let lost = joiner.take(entry(9, Event::RequestsUnknown { of: vec![5, 6] }));
        assert_eq!((lost.len(), lost[0].verdict, joiner.in_flight()), (1, Verdict::Unknown, 0));
    }

    #[test]
    fn a_refusal_is_a_row_at_once_and_keeps_its_count() {
        let denial = Denial::new(DenialCode::BudgetExceeded, "used up");
        let (service, method) = (Some("s3".to_owned()), "PUT".to_owned());
        let event = Event::RequestDenied { service, region: None, operation: None, method, denial, count: 7 };
        let rows = Joiner::default().take(entry(1, event));
        assert_eq!((rows[0].count, rows[0].code.as_deref()), (7, Some("budget-exceeded")));
        assert_eq!(rows[0].operation(), "s3 -");
    }
}
