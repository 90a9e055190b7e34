//! Real clients for tests: the `aws` command line, boto3, the JavaScript SDK; each with exactly the environment given.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::environment::{client_path, testbed};
pub use crate::environment::{clients_folder, clients_page, path_with, rust_sdk};

/// A client that takes longer than this hangs.
pub const CLIENT_TIMEOUT: Duration = Duration::from_secs(240);

/// What a client did.
#[derive(Debug)]
pub struct Outcome {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
}

impl Outcome {
    /// Both streams, for messages.
    pub fn shown(&self) -> String {
        format!("{}\n--- stdout ---\n{}\n--- stderr ---\n{}", self.status, self.stdout, self.stderr)
    }

    /// Asserts success and gives stdout.
    ///
    /// # Panics
    /// The client failed; what it printed is in the message.
    pub fn succeeded(self) -> String {
        assert!(self.status.success(), "{}", self.shown());
        self.stdout
    }

    /// Asserts failure and gives everything that was printed.
    ///
    /// # Panics
    /// The client succeeded.
    pub fn failed(self) -> String {
        assert!(!self.status.success(), "it succeeded: {}", self.shown());
        format!("{}\n{}", self.stdout, self.stderr)
    }
}

/// The test bed's `aws`, version 1.
pub fn aws() -> PathBuf {
    testbed().join("py/bin/aws")
}

/// The test bed's Python, with boto3.
pub fn python() -> PathBuf {
    testbed().join("py/bin/python")
}

/// Where Node finds the SDK (`NODE_PATH`).
pub fn node_modules() -> PathBuf {
    testbed().join("node/node_modules")
}

/// A command with no environment but `PATH`, an empty home, and settings that keep SDKs off the network.
pub fn bare(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", client_path()).env("HOME", "/nonexistent").env("LC_ALL", "C.UTF-8");
    command.env("AWS_EC2_METADATA_DISABLED", "true").env("NODE_PATH", node_modules());
    command.env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::null());
    command
}

/// The variables of one identity at one endpoint.
pub fn identity(endpoint: &str, key: &str, secret: &str, token: Option<&str>) -> Vec<(OsString, OsString)> {
    let mut pairs = vec![
        ("AWS_ENDPOINT_URL".into(), endpoint.into()),
        ("AWS_ACCESS_KEY_ID".into(), key.into()),
        ("AWS_SECRET_ACCESS_KEY".into(), secret.into()),
        ("AWS_REGION".into(), "us-east-1".into()),
        ("AWS_DEFAULT_REGION".into(), "us-east-1".into()),
    ];
    pairs.extend(token.map(|t| ("AWS_SESSION_TOKEN".into(), t.into())));
    pairs
}

/// Runs a command to its end, with both streams read as they come.
///
/// # Panics
/// It cannot be started, or it hangs longer than [`CLIENT_TIMEOUT`].
pub fn run(command: &mut Command) -> Outcome {
    let ended = run_within(command, CLIENT_TIMEOUT);
    let hung = ended.as_ref().err().map(Outcome::shown);
    assert!(hung.is_none(), "it hung and was ended: {command:?}\n{}", hung.unwrap_or_default());
    ended.unwrap_or_else(|outcome| outcome)
}

/// Runs a command to its end, or ends it after `limit`.
///
/// # Errors
/// What it had printed until it was ended.
///
/// # Panics
/// It cannot be started.
pub fn run_within(command: &mut Command, limit: Duration) -> Result<Outcome, Outcome> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the client is installed");
    let out = drained(child.stdout.take());
    let err = drained(child.stderr.take());
    let started = Instant::now();
    let mut hung = false;
    let status = loop {
        if let Some(status) = child.try_wait().expect("our own child can be waited for") {
            break status;
        }
        if !hung && started.elapsed() > limit {
            hung = true;
            child.kill().expect("our own child can be killed");
        }
        std::thread::park_timeout(Duration::from_millis(5));
    };
    let outcome = Outcome { status, stdout: text(out), stderr: text(err) };
    if hung { Err(outcome) } else { Ok(outcome) }
}

type Reader = Option<std::thread::JoinHandle<io::Result<Vec<u8>>>>;

fn drained(stream: Option<impl Read + Send + 'static>) -> Reader {
    let mut stream = stream?;
    Some(std::thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).map(|_| bytes)
    }))
}

fn text(reader: Reader) -> String {
    let bytes = reader.map(|r| r.join().expect("a reader does not panic").unwrap_or_default());
    String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
}
