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

/// Ends every descendant of a process.
#[derive(Debug)]
pub(crate) struct Ending {
    root: u32,
    begun: Instant,
    grace: Duration,
    told: BTreeSet<(u32, u64)>,
}

impl Ending {
    /// Begins now, with everything below `root`. Processes in `told` have had their TERM already.
    pub(crate) fn begin(root: u32, grace: Duration, told: impl IntoIterator<Item = Stat>) -> Self {
        Self { root, begun: Instant::now(), grace, told: told.into_iter().map(|p| p.key()).collect() }
    }

    /// Signals what has to be signalled now: TERM once to each process, newcomers included, but not to those that a
    /// session inside this one tells; after the grace, KILL to all.
    ///
    /// # Errors
    /// When `/proc` cannot be read: nothing can be said about the processes then.
    pub(crate) fn step(&mut self) -> io::Result<Step> {
        let alive = processes::descendants(self.root)?;
        if alive.is_empty() {
            return Ok(Step::Gone);
        }
        let elapsed = self.begun.elapsed();
        if elapsed < self.grace {
            for process in processes::not_supervised(&alive).iter().filter(|p| self.told.insert(p.key())) {
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

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};
    use std::time::{Duration, Instant};

    use hallpass_core::limits::KILL_CONFIRM_S_MAX;

    use super::{Ending, Step};
    use crate::supervise::processes::descendants;

    /// A shell whose child ignores TERM.
    fn family() -> Child {
        let script = "sh -c 'trap \"\" TERM; while :; do sleep 0.05; done' & wait";
        let root = Command::new("sh").args(["-c", script]).spawn().expect("starts");
        let begun = Instant::now();
        while descendants(root.id()).expect("/proc").len() < 2 && begun.elapsed().as_secs() < 10 {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(50));
        root
    }

    #[test]
    fn what_ignores_term_is_killed_after_the_grace_and_not_before() {
        let mut root = family();
        let grace = Duration::from_millis(400);
        let mut ending = Ending::begin(root.id(), grace, []);
        let begun = Instant::now();
        loop {
            match ending.step().expect("/proc") {
                Step::Gone => break,
                Step::Wait(time) => std::thread::sleep(time),
                Step::Stuck(_) => unreachable!("nothing hangs in the kernel here"),
            }
            assert!(begun.elapsed() < Duration::from_secs(10), "it never ends");
        }
        assert!(begun.elapsed() >= grace);
        root.wait().expect("reaped");
    }

    #[test]
    fn what_outlives_kill_for_too_long_is_reported_and_not_waited_for() {
        let mut root = family();
        let mut ending = Ending::begin(root.id(), Duration::ZERO, []);
        ending.begun = Instant::now().checked_sub(Duration::from_secs(KILL_CONFIRM_S_MAX + 1)).expect("a past");
        assert!(matches!(ending.step().expect("/proc"), Step::Stuck(1..)));
        let mut ending = Ending::begin(root.id(), Duration::ZERO, []);
        while ending.step().expect("/proc") != Step::Gone {
            std::thread::sleep(Duration::from_millis(5));
        }
        root.wait().expect("reaped");
    }
}
