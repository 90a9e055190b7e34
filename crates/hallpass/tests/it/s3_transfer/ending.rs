//! How transfers end when they do not end well: signals, tokens that expire, stores that break.

use std::collections::HashSet;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hallpass_core::limits::S3_IDLE_S_MAX;
use rustix::process::{Pid, Signal, kill_process};

use super::store::{Act, Seen, Store};
use super::{noise, write};
use crate::cli_world::{Said, World, said};

const PART: usize = 5 << 20;

/// Waits for something that will be; a hang fails the test.
fn until(what: &str, mut is: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is() {
        assert!(begin.elapsed() < Duration::from_secs(60), "{what} did not happen");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn start(mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("hallpass starts")
}

fn signalled(child: Child, signal: Signal) -> Said {
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a number")).expect("a process");
    kill_process(pid, signal).expect("it is there");
    said(child.wait_with_output().expect("it ends"))
}

/// The number of an uploaded part.
fn number(seen: &Seen) -> Option<String> {
    let rest = seen.target.split("partNumber=").nth(1).filter(|_| seen.method == "PUT")?;
    rest.split('&').next().map(str::to_owned)
}

fn is_part(seen: &Seen) -> bool {
    seen.method == "PUT" && seen.target.contains("partNumber=")
}

#[test]
fn ctrl_c_and_sigterm_leave_no_orphan_in_the_store() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let store = Store::with(|seen| if is_part(seen) { Act::Late(Duration::from_millis(300)) } else { Act::Pass });
        let world = World::new();
        store.set(&world);
        write(&world, "big", &noise(20 * PART));
        let child =
            start(world.command(&["s3", "cp", "big", "m/bkt/big", "--part-size", "5MiB", "--concurrency", "2"]));
        until("a part", || store.count("PUT", "partNumber=3") > 0);
        let said = signalled(child, signal);
        assert_eq!(said.code, code, "{said:?}");
        assert!(said.err.contains("with `--resume`"), "the way to go on is not said: {said:?}");
        assert_eq!(store.count("DELETE", "uploadId="), 1, "the upload is given up");
        assert!(store.object("big").is_none() && store.parts() == 0, "something stays");
    }
}

#[test]
fn a_part_that_does_not_end_is_cut_off_before_the_store_counts_as_silent() {
    let store = Store::with(|seen| if is_part(seen) { Act::Never } else { Act::Pass });
    let world = World::new();
    store.set(&world);
    write(&world, "big", &noise(3 * PART));
    let child = start(world.command(&["s3", "cp", "big", "m/bkt/big", "--part-size", "5MiB"]));
    until("a part", || store.count("PUT", "partNumber=") > 0);
    let begun = Instant::now();
    let said = signalled(child, Signal::INT);
    assert!(begun.elapsed() < Duration::from_secs(S3_IDLE_S_MAX), "nothing cut it off");
    assert_eq!((said.code, store.count("DELETE", "uploadId=")), (130, 1), "{said:?}");
}

