//! Every refusal: recorded, and answered in the shape that the child's SDK reads.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hallpass_core::audit::Event;
use hallpass_core::denial::{Denial, DenialCode};
use hallpass_core::limits::REFUSALS_RECORDED_PER_S_MAX;
use hallpass_core::resolve::Protocol;
use hallpass_core::resolve::refusal::{Shape, refusal};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;

use super::Shared;
use super::download::Answer;
use super::fail_points::fail_point;

/// A request that will not be answered by the upstream.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) denial: Denial,
    /// What was known of the request when it was refused.
    pub(super) known: Known,
}

/// How far a refused request had come.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The signature was right: it is the child, and each of its refusals is recorded.
    pub(super) authenticated: bool,
    /// It was allowed and recorded before it failed: its outcome is settled, so it is not recorded as denied.
    pub(super) allowed: bool,
    pub(super) service: Option<String>,
    pub(super) region: Option<String>,
    pub(super) operation: Option<String>,
    pub(super) protocol: Option<Protocol>,
}

/// What a refusal answers to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) headers: &'a [(&'a str, &'a [u8])],
}

/// Records a refusal, and makes the answer. What cannot be recorded is refused all the same.
pub(super) async fn answer(gate: &Shared, asked: Asked<'_>, refused: Refused) -> Response<Answer> {
    let Refused { denial, known } = refused;
    let mut shape = Shape::guess(hallpass_catalog::CATALOG, asked.method, asked.path, asked.headers);
    shape.protocol = known.protocol.or(shape.protocol);
    let mut position = None;
    if !known.allowed {
        gate.tally.denied.fetch_add(1, Ordering::Relaxed);
        position = record(gate, asked.method, &denial, known).await;
    }
    let number = gate.tally.refusals.fetch_add(1, Ordering::Relaxed);
    let made = refusal(shape, &denial, &format!("hallpass-{}-{number:08x}", gate.session.short()));
    let mut response = Response::new(Answer::Made(Full::new(Bytes::from(made.body))));
    *response.status_mut() = StatusCode::from_u16(made.status).unwrap_or(StatusCode::FORBIDDEN);
    let headers = response.headers_mut();
    for (name, value) in made.headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    if let Some(position) = position {
        headers.insert("x-hallpass-entry", HeaderValue::from(position));
    }
    response
}

/// The position of the refusal's entry; `None` for strangers, who learn nothing of the log.
async fn record(gate: &Shared, method: &str, denial: &Denial, known: Known) -> Option<u64> {
    fail_point!("gate::deny");
    let authenticated = known.authenticated;
    let event = Event::RequestDenied {
        service: known.service,
        region: known.region,
        operation: known.operation,
        method: method.to_owned(),
        denial: denial.clone(),
        count: 1,
    };
    if !authenticated && !gate.limiter.admit(&gate.journal) {
        return None;
    }
    match gate.journal.record(event).await {
        Ok(position) => authenticated.then_some(position),
        Err(error) => {
            tracing::warn!(%error, "a refusal could not be recorded; it is refused all the same");
            None
        }
    }
}

/// Records a request that the HTTP library refused before anything of ours saw it.
pub(super) async fn record_unreadable(gate: &Shared) {
    gate.tally.denied.fetch_add(1, Ordering::Relaxed);
    let denial = Denial::new(DenialCode::Malformed, "the request could not be read");
    record(gate, "", &denial, Known::default()).await;
}

/// Bounds what strangers can write to the log: so many entries per second, the rest counted in one.
#[derive(Debug)]
pub(super) struct Limiter {
    window: Mutex<Window>,
    /// Refusals that no entry stands for yet.
    unrecorded: AtomicU64,
}

#[derive(Debug)]
struct Window {
    since: Instant,
    recorded: u32,
}

impl Limiter {
    pub(super) fn new() -> Self {
        let window = Window { since: Instant::now(), recorded: 0 };
        Self { window: Mutex::new(window), unrecorded: AtomicU64::new(0) }
    }

    /// True when this refusal gets an entry of its own; otherwise it has been counted.
    fn admit(&self, journal: &super::Journal) -> bool {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.since.elapsed() >= Duration::from_secs(1) {
            *window = Window { since: Instant::now(), recorded: 0 };
            self.flush(journal);
        }
        let admitted = window.recorded < REFUSALS_RECORDED_PER_S_MAX;
        if admitted {
            window.recorded += 1;
        } else {
            self.unrecorded.fetch_add(1, Ordering::Relaxed);
        }
        admitted
    }

    /// Writes one entry for all refusals that have none.
    pub(super) fn flush(&self, journal: &super::Journal) {
        let count = self.unrecorded.swap(0, Ordering::Relaxed);
        if count > 0 {
            let why = "requests that are not this session's came faster than they are recorded one by one";
            let denial = Denial::new(DenialCode::Unsigned, why);
            let method = String::new();
            journal.later(Event::RequestDenied { service: None, region: None, operation: None, method, denial, count });
        }
    }
}

/// What a fail point refuses with.
#[cfg(feature = "failpoints")]
pub(super) fn injected() -> Denial {
    Denial::new(DenialCode::Malformed, "a fail point refused this")
}
