//! `hallpass doctor`: what it finds, and that finding it changes nothing.

use std::os::unix::fs::PermissionsExt;

use hallpass_core::session::SessionEvent;
use serde_json::Value;

use crate::cli_world::{World, keys, said};

fn check(examined: &Value, name: &str) -> (String, String) {
    let all = examined["checks"].as_array().expect("a list");
    let found = all.iter().find(|check| check["name"] == name).unwrap_or(&Value::Null);
    let text = |field: &str| found[field].as_str().unwrap_or_default().to_owned();
    (text("status"), text("detail"))
}

fn examined(world: &World) -> (i32, Value) {
    let said = world.say(&["doctor", "--json"]);
    (said.code, serde_json::from_str(&said.out).expect("JSON"))
}

#[test]
fn a_fresh_machine_is_healthy_and_told_to_sign_in() {
    let (code, examined) = examined(&World::new());
    assert_eq!((code, examined["healthy"].as_bool()), (0, Some(true)));
    assert_eq!(check(&examined, "base credential").0, "warn");
    assert_eq!(check(&examined, "ambient").0, "ok");
    let shape = ["checks", "checks[].detail", "checks[].name", "checks[].next_step", "checks[].status"];
    assert_eq!(keys(&examined), [&shape[..], &["healthy", "schema_version"]].concat());
}

#[test]
fn credentials_in_the_environment_are_named_but_not_shown() {
    let world = World::new();
    let mut command = world.command(&["doctor", "--json"]);
    command.env("AWS_ACCESS_KEY_ID", "AKIACANARY").env("AWS_SECRET_ACCESS_KEY", "canary-secret");
    let said = said(command.output().expect("runs"));
    assert!(!said.out.contains("canary-secret") && !said.out.contains("AKIACANARY"), "{}", said.out);
    let examined: Value = serde_json::from_str(&said.out).expect("JSON");
    let (status, detail) = check(&examined, "ambient");
    assert!(status == "warn" && detail.contains("AWS_SECRET_ACCESS_KEY"), "{status} {detail}");
    assert_eq!(check(&examined, "base credential").0, "ok");
    let mut half = world.command(&["doctor"]);
    assert_eq!(half.env("AWS_ACCESS_KEY_ID", "AKIACANARY").output().expect("runs").status.code(), Some(1));
}

#[test]
fn a_state_folder_that_others_can_change_fails() {
    let world = World::new();
    world.ended("aaaaaaaa-1", SessionEvent::Complete);
    assert_eq!(check(&examined(&world).1, "state folder").0, "ok");
    for (mode, expected) in [(0o755, "warn"), (0o777, "fail")] {
        std::fs::set_permissions(world.state(), PermissionsExt::from_mode(mode)).expect("permissions");
        assert_eq!(check(&examined(&world).1, "state folder").0, expected, "{mode:o}");
    }
    assert_eq!(examined(&world).0, 1);
}

#[test]
fn a_wrong_configuration_fails() {
    let world = World::new();
    world.file("work/hallpass.toml", "[aws]\nprofile = \"x\"\n");
    let (code, examined) = examined(&world);
    assert_eq!((code, check(&examined, "config").0.as_str()), (1, "fail"));
}

#[test]
fn a_session_without_its_keeper_is_reported_and_left_as_it_is() {
    let world = World::new();
    world.lost("dead-keeper");
    for _ in 0..2 {
        let (code, examined) = examined(&world);
        let (status, detail) = check(&examined, "sessions");
        assert_eq!((code, status.as_str()), (0, "warn"), "{detail}");
        assert!(detail.starts_with("1 of 1 "), "{detail}");
    }
}

#[test]
fn an_edited_end_of_the_log_is_noticed_at_once() {
    let world = World::new();
    world.ended("aaaaaaaa-1", SessionEvent::Complete);
    assert_eq!(check(&examined(&world).1, "audit log").0, "ok");
    world.edit_log(b"the command ended");
    let (code, examined) = examined(&world);
    assert_eq!((code, check(&examined, "audit log").0.as_str()), (1, "fail"));
}
