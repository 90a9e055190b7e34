//! `hallpass run` as its users meet it: what goes through, what stays out, what is left behind.

pub(crate) mod client;
pub(crate) mod world;

use std::collections::BTreeSet;
use std::io::Write;
use std::process::Stdio;

use hallpass_core::limits::SETTLE_GRACE_S_MAX;
use world::{KEY, World, finish, wait};

#[test]
fn a_request_of_the_child_is_signed_with_the_real_key_and_recorded_first() {
    let world = World::new();
    let done = finish(world.lend_client(&[], "get"));
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(world.report().contains(&"200".to_owned()), "{:?}", world.report());
    assert_eq!(world.upstream.keys(), BTreeSet::from([KEY.to_owned()]));
    let kinds: Vec<String> = world.events().iter().map(|e| e["type"].as_str().unwrap_or_default().to_owned()).collect();
    let story: Vec<&str> = kinds.iter().map(String::as_str).filter(|kind| *kind != "log_opened").collect();
    let expected = [
        "session_created",
        "credentials_issued",
        "session_activated",
        "request_allowed",
        "request_settled",
        "session_ended",
    ];
    assert_eq!(story, expected);
    assert_eq!(world.only_status(), "completed");
}

#[test]
fn what_the_session_may_not_do_never_reaches_the_upstream() {
    let world = World::new();
    let done = finish(world.lend_client(&["--deny", "s3:GetObject"], "get"));
    assert_eq!(done.code, Some(125), "a session that may do nothing was started: {}", done.stderr);
    assert_eq!(world.upstream.requests(), 0);
    let narrow = World::new();
    finish(narrow.lend_client(&["--resource", "arn:aws:s3:::other/*"], "get"));
    assert_eq!(narrow.report().last().map(String::as_str), Some("403 not-allowed"), "{:?}", narrow.report());
    assert_eq!(narrow.upstream.requests(), 0);
    assert_eq!(narrow.events_of("request_denied").len(), 1);
}

#[test]
fn what_was_refused_is_said_at_the_end_because_a_tool_may_not_have_said_it() {
    let world = World::new();
    let run = |flags: &[&str]| {
        let mut command = world.hallpass(&["run", "--allow", "s3:GetObject"]);
        command.args(flags).arg("--").args(client::command());
        command.env(client::TASK, "get").env(client::REPORT, world.path("report")).stdout(Stdio::null());
        finish(command).stderr
    };
    let narrow = ["--resource", "arn:aws:s3:::other/*"];
    let said = run(&narrow);
    let line = said.lines().last().expect("a line");
    assert!(line.starts_with("hallpass: 1 request was refused: `s3:GetObject` is not allowed on "), "{said}");
    assert!(line.contains("`hallpass session report "), "{said}");
    assert!(!run(&[]).contains("refused"), "nothing was refused");
    assert!(!run(&["-q", narrow[0], narrow[1]]).contains("refused"), "quiet is quiet");
}

#[test]
fn nothing_of_ours_ever_goes_to_stdout_and_bytes_pass_unchanged() {
    let world = World::new();
    let script = "printf '\\000\\377\\n\\r\\033[0m'; printf err >&2";
    // Not even with the banner and the warnings on.
    let mut loud = world.hallpass(&["run", "--allow", "s3:GetObject", "--", "sh", "-c", script]);
    loud.stdout(Stdio::piped()).stderr(Stdio::piped());
    let done = wait(loud.spawn().expect("starts"));
    assert_eq!(done.stdout, b"\x00\xff\n\r\x1b[0m");
    assert!(done.stderr.contains("hallpass: session") && done.stderr.ends_with("err"), "{}", done.stderr);
    let quiet = finish(world.lend(&[], &["sh", "-c", script]));
    assert_eq!((quiet.stdout.as_slice(), quiet.stderr.as_str()), (b"\x00\xff\n\r\x1b[0m".as_slice(), "err"));
}

