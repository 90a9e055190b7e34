//! `hallpass alias`: how keys come in, what is shown, what is refused.

use std::io::Write;
use std::process::Stdio;

use serde_json::Value;

use crate::cli_world::{Said, World, said};

/// The user's file of a world.
pub(crate) fn config(world: &World) -> String {
    std::fs::read_to_string(world.home().join(".config/hallpass/config.toml")).unwrap_or_default()
}

/// Runs with some stdin and some variables.
pub(crate) fn with(world: &World, args: &[&str], variables: &[(&str, &str)], stdin: &str) -> Said {
    let mut command = world.command(args);
    command.envs(variables.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("starts");
    // Who needs no stdin may have ended already.
    drop(child.stdin.take().expect("stdin").write_all(stdin.as_bytes()));
    said(child.wait_with_output().expect("ends"))
}

/// The one alias of that name in `alias list --json`.
fn listed(world: &World, variables: &[(&str, &str)], name: &str) -> Value {
    let said = with(world, &["alias", "list", "--json"], variables, "");
    assert_eq!(said.code, 0, "{said:?}");
    let all: Value = serde_json::from_str(&said.out).expect("JSON");
    let aliases = all["data"]["aliases"].as_array().expect("a list").clone();
    aliases.into_iter().find(|alias| alias["name"] == name).expect("listed")
}

#[test]
fn alias_set_supports_session_token() {
    let world = World::new();
    let set =
        ["alias", "set", "--no-check", "m", "http://127.0.0.1:9000", "ASIAX", "SeCrEt", "--session-token", "ToKeN"];
    let said = world.say(&set);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(said.err.matches("`ps`").count(), 1, "arguments are visible, and that is said once: {said:?}");
    assert!(config(&world).contains("session_token = \"ToKeN\""), "{}", config(&world));
    let shown = listed(&world, &[], "m");
    assert_eq!((shown["kind"].as_str(), shown["session_token"].as_str()), (Some("temporary"), Some("***REDACTED***")));
}

#[test]
fn static_credentials_work_as_ever_when_the_session_token_is_omitted() {
    let world = World::new();
    world.ok(&["alias", "set", "--no-check", "m", "http://127.0.0.1:9000", "AK", "SeCrEt"]);
    assert!(!config(&world).contains("session_token"), "{}", config(&world));
    let shown = listed(&world, &[], "m");
    assert_eq!((shown["kind"].as_str(), &shown["session_token"]), (Some("static"), &Value::Null));
}

#[test]
fn keys_come_from_stdin_files_and_variables_without_a_warning() {
    let world = World::new();
    let secret = world.file("work/secret", "from-file\n");
    let set = |extra: &[&str], stdin: &str| {
        let variables = [("MY_SECRET", "from-variable"), ("MY_TOKEN", "token-variable")];
        let said = with(&world, &[&["alias", "set", "--no-check", "m", "http://h"], extra].concat(), &variables, stdin);
        assert_eq!(said.code, 0, "{said:?}");
        assert!(!said.err.contains("warning"), "{said:?}");
        config(&world)
    };
    let from_stdin = set(&["--secrets-stdin"], "AK\nfrom-stdin\ntoken-stdin\n");
    assert!(from_stdin.contains("\"from-stdin\"") && from_stdin.contains("\"token-stdin\""), "{from_stdin}");
    let from_file = set(&["AK", "--secret-key-file", secret.to_str().expect("text")], "");
    assert!(from_file.contains("\"from-file\"") && !from_file.contains("session_token"), "{from_file}");
    let from_variable = set(&["AK", "--secret-key-env", "MY_SECRET", "--session-token-env", "MY_TOKEN"], "");
    assert!(from_variable.contains("\"from-variable\"") && from_variable.contains("\"token-variable\""));
}

#[test]
fn without_a_terminal_nobody_is_asked() {
    let world = World::new();
    for args in [&["m", "http://h"][..], &["m", "http://h", "AK"]] {
        let said = world.say(&[&["alias", "set", "--no-check"], args].concat());
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.err.contains("--secrets-stdin"), "{said:?}");
    }
    assert_eq!(config(&world), "");
}

