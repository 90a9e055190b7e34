//! What shells are told while somebody types; the real shells that are installed here take it.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use hallpass_testkit::clients::{bare, run};
use hallpass_testkit::servers::Scripted;
use hallpass_testkit::servers::scripted::Reply;

use crate::cli_world::World;

const BUCKETS: &str = "<ListAllMyBucketsResult><Buckets><Bucket><Name>data</Name></Bucket><Bucket><Name>dates</Name>\
     </Bucket></Buckets></ListAllMyBucketsResult>";
const KEYS: &str = "<ListBucketResult><Name>data</Name><IsTruncated>false</IsTruncated><Contents><Key>re.txt</Key><Size>1</Size>\
     </Contents><Contents><Key>re $(touch made)</Key><Size>1</Size></Contents>\
     <CommonPrefixes><Prefix>reports/</Prefix></CommonPrefixes></ListBucketResult>";

fn store() -> Scripted {
    Scripted::start(|heard| {
        let body = if heard.target.split('?').next().unwrap_or_default().trim_matches('/').is_empty() {
            BUCKETS
        } else {
            KEYS
        };
        Reply::new(200, body).header("content-type", "application/xml")
    })
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

#[test]
fn bash_completes_with_the_script_that_is_printed() {
    let store = store();
    let world = world(&store.url());
    let script = world.ok(&["completions", "bash"]);
    let file = world.file("work/script", &script);
    let ask = format!(
        "source {}; COMP_WORDS=(hallpass s3 ls minio/da); COMP_CWORD=3; COMP_TYPE=9; \
         _clap_complete_hallpass hallpass minio/da ls; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        file.display()
    );
    let mut bash = bare("bash");
    let exe = std::path::Path::new(env!("CARGO_BIN_EXE_hallpass")).parent().expect("a folder");
    bash.env("PATH", format!("{}:/usr/bin:/bin", exe.display())).env("HOME", world.home()).args(["-c", &ask]);
    assert_eq!(run(&mut bash).succeeded(), "minio/data/\nminio/dates/\n");
}

#[test]
fn an_unknown_shell_is_refused_and_nothing_is_done() {
    let world = world("http://127.0.0.1:9");
    let mut command = world.command(&["alias", "remove", "minio"]);
    let said = crate::cli_world::said(command.env("HALLPASS_COMPLETE", "tcsh").output().expect("starts"));
    assert_eq!((said.code, said.out.as_str()), (2, ""), "{said:?}");
    assert!(world.ok(&["alias", "list"]).contains("minio"));
}
