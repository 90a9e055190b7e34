//! Gives up the secrets of our own environment, so that no child can read them in `/proc/<our pid>/environ`.
//!
//! The kernel shows the environment that a process was started with for as long as the process lives, and unsetting a
//! variable does not change that. So a `hallpass` that finds a cloud secret there overwrites it ([`in_place`]). Where
//! that cannot be done it starts itself anew, once, with a clean environment, and hands the original over through an
//! anonymous file in memory.

#[cfg(target_os = "linux")]
mod in_place;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::str::FromStr;

use crate::deliver::ambient::{self, Class};
use crate::environment;
use crate::error::{CommandError, ErrorKind};

/// The environment that the caller gave us, secrets included. Lives in memory only.
pub(crate) type Original = BTreeMap<OsString, OsString>;

/// What [`scrub`] leaves.
#[derive(Debug)]
pub(crate) struct Scrubbed {
    /// The environment that the caller gave us.
    pub(crate) original: Original,
    /// The soft limit of core files before we lowered our own.
    pub(crate) core_limit: CoreLimit,
}

/// A soft limit on the size of core files, bytes. As text a number or `unlimited`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CoreLimit(pub(crate) Option<u64>);

impl fmt::Display for CoreLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(bytes) => write!(f, "{bytes}"),
            None => f.write_str("unlimited"),
        }
    }
}

impl FromStr for CoreLimit {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "unlimited" { Ok(Self(None)) } else { text.parse().map(|bytes| Self(Some(bytes))) }
    }
}

/// Tells the new image which descriptor carries the original environment.
const HANDOVER: &str = "HALLPASS_HANDOVER";

/// True in the image that [`scrub`] started anew: what it was started with has been checked by the one before.
pub(crate) fn has_started_anew() -> bool {
    environment::os(HANDOVER).is_some()
}

/// The caller's environment; from here on `/proc/<our pid>/environ` holds no cloud secret, other processes of the
/// same user cannot read our memory, and no core file is written. Call it first, while there is only one thread.
///
/// # Errors
/// When the operating system refuses any of that: a session is not begun on half a promise.
pub(crate) fn scrub() -> Result<Scrubbed, CommandError> {
    let refused = |error: io::Error| {
        CommandError::new(ErrorKind::Unsupported, "run.scrub", "our own environment cannot be cleared of secrets")
            .because(&error)
            .next("check that /proc is mounted, and that HALLPASS_HANDOVER is not set")
            .before_child()
    };
    let original = match environment::text(HANDOVER) {
        Some(number) => received(&number).map_err(refused)?,
        None => {
            let all: Original = environment::all().collect();
            if ambient::holds_secret(all.keys())
                && let Err(error) = clear()
            {
                tracing::debug!(%error, "the environment cannot be cleared in place: starting anew");
                return Err(refused(start_anew(&all)));
            }
            all
        }
    };
    let core_limit = seal_memory().map_err(refused)?;
    Ok(Scrubbed { original, core_limit })
}

#[cfg(target_os = "linux")]
fn clear() -> io::Result<()> {
    in_place::clear(&stays)
}

#[cfg(target_os = "linux")]
fn start_anew(original: &Original) -> io::Error {
    use std::os::unix::process::CommandExt;
    let handover = match handed_over(original) {
        Ok(handover) => handover,
        Err(error) => return error,
    };
    let clean = original.iter().filter(|(name, _)| stays(name));
    let mut args = std::env::args_os();
    let mut again = std::process::Command::new("/proc/self/exe");
    again.arg0(args.next().unwrap_or_else(|| OsString::from("hallpass")));
    again.args(args).env_clear().envs(clean).env(HANDOVER, std::os::fd::AsRawFd::as_raw_fd(&handover).to_string());
    again.exec()
}

/// What our own process still needs: everything that is no identity, and the variables that steer us.
#[cfg(target_os = "linux")]
fn stays(name: &OsString) -> bool {
    match ambient::class_of(name) {
        None => true,
        Some(Class::Control) => name == FAIL || environment::ALL.iter().any(|known| name == known.name),
        Some(Class::Secret | Class::Source | Class::Route) => false,
    }
}

