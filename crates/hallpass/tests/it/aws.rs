//! The whole way with real clients: `hallpass run` in front of MiniStack, which checks signatures, identity policies
//! and session policies itself. Run through `cargo xtask test`, which installs the servers and clients.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use hallpass_testkit::clients::{Outcome, bare, identity, run};
use hallpass_testkit::servers::Ministack;
use hallpass_testkit::servers::ministack::User;
use serde_json::Value;
use tempfile::TempDir;

/// One `hallpass` with a state folder of its own and base credentials from the environment.
pub(crate) struct Lender {
    folder: TempDir,
    endpoint: String,
    base: User,
    role: Option<String>,
}

impl Lender {
    /// The base credential may only assume the wide role: what narrows a session is the gate, and MiniStack.
    pub(crate) fn with_role(cloud: &Ministack) -> Self {
        Self::new(cloud.url(), cloud.lender.clone(), Some(cloud.role.clone()))
    }

    /// No role: the gate lends the base credential, which may do everything, and alone enforces.
    pub(crate) fn without_role(cloud: &Ministack) -> Self {
        Self::new(cloud.url(), cloud.owner.clone(), None)
    }

    pub(crate) fn new(endpoint: String, base: User, role: Option<String>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in ["home", "state", "work"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        Self { folder, endpoint, base, role }
    }

    /// A folder for the child's files.
    pub(crate) fn work(&self) -> std::path::PathBuf {
        self.folder.path().join("work")
    }

    /// Where sessions and the log are kept.
    pub(crate) fn state(&self) -> std::path::PathBuf {
        self.folder.path().join("state")
    }

    /// `hallpass <arguments>` with our state and the base credentials.
    pub(crate) fn hallpass(&self, arguments: &[&str]) -> Command {
        let mut command = bare(env!("CARGO_BIN_EXE_hallpass"));
        command.envs(identity(&self.endpoint, &self.base.key, &self.base.secret, None));
        command.env("HALLPASS_STATE_DIR", self.state()).env("HOME", self.folder.path().join("home"));
        command.env("XDG_RUNTIME_DIR", self.folder.path().join("home"));
        command.current_dir(self.work()).args(arguments);
        command
    }

    /// `hallpass run [--role …] <flags> -- <child>`, not yet started.
    pub(crate) fn lending<S: AsRef<OsStr>>(&self, flags: &[&str], child: &[S]) -> Command {
        let mut command = self.hallpass(&["run"]);
        if let Some(role) = &self.role {
            command.args(["--role", role]);
        }
        command.args(flags).arg("--").args(child);
        command
    }

    /// Runs it to its end.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, flags: &[&str], child: &[S]) -> Outcome {
        run(&mut self.lending(flags, child))
    }

    /// Every audit entry so far, oldest first, after the log was verified.
    pub(crate) fn audit(&self) -> Vec<Value> {
        run(&mut self.hallpass(&["audit", "verify"])).succeeded();
        let exported = run(&mut self.hallpass(&["audit", "export"])).succeeded();
        exported
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .filter(|e: &Value| e["event"].is_object())
            .collect()
    }

    /// The events of one kind.
    pub(crate) fn events(&self, kind: &str) -> Vec<Value> {
        self.audit().iter().map(|entry| entry["event"].clone()).filter(|event| event["type"] == kind).collect()
    }

    /// How many requests of `operation` were decided so.
    pub(crate) fn count(&self, kind: &str, operation: &str) -> usize {
        self.events(kind).iter().filter(|event| event["operation"] == operation).count()
    }
}

/// A file of `size` bytes that no compression, repetition or zero page makes easier than it is.
pub(crate) fn noise(path: &Path, size: usize) {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(size);
    std::fs::write(path, bytes).expect("the work folder takes a file");
}