#[test]
fn ctrl_c_leaves_no_half_file_here() {
    let store = Store::with(|seen| match seen.method.as_str() {
        "GET" => Act::Late(Duration::from_secs(20)),
        _ => Act::Pass,
    });
    let world = World::new();
    store.set(&world);
    write(&world, "big", &noise(60 << 20));
    world.ok(&["s3", "cp", "big", "m/bkt/big"]);
    let child = start(world.command(&["s3", "cp", "m/bkt/big", "./out/big"]));
    until("a range", || store.count("GET", "/bkt/big") > 0);
    assert_eq!(std::fs::read_dir(world.work().join("out")).expect("the folder").count(), 1, "there is a half file");
    let said = signalled(child, Signal::INT);
    assert_eq!(said.code, 130, "{said:?}");
    let left: Vec<_> = std::fs::read_dir(world.work().join("out")).expect("the folder").collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn ctrl_c_ends_a_copy_that_waits_for_its_input() {
    let store = Store::start();
    let world = World::new();
    store.set(&world);
    let mut command = world.command(&["s3", "cp", "-", "m/bkt/piped"]);
    command.stdin(Stdio::piped());
    let mut child = start(command);
    let held = child.stdin.take();
    // It has read the aliases, and waits.
    std::thread::sleep(Duration::from_millis(500));
    let said = signalled(child, Signal::INT);
    drop(held);
    assert_eq!(said.code, 130, "{said:?}");
    assert!(store.object("piped").is_none());
}

#[test]
fn with_resume_a_stopped_upload_goes_on_where_it_stopped() {
    let store = Store::with(|seen| if is_part(seen) { Act::Late(Duration::from_millis(300)) } else { Act::Pass });
    let world = World::new();
    store.set(&world);
    let bytes = noise(8 * PART);
    write(&world, "big", &bytes);
    let args = ["s3", "cp", "big", "m/bkt/big", "--part-size", "5MiB", "--concurrency", "1", "--resume"];
    let child = start(world.command(&args));
    until("a part", || store.count("PUT", "partNumber=4") > 0);
    let said = signalled(child, Signal::INT);
    assert_eq!(said.code, 130, "{said:?}");
    assert!(said.err.contains("upload id") && said.err.contains("goes on with it"), "{said:?}");
    assert_eq!(store.count("DELETE", ""), 0);
    let before = store.seen().len();
    world.ok(&args);
    assert_eq!(store.object("big"), Some(bytes));
    assert_eq!(store.count("POST", "uploads"), 1, "a second upload was begun");
    let again: Vec<String> = store.seen()[before..].iter().filter_map(number).collect();
    assert!(again.iter().all(|part| !["1", "2", "3"].contains(&part.as_str())), "parts were sent again: {again:?}");
}

/// The token that was sent first ends with the seventh part.
fn expiring(tokens: Arc<Mutex<HashSet<String>>>) -> Store {
    let parts = AtomicUsize::new(0);
    Store::with(move |seen| {
        if is_part(seen) && parts.fetch_add(1, Ordering::SeqCst) == 6 {
            tokens.lock().expect("no panic").insert(seen.token.clone());
        }
        if tokens.lock().expect("no panic").contains(&seen.token) {
            Act::Refuse(400, "ExpiredToken")
        } else {
            Act::Pass
        }
    })
}

#[test]
fn a_token_that_expires_at_part_7_of_20_is_renewed_where_it_can_be() {
    let store = expiring(Arc::default());
    let world = World::new();
    store.set_renewable(&world, "r");
    let bytes = noise(20 * PART);
    write(&world, "big", &bytes);
    world.ok(&["s3", "cp", "big", "r/bkt/big", "--part-size", "5MiB"]);
    assert_eq!(store.object("big"), Some(bytes));
    let tokens: HashSet<String> = store.seen().into_iter().map(|seen| seen.token).collect();
    assert!(tokens.len() >= 2, "nothing was renewed: {tokens:?}");
    assert_eq!(store.parts(), 0);
}

#[test]
fn a_token_that_expires_for_good_ends_with_4_and_the_upload_can_go_on() {
    let dead = Arc::<Mutex<HashSet<String>>>::default();
    let store = expiring(Arc::clone(&dead));
    let world = World::new();
    store.set_with_token(&world, "t");
    let bytes = noise(20 * PART);
    write(&world, "big", &bytes);
    let args = ["s3", "cp", "big", "t/bkt/big", "--part-size", "5MiB", "--concurrency", "1"];
    let said = world.say(&args);
    assert_eq!(said.code, 4, "{said:?}");
    assert!(said.err.contains("expired") && said.err.contains("upload id"), "{said:?}");
    assert!(said.err.contains("alias was removed"), "the dead alias is pruned: {said:?}");
    assert!(store.object("big").is_none());
    // The person has new keys.
    dead.lock().expect("no panic").clear();
    store.set_with_token(&world, "t");
    let before = store.seen().len();
    world.ok(&args);
    let again: Vec<String> = store.seen()[before..].iter().filter_map(number).collect();
    let left: Vec<String> = (7..=20).map(|part| part.to_string()).collect();
    assert_eq!(again, left, "what is there is not sent again");
    assert_eq!(store.object("big"), Some(bytes));
    assert_eq!(store.count("POST", "uploads"), 1, "the upload was begun anew, and the first stays as an orphan");
    assert_eq!(store.parts(), 0);
}

#[test]
fn an_upload_that_cannot_be_given_up_is_named_with_its_id() {
    let store = Store::with(|seen| match seen.method.as_str() {
        "PUT" if seen.target.contains("partNumber=2") => Act::Refuse(403, "AccessDenied"),
        "DELETE" => Act::Refuse(403, "AccessDenied"),
        _ => Act::Pass,
    });
    let world = World::new();
    store.set(&world);
    write(&world, "big", &noise(4 * PART));
    let said = world.say(&["s3", "cp", "big", "m/bkt/big", "--part-size", "5MiB"]);
    assert_eq!(said.code, 4, "{said:?}");
    let asked = store.seen().into_iter().find(|seen| seen.method == "DELETE").expect("it was tried");
    let id = asked.target.split("uploadId=").nth(1).expect("an id").to_owned();
    assert!(said.err.contains(&id) && said.err.contains("could not be given up"), "{id}: {said:?}");
}

#[test]
fn a_store_that_is_busy_is_asked_again() {
    let refused = AtomicUsize::new(0);
    let store = Store::with(move |seen| {
        let busy = seen.method == "PUT" && refused.fetch_add(1, Ordering::SeqCst) < 2;
        if busy { Act::Refuse(503, "SlowDown") } else { Act::Pass }
    });
    let world = World::new();
    store.set(&world);
    write(&world, "a", b"alpha");
    world.ok(&["s3", "cp", "a", "m/bkt/a"]);
    assert_eq!(store.object("a").as_deref(), Some(&b"alpha"[..]));
}

#[test]
fn a_signal_after_a_transfer_of_a_batch_ends_the_next_command_too() {
    use std::os::unix::process::ExitStatusExt;
    let store = Store::with(|seen| if seen.target.contains("list-type") { Act::Never } else { Act::Pass });
    let world = World::new();
    store.set(&world);
    write(&world, "small", b"alpha");
    world.file("work/batch", "cp small m/bkt/small\nls m/bkt\n");
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let before = store.count("GET", "list-type");
        let child = start(world.command(&["s3", "run", "batch", "--timeout", "10s"]));
        until("the listing", || store.count("GET", "list-type") > before);
        let pid = Pid::from_raw(i32::try_from(child.id()).expect("a number")).expect("a process");
        kill_process(pid, signal).expect("it is there");
        let ended = child.wait_with_output().expect("it ends");
        assert_eq!(ended.status.signal(), Some(signal.as_raw()), "{ended:?}");
    }
}

