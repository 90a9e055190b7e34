//! What shells are told while somebody types; the real shells that are installed here take it.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use hallpass_testkit::clients::{bare, python, run};
use hallpass_testkit::servers::Scripted;
use hallpass_testkit::servers::scripted::Reply;

use crate::cli_world::World;

const BUCKETS: &str = "<ListAllMyBucketsResult><Buckets><Bucket><Name>data</Name></Bucket><Bucket><Name>dates</Name>\
     </Bucket></Buckets></ListAllMyBucketsResult>";
const KEYS: [&str; 3] = ["re.txt", "re $(touch made)", "a:b.txt"];

fn store() -> Scripted {
    Scripted::start(|heard| {
        let (path, query) = heard.target.split_once('?').unwrap_or((&heard.target, ""));
        let body = if path.trim_matches('/').is_empty() { BUCKETS.to_owned() } else { keys(query) };
        Reply::new(200, body).header("content-type", "application/xml")
    })
}

/// The keys, and the one folder, that begin as the query asks.
fn keys(query: &str) -> String {
    let prefix = query.split('&').find_map(|pair| pair.strip_prefix("prefix=")).unwrap_or_default();
    let prefix = prefix.replace("%3A", ":");
    let keys = KEYS.iter().filter(|key| key.starts_with(&prefix));
    let keys: String = keys.map(|key| format!("<Contents><Key>{key}</Key><Size>1</Size></Contents>")).collect();
    let folder = if "reports/".starts_with(&prefix) { "<Prefix>reports/</Prefix>" } else { "" };
    format!(
        "<ListBucketResult><Name>data</Name><IsTruncated>false</IsTruncated>{keys}\
         <CommonPrefixes>{folder}</CommonPrefixes></ListBucketResult>"
    )
}

/// What could come after these words, as fish asks.
fn offered(world: &World, words: &[&str]) -> Vec<String> {
    let mut command = world.command(&[]);
    command.arg("--").arg("hallpass").args(words).env("HALLPASS_COMPLETE", "fish");
    let said = crate::cli_world::said(command.output().expect("starts"));
    assert!(said.code == 0 && said.err.is_empty(), "{said:?}");
    said.out.lines().filter_map(|line| line.split('\t').next()).map(str::to_owned).collect()
}

fn world(url: &str) -> World {
    let world = World::new();
    world.ok(&["alias", "set", "minio", url, "AK", "S", "--no-check"]);
    world
}

#[test]
fn aliases_are_completed_and_nobody_is_asked() {
    let store = store();
    let world = world(&store.url());
    assert_eq!(offered(&world, &["s3", "ls", "mi"]), ["minio/"]);
    assert_eq!(offered(&world, &["alias", "remove", "mi"]), ["minio"]);
    assert_eq!(offered(&world, &["s3", "admin", "info", "mi"]), ["minio"]);
    assert!(offered(&world, &["s3", "ls", ""]).contains(&"aws/".to_owned()));
    assert!(offered(&world, &["s3", "mir"]).contains(&"mirror".to_owned()));
    assert!(offered(&world, &["s3", "ls", "--rec"]).contains(&"--recursive".to_owned()));
    assert!(store.heard().is_empty(), "{:?}", store.heard());
}

#[test]
fn buckets_and_keys_come_from_the_store() {
    let store = store();
    let world = world(&store.url());
    assert_eq!(offered(&world, &["s3", "ls", "minio/dat"]), ["minio/data/", "minio/dates/"]);
    // A key that a shell would take for a command is not offered.
    assert_eq!(offered(&world, &["s3", "cat", "minio/data/re"]), ["minio/data/reports/", "minio/data/re.txt"]);
    assert!(store.heard().last().expect("asked").target.contains("delimiter=%2F"));
    assert_eq!(offered(&world, &["s3", "cat", "minio:data/re"]), ["minio:data/reports/", "minio:data/re.txt"]);
    world.file("work/minutes.txt", "here");
    let ends = offered(&world, &["s3", "cp", "x", "mi"]);
    assert!(ends.contains(&"minio/".to_owned()) && ends.contains(&"minutes.txt".to_owned()), "{ends:?}");
}