#[test]
fn a_pipeline_streams_through_and_a_closed_pipe_ends_it() {
    let world = World::new();
    let mut command = world.lend(&[], &["cat"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("starts");
    let mut input = child.stdin.take().expect("piped");
    let mut output = child.stdout.take().expect("piped");
    for line in ["first\n", "second\n"] {
        input.write_all(line.as_bytes()).expect("written");
        let mut back = vec![0; line.len()];
        // The answer comes before the next question: nothing is held back until the end.
        std::io::Read::read_exact(&mut output, &mut back).expect("read");
        assert_eq!(back, line.as_bytes());
    }
    drop(input);
    assert_eq!(wait(child).code, Some(0));
    // `yes` gets SIGPIPE, as it would without us: 128 + 13.
    let mut endless = world.lend(&[], &["yes"]);
    endless.stdout(Stdio::piped());
    let mut child = endless.spawn().expect("starts");
    drop(child.stdout.take());
    assert_eq!(wait(child).code, Some(141));
}

#[test]
fn the_child_inherits_no_descriptor_of_ours() {
    let world = World::new();
    let numbers = |text: String| text.lines().map(str::to_owned).collect::<BTreeSet<String>>();
    let with = finish(world.lend(&[], &["ls", "/proc/self/fd"])).stdout_text();
    // What the caller of this test leaves open is open in both.
    let mut plain = std::process::Command::new("/bin/ls");
    plain.arg("/proc/self/fd").stdin(Stdio::null());
    let without = finish(plain).stdout_text();
    assert!(numbers(without.clone()).is_superset(&["0", "1", "2"].map(str::to_owned).into()), "{without}");
    assert_eq!(numbers(with), numbers(without));
}

#[test]
fn a_descriptor_that_the_caller_gives_reaches_the_child() {
    let world = World::new();
    std::fs::write(world.path("work/gift"), "given").expect("written");
    let own = env!("CARGO_BIN_EXE_hallpass");
    let script = format!("exec 3<gift; exec {own} run -q --allow s3:GetObject -- sh -c 'cat <&3'");
    let mut command = std::process::Command::new("/bin/sh");
    command.args(["-c", &script]).env_clear().envs(world.variables()).current_dir(world.path("work"));
    let done = finish(command);
    assert_eq!(done.stdout_text(), "given", "{}", done.stderr);
}

#[test]
fn a_dry_run_refuses_what_the_run_would() {
    let world = World::new();
    let dry = |flags: &[&str]| {
        let all = [&["run", "--dry-run", "--json", "--allow", "s3:Get*"], flags, &["--", "true"]].concat();
        let done = finish(world.hallpass(&all));
        (done.code, done.stderr)
    };
    for delivery in ["env", "file", "credential-endpoint"] {
        let (code, said) = dry(&["--delivery", delivery]);
        assert!(code == Some(77) && said.contains("delivery.not_enforced"), "{delivery}: {said}");
    }
    let store = ["--provider", "s3", "--endpoint", "http://127.0.0.1:9"];
    let role = ["--role", "arn:aws:iam::111122223333:role/agent"];
    let (code, said) = dry(&[&store[..], &role].concat());
    assert!(code == Some(125) && said.contains("no roles"), "{said}");
    let (code, said) = dry(&[&["--delivery", "env"][..], &role].concat());
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn a_dry_run_shows_and_does_nothing() {
    let world = World::new();
    let done = finish(world.hallpass(&["run", "--dry-run", "--json", "--allow", "s3:Get*", "--", "touch", "made"]));
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let shown: serde_json::Value = serde_json::from_slice(&done.stdout).expect("json");
    assert_eq!(shown["session"]["policy"]["actions"][0]["action"], "Get*");
    let removed = shown["variables_removed"].as_array().expect("a list");
    assert!(removed.iter().any(|v| v["name"] == "AWS_SECRET_ACCESS_KEY"), "{removed:?}");
    assert!(!done.stdout_text().contains(world::SECRET));
    assert!(!world.path("work/made").exists(), "it ran");
    assert!(!world.path("state/hallpass.db").exists() && world.upstream.requests() == 0);
}

#[test]
fn a_session_inside_a_session_borrows_through_the_outer_one_or_not_at_all() {
    let world = World::new();
    let own = env!("CARGO_BIN_EXE_hallpass");
    let client = client::command();
    let inner = format!(
        "HALLPASS_STATE_DIR={} {own} run -q --allow s3:GetObject,s3:PutObject -- {}",
        world.path("inner").display(),
        client.join(" ")
    );
    let mut command = world.lend(&[], &["sh", "-c", &inner]);
    command.env(client::TASK, "get").env(client::REPORT, world.path("report")).stdout(Stdio::null());
    let done = finish(command);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(world.report().contains(&"200".to_owned()), "{:?}", world.report());
    assert_eq!(world.events_of("request_allowed").len(), 1, "the outer session did not see it");
    let past = format!("{own} run -q --role arn:aws:iam::111122223333:role/x --allow s3:GetObject -- true");
    let refused = finish(world.lend(&[], &["sh", "-c", &past]));
    assert_eq!(refused.code, Some(125));
    assert!(refused.stderr.contains("inside session"), "{}", refused.stderr);
}

#[test]
fn what_is_in_flight_when_the_command_ends_delays_the_end_only_a_little() {
    let world = World::new();
    let client = client::command().join(" ");
    let mut command = world.lend(&[], &["sh", "-c", &format!("setsid {client} >/dev/null 2>&1 & sleep 2; exit 6")]);
    command.env(client::TASK, "stream").env(client::REPORT, world.path("report"));
    let begun = std::time::Instant::now();
    let done = finish(command);
    assert_eq!(done.code, Some(6), "{}", done.stderr);
    assert!(begun.elapsed() < std::time::Duration::from_secs(2 + SETTLE_GRACE_S_MAX + 5), "{:?}", begun.elapsed());
    // The download that was left behind is cut with the session.
    world::until("it is cut", || world.report().contains(&"cut".to_owned()).then_some(()));
    assert_eq!(world.events_of("request_settled").len(), 1);
    for pid in crate::kill::members(&world.session()) {
        world::signal(pid, rustix::process::Signal::KILL);
    }
}

#[test]
fn killed_at_any_step_of_its_life_a_session_leaves_no_child_and_a_repaired_record() {
    let steps = ["run::created", "run::issued", "run::delivered", "run::activated", "run::spawned", "run::ended"];
    for step in steps {
        let world = World::new();
        let mut command = world.lend(&[], &["sh", "-c", "echo $HALLPASS_SESSION_ID > id; sleep 1"]);
        let status = command.env("HALLPASS_FAIL", step).status().expect("starts");
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "{step} was not reached");
        let id = std::fs::read_to_string(world.path("work/id")).unwrap_or_default();
        if !id.is_empty() && step != "run::ended" {
            world::until("the child dies with it", || crate::kill::members(id.trim()).is_empty().then_some(()));
        }
        let next = finish(world.hallpass(&["session", "list", "--json"]));
        assert_eq!(next.code, Some(0), "{step}: {}", next.stderr);
        let expected = if step == "run::ended" { "completed" } else { "failed" };
        assert_eq!(world.only_status(), expected, "{step}");
        world.events();
    }
}

#[test]
fn the_private_folder_is_gone_after_the_session_and_after_a_killed_one_with_the_next_start() {
    let world = World::new();
    let done = finish(world.lend(&[], &["sh", "-c", "test -f \"$KUBECONFIG\" && test ! -s \"$KUBECONFIG\""]));
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let left = || {
        let mut found = Vec::new();
        for root in std::fs::read_dir(world.path("runtime/hallpass")).expect("the root") {
            let sessions = std::fs::read_dir(root.expect("entry").path()).expect("sessions");
            found.extend(sessions.map(|s| s.expect("entry").file_name()));
        }
        found
    };
    assert!(left().is_empty(), "{:?}", left());
    let mut killed = world.lend_client(&[], "requests").spawn().expect("starts");
    world.session();
    world::signal(killed.id(), rustix::process::Signal::KILL);
    killed.wait().expect("reaped");
    assert_eq!(left().len(), 1, "SIGKILL leaves it");
    finish(world.lend(&[], &["true"]));
    assert!(left().is_empty(), "{:?}", left());
}
