//! Asks a person, on the terminal itself: neither stdout nor stderr sees the question, and nobody sees the answer.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hallpass_core::limits::ALIAS_VALUE_BYTES_MAX;
use hallpass_core::secret::Secret;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use signal_hook::SigId;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use zeroize::Zeroizing;

/// Pause between two looks for a signal.
const LOOK_EVERY: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// True when somebody sits there who can be asked.
pub(crate) fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for one line that is shown.
///
/// # Errors
/// [`io::ErrorKind::NotConnected`] when there is nobody to ask; else what the terminal says.
pub(crate) fn line(question: &str) -> io::Result<String> {
    let mut terminal = terminal()?;
    terminal.write_all(format!("{question}: ").as_bytes())?;
    let mut answer = String::new();
    let limit = ALIAS_VALUE_BYTES_MAX as u64;
    BufReader::new(terminal).take(limit).read_line(&mut answer)?;
    Ok(answer.trim_end_matches(['\r', '\n']).to_owned())
}

/// The same where somebody else listens to signals, so that Ctrl-C alone would not end the waiting.
///
/// # Errors
/// As [`line()`]; [`io::ErrorKind::Interrupted`] after SIGINT, SIGTERM or SIGHUP.
pub(crate) fn line_or_signal(question: &str) -> io::Result<String> {
    let heard = Heard::listen()?;
    let mut terminal = terminal()?;
    terminal.write_all(format!("{question}: ").as_bytes())?;
    loop {
        let mut ready = [PollFd::new(&terminal, PollFlags::IN)];
        let polled = poll(&mut ready, Some(&LOOK_EVERY));
        if heard.any() {
            terminal.write_all(b"\n")?;
            return Err(io::ErrorKind::Interrupted.into());
        }
        match polled {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => break,
            Err(error) => return Err(error.into()),
        }
    }
    let mut answer = String::new();
    BufReader::new(terminal).take(ALIAS_VALUE_BYTES_MAX as u64).read_line(&mut answer)?;
    Ok(answer.trim_end_matches(['\r', '\n']).to_owned())
}

/// Signals that came since; until it is dropped.
struct Heard {
    any: Arc<AtomicBool>,
    registered: Vec<SigId>,
}

impl Heard {
    fn listen() -> io::Result<Self> {
        let mut heard = Self { any: Arc::default(), registered: Vec::new() };
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            heard.registered.push(signal_hook::flag::register(signal, Arc::clone(&heard.any))?);
        }
        Ok(heard)
    }

    fn any(&self) -> bool {
        self.any.load(Ordering::SeqCst)
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        for id in self.registered.drain(..) {
            signal_hook::low_level::unregister(id);
        }
    }
}

/// Asks for one line that is not shown. Ctrl-C is [`io::ErrorKind::Interrupted`].
///
/// # Errors
/// As [`line()`]; [`io::ErrorKind::InvalidInput`] for more than [`ALIAS_VALUE_BYTES_MAX`] bytes.
pub(crate) fn secret(question: &str) -> io::Result<Secret> {
    let mut terminal = terminal()?;
    let silent = Silent::new(&terminal)?;
    terminal.write_all(format!("{question}: ").as_bytes())?;
    let answer = hidden(&mut terminal);
    drop(silent);
    terminal.write_all(b"\n")?;
    answer
}

/// The terminal without echo, until it is dropped.
struct Silent {
    terminal: File,
    before: Termios,
}

impl Silent {
    /// Signals are off as well: one that ended us here would leave the terminal mute.
    fn new(terminal: &File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut mute = before.clone();
        mute.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(terminal, OptionalActions::Flush, &mute)?;
        Ok(Self { terminal: terminal.try_clone()?, before })
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        if let Err(error) = tcsetattr(&self.terminal, OptionalActions::Drain, &self.before) {
            tracing::warn!(%error, "the terminal's echo could not be turned on again; run `stty sane`");
        }
    }
}

fn terminal() -> io::Result<File> {
    if !is_possible() {
        return Err(io::ErrorKind::NotConnected.into());
    }
    OpenOptions::new().read(true).write(true).open("/dev/tty")
}

fn hidden(from: &mut impl Read) -> io::Result<Secret> {
    let mut text = Zeroizing::new(Vec::new());
    let mut byte = Zeroizing::new([0; 1]);
    loop {
        if from.read(&mut *byte)? == 0 {
            break;
        }
        match byte[0] {
            b'\r' | b'\n' | 0x04 => break,
            0x03 => return Err(io::ErrorKind::Interrupted.into()),
            0x08 | 0x7f => drop(text.pop()),
            0x15 => text.clear(),
            _ if text.len() >= ALIAS_VALUE_BYTES_MAX => {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "the answer is too long"));
            }
            other => text.push(other),
        }
    }
    let text = std::str::from_utf8(&text).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use hallpass_core::limits::ALIAS_VALUE_BYTES_MAX;

    use super::hidden;

    #[test]
    fn an_answer_can_be_corrected_ended_and_abandoned() {
        let said =
            |bytes: &[u8]| hidden(&mut &bytes[..]).map(|secret| secret == hallpass_core::secret::Secret::new("ab"));
        assert!(said(b"ab\nrest").expect("an answer"));
        assert!(said(b"xy\x15ac\x7fb\r").expect("an answer"));
        assert!(said(b"ab\x04").expect("an answer"));
        assert_eq!(said(b"ab\x03").expect_err("abandoned").kind(), ErrorKind::Interrupted);
        let long = vec![b'x'; ALIAS_VALUE_BYTES_MAX + 1];
        assert_eq!(said(&long).expect_err("too long").kind(), ErrorKind::InvalidInput);
    }
}
