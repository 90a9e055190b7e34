//! `hallpass __shim`: the last thing that runs as us before the child's program does.

use std::ffi::OsString;

use clap::Args;

use crate::command::Context;
use crate::error::{CommandError, ErrorKind, ExitStatus};
use crate::scrub::CoreLimit;

/// Not for people
#[derive(Debug, Args)]
pub(crate) struct ShimArgs {
    /// The process whose end is the child's end
    #[arg(long)]
    parent: u32,
    /// The soft limit of core files to put back
    #[arg(long)]
    core: CoreLimit,
    /// The program and its arguments
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// Ties this process's life to its parent's, puts back what the parent changed for itself, and becomes the program.
/// Signal handlers of ours vanish with the exec; the standard library puts SIGPIPE and the signal mask back.
pub(crate) fn shim(_context: &Context, args: ShimArgs) -> Result<ExitStatus, CommandError> {
    use std::os::unix::process::CommandExt;
    tie_to(args.parent)?;
    restore_core_limit(args.core)?;
    let (program, rest) = args.command.split_first().ok_or_else(|| refused("no program was given"))?;
    let error = std::process::Command::new(program).args(rest).exec();
    let shown = program.to_string_lossy();
    let failure = match error.kind() {
        std::io::ErrorKind::NotFound => CommandError::new(
            ErrorKind::CommandNotFound,
            "run.command_not_found",
            format!("`{shown}`, or the interpreter that it names, does not exist"),
        ),
        _ => CommandError::new(ErrorKind::NotExecutable, "run.not_executable", format!("`{shown}` cannot be executed")),
    };
    Err(failure.because(&error).next("check that it runs without hallpass"))
}

#[cfg(target_os = "linux")]
fn tie_to(parent: u32) -> Result<(), CommandError> {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|e| refused(&e.to_string()))?;
    // A parent that died before the line above sends nothing any more; then this is somebody else's child by now.
    let now = getppid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs());
    if now != Some(parent) {
        return Err(refused("the session that this command belongs to has ended"));
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn tie_to(_: u32) -> Result<(), CommandError> {
    Ok(())
}

fn restore_core_limit(limit: CoreLimit) -> Result<(), CommandError> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let now = getrlimit(Resource::Core);
    setrlimit(Resource::Core, Rlimit { current: limit.0, ..now }).map_err(|e| refused(&e.to_string()))
}

fn refused(why: &str) -> CommandError {
    CommandError::new(ErrorKind::General, "run.shim", "the command was not started").cause(why).before_child()
}
