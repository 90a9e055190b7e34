//! One connection of the child, and the upstream connection that belongs to it: one task drives both.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use hallpass_core::limits::{
    LINGER_S_MAX, REQUEST_HEAD_BYTES_MAX, REQUEST_HEAD_TIMEOUT_S, REQUEST_HEADERS_MAX, STREAM_IDLE_S_MAX,
};
use hallpass_core::resolve::host::AwsHost;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::either::Either;

use super::link::Link;
use super::meter::{Meter, Metered};
use super::socket::{ChildSocket, set_zero_linger};
use super::switch::Live;
use super::tunnel::Granted;
use super::wire::{Tap, Verdicts};
use super::{Shared, passthrough, pipeline, refuse, tunnel};

/// Read at a time of what is thrown away.
const LINGER_BUFFER_BYTES: usize = 16 * 1024;

/// What the requests of one connection share.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) link: Link,
    pub(super) verdicts: Verdicts,
    pub(super) live: Arc<Live>,
    /// The host that the tunnel leads to, within which these requests come.
    pub(super) within: Option<Arc<AwsHost>>,
    /// The tunnel that was asked for, and granted.
    pub(super) tunnel: Mutex<Option<Granted>>,
}

/// Serves a connection until it ends, or is cut; when it becomes a tunnel, what is in the tunnel as well.
pub(super) async fn serve(gate: Arc<Shared>, socket: TcpStream) {
    let registration = gate.switch.register();
    let outer = requests(&gate, &registration.live, Either::Left(socket), None).await;
    let Some((Either::Left(socket), ahead, granted)) = outer else { return };
    match granted {
        Granted::Elsewhere(passage) => {
            Box::pin(passthrough::carry(&registration.live, socket, ahead, *passage)).await;
        }
        Granted::Aws(host) => {
            if let Some(inner) = Box::pin(tunnel::accept(&gate, socket, ahead, &host)).await {
                requests(&gate, &registration.live, inner, Some(host)).await;
            }
        }
    }
}

/// Serves the requests of a connection until it ends. Gives the connection back when it has become a tunnel, with the
/// bytes that have been read of what is in it.
async fn requests(
    gate: &Arc<Shared>,
    live: &Arc<Live>,
    socket: ChildSocket,
    within: Option<Arc<AwsHost>>,
) -> Option<(ChildSocket, Bytes, Granted)> {
    let (live, tunnel) = (Arc::clone(live), Mutex::default());
    let verdicts = Verdicts::default();
    let connection = Arc::new(Connection { link: Link::default(), verdicts, live, within, tunnel });
    let service = {
        let (gate, connection) = (Arc::clone(gate), Arc::clone(&connection));
        service_fn(move |request| {
            let served = pipeline::serve(Arc::clone(&gate), Arc::clone(&connection), request);
            // Boxed: it is large, it would be moved otherwise, and a connection that we close ourselves wants it so.
            Box::pin(served.map(Ok::<_, Infallible>))
        })
    };
    let meter = Arc::<Meter>::default();
    let io = TokioIo::new(Tap::new(Metered::new(socket, Arc::clone(&meter)), connection.verdicts.clone()));
    let mut server = builder().serve_connection(io, service);
    let mut closing = false;
    let mut stall = Stall::default();
    let ended = poll_fn(|cx| {
        connection.live.watch(cx.waker());
        let closed = gate.switch.closed().is_some() || connection.live.child_closed().is_some();
        let cut = closed && connection.live.is_answering();
        if gate.phase.is_over() || cut || connection.live.is_broken() {
            return Poll::Ready(None);
        }
        if gate.phase.is_closing() && !std::mem::replace(&mut closing, true) {
            Pin::new(&mut server).graceful_shutdown();
        }
        // Before, so that an answer that has come reaches the child in this turn; after, so that a request is sent.
        connection.link.drive(cx);
        let polled = server.poll_without_shutdown(cx);
        connection.link.drive(cx);
        if polled.is_pending() && stall.poll(&connection, &meter, cx).is_ready() {
            connection.live.stall();
            return Poll::Ready(None);
        }
        polled.map(Some)
    })
    .await;
    connection.link.cut();
    let parts = server.into_parts();
    let socket = parts.io.into_inner().into_inner().into_inner();
    let granted = connection.tunnel.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let (Some(Ok(())), Some(granted)) = (&ended, granted) {
        return Some((socket, parts.read_buf, granted));
    }
    match ended {
        Some(served) => {
            if served.is_err_and(|error| error.is_parse()) {
                refuse::record_unreadable(gate).await;
            }
            linger(gate, socket).await;
        }
        // A reset: what is not sent yet never is, and the child cannot take the end for the end of a body.
        None => {
            if let Err(error) = set_zero_linger(&socket) {
                tracing::debug!(%error, "a cut connection is closed, not reset");
            }
        }
    }
    None
}

/// Notices that an answer does not move: the child does not take it, or the upstream does not go on with it. One timer
/// for the whole connection: it is moved when it is due, and not with each answer.
#[derive(Debug, Default)]
struct Stall(Option<Pin<Box<Sleep>>>);

impl Stall {
    fn poll(&mut self, connection: &Connection, child: &Meter, cx: &mut Context<'_>) -> Poll<()> {
        if !connection.live.is_answering() {
            return Poll::Pending;
        }
        let limit = Duration::from_secs(STREAM_IDLE_S_MAX);
        let timer = self.0.get_or_insert_with(|| Box::pin(sleep(limit)));
        while timer.as_mut().poll(cx).is_ready() {
            let left = limit.saturating_sub(connection.link.idle().min(child.idle()));
            if left.is_zero() {
                return Poll::Ready(());
            }
            timer.as_mut().reset(Instant::now() + left);
        }
        Poll::Pending
    }
}

/// Says that we are done, and reads away what the child still sends: clients send a whole body before they look at
/// the answer, and a socket that is closed on unread bytes would take the refusal away from them.
async fn linger(gate: &Shared, mut socket: ChildSocket) {
    let reading = async {
        if socket.shutdown().await.is_ok() {
            let mut waste = vec![0; LINGER_BUFFER_BYTES];
            while socket.read(&mut waste).await.is_ok_and(|read| read > 0) {}
        }
    };
    tokio::select! {
        () = gate.phase.closing() => {}
        _ = tokio::time::timeout(Duration::from_secs(LINGER_S_MAX), reading) => {}
    }
}

fn builder() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(REQUEST_HEAD_TIMEOUT_S))
        .max_headers(REQUEST_HEADERS_MAX)
        .max_header_size(REQUEST_HEAD_BYTES_MAX)
        .max_buf_size(2 * REQUEST_HEAD_BYTES_MAX)
        .half_close(false);
    builder
}
