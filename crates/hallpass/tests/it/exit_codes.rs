//! The exit status of `hallpass run`, its signals and its time: the tables that the help promises.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::run::world::{World, finish, runs, signal, until, wait};

#[test]
fn the_status_is_the_childs_own_or_says_why_there_was_no_child() {
    let table: &[(&str, &[&str], &[&str], i32)] = &[
        ("success", &[], &["true"], 0),
        ("failure", &[], &["false"], 1),
        ("a code", &[], &["sh", "-c", "exit 42"], 42),
        ("the largest code", &[], &["sh", "-c", "exit 255"], 255),
        ("a code that looks like ours", &[], &["sh", "-c", "exit 125"], 125),
        ("KILL", &[], &["sh", "-c", "kill -KILL $$"], 137),
        ("TERM", &[], &["sh", "-c", "kill -TERM $$"], 143),
        ("SEGV", &[], &["sh", "-c", "ulimit -c 0; kill -SEGV $$"], 139),
        ("not found", &[], &["no-such-command-anywhere"], 127),
        ("not found by path", &[], &["./no-such-file"], 127),
        ("a file that is no program", &[], &["/etc/passwd"], 126),
        ("a folder", &[], &["/etc"], 126),
        ("a bad policy", &["--allow", "s3"], &["true"], 125),
        ("a bad duration", &["--ttl", "x"], &["true"], 125),
        ("a life of more than the most", &["--ttl", "13h"], &["true"], 125),
        ("an unknown profile", &["--profile", "none"], &["true"], 125),
        ("an unknown flag", &["--frobnicate"], &["true"], 125),
        ("a delivery that the cloud does not enforce", &["--delivery", "env"], &["true"], 77),
        ("a budget", &["--budget", "5"], &["true"], 0),
        ("no budget at all", &["--budget", "NaN"], &["true"], 125),
        ("another cloud", &["--provider", "gcp"], &["true"], 7),
    ];
    let world = World::new();
    for (what, flags, child, expected) in table {
        let done = finish(world.lend(flags, child));
        assert_eq!(done.code, Some(*expected), "{what}: {}", done.stderr);
        assert!(done.stdout.is_empty(), "{what}: {}", done.stdout_text());
    }
}

#[test]
fn a_session_that_could_not_start_is_recorded_as_failed_and_never_as_active() {
    let world = World::new();
    let mut command = world.lend(&["--role", "arn:aws:iam::111122223333:role/x"], &["true"]);
    // Nothing listens there, so the role cannot be assumed.
    command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    assert_eq!(finish(command).code, Some(125));
    assert_eq!(world.only_status(), "failed");
    assert_eq!(world.events_of("session_ended").len(), 1);
}

/// A child that notes each signal, and says when it listens.
fn noting(signals: &[&str], ending: &str) -> String {
    let traps: Vec<String> = signals.iter().map(|s| format!("trap 'echo {s} >> got' {s}; ")).collect();
    format!("{}{ending} echo ready > ready; i=0; while [ $i -lt 400 ]; do sleep 0.05; i=$((i+1)); done", traps.concat())
}

