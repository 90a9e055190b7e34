//! `hallpass s3` beside `aws s3`, `s5cmd` and `rclone`: `cargo xtask bench s3`.
//!
//! Rounds are interleaved, so that a neighbour on the machine disturbs all alike; what is judged is the median of the
//! ratios within a round. CPU is that of the client's process alone; its start is included. What a run did is counted
//! afterwards, and a run that did not do all of it is not compared.

#[path = "s3/proof.rs"]
mod proof;
#[path = "s3/sink.rs"]
mod sink;
#[path = "s3/sizes.rs"]
mod sizes;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use hallpass_testkit::clients::bare;
use hallpass_testkit::cpu::{Cost, cost, cost_into};
use hallpass_testkit::servers::{Seaweedfs, seaweedfs};
use sizes::{SMALL_BYTES, Sizes};

const HALLPASS: &str = env!("CARGO_BIN_EXE_hallpass");
/// Rounds of everything; before them, one that does not count.
const ROUNDS: usize = 3;
/// The folder that `cargo xtask bench s3` installs peers into, a Python venv.
const PEERS: &str = "HALLPASS_BENCH_PEERS";

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    LargeUp,
    LargeDown,
    SmallUp,
    SmallDown,
    List,
    Delete,
}

const ALL: [(Work, &str); 6] = [
    (Work::LargeUp, "large object up"),
    (Work::LargeDown, "large object down"),
    (Work::SmallUp, "2,000 x 16 KiB up"),
    (Work::SmallDown, "2,000 x 16 KiB down"),
    (Work::List, "list 100,000 keys"),
    (Work::Delete, "delete 2,000 keys"),
];

/// Who does it; the first is ours.
const TOOLS: [&str; 4] = ["hallpass", "s5cmd", "aws", "rclone"];

/// Ours is at least so many times as fast, and takes at most so many times the CPU.
const PROMISES: [(Work, &str, f64, f64); 18] = [
    (Work::LargeUp, "s5cmd", 2.5, 0.4),
    (Work::LargeUp, "aws", 3.5, 0.4),
    (Work::LargeUp, "rclone", 2.5, 0.4),
    (Work::LargeDown, "s5cmd", 1.3, 1.0),
    (Work::LargeDown, "aws", 2.5, 1.0),
    (Work::LargeDown, "rclone", 0.9, 1.1),
    (Work::SmallUp, "s5cmd", 5.0, 1.0),
    (Work::SmallUp, "aws", 60.0, 1.0),
    (Work::SmallUp, "rclone", 1.0, 1.0),
    (Work::SmallDown, "s5cmd", 1.0, 1.0),
    (Work::SmallDown, "aws", 1.0, 1.0),
    (Work::SmallDown, "rclone", 1.0, 1.0),
    (Work::List, "s5cmd", 1.0, 1.0),
    (Work::List, "aws", 1.0, 1.0),
    (Work::List, "rclone", 1.0, 1.0),
    (Work::Delete, "s5cmd", 1.0, 1.0),
    (Work::Delete, "aws", 1.0, 1.0),
    (Work::Delete, "rclone", 1.0, 1.0),
];

struct Bench {
    url: String,
    key: &'static str,
    secret: &'static str,
    folder: PathBuf,
    peers: Option<PathBuf>,
    sizes: Sizes,
    /// It is the sink, which counts what it takes.
    counts: bool,
}

