//! Where the gate under test records its requests: in the store that `hallpass run` uses, or nowhere.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hallpass_control::clock::SystemClock;
use hallpass_control::store::{StoreOptions, connect};
use hallpass_core::clock::Clock;
use hallpass_core::provider::BoxFuture;
use hallpass_core::session::Session;
use hallpass_dataplane::gate::{Journal, JournalError};
use hallpass_testkit::store_fixtures::{activate, session};

/// The session of the gate under test.
pub(crate) const SESSION: &str = "0123456789";

/// A new store in `folder`, durable against the death of the process, with a session that is active.
pub(crate) async fn stored(folder: &Path) -> Journal {
    let store = connect(StoreOptions::new(folder.join("state"), Arc::new(SystemClock))).expect("a store");
    let (base, now) = (session(SESSION), SystemClock.now());
    let life = base.expires_at.duration_since(base.created_at);
    let lent = Session { created_at: now, expires_at: now + life, ..base };
    activate(&*store, lent.clone()).await;
    let (settler, of) = (Arc::clone(&store), lent.id.clone());
    let record = move |event| -> BoxFuture<'static, Result<u64, JournalError>> {
        let (store, session) = (Arc::clone(&store), lent.id.clone());
        Box::pin(async move {
            let position = store.append(Some(&session), event).await;
            position.map(|position| position.0).map_err(|error| JournalError(error.to_string()))
        })
    };
    Journal::new(record, move |event| settler.append_later(Some(&of), event))
}

/// Counts and forgets: what the log costs is the difference. There is no such gate outside a bench.
pub(crate) fn forgotten() -> Journal {
    let next = AtomicU64::new(0);
    let record = move |_| -> BoxFuture<'static, Result<u64, JournalError>> {
        Box::pin(std::future::ready(Ok(next.fetch_add(1, Ordering::Relaxed))))
    };
    Journal::new(record, drop)
}
