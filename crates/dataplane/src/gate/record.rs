//! Fifth step: nothing is signed before its audit entry has a position in the log.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use hallpass_core::audit::{Event, Needs};
use hallpass_core::denial::{Denial, DenialCode};
use hallpass_core::limits::{REQUEST_RESOURCES_RECORDED_BYTES_MAX, S3_KEY_BYTES_MAX};
use hallpass_core::policy::AccessRequest;
use hallpass_core::provider::BoxFuture;
use hallpass_core::resolve::Resolved;
use sha2::{Digest, Sha256};

use super::budget::Tab;
use super::fail_points::fail_point;
use super::settle::Settle;
use super::switch::Closed;
use super::{JournalError, Shared};

/// Writes the entry of an allowed request and waits until it is committed.
///
/// # Errors
/// [`DenialCode::AuditUnavailable`] when it cannot be written; [`DenialCode::Expired`] when the session's time ended
/// meanwhile.
pub(super) async fn record(gate: &Arc<Shared>, event: Event, since: Instant, tab: Arc<Tab>) -> Result<Settle, Denial> {
    fail_point!("gate::record", Err(super::refuse::injected()));
    let entry = Some(gate.journal.record(event));
    let mut pending = Pending { gate: Arc::clone(gate), entry, since, tab: Arc::clone(&tab) };
    let recorded = pending.committed().await;
    fail_point!("gate::recorded");
    match recorded {
        Ok(of) => Ok(Settle::new(Arc::clone(gate), of, since, tab)),
        // The log looks at the time too, and may see before the gate that it is over.
        Err(_) if gate.clock.now() >= gate.expires_at => {
            gate.switch.refuse(Closed::Expired);
            Err(Closed::Expired.denial())
        }
        Err(error) => {
            tracing::error!(%error, "nothing is signed while the audit log cannot be written");
            let why = "the audit log cannot be written, so nothing is signed";
            Err(Denial::new(DenialCode::AuditUnavailable, why))
        }
    }
}

/// The entry for a request that is about to be signed.
pub(super) fn entry(resolved: &Resolved, method: &str, upstream: &str, would_deny: Option<&Denial>) -> Event {
    let (actions, resources) = accesses(&resolved.accesses);
    let needs = Needs::of(&resolved.accesses, &resolved.context, &resolved.region, &actions, &resources);
    Event::RequestAllowed {
        service: resolved.service.clone(),
        region: resolved.region.clone(),
        operation: resolved.operation.clone(),
        actions,
        resources,
        method: method.to_owned(),
        upstream: upstream.to_owned(),
        needs,
        would_deny: would_deny.map(told),
        guessed: resolved.guessed,
    }
}

/// A denial as short as an entry needs it: what it is about is in the entry already.
fn told(denial: &Denial) -> Denial {
    let resource = denial.resource.clone().filter(|text| escaped_len(text) <= S3_KEY_BYTES_MAX);
    Denial { resource, how_to_ask: None, ..denial.clone() }
}

/// An entry that is being written. When the child goes away meanwhile, the entry is settled as never signed.
struct Pending {
    gate: Arc<Shared>,
    entry: Option<BoxFuture<'static, Result<u64, JournalError>>>,
    since: Instant,
    tab: Arc<Tab>,
}

impl Pending {
    async fn committed(&mut self) -> Result<u64, JournalError> {
        let Some(entry) = &mut self.entry else { return Err(JournalError("the entry was written before".to_owned())) };
        let recorded = entry.await;
        self.entry = None;
        if recorded.is_ok() {
            self.gate.tally.allowed.fetch_add(1, Ordering::Relaxed);
        }
        recorded
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let Some(entry) = self.entry.take() else { return };
        let (gate, since, tab) = (Arc::clone(&self.gate), self.since, Arc::clone(&self.tab));
        let tasks = self.gate.tasks.clone();
        tasks.spawn_on(
            async move {
                let mut pending = Self { gate: Arc::clone(&gate), entry: Some(entry), since, tab: Arc::clone(&tab) };
                if let Ok(of) = pending.committed().await {
                    Settle::new(gate, of, since, tab).fault("not signed: the child went away");
                }
            },
            &self.gate.runtime,
        );
    }
}

