//! `hallpass s3 cp`, `mv`, `mirror`, `diff`: the whole program against a store in this process.

mod ending;
mod faults;
mod ledger;
mod local;
mod memory;
mod mirrors;
mod names;
mod store;
mod stores;
mod terminal;

use serde_json::Value;

use crate::cli_world::{Said, World};
use store::Store;

/// Bytes that do not repeat soon.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    (0..length).map(next).collect()
}

fn world() -> (World, Store) {
    let (world, store) = (World::new(), Store::start());
    store.set(&world);
    (world, store)
}

fn write(world: &World, name: &str, bytes: &[u8]) {
    let path = world.work().join(name);
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
    std::fs::write(path, bytes).expect("writes");
}

/// The lines of `--json`: items, and the summary.
fn lines(said: &Said) -> (Vec<Value>, Value) {
    let mut all: Vec<Value> = said.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let summary = all.pop().expect("a summary");
    assert_eq!(summary["data"]["kind"], "summary", "{said:?}");
    (all, summary["data"].clone())
}

#[test]
fn a_file_goes_up_and_down_and_its_bytes_stay_the_same() {
    let (world, store) = world();
    for (name, length) in [("empty", 0), ("small.txt", 7), ("middle", 3 << 20), ("large.bin", (20 << 20) + 3)] {
        let bytes = noise(length);
        write(&world, name, &bytes);
        world.ok(&["s3", "cp", name, "m/bkt/up/"]);
        assert_eq!(store.object(&format!("up/{name}")).as_ref(), Some(&bytes), "{name}");
        world.ok(&["s3", "cp", &format!("m/bkt/up/{name}"), "down/"]);
        assert_eq!(std::fs::read(world.work().join("down").join(name)).expect("a file"), bytes, "{name}");
    }
    assert_eq!(store.parts(), 0);
}

#[test]
fn json_has_one_shape_up_and_down_and_across_alone_and_among_many() {
    let (world, _store) = world();
    write(&world, "a", b"alpha");
    write(&world, "tree/b", &noise(9 << 20));
    let mut shapes = Vec::new();
    for (args, action, family) in [
        (vec!["cp", "a", "m/bkt/a"], "upload", "s3_cp"),
        (vec!["cp", "m/bkt/a", "back"], "download", "s3_cp"),
        (vec!["cp", "m/bkt/a", "m/other/a"], "copy", "s3_cp"),
        (vec!["cp", "m/bkt/a", "n/other/b"], "relay", "s3_cp"),
        (vec!["cp", "-r", "tree", "m/bkt/"], "upload", "s3_cp"),
        (vec!["mv", "back", "m/bkt/moved"], "upload", "s3_mv"),
        (vec!["mirror", "m/bkt/tree/", "mirrored/"], "download", "s3_mirror"),
    ] {
        let said = world.say(&[&["s3"], args.as_slice(), &["--json"]].concat());
        assert_eq!(said.code, 0, "{said:?}");
        let (items, summary) = lines(&said);
        let item = &items[0];
        assert_eq!(
            (&item["type"], &item["schema_version"], &item["status"]),
            (&family.into(), &2.into(), &"success".into())
        );
        let data = item["data"].as_object().expect("an object");
        assert_eq!((&data["action"], &data["result"]), (&action.into(), &"copied".into()), "{said:?}");
        assert_eq!((&summary["copied"], &summary["complete"]), (&1.into(), &true.into()));
        shapes.push(data.keys().cloned().collect::<Vec<_>>());
    }
    assert!(shapes.windows(2).all(|pair| pair[0] == pair[1]), "{shapes:?}");
}

#[test]
fn trap_23_stdin_and_stdout_are_a_dash() {
    let (world, store) = world();
    let bytes = noise(17 << 20);
    write(&world, "in", &bytes);
    let input = std::fs::File::open(world.work().join("in")).expect("a file");
    let status = world.command(&["s3", "cp", "-", "m/bkt/piped"]).stdin(input).status().expect("runs");
    assert!(status.success());
    assert_eq!(store.object("piped").as_ref(), Some(&bytes));
    let output = world.command(&["s3", "cp", "m/bkt/piped", "-"]).output().expect("runs");
    assert!(output.status.success() && output.stdout == bytes, "{}", String::from_utf8_lossy(&output.stderr));
    for (args, code) in [
        (vec!["cp", "-", "m/bkt/"], "no_name"),
        (vec!["cp", "-r", "m/bkt/", "-"], "many_to_stdout"),
        (vec!["mv", "m/bkt/piped", "-"], "s3.move_stream"),
    ] {
        let said = world.say(&[&["s3"], args.as_slice()].concat());
        assert!(said.code == 2 && said.err.contains(code), "{said:?}");
    }
}

