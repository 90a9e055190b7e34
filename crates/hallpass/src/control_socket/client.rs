//! The other terminal's end of the socket: what `session kill` does.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use hallpass_control::Keeper;
use hallpass_core::id::SessionId;
use hallpass_core::limits::{CONTROL_MESSAGE_BYTES_MAX, CONTROL_TIMEOUT_S};
use rustix::process::Signal;

use super::Short;
use super::protocol::{Answer, Ask, Killed};
use crate::supervise::processes;

/// What became of a kill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The keeper did it, and measured each step.
    Killed(Killed),
    /// The keeper had died before: its gate died with it. The record has to be repaired.
    KeeperGone,
    /// The keeper did not answer, so it was ended itself (SIGKILL): its gate is gone, and on Linux the child with it.
    /// The record has to be repaired.
    KeeperEnded {
        /// From the signal to the end of the keeper, microseconds.
        after_us: u64,
    },
    /// The keeper lives, does not answer, and could not be ended either.
    OutOfReach(String),
}

/// Takes a session back through its keeper. Blocks until the processes have ended, or the keeper has.
pub(crate) fn kill(keeper: &Keeper) -> Outcome {
    take_back(keeper, &Ask::Kill {})
}

/// Takes one child session back through its keeper. A keeper that does not answer is ended, and its sessions with it.
pub(crate) fn kill_child(keeper: &Keeper, session: &SessionId) -> Outcome {
    take_back(keeper, &Ask::KillChild { session: session.clone() })
}

fn take_back(keeper: &Keeper, ask: &Ask) -> Outcome {
    if !keeper.is_alive() {
        return Outcome::KeeperGone;
    }
    match ask_to_kill(keeper, ask) {
        Ok(killed) => Outcome::Killed(killed),
        Err(_) if !keeper.is_alive() => Outcome::KeeperGone,
        Err(error) => {
            tracing::warn!(%error, "the keeper does not answer");
            end(keeper)
        }
    }
}

/// Asks the keeper one question that has one answer.
///
/// # Errors
/// When the keeper is not there, or does not answer.
pub(crate) fn ask(keeper: &Keeper, question: &Ask) -> io::Result<Answer> {
    answer(&mut asked(keeper, question)?)
}

fn ask_to_kill(keeper: &Keeper, ask: &Ask) -> io::Result<Killed> {
    let mut reader = asked(keeper, ask)?;
    let Answer::Refusing { grace_s, .. } = answer(&mut reader)? else {
        return Err(io::Error::other("the keeper did not do it"));
    };
    let patience = Duration::from_secs(grace_s.saturating_add(CONTROL_TIMEOUT_S));
    reader.get_ref().set_read_timeout(Some(patience))?;
    match answer(&mut reader)? {
        Answer::Killed(killed) => Ok(killed),
        _ => Err(io::Error::other("the keeper did not finish it")),
    }
}

fn asked(keeper: &Keeper, question: &Ask) -> io::Result<BufReader<UnixStream>> {
    let mut stream = connect(keeper)?;
    stream.set_read_timeout(Some(Duration::from_secs(CONTROL_TIMEOUT_S)))?;
    stream.set_write_timeout(Some(Duration::from_secs(CONTROL_TIMEOUT_S)))?;
    let peer = rustix::net::sockopt::socket_peercred(&stream)?.uid.as_raw();
    if peer != rustix::process::geteuid().as_raw() && peer != 0 {
        return Err(io::Error::other("somebody else listens there"));
    }
    let mut line = serde_json::to_vec(question)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    Ok(BufReader::new(stream))
}

/// A session that is only being made has a keeper but no socket yet, and one that is ending has none any more: both
/// are a matter of moments.
fn connect(keeper: &Keeper) -> io::Result<UnixStream> {
    let begun = Instant::now();
    loop {
        let tried = Short::of(&keeper.control_socket).and_then(|short| UnixStream::connect(&short.path));
        match tried {
            Err(error)
                if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
                    && keeper.is_alive()
                    && begun.elapsed() < Duration::from_secs(CONTROL_TIMEOUT_S) =>
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            other => return other,
        }
    }
}

fn answer(reader: &mut BufReader<UnixStream>) -> io::Result<Answer> {
    let mut line = Vec::new();
    let limit = u64::try_from(CONTROL_MESSAGE_BYTES_MAX).unwrap_or(u64::MAX);
    reader.take(limit).read_until(b'\n', &mut line)?;
    if !line.ends_with(b"\n") {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_slice(&line)?)
}

/// Ends a keeper that does not answer. The handle on the process makes sure that it is the keeper that is hit.
fn end(keeper: &Keeper) -> Outcome {
    let begun = Instant::now();
    let Some(target) = processes::stat(keeper.pid).filter(|s| s.start_ticks == keeper.started_ticks) else {
        return Outcome::KeeperGone;
    };
    if let Err(error) = processes::signal(&target, Signal::KILL) {
        return Outcome::OutOfReach(error.to_string());
    }
    while keeper.is_alive() {
        if begun.elapsed() > Duration::from_secs(CONTROL_TIMEOUT_S) {
            return Outcome::OutOfReach("it outlived SIGKILL".to_owned());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Outcome::KeeperEnded { after_us: u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX) }
}