/// Arms a fail point in test builds; nothing reads it elsewhere.
#[cfg(target_os = "linux")]
const FAIL: &str = "HALLPASS_FAIL";

/// The environment in a sealed file in memory, left open across the coming exec and closed by [`received`].
#[cfg(target_os = "linux")]
fn handed_over(original: &Original) -> io::Result<std::os::fd::OwnedFd> {
    use std::io::Write;

    use rustix::fs::{MemfdFlags, SealFlags};
    let descriptor = rustix::fs::memfd_create(MEMFD_NAME, MemfdFlags::ALLOW_SEALING)?;
    let mut file = std::fs::File::from(descriptor);
    file.write_all(&encode(original))?;
    let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
    rustix::fs::fcntl_add_seals(&file, seals)?;
    Ok(file.into())
}

/// Reads the handed-over environment and closes the inherited descriptor, so that no child gets it.
#[cfg(target_os = "linux")]
fn received(number: &str) -> io::Result<Original> {
    let wrong = || io::Error::other("HALLPASS_HANDOVER does not name a handed-over environment");
    let number: i32 = number.parse().map_err(|_| wrong())?;
    let path = format!("/proc/self/fd/{number}");
    // Whoever set the variable by hand must not make us read, or close, something else.
    let target = std::fs::read_link(&path)?;
    if !target.to_string_lossy().starts_with(&format!("/memfd:{MEMFD_NAME}")) {
        return Err(wrong());
    }
    let bytes = std::fs::read(&path)?;
    nix::unistd::close(number).map_err(io::Error::from)?;
    Ok(decode(&bytes))
}

#[cfg(target_os = "linux")]
const MEMFD_NAME: &str = "hallpass-environment";

#[cfg(target_os = "linux")]
fn seal_memory() -> io::Result<CoreLimit> {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    let core = getrlimit(Resource::Core);
    let before = CoreLimit(core.current);
    setrlimit(Resource::Core, Rlimit { current: Some(0), ..core })?;
    Ok(before)
}

#[cfg(not(target_os = "linux"))]
fn clear() -> io::Result<()> {
    Err(io::Error::other("not possible on this system"))
}

#[cfg(not(target_os = "linux"))]
fn start_anew(_: &Original) -> io::Error {
    io::Error::other("not possible on this system")
}

#[cfg(not(target_os = "linux"))]
fn received(_: &str) -> io::Result<Original> {
    Err(io::Error::other("not possible on this system"))
}

#[cfg(not(target_os = "linux"))]
fn seal_memory() -> io::Result<CoreLimit> {
    Ok(CoreLimit(rustix::process::getrlimit(rustix::process::Resource::Core).current))
}

/// `NAME=value`, each ended by a NUL, as in `/proc/<pid>/environ`.
fn encode(environment: &Original) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt;
    let mut bytes = Vec::new();
    for (name, value) in environment {
        bytes.extend_from_slice(name.as_bytes());
        bytes.push(b'=');
        bytes.extend_from_slice(value.as_bytes());
        bytes.push(0);
    }
    bytes
}

/// Where the name of `NAME=value` ends. It may not hold `=`, except as its first character (as the C library has it).
fn end_of_name(entry: &[u8]) -> Option<usize> {
    entry.iter().skip(1).position(|byte| *byte == b'=').map(|at| at + 1)
}

/// The inverse of [`encode`].
pub(crate) fn decode(bytes: &[u8]) -> Original {
    use std::os::unix::ffi::OsStringExt;
    let pairs = bytes.split(|b| *b == 0).filter_map(|pair| {
        let equals = end_of_name(pair)?;
        let name = OsString::from_vec(pair.get(..equals)?.to_vec());
        Some((name, OsString::from_vec(pair.get(equals + 1..)?.to_vec())))
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    use super::{Original, decode, encode};

    #[test]
    fn an_environment_survives_the_handover_byte_for_byte() {
        let pairs: [(&[u8], &[u8]); 4] = [(b"A", b""), (b"B", b"x=y\n=z"), (b"C", b"\xff\xfe"), (b"=::", b"odd")];
        let text = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
        let original: Original = pairs.iter().map(|(k, v)| (text(k), text(v))).collect();
        assert_eq!(decode(&encode(&original)), original);
    }
}
