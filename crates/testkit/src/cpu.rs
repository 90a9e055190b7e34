//! Processor time of whole child processes, grandchildren included: the number that a busy machine disturbs least.

use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// What one run of a command cost.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// User and system time, of the command and of every descendant that was waited for.
    pub cpu: Duration,
    /// Time on the wall.
    pub wall: Duration,
    /// How it ended.
    pub status: ExitStatus,
}

/// Runs a command with its output thrown away. Correct only while this process waits for no other child.
///
/// # Panics
/// The command cannot be started.
pub fn cost(command: &mut Command) -> Cost {
    cost_into(command, Stdio::null())
}

/// Runs a command with its stdout put somewhere and the rest thrown away. Correct only while this process waits for no
/// other child.
///
/// # Panics
/// The command cannot be started.
pub fn cost_into(command: &mut Command, stdout: impl Into<Stdio>) -> Cost {
    command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::null());
    let (before, started) = (children(), Instant::now());
    let status = command.status().expect("the measured command can be started");
    Cost { cpu: children().saturating_sub(before), wall: started.elapsed(), status }
}

/// The middle one of an odd number of durations, the upper middle of an even number; zero of none.
pub fn median(durations: &[Duration]) -> Duration {
    let mut sorted = durations.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

fn children() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the kernel counts our children");
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(micros.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::{cost, median};

    #[test]
    fn work_of_a_grandchild_counts_and_sleep_does_not() {
        let busy = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
        let worked = cost(Command::new("sh").args(["-c", &format!("sh -c '{busy}'; true")]));
        let slept = cost(Command::new("sleep").arg("0.3"));
        assert!(worked.status.success() && worked.cpu > Duration::from_millis(20), "{worked:?}");
        assert!(slept.wall >= Duration::from_millis(300) && slept.cpu < Duration::from_millis(100), "{slept:?}");
    }

    #[test]
    fn the_median_is_not_moved_by_one_outlier() {
        let of = |all: &[u64]| median(&all.iter().map(|ms| Duration::from_millis(*ms)).collect::<Vec<_>>());
        assert_eq!(of(&[3, 1, 900]), Duration::from_millis(3));
        assert_eq!(of(&[]), Duration::ZERO);
    }
}
