//! Accepts the child's connections, and watches the session's time.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hallpass_core::limits::{EXPIRY_CHECK_MS_MAX, GATE_CONNECTIONS_MAX};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::switch::Closed;
use super::{Shared, connection};

/// How long to pause when the system has no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Accepts until the gate closes. Never waits for a connection: one past the cap is closed at once.
pub(super) async fn listen(gate: Arc<Shared>, listener: TcpListener) {
    let places = Arc::new(Semaphore::new(GATE_CONNECTIONS_MAX));
    loop {
        let accepted = tokio::select! {
            () = gate.phase.closing() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((socket, _)) => {
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                    tracing::warn!("more than {GATE_CONNECTIONS_MAX} connections: one was closed");
                    continue;
                };
                if let Err(error) = socket.set_nodelay(true) {
                    tracing::debug!(%error, "a connection was gone before it was served");
                    continue;
                }
                if let Err(error) = serve(&gate, socket, place) {
                    tracing::warn!(%error, "a connection could not be served");
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Begins to serve a connection, on a thread that it stays on where the gate has such.
fn serve(gate: &Arc<Shared>, socket: TcpStream, place: OwnedSemaphorePermit) -> io::Result<()> {
    let Some(workers) = gate.workers.get() else {
        let served = connection::serve(Arc::clone(gate), socket);
        gate.tasks.spawn(async move {
            served.await;
            drop(place);
        });
        return Ok(());
    };
    let (desk, socket, shared) = (workers.desk()?, socket.into_std()?, Arc::clone(gate));
    let runtime = desk.runtime.clone();
    let served = async move {
        match TcpStream::from_std(socket) {
            Ok(socket) => connection::serve(shared, socket).await,
            Err(error) => tracing::warn!(%error, "a connection could not be served"),
        }
        drop((place, desk));
    };
    gate.tasks.spawn_on(served, &runtime);
    Ok(())
}

/// Throws the switch when the session's time is over: by the wall clock, or by the time that has really passed since
/// the gate was bound, whichever comes first. Also hands over counted refusals.
pub(super) async fn keep_time(gate: Arc<Shared>) {
    let left = gate.expires_at.duration_since(gate.clock.now());
    let deadline = Instant::now().checked_add(Duration::try_from(left).unwrap_or_default());
    let mut tick = tokio::time::interval(Duration::from_millis(EXPIRY_CHECK_MS_MAX));
    loop {
        let over = deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if gate.switch.closed().is_none() && (over || gate.clock.now() >= gate.expires_at) {
            gate.switch.refuse(Closed::Expired);
        }
        let wake = deadline.filter(|_| gate.switch.closed().is_none());
        tokio::select! {
            () = gate.phase.closing() => return,
            () = tokio::time::sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {}
            _ = tick.tick() => gate.limiter.flush(&gate.journal),
        }
    }
}
