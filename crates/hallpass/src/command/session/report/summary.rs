//! What a session did, added up.

use std::collections::BTreeMap;

use hallpass_core::budget::Usd;
use hallpass_core::limits::REPORT_GROUPS_MAX;
use serde::Serialize;

use crate::command::session::requests::{Row, Verdict};

/// One operation's requests.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Operation {
    pub(super) name: String,
    pub(super) allowed: u64,
    pub(super) denied: u64,
    pub(super) unknown: u64,
    pub(super) bytes_in: u64,
    pub(super) bytes_out: u64,
    #[serde(skip)]
    pub(super) cost: Usd,
    cost_usd_estimate: f64,
}

/// Refusals that say the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Denied {
    pub(super) what: String,
    pub(super) code: String,
    pub(super) reason: String,
    pub(super) count: u64,
}

/// All requests of a session. Groups are bounded by [`REPORT_GROUPS_MAX`]; what comes beyond is counted.
#[derive(Debug, Default)]
pub(super) struct Summary {
    operations: BTreeMap<String, Operation>,
    denials: BTreeMap<(String, String, String), u64>,
    /// Refusals in no group.
    pub(super) left_out: u64,
    /// Allowed requests without an outcome.
    pub(super) in_flight: u64,
    /// Estimated.
    pub(super) cost: Usd,
}

impl Summary {
    /// Adds one row.
    pub(super) fn add(&mut self, row: &Row) {
        let name = row.operation();
        let full = self.operations.len() >= REPORT_GROUPS_MAX && !self.operations.contains_key(&name);
        let operation = self.operations.entry(if full { "other".to_owned() } else { name }).or_default();
        let counter = match row.verdict {
            Verdict::Allowed => &mut operation.allowed,
            Verdict::Denied => &mut operation.denied,
            Verdict::Unknown => &mut operation.unknown,
        };
        *counter += row.count;
        operation.bytes_in += row.bytes_in;
        operation.bytes_out += row.bytes_out;
        operation.cost = operation.cost.plus(row.cost);
        self.cost = self.cost.plus(row.cost);
        if row.verdict == Verdict::Denied {
            self.deny(row);
        }
    }

    fn deny(&mut self, row: &Row) {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let what = match row.resources.first() {
            Some(resource) => format!("{} on {resource}", row.operation()),
            None => row.operation(),
        };
        let key = (what, text(&row.code), text(&row.reason));
        if self.denials.len() >= REPORT_GROUPS_MAX && !self.denials.contains_key(&key) {
            self.left_out += row.count;
        } else {
            *self.denials.entry(key).or_default() += row.count;
        }
    }

    /// By cost, then by number, the largest first.
    pub(super) fn operations(&self) -> Vec<Operation> {
        let named = |(name, operation): (&String, &Operation)| Operation {
            name: name.clone(),
            cost_usd_estimate: operation.cost.to_f64(),
            ..operation.clone()
        };
        let mut all: Vec<Operation> = self.operations.iter().map(named).collect();
        all.sort_by_key(|operation| std::cmp::Reverse((operation.cost, operation.allowed + operation.denied)));
        all
    }

    /// The most frequent first.
    pub(super) fn denials(&self) -> Vec<Denied> {
        let named = |((what, code, reason), count): (&(String, String, String), &u64)| Denied {
            what: what.clone(),
            code: code.clone(),
            reason: reason.clone(),
            count: *count,
        };
        let mut all: Vec<Denied> = self.denials.iter().map(named).collect();
        all.sort_by_key(|denied| std::cmp::Reverse(denied.count));
        all
    }
}

#[cfg(test)]
mod tests {
    use hallpass_core::audit::{Entry, Event};
    use hallpass_core::denial::{Denial, DenialCode};
    use hallpass_core::limits::REPORT_GROUPS_MAX;

    use super::Summary;
    use crate::command::session::requests::Joiner;

    #[test]
    fn refusals_past_the_limit_of_groups_are_counted_and_none_is_lost() {
        let mut summary = Summary::default();
        let time = "2026-01-01T00:00:00Z".parse().expect("time");
        let asked = REPORT_GROUPS_MAX as u64 + 50;
        for n in 0..asked {
            let mut denial = Denial::new(DenialCode::NotAllowed, "no");
            denial.resource = Some(format!("arn:{n}"));
            let operation = Some(format!("Op{n}"));
            let event =
                Event::RequestDenied { service: None, region: None, operation, method: "GET".into(), denial, count: 1 };
            let entry = Entry { seq: n, prev: String::new(), time, session: None, event };
            Joiner::default().take(entry).iter().for_each(|row| summary.add(row));
        }
        assert_eq!(summary.denials().len(), REPORT_GROUPS_MAX);
        assert_eq!(summary.left_out + summary.denials().iter().map(|d| d.count).sum::<u64>(), asked);
        assert_eq!(summary.operations().len(), REPORT_GROUPS_MAX + 1);
        assert_eq!(summary.operations().iter().map(|o| o.denied).sum::<u64>(), asked);
    }
}
