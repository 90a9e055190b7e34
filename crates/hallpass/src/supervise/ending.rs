//! The end of a session's processes: TERM, grace, KILL, until none is left.

use std::collections::BTreeSet;
use std::io;
use std::time::{Duration, Instant};

use hallpass_core::limits::KILL_CONFIRM_S_MAX;
use rustix::process::Signal;

use super::processes::{self, Stat};

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing runs any more.
    Gone,
    /// Look again after this time, or when a child changes.
    Wait(Duration),
    /// So many processes outlived KILL for [`KILL_CONFIRM_S_MAX`]: they hang in the kernel.
    Stuck(usize),
}

/// How often the processes are looked at while they end.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// How often later, when they take their time.
const LOOK_AGAIN_LATER: Duration = Duration::from_millis(100);

/// Ends every descendant of this process.
#[derive(Debug)]
pub(crate) struct Ending {
    begun: Instant,
    grace: Duration,
    told: BTreeSet<(u32, u64)>,
}

impl Ending {
    /// Begins now. Processes in `told` have had their TERM already.
    pub(crate) fn begin(grace: Duration, told: impl IntoIterator<Item = Stat>) -> Self {
        Self { begun: Instant::now(), grace, told: told.into_iter().map(|p| p.key()).collect() }
    }

    /// Signals what has to be signalled now: TERM once to each process, newcomers included; after the grace, KILL.
    ///
    /// # Errors
    /// When `/proc` cannot be read: nothing can be said about the processes then.
    pub(crate) fn step(&mut self) -> io::Result<Step> {
        let alive = processes::descendants(std::process::id())?;
        if alive.is_empty() {
            return Ok(Step::Gone);
        }
        let elapsed = self.begun.elapsed();
        if elapsed < self.grace {
            for process in alive.iter().filter(|p| self.told.insert(p.key())) {
                quietly(processes::signal(process, Signal::TERM));
                // A stopped process hears TERM only when it goes on.
                quietly(processes::signal(process, Signal::CONT));
            }
            let often = if elapsed < Duration::from_secs(1) { LOOK_AGAIN } else { LOOK_AGAIN_LATER };
            return Ok(Step::Wait(often.min(self.grace.saturating_sub(elapsed))));
        }
        if elapsed > self.grace + Duration::from_secs(KILL_CONFIRM_S_MAX) {
            return Ok(Step::Stuck(alive.len()));
        }
        for process in &alive {
            quietly(processes::signal(process, Signal::KILL));
        }
        Ok(Step::Wait(LOOK_AGAIN))
    }
}

/// A process that may not be signalled (it changed its user) is seen again in the next step, and counted at the end.
fn quietly(result: io::Result<()>) {
    if let Err(error) = result {
        tracing::warn!(%error, "a process of the session could not be signalled");
    }
}
