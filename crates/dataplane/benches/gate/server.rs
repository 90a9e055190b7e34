//! A server under test: its address, and what it costs.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::time::ClockId;
use nix::unistd::Pid;

use crate::load::Way;
use crate::roles;

/// A process that answers on loopback; ends when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    child: Child,
    /// Removed with the server.
    _folder: tempfile::TempDir,
}

impl Server {
    /// This binary in another role.
    pub(crate) fn own(role: &'static str, upstream: Option<&Self>) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("our own path"));
        command.env(roles::ROLE, role).stdin(Stdio::null()).stdout(Stdio::piped());
        if let Some(upstream) = upstream {
            command.env(roles::UPSTREAM, upstream.address.to_string());
        }
        let folder = tempfile::tempdir().expect("a folder");
        command.env(roles::FOLDER, folder.path());
        let mut child = command.spawn().expect("our own binary starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("an address");
        Self { name: role, address: line.trim().parse().expect("an address"), child, _folder: folder }
    }

    /// A peer that has been started, once it answers; `None` when it ends, or does not within 20 seconds.
    pub(crate) fn peer(
        name: &'static str,
        address: SocketAddr,
        child: Child,
        folder: tempfile::TempDir,
    ) -> Option<Self> {
        let mut server = Self { name, address, child, _folder: folder };
        for _ in 0..200 {
            if TcpStream::connect(address).is_ok() {
                return Some(server);
            }
            if server.child.try_wait().is_ok_and(|status| status.is_some()) {
                return None;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        None
    }

    /// Whether a body can be sent through it in this way: a proxy that signs anew cannot keep signed chunks.
    pub(crate) fn streams(&self, way: Way) -> bool {
        match self.name {
            "mitmproxy" | "unlogged" => false,
            "envoy" => matches!(way, Way::Down | Way::Unsigned),
            _ => true,
        }
    }

    /// Its process id.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Processor time so far, of every thread and every child process.
    pub(crate) fn cpu_ns(&self) -> u64 {
        cpu_ns(self.child.id())
    }

    /// The most memory that it ever held, with its child processes.
    pub(crate) fn peak_mib(&self) -> f64 {
        family(self.child.id()).into_iter().map(peak_kib).sum::<u64>() as f64 / 1_024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for process in family(self.child.id()).into_iter().skip(1).filter_map(rustix_pid) {
            let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn rustix_pid(process: u32) -> Option<rustix::process::Pid> {
    rustix::process::Pid::from_raw(i32::try_from(process).ok()?)
}

/// A process and its children, which is as deep as any server here goes.
fn family(process: u32) -> Vec<u32> {
    let mut all = vec![process];
    for task in tasks(process) {
        let children = fs::read_to_string(format!("{task}/children")).unwrap_or_default();
        all.extend(children.split_whitespace().filter_map(|text| text.parse::<u32>().ok()));
    }
    all
}

fn tasks(process: u32) -> Vec<String> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{process}/task")) else { return Vec::new() };
    tasks.flatten().map(|task| task.path().display().to_string()).collect()
}

/// By the clock of each process, which counts the threads that have ended too.
fn cpu_ns(process: u32) -> u64 {
    let on_cpu = |process: u32| -> Option<u64> {
        let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(i32::try_from(process).ok()?)).ok()?;
        let now = clock.now().ok()?;
        u64::try_from(now.tv_sec() * 1_000_000_000 + now.tv_nsec()).ok()
    };
    family(process).into_iter().filter_map(on_cpu).sum()
}

fn peak_kib(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or_default()
}
