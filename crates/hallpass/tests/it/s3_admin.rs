//! `hallpass s3 admin`, against a strict stand-in of ours: no MinIO-compatible server can be had here.

use hallpass_testkit::servers::Scripted;
use hallpass_testkit::servers::minio_admin::{MinioAdmin, SECRET, TEMPORARY_KEY, TEMPORARY_SECRET, TEMPORARY_TOKEN};
use serde_json::Value;

use crate::alias::{config, with};
use crate::alias_schema::{fits, schema};
use crate::cli_world::{Said, World};

fn world(server: &MinioAdmin) -> World {
    let world = World::new();
    let stdin = format!("{}\n{}\n", TEMPORARY_SECRET, TEMPORARY_TOKEN);
    let set = ["alias", "set", "m", &server.url(), TEMPORARY_KEY, "--secrets-stdin", "--no-check"];
    assert_eq!(with(&world, &set, &[], &stdin).code, 0);
    world
}

/// Runs `s3 admin …` with `--json`; each line must keep to the schema.
fn lines(world: &World, args: &[&str], stdin: &str) -> Vec<Value> {
    let said = with(world, &[&["s3", "admin"], args, &["--json"]].concat(), &[], stdin);
    assert_eq!(said.code, 0, "{args:?}: {said:?}");
    let lines: Vec<Value> = said.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    for line in &lines {
        assert!(fits(&schema(), &schema(), line), "{line:#}");
    }
    lines.into_iter().map(|line| line["data"].clone()).collect()
}

fn admin(world: &World, args: &[&str]) -> Said {
    world.say(&[&["s3", "admin"], args].concat())
}

#[test]
fn users_groups_and_policies_are_managed_with_a_session_token() {
    let server = MinioAdmin::start().expect("starts");
    let world = world(&server);
    assert!(lines(&world, &["user", "list", "m"], "").is_empty());
    assert_eq!(
        lines(&world, &["user", "add", "m", "anna", "--secret-key-stdin"], "long-secret-1\n")[0]["action"],
        "add"
    );
    assert_eq!(server.state()["users"]["anna"]["secret"], "long-secret-1");
    lines(&world, &["user", "disable", "m", "anna"], "");
    assert_eq!(lines(&world, &["user", "info", "m", "anna"], "")[0]["status"], "disabled");
    lines(&world, &["user", "enable", "m", "anna"], "");
    lines(&world, &["group", "add", "m", "team", "anna"], "");
    assert_eq!(lines(&world, &["group", "list", "m"], "")[0]["name"], "team");
    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    lines(&world, &["policy", "create", "m", "reading", "-"], policy);
    assert_eq!(lines(&world, &["policy", "list", "m"], "").len(), 2);
    assert_eq!(lines(&world, &["policy", "info", "m", "reading"], "")[0]["document"]["Version"], "2012-10-17");
    let attached = lines(&world, &["policy", "attach", "m", "reading", "readwrite", "--user", "anna"], "");
    assert_eq!((attached.len(), &attached[0]["user"]), (2, &Value::from("anna")));
    assert_eq!(admin(&world, &["policy", "attach", "m", "reading", "--user", "anna"]).code, 6);
    lines(&world, &["policy", "attach", "m", "reading", "--group", "team"], "");
    assert_eq!(lines(&world, &["user", "list", "m"], "")[0]["policies"], serde_json::json!(["reading", "readwrite"]));
    lines(&world, &["policy", "detach", "m", "reading", "--user", "anna"], "");
    lines(&world, &["group", "disable", "m", "team"], "");
    assert_eq!(lines(&world, &["group", "info", "m", "team"], "")[0]["status"], "disabled");
    lines(&world, &["group", "enable", "m", "team"], "");
    assert_eq!(admin(&world, &["group", "remove", "m", "team"]).code, 6, "it is not empty");
    lines(&world, &["group", "remove", "m", "team", "anna"], "");
    lines(&world, &["group", "remove", "m", "team"], "");
    lines(&world, &["policy", "remove", "m", "reading"], "");
    lines(&world, &["user", "remove", "m", "anna"], "");
    assert_eq!(admin(&world, &["user", "remove", "m", "anna"]).code, 5);
    assert_eq!(admin(&world, &["policy", "info", "m", "reading"]).code, 5);
    assert!(server.state()["tokens_seen"].as_u64() > Some(20), "every request carried the token");
}

