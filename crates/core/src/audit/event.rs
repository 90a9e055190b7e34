//! Every event that the log can hold, with each of its fields classed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::needs::Needs;
use crate::delivery::Delivery;
use crate::denial::Denial;
use crate::provider::{CloudProvider, EnforcedBy};
use crate::session::{Revocation, SessionStatus};

/// Who may see a field. There is no third class in the log: what is secret has no field here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// May be shown to anyone who may see that the session exists.
    Public,
    /// May hold personal or business data (arguments, object keys); left out of a redacted export.
    Sensitive,
    /// Never written. A field without a class counts as this one.
    Secret,
}

/// One thing that happened. Adding a variant demands a line in [`Event::class`]; the field-class test checks it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The first entry of every log.
    LogOpened {
        /// Random name of this log; part of the checkpoints' origin.
        log_id: String,
        /// Version of the entry format.
        format: u32,
    },
    /// A session was asked for and recorded.
    SessionCreated {
        /// Cloud.
        provider: CloudProvider,
        /// Principal to borrow; empty for the base identity.
        role_arn: String,
        /// Life, seconds.
        ttl_seconds: u64,
        /// Money limit, USD.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        budget: Option<f64>,
        /// Most requests.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_requests: Option<u64>,
        /// Most bytes of bodies, both ways together.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_bytes: Option<u64>,
        /// Most distinct resources.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_resources: Option<u64>,
        /// Allowed action patterns.
        allowed_actions: Vec<String>,
        /// Denied action patterns.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        denied_actions: Vec<String>,
        /// Resource patterns.
        resources: Vec<String>,
        /// SHA-256 of the canonical policy, hex.
        policy_sha256: String,
        /// SHA-256 of the canonical policy that is tried out and not enforced, hex (`run --shadow`).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shadow_sha256: Option<String>,
        /// How it is handed over.
        delivery: Delivery,
        /// Region of the child.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        region: Option<String>,
        /// Agent, if recognised.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent_id: Option<String>,
        /// OS user that asked.
        user: String,
        /// Labels.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        tags: BTreeMap<String, String>,
        /// The command and its arguments.
        command: Vec<String>,
        /// The session whose request made this one, for a child session.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<String>,
    },
    /// A real credential was issued. It carries no secret.
    CredentialsIssued {
        /// Access key id of the real credential.
        access_key_id: String,
        /// Access key id that the child sees.
        placeholder_key_id: Option<String>,
        /// Where the base credential came from.
        base: String,
        /// Identity that the cloud reported.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        identity: Option<String>,
        /// When the real credential expires.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<Timestamp>,
        /// Who enforces the scope.
        enforced_by: EnforcedBy,
        /// Size of the session policy sent, characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session_policy_chars: Option<usize>,
        /// How far it can be taken back.
        revocation: Revocation,
    },
    /// The session became active.
    SessionActivated {
        /// Process id of the keeper.
        pid: u32,
    },
    /// The gate let a request pass. Written, with a position, before anything was signed.
    RequestAllowed {
        /// Signing name.
        service: String,
        /// Region of the credential scope.
        region: String,
        /// API operation.
        operation: String,
        /// IAM actions.
        actions: Vec<String>,
        /// Resources, as ARNs; `*` where the call names none we can know.
        resources: Vec<String>,
        /// HTTP method.
        method: String,
        /// Host that it will be sent to.
        upstream: String,
        /// What `actions` and `resources` leave open.
        #[serde(default, skip_serializing_if = "Needs::is_plain")]
        needs: Needs,
        /// What the policy that the session tries out (`run --shadow`) would have said; `None` when it allows too.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        would_deny: Option<Denial>,
        /// AWS's authorization data names no action: `actions` is a guess that the user's configuration allows.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        guessed: bool,
    },
    /// The gate refused a request.
    RequestDenied {
        /// Signing name, where the request got that far.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service: Option<String>,
        /// Region of the credential scope.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        region: Option<String>,
        /// API operation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        operation: Option<String>,
        /// HTTP method.
        method: String,
        /// Why.
        denial: Denial,
        /// How many like it this entry stands for, when refusals came too fast to record one by one.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        count: u64,
    },
    /// An allowed request came to its end.
    RequestSettled {
        /// Position of its `request_allowed` entry.
        of: u64,
        /// HTTP status of the upstream; `None` when no answer came.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// Bytes of the request body that were sent on.
        bytes_in: u64,
        /// Bytes of the response body that reached the child.
        bytes_out: u64,
        /// Time from the decision to the end, microseconds.
        duration_us: u64,
        /// The upstream's own request id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        upstream_request_id: Option<String>,
        /// Estimated cost, nano-dollars, by the dated price table; `None` where nobody can tell, and for what was never sent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cost_nano_usd: Option<u64>,
        /// The upstream's error code where it says that the access is not allowed (`AccessDenied`, …).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refusal: Option<String>,
        /// What went wrong in transit, if anything (`cut: revoked`, `body-mismatch`, …).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fault: Option<String>,
    },
    /// A real presigned URL was made. Written before it was signed; nobody can take the URL back.
    UrlPresigned {
        /// HTTP method that it is good for.
        method: String,
        /// API operation.
        operation: String,
        /// IAM actions.
        actions: Vec<String>,
        /// Resources, as ARNs.
        resources: Vec<String>,
        /// Host that it is good for.
        upstream: String,
        /// Until when it works.
        expires_at: Timestamp,
    },
    /// The proxy let a connection to a host that is not the cloud's pass untouched. Written before a byte passed.
    TunnelOpened {
        /// The host that was asked for, as a name or an address.
        host: String,
        /// Its port.
        port: u16,
        /// The address that was connected to, `host:port` of the proxy before it where there is one.
        address: String,
        /// A single plain request, `http://`; otherwise a tunnel of any bytes.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        plain: bool,
    },
    /// Such a connection came to its end.
    TunnelClosed {
        /// Position of its `tunnel_opened` entry.
        of: u64,
        /// Bytes from the child.
        bytes_in: u64,
        /// Bytes to the child.
        bytes_out: u64,
        /// Time from the entry to the end, microseconds.
        duration_us: u64,
        /// What ended it before its time, if anything (`cut: revoked`, …).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fault: Option<String>,
    },
    /// The keeper died between signing and settling: nobody knows what became of these requests.
    RequestsUnknown {
        /// Positions of their `request_allowed` entries.
        of: Vec<u64>,
    },
    /// Somebody asked for a session to be ended. Times are microseconds from the moment the command was received.
    SessionKilled {
        /// OS user that asked.
        by: String,
        /// When the gate began to refuse.
        gate_refusing_us: u64,
        /// When live streams were cut.
        streams_cut_us: u64,
        /// How many streams were cut.
        streams_cut: u64,
        /// When the child's processes had been signalled.
        processes_signalled_us: u64,
        /// When the child's processes were gone; `None` if they were still ending.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        processes_gone_us: Option<u64>,
    },
    /// What left the gate was taken back as far as the cloud allows.
    CredentialsRevoked {
        /// How far it reached.
        reach: Revocation,
        /// What was done.
        detail: String,
    },
    /// The mandatory last entry of a session.
    SessionEnded {
        /// Final status.
        status: SessionStatus,
        /// Why, one sentence.
        reason: String,
        /// The child's exit code, where it had one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exit_code: Option<i32>,
        /// Requests allowed.
        requests_allowed: u64,
        /// Requests denied.
        requests_denied: u64,
    },
    /// A session record was read from another tool's files.
    SessionImported {
        /// Status it came with.
        status: SessionStatus,
        /// File name, without its folder.
        file: String,
    },
    /// Ended sessions were removed from the store by retention or by `session prune`.
    SessionsPruned {
        /// How many.
        count: u64,
        /// Nothing younger than this was removed.
        ended_before: Timestamp,
    },
    /// Time passed in which nothing could be recorded; everything was refused meanwhile.
    LogInterrupted {
        /// When the first write failed.
        since: Timestamp,
        /// Why.
        reason: String,
        /// What was done in spite of it (only the safe direction: kills).
        done: Vec<String>,
    },
}

