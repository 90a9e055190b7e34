//! The file that aliases live in: beside the settings, many writers, any crash, every older version.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::alias::config;
use crate::cli_world::World;

#[test]
fn of_100_parallel_alias_set_none_is_lost() {
    let world = World::new();
    let start = |n: usize| {
        let name = format!("a{n}");
        let mut command = world.command(&["alias", "set", "--no-check", &name, "http://h", "--anonymous", "--quiet"]);
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("starts")
    };
    let children: Vec<_> = (0..100).map(start).collect();
    for child in children {
        let output = child.wait_with_output().expect("ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let text = config(&world);
    let missing: Vec<_> = (0..100).filter(|n| !text.contains(&format!("name = \"a{n}\"\n"))).collect();
    assert!(missing.is_empty(), "lost: {missing:?}");
}

#[test]
fn kill_9_during_a_write_leaves_the_old_file_or_the_new_one() {
    let world = World::new();
    world.ok(&["alias", "set", "--no-check", "first", "http://h", "AK", "secret"]);
    let whole = |name: &str| {
        let text = config(&world);
        assert!(text.contains("name = \"first\"") && text.ends_with('\n'), "{text}");
        text.contains(&format!("name = \"{name}\""))
    };
    let mut done = 0;
    for round in 0..60_u64 {
        let name = format!("k{round}");
        let mut command = world.command(&["alias", "set", "--no-check", &name, "http://h", "--anonymous"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
        std::thread::sleep(Duration::from_micros(250 * round));
        // One that has ended already is as good.
        drop(child.kill());
        child.wait().expect("ends");
        done += u32::from(whole(&name));
        world.ok(&["alias", "list"]);
    }
    world.ok(&["alias", "set", "--no-check", "last", "http://h", "--anonymous"]);
    assert!(whole("last"), "a killed writer locks nobody out (of 60 writes {done} were done)");
    let left = std::fs::read_dir(world.home().join(".config/hallpass")).expect("a folder");
    let names: Vec<_> = left.map(|entry| entry.expect("an entry").file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().contains(".new")), "{names:?}");
}

#[test]
fn settings_and_aliases_share_the_users_file_and_a_project_may_have_none() {
    let world = World::new();
    let own = "# mine\n[session]\nttl = \"7m\" # short\n";
    world.file("home/.config/hallpass/config.toml", own);
    world.ok(&["alias", "set", "--no-check", "m", "http://h", "--anonymous"]);
    let text = config(&world);
    assert!(own.lines().all(|line| text.contains(line)), "{text}");
    let shown = world.ok(&["config", "show"]);
    assert!(shown.contains("session.ttl = "), "{shown}");
    world.ok(&["config", "check"]);
    world.file("work/hallpass.toml", "[[aliases]]\nname = \"evil\"\ncredential_process = \"touch /tmp/x\"\n");
    let refused = world.say(&["config", "check"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("`aliases` may stand only in your own configuration"), "{refused:?}");
    assert!(!world.ok(&["alias", "list"]).contains("evil"));
}

#[test]
fn config_check_names_an_alias_that_cannot_be_used() {
    let world = World::new();
    let text = "[[aliases]]\nname = \"bad\"\nendpoint = \"http://h\"\nacces_key = \"AK\"\nsecret_key = \"canary\"\n";
    world.file("home/.config/hallpass/config.toml", text);
    let said = world.say(&["config", "check"]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.err.contains("alias `bad`") && said.err.contains("write `access_key`"), "{said:?}");
    assert!(!said.err.contains("canary"), "{said:?}");
}

#[test]
fn config_changes_bump_the_schema_version_and_older_files_load() {
    for (version, text) in [
        ("none", "[session]\nttl = \"7m\"\n".to_owned()),
        ("1", "schema_version = 1\n".to_owned()),
        (
            "rc",
            "schema_version = 1\n\n[defaults]\noutput = \"human\"\n\n[[aliases]]\nname = \"old\"\nendpoint = \
             \"http://127.0.0.1:9000\"\naccess_key = \"AK\"\nsecret_key = \"SK\"\nregion = \"r1\"\n\
             bucket_lookup = \"path\"\nanonymous = false\n"
                .to_owned(),
        ),
    ] {
        let world = World::new();
        let path = world.file("home/.config/hallpass/config.toml", &text);
        let listed = world.json(&["alias", "list"]);
        if version == "rc" {
            let old = &listed["data"]["aliases"][0];
            assert_eq!((old["name"].as_str(), old["addressing"].as_str()), (Some("old"), Some("path")), "{listed}");
        }
        assert_eq!(config(&world), text, "reading migrates nothing on disk");
        world.ok(&["alias", "set", "--no-check", "m", "http://h", "AK", "SK", "--session-token", "T"]);
        assert!(config(&world).contains("schema_version = 2"), "{version}: {}", config(&world));
        let backup = path.with_file_name("config.toml.v1.bak");
        assert_eq!(std::fs::read_to_string(backup).expect("a backup"), text, "{version}");
    }
}

#[test]
fn a_newer_file_is_refused_by_alias_commands_and_not_touched() {
    let world = World::new();
    let text = "schema_version = 3\n";
    world.file("home/.config/hallpass/config.toml", text);
    for args in [
        &["alias", "list"][..],
        &["alias", "set", "--no-check", "m", "http://h", "--anonymous"],
        &["alias", "remove", "m"],
    ] {
        let said = world.say(args);
        assert_eq!(said.code, 7, "{said:?}");
        assert!(said.err.contains("schema_version 3") && said.err.contains("newer hallpass"), "{said:?}");
    }
    assert_eq!(config(&world), text);
    world.ok(&["config", "show"]);
}

#[test]
fn the_lock_and_the_file_are_where_the_config_flag_says() {
    let world = World::new();
    let own = world.work().join("own.toml");
    let own = own.to_str().expect("text");
    world.ok(&["--config", own, "alias", "set", "--no-check", "m", "http://h", "--anonymous"]);
    assert!(world.ok(&["--config", own, "alias", "list"]).contains("http://h"));
    assert_eq!(config(&world), "");
    let status = Command::new("stat").args(["-c", "%a", own]).output().expect("stat");
    assert_eq!(String::from_utf8_lossy(&status.stdout).trim(), "600");
}

#[test]
fn a_file_that_was_named_and_is_not_there_is_no_empty_one() {
    let world = World::new();
    let commands: [&[&str]; 4] =
        [&["alias", "list"], &["alias", "remove", "x"], &["s3", "ls", "x/b"], &["s3", "which", "aws/b"]];
    for args in commands {
        let said = world.say(&[&["--config", "nowhere.toml"], args].concat());
        assert_eq!(said.code, 2, "{args:?}: {said:?}");
        assert!(said.err.contains("nowhere.toml is not there [config.not_found]\nnext: "), "{args:?}: {said:?}");
    }
}
