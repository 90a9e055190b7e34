//! Last step: what became of an allowed request. Whatever happens to it, exactly one outcome is handed over.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use hallpass_core::audit::Event;
use hallpass_core::budget::Usd;

use super::Shared;
use super::budget::Tab;
use super::fail_points::fail_point;
use super::upload::Transit;

/// An allowed request whose outcome is not known yet. Dropping it hands the outcome over.
#[derive(Debug)]
pub(super) struct Settle {
    gate: Arc<Shared>,
    of: u64,
    since: Instant,
    tab: Arc<Tab>,
    transit: Option<Arc<Transit>>,
    pub(super) status: Option<u16>,
    pub(super) bytes_out: u64,
    pub(super) upstream_request_id: Option<String>,
    /// The upstream's error code where it does not allow the access.
    pub(super) refusal: Option<&'static str>,
    fault: Option<Cow<'static, str>>,
    complete: bool,
}

impl Settle {
    /// `of` is the position of the request's entry, `since` the time of its decision, `tab` what it may use up.
    pub(super) fn new(gate: Arc<Shared>, of: u64, since: Instant, tab: Arc<Tab>) -> Self {
        Self {
            gate,
            of,
            since,
            tab,
            transit: None,
            status: None,
            bytes_out: 0,
            upstream_request_id: None,
            refusal: None,
            fault: None,
            complete: false,
        }
    }

    /// Counts the bytes of the request's body from here on.
    pub(super) fn watch(&mut self, transit: Arc<Transit>) {
        self.transit = Some(transit);
    }

    /// What the request uses up.
    pub(super) fn tab(&self) -> &Arc<Tab> {
        &self.tab
    }

    /// Something went wrong; the first reason stays.
    pub(super) fn fault(&mut self, fault: impl Into<Cow<'static, str>>) {
        self.fault.get_or_insert_with(|| fault.into());
    }

    /// The answer has passed completely.
    pub(super) fn complete(&mut self) {
        self.complete = true;
    }

    fn take_fault(&mut self) -> Option<String> {
        let cut = || self.gate.switch.closed().map(|why| Cow::Owned(format!("cut: {}", why.as_str())));
        // An upload that was not as signed breaks the answer too, and is the reason; one that was cut has its own.
        let upload = self.transit.as_ref().and_then(|transit| transit.fault());
        let upload = upload.filter(|_| self.gate.switch.closed().is_none());
        let fault = upload.map(|denial| Cow::Borrowed(denial.code.as_str())).or(self.fault.take());
        let fault = if self.complete { fault } else { fault.or_else(cut).or(Some("the child went away".into())) };
        fault.map(Cow::into_owned)
    }
}

impl Drop for Settle {
    fn drop(&mut self) {
        fail_point!("gate::settle");
        let fault = self.take_fault();
        self.gate.tally.settled.fetch_add(1, Ordering::Relaxed);
        let bytes_in = self.transit.as_ref().map_or(0, |transit| transit.bytes());
        let cost = self.tab.settle(self.status, bytes_in, self.bytes_out);
        self.gate.journal.later(Event::RequestSettled {
            of: self.of,
            status: self.status,
            bytes_in,
            bytes_out: self.bytes_out,
            duration_us: u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX),
            upstream_request_id: self.upstream_request_id.take(),
            cost_nano_usd: cost.map(Usd::nano),
            refusal: self.refusal.map(str::to_owned),
            fault,
        });
    }
}
