//! The signals that we hear, and which of them the child still has to be told.

use std::io;
use std::sync::mpsc::Sender;

use rustix::process::Signal;
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::WithOrigin;
use signal_hook::low_level::siginfo::Cause;

use super::Happening;
use super::processes::made_up;

/// Signals that are passed on to the child.
pub(crate) const FORWARDED: [Signal; 7] =
    [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT, Signal::USR1, Signal::USR2, Signal::WINCH];

/// A signal that reached us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heard {
    /// Which.
    pub(crate) signal: Signal,
    /// True when the kernel sent it on behalf of the terminal, so that the whole foreground group has it already.
    pub(crate) by_terminal: bool,
}

/// Begins to listen, on a thread of its own, and reports to `inbox`. What was ignored when we were started (`nohup`)
/// stays ignored, for us and for the child.
///
/// # Errors
/// When the handlers cannot be installed.
pub(crate) fn listen(inbox: Sender<Happening>) -> io::Result<()> {
    let ignored = ignored_at_start();
    let mut numbers = vec![Signal::CHILD.as_raw()];
    numbers.extend(FORWARDED.iter().map(|s| s.as_raw()).filter(|n| ignored & (1 << (n - 1)) == 0));
    let mut signals = SignalsInfo::<WithOrigin>::new(numbers)?;
    let forward = move || {
        for origin in signals.forever() {
            let happening = match Signal::from_named_raw(origin.signal) {
                Some(Signal::CHILD) => Happening::ChildChanged,
                Some(signal) => Happening::Signal(Heard { signal, by_terminal: origin.cause == Cause::Kernel }),
                None => continue,
            };
            if inbox.send(happening).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(forward)?;
    Ok(())
}

/// True when the signal was ignored when we were started (`nohup`).
pub(crate) fn is_ignored_at_start(signal: i32) -> bool {
    ignored_at_start() & (1 << (signal - 1)) != 0
}

/// `SigIgn` of `/proc/self/status`: bit n-1 stands for signal n.
fn ignored_at_start() -> u64 {
    let status = made_up("/proc/self/status").unwrap_or_default();
    let status = String::from_utf8_lossy(&status);
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).unwrap_or(0)
}