#[test]
fn what_is_not_meant_is_left_out_and_the_dry_run_says_the_same() {
    let (world, store) = world();
    for name in ["a.txt", "a.log", "keep/b.txt", "tmp/c.txt", "tmp/deep/d.txt"] {
        write(&world, &format!("tree/{name}"), name.as_bytes());
    }
    let flags = ["s3", "cp", "-r", "tree/", "m/bkt/t/", "--include", "*.txt", "--exclude", "tmp/", "--json"];
    let said = world.say(&[&flags[..], &["--dry-run"]].concat());
    let (planned, summary) = lines(&said);
    assert_eq!((planned.len(), &summary["dry_run"]), (2, &true.into()), "{said:?}");
    assert!(store.object("t/a.txt").is_none() && store.count("PUT", "") == 0, "a dry run wrote something");
    let (done, _) = lines(&world.say(&flags));
    let targets = |items: &[Value]| {
        let mut all: Vec<String> =
            items.iter().map(|i| i["data"]["target"].as_str().expect("text").to_owned()).collect();
        all.sort();
        all
    };
    assert_eq!(targets(&planned), targets(&done));
    assert_eq!(targets(&done), ["m/bkt/t/a.txt", "m/bkt/t/keep/b.txt"]);
    let (_, summary) = lines(&world.say(&["s3", "cp", "-r", "tree/", "m/bkt/u/", "--older-than", "1d", "--json"]));
    assert_eq!((&summary["copied"], &summary["skipped_by_reason"]["time"]), (&0.into(), &5.into()));
}

#[test]
fn a_move_removes_its_source_only_after_the_copy_is_there() {
    let none = |seen: &store::Seen| seen.target.starts_with("/nobucket/");
    let store =
        Store::with(move |seen| if none(seen) { store::Act::Refuse(404, "NoSuchBucket") } else { store::Act::Pass });
    let world = World::new();
    store.set(&world);
    write(&world, "a", b"alpha");
    world.ok(&["s3", "mv", "a", "m/bkt/a"]);
    assert!(!world.work().join("a").exists() && store.object("a").is_some());
    world.ok(&["s3", "mv", "m/bkt/a", "m/bkt/b"]);
    assert!(store.object("a").is_none() && store.object("b").is_some());
    world.ok(&["s3", "mv", "m/bkt/b", "c"]);
    assert!(store.object("b").is_none() && world.work().join("c").exists());
    let said = world.say(&["s3", "mv", "c", "m/nobucket/c"]);
    assert!(said.code == 5 && world.work().join("c").exists(), "{said:?}");
    world.ok(&["s3", "cp", "c", "m/bkt/self"]);
    let said = world.say(&["s3", "mv", "m/bkt/self", "n/bkt/self"]);
    assert!(said.code != 0 && store.object("self").is_some(), "a move onto itself lost the object: {said:?}");
}

#[test]
fn no_clobber_leaves_what_is_there() {
    let (world, store) = world();
    write(&world, "a", b"new");
    write(&world, "b", b"old");
    world.ok(&["s3", "cp", "b", "m/bkt/a"]);
    let (items, _) = lines(&world.say(&["s3", "cp", "--no-clobber", "a", "m/bkt/a", "--json"]));
    assert_eq!((&items[0]["data"]["result"], &items[0]["data"]["reason"]), (&"skipped".into(), &"exists".into()));
    assert_eq!(store.object("a").as_deref(), Some(&b"old"[..]));
    world.ok(&["s3", "cp", "--no-clobber", "m/bkt/a", "b"]);
    world.ok(&["s3", "cp", "a", "m/bkt/a"]);
    assert_eq!(store.object("a").as_deref(), Some(&b"new"[..]), "overwriting is what `cp` does");
}

