//! `hallpass __shim`: the last thing that runs as us before the child's program does.

use std::ffi::OsString;

use crate::error::{CommandError, ErrorKind, ExitStatus};
use crate::scrub::CoreLimit;

/// The name of this verb, which is not for people: `__shim PARENT CORE_LIMIT PROGRAM [ARGUMENT…]`, without flags. It
/// stands between every `run` and its command, so it costs no definition of a command line.
pub(crate) const SHIM: &str = "__shim";

/// What [`shim`] is told.
struct Told {
    /// The process whose end is the child's end.
    parent: u32,
    /// The soft limit of core files to put back.
    core: CoreLimit,
    /// The program and its arguments.
    command: Vec<OsString>,
}

/// Ties this process's life to its parent's, puts back what the parent changed for itself, and becomes the program.
/// Signal handlers of ours vanish with the exec; the standard library puts SIGPIPE and the signal mask back.
///
/// # Errors
/// When it was not called as [`SHIM`] says, or the program cannot be started.
pub(crate) fn shim(args: impl Iterator<Item = OsString>) -> Result<ExitStatus, CommandError> {
    use std::os::unix::process::CommandExt;
    let told = read(args).ok_or_else(|| refused("it was not called as `hallpass run` calls it"))?;
    tie_to(told.parent)?;
    restore_core_limit(told.core)?;
    let (program, rest) = told.command.split_first().ok_or_else(|| refused("no program was given"))?;
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

fn read(mut args: impl Iterator<Item = OsString>) -> Option<Told> {
    let parent = args.next()?.to_str()?.parse().ok()?;
    let core = args.next()?.to_str()?.parse().ok()?;
    Some(Told { parent, core, command: args.collect() })
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
