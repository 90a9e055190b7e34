//! The everyday commands in front of a cloud that checks signatures, session tokens and session policies.

use std::io::Write;
use std::process::Stdio;

use hallpass_testkit::clients::run;
use hallpass_testkit::servers::Ministack;
use serde_json::Value;

use super::store::{Shop, lines};
use crate::aws::Lender;
use crate::cli_world::{Said, said};

#[test]
fn a_role_alias_borrows_what_each_command_needs_and_nothing_else() {
    let cloud = Ministack::shared();
    let lender = Lender::with_role(cloud);
    let exe = |args: &[&str]| run(&mut lender.hallpass(args));
    exe(&["alias", "set", "lake", &cloud.url(), "--role", &cloud.role]).succeeded();
    assert_eq!(exe(&["s3", "cat", "lake/lent/reports/a.txt"]).succeeded().trim_end(), "alpha");
    let listed = exe(&["s3", "ls", "lake/lent/reports/", "--json"]).succeeded();
    assert_eq!(lines(&listed)[0]["data"]["key"], "reports/a.txt");
    assert!(exe(&["s3", "cat", "lake/lent/none"]).failed().contains("NoSuchKey"));
    let created = lender.events("session_created");
    assert_eq!(created.len(), 3);
    let actions = |event: &Value| {
        let text = event.to_string();
        (text.contains("s3:GetObject"), text.contains("s3:ListBucket"), text.contains("lent/reports/a.txt"))
    };
    assert_eq!(actions(&created[0]), (true, false, true), "{}", created[0]);
    assert_eq!(actions(&created[1]), (false, true, false), "{}", created[1]);
}

