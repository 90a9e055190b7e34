//! The face of the command line: help, completions, manual pages, pipes, and a start that does nothing else.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::cli_world::{World, is_empty};

/// Every command, as the help itself lists them.
fn commands(world: &World, path: &[String]) -> Vec<Vec<String>> {
    let mut args: Vec<&str> = path.iter().map(String::as_str).collect();
    args.push("-h");
    let help = world.ok(&args);
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let mut all = vec![path.to_vec()];
    for line in listed.filter(|line| line.starts_with("  ") && !line.starts_with("   ")) {
        let name = line.split_whitespace().next().expect("a name").to_owned();
        let below: Vec<String> = path.iter().cloned().chain([name]).collect();
        all.extend(commands(world, &below));
    }
    all
}

#[test]
fn the_help_of_every_command_is_as_published() {
    let world = World::new();
    let all = commands(&world, &[]);
    assert!(all.len() > 20, "{all:?}");
    let mut book = String::new();
    for path in &all {
        let args: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
        let help = world.ok(&args);
        // The global options are the same everywhere: once is enough.
        let own = if path.is_empty() { help.as_str() } else { without_globals(&help) };
        let line = format!("$ hallpass {}", args.join(" "));
        book.push_str(&format!("{line}\n{}\n\n", own.trim_end()));
    }
    insta::assert_snapshot!("help", book);
}

fn without_globals(help: &str) -> &str {
    help.split_once("\nGlobal options:").map_or(help, |(before, _)| before)
}

#[test]
fn every_command_shows_examples_and_hides_the_shim() {
    let world = World::new();
    for path in commands(&world, &[]) {
        let args: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
        let help = world.ok(&args);
        assert!(!help.contains("__shim"), "{path:?}");
        let is_group = help.contains("\nCommands:\n") && !path.is_empty();
        assert!(is_group || help.contains("\nExample"), "{path:?} has no examples");
    }
}

#[test]
fn help_as_a_word_says_what_the_flag_says() {
    let world = World::new();
    for (word, flag) in [
        (&["help"][..], &["--help"][..]),
        (&["help", "run"], &["run", "--help"]),
        (&["help", "s3", "cp"], &["s3", "cp", "--help"]),
        (&["alias", "help", "set"], &["alias", "set", "--help"]),
    ] {
        assert_eq!(world.ok(word), world.ok(flag), "{word:?}");
    }
    let unknown = world.say(&["help", "nosuch"]);
    assert!(unknown.code == 2 && unknown.err.contains("`nosuch`"), "{unknown:?}");
}

#[test]
fn help_and_version_touch_nothing() {
    let world = World::new();
    world.file("home/.config/hallpass/config.toml", "this is no TOML");
    for args in [&["--version"][..], &["--help"], &["run", "--help"], &["completions", "bash"], &["man"]] {
        world.ok(args);
    }
    assert_eq!(world.ok(&["--version"]), format!("hallpass {}\n", env!("CARGO_PKG_VERSION")));
    assert!(is_empty(&world.state()));
}

#[test]
fn questions_to_a_fresh_machine_make_no_store() {
    let world = World::new();
    for args in [&["session", "list"][..], &["audit", "list"], &["doctor"], &["config", "show"], &["config", "path"]] {
        world.say(args);
    }
    assert!(is_empty(&world.state()));
    assert!(is_empty(&world.home()));
}

#[test]
fn every_shell_gets_completions() {
    let world = World::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = world.ok(&["completions", shell]);
        assert!(script.contains("HALLPASS_COMPLETE") && script.contains("hallpass"), "{shell}");
        for (words, offered) in [(&["cred"][..], "credential-process"), (&["s3", "find", "--older"], "--older-than")] {
            let mut asks = world.command(&[]);
            asks.env("HALLPASS_COMPLETE", shell).env("_CLAP_COMPLETE_INDEX", words.len().to_string());
            let answer = asks.args(["--", "hallpass"]).args(words).output().expect("runs");
            assert!(String::from_utf8_lossy(&answer.stdout).contains(offered), "{shell}: {answer:?}");
        }
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let world = World::new();
    let page = world.ok(&["man"]);
    for part in ["ENVIRONMENT", "HALLPASS_STATE_DIR", "EXIT STATUS", "124"] {
        assert!(page.contains(part), "{part}");
    }
    assert!(world.ok(&["man", "session", "kill"]).contains("hallpass\\-session\\-kill"));
    assert_eq!(world.say(&["man", "__shim"]).code, 5);
    world.ok(&["man", "--dir", "pages"]);
    let pages: Vec<_> = std::fs::read_dir(world.work().join("pages")).expect("pages").collect();
    assert_eq!(pages.len(), commands(&world, &[]).len());
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let world = World::new();
    for n in 0..40 {
        world.ended(&format!("{n:08}-pipe"), hallpass_core::session::SessionEvent::Complete);
    }
    for args in [&["completions", "bash"][..], &["session", "list", "--json"], &["audit", "export"], &["man"]] {
        let mut child = world.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
        drop(child.stdout.take());
        let stderr = child.stderr.take().expect("stderr");
        let status = child.wait().expect("ends");
        let said: Vec<String> = BufReader::new(stderr).lines().map_while(Result::ok).collect();
        assert!(status.success(), "{args:?}: {status} {said:?}");
        assert!(!said.iter().any(|line| line.contains("error") || line.contains("panic")), "{args:?}: {said:?}");
    }
}

#[test]
fn talk_goes_to_stderr_and_quiet_silences_it() {
    let world = World::new();
    let said = world.say(&["session", "list"]);
    assert_eq!((said.out.as_str(), said.err.as_str()), ("", "no sessions\n"));
    assert_eq!(world.say(&["session", "list", "--quiet"]).err, "");
}

#[test]
fn colour_is_only_where_it_was_asked_for() {
    let world = World::new();
    world.ended("aaaaaaaa-1", hallpass_core::session::SessionEvent::Complete);
    assert!(!world.ok(&["session", "list"]).contains('\u{1b}'));
    assert!(world.ok(&["session", "list", "--color", "always"]).contains('\u{1b}'));
    let no_color = world.command(&["session", "list"]).env("NO_COLOR", "1").output().expect("runs");
    assert!(!no_color.stdout.contains(&0x1b));
}
