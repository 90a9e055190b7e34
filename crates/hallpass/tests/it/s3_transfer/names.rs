//! What names mean, and which names must not become files.

use std::os::unix::fs::symlink;

use super::{lines, noise, world, write};

#[test]
fn trap_1_a_local_folder_needs_no_dot_before_it() {
    let (world, store) = world();
    write(&world, "tree/a", b"x");
    world.ok(&["s3", "cp", "-r", "tree/", "m/bkt/"]);
    assert!(store.object("a").is_some());
    world.ok(&["s3", "cp", "-r", "tree", "m/bkt/"]);
    assert!(store.object("tree/a").is_some());
    let said = world.say(&["s3", "cp", "tree", "m/bkt/"]);
    assert!(said.code == 2 && said.err.contains("pass `-r`"), "{said:?}");
}

#[test]
fn trap_2_a_path_that_is_nothing_is_not_called_an_alias() {
    let (world, _store) = world();
    let said = world.say(&["s3", "cp", "nosuchdir/file", "m/bkt/"]);
    assert!(said.code == 5 && said.err.contains("no local path `nosuchdir/file`"), "{said:?}");
}

#[test]
fn trap_3_an_alias_named_like_a_folder_wins_nothing_silently() {
    let (world, store) = world();
    write(&world, "m/bkt/a", b"x");
    let said = world.say(&["s3", "cp", "-r", "m/bkt/", "out/"]);
    assert!(said.code == 2 && said.err.contains("`./m/bkt/`") && said.err.contains("`m:bkt/`"), "{said:?}");
    world.ok(&["s3", "cp", "-r", "./m/bkt/", "m:bkt/from/"]);
    assert!(store.object("from/a").is_some());
}

#[test]
fn trap_4_one_symbolic_link_does_not_stop_a_folder() {
    let (world, store) = world();
    write(&world, "tree/a", b"alpha");
    symlink("a", world.work().join("tree/link")).expect("a link");
    let said = world.say(&["s3", "cp", "-r", "tree/", "m/bkt/"]);
    assert!(said.code == 0 && said.err.contains("1 skipped (symbolic links)"), "{said:?}");
    assert!(store.object("a").is_some() && store.object("link").is_none());
    let said = world.say(&["s3", "cp", "-r", "tree/", "m/bkt/refused/", "--symlinks", "refuse"]);
    assert!(said.code == 2 && store.object("refused/a").is_none(), "{said:?}");
    world.ok(&["s3", "cp", "-r", "tree/", "m/bkt/followed/", "--symlinks", "follow"]);
    assert_eq!(store.object("followed/link").as_deref(), Some(&b"alpha"[..]));
}

#[test]
fn keys_of_any_letters_go_up_down_and_across() {
    let (world, store) = world();
    let long = format!("{}/{}", "l".repeat(50), "ü".repeat(40));
    for name in
        ["a b", "ä/ö ü", "plus+minus", "per%20cent", "q?u&e=s#t", "日本語", "🦀", "..a/b..", "-rf", long.as_str()]
    {
        write(&world, &format!("tree/{name}"), name.as_bytes());
    }
    world.ok(&["s3", "cp", "-r", "tree/", "m/bkt/t/"]);
    assert_eq!(store.object("t/q?u&e=s#t").as_deref(), Some(&b"q?u&e=s#t"[..]));
    world.ok(&["s3", "cp", "-r", "m/bkt/t/", "m/bkt/inside/"]);
    world.ok(&["s3", "cp", "-r", "m/bkt/inside/", "n/other/across/"]);
    world.ok(&["s3", "cp", "-r", "n/other/across/", "back/"]);
    let same = std::process::Command::new("diff").args(["-r", "tree", "back"]).current_dir(world.work()).status();
    assert!(same.expect("diff runs").success());
}

#[test]
fn two_sources_with_one_name_are_refused_before_anything_is_written() {
    let (world, store) = world();
    write(&world, "x/a", b"1");
    write(&world, "y/a", b"2");
    let said = world.say(&["s3", "cp", "x/a", "y/a", "m/bkt/"]);
    assert!(said.code == 2 && said.err.contains("written twice"), "{said:?}");
    assert_eq!(store.count("PUT", ""), 0);
    let said = world.say(&["s3", "cp", "x/a", "y/a", "m/bkt/one"]);
    assert!(said.code == 2 && said.err.contains("`bkt/one/`"), "{said:?}");
}