#[test]
fn time_mode_and_properties_come_back() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let (world, _store) = world();
    write(&world, "a.html", b"<p>");
    let path = world.work().join("a.html");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).expect("a mode");
    let then = std::time::UNIX_EPOCH + std::time::Duration::new(1_000_000_000, 5_000_000);
    std::fs::File::open(&path).and_then(|file| file.set_modified(then)).expect("a time");
    world.ok(&["s3", "cp", "-p", "a.html", "m/bkt/a.html", "--attr", "Cache-Control=no-store;team=web"]);
    world.ok(&["s3", "cp", "-p", "m/bkt/a.html", "b.html"]);
    let metadata = std::fs::metadata(world.work().join("b.html")).expect("a file");
    assert_eq!((metadata.mtime(), metadata.mtime_nsec()), (1_000_000_000, 5_000_000));
    assert_eq!(metadata.mode() & 0o777, 0o640);
    let shown = world.ok(&["s3", "stat", "m/bkt/a.html", "--json"]);
    for part in ["text/html", "\"team\"", "web"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn one_failure_ends_all_and_with_continue_on_error_only_itself() {
    let store = Store::with(|seen| {
        if seen.target.contains("bad") { store::Act::Refuse(403, "AccessDenied") } else { store::Act::Pass }
    });
    let world = World::new();
    store.set(&world);
    for name in ["a", "bad", "c"] {
        write(&world, &format!("tree/{name}"), b"x");
    }
    let said = world.say(&["s3", "cp", "-r", "tree/", "m/bkt/", "--concurrency", "1"]);
    assert!(said.code == 4 && store.object("c").is_none(), "{said:?}");
    let said = world.say(&["s3", "cp", "-r", "tree/", "m/bkt/", "--continue-on-error", "--json"]);
    let (items, summary) = lines(&said);
    assert_eq!((said.code, &summary["failed"], &summary["copied"]), (4, &1.into(), &2.into()), "{said:?}");
    let failed = items.iter().find(|item| item["status"] == "error").expect("the failure");
    assert_eq!(
        (&failed["data"]["error"]["code"], &failed["data"]["error"]["type"]),
        (&"AccessDenied".into(), &"auth_error".into())
    );
    assert!(store.object("c").is_some());
}

#[test]
fn two_thousand_objects_go_up_and_down() {
    let (world, store) = world();
    for n in 0..2_000 {
        write(&world, &format!("tree/{:02}/{n}", n % 37), format!("object {n}").as_bytes());
    }
    let (items, summary) = lines(&world.say(&["s3", "cp", "-r", "tree/", "m/bkt/t/", "--json"]));
    assert_eq!((items.len(), &summary["copied"]), (2_000, &2_000.into()));
    assert_eq!(store.count("PUT", "/bkt/t/"), 2_000);
    assert_eq!(store.count("HEAD", ""), 0, "no question for each object");
    world.ok(&["s3", "cp", "-r", "m/bkt/t/", "back/"]);
    assert_eq!(store.count("HEAD", ""), 0, "no question for each object");
    let differ = std::process::Command::new("diff").args(["-r", "tree", "back"]).current_dir(world.work()).status();
    assert!(differ.expect("diff runs").success());
}

#[test]
fn a_failure_among_many_says_what_to_do_next_as_one_alone_does() {
    let denied = |seen: &store::Seen| seen.method == "PUT" && seen.target.ends_with("/b");
    let store =
        Store::with(move |seen| if denied(seen) { store::Act::Refuse(403, "AccessDenied") } else { store::Act::Pass });
    let world = World::new();
    store.set(&world);
    for name in ["a", "b"] {
        write(&world, &format!("tree/{name}"), name.as_bytes());
    }
    let said = world.say(&["s3", "cp", "-r", "tree/", "m/bkt/", "--continue-on-error", "--json"]);
    let (items, _) = lines(&said);
    let failed = items.iter().find(|item| item["status"] == "error").expect("one failed");
    let alone: Value = serde_json::from_str(said.err.lines().last().expect("a line")).expect("JSON");
    assert_eq!(failed["data"]["error"]["suggestion"], alone["error"]["suggestion"], "{said:?}");
    assert!(failed["data"]["error"]["suggestion"].is_string(), "{said:?}");
}
