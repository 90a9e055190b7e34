//! A home, a state folder and a working folder of one's own, and `hallpass` in them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use hallpass_control::clock::SystemClock;
use hallpass_control::store::{NewSession, Transition};
use hallpass_control::{Keeper, Store, StoreOptions, connect};
use hallpass_core::clock::Clock;
use hallpass_core::delivery::Delivery;
use hallpass_core::id::SessionId;
use hallpass_core::policy::ScopedPolicy;
use hallpass_core::session::{Revocation, Session, SessionEvent};
use jiff::SignedDuration;
use serde_json::Value;
use tempfile::TempDir;

use crate::alias_schema::{fits, schema};

/// Where one test lives.
pub(crate) struct World {
    folder: TempDir,
}

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["home", "work", "state"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(folder.path().join("state"), private).expect("permissions");
        Self { folder }
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Writes a file below the test's folder.
    pub(crate) fn file(&self, path: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        std::fs::write(&path, text).expect("writes");
        path
    }

    /// `hallpass` with no environment but what is its own.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hallpass"));
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", self.home());
        command.env("HALLPASS_STATE_DIR", self.state()).current_dir(self.work());
        command.args(args).stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    pub(crate) fn say(&self, args: &[&str]) -> Said {
        said(self.command(args).output().expect("hallpass starts"))
    }

    /// Runs it, and demands success.
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let said = self.say(args);
        assert_eq!(said.code, 0, "{args:?}: {said:?}");
        said.out
    }

    /// Runs it with `--json`, and demands success.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let out = self.ok(&[args, &["--json"]].concat());
        serde_json::from_str(&out).expect("one JSON value on stdout")
    }

    pub(crate) fn store(&self) -> Arc<dyn Store> {
        connect(StoreOptions::new(self.state(), Arc::new(SystemClock))).expect("the store opens")
    }

    /// Records an active session whose keeper is this test.
    pub(crate) fn live(&self, id: &str) {
        self.begin(id, &["sleep", "1"]);
    }

    /// Records a session that has ended.
    pub(crate) fn ended(&self, id: &str, event: SessionEvent) {
        let change = Transition::new(SessionId::new(id).expect("id"), event, SystemClock.now(), "the command ended");
        let store = self.begin(id, &["aws", "s3", "ls"]);
        block_on(store.transition(change)).expect("ends");
    }

    /// Records a pending session whose keeper is dead: the process has the number of this one, but began later.
    pub(crate) fn lost(&self, id: &str) {
        let mut keeper = Keeper::this_process(self.state().join("no-socket"), "tester".to_owned()).expect("a keeper");
        keeper.started_ticks += 1;
        let new = NewSession { session: session(id, &["true"]), keeper: Some(keeper), user: "tester".to_owned() };
        block_on(self.store().create(new)).expect("creates");
    }

    /// Records a live session whose real credential has left the gate; nobody keeps it.
    pub(crate) fn handed_out(&self, id: &str) {
        let out = Session { delivery: Delivery::Env, revocation: Revocation::RoleWide, ..session(id, &["true"]) };
        let new = NewSession { session: out, keeper: None, user: "tester".to_owned() };
        let store = self.store();
        block_on(store.create(new)).expect("creates");
        let id = SessionId::new(id).expect("id");
        let activate = Transition::new(id, SessionEvent::Activate, SystemClock.now(), "issued");
        block_on(store.transition(activate)).expect("activates");
    }

    /// Changes one letter of the first `text` in the log, behind the store's back.
    pub(crate) fn edit_log(&self, text: &[u8]) {
        let connection = rusqlite::Connection::open(self.state().join("hallpass.db")).expect("opens");
        connection.execute_batch("DROP TRIGGER audit_runs_are_not_changed").expect("drops");
        let mut query =
            connection.prepare("SELECT first_seq, bytes FROM audit_runs ORDER BY first_seq").expect("query");
        let runs = query.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))).expect("runs");
        let mut found = runs.map(|row| row.expect("a run")).filter_map(|(first, bytes)| {
            let at = bytes.windows(text.len()).position(|window| window == text)?;
            Some((first, bytes, at))
        });
        let (first, mut bytes, at) = found.next().expect("the text is in the log");
        bytes[at] = bytes[at].to_ascii_uppercase();
        connection.execute("UPDATE audit_runs SET bytes = ?2 WHERE first_seq = ?1", (first, bytes)).expect("updates");
    }

    fn begin(&self, id: &str, command: &[&str]) -> Arc<dyn Store> {
        let store = self.store();
        let session = session(id, command);
        let keeper = Keeper::this_process(self.state().join("no-socket"), "tester".to_owned()).expect("a keeper");
        let id = session.id.clone();
        let new = NewSession { session, keeper: Some(keeper), user: "tester".to_owned() };
        block_on(store.create(new)).expect("creates");
        let activate = Transition::new(id, SessionEvent::Activate, SystemClock.now(), "issued");
        block_on(store.transition(activate)).expect("activates");
        store
    }
}

/// A pending session with every optional field set.
pub(crate) fn session(id: &str, command: &[&str]) -> Session {
    let policy: ScopedPolicy = serde_json::from_value(serde_json::json!({
        "actions": [{"service": "s3", "action": "GetObject"}],
        "resources": ["arn:aws:s3:::data/*"],
    }))
    .expect("a policy");
    let command = command.iter().map(|arg| (*arg).to_owned()).collect();
    let ttl = SignedDuration::from_secs(900);
    let role = "arn:aws:iam::111122223333:role/reader".to_owned();
    let now = SystemClock.now();
    let session = Session::new(SessionId::new(id).expect("id"), now, ttl, Some(2.5), policy, role, command);
    Session {
        agent_id: Some("claude-code".to_owned()),
        tags: [("ticket".to_owned(), "T-1".to_owned())].into(),
        region: Some("eu-west-1".to_owned()),
        ..session
    }
}

pub(crate) fn said(output: Output) -> Said {
    let text = |bytes| String::from_utf8(bytes).expect("text");
    let said = Said { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) };
    said.out.lines().chain(said.err.lines()).for_each(keeps_to_its_schema);
    said
}

/// Every line of the envelope that any test sees is compared with the published schema.
fn keeps_to_its_schema(line: &str) {
    if line.starts_with("{\"schema_version\":2,\"type\":") {
        let (schema, value) = (schema(), serde_json::from_str(line).expect("JSON"));
        assert!(fits(&schema, &schema, &value), "this does not keep to the schema: {line}");
    }
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

/// The sorted names of an object's members, nested ones with a dot.
pub(crate) fn keys(value: &Value) -> Vec<String> {
    let mut all = Vec::new();
    collect(value, "", &mut all);
    all.sort();
    all.dedup();
    all
}

fn collect(value: &Value, path: &str, all: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                all.push(path.clone());
                collect(value, &path, all);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, &format!("{path}[]"), all)),
        _ => {}
    }
}

/// True when `path` holds nothing.
pub(crate) fn is_empty(path: &Path) -> bool {
    std::fs::read_dir(path).expect("a folder").next().is_none()
}