#[test]
fn who_stops_one_command_of_a_batch_does_not_mean_the_next_ones() {
    let store = Store::with(|seen| if is_part(seen) { Act::Late(Duration::from_millis(300)) } else { Act::Pass });
    let world = World::new();
    store.set(&world);
    write(&world, "big", &noise(20 * PART));
    world.file("work/batch", "cp big m/bkt/big --part-size 5MiB --concurrency 2\nls m\n");
    let child = start(world.command(&["s3", "run", "batch", "--continue-on-error"]));
    until("a part", || store.count("PUT", "partNumber=3") > 0);
    let said = signalled(child, Signal::INT);
    assert!(said.code == 130 && said.out.is_empty() && said.err.contains("1 command, 1 failed"), "{said:?}");
}

#[test]
fn a_pipe_that_is_stopped_says_by_what_and_leaves_nothing() {
    let store = Store::start();
    let world = World::new();
    store.set(&world);
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let mut command = world.command(&["s3", "pipe", "m/bkt/piped"]);
        let mut child = start_with_stdin(&mut command);
        let mut stdin = child.stdin.take().expect("a pipe");
        let before = store.count("PUT", "partNumber=");
        std::io::Write::write_all(&mut stdin, &noise(40 << 20)).expect("taken");
        until("a part", || store.count("PUT", "partNumber=") > before);
        let said = signalled(child, signal);
        drop(stdin);
        assert_eq!(said.code, code, "{said:?}");
        assert!(store.object("piped").is_none() && store.parts() == 0, "something stays");
    }
}

fn start_with_stdin(command: &mut Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("hallpass starts")
}
