//! The 23 traps that people of the tool before know, by their number there: each with the behaviour that is right.

use std::net::TcpListener;

use hallpass_testkit::servers::Scripted;
use serde_json::Value;

use super::store::Shop;
use crate::alias::{config, with};
use crate::cli_world::World;

#[test]
fn trap_01_a_real_folder_is_a_folder_without_dot_and_slash() {
    let shop = Shop::new();
    shop.world.file("work/tree/sub/a.txt", "alpha");
    let said = shop.say(&["cp", "-r", "tree/", "@/"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(shop.keys().contains("sub/a.txt"), "{}", shop.keys());
}

#[test]
fn trap_02_what_is_neither_here_nor_an_alias_is_said_to_be_so() {
    let world = World::new();
    let said = world.say(&["s3", "which", "nosuchdir/file"]);
    assert!(said.code == 5 && said.err.contains("no local path `nosuchdir/file`"), "{said:?}");
    let shop = Shop::new();
    let said = shop.say(&["cp", "nosuchdir/file", "@/"]);
    assert!(said.code == 5 && said.err.contains("nosuchdir/file"), "{said:?}");
}

#[test]
fn trap_03_an_alias_named_like_a_folder_wins_over_nothing() {
    let world = World::new();
    world.file("work/m/b/key", "local");
    world.ok(&["alias", "set", "m", "http://127.0.0.1:9", "AK", "S", "--no-check"]);
    let commands = [vec!["s3", "which", "m/b/key"], vec!["s3", "cp", "m/b/key", "./copy"]];
    for args in commands {
        let said = world.say(&args);
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.err.contains("`./m/b/key`") && said.err.contains("`m:b/key`"), "{said:?}");
    }
}

#[test]
fn trap_04_one_symlink_does_not_refuse_a_whole_tree() {
    let shop = Shop::new();
    shop.world.file("work/tree/a.txt", "alpha");
    std::os::unix::fs::symlink("/etc/hostname", shop.world.work().join("tree/link")).expect("a link");
    for args in [&["cp", "-r", "tree/", "@/cp/"][..], &["mirror", "tree/", "@/mirror"]] {
        let said = shop.say(args);
        assert!(said.code == 0 && said.err.contains("link"), "left out, and said: {said:?}");
    }
    assert_eq!(shop.keys(), "['cp/a.txt', 'mirror/a.txt']");
}

#[test]
fn trap_05_a_mirror_brings_what_has_changed() {
    let shop = Shop::new();
    shop.world.file("work/tree/a.txt", "before");
    assert_eq!(shop.say(&["mirror", "tree/", "@/t"]).code, 0);
    shop.world.file("work/tree/b.txt", "stays");
    assert_eq!(shop.say(&["mirror", "tree/", "@/t"]).code, 0);
    shop.world.file("work/tree/a.txt", "edited");
    let said = shop.say(&["mirror", "tree/", "@/t"]);
    assert!(said.code == 0 && said.err.contains("a.txt ->") && said.err.contains("1 identical"), "{said:?}");
    assert_eq!((shop.body("t/a.txt").as_str(), shop.body("t/b.txt").as_str()), ("edited", "stays"));
}

#[test]
fn trap_06_an_empty_source_does_not_delete_everything() {
    let shop = Shop::new();
    shop.put("a", "alpha");
    std::fs::create_dir(shop.world.work().join("empty")).expect("a folder");
    let said = shop.say(&["mirror", "./empty/", "@", "--remove"]);
    assert!(said.code != 0 && said.err.contains("--force"), "{said:?}");
    assert_eq!(shop.keys(), "['a']");
}

#[test]
fn trap_07_a_bucket_is_not_emptied_without_a_word() {
    let shop = Shop::new();
    shop.put("a", "alpha");
    let said = shop.say(&["rm", "-r", "@"]);
    assert!(said.code != 0 && said.err.contains("--force"), "{said:?}");
    assert_eq!(shop.keys(), "['a']");
    assert_eq!(shop.say(&["rm", "-r", "@", "--force"]).code, 0);
    assert_eq!(shop.keys(), "[]");
}

#[test]
fn trap_08_a_key_that_is_not_there_was_not_removed() {
    let said = Shop::new().say(&["rm", "@/nothing"]);
    assert!(said.code == 5 && !said.out.contains("nothing"), "{said:?}");
}

#[test]
fn trap_09_an_object_and_the_beginning_of_a_name_are_listed() {
    let shop = Shop::new();
    for key in ["a.txt", "pre-1", "pre-2"] {
        shop.put(key, "alpha");
    }
    let exact = shop.say(&["ls", "@/a.txt"]);
    assert!(exact.code == 0 && exact.out.contains("a.txt"), "{exact:?}");
    let beginning = shop.say(&["ls", "@/pre"]);
    assert!(beginning.out.contains("pre-1") && beginning.out.contains("pre-2"), "{beginning:?}");
    assert_eq!(shop.say(&["ls", "@/nothing"]).code, 5);
}

#[test]
fn trap_10_a_name_that_no_bucket_may_have_is_refused_before_it_is_asked_for() {
    let (world, store) = (World::new(), Scripted::empty());
    world.ok(&["alias", "set", "m", &store.url(), "AK", "S", "--no-check"]);
    for name in ["ab", "UPPER", "a_b", "-a-b", "192.168.1.1"] {
        let said = world.say(&["s3", "mb", &format!("m/{name}")]);
        assert_eq!(said.code, 2, "{name}: {said:?}");
    }
    assert!(store.heard().is_empty());
}

#[test]
fn trap_11_an_alias_that_no_path_can_name_is_refused() {
    let world = World::new();
    for name in ["we ird/n", "a.b", "a:b", ""] {
        assert_eq!(world.say(&["alias", "set", "--no-check", "--", name, "http://h", "AK"]).code, 2, "{name}");
    }
    assert_eq!(config(&world), "");
}

#[test]
fn trap_12_a_server_that_is_down_can_be_named_all_the_same() {
    let world = World::new();
    let address = TcpListener::bind(("127.0.0.1", 0)).and_then(|held| held.local_addr()).expect("a port");
    let set = ["alias", "set", "m", &format!("http://{address}"), "AK", "S"];
    let said = world.say(&set);
    assert!(said.code == 3 && said.err.contains("--no-check") && !said.err.contains('{'), "{said:?}");
    world.ok(&[&set[..], &["--no-check"]].concat());
}

#[test]
fn trap_13_a_secret_need_not_stand_in_the_arguments() {
    let world = World::new();
    let secret = world.file("work/secret", "from-a-file\n");
    let secret = secret.to_str().expect("text");
    let ways: [&[&str]; 3] = [&["--secrets-stdin"], &["--secret-key-file", secret], &["--secret-key-env", "MY_SECRET"]];
    for way in ways {
        let set = [&["alias", "set", "m", "http://h", "AK", "--no-check"], way].concat();
        let said = with(&world, &set, &[("MY_SECRET", "from-a-variable")], "from-stdin\n");
        assert!(said.code == 0 && !said.err.contains("`ps`"), "{said:?}");
    }
}

#[test]
fn trap_14_the_global_quiet_belongs_to_every_command() {
    let shop = Shop::new();
    shop.world.file("work/tree/a", "alpha");
    let said = shop.say(&["mirror", "tree/", "@", "-q"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
}

#[test]
fn trap_15_quiet_silences_talk_and_never_data() {
    let shop = Shop::new();
    shop.put("a.txt", "alpha");
    assert!(shop.say(&["-q", "ls", "@"]).out.contains("a.txt"));
    assert_eq!(shop.say(&["-q", "cat", "@/a.txt"]).out, "alpha");
}

#[test]
fn trap_16_a_bucket_that_is_not_empty_is_called_that() {
    let shop = Shop::new();
    shop.put("a", "alpha");
    let said = shop.say(&["rb", "@"]);
    assert!(said.code == 6 && said.err.contains("not empty") && said.out.is_empty(), "{said:?}");
    assert_eq!(shop.keys(), "['a']");
}

#[test]
fn trap_17_a_store_without_an_admin_api_is_a_store_that_lacks_a_feature() {
    let shop = Shop::new();
    for args in [&["admin", "info", "m"][..], &["admin", "user", "list", "m"], &["admin", "heal", "m"]] {
        let said = shop.say(args);
        assert!(said.code == 7 && !said.err.contains('<'), "{said:?}");
    }
}

#[test]
fn trap_18_no_familiar_verb_is_called_deprecated() {
    let help = World::new().ok(&["s3", "--help"]).to_lowercase();
    assert!(help.contains("ls") && !help.contains("deprecated"), "{help}");
}

#[test]
fn trap_19_global_options_stand_under_their_own_heading() {
    let world = World::new();
    for command in ["ls", "stat", "cp", "mirror"] {
        let help = world.ok(&["s3", command, "-h"]);
        let (own, global) = help.split_once("Global options:").expect("a heading of their own");
        for flag in ["--quiet", "--verbose", "--state-dir"] {
            assert!(global.contains(flag) && !own.contains(flag), "{command}: {flag}");
        }
    }
}

#[test]
fn trap_20_copies_and_mirrors_overwrite_alike() {
    let shop = Shop::new();
    for body in ["first", "again"] {
        shop.world.file("work/tree/a", body);
        assert_eq!(shop.say(&["cp", "./tree/a", "@/cp/a"]).code, 0);
        assert_eq!(shop.say(&["mirror", "tree/", "@/mirror"]).code, 0);
    }
    assert_eq!((shop.body("cp/a").as_str(), shop.body("mirror/a").as_str()), ("again", "again"));
}

#[test]
fn trap_21_a_storage_class_is_the_stores_to_accept() {
    let store = Scripted::start(|heard| match heard.method.as_str() {
        "PUT" => hallpass_testkit::servers::scripted::Reply::new(200, "").header("etag", "\"e\""),
        "POST" if heard.target.contains("uploads") => hallpass_testkit::servers::scripted::Reply::new(
            200,
            "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>",
        ),
        _ => hallpass_testkit::servers::scripted::Reply::refusal(404, "NoSuchKey"),
    });
    let world = World::new();
    world.ok(&["alias", "set", "m", &store.url(), "AK", "S", "--no-check"]);
    world.file("work/a", "alpha");
    world.file("work/large", &"x".repeat(12 << 20));
    for class in ["GLACIER", "STANDARD_IA", "SOMETHING_NEW"] {
        world.say(&["s3", "cp", "./a", "m/data/a", "--storage-class", class]);
        let put = store.heard().into_iter().rfind(|heard| heard.method == "PUT").expect("sent");
        assert_eq!(put.header("x-amz-storage-class"), class);
        // A large object says so when its upload begins.
        world.say(&["s3", "cp", "./large", "m/data/large", "--storage-class", class, "--part-size", "5MiB"]);
        let begun = store.heard().into_iter().rfind(|heard| heard.target.contains("uploads")).expect("begun");
        assert_eq!((begun.method.as_str(), begun.header("x-amz-storage-class")), ("POST", class));
    }
}

#[test]
fn trap_22_a_share_that_lasts_too_long_is_a_usage_error_with_a_code() {
    let shop = Shop::new();
    let said = shop.say(&["share", "download", "@/a", "--expire", "8d", "--json"]);
    let error: Value = serde_json::from_str(said.err.trim()).expect("JSON");
    assert_eq!((said.code, &error["error"]["type"]), (2, &"usage_error".into()), "{said:?}");
    assert!(error["error"]["code"].is_string(), "{error}");
}

#[test]
fn trap_23_a_dash_is_stdin_or_stdout_and_a_difference_has_a_local_side() {
    let shop = Shop::new();
    assert_eq!(shop.say_with(&["cp", "-", "@/t/a"], "from stdin").code, 0);
    assert_eq!(shop.say(&["cp", "@/t/a", "-"]).out, "from stdin");
    shop.world.file("work/tree/b", "only here");
    let said = shop.say(&["diff", "./tree", "@/t/"]);
    assert!(said.out.contains('a') && said.out.contains('b'), "{said:?}");
}