/// Runs `hallpass` with that on its stdin.
fn with_stdin(lender: &Lender, args: &[&str], stdin: &str) -> Said {
    let mut command = lender.hallpass(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("starts");
    // Who refuses its arguments has ended already.
    drop(child.stdin.take().expect("stdin").write_all(stdin.as_bytes()));
    said(child.wait_with_output().expect("ends"))
}

/// Sessions that were made so far; the first of them begins the log.
fn sessions(lender: &Lender) -> usize {
    let exported = run(&mut lender.hallpass(&["audit", "export"]));
    exported.stdout.matches("session_created").count()
}

/// The statements of the session that was made last: actions and resources, as text.
fn statements(lender: &Lender) -> String {
    lender.events("session_created").last().expect("a session was made").to_string()
}

#[test]
fn a_batch_borrows_once_and_what_its_lines_need_and_nothing_else() {
    let cloud = Ministack::shared();
    let lender = Lender::with_role(cloud);
    let exe = |args: &[&str]| run(&mut lender.hallpass(args));
    exe(&["alias", "set", "lake", &cloud.url(), "--role", &cloud.role]).succeeded();
    let lines = "cat lake/lent/reports/a.txt\nls lake/lent/reports/ # a comment\n\nrm --force lake/lent/batch-of-one\n";
    let explained = with_stdin(&lender, &["s3", "run", "-", "--explain"], lines);
    assert_eq!(explained.code, 0, "{explained:?}");
    assert_eq!(explained.out.matches("s3:GetObject").count(), 1, "{explained:?}");
    assert_eq!(sessions(&lender), 0, "explaining borrows nothing");
    std::fs::write(lender.work().join("batch"), lines).expect("written");
    for (args, stdin) in [(&["s3", "run", "batch"][..], ""), (&["s3", "run", "-"], lines)] {
        let before = sessions(&lender);
        let ran = with_stdin(&lender, args, stdin);
        assert!(ran.code == 0 && ran.out.contains("alpha") && ran.out.contains("a.txt"), "{args:?}: {ran:?}");
        assert!(ran.err.contains("3 commands, 0 failed"), "{ran:?}");
        assert_eq!(sessions(&lender), before + 1, "one session for all lines");
    }
    let lent = statements(&lender);
    assert!(lent.contains("s3:DeleteObject") && lent.contains("lent/batch-of-one"), "{lent}");
}

#[test]
fn a_batch_that_cannot_borrow_for_all_its_lines_is_refused_before_the_first() {
    let cloud = Ministack::shared();
    let lender = Lender::with_role(cloud);
    let exe = |args: &[&str]| run(&mut lender.hallpass(args));
    exe(&["alias", "set", "lake", &cloud.url(), "--role", &cloud.role]).succeeded();
    exe(&["alias", "set", "--no-check", "pond", &cloud.url(), "--role", "arn:aws:iam::000000000000:role/other"])
        .succeeded();
    let first = "cat lake/lent/reports/a.txt\n";
    let two = with_stdin(&lender, &["s3", "run", "-"], &format!("{first}ls pond/lent\n"));
    assert!(two.code == 7 && two.err.contains("`lake` and `pond`") && two.out.is_empty(), "{two:?}");
    std::fs::write(lender.work().join("reads"), format!("{first}pipe lake/lent/x\n")).expect("written");
    let reads = with_stdin(&lender, &["s3", "run", "reads"], "bytes");
    assert!(reads.code == 2 && reads.err.contains("line 2") && reads.out.is_empty(), "{reads:?}");
    let fifo = lender.work().join("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).expect("a pipe");
    let writer = std::thread::spawn({
        let fifo = fifo.clone();
        move || std::fs::write(fifo, "cat lake/lent/reports/a.txt\n")
    });
    let piped = with_stdin(&lender, &["s3", "run", "fifo"], "");
    writer.join().expect("ends").expect("written");
    assert!(piped.code == 2 && piped.err.contains("write `-`") && piped.out.is_empty(), "{piped:?}");
    let wrong = with_stdin(&lender, &["s3", "run", "-", "--explain"], &format!("{first}nonsense\n"));
    assert!(wrong.code == 2 && wrong.err.contains("line 2"), "{wrong:?}");
    assert_eq!(sessions(&lender), 0, "nothing was borrowed");
}

#[test]
fn what_comes_on_stdin_is_there_for_the_session_too() {
    let cloud = Ministack::shared();
    let lender = Lender::with_role(cloud);
    run(&mut lender.hallpass(&["alias", "set", "lake", &cloud.url(), "--role", &cloud.role])).succeeded();
    let paths: Vec<String> = (0..3).map(|n| format!("lake/lent/stdin-{n}")).collect();
    for path in &paths {
        assert_eq!(with_stdin(&lender, &["s3", "pipe", path], "bytes").code, 0);
    }
    let removed = with_stdin(&lender, &["s3", "rm", "--stdin"], &paths[..2].join("\n"));
    assert_eq!((removed.code, removed.err.matches("removed lake/").count()), (0, 2), "{removed:?}");
    let lent = statements(&lender);
    assert!(lent.contains("stdin-0") && lent.contains("stdin-1") && !lent.contains("stdin-2"), "{lent}");
    let left = run(&mut lender.hallpass(&["s3", "find", "lake/lent", "--name", "stdin-*"])).succeeded();
    assert_eq!(left.trim(), "lake/lent/stdin-2");
    run(&mut lender.hallpass(&["s3", "rm", "lake/lent/stdin-2"])).succeeded();
}

/// Keys of a session, as an identity provider hands them out.
fn session(cloud: &Ministack) -> (String, String, String) {
    let mut command = cloud.client_as(&cloud.lender, hallpass_testkit::clients::aws());
    command.args(["sts", "assume-role", "--role-arn", &cloud.role, "--role-session-name", "tests", "--output", "json"]);
    let answer: Value = serde_json::from_str(&run(&mut command).succeeded()).expect("JSON");
    let text = |name: &str| answer["Credentials"][name].as_str().expect("text").to_owned();
    (text("AccessKeyId"), text("SecretAccessKey"), text("SessionToken"))
}

#[test]
fn with_a_session_token_every_command_works() {
    let cloud = Ministack::shared();
    let (key, secret, token) = session(cloud);
    let encoded = |text: &str| text.replace('%', "%25").replace('/', "%2F").replace('+', "%2B").replace('=', "%3D");
    let shop = Shop::new(&cloud.url(), &key, &format!("{}:{}", encoded(&secret), encoded(&token)));
    shop.ok(&["mb", "m/with-a-token", "--with-versioning"]);
    shop.put(&["with-a-token/a", "with-a-token/a", "with-a-token/ü x/b"]);
    assert_eq!(shop.ok(&["cat", "m/with-a-token/ü x/b"]), "with-a-token/ü x/b");
    assert_eq!(shop.ok(&["find", "m/with-a-token", "--print", "{key}"]), "a\nü x/b\n");
    assert_eq!(shop.json(&["ls", "m/with-a-token", "-r", "--versions"]).len(), 3);
    assert_eq!(shop.data(&["stat", "m/with-a-token"])["versioning"], "enabled");
    shop.ok(&["tag", "set", "m/with-a-token/a", "k=v"]);
    assert_eq!(shop.ok(&["tag", "list", "m/with-a-token/a"]), "k=v\n");
    shop.ok(&["tag", "set", "m/with-a-token", "k=v"]);
    assert_eq!(shop.ok(&["tag", "list", "m/with-a-token"]), "k=v\n");
    // As on AWS, a bucket is made with public policies blocked.
    let said = shop.refused(&["policy", "set", "download", "m/with-a-token"], 4);
    assert!(said.err.contains("public access"), "{said:?}");
    let own = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{}"}},"Action":"s3:GetObject",
        "Resource":"arn:aws:s3:::with-a-token/*"}}]}}"#,
        cloud.role
    );
    assert_eq!(shop.say_with(&["policy", "set", "-", "m/with-a-token"], own.as_bytes()).code, 0);
    assert_eq!(shop.data(&["policy", "get", "m/with-a-token"])["anonymous"], "custom");
    shop.ok(&["lifecycle", "rule", "add", "m/with-a-token", "--id", "x", "--expire-days", "3", "--tag", "a=b"]);
    assert_eq!(
        shop.json(&["lifecycle", "rule", "ls", "m/with-a-token"])[0]["data"]["rule"]["Filter"]["Tag"]["Key"],
        "a"
    );
    let cors = br#"{"CORSRules":[{"AllowedMethods":["GET"],"AllowedOrigins":["https://example.org"]}]}"#;
    assert_eq!(shop.say_with(&["cors", "set", "m/with-a-token", "-"], cors).code, 0);
    assert!(shop.ok(&["cors", "get", "m/with-a-token"]).contains("https://example.org"));
    shop.ok(&["cors", "remove", "m/with-a-token"]);
    let said = shop.say(&["share", "download", "m/with-a-token/a"]);
    assert!(said.out.contains("X-Amz-Security-Token=") && said.err.contains("dies with the session token"), "{said:?}");
    shop.ok(&["rm", "m/with-a-token/a"]);
    shop.refused(&["rb", "m/with-a-token"], 6);
    shop.ok(&["rb", "m/with-a-token", "--force"]);
    shop.refused(&["stat", "m/with-a-token"], 5);
}

#[test]
fn keys_that_may_not_do_it_are_exit_status_4_and_the_alias_stays() {
    let cloud = Ministack::shared();
    let shop = Shop::new(&cloud.url(), &cloud.lender.key, &cloud.lender.secret);
    for command in [&["ls", "m/lent"][..], &["cat", "m/lent/reports/a.txt"], &["stat", "m/lent/reports/a.txt"]] {
        let said = shop.refused(command, 4);
        assert!(said.err.contains("AccessDenied"), "{said:?}");
    }
}
