//! The life of a gate: open, closing (no new request), over (everything is dropped).

use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::CancellationToken;

#[derive(Debug, Default)]
pub(super) struct Phase {
    closing: CancellationToken,
    over: AtomicBool,
}

impl Phase {
    /// Nothing new is accepted from here on.
    pub(super) fn close(&self) {
        self.closing.cancel();
    }

    /// Everything is dropped from here on.
    pub(super) fn end(&self) {
        self.over.store(true, Ordering::SeqCst);
        self.close();
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.is_cancelled()
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Waits until the gate closes.
    pub(super) async fn closing(&self) {
        self.closing.cancelled().await;
    }
}
