//! Other stores than the one in this process, and sizes that take their time.

use std::process::Command;

use hallpass_testkit::servers::{Seaweedfs, seaweedfs};

use super::store::Store;
use super::{lines, noise, write};
use crate::cli_world::World;

/// Its volumes are small, so several stores at once would not fit one machine: one test does all.
#[test]
fn seaweedfs_takes_folders_mirrors_and_keys_of_1024_bytes() {
    let (world, store) = (World::new(), Seaweedfs::start().expect("SeaweedFS starts"));
    for alias in ["m", "n"] {
        world.ok(&["-q", "alias", "set", alias, &store.url(), seaweedfs::KEY, seaweedfs::SECRET]);
    }
    world.ok(&["s3", "mb", "m/bucket"]);
    let long = format!("{}/{}/{}", "a".repeat(250), "b".repeat(250), "ü".repeat(120));
    for name in ["a", "a-b", "a.b/c", "d/e f/ü", "d-e", "日本語", long.as_str()] {
        write(&world, &format!("tree/{name}"), name.as_bytes());
    }
    write(&world, "tree/big", &noise(9 << 20));
    // Its ETag will be no MD5, so its time decides: one of the second of its upload is copied once more.
    let then = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    let big = std::fs::File::open(world.work().join("tree/big")).expect("a file");
    big.set_modified(then).expect("a time");
    let (items, summary) = lines(&world.say(&["s3", "mirror", "tree/", "m/bucket/t/", "--json"]));
    assert_eq!((items.len(), &summary["copied"], &summary["complete"]), (8, &8.into(), &true.into()));
    assert!(items.iter().all(|item| item["data"]["verified"] == true || item["data"]["size"].as_u64() > Some(8 << 20)));
    let (_, again) = lines(&world.say(&["s3", "mirror", "tree/", "m/bucket/t/", "--json"]));
    assert_eq!((&again["copied"], &again["identical"]), (&0.into(), &8.into()));
    world.ok(&["s3", "cp", "-r", "m/bucket/t/", "m/bucket/inside/"]);
    world.ok(&["s3", "mv", "-r", "m/bucket/inside/", "n/bucket/moved/"]);
    assert_eq!(world.say(&["s3", "diff", "m/bucket/t", "n/bucket/moved"]).code, 0);
    assert_eq!(world.say(&["s3", "cp", "-r", "m/bucket/inside/", "gone/"]).code, 5);
    world.ok(&["s3", "mirror", "n/bucket/moved/", "back/"]);
    let same = Command::new("diff").args(["-r", "tree", "back"]).current_dir(world.work()).status();
    assert!(same.expect("diff runs").success());
}

#[test]
#[ignore = "moves 5 GiB twice, and needs 15 GiB of disk: `cargo test -p hallpass --test it -- --ignored five_gib`"]
fn an_object_of_five_gib_goes_up_and_down() {
    let (world, store) = (World::new(), Store::start());
    store.set(&world);
    let size = 5 << 30;
    let file = std::fs::File::create(world.work().join("large")).expect("a file");
    file.set_len(size).expect("a size");
    std::os::unix::fs::FileExt::write_all_at(&file, &noise(1 << 20), size - (1 << 20)).expect("writes");
    let (items, _) = lines(&world.say(&["s3", "cp", "large", "m/bkt/large", "--json"]));
    assert_eq!((&items[0]["data"]["result"], &items[0]["data"]["size"]), (&"copied".into(), &size.into()));
    world.ok(&["s3", "cp", "m/bkt/large", "back"]);
    let same = Command::new("cmp").args(["large", "back"]).current_dir(world.work()).status();
    assert!(same.expect("cmp runs").success());
}
