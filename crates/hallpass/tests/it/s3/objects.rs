//! cat, head, stat, pipe, share, run.

use std::io::Write;
use std::process::Stdio;

use hallpass_control::clock::SystemClock;
use hallpass_core::clock::Clock;
use hallpass_testkit::clients::{bare, python, run};

use jiff::SignedDuration;

use super::store::{KEY, Puppet, SECRET, Shop, Store, lines};

fn with(keys: &[&str]) -> (Store, Shop) {
    let store = Store::start();
    let shop = store.world();
    shop.ok(&["mb", "m/data"]);
    shop.put(keys);
    (store, shop)
}

#[test]
fn what_comes_on_stdin_becomes_an_object_and_comes_back_whole_and_in_ranges() {
    let (_store, shop) = with(&[]);
    // More than two parts, and not a multiple of one.
    let bytes: Vec<u8> = (0..20_000_003_u32).map(|n| (n % 251) as u8).collect();
    assert_eq!(shop.say_with(&["pipe", "m/data/large", "--json"], &bytes).code, 0);
    let output = shop.command(&["cat", "m/data/large"]).output().expect("runs");
    assert!(output.status.success() && output.stdout == bytes);
    let part = |args: &[&str]| shop.command(&[&["cat", "m/data/large"], args].concat()).output().expect("runs").stdout;
    assert_eq!(part(&["--offset", "9000000", "--length", "7"]), bytes[9_000_000..9_000_007]);
    assert_eq!(part(&["--tail", "5"]), bytes[20_000_003 - 5..]);
    assert_eq!(part(&["--length", "0"]), b"");
    shop.refused(&["cat", "m/data/large", "--offset", "99999999"], 1);
    shop.refused(&["cat", "m/data"], 2);
    shop.refused(&["cat", "m/data/none"], 5);
}

#[test]
fn an_object_is_made_only_if_there_is_none() {
    let (_store, shop) = with(&["data/a"]);
    let said = shop.say_with(&["pipe", "m/data/b", "--if-absent", "--metadata", "Colour=blue"], b"x");
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(shop.data(&["stat", "m/data/b"])["metadata"]["colour"], "blue");
}

#[test]
fn what_is_there_already_is_said_to_be_there_and_not_to_have_changed() {
    let store = Puppet::refusing(412, "PreconditionFailed");
    let shop = Shop::new(&store.url(), "k", "s");
    let said = shop.say_with(&["pipe", "m/b/a", "--if-absent"], b"x");
    assert!(said.code == 6 && said.err.contains("an object `m/b/a` already"), "{said:?}");
    assert!(!said.err.contains("changed"), "{said:?}");
}

