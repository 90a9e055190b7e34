//! A connection that is passed through: recorded before a byte passes, cut with the session, its outcome recorded.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use hallpass_core::audit::Event;
use hallpass_core::denial::{Denial, DenialCode};
use std::io;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;

use super::super::Shared;
use super::super::socket::Ahead;
use super::super::switch::Live;
use super::super::tunnel::Tunnels;
use super::{Reach, dial};

/// An open connection to another host, with its entry in the log. Dropping it records its outcome.
#[derive(Debug)]
pub(in super::super) struct Passage {
    gate: Arc<Shared>,
    /// Taken when bytes begin to move.
    far: Option<Ahead>,
    of: u64,
    since: Instant,
    pub(super) up: Arc<AtomicU64>,
    pub(super) down: Arc<AtomicU64>,
    fault: Option<String>,
    _place: OwnedSemaphorePermit,
}

/// Connects to `host` and records it. `plain` is for one request over `http://`.
///
/// # Errors
/// What [`dial`] refuses, [`DenialCode::TooLarge`] past the cap of connections, [`DenialCode::AuditUnavailable`] when
/// nothing can be recorded.
pub(in super::super) async fn open(
    gate: &Arc<Shared>,
    tunnels: &Tunnels,
    (host, port): (&str, u16),
    reach: Reach,
    plain: bool,
) -> Result<Passage, Denial> {
    let full = |_| Denial::new(DenialCode::TooLarge, "too many connections to other hosts are open in this session");
    let place = Arc::clone(&tunnels.places).try_acquire_owned().map_err(full)?;
    let pass = &tunnels.passthrough;
    let dialled = match plain {
        false => dial::stream(pass.before_tunnels(), host, port, reach).await?,
        true => dial::plain(pass.before_plain(), host, port, reach).await?,
    };
    let since = Instant::now();
    let event = Event::TunnelOpened { host: host.to_owned(), port, address: dialled.address, plain };
    let of = gate.journal.record(event).await.map_err(|error| {
        tracing::error!(%error, "nothing is passed through while the audit log cannot be written");
        Denial::new(DenialCode::AuditUnavailable, "the audit log cannot be written, so nothing is passed through")
    })?;
    let (up, down) = <(Arc<AtomicU64>, Arc<AtomicU64>)>::default();
    Ok(Passage { gate: Arc::clone(gate), far: Some(dialled.far), of, since, up, down, fault: None, _place: place })
}

impl Passage {
    /// The connection, once.
    pub(super) fn take(&mut self) -> Option<Ahead> {
        self.far.take()
    }

    /// The first reason stays.
    pub(super) fn fault(&mut self, why: &str) {
        self.fault.get_or_insert_with(|| why.to_owned());
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        let cut = || self.gate.switch.closed().map(|why| format!("cut: {}", why.as_str()));
        self.gate.journal.later(Event::TunnelClosed {
            of: self.of,
            bytes_in: self.up.load(Ordering::Relaxed),
            bytes_out: self.down.load(Ordering::Relaxed),
            duration_us: u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX),
            fault: self.fault.take().or_else(cut),
        });
    }
}

/// Moves bytes both ways until one side ends, or the session does.
pub(in super::super) async fn carry(live: &Live, tcp: TcpStream, ahead: Bytes, mut passage: Passage) {
    let Some(far) = passage.take() else { return };
    let gate = Arc::clone(&passage.gate);
    let mut near = Counted { io: Ahead { bytes: ahead, tcp }, read: Arc::clone(&passage.up) };
    let mut far = Counted { io: far, read: Arc::clone(&passage.down) };
    // From here on a throw of the switch counts this connection, and wakes its task.
    live.begin(None);
    let carried = {
        let mut carrying = pin!(tokio::io::copy_bidirectional(&mut near, &mut far));
        poll_fn(|cx| {
            live.watch(cx.waker());
            if gate.switch.closed().is_some() || gate.phase.is_closing() {
                return Poll::Ready(None);
            }
            carrying.as_mut().poll(cx).map(Some)
        })
        .await
    };
    live.end();
    match carried {
        Some(Ok(_)) => {}
        Some(Err(error)) => passage.fault(&format!("broken off: {}", error.kind())),
        // A reset on both sides: nobody can take the cut for an end.
        None => {
            for socket in [&near.io.tcp, &far.io.tcp] {
                if let Err(error) = socket.set_zero_linger() {
                    tracing::debug!(%error, "a cut connection is closed, not reset");
                }
            }
        }
    }
}

/// A socket that counts what is read from it.
#[derive(Debug)]
struct Counted {
    io: Ahead,
    read: Arc<AtomicU64>,
}

impl AsyncRead for Counted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(cx, buf);
        self.read.fetch_add((buf.filled().len() - before) as u64, Ordering::Relaxed);
        polled
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
