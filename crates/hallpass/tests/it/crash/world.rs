//! One state folder, one upstream, and as many lives of `hallpass` as a test wants.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hallpass_testkit::clients::{Outcome, bare, identity, run};
use tempfile::TempDir;

use super::child::{self, Heard};
use super::upstream::{BUCKET, KEY, SECRET, Upstream};

/// Nothing here takes this long unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// When a life ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    /// SIGKILL after this long, wherever the start has come.
    Elapsed(Duration),
    /// SIGKILL this long after so many requests have reached the upstream.
    Reached(usize, Duration),
    /// By itself: the command has made its requests, or a fail point killed.
    Exit,
}

/// How `hallpass run` is started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan<'a> {
    pub(crate) fail: Option<&'a str>,
    /// Requests of each thread.
    pub(crate) requests: u32,
    pub(crate) threads: u32,
}

impl Plan<'_> {
    /// More requests than anybody waits for.
    pub(crate) const ENDLESS: Plan<'static> = Plan { fail: None, requests: 1_000_000, threads: 3 };
}

/// What a life left behind.
#[derive(Debug)]
pub(crate) struct Life {
    pub(crate) status: ExitStatus,
    /// The command's process id, when it came so far.
    pub(crate) child: Option<u32>,
    pub(crate) heard: Vec<Heard>,
}

impl Life {
    pub(crate) fn was_killed(&self) -> bool {
        self.status.signal() == Some(9)
    }
}

pub(crate) struct World {
    folder: TempDir,
    state: PathBuf,
    pub(crate) upstream: Upstream,
    lives: u32,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let state = folder.path().join("state");
        Self::with_state(folder, state)
    }

    pub(crate) fn with_state(folder: TempDir, state: PathBuf) -> Self {
        for name in ["home", "objects"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        let upstream = Upstream::start(&folder.path().join("objects"));
        Self { folder, state, upstream, lives: 0 }
    }

    pub(crate) fn state(&self) -> &Path {
        &self.state
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What `hallpass` said on stderr in its last life.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("stderr")).unwrap_or_default()
    }

    /// `program <arguments>` with our state and the real credential.
    pub(crate) fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = bare(program);
        command.envs(identity(self.upstream.url(), KEY, SECRET, None));
        command.env("HALLPASS_STATE_DIR", &self.state).env("HOME", self.folder.path().join("home"));
        command.current_dir(self.folder.path()).args(arguments);
        command
    }

    /// Another start, to its end.
    pub(crate) fn hallpass(&self, arguments: &[&str]) -> Outcome {
        run(&mut self.command(HALLPASS, arguments))
    }

    /// Starts `hallpass run` with a command that makes requests.
    pub(crate) fn start(&mut self, plan: Plan<'_>) -> Living {
        let mut command = self.command(HALLPASS, &[]);
        self.begin(&mut command, plan)
    }

    /// As [`Self::start`], with whatever already stands in `command` before it.
    pub(crate) fn begin(&mut self, command: &mut Command, plan: Plan<'_>) -> Living {
        let resource = format!("arn:aws:s3:::{BUCKET}/*");
        let lend = ["--quiet", "run", "--allow", "s3:PutObject,s3:GetObject", "--resource", &resource, "--ttl", "10m"];
        let exe = std::env::current_exe().expect("our own path");
        command.args(lend).arg("--").arg(exe);
        command.args([child::NAME, "--exact", "--ignored", "--nocapture", "--test-threads=1"]);
        command.env(child::PREFIX, format!("r{}", self.lives)).env(child::REQUESTS, plan.requests.to_string());
        command.env(child::THREADS, plan.threads.to_string());
        command.envs(plan.fail.map(|fail| ("HALLPASS_FAIL", fail)));
        let errors = std::fs::File::create(self.folder.path().join("stderr")).expect("a file");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors);
        self.lives += 1;
        Living::watch(command.spawn().expect("hallpass starts"))
    }

    /// One whole life.
    pub(crate) fn live(&mut self, plan: Plan<'_>, until: Until) -> Life {
        let begun = Instant::now();
        let mut living = self.start(plan);
        match until {
            Until::Elapsed(time) => std::thread::sleep(time.saturating_sub(begun.elapsed())),
            Until::Reached(count, then) => {
                let arrivals = self.upstream.arrivals();
                for _ in 0..count {
                    let arrived = arrivals.recv_timeout(PATIENCE);
                    assert!(arrived.is_ok(), "no request came through: {}", self.said());
                }
                std::thread::sleep(then);
            }
            Until::Exit => return living.ended(),
        }
        living.kill();
        living.ended()
    }
}

const HALLPASS: &str = env!("CARGO_BIN_EXE_hallpass");

/// A `hallpass run` that runs.
pub(crate) struct Living {
    process: Child,
    told: Arc<Mutex<Told>>,
    over: Receiver<()>,
}

/// What the command has printed so far.
#[derive(Debug, Default, Clone)]
pub(crate) struct Told {
    pub(crate) child: Option<u32>,
    pub(crate) session: String,
    pub(crate) heard: Vec<Heard>,
}

impl Living {
    fn watch(mut process: Child) -> Self {
        let out = process.stdout.take().expect("a pipe");
        let told = Arc::<Mutex<Told>>::default();
        let (end, over) = channel();
        let tell = Arc::clone(&told);
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let mut told = tell.lock().expect("no panic");
                if let Some((pid, session)) = line.strip_prefix("child ").and_then(|rest| rest.split_once(' ')) {
                    told.child = pid.parse().ok();
                    session.clone_into(&mut told.session);
                } else if let Some(heard) = Heard::parse(&line) {
                    told.heard.push(heard);
                }
            }
            // The pipe is closed: nobody is left who holds its other end.
            let _ = end.send(());
        });
        Self { process, told, over }
    }

    pub(crate) fn told(&self) -> Told {
        self.told.lock().expect("no panic").clone()
    }

    /// Waits until the command has told something.
    pub(crate) fn wait_until(&self, what: &str, enough: impl Fn(&Told) -> bool) -> Told {
        let begun = Instant::now();
        loop {
            let told = self.told();
            if enough(&told) {
                return told;
            }
            assert!(begun.elapsed() < PATIENCE, "never: {what}; last heard: {:?}", told.heard.last());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("our own child can be killed");
    }

    /// Waits for `hallpass`, and for everything that holds the command's stdout: the command must not outlive it.
    pub(crate) fn ended(mut self) -> Life {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.process.try_wait().expect("our own child can be waited for") {
                break status;
            }
            let hangs = begun.elapsed() > PATIENCE;
            if hangs {
                self.kill();
            }
            assert!(!hangs, "hallpass does not end; last heard: {:?}", self.told().heard.last());
            std::thread::sleep(Duration::from_millis(1));
        };
        self.over.recv_timeout(Duration::from_secs(5)).expect("the command outlived hallpass");
        let Told { child, heard, .. } = self.told();
        Life { status, child, heard }
    }
}
