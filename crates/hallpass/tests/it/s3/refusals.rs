//! What every command makes of what a store refuses: exit status, dead aliases, secrets.

use super::store::{Puppet, Shop, lines};
use crate::alias::config;
use crate::cli_world::World;

const SECRET: &str = "cAnArY/sEcReT";
const TOKEN: &str = "cAnArY-tOkEn";

/// Every command that asks a store, HEAD included.
const COMMANDS: &[&[&str]] = &[
    &["ls", "m"],
    &["ls", "m/b/k"],
    &["ls", "m/b", "--versions"],
    &["ls", "m/b", "--incomplete"],
    &["mb", "m/bucket"],
    &["mb", "m/bucket", "--ignore-existing"],
    &["rb", "m/b"],
    &["rb", "m/b", "--force"],
    &["cat", "m/b/k"],
    &["cat", "m/b/k", "--tail", "3"],
    &["head", "m/b/k"],
    &["stat", "m/b/k"],
    &["stat", "m/b"],
    &["find", "m/b"],
    &["tree", "m/b"],
    &["du", "m/b"],
    &["rm", "m/b/k"],
    &["rm", "m/b/k", "--force"],
    &["rm", "m/b/k", "--version-id", "v"],
    &["rm", "-r", "m/b/k/"],
    &["pipe", "m/b/k"],
    &["tag", "set", "m/b/k", "a=b"],
    &["tag", "list", "m/b"],
    &["tag", "remove", "m/b/k"],
    &["version", "info", "m/b"],
    &["version", "enable", "m/b"],
    &["retention", "info", "m/b/k"],
    &["retention", "set", "m/b", "--mode", "governance", "--days", "1"],
    &["retention", "clear", "m/b/k"],
    &["legal-hold", "info", "m/b/k"],
    &["legal-hold", "set", "m/b/k"],
    &["cors", "get", "m/b"],
    &["cors", "remove", "m/b"],
    &["lifecycle", "export", "m/b"],
    &["lifecycle", "rule", "add", "m/b", "--id", "x", "--expire-days", "1"],
    &["lifecycle", "rule", "rm", "m/b", "--all"],
    &["policy", "get", "m/b"],
    &["policy", "set", "none", "m/b"],
];

#[test]
fn an_expired_token_is_exit_status_4_on_every_command_and_removes_the_alias() {
    for code in ["ExpiredToken", "InvalidToken", "TokenRefreshRequired"] {
        let store = Puppet::refusing(400, code);
        let world = World::new();
        for command in COMMANDS {
            world.ok(&["alias", "set", "m", &store.url(), "AK", SECRET, "--session-token", TOKEN, "--no-check", "-q"]);
            let said = world.say(&[&["s3"], *command].concat());
            assert_eq!(said.code, 4, "{code} {command:?}: {said:?}");
            assert!(said.err.contains("expired") && said.err.contains("removed"), "{code} {command:?}: {said:?}");
            assert!(!config(&world).contains(TOKEN), "{code} {command:?}: the dead alias is still there");
        }
    }
}

#[test]
fn an_alias_that_can_renew_is_renewed_and_the_command_goes_on() {
    let store = Puppet::start(|head| match (head.contains("Credential=AK1/"), head.starts_with("HEAD ")) {
        (true, _) => (400, "<Error><Code>ExpiredToken</Code></Error>".to_owned()),
        (_, true) => (200, String::new()),
        _ => (200, "<ListBucketResult><Contents><Key>k</Key></Contents></ListBucketResult>".to_owned()),
    });
    let world = World::new();
    let keys = r#"{"Version":1,"AccessKeyId":"AKN","SecretAccessKey":"S","SessionToken":"T"}"#;
    let script = format!("echo x >> count; echo '{keys}' | sed s/AKN/AK$(wc -l < count | tr -d ' ')/");
    world.file("work/keys.sh", &script);
    let set = ["alias", "set", "m", &store.url(), "--no-check", "--credential-process", "sh keys.sh"];
    world.ok(&set);
    for command in [&["ls", "m/b/"][..], &["stat", "m/b/k"], &["rm", "m/b/k", "--dry-run"]] {
        std::fs::remove_file(world.work().join("count")).ok();
        let said = world.say(&[&["s3"], command].concat());
        assert_eq!(said.code, 0, "{command:?}: {said:?}");
        let asked = std::fs::read_to_string(world.work().join("count")).expect("asked");
        assert_eq!(asked.lines().count(), 2, "{command:?}: once for the keys, once to renew them");
    }
    assert!(config(&world).contains("keys.sh"), "what can renew is never removed");
}

#[test]
fn a_batch_ends_with_4_and_removes_the_alias_too() {
    let store = Puppet::refusing(400, "ExpiredToken");
    let world = World::new();
    world.ok(&["alias", "set", "m", &store.url(), "AK", SECRET, "--session-token", TOKEN, "--no-check", "-q"]);
    world.file("work/batch", "ls m\n");
    assert_eq!(world.say(&["s3", "run", "batch"]).code, 4);
    assert!(!config(&world).contains(TOKEN));
}