#[test]
fn head_writes_lines_or_bytes_and_an_empty_object_is_nothing() {
    let (_store, shop) = with(&[]);
    let text: String = (0..5_000).map(|n| format!("line {n}\n")).collect();
    assert_eq!(shop.say_with(&["pipe", "m/data/lines"], text.as_bytes()).code, 0);
    assert_eq!(shop.ok(&["head", "m/data/lines", "-n", "2"]), "line 0\nline 1\n");
    assert_eq!(shop.ok(&["head", "m/data/lines"]).lines().count(), 10);
    assert_eq!(shop.ok(&["head", "m/data/lines", "-c", "4"]), "line");
    assert_eq!(shop.ok(&["head", "m/data/lines", "-n", "9999"]), text);
    assert_eq!(shop.say_with(&["pipe", "m/data/empty"], b"").code, 0);
    for args in
        [&["head", "m/data/empty", "-c", "9"][..], &["head", "m/data/empty"], &["cat", "m/data/empty", "--tail", "9"]]
    {
        assert_eq!(shop.ok(args), "", "{args:?}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let (_store, shop) = with(&[]);
    assert_eq!(shop.say_with(&["pipe", "m/data/large"], &vec![b'x'; 4 << 20]).code, 0);
    let mut child =
        shop.command(&["cat", "m/data/large"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("ends");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

#[test]
fn stat_says_what_is_known_of_an_object_and_a_bucket() {
    let (_store, shop) = with(&["data/dir/a.txt"]);
    let object = shop.data(&["stat", "m/data/dir/a.txt"]);
    assert_eq!((object["kind"].as_str(), object["size"].as_u64()), (Some("object"), Some(14)));
    assert!(object["etag"].is_string() && object["last_modified"].is_string() && object["tags"].is_null(), "{object}");
    assert_eq!(shop.data(&["stat", "m/data"])["kind"], "bucket");
    assert!(shop.refused(&["stat", "m/data/none"], 5).err.contains("NoSuchKey"));
}

/// A client that is not ours opens the links.
fn curl(shop: &Shop, args: &[&str]) -> String {
    let script = "import sys,urllib.request as u\n\
        r=u.Request(sys.argv[1],data=sys.argv[2].encode() if len(sys.argv)>2 else None,method=sys.argv[3] if len(sys.argv)>3 else None)\n\
        print(u.urlopen(r).read().decode())";
    let mut command = bare(python());
    command.current_dir(shop.world.work()).args(["-c", script]).args(args);
    run(&mut command).succeeded()
}

#[test]
fn a_shared_link_reads_and_writes_without_keys() {
    let (_store, shop) = with(&["data/a ü"]);
    let url = shop.ok(&["share", "download", "m/data/a ü", "--expire", "1m"]);
    assert_eq!(curl(&shop, &[url.trim()]).trim_end(), "data/a ü");
    let upload = shop.data(&["share", "upload", "m/data/new"]);
    curl(&shop, &[upload["url"].as_str().expect("a URL"), "fresh", "PUT"]);
    assert_eq!(shop.ok(&["cat", "m/data/new"]), "fresh");
    let form = shop.data(&["share", "upload", "m/data/in/", "--form", "--prefix", "--size-max", "1KiB"]);
    assert_eq!((form["method"].as_str(), form["fields"]["key"].as_str()), (Some("POST"), Some("in/${filename}")));
}

#[test]
fn trap_22_a_life_of_a_link_that_no_store_takes_is_a_usage_error_with_its_code() {
    let (_store, shop) = with(&[]);
    for life in ["8d", "0s"] {
        let said = shop.refused(&["share", "download", "m/data/a", "--expire", life, "--json"], 2);
        let error = &lines(&said.err)[0]["error"];
        assert_eq!((error["type"].as_str(), error["code"].as_str()), (Some("usage_error"), Some("usage")));
    }
    shop.ok(&["share", "download", "m/data/a", "--expire", "7d"]);
}

#[test]
fn a_link_says_that_it_dies_with_the_session_token() {
    let world = crate::cli_world::World::new();
    let set = |life: &str| {
        let args = [
            "alias",
            "set",
            "t",
            "http://127.0.0.1:9",
            KEY,
            SECRET,
            "--no-check",
            "--session-token",
            "T",
            "--expires-at",
            life,
        ];
        world.ok(&args)
    };
    set("2999-01-01T00:00:00Z");
    let said = world.say(&["s3", "share", "download", "t/b/k", "--expire", "1h"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""), "the token outlives the link");
    let soon = SystemClock.now() + SignedDuration::from_secs(600);
    set(&soon.to_string());
    let said = world.say(&["s3", "share", "download", "t/b/k", "--expire", "1h"]);
    assert!(said.code == 0 && said.err.contains("dies with the session token"), "{said:?}");
}

#[test]
fn a_link_is_not_signed_with_keys_that_have_ended_and_the_alias_stays() {
    let world = crate::cli_world::World::new();
    let file = "schema_version = 2\n[[aliases]]\nname = \"t\"\nendpoint = \"http://127.0.0.1:9\"\naccess_key = \"AK\"\n\
        secret_key = \"S\"\nsession_token = \"T\"\nexpires_at = \"2001-01-01T00:00:00Z\"\n";
    world.file("home/.config/hallpass/config.toml", file);
    let said = world.say(&["s3", "share", "download", "t/b/k"]);
    assert_eq!(said.code, 4, "{said:?}");
    assert!(crate::alias::config(&world).contains("\"T\""), "no store has said that the token is dead");
}

#[test]
fn a_batch_runs_in_one_process_and_ends_with_its_worst_status() {
    let (_store, shop) = with(&["data/a"]);
    let batch = "# comment\nhallpass s3 cat 'm/data/a'\ncat m/data/none\n\nls m\ncat 'unclosed\n";
    shop.world.file("work/batch", batch);
    let said = shop.refused(&["run", "batch"], 5);
    assert_eq!(said.out, "data/a");
    assert!(said.err.contains("line 3") && said.err.contains("2 commands, 1 failed"), "{said:?}");
    let said = shop.refused(&["run", "batch", "--continue-on-error", "--json"], 5);
    assert!(said.out.contains("\"s3_ls\"") && said.out.contains("{\"commands\":4,\"failed\":2}"), "{said:?}");
    let said = shop.say_with(&["run", "-"], b"ls m\nrun batch\n");
    assert_eq!(said.code, 2, "{said:?}");
    let wrong: &[u8] = b"no-command\nrun batch\nls 'unclosed\nls m --timeout 5s\n";
    let said = shop.say_with(&["run", "-", "--json", "--continue-on-error"], wrong);
    let errors = lines(&said.err);
    assert!(errors.len() == 4 && errors.iter().all(|error| error["type"] == "s3_run"), "{said:?}");
    for line in ["pipe m/data/x", "cp - m/data/x", "rm --stdin", "cors set m/data -", "policy set - m/data"] {
        let said = shop.say_with(&["run", "-"], format!("{line}\nls m\n").as_bytes());
        assert!(said.code == 2 && said.err.contains("the batch itself"), "{line}: {said:?}");
    }
    shop.refused(&["stat", "m/data/x"], 5);
    let said = shop.say_with(&["run", "-"], b"ls m --timeout 5s\n");
    assert!(said.code == 2 && said.err.contains("for the whole batch"), "{said:?}");
    shop.put(&["data/to-stdout"]);
    let said = shop.say_with(&["run", "-", "-q"], b"cp m/data/to-stdout -\n");
    assert_eq!((said.code, said.out.as_str()), (0, "data/to-stdout"), "a last `-` is stdout: {said:?}");
    shop.refused(&["run", "nofile"], 5);
}

#[test]
fn an_interrupted_pipe_leaves_no_object() {
    let (_store, shop) = with(&[]);
    let mut child =
        shop.command(&["pipe", "m/data/half"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let mut stdin = child.stdin.take().expect("stdin");
    stdin.write_all(&vec![b'x'; 20 << 20]).expect("taken");
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).expect("a pid")).expect("a pid");
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("signalled");
    // The end of stdin never comes: only the signal ends it.
    let output = child.wait_with_output().expect("ends");
    drop(stdin);
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    shop.refused(&["stat", "m/data/half"], 5);
}