fn one() -> u64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's skip_serializing_if passes a reference")]
fn is_one(count: &u64) -> bool {
    *count == 1
}

/// One list of names for [`Event::kind`] and [`Event::KINDS`].
macro_rules! kinds {
    ($($variant:ident => $name:literal,)+) => {
        /// Every value of `type`.
        pub const KINDS: &[&str] = &[$($name),+];

        /// The value of `type`.
        pub fn kind(&self) -> &'static str {
            match self {
                $(Self::$variant { .. } => $name,)+
            }
        }
    };
}

impl Event {
    kinds! {
        LogOpened => "log_opened",
        SessionCreated => "session_created",
        CredentialsIssued => "credentials_issued",
        SessionActivated => "session_activated",
        RequestAllowed => "request_allowed",
        RequestDenied => "request_denied",
        RequestSettled => "request_settled",
        UrlPresigned => "url_presigned",
        TunnelOpened => "tunnel_opened",
        TunnelClosed => "tunnel_closed",
        RequestsUnknown => "requests_unknown",
        SessionKilled => "session_killed",
        CredentialsRevoked => "credentials_revoked",
        SessionEnded => "session_ended",
        SessionImported => "session_imported",
        SessionsPruned => "sessions_pruned",
        LogInterrupted => "log_interrupted",
    }

