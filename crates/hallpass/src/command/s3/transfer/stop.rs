//! Ctrl-C and its kin: the first ends the transfer cleanly, the second at once.

use std::cell::Cell;
use std::convert::Infallible;
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::supervise::is_ignored_at_start;

/// Listens from its making on.
#[derive(Debug)]
pub(super) struct Stop {
    heard: Cell<Option<i32>>,
}

impl Stop {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { heard: Cell::new(None) })
    }

    /// Never ends. Must run inside of the runtime.
    pub(super) async fn watch(&self, stop: &CancellationToken) -> Infallible {
        let listen = |kind: SignalKind| {
            // What was ignored when we were started (`nohup`) stays ignored.
            if is_ignored_at_start(kind.as_raw_value()) { None } else { signal(kind).ok() }
        };
        let mut interrupt = listen(SignalKind::interrupt());
        let mut terminate = listen(SignalKind::terminate());
        let mut hangup = listen(SignalKind::hangup());
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
    pub(super) fn heard(&self) -> Option<i32> {
        self.heard.get()
    }
}

async fn next(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}