#[test]
fn a_store_that_is_silent_does_not_hold_the_shell() {
    let silent = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let world = world(&format!("http://{}", silent.local_addr().expect("an address")));
    let started = Instant::now();
    assert!(offered(&world, &["s3", "ls", "minio/"]).is_empty());
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[test]
fn what_would_borrow_or_start_a_program_is_not_asked() {
    let store = store();
    let world = World::new();
    let made = world.work().join("made");
    let program = format!("touch {}", made.display());
    world.ok(&["alias", "set", "p", &store.url(), "--credential-process", &program, "--no-check"]);
    world.ok(&["alias", "set", "r", &store.url(), "--role", "arn:aws:iam::111122223333:role/r", "--no-check"]);
    for path in ["p/", "r/"] {
        assert!(offered(&world, &["s3", "ls", path]).is_empty(), "{path}");
    }
    assert!(!made.exists() && store.heard().is_empty());
}

/// The arguments that a real shell runs `hallpass` with after `line`, Tab and Enter.
fn typed(world: &World, shell: &str, line: &str) -> String {
    let script = world.file("work/_hallpass", &world.ok(&["completions", shell]));
    let folder = script.parent().expect("a folder").display().to_string();
    let (init, arguments): (String, &[&str]) = match shell {
        "bash" => {
            (format!("PS1='READY> '; source {folder}/_hallpass"), &["bash", "--noprofile", "--rcfile", "init", "-i"])
        }
        // Found in $fpath, not sourced: the first Tab has to do it.
        "zsh" => (
            format!("PS1='READY> '; fpath=({folder} $fpath); autoload -U compinit; compinit -u -D"),
            &["zsh", "--no-globalrcs", "-i"],
        ),
        _ => (
            format!("function fish_prompt; echo -n 'READY> '; end; source {folder}/_hallpass"),
            &["fish", "--no-config", "-i", "-C", "source init"],
        ),
    };
    let got = world.work().join("got");
    drop(std::fs::remove_file(&got));
    world.file(if shell == "zsh" { "work/.zshrc" } else { "work/init" }, &init);
    // Completion asks the program; what is run in the end is only written down.
    let program = world.file(
        "work/bin/hallpass",
        &format!(
            "#!/bin/sh\n[ -n \"$HALLPASS_COMPLETE\" ] && exec {} \"$@\"\nprintf '%s\\n' \"$@\" > got.part && mv got.part got\n",
            env!("CARGO_BIN_EXE_hallpass")
        ),
    );
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(&program, mode).expect("may run");
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", program.parent().expect("a folder").display());
    let mut command = bare(python());
    command.env("PATH", path).env("HOME", world.home()).env("ZDOTDIR", world.work()).env("TERM", "xterm");
    command.env("LANG", "C.UTF-8").current_dir(world.work());
    command.args([concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/complete.py"), "got", line]).args(arguments);
    let ran = run(&mut command).succeeded();
    ran.lines().last().unwrap_or_default().to_owned()
}

/// Each ends with what is completed: an alias, a bucket, a key, an object of a folder with a `:`, a flag and its value.
const LINES: [(&str, &str); 7] = [
    ("hallpass s3 ls mini", "minio/"),
    ("hallpass s3 ls minio/date", "minio/dates/"),
    ("hallpass s3 ls minio:date", "minio:dates/"),
    ("hallpass s3 cat minio:data/re.", "minio:data/re.txt"),
    ("hallpass s3 cat minio/data/a:", "minio/data/a:b.txt"),
    ("hallpass s3 ls --rec", "--recursive"),
    ("hallpass s3 cp --checksum=sha2", "--checksum=sha256"),
];

#[test]
fn bash_completes_what_is_typed() {
    let store = store();
    let world = world(&store.url());
    // It closes a quote that is open.
    for (line, completed) in LINES.into_iter().chain([("hallpass s3 ls \"minio:date", "minio:dates/")]) {
        assert_eq!(typed(&world, "bash", line), completed, "{line}");
    }
}

#[test]
fn zsh_completes_what_is_typed() {
    let store = store();
    let world = world(&store.url());
    for (line, completed) in LINES {
        assert_eq!(typed(&world, "zsh", line), completed, "{line}");
    }
    assert_eq!(typed(&world, "zsh", "hallpass s3 ls \"minio:date\t\""), "minio:dates/", "in a quote");
}

#[test]
fn fish_completes_what_is_typed() {
    let store = store();
    let world = world(&store.url());
    for (line, completed) in LINES {
        assert_eq!(typed(&world, "fish", line), completed, "{line}");
    }
}

#[test]
fn an_unknown_shell_is_refused_and_nothing_is_done() {
    let world = world("http://127.0.0.1:9");
    let mut command = world.command(&["alias", "remove", "minio"]);
    let said = crate::cli_world::said(command.env("HALLPASS_COMPLETE", "tcsh").output().expect("starts"));
    assert_eq!((said.code, said.out.as_str()), (2, ""), "{said:?}");
    assert!(world.ok(&["alias", "list"]).contains("minio"));
}