    /// The class of a field of this event, by its JSON name. What is not named here is secret.
    pub fn class(kind: &str, field: &str) -> Class {
        let classes: &[(&str, Class)] = match kind {
            "log_opened" => &[("log_id", Class::Public), ("format", Class::Public)],
            "session_created" => &[
                ("provider", Class::Public),
                ("role_arn", Class::Public),
                ("ttl_seconds", Class::Public),
                ("budget", Class::Public),
                ("max_requests", Class::Public),
                ("max_bytes", Class::Public),
                ("max_resources", Class::Public),
                ("allowed_actions", Class::Public),
                ("denied_actions", Class::Public),
                ("resources", Class::Sensitive),
                ("policy_sha256", Class::Public),
                ("shadow_sha256", Class::Public),
                ("delivery", Class::Public),
                ("region", Class::Public),
                ("agent_id", Class::Public),
                ("user", Class::Sensitive),
                ("tags", Class::Sensitive),
                ("command", Class::Sensitive),
                ("parent", Class::Public),
            ],
            "credentials_issued" => &[
                ("access_key_id", Class::Public),
                ("placeholder_key_id", Class::Public),
                ("base", Class::Public),
                ("identity", Class::Public),
                ("expires_at", Class::Public),
                ("enforced_by", Class::Public),
                ("session_policy_chars", Class::Public),
                ("revocation", Class::Public),
            ],
            "session_activated" => &[("pid", Class::Public)],
            "request_allowed" => &[
                ("service", Class::Public),
                ("region", Class::Public),
                ("operation", Class::Public),
                ("actions", Class::Public),
                ("resources", Class::Sensitive),
                ("method", Class::Public),
                ("upstream", Class::Public),
                ("needs", Class::Sensitive),
                ("would_deny", Class::Sensitive),
                ("guessed", Class::Public),
            ],
            "request_denied" => &[
                ("service", Class::Public),
                ("region", Class::Public),
                ("operation", Class::Public),
                ("method", Class::Public),
                ("denial", Class::Sensitive),
                ("count", Class::Public),
            ],
            "request_settled" => &[
                ("of", Class::Public),
                ("status", Class::Public),
                ("bytes_in", Class::Public),
                ("bytes_out", Class::Public),
                ("duration_us", Class::Public),
                ("upstream_request_id", Class::Public),
                ("cost_nano_usd", Class::Public),
                ("refusal", Class::Public),
                ("fault", Class::Public),
            ],
            "url_presigned" => &[
                ("method", Class::Public),
                ("operation", Class::Public),
                ("actions", Class::Public),
                ("resources", Class::Sensitive),
                ("upstream", Class::Public),
                ("expires_at", Class::Public),
            ],
            "tunnel_opened" => &[
                ("host", Class::Sensitive),
                ("port", Class::Public),
                ("address", Class::Sensitive),
                ("plain", Class::Public),
            ],
            "tunnel_closed" => &[
                ("of", Class::Public),
                ("bytes_in", Class::Public),
                ("bytes_out", Class::Public),
                ("duration_us", Class::Public),
                ("fault", Class::Public),
            ],
            "requests_unknown" => &[("of", Class::Public)],
            "session_killed" => &[
                ("by", Class::Sensitive),
                ("gate_refusing_us", Class::Public),
                ("streams_cut_us", Class::Public),
                ("streams_cut", Class::Public),
                ("processes_signalled_us", Class::Public),
                ("processes_gone_us", Class::Public),
            ],
            "credentials_revoked" => &[("reach", Class::Public), ("detail", Class::Sensitive)],
            "session_ended" => &[
                ("status", Class::Public),
                ("reason", Class::Public),
                ("exit_code", Class::Public),
                ("requests_allowed", Class::Public),
                ("requests_denied", Class::Public),
            ],
            "session_imported" => &[("status", Class::Public), ("file", Class::Sensitive)],
            "sessions_pruned" => &[("count", Class::Public), ("ended_before", Class::Public)],
            "log_interrupted" => &[("since", Class::Public), ("reason", Class::Public), ("done", Class::Public)],
            _ => &[],
        };
        let named = classes.iter().find(|(name, _)| *name == field);
        named.map_or(Class::Secret, |(_, class)| *class)
    }
}
