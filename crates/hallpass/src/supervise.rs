//! The child: started, watched, told, and ended with everything that it started.
//!
//! The main thread does all of it, and sleeps until something happens: a child changed, a signal came, somebody asked
//! for the end, or the time is over.

mod ending;
pub(crate) mod processes;
mod signals;
pub(crate) mod spawn;
mod terminal;

use std::collections::BTreeSet;
use std::io;
use std::process::Child;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use hallpass_core::budget::{Exceeded, Warning};
use hallpass_core::clock::Clock;
use jiff::Timestamp;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process, kill_process_group, waitpid};

use ending::{Ending, Step};
use processes::Stat;
pub(crate) use signals::{Heard, is_ignored_at_start, listen};
pub(crate) use terminal::Terminal;

/// The wall clock is looked at this often, so that a suspended machine or a changed clock does not stretch a session.
const CLOCK_RECHECK: Duration = Duration::from_secs(2);
/// A zombie that nobody has reaped for this long was left to us by a process that died.
const ADOPTED_AFTER: Duration = Duration::from_secs(1);
/// A stopped child is looked at twice, this far apart: the shell may be waking it and us in this very moment.
const STOP_SETTLES: Duration = Duration::from_millis(20);

/// What wakes the main thread.
#[derive(Debug)]
pub(crate) enum Happening {
    /// SIGCHLD.
    ChildChanged,
    /// A signal that the child may have to hear.
    Signal(Heard),
    /// A share of a cap is used: tell the person.
    Warned(Warning),
    /// A cap is used up: end the processes.
    Exhausted(Exceeded),
    /// The session was taken back: end its processes, and say how that goes.
    End(tokio::sync::mpsc::UnboundedSender<Progress>),
}

impl Happening {
    fn is_of_the_gate(&self) -> bool {
        matches!(self, Self::Warned(_) | Self::Exhausted(_))
    }
}

/// How the end of the processes goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Progress {
    /// All have been signalled.
    Signalled(Instant),
    /// None is left.
    Gone(Instant),
    /// So many hang in the kernel and could not be ended.
    Stuck(usize),
}

/// Why there is no child any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// It ended by itself.
    Exited,
    /// The session's time ended it.
    Expired,
    /// The session was taken back.
    Killed,
    /// A cap of the session is used up.
    Exhausted(Exceeded),
    /// We were told to end (SIGTERM).
    Told,
    /// Its processes could not be watched any more.
    Lost,
}

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The child's exit code, or 128 plus the signal that ended it; `None` when it could not be ended.
    pub(crate) code: Option<u8>,
    /// Why it is over.
    pub(crate) cause: Cause,
    /// Processes that outlived KILL.
    pub(crate) stuck: usize,
}

/// What is to be obeyed.
pub(crate) struct Rules<'a> {
    /// Grace between TERM and KILL.
    pub(crate) grace: Duration,
    /// When the session ends.
    pub(crate) expires_at: Timestamp,
    /// Tells the time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Called once, at expiry, before anything else; says whether the processes are to be ended.
    pub(crate) at_expiry: &'a mut dyn FnMut() -> bool,
    /// Tells the person what share of a cap is used.
    pub(crate) warn: &'a mut dyn FnMut(Warning),
    /// The controlling terminal, if there is one.
    pub(crate) terminal: Option<&'a Terminal>,
    /// True when the child has a process group of its own.
    pub(crate) own_group: bool,
}

/// Watches the child until it is gone.
///
/// # Errors
/// When the processes cannot be watched; the caller closes the session's access and ends.
pub(crate) fn supervise(child: &Child, inbox: &Receiver<Happening>, rules: Rules<'_>) -> io::Result<Outcome> {
    let pid = processes::pid(child.id()).ok_or_else(|| io::Error::other("the child has no process id"))?;
    let watch = Watch {
        pid,
        rules,
        status: None,
        expired: false,
        ending: None,
        listeners: Vec::new(),
        zombies: BTreeSet::new(),
        look_for_zombies: None,
    };
    watch.until_gone(inbox)
}

