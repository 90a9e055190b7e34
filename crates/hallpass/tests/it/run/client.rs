//! The child of many tests: this test binary itself, which signs with whatever keys its environment holds.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use hallpass_core::clock::Clock;
use hallpass_core::sigv4::{self, AmzDate, Parts, PathStyle, PayloadHash, Scope, Signer, SigningKey};

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
        "get" => say(&get("/lent/a")),
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
    let mut stream = send("/lent/stream").expect("the request is sent");
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
        say(&get("/lent/a"));
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

/// Status and, when refused, the reason header.
fn get(path: &str) -> String {
    let stream = match send(path) {
        Ok(stream) => stream,
        Err(error) => return format!("unreachable {error}"),
    };
    let mut text = String::new();
    let mut reader = BufReader::new(stream);
    while reader.read_line(&mut text).is_ok_and(|read| read > 2) {}
    let status = text.split(' ').nth(1).unwrap_or("none").to_owned();
    let reason =
        text.lines().find_map(|line| line.to_lowercase().strip_prefix("x-hallpass-reason: ").map(str::to_owned));
    format!("{status} {}", reason.unwrap_or_default()).trim().to_owned()
}

fn send(path: &str) -> std::io::Result<TcpStream> {
    let need = |name: &str| variable(name).ok_or_else(|| std::io::Error::other(format!("{name} is not set")));
    let endpoint = need("AWS_ENDPOINT_URL")?;
    let host = endpoint.trim_start_matches("http://").to_owned();
    let at = AmzDate::at(hallpass_control::clock::SystemClock.now()).expect("a date");
    let region = need("AWS_REGION")?;
    let key =
        SigningKey::derive(&need("AWS_SECRET_ACCESS_KEY")?, Scope::new(at.date(), &region, "s3").expect("a scope"));
    let (id, token) = (need("AWS_ACCESS_KEY_ID")?, variable("AWS_SESSION_TOKEN"));
    let signer = Signer {
        access_key_id: &id,
        key: &key,
        token: token.as_deref(),
        at,
        payload: PayloadHash::of_body(b""),
        send_content_sha256: true,
        path_style: PathStyle::S3,
    };
    let headers: [(&str, &[u8]); 1] = [("host", host.as_bytes())];
    let parts = Parts { method: "GET", path, query: "", headers: &headers };
    let signed = sigv4::sign(&parts, &signer).map_err(std::io::Error::other)?;
    let mut head = format!("GET {} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n", signed.path);
    for (name, value) in signed.headers() {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let mut stream = TcpStream::connect(&host)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    Ok(stream)
}
