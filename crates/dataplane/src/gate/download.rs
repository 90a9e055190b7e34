//! The answer's body on its way to the child, and the one type that all answers have.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use super::fail_points::fail_point;
use super::passthrough::Plain;
use super::settle::Settle;
use super::switch::{Live, Switch};

/// The download was broken off. The child sees a connection that breaks, never a body that seems complete.
#[derive(Debug, thiserror::Error)]
pub(super) enum DownloadError {
    /// The session's access ended.
    #[error("the session's access has ended")]
    Cut,
    /// The upstream broke off.
    #[error("the upstream broke off its answer: {0}")]
    Upstream(#[source] hyper::Error),
    /// A fail point said so.
    #[cfg(feature = "failpoints")]
    #[error("a fail point broke the download")]
    Injected,
}

/// The body of every answer.
#[derive(Debug)]
pub(super) enum Answer {
    /// Made here: a refusal, or the answer that opens a child session.
    Made(Full<Bytes>),
    /// The upstream's.
    Download(Box<Download>),
    /// Of a host that is passed through.
    Plain(Box<Plain>),
}

/// A streamed body of the upstream.
#[derive(Debug)]
pub(super) struct Download {
    /// What was read ahead to recognise an expired credential.
    ahead: Bytes,
    rest: Incoming,
    settle: Settle,
    switch: Switch,
    live: Arc<Live>,
}

impl Download {
    pub(super) fn new(ahead: Bytes, rest: Incoming, settle: Settle, switch: Switch, live: Arc<Live>) -> Self {
        live.answer();
        Self { ahead, rest, settle, switch, live }
    }

    fn next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, DownloadError>>> {
        if self.switch.closed().is_some() {
            return Poll::Ready(Some(Err(DownloadError::Cut)));
        }
        fail_point!("gate::download", Poll::Ready(Some(Err(DownloadError::Injected))));
        if !self.ahead.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut self.ahead))));
        }
        loop {
            match ready!(Pin::new(&mut self.rest).poll_frame(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(DownloadError::Upstream(error)))),
                // Trailers are hop-by-hop here: their announcement was removed with `Trailer`.
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        return Poll::Ready(Some(Ok(bytes)));
                    }
                }
            }
        }
    }
}

impl Download {
    fn account(&mut self, bytes: Bytes) -> Result<Bytes, DownloadError> {
        let total = self.settle.bytes_out.saturating_add(bytes.len() as u64);
        if let Err(denial) = self.settle.tab().download(total) {
            self.settle.fault(denial.code.as_str());
            return Err(DownloadError::Cut);
        }
        self.settle.tab().read(&bytes);
        self.settle.bytes_out = total;
        Ok(bytes)
    }
}

impl Body for Download {
    type Data = Bytes;
    type Error = DownloadError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, DownloadError>>> {
        Poll::Ready(match ready!(self.next(cx)) {
            None => {
                self.settle.complete();
                None
            }
            Some(Ok(bytes)) => Some(self.account(bytes).map(Frame::data)),
            Some(Err(error)) => {
                if let DownloadError::Upstream(_) = error {
                    self.settle.fault("the upstream broke off its answer");
                }
                Some(Err(error))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.ahead.is_empty() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let ahead = self.ahead.len() as u64;
        let rest = self.rest.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(ahead.saturating_add(rest.lower()));
        if let Some(upper) = rest.upper() {
            hint.set_upper(ahead.saturating_add(upper));
        }
        hint
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        if self.live.is_stalled() {
            self.settle.fault("cut: nothing moved for too long");
        }
        // The HTTP library does not poll a body again that says it has ended.
        if self.is_end_stream() {
            self.settle.complete();
        }
        self.live.end();
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = DownloadError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, DownloadError>>> {
        match self.get_mut() {
            Self::Made(body) => Pin::new(body).poll_frame(cx).map_err(|never| match never {}),
            Self::Download(body) => Pin::new(body.as_mut()).poll_frame(cx),
            Self::Plain(body) => body.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Made(body) => body.is_end_stream(),
            Self::Download(body) => body.is_end_stream(),
            Self::Plain(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Made(body) => body.size_hint(),
            Self::Download(body) => body.size_hint(),
            Self::Plain(body) => body.size_hint(),
        }
    }
}