/// The state of one supervision.
struct Watch<'a> {
    pid: Pid,
    rules: Rules<'a>,
    status: Option<WaitStatus>,
    expired: bool,
    ending: Option<(Cause, Ending)>,
    listeners: Vec<tokio::sync::mpsc::UnboundedSender<Progress>>,
    zombies: BTreeSet<(u32, u64)>,
    look_for_zombies: Option<Instant>,
}

impl Watch<'_> {
    fn until_gone(mut self, inbox: &Receiver<Happening>) -> io::Result<Outcome> {
        loop {
            self.reap()?;
            self.check_time();
            let mut wait = self.until_next_look();
            match self.ending.as_mut() {
                None => {
                    if let Some(status) = self.status {
                        // What the gate said before the child ended counts.
                        inbox.try_iter().filter(Happening::is_of_the_gate).for_each(|happening| self.handle(happening));
                        if self.ending.is_some() {
                            continue;
                        }
                        return Ok(Outcome { code: Some(code(status)), cause: Cause::Exited, stuck: 0 });
                    }
                }
                Some((cause, ending)) => match (ending.step()?, self.status) {
                    (Step::Gone, Some(status)) => {
                        let outcome = Outcome { code: Some(code(status)), cause: *cause, stuck: 0 };
                        return Ok(self.over(outcome));
                    }
                    (Step::Stuck(stuck), status) => {
                        let outcome = Outcome { code: status.map(code), cause: *cause, stuck };
                        return Ok(self.over(outcome));
                    }
                    // The child is a zombie: it is reaped in the next round.
                    (Step::Gone, None) => wait = wait.min(STOP_SETTLES),
                    (Step::Wait(time), _) => {
                        wait = wait.min(time);
                        self.tell(Progress::Signalled(Instant::now()));
                    }
                },
            }
            match inbox.recv_timeout(wait) {
                Ok(happening) => self.handle(happening),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(io::Error::other("nobody listens to signals")),
            }
        }
    }

    fn handle(&mut self, happening: Happening) {
        match happening {
            Happening::ChildChanged => {
                self.look_for_zombies.get_or_insert_with(|| Instant::now() + ADOPTED_AFTER);
            }
            Happening::Signal(heard) => self.forward(heard),
            Happening::Warned(warning) => (self.rules.warn)(warning),
            Happening::Exhausted(exceeded) => self.end(Cause::Exhausted(exceeded), Vec::new()),
            Happening::End(listener) => {
                self.listeners.push(listener);
                self.end(Cause::Killed, Vec::new());
            }
        }
    }

    /// Begins the end, or changes the reason of one that has begun: taking back weighs more than any other.
    fn end(&mut self, why: Cause, told: Vec<Stat>) {
        match self.ending.as_mut() {
            Some((cause, _)) if why == Cause::Killed => *cause = why,
            Some(_) => {}
            None => self.ending = Some((why, Ending::begin(std::process::id(), self.rules.grace, told))),
        }
    }

    /// Tells the child once what we were told. In a shared foreground group the terminal has told it already; what
    /// reaches only us is passed to those of our descendants that the terminal would have told.
    fn forward(&mut self, heard: Heard) {
        let mut told = Vec::new();
        if self.rules.own_group {
            // The group is gone once its last process is; then there is nobody to tell.
            let _ = kill_process_group(self.pid, heard.signal);
            told = self.family(|process, own, child| process.group == child && process.group != own);
        } else if !heard.by_terminal || (heard.signal == Signal::HUP && leads_session()) {
            told = self.family(|process, own, _| process.group == own);
            for process in &told {
                drop(processes::signal(process, heard.signal));
            }
        }
        if heard.signal == Signal::TERM {
            self.end(Cause::Told, told);
        }
    }

    /// Descendants that `chosen` picks by (process, our group, the child's group), without those that a session inside
    /// this one tells.
    fn family(&self, chosen: impl Fn(&Stat, u32, u32) -> bool) -> Vec<Stat> {
        let raw = |pid: Pid| pid.as_raw_nonzero().get().unsigned_abs();
        let (own, child) = (raw(rustix::process::getpgrp()), raw(self.pid));
        let all = processes::descendants(std::process::id()).unwrap_or_default();
        processes::not_supervised(&all).into_iter().filter(|process| chosen(process, own, child)).collect()
    }

    fn check_time(&mut self) {
        if self.expired || self.rules.clock.now() < self.rules.expires_at {
            return;
        }
        self.expired = true;
        if (self.rules.at_expiry)() {
            self.end(Cause::Expired, Vec::new());
        }
    }

    fn until_next_look(&self) -> Duration {
        let mut wait = CLOCK_RECHECK;
        if !self.expired {
            let left = self.rules.expires_at.duration_since(self.rules.clock.now());
            wait = wait.min(Duration::try_from(left).unwrap_or(Duration::ZERO));
        }
        if let Some(at) = self.look_for_zombies {
            wait = wait.min(at.saturating_duration_since(Instant::now()));
        }
        wait
    }

    fn reap(&mut self) -> io::Result<()> {
        let mut options = WaitOptions::NOHANG;
        if self.rules.terminal.is_some() {
            options |= WaitOptions::UNTRACED;
        }
        while self.status.is_none() {
            match waitpid(Some(self.pid), options) {
                Ok(Some((_, status))) if status.stopped() => self.stop_along(status),
                Ok(Some((_, status))) => self.status = Some(status),
                Ok(None) => break,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if self.look_for_zombies.is_some_and(|at| at <= Instant::now()) {
            self.reap_adopted();
        }
        Ok(())
    }

    /// Reaps what dead processes left to us, and nothing that another part of this program started and waits for:
    /// only what has been a zombie for [`ADOPTED_AFTER`].
    fn reap_adopted(&mut self) {
        let found = processes::zombies_of(std::process::id()).unwrap_or_default();
        let (old, new): (Vec<Stat>, Vec<Stat>) = found.into_iter().partition(|z| self.zombies.contains(&z.key()));
        for zombie in old.iter().filter_map(|z| processes::pid(z.pid)).filter(|pid| *pid != self.pid) {
            // Somebody else may have reaped it in this moment.
            let _ = waitpid(Some(zombie), WaitOptions::NOHANG);
        }
        self.zombies = new.iter().map(Stat::key).collect();
        self.look_for_zombies = (!new.is_empty()).then(|| Instant::now() + ADOPTED_AFTER);
    }

    /// The child stopped itself on a terminal (Ctrl-Z in an editor): we stop as well, so that the shell sees the job
    /// stop, and wake it when the shell wakes us.
    fn stop_along(&self, status: WaitStatus) {
        let job_control = [Signal::TSTP, Signal::TTIN, Signal::TTOU].map(Signal::as_raw);
        let stopped =
            || processes::stat(self.pid.as_raw_nonzero().get().unsigned_abs()).is_some_and(|s| s.state == b'T');
        let by_job_control = status.stopping_signal().is_some_and(|signal| job_control.contains(&signal));
        std::thread::sleep(STOP_SETTLES);
        if !by_job_control || !stopped() || self.ending.is_some() {
            return;
        }
        let _ = kill_process(rustix::process::getpid(), Signal::STOP);
        // Here somebody has woken us.
        if self.rules.own_group {
            if let Some(terminal) = self.rules.terminal.filter(|t| t.is_ours()) {
                drop(terminal.give_to(self.pid));
            }
            let _ = kill_process_group(self.pid, Signal::CONT);
        } else {
            let _ = kill_process(self.pid, Signal::CONT);
        }
    }

    fn tell(&mut self, progress: Progress) {
        // Whoever asked may have gone; the end goes on.
        self.listeners.retain(|listener| listener.send(progress).is_ok());
    }

    fn over(mut self, outcome: Outcome) -> Outcome {
        let now = Instant::now();
        self.tell(Progress::Signalled(now));
        self.tell(if outcome.stuck == 0 { Progress::Gone(now) } else { Progress::Stuck(outcome.stuck) });
        if let Some(terminal) = self.rules.terminal {
            terminal.restore();
        }
        outcome
    }
}

fn leads_session() -> bool {
    rustix::process::getsid(None).is_ok_and(|leader| leader == rustix::process::getpid())
}

/// The number that a shell would show.
fn code(status: WaitStatus) -> u8 {
    let number = match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => code,
        (None, Some(signal)) => 128 + signal,
        (None, None) => 255,
    };
    u8::try_from(number).unwrap_or(u8::MAX)
}
