//! How long a session still works once it is taken back, under load: `cargo xtask bench kill`.
//!
//! Each trial lends a session to a child that reads a 1 GiB object and asks for small ones on [`CLIENTS`] connections
//! at once, as fast as it is answered; then another process runs `hallpass session kill`. Measured, from the moment
//! before that process is started: the first refusal that the child sees, and the last request that still passed.
//!
//! Offered are [`OFFERED`] requests a second, or what the machine takes if that is less: clients that wait for their
//! turn ask late, and the rate that was reached is printed.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use hallpass_control::clock::SystemClock;
use hallpass_core::clock::Clock;
use hallpass_testkit::clients::{bare, identity};
use hallpass_testkit::servers::Standin;
use hallpass_testkit::signed;

const HALLPASS: &str = env!("CARGO_BIN_EXE_hallpass");
/// Trials; the 99th percentile of 50 is the worst of them.
const TRIALS: usize = 50;
/// Clients that ask at the same time, beside the one that streams.
const CLIENTS: usize = 64;
/// Requests a second that are offered, by all clients together.
const OFFERED: u64 = 5_000;
/// Answers that each child has had before it is cut off.
const WARM: u64 = 2_000;
/// What is promised, milliseconds.
const BOUND_MS: f64 = 100.0;
/// Makes this binary the child, and names the folder that it reports into.
const REPORT: &str = "HP_BENCH_REPORT";

fn main() -> ExitCode {
    if let Some(folder) = variable(REPORT) {
        child(Path::new(&folder));
        return ExitCode::SUCCESS;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let upstream = Standin::start();
    let trials: Vec<Trial> = (0..TRIALS).map(|number| trial(number, folder.path(), &upstream)).collect();
    report(&trials)
}

#[expect(clippy::disallowed_methods, reason = "a child is told by its environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn now_ns() -> i128 {
    SystemClock.now().as_nanosecond()
}

/// What one trial showed, milliseconds from the start of the kill.
struct Trial {
    first_refused: f64,
    last_passed: f64,
    stream_cut: f64,
    returned: f64,
    answered: u64,
    /// Requests a second that were sent until the first refusal.
    per_s: f64,
}

fn trial(number: usize, folder: &Path, upstream: &Standin) -> Trial {
    let report = folder.join(number.to_string());
    std::fs::create_dir(&report).expect("a folder");
    let own = std::env::current_exe().expect("our own path");
    let mut run = hallpass(folder, upstream);
    // A child that TERM does not end, so that it sees its requests being refused.
    run.args(["run", "-q", "--grace", "5s", "--allow", "s3:GetObject", "--", "sh", "-c", "trap '' TERM; exec \"$0\""]);
    run.arg(own).env(REPORT, &report).stdout(Stdio::null());
    let mut run = run.spawn().expect("hallpass starts");
    let session = waited(&report.join("ready"));
    // Not always at the same beat of the child.
    std::thread::sleep(Duration::from_millis(number as u64 * 7 % 50));
    let begun = now_ns();
    let killed = hallpass(folder, upstream).args(["session", "kill", &session]).output().expect("hallpass starts");
    let returned = now_ns();
    assert!(killed.status.success(), "{}", String::from_utf8_lossy(&killed.stderr));
    run.wait().expect("our own child");
    let seen = waited(&report.join("seen"));
    let seen: Vec<i128> = seen.split(' ').map(|number| number.parse().expect("a number")).collect();
    let since = |at: i128| (at - begun) as f64 / 1e6;
    Trial {
        first_refused: since(seen[0]),
        last_passed: since(seen[1]),
        stream_cut: since(seen[2]),
        returned: since(returned),
        answered: u64::try_from(seen[3]).expect("a count"),
        per_s: seen[3] as f64 * 1e9 / (seen[0] - seen[4]).max(1) as f64,
    }
}

fn hallpass(folder: &Path, upstream: &Standin) -> Command {
    let mut command = bare(HALLPASS);
    command.envs(identity(&upstream.url(), "AKIABENCH00000000042", "bench-secret", None));
    command.env("HALLPASS_STATE_DIR", folder.join("state")).env("HOME", folder).env("XDG_RUNTIME_DIR", folder);
    command
}

