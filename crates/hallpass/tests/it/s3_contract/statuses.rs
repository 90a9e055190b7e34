//! The exit statuses, each by something that ends so.

use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

use hallpass_testkit::servers::Scripted;

use crate::cli_world::World;

fn with_store(store: &Scripted) -> World {
    let world = World::new();
    world.ok(&["alias", "set", "m", &store.url(), "AK", "S", "--no-check"]);
    world
}

#[test]
fn every_exit_status_of_the_contract_has_something_that_ends_so() {
    let empty = Scripted::empty();
    let world = with_store(&empty);
    assert_eq!(world.say(&["s3", "ls", "m"]).code, 0);
    assert_eq!(world.say(&["s3", "ls"]).code, 2, "no path");
    assert_eq!(world.say(&["s3", "ls", "./here"]).code, 2, "a local path");
    assert_eq!(world.say(&["s3", "ls", "nobody/data"]).code, 5, "no such alias");
    assert_eq!(world.say(&["s3", "ls", "m/data"]).code, 5, "no such bucket");
    world.ok(&["alias", "set", "n", "http://h", "--anonymous", "--no-check"]);
    assert_eq!(world.say(&["alias", "rename", "m", "n"]).code, 6, "it exists");
    for (code, status, exit) in [("Strange", 418, 1), ("AccessDenied", 403, 4), ("NotImplemented", 501, 7)] {
        let store = Scripted::refusing(status, code);
        assert_eq!(with_store(&store).say(&["s3", "ls", "m/data"]).code, exit, "{code}");
    }
    world.ok(&["alias", "set", "down", "http://127.0.0.1:9", "AK", "S", "--no-check"]);
    assert_eq!(world.say(&["s3", "ls", "down/data"]).code, 3);
}

#[test]
fn an_object_whose_length_the_store_does_not_tell_is_neither_emptied_nor_removed() {
    // A HEAD that is answered 204 has no `content-length`.
    let store = Scripted::start(|heard| match heard.method.as_str() {
        "HEAD" => hallpass_testkit::servers::scripted::Reply::new(204, ""),
        _ => hallpass_testkit::servers::scripted::Reply::new(200, "hello"),
    });
    let world = with_store(&store);
    for args in [&["s3", "cp", "m/data/o", "./o"][..], &["s3", "mv", "m/data/o", "./o"], &["s3", "stat", "m/data/o"]] {
        let said = world.say(args);
        assert!(said.code == 7 && said.err.contains("does not say how long"), "{args:?}: {said:?}");
    }
    assert!(!world.work().join("o").exists());
    assert!(store.heard().iter().all(|heard| heard.method != "DELETE"), "{:?}", store.heard());
}

#[test]
fn ctrl_c_is_130_for_a_shell() {
    let (told, heard) = std::sync::mpsc::channel();
    let (let_go, held) = std::sync::mpsc::channel::<()>();
    let (told, held) = (std::sync::Mutex::new(told), std::sync::Mutex::new(held));
    let store = Scripted::start(move |_| {
        told.lock().expect("a sender").send(()).expect("somebody listens");
        // The other end is dropped, and that lets go.
        held.lock().expect("a receiver").recv().expect_err("nobody says anything");
        hallpass_testkit::servers::scripted::Reply::refusal(404, "NoSuchBucket")
    });
    let world = with_store(&store);
    let mut command = world.command(&["s3", "ls", "m/data"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    heard.recv().expect("it has asked");
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).expect("fits")).expect("a process");
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("sent");
    let status = child.wait().expect("ends");
    drop(let_go);
    // A shell says 130 for both.
    assert!(status.code() == Some(130) || status.signal() == Some(2), "{status:?}");
}
