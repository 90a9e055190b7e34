//! What the store costs, as ratios within one run, against the figures that Hallpass promises.
//!
//! `cargo bench -p hallpass-control --bench store` takes about two minutes; `-- --sessions 20000 --entries 50000`
//! makes it short. Exits with 1 when a promise is not kept.

use std::fs;
use std::future::Future;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hallpass_control::audit::{LogSource, verify};
use hallpass_control::authority::AuthorityKey;
use hallpass_control::clock::SystemClock;
use hallpass_control::files;
use hallpass_control::store::{Durability, Store, StoreOptions, connect};
use hallpass_core::clock::Clock;
use hallpass_core::session::{Session, SessionStatus};
use hallpass_testkit::store_fixtures::{activate, id, request_allowed, session};
use rusqlite::Connection;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// The figures promised; a change here is a change of the promise.
const REUSE_GROWTH_MAX: f64 = 1.5;
const REUSE_OVER_FILES_MIN: f64 = 300.0;
const GROUP_COMMIT_MIN: f64 = 30.0;
const VERIFY_PER_CPU_S_MIN: f64 = 800_000.0;
/// Above measurement noise, and far below what any dependence on the log's length would show.
const APPEND_GROWTH_MAX: f64 = 1.5;

const FILES: usize = 1_000;
const WRITERS: usize = 512;

struct Report {
    out: std::io::Stdout,
    failed: bool,
}

impl Report {
    fn line(&mut self, text: &str) -> Outcome<()> {
        writeln!(self.out, "{text}")?;
        Ok(())
    }

    fn judge(&mut self, what: &str, value: f64, unit: &str, good: bool, promise: &str) -> Outcome<()> {
        self.failed |= !good;
        let word = if good { "PASS" } else { "FAIL" };
        self.line(&format!("{word}  {what}: {value:.2}{unit} (promised {promise})"))
    }
}

