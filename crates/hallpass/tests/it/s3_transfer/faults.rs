//! Stores that answer slowly, never, with 503, or break off: what the command does, and what stays behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::store::{Act, Seen, Store};
use super::{noise, write};
use crate::cli_world::{Said, World};

/// A world with a large and a small file, and the alias `m`.
fn world(store: &Store) -> World {
    let world = World::new();
    store.set(&world);
    write(&world, "big", &noise(17 << 20));
    write(&world, "small", b"alpha");
    world
}

fn failed(said: &Said, code: &str) {
    assert_eq!(said.code, 3, "{said:?}");
    assert!(said.err.contains(&format!("[{code}]")), "{said:?}");
}

/// A network failure as `--json` has it.
fn retryable(said: &Said) {
    let errors = said.err.lines().chain(said.out.lines()).filter(|line| line.contains("network_error"));
    let lines: Vec<_> = errors.collect();
    assert!(!lines.is_empty() && lines.iter().all(|line| line.contains("\"retryable\":true")), "{said:?}");
}

#[test]
fn a_store_that_is_slow_is_waited_for_as_long_as_something_moves() {
    let store = Store::with(|seen| match (seen.method.as_str(), seen.target.contains("list-type")) {
        ("GET", _) => Act::Drip(Duration::from_millis(150)),
        _ => Act::Late(Duration::from_millis(300)),
    });
    let world = world(&store);
    let patience = ["--timeout", "2s"];
    world.ok(&[&["s3", "cp", "big", "m/bkt/big", "--part-size", "5MiB"][..], &patience].concat());
    // Each takes three seconds, and never two without a byte.
    assert!(world.ok(&[&["s3", "ls", "m/bkt"][..], &patience].concat()).contains("big"));
    world.ok(&[&["s3", "cp", "m/bkt/big", "back"][..], &patience].concat());
    assert!(std::fs::read(world.work().join("back")).expect("a file") == noise(17 << 20));
}

#[test]
fn a_store_that_never_answers_is_given_up_and_nothing_stays() {
    let store = Store::with(|seen| match seen.method.as_str() {
        "GET" | "HEAD" => Act::Never,
        "PUT" if seen.target.contains("partNumber=2") || seen.target.contains("small") => Act::Never,
        _ => Act::Pass,
    });
    let world = world(&store);
    let patience = ["--timeout", "1s"];
    for command in [
        &["s3", "ls", "m/bkt"][..],
        &["s3", "stat", "m/bkt/a"],
        &["s3", "cp", "small", "m/bkt/small"],
        &["s3", "cp", "m/bkt/a", "./here"],
        &["s3", "cp", "big", "m/bkt/big", "--part-size", "5MiB"],
    ] {
        let said = world.say(&[command, &patience].concat());
        failed(&said, "timeout");
        assert!(said.err.contains("silent for 1 s"), "{said:?}");
    }
    retryable(&world.say(&[&["s3", "cp", "small", "m/bkt/small", "--json"][..], &patience].concat()));
    assert!(store.object("big").is_none() && store.parts() == 0, "an orphan stays");
    assert!(!world.work().join("here").exists());
    assert_eq!(world.say(&["s3", "ls", "m/bkt", "--timeout", "6m"]).code, 2);
}

#[test]
fn a_store_that_is_busy_for_good_is_asked_three_times_and_the_upload_is_given_up() {
    let store = Store::with(|seen| match seen.method.as_str() {
        "PUT" if seen.target.contains("partNumber=2") => Act::Refuse(503, "SlowDown"),
        "GET" | "HEAD" => Act::Refuse(503, "SlowDown"),
        _ => Act::Pass,
    });
    let world = world(&store);
    let said = world.say(&["s3", "cp", "big", "m/bkt/big", "--part-size", "5MiB"]);
    failed(&said, "SlowDown");
    assert_eq!((store.count("PUT", "partNumber=2"), store.count("DELETE", "uploadId=")), (3, 1));
    assert!(store.object("big").is_none() && store.parts() == 0, "an orphan stays");
    failed(&world.say(&["s3", "ls", "m/bkt"]), "SlowDown");
    assert_eq!(store.count("GET", ""), 3);
    retryable(&world.say(&["s3", "cp", "m/bkt/big", "./here", "--json"]));
    assert!(!world.work().join("here").exists());
}

/// Gets of the object break off after so many bytes, the first `times` of them.
fn cutting(after: usize, times: usize) -> Store {
    let cut = Arc::<AtomicUsize>::default();
    Store::with(move |seen: &Seen| {
        let hit = seen.method == "GET" && seen.target.contains("/bkt/");
        if hit && cut.fetch_add(1, Ordering::SeqCst) < times { Act::Cut(after) } else { Act::Pass }
    })
}

#[test]
fn a_body_that_breaks_off_is_gone_on_with_and_not_read_again() {
    for (name, after) in [("big", 3 << 20), ("small", 2)] {
        let store = cutting(after, 2);
        let world = world(&store);
        world.ok(&["s3", "cp", name, &format!("m/bkt/{name}")]);
        world.ok(&["s3", "cp", &format!("m/bkt/{name}"), "back", "--concurrency", "1"]);
        let there = std::fs::read(world.work().join(name)).expect("a file");
        assert!(std::fs::read(world.work().join("back")).expect("a file") == there, "{name}");
        if name == "big" {
            let ranges: Vec<String> =
                store.seen().into_iter().map(|seen| seen.range).filter(|r| !r.is_empty()).collect();
            assert!(ranges.iter().any(|range| range.starts_with("bytes=3145728-")), "{ranges:?}");
        }
    }
    let store = cutting(3 << 20, 2);
    let world = world(&store);
    world.ok(&["s3", "cp", "big", "m/bkt/big"]);
    let output = world.command(&["s3", "cat", "m/bkt/big"]).output().expect("runs");
    assert!(output.status.success() && output.stdout == noise(17 << 20), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_body_that_always_breaks_off_leaves_no_file() {
    let store = cutting(0, usize::MAX);
    let world = world(&store);
    for name in ["big", "small"] {
        world.ok(&["s3", "cp", name, &format!("m/bkt/{name}")]);
        let said = world.say(&["s3", "cp", &format!("m/bkt/{name}"), "./out/back"]);
        assert_eq!(said.code, 3, "{said:?}");
        let left: Vec<_> = std::fs::read_dir(world.work().join("out")).map(|all| all.collect()).unwrap_or_default();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn a_file_that_becomes_shorter_while_it_is_sent_is_said_to_have_changed_and_leaves_nothing() {
    for (part, flags) in [("5MiB", &[][..]), ("5MiB", &["--resume"]), ("20MiB", &[])] {
        let reached = Arc::<AtomicUsize>::default();
        let seen = Arc::clone(&reached);
        let store = Store::with(move |request| match request.method.as_str() {
            "PUT" | "POST" => {
                seen.fetch_add(1, Ordering::SeqCst);
                Act::Late(Duration::from_millis(200))
            }
            _ => Act::Pass,
        });
        let world = world(&store);
        let args = ["s3", "cp", "big", "m/bkt/big", "--limit-rate", "4MiB", "--part-size", part, "--concurrency", "1"];
        let mut command = world.command(&[&args[..], flags].concat());
        let child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn();
        let child = child.expect("starts");
        while reached.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        write(&world, "big", b"short");
        let said = crate::cli_world::said(child.wait_with_output().expect("ends"));
        assert!(said.code == 6 && said.err.contains("it changed while it was uploaded"), "{part} {flags:?}: {said:?}");
        assert!(store.object("big").is_none() && store.parts() == 0, "{part} {flags:?}: something stays");
    }
}
