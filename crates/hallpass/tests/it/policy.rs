//! `hallpass why` and `hallpass policy …`, as a person and as a pull request's check use them.

use std::io::Write;
use std::process::Stdio;

use hallpass_core::limits::ACTION_DOUBTS_TOLD_MAX;
use serde_json::{Value, json};

use crate::cli_world::{Said, World, said};

const READ: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "Read", "Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::data/*"},
    {"Sid": "Keep", "Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::data/private/*"},
    {"Sid": "Home", "Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::data/*",
     "Condition": {"StringEquals": {"aws:username": "alice"}}}
  ]
}"#;

fn with_stdin(world: &World, args: &[&str], text: &str) -> Said {
    let mut command = world.command(args);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    // What refuses its arguments ends without reading.
    if let Err(error) = child.stdin.take().expect("stdin").write_all(text.as_bytes()) {
        assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe, "{error}");
    }
    said(child.wait_with_output().expect("ends"))
}

fn answer(said: &Said) -> Value {
    serde_json::from_str(&said.out).expect("one JSON value")
}

#[test]
fn why_names_the_statement_that_allows() {
    let world = World::new();
    world.file("work/p.json", READ);
    let said = world.say(&["why", "s3:GetObject", "s3://data/a", "--policy", "p.json", "--allow", "s3:*"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(
        said.out,
        "allowed: `s3:GetObject` on `arn:aws:s3:::data/a`\n  by --allow s3:* (--allow)\n  by Read (the policy document)\n"
    );
    let said = world.say(&["why", "s3:GetObject", "s3://data/a", "--policy", "p.json", "--json"]);
    let by = json!([{"ceiling": "the policy document", "statement": "Read"}]);
    assert_eq!((said.code, &answer(&said)["granted_by"]), (0, &by));
}

#[test]
fn why_ends_with_one_and_says_what_is_missing() {
    let world = World::new();
    world.file("work/p.json", READ);
    let ask = |args: &[&str]| {
        let said = world.say(&[&["why"], args, &["--policy", "p.json", "--json"]].concat());
        assert_eq!(said.code, 1, "{said:?}");
        answer(&said)["denial"].clone()
    };
    let denial = ask(&["s3:GetObject", "s3://data/private/a"]);
    assert_eq!((&denial["code"], &denial["statement"]), (&json!("explicit-deny"), &json!("Keep")));
    let denial = ask(&["s3:DeleteObject", "s3://data/a"]);
    assert_eq!((&denial["code"], &denial["missing"]["kind"]), (&json!("not-allowed"), &json!("action")));
    let denial = ask(&["s3:GetObject", "s3://other/a"]);
    assert_eq!((&denial["missing"]["kind"], &denial["statement"]), (&json!("resource"), &json!("Read")));
    let denial = ask(&["s3:PutObject", "s3://data/a"]);
    assert_eq!(denial["missing"], json!({"kind": "context-key", "key": "aws:username"}));
    let denial = ask(&["s3:PutObject", "s3://data/a", "--context", "aws:username=bob"]);
    assert_eq!(denial["missing"], json!({"kind": "condition", "key": "aws:username"}));
    let denial = ask(&["s3:GetObject"]);
    assert!(denial["how_to_ask"].as_str().is_some_and(|next| next.starts_with("name the ARN")), "{denial}");
    let denial = ask(&["s3:GetObject", "s3://data/*"]);
    assert_eq!(denial["statement"], json!("Keep"), "a pattern that meets a denied part was let through");
    let said = world.say(&["why", "s3:PutObject", "s3://data/a", "--policy", "p.json"]);
    assert!(said.out.contains("--context aws:username=VALUE"), "{said:?}");
}

#[test]
fn why_believes_what_it_is_told_about_the_request() {
    let world = World::new();
    let ask = |args: &[&str]| with_stdin(&world, &[&["why"], args, &["--policy", "-"]].concat(), READ).code;
    assert_eq!(ask(&["s3:PutObject", "s3://data/a", "--context", "aws:UserName=alice"]), 0);
    assert_eq!(ask(&["s3:PutObject", "s3://data/a", "--absent", "aws:username"]), 1);
    assert_eq!(ask(&["s3:PutObject", "s3://data/a", "--context", "aws:username=a", "--absent", "aws:username"]), 2);
    assert_eq!(ask(&["s3:PutObject", "s3://data/a", "--context", "username=a"]), 2);
    assert_eq!(ask(&["s3:PutObject", "data/a"]), 2);
    assert_eq!(ask(&["s3:Put*", "s3://data/a"]), 2);
    assert_eq!(ask(&["storage:read", "s3://data/a"]), 2);
    let literal = READ.replace("data/private/*", "data/private/${*}");
    let why = |key: &str| with_stdin(&world, &["why", "s3:GetObject", key, "--policy", "-"], &literal).code;
    assert_eq!(["s3://data/private/${*}", "s3://data/private/x"].map(why), [1, 0], "an escape stands for itself");
}

#[test]
fn why_asks_a_session_as_well() {
    let world = World::new();
    world.live("why00001-live");
    assert_eq!(world.say(&["why", "s3:GetObject", "s3://data/a", "--session", "why00001"]).code, 0);
    assert_eq!(world.say(&["why", "s3:PutObject", "s3://data/a", "--session", "why00001"]).code, 1);
    assert_eq!(world.say(&["why", "s3:GetObject", "--session", "nosuch01"]).code, 5);
    assert_eq!(world.say(&["why", "s3:GetObject", "--session", "why00001", "--allow", "s3:*"]).code, 2);
    let said = world.say(&["why", "s3:GetObject"]);
    assert!(said.code == 2 && said.err.contains("--policy FILE"), "{said:?}");
}

#[test]
fn a_misspelt_action_is_said_where_it_stands_and_before_a_run() {
    let world = World::new();
    world.file(
        "work/slip.json",
        "{\"Version\": \"2012-10-17\", \"Statement\": [\n  {\"Effect\": \"Deny\", \"Action\": [\"s3:DeletObject\"],\n   \
         \"Resource\": \"*\"}, {\"Effect\": \"Allow\", \"Action\": \"s3:*\", \"Resource\": \"*\"}]}",
    );
    let said = world.say(&["policy", "check", "slip.json"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.contains("slip.json:2:22: warning[unknown-action]"), "{said:?}");
    assert_eq!(world.say(&["policy", "check", "--strict", "slip.json"]).code, 1);
    let said = world.say(&["run", "--read-only", "--deny", "s3:DeletObject,lamda:*", "--dry-run", "--", "true"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.err.contains("did you mean `s3:DeleteObject`?") && said.err.contains("`lambda`"), "{said:?}");
    let many: Vec<String> = (0..20).map(|n| format!("s3:GetObject{n}")).collect();
    let said = world.say(&["run", "--allow", &many.join(","), "--dry-run", "--", "true"]);
    assert_eq!(said.err.lines().count(), ACTION_DOUBTS_TOLD_MAX + 1, "{said:?}");
    assert!(said.err.contains(&format!("{} more actions", many.len() - ACTION_DOUBTS_TOLD_MAX)), "{said:?}");
    let said = world.say(&["run", "--allow", "s3:GetObject", "--deny", "s3:Delete*", "--dry-run", "--", "true"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""), "what is right is not warned about");
    let said = world.say(&["why", "s3:GetObjekt", "--allow", "s3:*"]);
    assert!(said.code == 0 && said.err.contains("did you mean `s3:GetObject`?"), "{said:?}");
}

#[test]
fn check_shows_file_line_and_column() {
    let world = World::new();
    world.file("work/good.json", READ);
    world.file("work/broken.json", "{\n  \"Statement\": [\n    {\"Effect\": \"Maybe\"}]}");
    world.file("work/text.json", "{\n  \"Statement\": [,]}");
    world.file(
        "work/odd.json",
        "{\"Version\": \"2012-10-17\", \"Statement\": [\n  {\"Effect\": \"Allow\",\n   \"Action\": \"s3:GetObject\",\n   \
         \"Resource\": \"arn:aws:s3:::data\"}]}",
    );
    let said = world.say(&["policy", "check", "good.json", "broken.json", "text.json", "odd.json"]);
    assert_eq!(said.code, 1, "{said:?}");
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!(lines[0], "good.json: valid");
    assert!(lines[1].starts_with("broken.json:3:16: error[invalid] `Maybe` is neither"), "{said:?}");
    assert!(lines[2].starts_with("text.json:2:17: error[invalid] "), "{said:?}");
    assert!(
        lines[3].starts_with("odd.json:3:14: warning[never-matches] statement 1: `s3:GetObject` works on objects"),
        "{said:?}"
    );
    assert_eq!(world.say(&["policy", "check", "odd.json"]).code, 0);
    assert_eq!(world.say(&["policy", "check", "odd.json", "--strict"]).code, 1);
    assert_eq!(world.say(&["policy", "check", "nowhere.json"]).code, 5);
    let said = world.say(&["policy", "check", "good.json", "nowhere.json", "odd.json"]);
    assert!(said.code == 5 && said.err.contains("nowhere.json"), "{said:?}");
    assert!(
        said.out.contains("good.json: valid") && said.out.contains("odd.json:3:14"),
        "the others are checked: {said:?}"
    );
    assert_eq!(with_stdin(&world, &["policy", "check", "-", "-"], READ).code, 2);
    let literal = READ.replace("data/private/*", "data/${$}{aws:username}");
    assert!(literal.contains("2012-10-17"));
    assert_eq!(
        with_stdin(&world, &["policy", "check", "-"], &literal).out,
        "<stdin>: valid\n",
        "an escape is no variable"
    );
    let variable = READ.replace("data/private/*", "data/${aws:username}").replace("2012-10-17", "2008-10-17");
    assert!(with_stdin(&world, &["policy", "check", "-"], &variable).out.contains("literal-variable"));
    let checked = answer(&with_stdin(&world, &["policy", "check", "-", "--json"], READ));
    assert_eq!(
        checked,
        json!({"schema_version": 1, "valid": true, "files":
        [{"file": "<stdin>", "valid": true, "problems": []}]})
    );
}

#[test]
fn explain_says_every_statement_in_words() {
    let world = World::new();
    let said = with_stdin(&world, &["policy", "explain", "-"], READ);
    assert_eq!(said.code, 0, "{said:?}");
    for line in [
        "Read allows `s3:Get*` on `arn:aws:s3:::data/*`",
        "Keep denies `s3:*` on `arn:aws:s3:::data/private/*`",
        "Home allows `s3:PutObject` on `arn:aws:s3:::data/*`, only when `aws:username` is `alice`",
    ] {
        assert!(said.out.contains(line), "{line}: {said:?}");
    }
    let explained = answer(&with_stdin(&world, &["policy", "explain", "-", "--json"], READ));
    assert_eq!(explained["statements"][1]["effect"], json!("Deny"));
    let said = with_stdin(&world, &["policy", "explain", "-"], "{\"Statement\": 1}");
    assert!(said.code == 2 && said.err.contains("<stdin>:1:"), "{said:?}");
}

#[test]
fn compile_shows_what_sts_would_be_given_and_its_size() {
    let world = World::new();
    let said = world.say(&["policy", "compile", "--allow", "s3:GetObject", "--resource", "s3://data/*"]);
    let sent = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::data/*"}]}"#;
    assert_eq!((said.code, said.out.trim_end()), (0, sent));
    assert!(said.err.starts_with(&format!("{} of 2048 characters", sent.len())), "{said:?}");
    let shown = world.json(&["policy", "compile", "--allow", "s3:GetObject", "--resource", "s3://data/*"]);
    assert_eq!((&shown["policy"], &shown["chars"]), (&json!(sent), &json!(sent.len())));
    let long: Vec<String> = (0..200).map(|n| format!("s3://bucket-{n:03}/*")).collect();
    let mut args = vec!["policy", "compile", "--allow", "s3:GetObject"];
    args.extend(long.iter().flat_map(|resource| ["--resource", resource]));
    let said = world.say(&args);
    assert!(said.code == 2 && said.err.contains("more than the 2048 that STS takes"), "{said:?}");
    assert_eq!(world.say(&["policy", "compile"]).code, 2);
    for (args, code) in [
        (["--partition", "moon"], "policy.partition"),
        (["--policy", r#"{"Statement":{"Effect":"Allow","Action":"sqs:*","Resource":"*"}}"#], "policy.empty"),
    ] {
        let said = world.say(&[["policy", "compile", "--allow", "s3:GetObject"].as_slice(), &args].concat());
        assert!(said.code == 2 && said.err.contains(&format!("[{code}]")), "{code}: {said:?}");
    }
}

#[test]
fn diff_ends_with_one_when_a_policy_allows_more_or_less() {
    let world = World::new();
    world.file("work/old.json", READ);
    let new = READ.replace("s3:Get*", "s3:GetObject").replace("data/private/*", "data/private/keys/*");
    world.file("work/new.json", &new);
    let said = world.say(&["policy", "diff", "old.json", "new.json"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert_eq!(
        said.out,
        "+ no longer denies `s3:*` on `arn:aws:s3:::data/private/*` (Keep)\n\
         - no longer allows `s3:Get*` on `arn:aws:s3:::data/*` (Read)\n"
    );
    let reordered =
        with_stdin(&world, &["policy", "diff", "old.json", "-", "--json"], &READ.replace("s3:Get*", "S3:get*"));
    assert_eq!((reordered.code, &answer(&reordered)["same"]), (0, &json!(true)), "{reordered:?}");
    let said = world.say(&["policy", "diff", "old.json", "new.json", "--json"]);
    assert_eq!(answer(&said)["newly_allowed"][0]["document"], json!("old"));
    assert_eq!(world.say(&["policy", "diff", "-", "-"]).code, 2);

    let narrower = READ.replace("s3:Get*", "s3:GetObject");
    world.file("work/narrower.json", &narrower);
    let gate = |old: &str, new: &str| world.say(&["policy", "diff", "--fail-on", "wider", old, new]).code;
    assert_eq!(gate("old.json", "narrower.json"), 0, "what allows less passes");
    assert_eq!(gate("narrower.json", "old.json"), 1);
    assert_eq!(gate("old.json", "new.json"), 1, "one that also allows less does not pass");
}
