//! The keeper's end of the socket.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use hallpass_control::lifecycle;
use hallpass_control::store::Transition;
use hallpass_control::{Store, StoreError};
use hallpass_core::audit::Event;
use hallpass_core::clock::Clock;
use hallpass_core::id::SessionId;
use hallpass_core::limits::{
    CONTROL_CONNECTIONS_MAX, CONTROL_MESSAGE_BYTES_MAX, CONTROL_QUESTION_TIMEOUT_S_MAX, CONTROL_TIMEOUT_S,
    KILL_CONFIRM_S_MAX, KILL_RECORD_WAIT_MS_MAX,
};
use hallpass_core::session::{SessionEvent, SessionStatus};
use hallpass_dataplane::gate::{Closed, Cut};
use jiff::Timestamp;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::task::TaskTracker;

use super::Short;
use super::protocol::{Answer, Ask, Killed};
use crate::deliver::AccessSwitch;
use crate::deliver::presigned::Presigning;
use crate::supervise::{Happening, Progress};

/// What a kill acts on.
#[derive(Debug)]
pub(crate) struct Desk {
    /// The session.
    pub(crate) session: SessionId,
    /// Ends its access.
    pub(crate) access: AccessSwitch,
    /// Makes its presigned URLs, where a gate does its signing.
    pub(crate) presigning: Option<Presigning>,
    /// Where it is recorded.
    pub(crate) store: Arc<dyn Store>,
    /// Tells the time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Wakes the thread that keeps the processes.
    pub(crate) supervisor: Sender<Happening>,
    /// Grace between TERM and KILL.
    pub(crate) grace: Duration,
}

/// The listening socket. Dropping it removes the file and answers nobody any more.
#[derive(Debug)]
pub(crate) struct ControlSocket {
    path: PathBuf,
    stop: tokio_util::sync::CancellationToken,
    tasks: TaskTracker,
}

impl ControlSocket {
    /// Begins to listen in the session's private folder, which nobody else can enter.
    ///
    /// # Errors
    /// As the operating system says.
    pub(crate) fn bind(path: &Path, desk: Desk) -> io::Result<Self> {
        let short = Short::of(path)?;
        let listener = UnixListener::bind(&short.path)?;
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        let (stop, tasks) = (tokio_util::sync::CancellationToken::new(), TaskTracker::new());
        let serving = serve(listener, Arc::new(desk), tasks.clone());
        tasks.spawn(stop.clone().run_until_cancelled_owned(serving));
        Ok(Self { path: path.to_owned(), stop, tasks })
    }

    /// Takes no more questions, and waits until those that were asked have been answered.
    pub(crate) async fn finish(self) {
        self.stop.cancel();
        self.tasks.close();
        let answered = tokio::time::timeout(Duration::from_secs(CONTROL_TIMEOUT_S), self.tasks.wait()).await;
        if answered.is_err() {
            tracing::warn!("a question on the control socket was left without an answer");
        }
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        self.stop.cancel();
        // The folder that it stands in goes as well.
        drop(std::fs::remove_file(&self.path));
    }
}

