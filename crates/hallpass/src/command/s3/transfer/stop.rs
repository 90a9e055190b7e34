//! Ctrl-C and its kin: the first ends the transfer cleanly, the second at once.

use std::cell::Cell;
use std::convert::Infallible;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::supervise::is_ignored_at_start;

const SIGNALS: [SignalKind; 3] = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];

/// Nobody listens: signals do what they do by default. Without this, the next command of a batch would hear none of
/// them, because tokio's handlers stay.
static UNHEARD: AtomicBool = AtomicBool::new(true);
static REGISTERED: AtomicBool = AtomicBool::new(false);

/// Listens from [`Self::during`] on, until it is dropped.
#[derive(Debug)]
pub(in crate::command::s3) struct Stop {
    heard: Cell<Option<i32>>,
}

impl Stop {
    pub(in crate::command::s3) fn new() -> io::Result<Self> {
        if !REGISTERED.swap(true, Ordering::SeqCst) {
            for signal in SIGNALS.map(|kind| kind.as_raw_value()).into_iter().filter(|s| !is_ignored_at_start(*s)) {
                signal_hook::flag::register_conditional_default(signal, &UNHEARD)?;
            }
        }
        Ok(Self { heard: Cell::new(None) })
    }

    /// Does `work` and listens meanwhile. Must run inside of the runtime.
    pub(in crate::command::s3) async fn during<T>(&self, stop: &CancellationToken, work: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            done = work => done,
            never = self.watch(stop) => match never {},
        }
    }

    /// Never ends.
    async fn watch(&self, stop: &CancellationToken) -> Infallible {
        let listen = |kind: SignalKind| {
            // What was ignored when we were started (`nohup`) stays ignored.
            if is_ignored_at_start(kind.as_raw_value()) { None } else { signal(kind).ok() }
        };
        let [mut interrupt, mut terminate, mut hangup] = SIGNALS.map(listen);
        UNHEARD.store(false, Ordering::SeqCst);
        loop {
            let number = tokio::select! {
                () = next(&mut interrupt) => SignalKind::interrupt(),
                () = next(&mut terminate) => SignalKind::terminate(),
                () = next(&mut hangup) => SignalKind::hangup(),
            };
            if self.heard.replace(Some(number.as_raw_value())).is_some() {
                // Whoever asks twice does not want to wait for the cleaning up.
                drop(signal_hook::low_level::emulate_default_handler(number.as_raw_value()));
            }
            stop.cancel();
        }
    }

    /// The signal that came.
    pub(in crate::command::s3) fn heard(&self) -> Option<i32> {
        self.heard.get()
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        UNHEARD.store(true, Ordering::SeqCst);
    }
}

async fn next(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}
