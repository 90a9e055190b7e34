//! `mirror` and `diff`: what is the same, what is copied, what is removed.

use hallpass_control::clock::SystemClock;
use hallpass_core::clock::Clock;

use super::{lines, world, write};
use crate::cli_world::World;

fn mirrored(world: &World, args: &[&str]) -> serde_json::Value {
    let said = world.say(&[&["s3", "mirror"], args, &["--json"]].concat());
    assert_eq!(said.code, 0, "{said:?}");
    lines(&said).1
}

#[test]
fn trap_5_an_edited_file_is_copied_again_and_the_same_one_is_counted_apart() {
    let (world, store) = world();
    write(&world, "tree/a", b"one");
    write(&world, "tree/b", b"two");
    assert_eq!(mirrored(&world, &["tree/", "m/bkt/t/"])["copied"], 2);
    let again = mirrored(&world, &["tree/", "m/bkt/t/"]);
    assert_eq!((&again["copied"], &again["identical"], &again["skipped"]), (&0.into(), &2.into(), &0.into()));
    // Of the same length, and later.
    write(&world, "tree/a", b"ONE");
    let later = std::time::SystemTime::from(SystemClock.now()) + std::time::Duration::from_secs(5);
    let file = std::fs::File::open(world.work().join("tree/a")).expect("a file");
    file.set_modified(later).expect("a time");
    let edited = mirrored(&world, &["tree/", "m/bkt/t/"]);
    assert_eq!((&edited["copied"], &edited["identical"]), (&1.into(), &1.into()));
    assert_eq!(store.object("t/a").as_deref(), Some(&b"ONE"[..]));
    assert_eq!(store.count("HEAD", ""), 0, "one listing a side, and no question for each object");
}

#[test]
fn a_mirror_down_is_a_mirror_and_the_second_does_nothing() {
    let (world, _store) = world();
    for name in ["a", "d/b", "d-e", "d/f/g"] {
        write(&world, &format!("tree/{name}"), name.as_bytes());
    }
    world.ok(&["s3", "mirror", "tree/", "m/bkt/t/"]);
    assert_eq!(mirrored(&world, &["m/bkt/t", "down"])["copied"], 4);
    assert_eq!(mirrored(&world, &["m/bkt/t", "down"])["identical"], 4);
    write(&world, "down/d/extra", b"x");
    write(&world, "down/d/b", b"?/?");
    let again = mirrored(&world, &["m/bkt/t", "down", "--remove"]);
    assert_eq!((&again["copied"], &again["removed"]), (&1.into(), &1.into()));
    assert_eq!(std::fs::read(world.work().join("down/d/b")).expect("a file"), b"d/b");
    assert_eq!(mirrored(&world, &["m/bkt/t", "n/other/t"])["copied"], 4);
    assert_eq!(mirrored(&world, &["m/bkt/t", "n/other/t"])["identical"], 4);
}

#[test]
fn trap_6_an_empty_source_removes_nothing() {
    let (world, store) = world();
    write(&world, "tree/a", b"x");
    world.ok(&["s3", "mirror", "tree/", "m/bkt/t/"]);
    std::fs::create_dir(world.work().join("empty")).expect("a folder");
    let said = world.say(&["s3", "mirror", "empty/", "m/bkt/t/", "--remove"]);
    assert!(said.code == 2 && said.err.contains("empty") && said.err.contains("--force"), "{said:?}");
    assert!(store.object("t/a").is_some());
    let said = world.say(&["s3", "mirror", "nothere/", "m/bkt/t/", "--remove", "--force"]);
    assert!(said.code == 5 && store.object("t/a").is_some(), "{said:?}");
    world.ok(&["s3", "mirror", "empty/", "m/bkt/t/", "--remove", "--force"]);
    assert!(store.object("t/a").is_none());
}

#[test]
fn what_is_not_in_the_source_is_removed_and_what_is_not_meant_stays() {
    let (world, store) = world();
    for name in ["a", "b", "keep.log", "old"] {
        write(&world, &format!("tree/{name}"), b"x");
    }
    world.ok(&["s3", "mirror", "tree/", "m/bkt/t/"]);
    for name in ["b", "keep.log"] {
        std::fs::remove_file(world.work().join("tree").join(name)).expect("a file");
    }
    // It is there, though too old to be copied.
    let args = ["tree/", "m/bkt/t/", "--remove", "--exclude", "*.log", "--newer-than", "2999-01-01T00:00:00Z"];
    assert_eq!(mirrored(&world, &[&args[..], &["--dry-run"]].concat())["removed"], 1);
    assert!(store.object("t/b").is_some());
    let said = world.say(&[&["s3", "mirror"], &args[..], &["--max-delete", "0"]].concat());
    assert!(said.code == 2 && store.object("t/b").is_some(), "{said:?}");
    assert_eq!(mirrored(&world, &args)["removed"], 1);
    let left = |name: &str| store.object(&format!("t/{name}")).is_some();
    assert!(left("a") && left("old") && left("keep.log") && !left("b"));
}

#[test]
fn nothing_is_removed_after_a_failure() {
    let (world, store) = world();
    write(&world, "tree/a", b"x");
    write(&world, "tree/b", b"x");
    world.ok(&["s3", "mirror", "tree/", "m/bkt/t/"]);
    std::fs::remove_file(world.work().join("tree/a")).expect("a file");
    let path = std::ffi::OsStr::new("tree").to_owned();
    let bad = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"bad\xff");
    std::fs::write(world.work().join(path).join(bad), b"x").expect("a file");
    let said = world.say(&["s3", "mirror", "tree/", "m/bkt/t/", "--remove", "--continue-on-error"]);
    assert!(said.code != 0 && said.err.contains("UTF-8"), "{said:?}");
    assert!(store.object("t/a").is_some(), "something was removed though not all could be read");
}

#[test]
fn diff_shows_what_mirror_would_do_and_differences_are_exit_1() {
    let (world, _store) = world();
    for name in ["same", "longer", "gone"] {
        write(&world, &format!("tree/{name}"), b"x");
    }
    world.ok(&["s3", "mirror", "tree/", "m/bkt/t/"]);
    assert_eq!(world.say(&["s3", "diff", "tree", "m/bkt/t"]).code, 0);
    write(&world, "tree/longer", b"xx");
    write(&world, "tree/new", b"x");
    std::fs::remove_file(world.work().join("tree/gone")).expect("a file");
    let said = world.say(&["s3", "diff", "tree/", "m/bkt/t/"]);
    assert_eq!(said.code, 1, "{said:?}");
    let shown: Vec<&str> = said.out.lines().collect();
    assert_eq!(shown, ["> gone", "! longer (size: 2 and 1 bytes)", "< new"]);
    let said = world.say(&["s3", "diff", "m/bkt/t/", "tree/", "--json"]);
    let (items, summary) = lines(&said);
    assert_eq!((said.code, items.len(), &summary["identical"]), (1, 3, &1.into()));
    assert_eq!(items[0]["data"]["difference"], "only_first");
}
