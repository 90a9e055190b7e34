//! Files of this machine that are not what they seem, and who reads the output.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Stdio;

use super::{noise, world, write};

#[test]
fn a_download_replaces_no_link_whatever_it_leads_to() {
    let (world, store) = world();
    write(&world, "small", b"alpha");
    write(&world, "large", &noise(9 << 20));
    world.ok(&["s3", "cp", "small", "large", "m/bkt/"]);
    symlink("nowhere/x", world.work().join("broken")).expect("a link");
    symlink("/dev/null", world.work().join("device")).expect("a link");
    // As `/dev/stdout`: what a pipe is called there leads to nothing.
    symlink("/proc/self/fd/1", world.work().join("stdout")).expect("a link");
    for (link, code) in [("broken", 6), ("device", 2), ("stdout", 2)] {
        for object in ["m/bkt/small", "m/bkt/large"] {
            let said = world.say(&["s3", "cp", object, link]);
            assert!(said.code == code && said.err.contains("would be replaced"), "{link}: {said:?}");
            let left = world.work().join(link).symlink_metadata().expect("still there");
            assert!(left.is_symlink(), "{link} was replaced");
        }
    }
    assert!(store.object("small").is_some());
}

#[test]
fn a_file_that_is_replaced_keeps_its_mode() {
    let (world, _store) = world();
    write(&world, "small", b"alpha");
    write(&world, "large", &noise(9 << 20));
    world.ok(&["s3", "cp", "small", "large", "m/bkt/"]);
    for (mode, object) in [(0o600, "small"), (0o600, "large"), (0o440, "small"), (0o440, "large")] {
        let name = format!("{object}-{mode:o}");
        write(&world, &name, b"before");
        let path = world.work().join(&name);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).expect("a mode");
        world.ok(&["s3", "cp", &format!("m/bkt/{object}"), &name]);
        let metadata = path.metadata().expect("a file");
        assert_eq!((metadata.permissions().mode() & 0o777, metadata.len() > 6), (mode, object == "large"), "{name}");
    }
}

#[test]
fn a_file_whose_length_says_nothing_is_never_uploaded_as_an_empty_one() {
    let (world, store) = world();
    world.ok(&["s3", "cp", "/proc/self/status", "m/bkt/status"]);
    assert!(store.object("status").expect("an object").starts_with(b"Name:"));
    let said = world.say(&["s3", "cp", "-r", "/proc/sys/kernel/random", "m/bkt/", "--include", "poolsize"]);
    assert!(said.code == 2 && said.err.contains("as its length says"), "{said:?}");
    assert!(store.object("random/poolsize").is_none());
    write(&world, "empty", b"");
    world.ok(&["s3", "cp", "empty", "m/bkt/"]);
    assert_eq!(store.object("empty").as_deref(), Some(&b""[..]));
}

#[test]
fn a_reader_that_goes_away_is_no_failure_of_a_copy_to_stdout() {
    let (world, _store) = world();
    write(&world, "large", &noise(9 << 20));
    world.ok(&["s3", "cp", "large", "m/bkt/"]);
    let mut child =
        world.command(&["s3", "cp", "m/bkt/large", "-"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.as_mut().expect("runs");
    drop(child.stdout.take());
    let mut talk = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().expect("a pipe"), &mut talk).expect("text");
    assert_eq!((child.wait().expect("ends").code(), talk.as_str()), (Some(0), ""));
}

#[test]
fn every_failure_that_is_counted_is_told() {
    let (world, _store) = world();
    for name in ["a", "b", "c"] {
        write(&world, &format!("tree/{name}"), name.as_bytes());
    }
    world.ok(&["s3", "cp", "-r", "tree/", "m/bkt/"]);
    write(&world, "out/x", b"x");
    // Where a folder would have to be there is a file, for all three of them.
    std::fs::write(world.work().join("out/d"), b"x").expect("writes");
    let said = world.say(&["s3", "cp", "m/bkt/a", "m/bkt/b", "m/bkt/c", "out/d/"]);
    let told = said.err.matches("error: `out/d").count();
    let counted = if said.err.contains("things could not be copied") { told.max(2) } else { 1 };
    assert!(said.code == 6 && told == counted, "{said:?}");
}
