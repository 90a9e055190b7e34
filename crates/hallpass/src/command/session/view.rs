//! A session as JSON and as lines for people.

use hallpass_control::store::Record;
use hallpass_core::budget::price::PRICES_AS_OF;
use hallpass_core::budget::{Cap, shown_bytes};
use hallpass_core::session::Session;
use jiff::Timestamp;
use serde::Serialize;

use crate::command::policy::words;
use crate::output::time::{relative, span};

/// A session in JSON: its own fields, and what only the store knows.
#[derive(Debug, Serialize)]
pub(super) struct SessionView<'a> {
    #[serde(flatten)]
    session: &'a Session,
    short_id: &'a str,
    live: bool,
    remaining_seconds: i64,
    requests_allowed: u64,
    requests_denied: u64,
    /// Estimated.
    spent_usd: f64,
    bytes_passed: u64,
    exit_code: Option<i32>,
    keeper: Option<KeeperView<'a>>,
}

#[derive(Debug, Serialize)]
struct KeeperView<'a> {
    pid: u32,
    user: &'a str,
}

impl<'a> SessionView<'a> {
    /// What is shown of a record at `now`.
    pub(super) fn new(record: &'a Record, now: Timestamp) -> Self {
        let session = &record.session;
        let live = !session.status.is_final();
        Self {
            session,
            short_id: session.short_id(),
            live,
            remaining_seconds: if live { session.remaining_seconds(now) } else { 0 },
            requests_allowed: record.requests_allowed,
            requests_denied: record.requests_denied,
            spent_usd: record.spent.to_f64(),
            bytes_passed: record.bytes_passed,
            exit_code: record.exit_code,
            keeper: record.keeper.as_ref().map(|keeper| KeeperView { pid: keeper.pid, user: &keeper.user }),
        }
    }
}

/// Every known field of a session, named, for `session show`.
pub(super) fn fields(record: &Record, now: Timestamp) -> Vec<(&'static str, String)> {
    let session = &record.session;
    let when = |time: Timestamp| format!("{time:.0} ({})", relative(time, now));
    let list = |items: Vec<String>| items.join(", ");
    let mut all = vec![
        ("session", session.id.to_string()),
        ("status", session.status.to_string()),
        ("provider", session.provider.to_string()),
        ("role", or(&session.role_arn, "none: the caller's own identity, which the gate narrows")),
        ("allowed", words::allowed(&session.policy)),
        ("resources", or(&list(session.policy.resources.clone()), "as its policy says, which `session report` shows")),
        ("delivery", session.delivery.as_str().to_owned()),
        ("revocation", session.revocation.as_str().to_owned()),
        ("command", session.command.join(" ")),
        ("created", when(session.created_at)),
        ("expires", when(session.expires_at)),
        ("life", span(session.ttl_seconds)),
        ("spent", format!("{} (estimate, prices of {PRICES_AS_OF})", record.spent)),
        ("bytes", shown_bytes(record.bytes_passed)),
        ("requests", format!("{} allowed, {} refused", record.requests_allowed, record.requests_denied)),
    ];
    let mut also = |name, value: Option<String>| all.extend(value.map(|value| (name, value)));
    also(
        "shadow",
        session.policy.shadow.as_deref().map(|tried| format!("{} is tried out, not enforced", words::allowed(tried))),
    );
    also("principal", session.principal_id.clone());
    also("parent", session.parent.as_ref().map(ToString::to_string));
    also("tenant", session.tenant.clone());
    also("region", session.region.clone());
    also("agent", session.agent_id.clone());
    also("key id", session.access_key_id.clone());
    also("budget", session.budget.map(|usd| format!("{usd} USD (estimate)")));
    let cap = |cap: Cap, limit: Option<u64>| limit.map(|limit| cap.shown(limit));
    also("most", cap(Cap::Requests, session.max_requests));
    also("most", cap(Cap::Bytes, session.max_bytes));
    also("most", cap(Cap::Resources, session.max_resources));
    let tags = list(session.tags.iter().map(|(key, value)| format!("{key}={value}")).collect());
    also("tags", (!tags.is_empty()).then_some(tags));
    also("keeper", record.keeper.as_ref().map(|keeper| format!("process {} of {}", keeper.pid, keeper.user)));
    also("ended", session.ended_at.map(when));
    also("reason", session.end_reason.clone());
    also("exit code", record.exit_code.map(|code| code.to_string()));
    all
}

fn or(text: &str, otherwise: &str) -> String {
    if text.is_empty() { otherwise.to_owned() } else { text.to_owned() }
}
