//! The body on its way to the upstream: verified, framed and signed anew, with constant memory.
//!
//! What does not match its signature never completes upstream: the last bytes are held back until the whole is
//! known to be right, and on a fault the upstream connection is dropped in mid-request.

mod aside;
mod buffers;
mod work;

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hallpass_core::clock::Clock;
use hallpass_core::denial::{Denial, DenialCode};
use hallpass_core::limits::UPLOAD_ASIDE_BYTES_MIN;
use hallpass_core::sigv4::BodyHasher;
use hallpass_core::sigv4::checksum::AnnouncedChecksums;
use hallpass_core::sigv4::chunked::{Decoder, Encoder};
use hallpass_core::sigv4::events::{EventDecoder, EventSigner};
use hyper::body::{Body, Frame, Incoming, SizeHint};

use super::body::data_of;
use super::budget::Tab;
use super::fail_points::fail_point;
use super::invitation::{Invitation, Waiting};
use super::switch::Switch;
use super::verify::events_denied;
use aside::Aside;
use work::{Check, Checked, Chunked, Work};

/// What is known of an upload while it runs; shared between the body and the step that waits for the answer.
#[derive(Debug, Default)]
pub(super) struct Transit {
    bytes: AtomicU64,
    fault: OnceLock<Denial>,
}

impl Transit {
    /// Bytes handed to the upstream's connection.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Why it was broken off by us.
    pub(super) fn fault(&self) -> Option<&Denial> {
        self.fault.get()
    }
}

/// The upload was broken off; the reason is in [`Transit::fault`].
#[derive(Debug, thiserror::Error)]
#[error("the body was not sent on: {0}")]
pub(super) struct UploadError(&'static str);

/// A request body for the upstream.
#[derive(Debug)]
pub(super) struct Upload {
    source: Source,
    /// Set while the upstream has not asked for the body yet, with the body itself.
    waiting: Option<(Waiting, Held)>,
    /// Bytes still to come, where the length is declared.
    left: Option<u64>,
    transit: Arc<Transit>,
    switch: Switch,
    /// Takes room for what was not declared.
    tab: Option<Arc<Tab>>,
}

/// A body that waits for its invitation: sent when that comes, and taken back when it does not.
#[derive(Debug, Clone, Default)]
pub(super) struct Held(Arc<Mutex<Option<Box<Upload>>>>);

impl Held {
    /// The body, if nothing of it was handed on.
    pub(super) fn take(&self) -> Option<Upload> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().map(|body| *body)
    }
}

#[derive(Debug)]
enum Source {
    /// In memory, and verified.
    Whole(Bytes),
    /// Not covered by the signature.
    Plain(Incoming),
    Worked(Box<Worked>),
    Events(Box<Events>),
    Over,
}

/// A body that is worked on as it passes: in the connection's own thread, or aside.
#[derive(Debug)]
struct Worked {
    incoming: Incoming,
    /// It may be moved aside when it begins.
    large: bool,
    here: Option<Work>,
    aside: Option<Aside>,
    /// What may go on.
    ready: VecDeque<Bytes>,
}

/// Nothing is held back: each event is verified by itself, and the other side may be waiting for it.
#[derive(Debug)]
struct Events {
    incoming: Incoming,
    decoder: EventDecoder,
    signer: EventSigner,
    clock: Arc<dyn Clock>,
    ready: VecDeque<Bytes>,
}

impl Upload {
    /// A body that is in memory and verified.
    pub(super) fn whole(body: Bytes, switch: Switch) -> Self {
        let left = Some(body.len() as u64);
        Self::new(Source::Whole(body), left, switch)
    }

    /// A stream that no signature covers.
    pub(super) fn plain(incoming: Incoming, length: Option<u64>, switch: Switch) -> Self {
        Self::new(Source::Plain(incoming), length, switch)
    }

    /// A stream that must have this SHA-256.
    pub(super) fn hashed(incoming: Incoming, sha256: [u8; 32], length: Option<u64>, switch: Switch) -> Self {
        let check = Check::Signed(BodyHasher::new(sha256));
        Self::worked(incoming, Work::Checked(Checked::new(check)), is_large(length), length, switch)
    }

    /// A stream that no signature covers, and that must have the checksums in its headers.
    pub(super) fn announced(
        incoming: Incoming,
        checksums: AnnouncedChecksums,
        length: Option<u64>,
        switch: Switch,
    ) -> Self {
        let check = Check::Announced(checksums);
        Self::worked(incoming, Work::Checked(Checked::new(check)), is_large(length), length, switch)
    }

    /// An aws-chunked stream, decoded and verified, framed and signed again.
    pub(super) fn chunked(
        incoming: Incoming,
        decoder: Decoder,
        encoder: Encoder,
        length: Option<u64>,
        switch: Switch,
    ) -> Self {
        let work = Work::Chunked(Box::new(Chunked::new(decoder, encoder)));
        Self::worked(incoming, work, is_large(length), length, switch)
    }

    fn worked(incoming: Incoming, work: Work, large: bool, length: Option<u64>, switch: Switch) -> Self {
        let worked = Worked { incoming, large, here: Some(work), aside: None, ready: VecDeque::new() };
        Self::new(Source::Worked(Box::new(worked)), length, switch)
    }

    /// An event stream, verified and signed again event by event.
    pub(super) fn events(
        incoming: Incoming,
        decoder: EventDecoder,
        signer: EventSigner,
        clock: Arc<dyn Clock>,
        length: Option<u64>,
        switch: Switch,
    ) -> Self {
        let events = Events { incoming, decoder, signer, clock, ready: VecDeque::new() };
        Self::new(Source::Events(Box::new(events)), length, switch)
    }