fn main() -> Outcome<ExitCode> {
    let sessions = argument("--sessions", 1_000_000);
    let entries = argument("--entries", 500_000);
    let mut report = Report { out: std::io::stdout(), failed: false };
    reuse(&mut report, sessions)?;
    group_commit(&mut report)?;
    log(&mut report, entries)?;
    Ok(if report.failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn argument(name: &str, default: usize) -> usize {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments.nth(1).and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn block_on<T>(future: impl Future<Output = T>) -> Outcome<T> {
    Ok(tokio::runtime::Builder::new_current_thread().build()?.block_on(future))
}

fn open(dir: &Path, durability: Durability) -> Outcome<Arc<dyn Store>> {
    let options = StoreOptions { durability, ..StoreOptions::new(dir, Arc::new(SystemClock) as Arc<dyn Clock>) };
    Ok(connect(options)?)
}

/// A session that can be reused now.
fn lent(name: &str) -> Session {
    let base = session(name);
    let life = base.expires_at.duration_since(base.created_at);
    let now = SystemClock.now();
    Session { created_at: now, expires_at: now + life, ..base }
}

/// The middle of many runs, microseconds.
fn median_us(runs: usize, mut run: impl FnMut() -> Outcome<()>) -> Outcome<f64> {
    let mut times = Vec::with_capacity(runs);
    for _ in 0..runs {
        let begun = Instant::now();
        run()?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    Ok(times.get(runs / 2).map_or(0.0, |time| time.as_secs_f64() * 1e6))
}

fn reuse(report: &mut Report, sessions: usize) -> Outcome<()> {
    let small = reuse_among(FILES)?;
    let large = reuse_among(sessions)?;
    let files = scan_files()?;
    report.line(&format!(
        "find_reusable: {small:.1} us among {FILES}, {large:.1} us among {sessions}; scan of {FILES} files: {files:.0} us"
    ))?;
    let growth = large / small;
    let promise = format!("<= {REUSE_GROWTH_MAX}");
    report.judge("find_reusable, growth", growth, "x", growth <= REUSE_GROWTH_MAX, &promise)?;
    let over = files / small;
    let promise = format!(">= {REUSE_OVER_FILES_MIN}");
    report.judge("find_reusable over a scan of JSON files", over, "x", over >= REUSE_OVER_FILES_MIN, &promise)
}

/// The time to find one session among others of other authority, half of them active.
fn reuse_among(sessions: usize) -> Outcome<f64> {
    let dir = tempfile::tempdir()?;
    let state = dir.path().join("state");
    let store = open(&state, Durability::Process)?;
    let wanted = lent("wanted");
    block_on(activate(&*store, wanted.clone()))?;
    crowd(&state.join(files::DATABASE), sessions)?;
    let key = AuthorityKey::of(&wanted);
    let now = SystemClock.now();
    median_us(4_000, || {
        let found = poll(store.find_reusable(&key, 60, now))??;
        if found.is_some_and(|record| record.session.id == wanted.id) { Ok(()) } else { Err("not found".into()) }
    })
}

/// A read is complete when it is first polled, so no runtime is measured.
fn poll<T>(mut future: std::pin::Pin<Box<dyn Future<Output = T> + Send + '_>>) -> Outcome<T> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(value) => Ok(value),
        std::task::Poll::Pending => Err("a read was not complete at once".into()),
    }
}

/// Fills the table past the guards, because a million sessions through the front door take minutes.
fn crowd(database: &Path, sessions: usize) -> Outcome<()> {
    let connection = Connection::open(database)?;
    let columns = "created_at, ttl_seconds, policy, role_arn, principal, command, provider, tags, delivery, revocation, \
        requests_allowed, requests_denied";
    connection.execute_batch(&format!(
        "PRAGMA synchronous = OFF; DROP TRIGGER sessions_begin_pending_or_imported; \
         INSERT INTO sessions (id, authority, expires_at, status, ended_at, {columns}) \
         WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {sessions}) \
         SELECT lower(hex(randomblob(16))), lower(hex(randomblob(32))), expires_at + n, \
           iif(n % 2 = 0, 'active', 'completed'), iif(n % 2 = 0, NULL, n), {columns} \
         FROM number, sessions WHERE sessions.id = 'wanted'; PRAGMA wal_checkpoint(TRUNCATE)"
    ))?;
    Ok(())
}

/// What the tools that came before do: read every file, parse it, compare.
fn scan_files() -> Outcome<f64> {
    let dir = tempfile::tempdir()?;
    for number in 0..FILES {
        let session = Session { status: SessionStatus::Active, ..lent(&format!("s{number}")) };
        fs::write(dir.path().join(format!("{number}.json")), serde_json::to_string_pretty(&session)?)?;
    }
    let now = SystemClock.now();
    median_us(20, || {
        let mut found = 0;
        for file in fs::read_dir(dir.path())? {
            let session: Session = serde_json::from_str(&fs::read_to_string(file?.path())?)?;
            let fits = session.status == SessionStatus::Active && session.remaining_seconds(now) >= 60;
            found += usize::from(fits && session.role_arn.ends_with("/Agent") && session.policy.actions.len() == 1);
        }
        if found == FILES { Ok(()) } else { Err("not all found".into()) }
    })
}

fn group_commit(report: &mut Report) -> Outcome<()> {
    let dir = tempfile::tempdir()?;
    let store = open(&dir.path().join("state"), Durability::Power)?;
    block_on(activate(&*store, lent("s")))?;
    let alone = append_rate(&store, 1, 200)?;
    let together = append_rate(&store, WRITERS, 40_000)?;
    report.line(&format!("durable appends: {alone:.0}/s one by one, {together:.0}/s by {WRITERS} callers"))?;
    let ratio = together / alone;
    let promise = format!(">= {GROUP_COMMIT_MIN}");
    report.judge("group commit over one commit per append", ratio, "x", ratio >= GROUP_COMMIT_MIN, &promise)
}

fn append_rate(store: &Arc<dyn Store>, writers: usize, appends: usize) -> Outcome<f64> {
    let begun = Instant::now();
    block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..writers {
            let store = Arc::clone(store);
            tasks.spawn(async move {
                for _ in 0..appends / writers {
                    store.append(Some(&id("s")), request_allowed()).await?;
                }
                Ok::<_, hallpass_control::StoreError>(())
            });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        Outcome::Ok(())
    })??;
    Ok((appends / writers * writers) as f64 / begun.elapsed().as_secs_f64())
}

/// Append cost as the log grows, then verification of all of it.
fn log(report: &mut Report, entries: usize) -> Outcome<()> {
    let dir = tempfile::tempdir()?;
    let state = dir.path().join("state");
    let store = open(&state, Durability::Process)?;
    block_on(activate(&*store, lent("s")))?;
    let first = append_cost(&store, 10)?;
    while block_on(store.log_info())??.size < entries as u64 {
        append_cost(&store, 1)?;
    }
    let last = append_cost(&store, 10)?;
    report.line(&format!("append: {first:.2} us per entry in an empty log, {last:.2} us behind {entries} entries"))?;
    let growth = last / first;
    let promise = format!("<= {APPEND_GROWTH_MAX}");
    report.judge("append, growth with the log", growth, "x", growth <= APPEND_GROWTH_MAX, &promise)?;
    drop(store);
    let before = peak_kib()?;
    let cpu = cpu_time()?;
    let verdict = verify(&LogSource::new(&state), &|_| true)?;
    let cpu = cpu_time()?.saturating_sub(cpu);
    if !verdict.is_intact() {
        return Err(format!("{:?}", verdict.findings).into());
    }
    let rate = verdict.entries as f64 / cpu.as_secs_f64();
    let grown = peak_kib()?.saturating_sub(before);
    report.line(&format!("verify: {} entries in {cpu:?} of CPU, peak memory grew by {grown} KiB", verdict.entries))?;
    let promise = format!(">= {VERIFY_PER_CPU_S_MIN}");
    report.judge("verify, entries per core-second", rate, "", rate >= VERIFY_PER_CPU_S_MIN, &promise)
}

/// Microseconds per entry: the fastest of some rounds of a thousand.
fn append_cost(store: &Arc<dyn Store>, rounds: usize) -> Outcome<f64> {
    let mut best = f64::MAX;
    for _ in 0..rounds {
        let begun = Instant::now();
        for _ in 0..1_000 {
            store.append_later(Some(&id("s")), request_allowed());
        }
        block_on(store.flush())??;
        best = best.min(begun.elapsed().as_secs_f64() * 1e3);
    }
    Ok(best)
}

/// CPU time of this thread (`/proc/thread-self/schedstat`, first field, nanoseconds).
fn cpu_time() -> Outcome<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split_ascii_whitespace().next().ok_or("no schedstat")?.parse()?;
    Ok(Duration::from_nanos(nanoseconds))
}

/// Peak resident memory of this process.
fn peak_kib() -> Outcome<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
