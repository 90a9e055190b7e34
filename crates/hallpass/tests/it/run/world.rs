//! One `hallpass` with a home, a state folder and an upstream of its own.

use std::fs::Permissions;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hallpass_testkit::servers::Standin;
use serde_json::Value;
use tempfile::TempDir;

use super::client;

/// The base identity: what no child may ever see.
pub(crate) const KEY: &str = "AKIACANARY0000000042";
/// Its secret.
pub(crate) const SECRET: &str = "canary/secret+of+the+base+identity+0042";
/// Longest wait for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What a finished command left.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Done {
    pub(crate) fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

#[derive(Debug)]
pub(crate) struct World {
    folder: TempDir,
    pub(crate) upstream: Standin,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["home", "state", "runtime", "work"] {
            let path = folder.path().join(name);
            std::fs::create_dir(&path).expect("a folder");
            std::fs::set_permissions(&path, Permissions::from_mode(0o700)).expect("permissions");
        }
        Self { folder, upstream: Standin::start() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `hallpass <arguments>` with the base identity in its environment.
    pub(crate) fn hallpass(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hallpass"));
        command.args(arguments).env_clear().current_dir(self.path("work")).stdin(Stdio::null());
        for (name, value) in self.variables() {
            command.env(name, value);
        }
        command
    }

    /// The environment of every `hallpass` of this world.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let text = |name: &str| self.path(name).to_str().expect("text").to_owned();
        vec![
            ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
            ("LC_ALL", "C.UTF-8".to_owned()),
            ("HOME", text("home")),
            ("HALLPASS_STATE_DIR", text("state")),
            ("XDG_RUNTIME_DIR", text("runtime")),
            ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ENDPOINT_URL", self.upstream.url()),
        ]
    }

    /// `hallpass run -q --allow s3:GetObject <flags> -- <child>`.
    pub(crate) fn lend(&self, flags: &[&str], child: &[&str]) -> Command {
        let mut command = self.hallpass(&["run", "-q", "--allow", "s3:GetObject"]);
        command.args(flags).arg("--").args(child);
        command
    }

    /// As [`Self::lend`], with this test binary as the child.
    pub(crate) fn lend_client(&self, flags: &[&str], task: &str) -> Command {
        let child = client::command();
        let child: Vec<&str> = child.iter().map(String::as_str).collect();
        let mut command = self.lend(flags, &child);
        command.env(client::TASK, task).env(client::REPORT, self.path("report")).stdout(Stdio::null());
        command
    }

    /// The lines that the child has reported so far.
    pub(crate) fn report(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path("report")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The session that the child reported.
    pub(crate) fn session(&self) -> String {
        let id = until("the child reports its session", || {
            self.report().iter().find_map(|line| line.strip_prefix("session ").map(str::to_owned))
        });
        assert!(!id.is_empty(), "the child knows no session");
        id
    }

    /// The status of the only session there is.
    pub(crate) fn only_status(&self) -> String {
        let done = finish(self.hallpass(&["session", "list", "--json"]));
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        let statuses: Vec<String> = statuses(&done.stdout_text());
        assert_eq!(statuses.len(), 1, "{}", done.stdout_text());
        statuses[0].clone()
    }

    /// Every audit event, after the log was verified.
    pub(crate) fn events(&self) -> Vec<Value> {
        let verified = finish(self.hallpass(&["audit", "verify"]));
        assert_eq!(verified.code, Some(0), "{}{}", verified.stdout_text(), verified.stderr);
        let exported = finish(self.hallpass(&["audit", "export"]));
        assert_eq!(exported.code, Some(0), "{}", exported.stderr);
        let lines = exported.stdout_text();
        let entries = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        entries.map(|entry| entry["event"].clone()).filter(Value::is_object).collect()
    }

    /// The events of one kind.
    pub(crate) fn events_of(&self, kind: &str) -> Vec<Value> {
        self.events().into_iter().filter(|event| event["type"] == kind).collect()
    }
}

/// Every `"status": "…"` of a JSON text.
fn statuses(text: &str) -> Vec<String> {
    fn collect(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                found.extend(map.get("status").and_then(Value::as_str).map(str::to_owned));
                map.values().for_each(|inner| collect(inner, found));
            }
            Value::Array(items) => items.iter().for_each(|inner| collect(inner, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut found = Vec::new();
    let values = serde_json::Deserializer::from_str(text).into_iter::<Value>().flatten();
    values.for_each(|value| collect(&value, &mut found));
    found
}

/// Runs to the end, both streams captured; ends what hangs.
pub(crate) fn finish(mut command: Command) -> Done {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("starts");
    wait(child)
}

/// Waits for a started process.
pub(crate) fn wait(mut child: Child) -> Done {
    fn reader(stream: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<Vec<u8>> {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(mut stream) = stream {
                drop(stream.read_to_end(&mut bytes));
            }
            bytes
        })
    }
    let (out, err) = (reader(child.stdout.take()), reader(child.stderr.take()));
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("our own child") {
            break Some(status);
        }
        if begun.elapsed() > PATIENCE {
            drop(child.kill());
            drop(child.wait());
            break None;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(status.is_some(), "it hung");
    Done {
        code: status.and_then(|s| s.code()),
        stdout: out.join().expect("reader"),
        stderr: String::from_utf8_lossy(&err.join().expect("reader")).into_owned(),
    }
}

/// Polls until there is an answer.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// True while the process runs; a zombie does not.
pub(crate) fn runs(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().and_then(|rest| rest.split_ascii_whitespace().next()).is_some_and(|state| state != "Z")
}

/// Sends a signal to one process that this test started.
pub(crate) fn signal(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).expect("a pid")).expect("a pid");
    rustix::process::kill_process(pid, signal).expect("signalled");
}