    fn new(source: Source, left: Option<u64>, switch: Switch) -> Self {
        Self { source, waiting: None, left, transit: Arc::default(), switch, tab: None }
    }

    /// What passes is held to the request's room in the account.
    pub(super) fn metered(mut self, tab: Arc<Tab>) -> Self {
        self.tab = Some(tab);
        self
    }

    /// An invitation to ask for, where the body still comes from the child and is worth it. Nothing of it is read
    /// before: so the child's own `Expect: 100-continue` is answered when the upstream's answer is known.
    pub(super) fn wait(&mut self) -> Option<(Invitation, Held)> {
        if matches!(self.source, Source::Whole(_) | Source::Events(_) | Source::Over)
            || !Invitation::is_worth(self.left)
        {
            return None;
        }
        let (invitation, held) = (Invitation::default(), Held::default());
        let announced = Self {
            source: Source::Over,
            waiting: Some((Waiting::new(invitation.clone()), held.clone())),
            left: self.left,
            transit: Arc::clone(&self.transit),
            switch: self.switch.clone(),
            tab: None,
        };
        let body = std::mem::replace(self, announced);
        *held.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(body));
        Some((invitation, held))
    }

    pub(super) fn transit(&self) -> Arc<Transit> {
        Arc::clone(&self.transit)
    }

    fn next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Denial>>> {
        if let Some(why) = self.switch.closed() {
            return Poll::Ready(Some(Err(why.denial())));
        }
        if let Some((waiting, held)) = &mut self.waiting {
            // Where the body is not wanted it never ends: an end would complete the upload.
            let Some(body) = ready!(waiting.poll(cx)).then(|| held.take()).flatten() else { return Poll::Pending };
            *self = body;
        }
        let next = match &mut self.source {
            Source::Over => None,
            Source::Whole(body) => {
                let body = std::mem::take(body);
                self.source = Source::Over;
                (!body.is_empty()).then_some(Ok(body))
            }
            Source::Plain(incoming) => ready!(Pin::new(incoming).poll_frame(cx)).map(data_of),
            Source::Worked(worked) => ready!(worked.next(cx)),
            Source::Events(events) => ready!(events.next(cx)),
        };
        Poll::Ready(next.map(|sent| self.account(sent?)).or_else(|| self.end()))
    }

    /// Never more than was declared: a length is a promise to the upstream about where the next request begins.
    fn account(&mut self, bytes: Bytes) -> Result<Bytes, Denial> {
        fail_point!("gate::upload", Err(super::refuse::injected()));
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(bytes.len() as u64).ok_or_else(length_differs)?;
        }
        if let Some(tab) = &self.tab {
            tab.upload(self.transit.bytes().saturating_add(bytes.len() as u64))?;
        }
        self.transit.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(bytes)
    }

    fn end(&self) -> Option<Result<Bytes, Denial>> {
        self.left.is_some_and(|left| left > 0).then(|| Err(length_differs()))
    }
}

/// Whether a thread of its own is worth it. A length that is not known may be any.
fn is_large(length: Option<u64>) -> bool {
    length.is_none_or(|bytes| bytes >= UPLOAD_ASIDE_BYTES_MIN)
}

fn length_differs() -> Denial {
    Denial::new(DenialCode::BodyMismatch, "the body does not have the length that was declared")
}

impl Body for Upload {
    type Data = Bytes;
    type Error = UploadError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, UploadError>>> {
        Poll::Ready(match ready!(self.next(cx)) {
            None => None,
            Some(Ok(bytes)) => Some(Ok(Frame::data(bytes))),
            Some(Err(denial)) => {
                let error = UploadError(denial.code.as_str());
                let _ = self.transit.fault.set(denial);
                self.source = Source::Over;
                Some(Err(error))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Whole(body) => body.is_empty(),
            Source::Over => self.transit.fault().is_none() && self.waiting.is_none(),
            Source::Plain(_) | Source::Worked(_) | Source::Events(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl Worked {
    fn next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Denial>>> {
        if std::mem::take(&mut self.large)
            && let Some(work) = self.here.take()
        {
            match Aside::begin(work) {
                Ok(aside) => self.aside = Some(aside),
                Err(work) => self.here = Some(work),
            }
        }
        if let Some(aside) = &mut self.aside {
            return aside.next(&mut self.incoming, cx);
        }
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(bytes)));
            }
            let Some(work) = &mut self.here else { return Poll::Ready(None) };
            let done = match ready!(Pin::new(&mut self.incoming).poll_frame(cx)).map(data_of) {
                Some(Ok(bytes)) => work.feed(bytes, &mut self.ready),
                Some(Err(denial)) => Err(denial),
                None => {
                    let finished = work.finish(&mut self.ready);
                    self.here = None;
                    finished
                }
            };
            if let Err(denial) = done {
                return Poll::Ready(Some(Err(denial)));
            }
        }
    }
}

impl Events {
    fn next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Denial>>> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(bytes)));
            }
            let fed = match ready!(Pin::new(&mut self.incoming).poll_frame(cx)).map(data_of) {
                Some(Ok(bytes)) => self.feed(&bytes),
                Some(Err(denial)) => Err(denial),
                None => match self.decoder.finish() {
                    Ok(()) => return Poll::Ready(None),
                    Err(error) => Err(events_denied(&error)),
                },
            };
            if let Err(denial) = fed {
                return Poll::Ready(Some(Err(denial)));
            }
        }
    }

    fn feed(&mut self, mut input: &[u8]) -> Result<(), Denial> {
        while let Some(event) = self.decoder.decode(&mut input).map_err(|e| events_denied(&e))? {
            let message = self.signer.encode(event, self.clock.now()).map_err(|e| events_denied(&e))?;
            self.ready.push_back(Bytes::from(message));
        }
        Ok(())
    }
}
