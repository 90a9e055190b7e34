//! The child of many tests: this test binary itself, which signs with whatever keys its environment holds.

use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use hallpass_testkit::signed;

/// What the child is to do; it reports into [`REPORT`], a line for each event.
pub(crate) const TASK: &str = "HP_TEST_TASK";
/// The file that it reports into.
pub(crate) const REPORT: &str = "HP_TEST_REPORT";

/// The command line that makes this test binary the child.
pub(crate) fn command() -> Vec<String> {
    let own = std::env::current_exe().expect("our own path");
    let own = own.to_str().expect("text").to_owned();
    [own.as_str(), "--exact", "run::client::the_child_of_other_tests", "--ignored", "--nocapture", "-q"]
        .map(str::to_owned)
        .to_vec()
}

#[test]
#[ignore = "the child of other tests: it does what its environment says"]
fn the_child_of_other_tests() {
    let (Some(task), Some(report)) = (variable(TASK), variable(REPORT)) else { return };
    let say = |line: &str| append(Path::new(&report), line);
    say(&format!("session {}", variable("HALLPASS_SESSION_ID").unwrap_or_default()));
    match task.as_str() {
        "get" => say(&signed::get(&variable, "/lent/a")),
        "stream" => stream(&say),
        "requests" => requests(&say),
        "daemon" => daemon(&say),
        "daemon-inside" => requests(&say),
        other => say(&format!("unknown task {other}")),
    }
}

#[expect(clippy::disallowed_methods, reason = "a child is told by its environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn append(path: &Path, line: &str) {
    // The test may be over and its folder gone before a child is.
    if let Ok(mut file) = std::fs::File::options().append(true).create(true).open(path) {
        drop(writeln!(file, "{line}"));
    }
}

/// Reads without end and reports how much.
fn stream(say: &dyn Fn(&str)) {
    let mut stream = signed::send(&variable, "/lent/stream").expect("the request is sent");
    let mut buffer = vec![0_u8; 256 * 1024];
    let mut total = 0_usize;
    loop {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(read) => total += read,
        }
        say(&format!("bytes {total}"));
    }
    say("cut");
    // Stays, so that it is the kill that ends it.
    std::thread::sleep(Duration::from_secs(60));
}

/// One request after the other, until the test or the session ends it.
fn requests(say: &dyn Fn(&str)) {
    for _ in 0..3_000 {
        say(&signed::get(&variable, "/lent/a"));
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Leaves a process behind that belongs to nobody, as a daemon does, and ends.
fn daemon(say: &dyn Fn(&str)) {
    let command = command();
    let script = "(setsid \"$@\" </dev/null >/dev/null 2>&1 &) ; exit 0";
    let mut shell = std::process::Command::new("/bin/sh");
    shell.args(["-c", script, "sh"]).args(&command).env(TASK, "daemon-inside");
    let status = shell.status().expect("a shell");
    say(&format!("left {status}"));
    // Long enough for a kill to find both, and for the test to end us when it does not want to wait.
    if variable("HP_TEST_STAY").is_some() {
        std::thread::sleep(Duration::from_secs(60));
    }
}
