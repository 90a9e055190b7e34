//! Starts the child: through a shim of our own, which ties the child's life to ours and then becomes the child.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use rustix::fs::{Access, access};

use crate::command::shim::SHIM;
use crate::error::{CommandError, ErrorKind};
use crate::scrub::CoreLimit;

/// What is to be run, and how.
#[derive(Debug)]
pub(crate) struct Start<'a> {
    /// The program and its arguments; never empty.
    pub(crate) command: &'a [OsString],
    /// Its whole environment.
    pub(crate) environment: &'a BTreeMap<OsString, OsString>,
    /// True when it gets a process group of its own.
    pub(crate) own_group: bool,
    /// The soft limit of core files that it would have had without us.
    pub(crate) core_limit: CoreLimit,
}

/// Starts it. Call this on the main thread: the parent-death signal belongs to the thread that spawned.
///
/// # Errors
/// When the operating system starts no process.
pub(crate) fn spawn(start: &Start<'_>) -> io::Result<Child> {
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(rustix::process::getpid().into())?;
    let mut shim = shim()?;
    shim.arg(SHIM).arg(std::process::id().to_string()).arg(start.core_limit.to_string());
    shim.args(start.command).env_clear().envs(start.environment);
    if start.own_group {
        shim.process_group(0);
    }
    shim.spawn()
}

#[cfg(target_os = "linux")]
fn shim() -> io::Result<Command> {
    let mut shim = Command::new("/proc/self/exe");
    shim.arg0("hallpass");
    Ok(shim)
}

#[cfg(not(target_os = "linux"))]
fn shim() -> io::Result<Command> {
    std::env::current_exe().map(Command::new)
}

/// Finds the program before anything is lent: what cannot be started needs no session.
///
/// # Errors
/// [`ErrorKind::CommandNotFound`] (127) or [`ErrorKind::NotExecutable`] (126).
pub(crate) fn find(program: &OsStr, path: Option<&OsStr>) -> Result<PathBuf, CommandError> {
    let shown = program.to_string_lossy();
    let not_found = || {
        CommandError::new(ErrorKind::CommandNotFound, "run.command_not_found", format!("there is no command `{shown}`"))
            .next("check its spelling and PATH")
    };
    let not_executable = || {
        CommandError::new(ErrorKind::NotExecutable, "run.not_executable", format!("`{shown}` cannot be executed"))
            .next("check its permissions")
    };
    let executable = |path: &Path| path.is_file() && access(path, Access::EXEC_OK).is_ok();
    if program.is_empty() {
        return Err(not_found());
    }
    if program.as_bytes().contains(&b'/') {
        let path = PathBuf::from(program);
        return match (path.exists(), executable(&path)) {
            (_, true) => Ok(path),
            (true, false) => Err(not_executable()),
            (false, false) => Err(not_found()),
        };
    }
    let folders = path.unwrap_or_else(|| OsStr::new(PATH_WITHOUT_ANY));
    let candidates: Vec<PathBuf> = std::env::split_paths(folders).map(|folder| folder.join(program)).collect();
    if let Some(found) = candidates.iter().find(|p| executable(p)) {
        return Ok(found.clone());
    }
    if candidates.iter().any(|p| p.is_file()) { Err(not_executable()) } else { Err(not_found()) }
}

/// Where `execvp` looks when there is no PATH (confstr `_CS_PATH` of the C library).
const PATH_WITHOUT_ANY: &str = "/bin:/usr/bin";

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::fs::PermissionsExt;

    use super::find;

    #[test]
    fn what_cannot_be_started_is_known_before_anything_is_lent() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("tool");
        std::fs::write(&file, "x").expect("written");
        let path = Some(folder.path().as_os_str());
        let code = |name: &str| find(OsStr::new(name), path).map_err(|e| e.exit_status().code());
        assert_eq!(code("tool"), Err(126));
        assert_eq!(code("missing"), Err(127));
        assert_eq!(code(""), Err(127));
        assert_eq!(code("/nowhere/at/all"), Err(127));
        assert_eq!(find(folder.path().as_os_str(), path).map_err(|e| e.exit_status().code()), Err(126));
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("permissions");
        assert_eq!(code("tool"), Ok(file.clone()));
        assert_eq!(find(file.as_os_str(), None), Ok(file));
    }
}
