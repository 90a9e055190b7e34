//! Attacks of docs/security/threats.md on the process that holds the real credential, by its own child and by another
//! user of the machine. As root the tests take other users' ids; otherwise what needs a second user is left out.

use std::os::unix::fs::chown;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Signal, geteuid};

use crate::kill::members;
use crate::run::world::{KEY, SECRET, World, finish, signal, until};

/// Nobody's ids.
const NOBODY: u32 = 65_534;
const SOMEBODY: u32 = 65_533;

/// The same command as the user `uid`, where we may choose.
fn of_user(uid: u32, command: &Command) -> Command {
    let mut other = if geteuid().is_root() {
        let mut other = Command::new("setpriv");
        other.args([&format!("--reuid={uid}"), &format!("--regid={uid}"), "--clear-groups", "--"]);
        other.arg(command.get_program());
        other
    } else {
        Command::new(command.get_program())
    };
    other.args(command.get_args()).env_clear();
    other.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(folder) = command.get_current_dir() {
        other.current_dir(folder);
    }
    other
}

/// Gives a folder and all in it to a user, where we may.
fn give(path: &Path, uid: u32) {
    if !geteuid().is_root() {
        return;
    }
    chown(path, Some(uid), Some(uid)).expect("root may");
    if path.is_dir() {
        for entry in std::fs::read_dir(path).expect("a folder") {
            give(&entry.expect("an entry").path(), uid);
        }
    }
}

/// What `/proc` would tell of the parent to whoever may trace it.
const LOOK: &str = "for n in environ mem maps auxv; do (exec 3</proc/$PPID/$n; cat <&3 >/dev/null 2>&1; true) \
                    2>/dev/null && echo \"opened $n\"; done; ls /proc/$PPID/fd >/dev/null 2>&1 && echo 'listed fd'; \
                    cat /proc/$PPID/comm; grep '^Max core file size' /proc/$PPID/limits; \
                    grep -c '' /proc/$$/environ >/dev/null && echo 'its own it reads'";

#[test]
fn the_command_reads_nothing_out_of_the_process_that_holds_the_credential() {
    let world = World::new();
    give(&world.path(""), NOBODY);
    // As large as it may be, so that it is hallpass that says none.
    let lend = world.lend(&[], &["sh", "-c", LOOK]);
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", "ulimit -c \"$(ulimit -H -c)\"; exec \"$@\"", "sh"])
        .arg(lend.get_program())
        .args(lend.get_args());
    shell.envs(lend.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.current_dir(lend.get_current_dir().expect("a folder"));
    let done = finish(of_user(NOBODY, &shell));
    let seen = done.stdout_text();
    assert_eq!(done.code, Some(0), "{seen}{}", done.stderr);
    assert!(seen.contains("exe\n") || seen.contains("hallpass\n"), "the parent is another process: {seen}");
    assert!(!seen.contains("opened") && !seen.contains("listed"), "{seen}");
    assert!(seen.ends_with("its own it reads\n"), "{seen}");
    let core = seen.lines().find(|line| line.starts_with("Max core file size")).expect("the limit");
    assert_eq!(core.split_ascii_whitespace().nth(4), Some("0"), "a crash would write memory to disk: {core}");
    assert!(!seen.contains(SECRET) && !seen.contains(KEY), "{seen}");
}

#[test]
fn another_user_of_the_machine_gets_nothing_from_a_session() {
    let world = World::new();
    let mut child = world.lend_client(&[], "requests").spawn().expect("starts");
    let session = world.session();
    let pid = until("the child runs", || members(&session).first().copied());
    let environment = std::fs::read(format!("/proc/{pid}/environ")).expect("our own child");
    let value = |name: &str| {
        let pairs = environment.split(|b| *b == 0).filter_map(|pair| std::str::from_utf8(pair).ok());
        pairs.filter_map(|pair| pair.strip_prefix(&format!("{name}="))).next().expect(name).to_owned()
    };
    let (gate, config) = (value("AWS_ENDPOINT_URL"), value("AWS_CONFIG_FILE"));
    let private = Path::new(&config).parent().expect("a folder").to_str().expect("text").to_owned();
    let other = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).env("PATH", "/usr/local/bin:/usr/bin:/bin").stdin(Stdio::null());
        finish(of_user(SOMEBODY, &command))
    };
    for path in ["", "/", "/lent/a", "/health", "/metrics", "/latest/meta-data/"] {
        let answer = other("curl", &["-s", "-m", "10", "-i", &format!("{gate}{path}")]);
        let text = answer.stdout_text();
        assert!(text.starts_with("HTTP/1.1 403"), "{path}: {text}{}", answer.stderr);
        assert!(!text.contains(SECRET) && !text.contains(KEY) && !text.contains(&session), "{path}: {text}");
    }
    if geteuid().is_root() {
        let keeper = child.id();
        for (program, arguments) in [
            ("ls", vec![private.clone()]),
            ("cat", vec![config]),
            ("cat", vec![format!("/proc/{keeper}/environ")]),
            ("cat", vec![format!("/proc/{pid}/environ")]),
            ("curl", vec!["-s".into(), "--unix-socket".into(), format!("{private}/control"), "http://x/".into()]),
        ] {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let done = other(program, &arguments);
            assert_ne!(done.code, Some(0), "{program} {arguments:?}: {}", done.stdout_text());
            assert!(done.stdout.is_empty(), "{program} {arguments:?}: {}", done.stdout_text());
        }
    }
    signal(child.id(), Signal::TERM);
    child.wait().expect("reaped");
    assert!(world.upstream.requests() > 0, "the session worked meanwhile");
}