#[test]
fn a_download_follows_no_link_that_lies_in_its_folder() {
    let (world, _store) = world();
    write(&world, "tree/d/a", b"x");
    world.ok(&["s3", "cp", "-r", "tree/", "m/bkt/"]);
    std::fs::create_dir_all(world.work().join("out")).expect("a folder");
    std::fs::create_dir(world.work().join("elsewhere")).expect("a folder");
    symlink("../elsewhere", world.work().join("out/d")).expect("a link");
    let said = world.say(&["s3", "cp", "-r", "m/bkt/", "out/"]);
    assert!(said.code == 6 && said.err.contains("symbolic link"), "{said:?}");
    assert!(!world.work().join("elsewhere/a").exists());
}

#[test]
fn a_prefix_with_nothing_in_it_is_not_found() {
    let (world, _store) = world();
    let said = world.say(&["s3", "cp", "-r", "m/bkt/none/", "out/"]);
    assert!(said.code == 5 && said.err.contains("nothing at"), "{said:?}");
    let said = world.say(&["s3", "cp", "-r", "m/bkt", "m/bkt/inside/"]);
    assert!(said.code == 2 && said.err.contains("inside the source"), "{said:?}");
}

#[test]
fn trap_20_cp_and_mirror_agree_that_what_changed_is_copied_again() {
    let (world, store) = world();
    write(&world, "tree/a", b"one");
    world.ok(&["s3", "cp", "tree/a", "m/bkt/t/a"]);
    write(&world, "tree/a", b"two!");
    world.ok(&["s3", "mirror", "tree/", "m/bkt/t/"]);
    assert_eq!(store.object("t/a").as_deref(), Some(&b"two!"[..]));
    write(&world, "tree/a", b"three");
    world.ok(&["s3", "cp", "tree/a", "m/bkt/t/a"]);
    assert_eq!(store.object("t/a").as_deref(), Some(&b"three"[..]));
}

#[test]
fn a_large_object_of_parts_is_one_line() {
    let (world, _store) = world();
    write(&world, "big", &noise(30 << 20));
    let (items, _) = lines(&world.say(&["s3", "cp", "big", "m/bkt/", "--part-size", "5MiB", "--json"]));
    assert_eq!(items.len(), 1);
    let said = world.say(&["s3", "cp", "big", "m/bkt/", "--part-size", "1KiB"]);
    assert!(said.code == 2 && said.err.contains("at least"), "{said:?}");
}

#[test]
fn a_moved_folder_takes_the_folders_with_it_that_it_was_all_of() {
    let (world, store) = world();
    let fill = || {
        for name in ["outbox/a", "outbox/deep/er/b", "outbox/deep/c", "outbox/kept/d.log"] {
            write(&world, name, name.as_bytes());
        }
        std::fs::create_dir_all(world.work().join("outbox/empty")).expect("a folder");
    };
    fill();
    world.ok(&["s3", "mv", "-r", "outbox/", "m/bkt/one/", "--exclude", "*.log"]);
    assert!(store.object("one/deep/er/b").is_some());
    assert!(!world.work().join("outbox/deep").exists(), "folders that were emptied stay");
    for stays in ["outbox", "outbox/kept/d.log", "outbox/empty"] {
        assert!(world.work().join(stays).exists(), "{stays} was not emptied by the move");
    }
    fill();
    std::fs::remove_dir(world.work().join("outbox/empty")).expect("removes");
    world.ok(&["s3", "mv", "-r", "outbox", "m/bkt/two/"]);
    assert!(store.object("two/outbox/kept/d.log").is_some());
    assert!(!world.work().join("outbox").exists(), "the folder itself was moved");
    fill();
    std::fs::remove_dir(world.work().join("outbox/empty")).expect("removes");
    world.ok(&["s3", "mv", "-r", "outbox/", "m/bkt/three/"]);
    assert!(crate::cli_world::is_empty(&world.work().join("outbox")), "what was in it was moved, and not itself");
}

#[test]
fn a_name_that_no_key_can_have_matters_only_where_it_would_be_a_part_of_one() {
    use std::os::unix::ffi::OsStrExt;
    let (world, store) = world();
    let name = std::ffi::OsStr::from_bytes(b"odd\xff");
    std::fs::write(world.work().join(name), "x").expect("writes");
    let copy = |target: &str| world.command(&["s3", "cp"]).arg(name).arg(target).output().expect("runs");
    let said = crate::cli_world::said(copy("m/bkt/"));
    assert!(said.code == 2 && said.err.contains("not UTF-8"), "{said:?}");
    assert!(copy("m/bkt/named").status.success());
    assert_eq!(store.object("named").as_deref(), Some(&b"x"[..]));
}