fn main() -> std::io::Result<ExitCode> {
    let sizes = Sizes::new();
    let folder = tempfile::tempdir()?;
    fill(folder.path(), sizes)?;
    #[expect(clippy::disallowed_methods, reason = "a bench has no `environment.rs`")]
    let peers = std::env::var_os(PEERS).map(PathBuf::from);
    let sink = format!("http://{}", sink::start(sizes));
    let bench = |url, key, secret, counts| {
        let (folder, peers) = (folder.path().to_owned(), peers.clone());
        Bench { url, key, secret, folder, peers, sizes, counts }
    };
    let good = bench(sink, "KEY", "secret", true).all("in-memory sink", &ALL)?;
    let store = Seaweedfs::start().expect("SeaweedFS starts");
    let weed = bench(store.url(), seaweedfs::KEY, seaweedfs::SECRET, false);
    assert!(cost(&mut weed.hallpass(&["s3", "mb", "m/bkt"])).status.success(), "the bucket cannot be made");
    // Its volumes are small, and its listing is as long as what was uploaded: it is asked for what it can hold.
    let ahead = weed.all("SeaweedFS", &ALL[2..4])?;
    Ok(if good && ahead { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn fill(folder: &Path, sizes: Sizes) -> std::io::Result<()> {
    fs::create_dir_all(folder.join("small"))?;
    // Not a hole in the file system: its pages are read like any others.
    let mut large = fs::File::create(folder.join("large"))?;
    let piece = vec![7; 1 << 20];
    for _ in 0..sizes.large >> 20 {
        large.write_all(&piece)?;
    }
    let piece = vec![7; usize::try_from(SMALL_BYTES).expect("fits")];
    (0..sizes.small).try_for_each(|n| fs::write(folder.join(format!("small/{n:08}")), &piece))
}

impl Bench {
    fn all(&self, store: &str, works: &[(Work, &str)]) -> std::io::Result<bool> {
        let mut out = std::io::stdout().lock();
        let mib = self.sizes.large >> 20;
        writeln!(out, "\n{store}; the large object has {mib} MiB; median of {ROUNDS} interleaved rounds")?;
        writeln!(
            out,
            "{:<22} {:<10} {:>9} {:>9} {:>12} {:>11}",
            "", "", "wall s", "CPU s", "wall ours/it", "CPU ours/it"
        )?;
        let mut good = true;
        for (work, name) in works {
            let mut costs: Vec<(&str, Vec<Cost>)> = TOOLS.iter().map(|tool| (*tool, Vec::new())).collect();
            for round in 0..=ROUNDS {
                for (tool, costs) in &mut costs {
                    let Some(mut command) = self.command(tool, *work) else { continue };
                    self.prepare(*work);
                    let one = cost_into(&mut command, fs::File::create(self.printed())?);
                    // One that cannot do it is not compared.
                    match self.proof(*work) {
                        Ok(()) if one.status.success() && round > 0 => costs.push(one),
                        Ok(()) => {}
                        Err(missing) => writeln!(out, "{name:<22} {tool:<10} {missing}")?,
                    }
                }
            }
            let Some((_, ours)) = costs.first().filter(|(_, costs)| costs.len() == ROUNDS) else {
                writeln!(out, "{name:<22} hallpass failed")?;
                good = false;
                continue;
            };
            for (tool, theirs) in &costs {
                if theirs.len() < ROUNDS {
                    writeln!(out, "{name:<22} {tool:<10} not measured")?;
                    continue;
                }
                let wall = median(theirs.iter().map(|cost| cost.wall.as_secs_f64()));
                let cpu = median(theirs.iter().map(|cost| cost.cpu.as_secs_f64()));
                let pairs = || ours.iter().zip(theirs);
                let wall_ratio = median(pairs().map(|(a, b)| a.wall.as_secs_f64() / b.wall.as_secs_f64().max(1e-6)));
                let cpu_ratio = median(pairs().map(|(a, b)| a.cpu.as_secs_f64() / b.cpu.as_secs_f64().max(1e-6)));
                write!(out, "{name:<22} {tool:<10} {wall:>9.3} {cpu:>9.3} {wall_ratio:>12.2} {cpu_ratio:>11.2}")?;
                let promise = PROMISES.iter().find(|(of, than, ..)| of == work && than == tool);
                if let Some((_, _, faster, share)) = promise {
                    // How many times as fast is promised where the store costs nothing; with a real one, to be ahead.
                    let faster = if self.counts { *faster } else { 1.0 };
                    let kept = 1.0 / wall_ratio >= faster && cpu_ratio <= *share;
                    good &= kept;
                    let word = if kept { "PASS" } else { "FAIL" };
                    write!(out, "  {word} (>= {faster} x as fast, <= {share} of the CPU)")?;
                }
                writeln!(out)?;
            }
        }
        Ok(good)
    }

    fn hallpass(&self, arguments: &[&str]) -> Command {
        let mut command = bare(HALLPASS);
        let (scheme, host) = self.url.split_once("://").expect("a URL");
        let secret = self.secret.replace('/', "%2F").replace('+', "%2B");
        command.env("HALLPASS_HOST_m", format!("{scheme}://{}:{secret}@{host}", self.key));
        command.env("HOME", &self.folder).env("HALLPASS_STATE_DIR", self.folder.join("state"));
        command.args(arguments).current_dir(&self.folder);
        command
    }

    /// An empty folder. Its small files are kept until the end: ext4 looks at each inode that was freed within the last
    /// minutes before it gives one out, which costs whoever comes next more than its own work.
    fn put_aside(&self, folder: &Path) -> std::io::Result<()> {
        if folder.is_dir() {
            drop(fs::remove_file(folder.join("large")));
            let kept = tempfile::tempdir_in(&self.folder)?.keep();
            fs::rename(folder, kept)?;
        }
        fs::create_dir_all(folder)
    }

    /// `None`: it is not installed.
    fn command(&self, tool: &str, work: Work) -> Option<Command> {
        self.put_aside(&self.folder.join("down")).ok()?;
        if tool == "hallpass" {
            return Some(self.hallpass(match work {
                Work::LargeUp => &["s3", "cp", "-q", "large", "m/bkt/large"],
                Work::LargeDown => &["s3", "cp", "-q", "m/bkt/large", "down/large"],
                Work::SmallUp => &["s3", "cp", "-q", "-r", "small/", "m/bkt/small/"],
                Work::SmallDown => &["s3", "cp", "-q", "-r", "m/bkt/small/", "down/"],
                Work::List => &["s3", "ls", "-r", "m/bkt/list/"],
                Work::Delete => &["s3", "rm", "-q", "-r", "--force", "m/bkt/small/"],
            }));
        }
        let program = self.peers.as_ref()?.join("bin").join(tool);
        program.is_file().then(|| {
            let mut command = bare(program);
            command.env("AWS_ACCESS_KEY_ID", self.key).env("AWS_SECRET_ACCESS_KEY", self.secret);
            command.env("AWS_REGION", "us-east-1").env("AWS_DEFAULT_REGION", "us-east-1").env("HOME", &self.folder);
            command.current_dir(&self.folder);
            self.peer(&mut command, tool, work);
            command
        })
    }

    fn peer(&self, command: &mut Command, tool: &str, work: Work) {
        let arguments: &[&str] = match (tool, work) {
            ("aws", Work::LargeUp) => &["s3", "cp", "--quiet", "large", "s3://bkt/large"],
            ("aws", Work::LargeDown) => &["s3", "cp", "--quiet", "s3://bkt/large", "down/large"],
            ("aws", Work::SmallUp) => &["s3", "cp", "--quiet", "--recursive", "small", "s3://bkt/small/"],
            ("aws", Work::SmallDown) => &["s3", "cp", "--quiet", "--recursive", "s3://bkt/small/", "down"],
            ("aws", Work::List) => &["s3", "ls", "--recursive", "s3://bkt/list/"],
            ("aws", Work::Delete) => &["s3", "rm", "--quiet", "--recursive", "s3://bkt/small/"],
            ("s5cmd", Work::LargeUp) => &["cp", "large", "s3://bkt/large"],
            ("s5cmd", Work::LargeDown) => &["cp", "s3://bkt/large", "down/large"],
            ("s5cmd", Work::SmallUp) => &["cp", "small/", "s3://bkt/small/"],
            ("s5cmd", Work::SmallDown) => &["cp", "s3://bkt/small/*", "down/"],
            ("s5cmd", Work::List) => &["ls", "s3://bkt/list/*"],
            ("s5cmd", Work::Delete) => &["rm", "s3://bkt/small/*"],
            (_, Work::LargeUp) => &["copyto", "large", "sink:bkt/large"],
            (_, Work::LargeDown) => &["copyto", "sink:bkt/large", "down/large"],
            (_, Work::SmallUp) => &["copy", "small", "sink:bkt/small", "--transfers", "32", "--no-check-dest"],
            (_, Work::SmallDown) => &["copy", "sink:bkt/small", "down", "--transfers", "32", "--no-check-dest"],
            (_, Work::List) => &["lsf", "-R", "sink:bkt/list"],
            (_, Work::Delete) => &["delete", "sink:bkt/small"],
        };
        match tool {
            "aws" | "s5cmd" => {
                command.args(["--endpoint-url", &self.url]);
            }
            _ => {
                let set = [("TYPE", "s3"), ("PROVIDER", "Other"), ("ENV_AUTH", "true"), ("ENDPOINT", &self.url)];
                command.envs(set.map(|(name, value)| (format!("RCLONE_CONFIG_SINK_{name}"), value)));
                command.args(["--quiet", "--s3-no-check-bucket", "--s3-no-head", "--ignore-checksum"]);
            }
        }
        command.args(arguments);
    }
}

fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = numbers.collect();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}