async fn serve(listener: UnixListener, desk: Arc<Desk>, tasks: TaskTracker) {
    let places = Arc::new(Semaphore::new(CONTROL_CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let desk = Arc::clone(&desk);
        tasks.spawn(async move {
            if let Err(error) = converse(stream, &desk).await {
                tracing::debug!(%error, "a conversation on the control socket broke");
            }
            drop(place);
        });
    }
}

/// One question and its answers.
async fn converse(mut stream: UnixStream, desk: &Desk) -> io::Result<()> {
    let peer = stream.peer_cred()?.uid();
    let own = rustix::process::geteuid().as_raw();
    if peer != own && peer != 0 {
        return say(&mut stream, &Answer::Error { message: "this session belongs to another user".to_owned() }).await;
    }
    let timeout = Duration::from_secs(CONTROL_QUESTION_TIMEOUT_S_MAX);
    let mut line = Vec::new();
    let limit = u64::try_from(CONTROL_MESSAGE_BYTES_MAX).unwrap_or(u64::MAX);
    let mut reader = BufReader::new((&mut stream).take(limit));
    tokio::time::timeout(timeout, reader.read_until(b'\n', &mut line)).await.map_err(io::Error::from)??;
    let begun = Instant::now();
    let ask = match serde_json::from_slice(&line) {
        Ok(ask) if line.ends_with(b"\n") => ask,
        _ => return say(&mut stream, &Answer::Error { message: "that is not a question".to_owned() }).await,
    };
    match ask {
        Ask::Status {} => {
            let lending = desk.store.session(&desk.session).await.ok().flatten();
            let lending = lending.is_some_and(|record| record.session.status == SessionStatus::Active);
            say(&mut stream, &Answer::Status { pid: std::process::id(), lending }).await
        }
        Ask::Presign { method, bucket, key, region, life_s } => {
            let answer = match &desk.presigning {
                Some(presigning) => presigning.answer(method, bucket, key, region, life_s).await,
                None => Answer::Error { message: "this session has no gate, so nothing is signed for it".to_owned() },
            };
            say(&mut stream, &answer).await
        }
        Ask::Kill {} => kill(&mut stream, desk, begun, &user_name(peer)).await,
        Ask::KillChild { session } => kill_child(&mut stream, desk, &session, begun, &user_name(peer)).await,
    }
}

/// Access ends first, in memory, whatever happens to everything after it.
async fn kill(stream: &mut UnixStream, desk: &Desk, begun: Instant, by: &str) -> io::Result<()> {
    let mut killed = Killed::default();
    let cut = desk.access.refuse(Closed::Revoked);
    killed.gate_refusing_us = micros(begun, Instant::now());
    killed.streams_cut_us = killed.gate_refusing_us;
    killed.streams_cut = cut.streams_cut;
    let revoked_at = desk.clock.now();
    let (progress, mut news) = mpsc::unbounded_channel();
    // A supervisor that is gone has no processes left to end.
    drop(desk.supervisor.send(Happening::End(progress)));
    let refusing = Answer::Refusing {
        gate_refusing_us: killed.gate_refusing_us,
        streams_cut: killed.streams_cut,
        grace_s: desk.grace.as_secs() + KILL_CONFIRM_S_MAX,
    };
    // Whoever asked may have gone away; what was asked is done all the same.
    let mut heard = say(stream, &refusing).await.is_ok();
    let soon = Duration::from_millis(KILL_RECORD_WAIT_MS_MAX);
    let over = tokio::time::timeout(soon, follow(&mut news, begun, &mut killed)).await.is_ok();
    record(desk, &desk.session, begun, revoked_at, by, &mut killed).await;
    if !over {
        follow(&mut news, begun, &mut killed).await;
    }
    heard &= say(stream, &Answer::Killed(killed)).await.is_ok();
    if !heard {
        tracing::info!("whoever asked for the kill did not wait for the answer");
    }
    Ok(())
}

/// Access of the child session ends first, in memory; the processes are its parent's, and go on.
async fn kill_child(
    stream: &mut UnixStream,
    desk: &Desk,
    child: &SessionId,
    begun: Instant,
    by: &str,
) -> io::Result<()> {
    let cut = match desk.access.refuse_child(child, Closed::Revoked) {
        Some(cut) => cut,
        // It is only being opened, and the record stops that; or it has ended.
        None if is_child(desk, child).await => Cut::default(),
        None => {
            let message = "this process keeps no such child session".to_owned();
            return say(stream, &Answer::Error { message }).await;
        }
    };
    let refusing_us = micros(begun, Instant::now());
    let revoked_at = desk.clock.now();
    let mut killed = Killed {
        gate_refusing_us: refusing_us,
        streams_cut_us: refusing_us,
        streams_cut: cut.streams_cut,
        ..Killed::default()
    };
    let refusing = Answer::Refusing { gate_refusing_us: refusing_us, streams_cut: cut.streams_cut, grace_s: 0 };
    let heard = say(stream, &refusing).await.is_ok();
    record(desk, child, begun, revoked_at, by, &mut killed).await;
    if !(heard && say(stream, &Answer::Killed(killed)).await.is_ok()) {
        tracing::info!("whoever asked for the kill did not wait for the answer");
    }
    Ok(())
}

async fn is_child(desk: &Desk, session: &SessionId) -> bool {
    let record = desk.store.session(session).await.ok().flatten();
    record.is_some_and(|record| record.session.parent.is_some())
}

/// Notes how the end of the processes goes, until it is over.
async fn follow(news: &mut mpsc::UnboundedReceiver<Progress>, begun: Instant, killed: &mut Killed) {
    loop {
        match news.recv().await {
            Some(Progress::Signalled(at)) if killed.processes_signalled_us == 0 => {
                killed.processes_signalled_us = micros(begun, at).max(1);
            }
            Some(Progress::Signalled(_)) => {}
            Some(Progress::Gone(at)) => {
                killed.processes_gone_us = Some(micros(begun, at));
                return;
            }
            Some(Progress::Stuck(stuck)) => {
                killed.processes_stuck = stuck;
                return;
            }
            // The supervisor had finished before it was asked: there was nothing left to end.
            None => {
                let now = micros(begun, Instant::now());
                if killed.processes_signalled_us == 0 {
                    killed.processes_signalled_us = now;
                    killed.processes_gone_us = Some(now);
                }
                return;
            }
        }
    }
}

/// Writes the state and the one record of the kill in one transaction. When that fails, the answer says so, and the
/// log says so as soon as it can be written again.
async fn record(desk: &Desk, id: &SessionId, begun: Instant, at: Timestamp, by: &str, killed: &mut Killed) {
    let event = Event::SessionKilled {
        by: by.to_owned(),
        gate_refusing_us: killed.gate_refusing_us,
        streams_cut_us: killed.streams_cut_us,
        streams_cut: killed.streams_cut,
        processes_signalled_us: killed.processes_signalled_us,
        processes_gone_us: killed.processes_gone_us,
    };
    let change = Transition {
        events: vec![event],
        ..Transition::new(id.clone(), SessionEvent::Revoke, at, format!("killed by {by}"))
    };
    match lifecycle::end(&*desk.store, change).await {
        Ok(record) => {
            killed.recorded_us = Some(micros(begun, Instant::now()));
            killed.status = Some(record.session.status.to_string());
        }
        Err(error) => {
            killed.not_recorded = Some(error.to_string());
            interrupted(desk, id, at, &error);
        }
    }
}

/// The kill happened and could not be recorded: the log is told afterwards.
fn interrupted(desk: &Desk, id: &SessionId, since: Timestamp, error: &StoreError) {
    let event = Event::LogInterrupted {
        since,
        reason: error.code().to_owned(),
        done: vec![format!("session {id} was revoked")],
    };
    desk.store.append_later(Some(id), event);
}

async fn say(stream: &mut UnixStream, answer: &Answer) -> io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    let timeout = Duration::from_secs(CONTROL_TIMEOUT_S);
    tokio::time::timeout(timeout, stream.write_all(&line)).await.map_err(io::Error::from)?
}

fn micros(begun: Instant, at: Instant) -> u64 {
    u64::try_from(at.saturating_duration_since(begun).as_micros()).unwrap_or(u64::MAX)
}

/// The kernel says which user asks; the name is only for people.
pub(crate) fn user_name(uid: u32) -> String {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    named.unwrap_or_else(|| format!("uid {uid}"))
}

#[cfg(test)]
mod tests;