#[test]
fn what_makes_no_sense_is_refused_and_nothing_is_written() {
    let world = World::new();
    for args in [
        &["we ird/n", "http://h", "--anonymous"][..],
        &["aws", "http://h", "--anonymous"],
        &["local", "http://h", "--anonymous"],
        &["m", "h:9000", "--anonymous"],
        &["m", "http://h/bucket", "--anonymous"],
        &["m", "http://u:p@h", "--anonymous"],
        &["m", "http://h", "AK", "S", "--anonymous"],
        &["m", "http://h", "--anonymous", "--session-token", "t"],
        &["m", "http://h", "--profile", "p", "--role", "r"],
        &["m", "http://h", "AK", "S", "--secrets-stdin"],
        &["m", "http://h", "AK", "S", "--expires-at", "2001-01-01T00:00:00Z"],
        &["m", "http://h", "AK", "S", "--path-style", "--virtual-host"],
        &["m", "http://h", "AK", "S", "--region", "a b"],
        &["m", "http://h", "AK", "S S\n"],
    ] {
        let said = world.say(&[&["alias", "set", "--no-check"], args].concat());
        assert_eq!(said.code, 2, "{args:?}: {said:?}");
    }
    assert_eq!(config(&world), "");
}

#[test]
fn a_variable_hides_the_file_and_both_are_listed() {
    let world = World::new();
    world.ok(&["alias", "set", "--no-check", "m", "http://file", "--anonymous"]);
    let variables = [("HALLPASS_HOST_m", "https://AK:s/e+c=@host:9000?session_token=tok"), ("MC_HOST_n", "http://k@h")];
    let said = with(&world, &["alias", "list"], &variables, "");
    let lines: Vec<&str> = said.out.lines().filter(|line| line.starts_with("m ")).collect();
    assert_eq!(lines.len(), 2, "{said:?}");
    assert!(lines[0].contains("HALLPASS_HOST_m") && lines[0].contains("https://host:9000"), "{lines:?}");
    assert!(lines[1].contains("file") && lines[1].contains("shadowed"), "{lines:?}");
    let broken = listed(&world, &variables, "n");
    assert!(broken["broken"].as_str().expect("a reason").contains("secret key"), "{broken}");
    let set = with(&world, &["alias", "set", "--no-check", "m", "http://file", "--anonymous"], &variables, "");
    assert!(set.err.contains("HALLPASS_HOST_m hides"), "{set:?}");
}

#[test]
fn what_is_not_in_the_file_cannot_be_removed() {
    let world = World::new();
    world.ok(&["alias", "set", "--no-check", "m", "http://h", "--anonymous"]);
    assert_eq!(world.say(&["alias", "remove", "nobody"]).code, 5);
    assert_eq!(world.say(&["alias", "remove", "aws"]).code, 6);
    let variable = with(&world, &["alias", "remove", "v"], &[("HALLPASS_HOST_v", "http://h")], "");
    assert!(variable.code == 6 && variable.err.contains("unset HALLPASS_HOST_v"), "{variable:?}");
    assert_eq!(world.say(&["alias", "remove", "m", "nobody"]).code, 5);
    assert!(config(&world).contains("\"m\""), "all or none");
    world.ok(&["alias", "remove", "m"]);
    assert!(!config(&world).contains("\"m\""));
}

#[test]
fn a_failure_has_the_envelope_with_type_code_message_suggestion_and_retryable() {
    let world = World::new();
    let said = world.say(&["alias", "remove", "nobody", "--json"]);
    assert_eq!((said.code, said.out.as_str()), (5, ""));
    let json: Value = serde_json::from_str(&said.err).expect("JSON");
    assert_eq!((json["schema_version"].as_i64(), json["type"].as_str()), (Some(2), Some("alias_remove")));
    let error = &json["error"];
    assert_eq!((error["type"].as_str(), error["code"].as_str()), (Some("not_found"), Some("alias_not_found")));
    assert!(error["message"].is_string() && error["suggestion"].is_string(), "{json}");
    assert_eq!((&error["retryable"], &error["exit_code"]), (&Value::Bool(false), &Value::from(5)));
}

#[test]
fn without_a_home_folder_the_aliases_of_variables_are_there_still() {
    let world = World::new();
    let homeless = |args: &[&str]| {
        let mut command = world.command(args);
        for name in ["HOME", "XDG_CONFIG_HOME", "HALLPASS_CONFIG"] {
            command.env_remove(name);
        }
        crate::cli_world::said(command.env("MC_HOST_v", "http://127.0.0.1:1").output().expect("runs"))
    };
    let listed = homeless(&["alias", "list"]);
    assert!(listed.code == 0 && listed.out.contains("MC_HOST_v") && listed.out.contains("built-in"), "{listed:?}");
    let asked = homeless(&["s3", "ls", "v"]);
    assert!(asked.code == 3 && asked.err.contains("127.0.0.1:1"), "{asked:?}");
    let set = homeless(&["alias", "set", "--no-check", "m", "http://h", "--anonymous"]);
    assert!(set.code == 2 && set.err.contains("no home folder"), "{set:?}");
}
