//! One server process: started, waited for, ended.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::ports::Ports;
use crate::environment::testbed;

/// Longest wait for a server's first answer. A cold start reads tens of megabytes of Python.
const START_TIMEOUT: Duration = Duration::from_secs(90);
/// Pause between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// A program that is no test of ours may take a port between our choice and the server's bind.
const START_TRIES: u32 = 3;
/// A reply to a health look needs no more than this.
const REPLY_BYTES_MAX: u64 = 64 * 1024;

/// A server that did not start, with the end of its log.
#[derive(Debug, thiserror::Error)]
#[error("{name} did not start: {why}\n--- its log ends with ---\n{log}")]
pub struct ServerError {
    name: &'static str,
    why: String,
    log: String,
}

/// A running server. Ends with this value, and with the process that holds it.
#[derive(Debug)]
pub struct Server {
    child: Child,
    ports: Ports,
    folder: TempDir,
}

/// What to start.
pub(super) struct Recipe {
    /// For messages.
    pub(super) name: &'static str,
    /// `module:function` of the server's entry, or `program:name` for a program of the test bed.
    pub(super) entry: &'static str,
    /// Arguments for that port; the next fifteen are its own, too.
    pub(super) arguments: fn(u16) -> Vec<String>,
    /// Variables for that port; nothing else but `PATH` and `TMPDIR` is set.
    pub(super) variables: fn(u16) -> Vec<(&'static str, String)>,
    /// Files in the folder that it is started in.
    pub(super) files: &'static [(&'static str, &'static str)],
    /// A path that answers 200 once it is ready.
    pub(super) health: &'static str,
}

impl Server {
    /// Starts the server and waits until it answers.
    ///
    /// # Errors
    /// It ended early or stayed silent; the end of its log is in the error.
    pub(super) fn start(recipe: &Recipe) -> Result<Self, ServerError> {
        let mut last = None;
        for _ in 0..START_TRIES {
            match Self::try_start(recipe) {
                Ok(server) => return Ok(server),
                Err(error) => last = Some(error),
            }
        }
        Err(last.expect("there was at least one try"))
    }

    fn try_start(recipe: &Recipe) -> Result<Self, ServerError> {
        let failed = |why: String| ServerError { name: recipe.name, why, log: String::new() };
        let folder = tempfile::tempdir().map_err(|e| failed(format!("no temporary folder: {e}")))?;
        let log = File::create(folder.path().join("log")).map_err(|e| failed(format!("no log file: {e}")))?;
        let errors = log.try_clone().map_err(|e| failed(format!("no log file: {e}")))?;
        for (file, text) in recipe.files {
            std::fs::write(folder.path().join(file), text)
                .map_err(|e| failed(format!("cannot write `{file}`: {e}")))?;
        }
        let ports = Ports::take().map_err(|e| failed(format!("no free port: {e}")))?;
        let port = ports.first();
        let mut command = Command::new(testbed().join("py/bin/python"));
        command.args(["-c", include_str!("keeper.py"), recipe.entry]).args((recipe.arguments)(port));
        command.env_clear().env("PATH", crate::environment::client_path()).env("TMPDIR", folder.path());
        command.envs((recipe.variables)(port)).current_dir(folder.path());
        command.stdin(Stdio::piped()).stdout(log).stderr(errors).process_group(0);
        let child = command.spawn().map_err(|e| failed(format!("cannot start Python: {e}")))?;
        let mut server = Self { child, ports, folder };
        match server.wait_until_ready(recipe.health) {
            Ok(()) => Ok(server),
            Err(why) => Err(ServerError { name: recipe.name, why, log: server.log_end() }),
        }
    }

    fn wait_until_ready(&mut self, health: &str) -> Result<(), String> {
        let started = Instant::now();
        while started.elapsed() < START_TIMEOUT {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("it ended with {status}"));
            }
            if answers(self.address(), health).unwrap_or(false) {
                return Ok(());
            }
            std::thread::park_timeout(LOOK_EVERY);
        }
        Err(format!("no answer within {} s", START_TIMEOUT.as_secs()))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.ports.first()))
    }

    /// `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The last lines of what it wrote, to show with a failure.
    pub fn log_end(&self) -> String {
        let bytes = std::fs::read(self.folder.path().join("log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its own group, which holds whatever it started, and nothing else.
        let group = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        let killed = group.map(|pid| rustix::process::kill_process_group(pid, rustix::process::Signal::KILL));
        if killed.is_none_or(|result| result.is_err()) {
            drop(self.child.kill());
        }
        drop(self.child.wait());
    }
}

/// One plain HTTP/1.0 look: true for a 200.
fn answers(address: SocketAddr, path: &str) -> io::Result<bool> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut reply = Vec::new();
    stream.take(REPLY_BYTES_MAX).read_to_end(&mut reply)?;
    Ok(reply.starts_with(b"HTTP/1.") && reply.get(8..12) == Some(b" 200"))
}