/// The content of a file that is renamed into place, once it is there.
fn waited(path: &Path) -> String {
    let mut left = 6_000;
    loop {
        if let Ok(text) = std::fs::read_to_string(path) {
            return text;
        }
        assert!(left > 0, "`{}` never came", path.display());
        left -= 1;
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What the clients of one child share.
#[derive(Default)]
struct Seen {
    answered: AtomicU64,
    cut: AtomicBool,
    first_refused: Mutex<Option<i128>>,
    last_passed: Mutex<i128>,
    stream_cut: Mutex<i128>,
}

/// Asks until it is refused, and says when.
fn child(folder: &Path) {
    let seen = Seen::default();
    let began = now_ns();
    std::thread::scope(|scope| {
        for client in 0..CLIENTS as u64 {
            let seen = &seen;
            scope.spawn(move || ask(seen, client));
        }
        scope.spawn(|| stream(&seen));
        while seen.answered.load(Ordering::Relaxed) < WARM && !seen.cut.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(1));
        }
        placed(&folder.join("ready"), &variable("HALLPASS_SESSION_ID").unwrap_or_default());
    });
    let refused = seen.first_refused.into_inner().expect("no client has panicked").expect("a refusal");
    let passed = seen.last_passed.into_inner().expect("no client has panicked");
    let cut = seen.stream_cut.into_inner().expect("no client has panicked");
    placed(
        &folder.join("seen"),
        &format!("{refused} {passed} {cut} {} {began}", seen.answered.load(Ordering::Relaxed)),
    );
}

fn ask(seen: &Seen, client: u64) {
    let (began, pause_ns) = (now_ns(), i128::from(1_000_000_000 * CLIENTS as u64 / OFFERED));
    let mut turn = began + pause_ns * i128::from(client) / CLIENTS as i128;
    loop {
        let early = u64::try_from(turn - now_ns()).unwrap_or(0);
        std::thread::sleep(Duration::from_nanos(early));
        turn += pause_ns;
        let asked = now_ns();
        let answer = signed::get(&variable, "/lent/a");
        if answer == "200" {
            seen.answered.fetch_add(1, Ordering::Relaxed);
            let mut last = seen.last_passed.lock().expect("no client has panicked");
            *last = asked.max(*last);
            continue;
        }
        let at = now_ns();
        let mut first = seen.first_refused.lock().expect("no client has panicked");
        *first = Some(first.map_or(at, |first| at.min(first)));
        seen.cut.store(true, Ordering::Relaxed);
        return;
    }
}

/// Reads one large object for as long as it comes, and starts anew at its end.
fn stream(seen: &Seen) {
    let mut buffer = vec![0_u8; 256 * 1024];
    while !seen.cut.load(Ordering::Relaxed) {
        let Ok(mut stream) = signed::send(&variable, "/lent/stream") else { continue };
        while matches!(stream.read(&mut buffer), Ok(read) if read > 0) {}
        *seen.stream_cut.lock().expect("no client has panicked") = now_ns();
    }
}

/// A file that is there whole or not at all.
fn placed(path: &Path, text: &str) {
    let aside: PathBuf = path.with_extension("new");
    std::fs::write(&aside, text).expect("written");
    std::fs::rename(aside, path).expect("placed");
}

fn report(trials: &[Trial]) -> ExitCode {
    let mut out = std::io::stdout().lock();
    let mut say = |line: String| writeln!(out, "{line}").expect("stdout");
    say(format!("\n{TRIALS} trials, {CLIENTS} clients and a 1 GiB stream each; ms from the start of `session kill`"));
    say(format!("{:<44} {:>9} {:>9} {:>9}", "", "p50", "p99", "max"));
    type Of = fn(&Trial) -> f64;
    let rows: [(&str, Of); 4] = [
        ("first refused request", |t| t.first_refused),
        ("last request that still passed was sent", |t| t.last_passed),
        ("stream cut", |t| t.stream_cut),
        ("`session kill` returned", |t| t.returned),
    ];
    let percentile = |of: Of, share: f64| {
        let mut values: Vec<f64> = trials.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[((values.len() as f64 * share).ceil() as usize).clamp(1, values.len()) - 1]
    };
    for (name, of) in rows {
        let values = [percentile(of, 0.5), percentile(of, 0.99), percentile(of, 1.0)];
        say(format!("{name:<44} {:>9.2} {:>9.2} {:>9.2}", values[0], values[1], values[2]));
    }
    say(format!("requests answered: {}", trials.iter().map(|t| t.answered).sum::<u64>()));
    let rates = [percentile(|t| t.per_s, 0.5), percentile(|t| t.per_s, 1.0)];
    say(format!("requests a second: {OFFERED} offered, {:.0} passed (p50), {:.0} (best)", rates[0], rates[1]));
    let refused = percentile(|t| t.first_refused, 0.99);
    // A request that was sent after the command had returned, and passed, is no matter of speed.
    let late = trials.iter().filter(|t| t.last_passed > t.returned).count();
    let verdict = |good: bool| if good { "PASS" } else { "FAIL" };
    let (fast, none_late) = (refused <= BOUND_MS, late == 0);
    say(format!("{}  p99 to the first refused request: {refused:.1} ms (≤ {BOUND_MS})", verdict(fast)));
    say(format!("{}  requests that passed after `session kill` had returned: {late} (0)", verdict(none_late)));
    if fast && none_late { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
