//! A log that cannot be written: nothing is signed, and a kill still works.

use std::path::{Path, PathBuf};
use std::process::Command;

use hallpass_testkit::clients::run;
use serde_json::Value;

use super::check::Checker;
use super::world::{Living, Plan, Told, World};

const PLAN: Plan<'static> = Plan { threads: 1, ..Plan::ENDLESS };

/// What the child reads; the code `audit-unavailable` stands for it in the log, which cannot be written now.
const REASON: &str = "hallpass: the audit log cannot be written, so nothing is signed";

#[test]
fn a_disk_that_fills_up_refuses_requests_and_lets_kill_through() {
    injected("full");
}

#[test]
fn a_folder_that_becomes_read_only_refuses_requests_and_lets_kill_through() {
    injected("read-only");
}

#[test]
fn an_io_error_refuses_requests_and_lets_kill_through() {
    injected("io");
}

/// The keeper's own writes fail from the n-th commit on; those of other processes do not.
fn injected(kind: &str) {
    let mut world = World::new();
    let fail = format!("store::before-commit=60*off->return({kind})");
    let living = world.start(Plan { fail: Some(&fail), ..PLAN });
    let told = refused(&world, &living);
    let report = killed(&world, &told);
    assert_eq!((&report["outcome"], &report["status"]), (&"killed".into(), &"revoked".into()), "{report}");
    let warned = report["warnings"].to_string();
    assert!(warned.contains("the keeper could not record it"), "what was not recorded was not told: {report}");
    intact(&world, living);
}

#[test]
fn a_file_that_may_not_grow_is_a_real_io_error() {
    let mut world = World::new();
    // 512-byte blocks: room for the reserve and the beginning of the log. SIGXFSZ ignored, so that the write fails.
    let script = "trap '' XFSZ; ulimit -f 2600; exec \"$0\" \"$@\"";
    let mut command = world.command("/bin/sh", &["-c", script, env!("CARGO_BIN_EXE_hallpass")]);
    let living = world.begin(&mut command, PLAN);
    let told = refused(&world, &living);
    let report = killed(&world, &told);
    assert_eq!((&report["outcome"], &report["status"]), (&"killed".into(), &"revoked".into()), "{report}");
    intact(&world, living);
}

#[test]
fn a_disk_that_is_really_full_still_records_the_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(disk) = Disk::mount(&folder.path().join("disk")) else {
        return println!("a small disk cannot be mounted here; only the injected fault was tested");
    };
    let mut world = World::with_state(folder, disk.0.join("state"));
    let living = world.start(PLAN);
    living.wait_until("requests pass", |told| told.heard.len() > 20);
    let ballast = disk.0.join("ballast");
    let filled = std::fs::File::create(&ballast).and_then(|mut file| std::io::copy(&mut std::io::repeat(1), &mut file));
    assert!(filled.is_err(), "the disk is endless");
    let told = refused(&world, &living);
    let report = killed(&world, &told);
    assert_eq!((&report["outcome"], &report["status"]), (&"killed".into(), &"revoked".into()), "{report}");
    std::fs::remove_file(&ballast).expect("removed");
    intact(&world, living);
}

#[test]
fn a_read_only_state_folder_lends_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(disk) = Disk::mount(&folder.path().join("disk")) else {
        return println!("a disk cannot be mounted here");
    };
    let mut world = World::with_state(folder, disk.0.join("state"));
    world.hallpass(&["run", "--allow", "s3:GetObject", "--resource", "*", "--", "/bin/true"]).succeeded();
    disk.read_only();
    let life = world.live(PLAN, super::world::Until::Exit);
    assert_eq!(life.status.code(), Some(125), "{}", world.said());
    assert!(life.child.is_none() && life.heard.is_empty(), "the command was started");
    assert_eq!(world.upstream.count(), 0);
    let said = world.said();
    assert!(said.contains("read-only") || said.contains("readonly") || said.contains("Read-only"), "{said}");
    // What is there can still be read and checked.
    world.hallpass(&["session", "list", "--json"]).succeeded();
    world.hallpass(&["audit", "verify", "--no-repair"]).succeeded();
}

/// Waits until the log cannot be written, and makes sure that nothing passes from then on.
fn refused(world: &World, living: &Living) -> Told {
    let is_refusal = |told: &Told| told.heard.iter().filter(|heard| heard.status == 503).count();
    living.wait_until("a request is refused because the log fails", |told| is_refusal(told) >= 1);
    let passed = world.upstream.count();
    let told = living.wait_until("more are", |told| is_refusal(told) >= 10);
    for heard in told.heard.iter().filter(|heard| heard.status == 503) {
        assert!(heard.body.contains("<Code>ServiceUnavailable</Code>"), "not S3's shape: {heard:?}");
        assert!(heard.body.contains(REASON), "no reason: {heard:?}");
    }
    assert_eq!(world.upstream.count(), passed, "a request passed without its entry");
    assert!(passed > 0, "nothing had passed before");
    told
}

/// Kills from another process, and gives the report.
fn killed(world: &World, told: &Told) -> Value {
    let outcome = world.hallpass(&["session", "kill", "--json", &told.session]);
    assert!(outcome.status.success(), "{}", outcome.shown());
    serde_json::from_str(&outcome.stdout).expect("one JSON object")
}

fn intact(world: &World, living: Living) {
    let mut checker = Checker::default();
    let mut life = living.ended();
    // What could not be recorded is refused all the same, and names no entry.
    life.heard.retain(|heard| heard.status < 400 || heard.entry.is_some());
    checker.note(life);
    let found = checker.check(world, &["revoked"]);
    assert!(found.is_empty(), "{found:#?}");
}

/// A small disk in memory, for those who may mount one.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: &Path) -> Option<Self> {
        std::fs::create_dir(at).ok()?;
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=12m,mode=700", "tmpfs"]).arg(at);
        run(&mut mount).status.success().then(|| Self(at.to_owned()))
    }

    fn read_only(&self) {
        run(Command::new("mount").args(["-o", "remount,ro"]).arg(&self.0)).succeeded();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        run(Command::new("umount").arg("-l").arg(&self.0));
    }
}
