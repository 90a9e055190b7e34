//! The way to the audit log, without knowing where it is kept.

use std::fmt;
use std::sync::Arc;

use hallpass_core::audit::Event;
use hallpass_core::provider::BoxFuture;

/// An entry could not be written; nothing may be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the audit log cannot be written: {0}")]
pub struct JournalError(pub String);

type Record = dyn Fn(Event) -> BoxFuture<'static, Result<u64, JournalError>> + Send + Sync;
type Later = dyn Fn(Event) + Send + Sync;

/// Takes the gate's audit events: two closures, so that the dataplane does not know the store.
#[derive(Clone)]
pub struct Journal {
    record: Arc<Record>,
    later: Arc<Later>,
}

impl Journal {
    /// `record` resolves to the entry's position once the entry is committed; `later` takes an outcome that may
    /// be committed with the next batch, and must not block.
    pub fn new(
        record: impl Fn(Event) -> BoxFuture<'static, Result<u64, JournalError>> + Send + Sync + 'static,
        later: impl Fn(Event) + Send + Sync + 'static,
    ) -> Self {
        Self { record: Arc::new(record), later: Arc::new(later) }
    }

    pub(super) fn record(&self, event: Event) -> BoxFuture<'static, Result<u64, JournalError>> {
        (self.record)(event)
    }

    pub(super) fn later(&self, event: Event) {
        (self.later)(event);
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Journal")
    }
}
