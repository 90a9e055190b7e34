//! rm, rb, mb.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hallpass_testkit::clients::{bare, python, run};

use super::store::{Puppet, Shop, Store, lines};

fn with(keys: &[&str]) -> (Store, Shop) {
    let store = Store::start();
    let shop = store.world();
    shop.ok(&["mb", "m/data"]);
    shop.put(keys);
    (store, shop)
}

fn keys(shop: &Shop) -> Vec<String> {
    shop.ok(&["find", "m/data", "--print", "{key}"]).lines().map(str::to_owned).collect()
}

#[test]
fn trap_7_a_whole_bucket_is_not_removed_without_a_yes() {
    let (_store, shop) = with(&["data/a", "data/b/c"]);
    let said = shop.refused(&["rm", "-r", "m/data"], 2);
    assert!(said.err.contains("--force"), "{said:?}");
    assert_eq!(keys(&shop), ["a", "b/c"]);
    assert_eq!(shop.ok(&["rm", "-r", "m/data", "--dry-run"]), "m/data/a\nm/data/b/c\n");
    assert_eq!(keys(&shop).len(), 2, "a dry run removes nothing");
    shop.ok(&["rm", "-r", "m/data", "--force"]);
    assert!(keys(&shop).is_empty());
}

/// What a person on a terminal gets who answers so: exit status and what is left.
fn answered(answer: &str) -> (String, usize) {
    let script = "import os,pty,sys\n\
        pid,fd=pty.fork()\n\
        if pid==0: os.execv(sys.argv[1],sys.argv[1:2]+['s3','rm','-r','m/data'])\n\
        seen=b''\n\
        while b'go on' not in seen: seen+=os.read(fd,1000)\n\
        os.write(fd,os.environ['ANSWER'].encode()+b'\\n')\n\
        try:\n    while os.read(fd,1000): pass\n\
        except OSError: pass\n\
        print(os.waitstatus_to_exitcode(os.waitpid(pid,0)[1]))\n";
    let (_store, shop) = with(&["data/a", "data/b/c"]);
    let template = shop.command(&[]);
    let mut command = bare(python());
    command.envs(template.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("ANSWER", answer);
    command.current_dir(shop.world.work()).args(["-c", script, env!("CARGO_BIN_EXE_hallpass")]);
    (run(&mut command).succeeded().trim().to_owned(), keys(&shop).len())
}

#[test]
fn trap_7_on_a_terminal_the_name_of_the_bucket_is_asked_for() {
    assert_eq!(answered("data"), ("0".to_owned(), 0));
    assert_eq!(answered("yes"), ("2".to_owned(), 2));
    assert_eq!(answered(""), ("2".to_owned(), 2));
}

#[test]
fn trap_8_a_missing_key_is_said_and_not_counted_as_removed() {
    let (_store, shop) = with(&["data/a", "data/b"]);
    let said = shop.refused(&["rm", "m/data/a", "m/data/none", "--json"], 5);
    let all = lines(&said.out);
    assert_eq!((all[0]["status"].as_str(), all[1]["status"].as_str()), (Some("success"), Some("error")));
    assert_eq!((all[1]["data"]["key"].as_str(), all[1]["error"]["exit_code"].as_i64()), (Some("none"), Some(5)));
    assert_eq!((all[2]["data"]["removed"].as_u64(), all[2]["data"]["missing"].as_u64()), (Some(1), Some(1)));
    shop.refused(&["rm", "m/data/none"], 5);
    shop.refused(&["rm", "-r", "m/data/none/"], 5);
    shop.ok(&["rm", "m/data/none", "--force"]);
    assert_eq!(keys(&shop), ["b"]);
}

#[test]
fn a_folder_is_removed_and_its_namesakes_stay() {
    let (_store, shop) = with(&["data/dir/a", "data/dir/b/c", "data/directory", "data/dir-2/d"]);
    shop.refused(&["rm", "m/data/dir"], 5);
    shop.ok(&["rm", "-r", "m/data/dir"]);
    assert_eq!(keys(&shop), ["dir-2/d", "directory"]);
}

#[test]
fn only_what_is_old_enough_is_removed() {
    let (_store, shop) = with(&["data/dir/a", "data/dir/b"]);
    shop.ok(&["rm", "-r", "m/data/dir/", "--older-than", "1h"]);
    shop.ok(&["rm", "-r", "m/data/dir/", "--older-than", "2026-01-02"]);
    assert_eq!(keys(&shop).len(), 2);
    shop.ok(&["rm", "-r", "m/data/dir/", "--newer-than", "1h"]);
    assert!(keys(&shop).is_empty());
}

#[test]
fn paths_come_from_stdin() {
    let (_store, shop) = with(&["data/a b", "data/ü", "data/c"]);
    let found = shop.ok(&["find", "m/data", "--regex", "^(a|ü)"]);
    let said = shop.say_with(&["rm", "--stdin"], found.as_bytes());
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(keys(&shop), ["c"]);
    assert_eq!(shop.say_with(&["rm", "--stdin"], b"m/data/none\nm/data/c\n").code, 5);
    assert!(keys(&shop).is_empty(), "what is there is removed all the same");
}

#[test]
fn names_with_control_characters_come_whole_from_find_to_rm() {
    let strange = ["data/a\nb", "data/\"q\"", "data/t\tab", "data/e\u{1b}[2J", "data/\u{202e}r"];
    let (_store, shop) = with(&strange);
    shop.put(&["data/a", "data/b", "data/a\u{fffd}b"]);
    let found = shop.ok(&["find", "m/data", "--regex", "[^ab\u{fffd}]"]);
    assert_eq!(found.lines().count(), strange.len(), "{found:?}");
    assert!(!found.replace('\n', "").chars().any(char::is_control), "{found:?}");
    let would = shop.say_with(&["rm", "--stdin", "--dry-run"], found.as_bytes());
    assert_eq!(would.out, found, "what rm says can be given to rm");
    assert_eq!(shop.say_with(&["rm", "--stdin"], found.as_bytes()).code, 0);
    assert_eq!(keys(&shop), ["a", "a\u{fffd}b", "b"], "these and no others");
    shop.put(&strange);
    let found = shop.ok(&["find", "m/data", "--print0", "--regex", "[^ab\u{fffd}]"]);
    assert!(found.contains("m/data/a\nb\0") && found.contains("m/data/\"q\"\0"), "{found:?}");
    assert_eq!(shop.say_with(&["rm", "--stdin", "-0"], found.as_bytes()).code, 0);
    assert_eq!(keys(&shop), ["a", "a\u{fffd}b", "b"]);
    assert_eq!(shop.say_with(&["rm", "--stdin"], b"\"m/data/a\n").code, 2);
    shop.refused(&["find", "m/data", "-0", "--json"], 2);
    assert_eq!(keys(&shop).len(), 3);
}

#[test]
fn two_thousand_objects_go_in_two_calls() {
    use std::sync::atomic::{AtomicU64, Ordering};
    let calls = std::sync::Arc::<AtomicU64>::default();
    let deletes = std::sync::Arc::clone(&calls);
    let store = Puppet::start(move |head| {
        if head.starts_with("POST ") {
            deletes.fetch_add(1, Ordering::SeqCst);
            return (200, "<DeleteResult/>".to_owned());
        }
        let second = head.contains("continuation-token=");
        let mut body = String::from("<ListBucketResult>");
        for key in 0..1_000 {
            body.push_str(&format!("<Contents><Key>d/{second}{key}</Key><Size>1</Size></Contents>"));
        }
        if !second {
            body.push_str("<IsTruncated>true</IsTruncated><NextContinuationToken>n</NextContinuationToken>");
        }
        (200, body + "</ListBucketResult>")
    });
    let shop = Shop::new(&store.url(), "k", "s");
    let all = shop.json(&["rm", "-r", "m/b/d/"]);
    assert_eq!(all.last().expect("a summary")["data"]["removed"], 2_000);
    assert_eq!((calls.load(Ordering::SeqCst), store.requests.load(Ordering::SeqCst)), (2, 4));
}

#[test]
fn keys_that_a_store_refuses_one_by_one_are_told_one_by_one() {
    let store = Puppet::start(|head| {
        match head.starts_with("POST ") {
        true => (
            200,
            "<DeleteResult><Error><Key>d/b</Key><Code>AccessDenied</Code><Message>No.</Message></Error></DeleteResult>"
                .to_owned(),
        ),
        false => (
            200,
            "<ListBucketResult><Contents><Key>d/a</Key></Contents><Contents><Key>d/b</Key></Contents></ListBucketResult>"
                .to_owned(),
        ),
    }
    });
    let shop = Shop::new(&store.url(), "k", "s");
    let said = shop.refused(&["rm", "-r", "m/x/d/", "--json"], 4);
    let all = lines(&said.out);
    assert_eq!((all[0]["data"]["key"].as_str(), all[0]["status"].as_str()), (Some("d/a"), Some("success")));
    assert_eq!((all[1]["data"]["key"].as_str(), all[1]["error"]["code"].as_str()), (Some("d/b"), Some("AccessDenied")));
    assert_eq!((all[2]["data"]["removed"].as_u64(), all[2]["data"]["failed"].as_u64()), (Some(1), Some(1)));
}

#[test]
fn trap_10_a_bad_name_for_a_bucket_is_refused_before_the_store_is_asked() {
    let store = Puppet::refusing(500, "InternalError");
    let shop = Shop::new(&store.url(), "k", "s");
    for name in ["UPPER", "ab", "a..b", "192.168.0.1", "-abc", "under_score", "xn--x"] {
        shop.refused(&["mb", &format!("m/{name}")], 2);
    }
    assert_eq!(store.requests.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[test]
fn trap_16_a_bucket_that_is_not_empty_stays_and_the_way_out_is_said() {
    let (_store, shop) = with(&["data/a"]);
    let said = shop.refused(&["rb", "m/data"], 6);
    assert!(said.err.contains("not empty") && said.err.contains("--force") && said.out.is_empty(), "{said:?}");
    assert_eq!(keys(&shop), ["a"]);
    shop.ok(&["rb", "m/data", "--force"]);
    shop.refused(&["ls", "m/data"], 5);
    shop.refused(&["rb", "m/data"], 5);
}

#[test]
fn a_store_that_would_delete_what_is_not_empty_is_not_asked_to() {
    let store = Puppet::start(|head| match head.starts_with("DELETE ") {
        true => (204, String::new()),
        false => (200, "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>".to_owned()),
    });
    let shop = Shop::new(&store.url(), "k", "s");
    shop.refused(&["rb", "m/data"], 6);
    assert_eq!(store.requests.load(std::sync::atomic::Ordering::SeqCst), 1, "one listing and no deletion");
}

#[test]
fn a_bucket_that_is_there_is_a_conflict_unless_that_is_fine() {
    let (_store, shop) = with(&[]);
    shop.refused(&["mb", "m/data"], 6);
    assert_eq!(shop.data(&["mb", "m/data", "--ignore-existing"])["created"], false);
    assert_eq!(shop.data(&["mb", "m/other", "--ignore-existing"])["created"], true);
    let store = Puppet::refusing(409, "BucketAlreadyExists");
    let shop = Shop::new(&store.url(), "k", "s");
    shop.refused(&["mb", "m/data", "--ignore-existing"], 6);
}

#[test]
fn what_lies_outside_of_the_prefix_is_never_touched_whatever_the_store_lists() {
    // A store that leaves `prefix` out of account.
    let item = |name: &str, key: &str| {
        format!("<{name}><Key>{key}</Key><VersionId>1</VersionId><Size>2</Size><ETag>\"e\"</ETag></{name}>")
    };
    let changes = Arc::<AtomicU64>::default();
    let changed = Arc::clone(&changes);
    let store = Puppet::start(move |head| {
        if head.contains("versions=") {
            let all: String = ["p/a", "outside"].iter().map(|key| item("Version", key)).collect();
            return (200, format!("<ListVersionsResult>{all}</ListVersionsResult>"));
        }
        if head.contains("list-type=2") {
            let all: String = ["p/a", "outside"].iter().map(|key| item("Contents", key)).collect();
            return (200, format!("<ListBucketResult>{all}</ListBucketResult>"));
        }
        changed.fetch_add(u64::from(!head.starts_with("GET") && !head.starts_with("HEAD")), Ordering::SeqCst);
        (200, "ok".to_owned())
    });
    let shop = Shop::new(&store.url(), "k", "s");
    std::fs::create_dir(shop.world.work().join("empty")).expect("a folder");
    for args in [
        &["rm", "-r", "m/b/p/"][..],
        &["rm", "-r", "m/b/p", "--versions", "--force"],
        &["mv", "-r", "m/b/p/", "out"],
        &["cp", "-r", "m/b/p/", "m/c/"],
        &["mirror", "empty", "m/b/p/", "--remove", "--force"],
        &["ls", "m/b/p/", "-r"],
    ] {
        let said = shop.refused(args, 1);
        assert!(said.err.contains("the store lists `outside`"), "{args:?}: {said:?}");
    }
    assert_eq!(changes.load(Ordering::SeqCst), 0, "something was changed");
}
