//! The promise, checked after any number of lives: effect ⇒ intent, acknowledged ⇒ present, no silent gap.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::os::unix::fs::MetadataExt;

use hallpass_testkit::clients::Outcome;
use serde_json::Value;

use super::child::Heard;
use super::upstream::{BUCKET, Reached};
use super::world::{Life, World};

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Violation {
    /// It reached the upstream and has no entry.
    EffectWithoutIntent(Reached),
    /// It was answered as recorded, and the log does not have it.
    AcknowledgedButAbsent(Heard),
    /// The upstream did not accept the signature.
    SignedWrongly(Reached),
    /// An allowed request whose outcome is neither known nor marked unknown.
    SilentGap(u64),
    /// A request with two ends.
    SettledTwice(u64),
    /// A position twice, or one left out.
    Order(u64),
    /// A dead session whose record says something else.
    Status(String),
    /// A command that outlived its session.
    Outlived(u32),
    /// A private folder of a dead session.
    LeftBehind(String),
    /// `audit verify` or another start failed.
    Failed(String),
}

/// What the log has said so far. Only new entries are read, so that many lives are cheap to check.
#[derive(Debug, Default)]
pub(crate) struct Checker {
    next: u64,
    allowed: HashMap<Reached, u32>,
    denied: HashSet<u64>,
    open: BTreeSet<u64>,
    closed: HashSet<u64>,
    known: HashSet<String>,
    heard: Vec<Heard>,
    children: Vec<u32>,
    pub(crate) totals: BTreeMap<&'static str, u64>,
}

impl Checker {
    /// Takes what a life left behind; it counts at the next check.
    pub(crate) fn note(&mut self, life: Life) {
        self.heard.extend(life.heard);
        self.children.extend(life.child);
        self.count("lives", 1);
    }

    /// Starts `hallpass` again, which repairs, and checks everything. `ended` are the statuses that the sessions since
    /// the last check may have.
    pub(crate) fn check(&mut self, world: &World, ended: &[&str]) -> Vec<Violation> {
        let mut found = Vec::new();
        if world.state().join("hallpass.db").exists() {
            self.sessions(world, ended, &mut found);
            let verified = world.hallpass(&["audit", "verify"]);
            if !verified.status.success() {
                found.push(Violation::Failed(verified.shown()));
            }
            self.entries(world, &mut found);
        }
        self.effects(world, &mut found);
        let left = folders(world).into_iter().map(Violation::LeftBehind);
        found.extend(left);
        found.extend(self.children.drain(..).filter(|pid| runs(*pid)).map(Violation::Outlived));
        self.count("checks", 1);
        found
    }

    /// The next start: it repairs.
    fn sessions(&mut self, world: &World, ended: &[&str], found: &mut Vec<Violation>) {
        let listed = world.hallpass(&["session", "list", "--json", "--limit", "100000"]);
        let Some(listed) = parsed(&listed, found) else { return };
        for session in listed["sessions"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let id = session["id"].as_str().or(session["session_id"].as_str()).unwrap_or_default().to_owned();
            let status = session["status"].as_str().unwrap_or_default();
            if self.known.insert(id.clone()) {
                self.count("sessions", 1);
                if id.is_empty() || !ended.contains(&status) {
                    found.push(Violation::Status(format!("{id}: {status}")));
                }
            }
        }
    }

    fn entries(&mut self, world: &World, found: &mut Vec<Violation>) {
        let from = self.next.to_string();
        let exported = world.hallpass(&["--quiet", "audit", "export", "--from", &from]);
        if !exported.status.success() {
            return found.push(Violation::Failed(exported.shown()));
        }
        for line in exported.stdout.lines() {
            match serde_json::from_str::<Value>(line) {
                Ok(entry) => self.entry(&entry, found),
                Err(error) => found.push(Violation::Failed(format!("{error}: {line}"))),
            }
        }
        found.extend(self.open.iter().map(|seq| Violation::SilentGap(*seq)));
    }

    fn entry(&mut self, entry: &Value, found: &mut Vec<Violation>) {
        let (Some(seq), event) = (entry["seq"].as_u64(), &entry["event"]) else { return };
        if seq != self.next {
            found.push(Violation::Order(seq));
        }
        self.next = seq + 1;
        match event["type"].as_str().unwrap_or_default() {
            "request_allowed" => {
                let method = event["method"].as_str().unwrap_or_default().to_owned();
                let arn = event["resources"][0].as_str().unwrap_or_default();
                let key = arn.trim_start_matches(&format!("arn:aws:s3:::{BUCKET}/")).to_owned();
                *self.allowed.entry(Reached { method, key }).or_default() += 1;
                self.open.insert(seq);
                self.count("allowed", 1);
            }
            "request_settled" => self.end(event["of"].as_u64(), "settled", found),
            "requests_unknown" => {
                for of in event["of"].as_array().map(Vec::as_slice).unwrap_or_default() {
                    self.end(of.as_u64(), "unknown", found);
                }
            }
            "request_denied" => {
                self.denied.insert(seq);
                self.count("denied", 1);
            }
            _ => {}
        }
    }

    fn end(&mut self, of: Option<u64>, how: &'static str, found: &mut Vec<Violation>) {
        let of = of.unwrap_or(u64::MAX);
        self.open.remove(&of);
        if !self.closed.insert(of) {
            found.push(Violation::SettledTwice(of));
        }
        self.count(how, 1);
    }

    fn effects(&mut self, world: &World, found: &mut Vec<Violation>) {
        let (reached, forged) = world.upstream.take();
        self.count("reached", reached.len() as u64);
        found.extend(forged.into_iter().map(Violation::SignedWrongly));
        for one in reached {
            match self.allowed.get_mut(&one) {
                Some(count) if *count > 0 => *count -= 1,
                _ => found.push(Violation::EffectWithoutIntent(one)),
            }
        }
        for heard in std::mem::take(&mut self.heard) {
            self.count("answered", 1);
            let made = Reached { method: heard.method.clone(), key: heard.key.clone() };
            let present = match (heard.status, heard.entry) {
                (_, Some(entry)) => self.denied.contains(&entry),
                // What could not be recorded was refused for just that.
                (503, None) => true,
                _ => self.allowed.contains_key(&made),
            };
            if !present {
                found.push(Violation::AcknowledgedButAbsent(heard));
            }
        }
    }

    fn count(&mut self, what: &'static str, more: u64) {
        *self.totals.entry(what).or_default() += more;
    }
}

fn parsed(outcome: &Outcome, found: &mut Vec<Violation>) -> Option<Value> {
    match serde_json::from_str(&outcome.stdout) {
        Ok(value) if outcome.status.success() => Some(value),
        _ => {
            found.push(Violation::Failed(outcome.shown()));
            None
        }
    }
}

/// The private folders of this world's sessions; `run` leads to the folders of all state directories of this user.
fn folders(world: &World) -> Vec<String> {
    let Ok(state) = std::fs::metadata(world.state()) else { return Vec::new() };
    let ours = world.state().join("run").join(format!("{:x}-{:x}", state.dev(), state.ino()));
    let inside = std::fs::read_dir(ours).into_iter().flatten().flatten();
    inside.map(|entry| entry.path().display().to_string()).collect()
}

/// True while the process runs our child; a zombie that nobody reaps has no command line any more.
fn runs(pid: u32) -> bool {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).contains(super::child::NAME)
}
