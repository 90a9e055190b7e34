//! Standard input that is read before it is known who needs it: a command that borrows runs again, and reads it again.

use std::io;

/// Puts back what was read: from here on, stdin of this process and of those that it starts begins with it, and ends
/// there.
///
/// # Errors
/// When the system has no memory for it.
#[cfg(target_os = "linux")]
pub(super) fn give_back(bytes: &[u8]) -> io::Result<()> {
    use std::fs::File;
    use std::io::{Seek, Write};

    use rustix::fs::MemfdFlags;
    let mut file = File::from(rustix::fs::memfd_create("hallpass-stdin", MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(rustix::stdio::dup2_stdin(&file)?)
}

/// There are no files in memory here.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub(super) fn give_back(_bytes: &[u8]) -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}
