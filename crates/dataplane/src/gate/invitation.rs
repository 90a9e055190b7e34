//! `Expect: 100-continue` towards the upstream (RFC 9110, 10.1.1): a large body is held until the upstream asks for it,
//! so that what it refuses is never sent. An upstream that stays silent gets the body after a while.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use hallpass_core::limits::{EXPECT_CONTINUE_BYTES_MIN, EXPECT_CONTINUE_WAIT_MS_MAX};
use http::{HeaderValue, Request, StatusCode, header};
use tokio::time::Sleep;

const WAITING: u8 = 0;
const INVITED: u8 = 1;
const SILENT: u8 = 2;
const DECLINED: u8 = 3;

/// What the upstream says to a body that is announced. Cheap to clone; every clone is the same invitation.
#[derive(Debug, Clone, Default)]
pub(super) struct Invitation(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    state: AtomicU8,
    waker: AtomicWaker,
}

impl Invitation {
    /// Whether a body of this length is worth a round trip.
    pub(super) fn is_worth(length: Option<u64>) -> bool {
        length.is_none_or(|bytes| bytes >= EXPECT_CONTINUE_BYTES_MIN)
    }

    /// Asks for the invitation in a request.
    pub(super) fn ask<B>(&self, request: &mut Request<B>) {
        request.headers_mut().insert(header::EXPECT, HeaderValue::from_static("100-continue"));
        let invitation = self.clone();
        hyper::ext::on_informational(request, move |response| {
            if response.status() == StatusCode::CONTINUE {
                invitation.leave_waiting(INVITED);
            }
        });
    }

    /// The final answer has come. True when the body was still held: it is not wanted, and will never be sent.
    pub(super) fn decline(&self) -> bool {
        self.leave_waiting(DECLINED)
    }

    /// True when the upstream let us wait in vain.
    pub(super) fn was_silent(&self) -> bool {
        self.0.state.load(Ordering::SeqCst) == SILENT
    }

    fn leave_waiting(&self, to: u8) -> bool {
        let left = self.0.state.compare_exchange(WAITING, to, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        self.0.waker.wake();
        left
    }
}

/// The body's side of an [`Invitation`].
#[derive(Debug)]
pub(super) struct Waiting {
    invitation: Invitation,
    patience: Option<Pin<Box<Sleep>>>,
}

impl Waiting {
    pub(super) fn new(invitation: Invitation) -> Self {
        Self { invitation, patience: None }
    }

    /// True when the body may go out, false when it never may.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        self.invitation.0.waker.register(cx.waker());
        match self.invitation.0.state.load(Ordering::SeqCst) {
            WAITING => {}
            state => return Poll::Ready(state != DECLINED),
        }
        let limit = Duration::from_millis(EXPECT_CONTINUE_WAIT_MS_MAX);
        let patience = self.patience.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        ready!(patience.as_mut().poll(cx));
        self.invitation.leave_waiting(SILENT);
        Poll::Ready(!matches!(self.invitation.0.state.load(Ordering::SeqCst), DECLINED))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use hallpass_core::limits::{EXPECT_CONTINUE_BYTES_MIN, EXPECT_CONTINUE_WAIT_MS_MAX};
    use tokio::time::Instant;

    use super::{Invitation, Waiting};

    #[tokio::test(start_paused = true)]
    async fn a_silent_upstream_gets_the_body_after_the_limit_and_no_sooner() {
        let invitation = Invitation::default();
        let mut waiting = Waiting::new(invitation.clone());
        let begun = Instant::now();
        assert!(poll_fn(|cx| waiting.poll(cx)).await);
        assert!(begun.elapsed() >= Duration::from_millis(EXPECT_CONTINUE_WAIT_MS_MAX));
        assert!(invitation.was_silent());
        assert!(!invitation.decline(), "the body is on its way");
    }

    #[tokio::test(start_paused = true)]
    async fn a_final_answer_wakes_the_body_and_stops_it() {
        let invitation = Invitation::default();
        let mut waiting = Waiting::new(invitation.clone());
        let (goes, declined) = tokio::join!(poll_fn(|cx| waiting.poll(cx)), async { invitation.decline() });
        assert_eq!((goes, declined, invitation.was_silent()), (false, true, false));
        assert!(!poll_fn(|cx| waiting.poll(cx)).await, "and it stays stopped");
    }

    #[test]
    fn only_large_bodies_and_those_of_unknown_length_wait() {
        assert!(Invitation::is_worth(None) && Invitation::is_worth(Some(EXPECT_CONTINUE_BYTES_MIN)));
        assert!(!Invitation::is_worth(Some(EXPECT_CONTINUE_BYTES_MIN - 1)));
    }
}