#[test]
fn the_exit_status_and_the_words_come_from_the_stores_code_on_every_command() {
    let table = [
        (403, "AccessDenied", 4, "auth_error"),
        (403, "RequestTimeTooSkewed", 4, "auth_error"),
        (403, "SignatureDoesNotMatch", 4, "auth_error"),
        (404, "NoSuchBucket", 5, "not_found"),
        (409, "OperationAborted", 6, "conflict"),
        (501, "NotImplemented", 7, "unsupported_feature"),
        (400, "SomethingElse", 1, "general_error"),
    ];
    for (status, code, exit, word) in table {
        let store = Puppet::refusing(status, code);
        let shop = Shop::new(&store.url(), "k", "s");
        for command in COMMANDS {
            let said = shop.say(&[*command, &["--json"]].concat());
            assert_eq!(said.code, exit, "{code} {command:?}: {said:?}");
            let told = lines(&format!("{}{}", said.out, said.err));
            let error = &told.iter().rev().find(|line| line["status"] == "error").expect("an error")["error"];
            assert_eq!(error["type"], word, "{code} {command:?}: {said:?}");
            assert_eq!(error["exit_code"], exit, "{code} {command:?}");
        }
    }
}

#[test]
fn a_store_that_fails_is_asked_again_and_is_then_exit_status_3() {
    let store = Puppet::refusing(503, "SlowDown");
    let shop = Shop::new(&store.url(), "k", "s");
    for command in [&["ls", "m/b/"][..], &["stat", "m/b/k"], &["tag", "list", "m/b/k"]] {
        let before = store.requests.load(std::sync::atomic::Ordering::SeqCst);
        let said = shop.refused(&[command, &["--json"]].concat(), 3);
        assert_eq!(lines(&said.err)[0]["error"]["retryable"], true, "{command:?}");
        assert_eq!(store.requests.load(std::sync::atomic::Ordering::SeqCst) - before, 3, "{command:?}");
    }
}

#[test]
fn no_secret_and_no_token_is_in_any_log() {
    let store = Puppet::start(|_| {
        let words = format!("<Error><Code>AccessDenied</Code><Message>{TOKEN} {SECRET}</Message></Error>");
        (403, words)
    });
    let world = World::new();
    world.ok(&["alias", "set", "m", &store.url(), "AK", SECRET, "--session-token", TOKEN, "--no-check", "-q"]);
    for command in COMMANDS {
        let mut run = world.command(&[&["s3"], *command, &["-vv"]].concat());
        let output = run.env("HALLPASS_LOG", "trace").output().expect("runs");
        for stream in [&output.stdout, &output.stderr] {
            let text = String::from_utf8_lossy(stream);
            assert!(!text.contains(SECRET) && !text.contains(TOKEN), "{command:?}: {text}");
        }
    }
}

#[test]
fn trap_2_a_path_without_an_alias_says_so_and_a_folder_of_that_name_does_not_matter() {
    let store = super::store::Store::start();
    let shop = store.world();
    shop.ok(&["mb", "m/data"]);
    std::fs::create_dir_all(shop.world.work().join("m/data")).expect("a folder");
    shop.ok(&["ls", "m/data"]);
    let said = shop.refused(&["ls", "nosuch/data"], 5);
    assert!(said.err.contains("no alias `nosuch`"), "{said:?}");
    shop.refused(&["rm", "./m/data/x"], 2);
    shop.refused(&["ls", "-"], 2);
}

#[test]
fn a_file_where_a_folder_is_needed_is_said_before_anything_is_written() {
    let store = super::store::Store::start();
    let shop = store.world();
    shop.ok(&["mb", "m/data"]);
    shop.put(&["data/dir/a", "data/dir/b"]);
    shop.world.file("work/file", "stays");
    for args in [
        &["cp", "-r", "m/data/dir", "./file"][..],
        &["mirror", "m/data/dir", "./file"],
        &["mirror", "./file", "m/data/other/"],
        &["diff", "./file", "m/data/dir/"],
    ] {
        let said = shop.refused(args, 2);
        assert!(said.err.contains("a file") && said.err.contains("folder"), "{args:?}: {said:?}");
        assert!(!said.err.contains("os error"), "{said:?}");
    }
    let below = shop.refused(&["cp", "m/data/dir/a", "./file/x"], 6);
    assert!(below.err.contains("would have to be a folder"), "{below:?}");
    assert_eq!(std::fs::read_to_string(shop.world.work().join("file")).expect("there"), "stays");
    assert_eq!(shop.json(&["find", "m/data"]).len(), 2);
}

#[test]
fn what_was_removed_recursively_is_not_told_to_be_removed_recursively() {
    let store = super::store::Store::start();
    let shop = store.world();
    shop.ok(&["mb", "m/data"]);
    assert!(shop.refused(&["rm", "m/data/none"], 5).err.contains("`-r`"));
    assert!(!shop.refused(&["rm", "-r", "m/data/none"], 5).err.contains("`-r`"));
}

#[test]
fn a_lifecycle_rule_never_means_today() {
    let store = super::store::Store::start();
    let shop = store.world();
    for flag in ["--expire-days", "--noncurrent-expire-days", "--abort-incomplete-days"] {
        let said = shop.refused(&["lifecycle", "rule", "add", "m/data", "--id", "x", flag, "0"], 2);
        assert!(said.err.contains(flag), "{said:?}");
    }
}
