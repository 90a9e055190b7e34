//! Threads that serve connections. A connection stays on one of them from its first byte to its last, together with its
//! upstream connection, so that no request wakes another thread: with a runtime that moves tasks between threads that
//! costs a third of a small request.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// A timer that is due before every other one wakes the thread that sets it, by a system call. Each request sets some,
/// the shortest of [`REQUEST_HEAD_TIMEOUT_S`](hallpass_core::limits::REQUEST_HEAD_TIMEOUT_S): so each thread keeps one
/// that is due before them.
const TICK: Duration = Duration::from_secs(20);

/// Up to a number of threads, each begun when there is a connection for it.
#[derive(Debug)]
pub(super) struct Workers {
    /// Asked for when there is a second connection at once: a short run has none.
    most: LazyLock<usize>,
    begun: Mutex<Vec<Worker>>,
}

/// One thread, which ends when this is dropped.
#[derive(Debug)]
struct Worker {
    runtime: Handle,
    serves: Arc<AtomicUsize>,
    _stop: oneshot::Sender<()>,
}

/// A connection's place on a thread.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) runtime: Handle,
    serves: Arc<AtomicUsize>,
}

impl Workers {
    pub(super) fn new(most: fn() -> usize) -> Self {
        Self { most: LazyLock::new(most), begun: Mutex::default() }
    }

    /// A place on the thread that serves fewest connections; on a new one while there may be more and none is idle.
    ///
    /// # Errors
    /// When the system gives no first thread.
    pub(super) fn desk(&self) -> io::Result<Desk> {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let least = begun.iter().map(|worker| worker.serves.load(Ordering::Relaxed)).min();
        if begun.is_empty() || (least != Some(0) && begun.len() < *self.most) {
            match Worker::begin() {
                Ok(worker) => begun.push(worker),
                Err(error) if begun.is_empty() => return Err(error),
                Err(error) => tracing::warn!(%error, "the gate goes on with fewer threads"),
            }
        }
        let chosen = begun.iter().min_by_key(|worker| worker.serves.load(Ordering::Relaxed));
        let worker = chosen.ok_or_else(|| io::Error::other("there is no thread"))?;
        worker.serves.fetch_add(1, Ordering::Relaxed);
        Ok(Desk { runtime: worker.runtime.clone(), serves: Arc::clone(&worker.serves) })
    }
}

impl Worker {
    fn begin() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = move || {
            runtime.block_on(async {
                let ticking = async {
                    loop {
                        tokio::time::sleep(TICK).await;
                    }
                };
                tokio::select! {
                    _ = stopped => {}
                    () = ticking => {}
                }
            });
        };
        std::thread::Builder::new().name("gate-worker".into()).spawn(serve)?;
        Ok(Self { runtime: handle, serves: Arc::default(), _stop: stop })
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.serves.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Workers;

    fn name(workers: &Workers) -> (super::Desk, std::thread::ThreadId) {
        let desk = workers.desk().expect("a thread");
        let (tell, told) = std::sync::mpsc::channel();
        desk.runtime.spawn(async move { tell.send(std::thread::current().id()) });
        (desk, told.recv_timeout(Duration::from_secs(10)).expect("it serves"))
    }

    #[test]
    fn connections_are_spread_over_no_more_threads_than_were_asked_for() {
        let workers = Workers::new(|| 2);
        let (first, one) = name(&workers);
        let (second, other) = name(&workers);
        let third = name(&workers);
        assert_ne!(one, other);
        assert!([one, other].contains(&third.1));
        assert_eq!(workers.begun.lock().expect("no panic").len(), 2);
        drop((first, second, third));
        let (_desk, again) = name(&workers);
        assert!([one, other].contains(&again), "an idle thread serves before a new one is begun");
    }

    #[test]
    fn a_thread_ends_with_what_asked_for_it() {
        let workers = Workers::new(|| 1);
        let (desk, _) = name(&workers);
        let (alive, gone) = std::sync::mpsc::channel::<()>();
        desk.runtime.spawn(async move {
            std::future::pending::<()>().await;
            drop(alive);
        });
        drop(workers);
        let ended = gone.recv_timeout(Duration::from_secs(10));
        assert_eq!(ended, Err(std::sync::mpsc::RecvTimeoutError::Disconnected));
    }
}
