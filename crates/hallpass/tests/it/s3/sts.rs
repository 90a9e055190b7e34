//! Sessions of a store that is not AWS: SeaweedFS and its STS, which checks tokens and session policies itself.

use hallpass_testkit::clients::{python, run};
use hallpass_testkit::servers::ministack::User;
use hallpass_testkit::servers::seaweedfs::{KEY, ROLE, SECRET, Seaweedfs, Session};

use super::store::lines;
use crate::alias::config;
use crate::aws::Lender;
use crate::cli_world::World;

/// A program for `--credential-process`: AssumeRole with the `aws` module, and a line in `asked` each time.
const PROCESS: &str = r#"
import boto3, json, sys
url, key, secret, role, asked = sys.argv[1:]
open(asked, "a").write("x\n")
sts = boto3.client("sts", endpoint_url=url, aws_access_key_id=key, aws_secret_access_key=secret, region_name="us-east-1")
made = sts.assume_role(RoleArn=role, RoleSessionName="tests", DurationSeconds=900)["Credentials"]
print(json.dumps({"Version": 1, "AccessKeyId": made["AccessKeyId"], "SecretAccessKey": made["SecretAccessKey"],
    "SessionToken": made["SessionToken"], "Expiration": made["Expiration"].isoformat()}))
"#;

fn set(world: &World, store: &Seaweedfs, name: &str, session: &Session) {
    let token = ["--session-token", session.token.as_str(), "--no-check"];
    world.ok(&[&["-q", "alias", "set", name, &store.url(), &session.key, &session.secret][..], &token].concat());
}

/// Objects that take several calls each way.
fn there_and_back(world: &World, alias: &str) {
    let large: Vec<u8> = (0..11_000_003_u32).map(|n| (n % 251) as u8).collect();
    std::fs::create_dir_all(world.work().join("tree/deep")).expect("a folder");
    for (name, bytes) in [("tree/a b", &b"alpha"[..]), ("tree/deep/ü", b"beta"), ("tree/large", &large)] {
        std::fs::write(world.work().join(name), bytes).expect("writes");
    }
    let at = format!("{alias}/lent/{alias}");
    world.ok(&["s3", "cp", "-r", "tree/", &at, "--part-size", "5MiB"]);
    let listed = lines(&world.ok(&["s3", "ls", "-r", &at, "--json"]));
    let mut keys: Vec<_> = listed.iter().filter_map(|line| line["data"]["key"].as_str()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["a b", "deep/ü", "large"].map(|name| format!("{alias}/{name}")));
    assert_eq!(world.ok(&["s3", "cat", &format!("{at}/deep/ü")]), "beta");
    let back = format!("back-{alias}");
    world.ok(&["s3", "cp", "-r", &format!("{at}/"), &back]);
    let same = std::process::Command::new("diff").args(["-r", "tree", &back]).current_dir(world.work()).status();
    assert!(same.expect("diff runs").success());
    world.ok(&["s3", "rm", "-r", &at]);
    // SeaweedFS goes on listing a folder whose last object has gone, so only all keys tell.
    let said = world.say(&["s3", "ls", "-r", &at]);
    assert_eq!(said.code, 5, "{said:?}");
}

/// One store for all: each takes a second and 150 MB.
#[test]
fn sessions_of_seaweedfs_are_kept_end_clearly_and_are_renewed() {
    let store = Seaweedfs::with_sts().expect("SeaweedFS starts");
    let session = store.session();
    let world = World::new();
    set(&world, &store, "kept", &session);
    world.ok(&["s3", "mb", "kept/lent"]);
    there_and_back(&world, "kept");
    world.file("work/one", "bytes");
    dead_tokens_end_clearly(&world, &store, &session);
    a_process_renews(&world, &store);
    a_role_is_borrowed(&store);
}

fn dead_tokens_end_clearly(world: &World, store: &Seaweedfs, session: &Session) {
    let other = Session { token: format!("{}x", session.token), ..session.clone() };
    for dead in [session.expired(), other] {
        for command in [
            &["s3", "ls", "dead/lent"][..],
            &["s3", "stat", "dead/lent/one"],
            &["s3", "cp", "one", "dead/lent/one"],
            &["s3", "cp", "dead/lent/one", "./there"],
            &["s3", "rm", "dead/lent/one"],
        ] {
            set(world, store, "dead", &dead);
            let said = world.say(command);
            assert_eq!(said.code, 4, "{command:?}: {said:?}");
            assert!(said.err.contains("ExpiredToken") && said.err.contains("was removed"), "{command:?}: {said:?}");
            assert!(!said.err.contains(&dead.token) && !said.err.contains(&dead.secret), "{command:?}: {said:?}");
            assert!(!config(world).contains("\"dead\""), "{command:?}: the alias is still there");
        }
    }
    // A wrong secret says nothing about the token, and keys without a token may be somebody's typing error.
    let wrong = Session { secret: format!("{}x", session.secret), ..session.clone() };
    set(world, store, "wrong", &wrong);
    let said = world.say(&["s3", "ls", "wrong/lent"]);
    assert!(said.code == 4 && said.err.contains("SignatureDoesNotMatch"), "{said:?}");
    world.ok(&["-q", "alias", "set", "bare", &store.url(), &session.key, &session.secret, "--no-check"]);
    let said = world.say(&["s3", "ls", "bare/lent"]);
    assert!(said.code == 4 && said.err.contains("InvalidAccessKeyId"), "{said:?}");
    assert!(config(world).contains("\"wrong\"") && config(world).contains("\"bare\""), "{}", config(world));
}

fn a_process_renews(world: &World, store: &Seaweedfs) {
    let (script, asked) = (world.file("home/keys.py", PROCESS), world.home().join("asked"));
    let words = [&python(), &script].map(|path| path.display().to_string()).join(" ");
    let command = format!("{words} {} {KEY} {SECRET} {ROLE} {}", store.url(), asked.display());
    world.ok(&["-q", "alias", "set", "renewed", &store.url(), "--credential-process", &command]);
    there_and_back(world, "renewed");
    assert!(asked.exists(), "the program was not asked");
}

fn a_role_is_borrowed(store: &Seaweedfs) {
    let owner = User { key: KEY.to_owned(), secret: SECRET.to_owned() };
    let lender = Lender::new(store.url(), owner, Some(ROLE.to_owned()));
    let exe = |args: &[&str]| run(&mut lender.hallpass(args));
    exe(&["alias", "set", "lake", &store.url(), "--role", ROLE]).succeeded();
    std::fs::write(lender.work().join("one"), "bytes").expect("writes");
    exe(&["s3", "cp", "one", "lake/lent/role/one"]).succeeded();
    assert_eq!(exe(&["s3", "cat", "lake/lent/role/one"]).succeeded(), "bytes");
    assert!(exe(&["s3", "ls", "lake/lent/role/"]).succeeded().contains("one"));
    assert_eq!(lender.events("session_created").len(), 3);
}
