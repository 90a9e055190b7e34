//! Settings from outside: files, variables, flags, and the words of every mistake.

use crate::cli_world::{World, keys};

const USER: &str = "home/.config/hallpass/config.toml";
const PROJECT: &str = "work/hallpass.toml";

#[test]
fn each_value_is_shown_with_the_place_it_came_from() {
    let world = World::new();
    world.file(USER, "[session]\nttl = \"1h\"\nregion = \"us-east-1\"\n");
    world.file(PROJECT, "[session]\nttl = \"20m\"\n");
    let mut command = world.command(&["config", "show", "--json"]);
    let output = command.env("HALLPASS_DELIVERY", "proxy").output().expect("runs");
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let setting = |key: &str| {
        let all = shown["settings"].as_array().expect("a list");
        let found = all.iter().find(|setting| setting["key"] == key).expect(key);
        (found["value"].clone(), found["layer"].as_str().expect("text").to_owned(), found["origin"].to_string())
    };
    let (value, layer, origin) = setting("session.ttl");
    assert_eq!((value.as_str(), layer.as_str()), (Some("1200s"), "project"));
    assert!(origin.contains("hallpass.toml:2:7"), "{origin}");
    let (value, layer, origin) = setting("session.region");
    assert_eq!((value.as_str(), layer.as_str()), (Some("us-east-1"), "user"));
    assert!(origin.contains("config.toml:3:10"), "{origin}");
    assert_eq!(setting("session.delivery").1, "environment");
    assert_eq!(setting("session.strict").1, "default");
    assert_eq!(
        keys(&shown),
        ["schema_version", "settings", "settings[].key", "settings[].layer", "settings[].origin", "settings[].value",]
    );
    let table = world.ok(&["config", "show", "--origin"]);
    assert!(table.lines().any(|line| line.starts_with("session.ttl ") && line.contains("project ")), "{table}");
}

#[test]
fn the_projects_file_is_found_upward_and_can_be_ignored() {
    let world = World::new();
    world.file(PROJECT, "[session]\nttl = \"5m\"\n");
    std::fs::create_dir_all(world.work().join("a/b")).expect("folders");
    let ttl = |args: &[&str]| {
        let output = world.command(args).current_dir(world.work().join("a/b")).output().expect("runs");
        let text = String::from_utf8(output.stdout).expect("text");
        text.lines().find_map(|line| line.strip_prefix("session.ttl = ").map(str::to_owned)).expect("a ttl")
    };
    assert_eq!(ttl(&["config", "show"]), "300s");
    assert_eq!(ttl(&["config", "show", "--no-project"]), "900s");
}

#[test]
fn flag_and_variable_choose_the_users_file() {
    let world = World::new();
    world.file(USER, "[session]\nregion = \"from-home\"\n");
    let (flag, variable) = (
        world.file("flag.toml", "[session]\nregion = \"from-flag\"\n"),
        world.file("variable.toml", "[session]\nregion = \"from-variable\"\n"),
    );
    let shown =
        |command: &mut std::process::Command| String::from_utf8(command.output().expect("runs").stdout).expect("text");
    assert!(shown(&mut world.command(&["config", "show"])).contains("from-home"));
    assert!(shown(world.command(&["config", "show"]).env("HALLPASS_CONFIG", &variable)).contains("from-variable"));
    let flag = flag.to_str().expect("text");
    let mut both = world.command(&["config", "show", "--config", flag]);
    assert!(shown(both.env("HALLPASS_CONFIG", &variable)).contains("from-flag"));
    let xdg = world.file("xdg/hallpass/config.toml", "[session]\nregion = \"from-xdg\"\n");
    let base = xdg.parent().and_then(|dir| dir.parent()).expect("a folder");
    assert!(shown(world.command(&["config", "show"]).env("XDG_CONFIG_HOME", base)).contains("from-xdg"));
}

#[test]
fn check_reports_every_problem_with_its_place_and_fails() {
    let world = World::new();
    world.file(USER, "[session]\ntll = \"15m\"\nttl = \"1x\"\n[profiles.a]\nallow = [\"s3GetObject\"]\n");
    let said = world.say(&["config", "check", "--json"]);
    assert_eq!(said.code, 2);
    let checked: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(checked["valid"], false);
    let problems = checked["problems"].as_array().expect("a list");
    let places: Vec<_> = problems.iter().map(|p| (p["line"].as_u64(), p["column"].as_u64())).collect();
    assert_eq!(places, [(Some(3), Some(7)), (Some(2), Some(1)), (Some(5), Some(10))]);
    let said = world.say(&["config", "check"]);
    assert!(said.err.contains("did you mean `ttl`?") && said.err.contains("config.toml:2:1"), "{}", said.err);
    world.file(USER, "[session]\nttl = \"1h30m\"\n");
    assert!(world.ok(&["config", "check"]).starts_with("valid"));
}

#[test]
fn a_duration_that_check_accepts_is_accepted_by_run_and_the_other_way_round() {
    let world = World::new();
    for text in ["1h30m", "15m", "90s", "3600", "1.5h", "1h 30m", "15", "0", "13h", "-5m", "5M"] {
        world.file(USER, &format!("[session]\nttl = \"{text}\"\n"));
        let checked = world.say(&["config", "check"]).code == 0;
        let ran = world.say(&[
            "run",
            "--no-project",
            "--config",
            "/dev/null",
            &format!("--ttl={text}"),
            "--",
            "/nonexistent",
        ]);
        let parsed = !ran.err.contains("invalid value");
        assert_eq!(checked, parsed, "{text}: {}", ran.err);
    }
}

#[test]
fn check_reads_the_policy_files_that_profiles_name() {
    let world = World::new();
    world.file(USER, "[profiles.a]\npolicy = \"a.json\"\n");
    let said = world.say(&["config", "check"]);
    assert!(said.code == 2 && said.err.contains("a.json") && said.err.contains("config.policy_file"), "{said:?}");
    world.file("home/.config/hallpass/a.json", "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Maybe\"}]}");
    assert_eq!(world.say(&["config", "check"]).code, 2);
    world.file(
        "home/.config/hallpass/a.json",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#,
    );
    world.ok(&["config", "check"]);
}

#[test]
fn a_hostile_project_stops_every_command_that_would_obey_it() {
    let world = World::new();
    world.file(PROJECT, "[aws]\nsts_endpoint_url = \"https://evil.example\"\n");
    let said = world.say(&["run", "--allow", "s3:GetObject", "--json", "--", "true"]);
    assert_eq!(said.code, 125, "{said:?}");
    assert!(said.err.contains("config.project_may_not_set"), "{said:?}");
    assert_eq!(world.say(&["config", "show"]).code, 2);
    world.ok(&["config", "show", "--no-project"]);
}

#[test]
fn a_pipe_named_like_the_projects_file_does_not_hold_us_up() {
    let world = World::new();
    let status = std::process::Command::new("mkfifo").arg(world.work().join("hallpass.toml")).status().expect("mkfifo");
    assert!(status.success());
    let said = world.say(&["config", "show"]);
    assert!(said.code == 2 && said.err.contains("is not a regular file"), "{said:?}");
}

#[test]
fn the_paths_in_use_are_told() {
    let world = World::new();
    let user = world.file(USER, "");
    let paths = world.json(&["config", "path"]);
    assert_eq!(paths["user"]["path"], user.to_str().expect("text"));
    assert_eq!(paths["user"]["exists"], true);
    assert_eq!(paths["project"], serde_json::Value::Null);
    assert_eq!(paths["state"]["path"], world.state().to_str().expect("text"));
}
