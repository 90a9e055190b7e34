//! What the operating system can do for us.

use std::path::Path;

use super::Check;

/// The kernel's help.
pub(super) fn checks() -> Vec<Check> {
    vec![parent_death(), proc()]
}

/// Can a child be made to die with us?
#[cfg(target_os = "linux")]
fn parent_death() -> Check {
    match rustix::process::parent_process_death_signal() {
        Ok(_) => Check::ok("parent death", "the kernel ends a child when its keeper dies"),
        Err(error) => {
            Check::warn("parent death", format!("the kernel does not tell a child that its keeper died: {error}"))
                .next("the child loses its access all the same, because the gate dies with the keeper")
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn parent_death() -> Check {
    Check::warn("parent death", "this system does not end a child when its keeper dies")
        .next("the child loses its access all the same, because the gate dies with the keeper")
}

/// Process start times tell a keeper from a stranger with its number.
fn proc() -> Check {
    if Path::new("/proc/self/stat").exists() {
        Check::ok("processes", "/proc tells who lives")
    } else {
        Check::fail("processes", "/proc is not there, so nobody can tell whether the keeper of a session lives")
            .next("mount /proc")
    }
}