/// The distinct actions and resources of a request. A batch can name more than one entry may hold: then the rest is
/// counted, and the SHA-256 of all of them is kept.
fn accesses(accesses: &[AccessRequest]) -> (Vec<String>, Vec<String>) {
    if let [one] = accesses
        && escaped_len(one.resource.shown()) <= REQUEST_RESOURCES_RECORDED_BYTES_MAX
    {
        return (vec![one.action.clone()], vec![one.resource.shown().to_owned()]);
    }
    let mut actions: Vec<String> = Vec::new();
    let mut resources: Vec<String> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let (mut room, mut more) = (REQUEST_RESOURCES_RECORDED_BYTES_MAX, 0_usize);
    let mut all = Sha256::new();
    for access in accesses {
        if !actions.contains(&access.action) {
            actions.push(access.action.clone());
        }
        let resource = access.resource.shown();
        if !seen.insert(resource) {
            continue;
        }
        all.update(resource);
        all.update("\n");
        match room.checked_sub(escaped_len(resource)).filter(|_| more == 0) {
            Some(left) => {
                room = left;
                resources.push(resource.to_owned());
            }
            None => more += 1,
        }
    }
    if more > 0 {
        let digest: [u8; 32] = all.finalize().into();
        resources.push(format!("({more} more; sha256 of all: {})", hex::encode(digest)));
    }
    (actions, resources)
}

/// Bytes of a JSON string at most: a control character takes six.
fn escaped_len(text: &str) -> usize {
    text.bytes().map(|b| if b < 0x20 || b == b'"' || b == b'\\' || b == 0x7f { 6 } else { 1 }).sum::<usize>() + 3
}

#[cfg(test)]
mod tests {
    use hallpass_core::audit::Entry;
    use hallpass_core::denial::{Denial, DenialCode};
    use hallpass_core::limits::{AUDIT_ENTRY_BYTES_MAX, REQUEST_RESOURCES_RECORDED_BYTES_MAX};
    use hallpass_core::policy::{AccessRequest, Context, Resource};
    use hallpass_core::resolve::{Protocol, Resolved, Variant};

    use super::entry;

    fn batch(keys: impl Iterator<Item = String>) -> Resolved {
        let access = |arn| AccessRequest { action: "s3:DeleteObject".into(), resource: Resource::Exact(arn) };
        Resolved {
            service: "s3".into(),
            region: "eu-west-1".into(),
            endpoint: "s3".into(),
            host_prefix: String::new(),
            variant: Variant::default(),
            path: None,
            protocol: Protocol::S3,
            operation: "DeleteObjects".into(),
            unsigned: false,
            guessed: false,
            accesses: keys.map(access).collect(),
            behind: Vec::new(),
            context: Context::default(),
        }
    }

    #[test]
    fn a_batch_of_the_longest_keys_fits_into_one_entry_and_counts_what_is_left_out() {
        let worst = batch((0..1_000).map(|n| format!("arn:aws:s3:::b/{n}{}", "\u{1}".repeat(1_000))));
        let mut denial = Denial::new(DenialCode::NotAllowed, "\u{1}".repeat(600));
        denial.action = Some("s3:DeleteObject".to_owned());
        denial.resource = Some("\u{1}".repeat(1_024));
        let event = entry(&worst, "POST", "s3.eu-west-1.amazonaws.com", Some(&denial));
        let now = "2026-01-01T00:00:00Z".parse().expect("time");
        let bytes = Entry::encode(u64::MAX, &[255; 32], now, None, &event).expect("fits");
        assert!(bytes.len() <= AUDIT_ENTRY_BYTES_MAX && bytes.len() > REQUEST_RESOURCES_RECORDED_BYTES_MAX / 2);
        let text = String::from_utf8(bytes).expect("utf-8");
        assert!(text.contains(" more; sha256 of all: "), "{}", text.split_at(300).0);
    }

    #[test]
    fn each_action_and_resource_of_a_request_is_named_once() {
        let event = entry(&batch(["a", "b", "a"].into_iter().map(str::to_owned)), "POST", "u", None);
        let json = serde_json::to_value(event).expect("json");
        assert_eq!(json["actions"], serde_json::json!(["s3:DeleteObject"]));
        assert_eq!(json["resources"], serde_json::json!(["a", "b"]));
    }
}