#[test]
fn service_accounts_info_and_heal() {
    let server = MinioAdmin::start().expect("starts");
    let world = world(&server);
    let end = "2999-01-01T00:00:00Z";
    let made = &lines(&world, &["service-account", "add", "m", "--name", "ci", "--expires-at", end], "")[0];
    let key = made["access_key"].as_str().expect("a key");
    assert_eq!(made["secret_key"], "made-by-the-server-0123456789", "told once");
    assert_eq!(lines(&world, &["service-account", "list", "m"], "")[0]["name"], "ci");
    lines(&world, &["service-account", "edit", "m", key, "--status", "off", "--secret-key-stdin"], "other-secret");
    assert_eq!(server.state()["accounts"][key]["secret"], "other-secret");
    let told = &lines(&world, &["service-account", "info", "m", key], "")[0];
    assert_eq!((&told["status"], &told["secret_key"]), (&Value::from("off"), &Value::Null));
    assert_eq!(admin(&world, &["service-account", "edit", "m", key]).code, 2, "nothing is to be changed");
    lines(&world, &["service-account", "remove", "m", key], "");
    assert_eq!(lines(&world, &["info", "m"], "")[0]["nodes"][0]["drives_ok"], 1);
    assert_eq!(lines(&world, &["heal", "m"], "")[0]["action"], "background");
    let begun = &lines(&world, &["heal", "m/data/a b", "--recursive"], "")[0];
    let token = begun["token"].as_str().expect("a token");
    assert_eq!(admin(&world, &["heal", "m/data/a b"]).code, 6);
    assert_eq!(lines(&world, &["heal", "m/data/a b", "--token", token], "")[0]["healed"], 1);
    lines(&world, &["heal", "m/data/a b", "--stop"], "");
    assert_eq!(admin(&world, &["heal", "m", "--recursive"]).code, 2);
}

#[test]
fn a_store_without_the_api_is_exit_status_7_and_a_right_is_explained_without_asking() {
    let (world, store) = (World::new(), Scripted::empty());
    world.ok(&["alias", "set", "m", &store.url(), "AK", "S", "--no-check"]);
    for args in [&["user", "list", "m"][..], &["user", "remove", "m", "x"], &["info", "m"], &["heal", "m"]] {
        let said = admin(&world, &[args, &["--json"]].concat());
        let error: Value = serde_json::from_str(&said.err).expect("JSON");
        assert_eq!((said.code, &error["error"]["type"]), (7, &Value::from("unsupported_feature")), "{args:?}");
        assert!(fits(&schema(), &schema(), &error), "{error}");
    }
    let asked = store.heard().len();
    let said = admin(&world, &["user", "remove", "m", "x", "--explain"]);
    assert!(said.code == 0 && said.out.contains("admin:DeleteUser"), "{said:?}");
    assert_eq!(store.heard().len(), asked, "nobody was asked");
    assert!(store.heard().iter().all(|heard| matches!(heard.method.as_str(), "GET")), "nothing was changed");
    world.ok(&[
        "alias",
        "set",
        "r",
        "https://s3.eu-west-1.amazonaws.com",
        "--role",
        "arn:aws:iam::111122223333:role/r",
    ]);
    assert_eq!(admin(&world, &["user", "list", "r"]).code, 7);
}

#[test]
fn no_secret_of_the_admin_group_is_shown_or_kept_outside_the_configuration() {
    let server = MinioAdmin::start().expect("starts");
    let world = world(&server);
    let own = "secret-of-a-user-that-must-never-be-shown";
    let runs: [&[&str]; 7] = [
        &["user", "add", "m", "anna", "--secret-key-stdin"],
        &["user", "add", "m", "anna", own],
        &["user", "list", "m"],
        &["service-account", "edit", "m", "nobody", "--secret-key-stdin"],
        &["user", "add", "m", "anna"],
        &["info", "m"],
        &["policy", "attach", "m", "readwrite", "--user", "anna"],
    ];
    let canaries = hallpass_testkit::canary::Canaries::default()
        .and("secret of the user", own)
        .and("secret key", TEMPORARY_SECRET)
        .and("token", TEMPORARY_TOKEN)
        .and("root secret", SECRET);
    for args in runs {
        for extra in [&["-vv"][..], &["-vv", "--json"]] {
            let variables = [("HALLPASS_LOG", "trace")];
            let said = with(&world, &[&["s3", "admin"], args, extra].concat(), &variables, own);
            let leaks = canaries.in_bytes("output", format!("{}{}", said.out, said.err).as_bytes());
            assert!(leaks.is_empty(), "{args:?}: {leaks:?}");
        }
    }
    server.expire();
    let said = admin(&world, &["user", "list", "m", "-vv"]);
    assert!(said.code == 4 && said.err.contains("the alias was removed"), "{said:?}");
    assert!(canaries.in_bytes("output", said.err.as_bytes()).is_empty(), "the server repeats the token");
    assert!(!config(&world).contains(TEMPORARY_TOKEN));
    for folder in [world.state(), world.work()] {
        assert!(canaries.in_folder(&folder).expect("reads").is_empty());
    }
}