fn got(world: &World) -> Vec<String> {
    let text = std::fs::read_to_string(world.path("work/got")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Whoever started the tests may ignore signals (`nohup`, a shell's background job), and then so do we and the child.
fn with_default_signals(command: &Command) -> Command {
    let mut wrapped = Command::new("env");
    wrapped.arg("--default-signal=HUP,INT,QUIT,USR1,USR2").arg(command.get_program()).args(command.get_args());
    wrapped.env_clear().stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        wrapped.env(name, value.unwrap_or_default());
    }
    if let Some(folder) = command.get_current_dir() {
        wrapped.current_dir(folder);
    }
    wrapped
}

fn ready(world: &World) {
    until("the child listens", || world.path("work/ready").exists().then_some(()));
}

#[test]
fn each_signal_reaches_the_child_exactly_once() {
    for (name, number) in [
        ("INT", Signal::INT),
        ("HUP", Signal::HUP),
        ("QUIT", Signal::QUIT),
        ("USR1", Signal::USR1),
        ("USR2", Signal::USR2),
    ] {
        let world = World::new();
        let script = noting(&[name], "trap 'exit 7' TERM;");
        let child = with_default_signals(&world.lend(&[], &["sh", "-c", &script])).spawn().expect("starts");
        ready(&world);
        signal(child.id(), number);
        until("the signal arrives", || (!got(&world).is_empty()).then_some(()));
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(got(&world), [name]);
        signal(child.id(), Signal::TERM);
        assert_eq!(wait(child).code, Some(7), "{name}");
    }
}

#[test]
fn term_is_passed_on_once_even_through_a_session_inside_a_session() {
    let world = World::new();
    // It lives on for a while after the first, so that a second is heard.
    let script = "trap 'echo TERM >> got; left=50' TERM; left=1000; echo ready > ready; \
                  while [ $left -gt 0 ]; do sleep 0.02; left=$((left-1)); done; exit 9";
    let own = env!("CARGO_BIN_EXE_hallpass");
    std::fs::write(world.path("work/child.sh"), script).expect("written");
    let inner = format!(
        "export HALLPASS_STATE_DIR={}; exec {own} run -q --allow s3:GetObject -- sh child.sh",
        world.path("inner").display()
    );
    let child = world.lend(&[], &["sh", "-c", &inner]).spawn().expect("starts");
    ready(&world);
    signal(child.id(), Signal::TERM);
    assert_eq!(wait(child).code, Some(9));
    assert_eq!(got(&world), ["TERM"]);
}

#[test]
fn a_child_that_ignores_term_is_killed_after_the_grace() {
    let world = World::new();
    let script = noting(&[], "trap '' TERM;");
    let child = world.lend(&["--grace", "1s"], &["sh", "-c", &script]).spawn().expect("starts");
    ready(&world);
    let begun = Instant::now();
    signal(child.id(), Signal::TERM);
    assert_eq!(wait(child).code, Some(137));
    let took = begun.elapsed();
    assert!(took >= Duration::from_secs(1) && took < Duration::from_secs(8), "{took:?}");
}

#[test]
fn what_was_ignored_before_us_stays_ignored() {
    let world = World::new();
    let own = env!("CARGO_BIN_EXE_hallpass");
    // As `nohup` does it. The shell's own trap would be reset, an ignored signal is inherited.
    let script = format!("trap '' HUP; exec {own} run -q --allow s3:GetObject -- sh -c 'kill -HUP $$; echo alive'");
    let mut shell = std::process::Command::new("/bin/sh");
    shell.args(["-c", &script]).env_clear().envs(world.variables()).current_dir(world.path("work"));
    let done = finish(shell);
    assert_eq!((done.code, done.stdout_text().as_str()), (Some(0), "alive\n"), "{}", done.stderr);
}

#[test]
fn time_ends_the_child_as_the_table_says() {
    let world = World::new();
    let ignoring = noting(&[], "trap '' TERM;");
    let table: &[(&str, &[&str], &str, i32, &str)] = &[
        ("a child that ends in time", &["--ttl", "60s"], "exit 3", 3, "completed"),
        ("a child that obeys", &["--ttl", "3s"], "sleep 30", 124, "expired"),
        ("a child that does not", &["--ttl", "3s", "--grace", "1s"], &ignoring, 124, "expired"),
        ("its grandchildren too", &["--ttl", "3s"], "(setsid sleep 30 &); sleep 30", 124, "expired"),
        ("a child that may stay", &["--ttl", "3s", "--on-expiry", "refuse"], "sleep 4; exit 5", 5, "expired"),
    ];
    for (what, flags, script, code, status) in table {
        let begun = Instant::now();
        let done = finish(world.lend(flags, &["sh", "-c", script]));
        assert_eq!(done.code, Some(*code), "{what}: {}", done.stderr);
        assert!(begun.elapsed() < Duration::from_secs(12), "{what} took {:?}", begun.elapsed());
        let newest = finish(world.hallpass(&["session", "list", "--json"])).stdout_text();
        let at = newest.find("\"status\"").expect("a session");
        assert!(
            newest[at..].starts_with(&format!("\"status\":\"{status}\""))
                || newest[at..].starts_with(&format!("\"status\": \"{status}\"")),
            "{what}: {newest}"
        );
    }
}

#[test]
fn after_its_time_a_child_that_may_stay_is_refused() {
    let world = World::new();
    let mut child = world.lend_client(&["--ttl", "3s", "--on-expiry", "refuse"], "requests").spawn().expect("starts");
    until("it is refused", || world.report().iter().any(|line| line.ends_with("expired")).then_some(()));
    let lines = world.report();
    let first = lines.iter().position(|line| line.ends_with("expired")).expect("refused");
    assert!(lines[1..first].iter().all(|line| line == "200"), "{lines:?}");
    assert!(lines[first..].iter().all(|line| line.ends_with("expired")), "{lines:?}");
    assert!(child.try_wait().expect("ours").is_none(), "it was ended");
    signal(child.id(), Signal::TERM);
    child.wait().expect("reaped");
}

#[test]
fn sigkill_of_hallpass_ends_the_child_and_the_next_start_repairs_the_record() {
    let world = World::new();
    let mut command = world.lend(&[], &["sh", "-c", "echo $$ > pid; echo ready > ready; exec sleep 60"]);
    let mut child = command.stdout(Stdio::null()).spawn().expect("starts");
    ready(&world);
    let pid = std::fs::read_to_string(world.path("work/pid")).expect("pid").trim().parse().expect("a number");
    assert!(runs(pid));
    signal(child.id(), Signal::KILL);
    child.wait().expect("reaped");
    until("the child dies with it", || (!runs(pid)).then_some(()));
    assert_eq!(finish(world.lend(&[], &["true"])).code, Some(0));
    let listed = finish(world.hallpass(&["session", "list", "--json"])).stdout_text();
    assert!(listed.contains("failed") && listed.contains("completed") && !listed.contains("active"), "{listed}");
    world.events();
}
