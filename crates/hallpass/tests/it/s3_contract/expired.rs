//! A dead token on every command: exit status 4, whatever the command asks first; the alias goes if it is ours to remove.

use hallpass_testkit::servers::Scripted;
use serde_json::Value;

use super::tree::leaves;
use crate::alias::{config, with};
use crate::cli_world::World;

/// Every leaf with arguments that make it ask the store; `@` is the alias.
pub(super) const CASES: &[(&str, &[&str])] = &[
    ("admin group add", &["@", "team", "anna"]),
    ("admin group disable", &["@", "team"]),
    ("admin group enable", &["@", "team"]),
    ("admin group info", &["@", "team"]),
    ("admin group list", &["@"]),
    ("admin group remove", &["@", "team"]),
    ("admin heal", &["@/data"]),
    ("admin info", &["@"]),
    ("admin policy attach", &["@", "p", "--user", "anna"]),
    ("admin policy create", &["@", "p", "policy.json"]),
    ("admin policy detach", &["@", "p", "--group", "team"]),
    ("admin policy info", &["@", "p"]),
    ("admin policy list", &["@"]),
    ("admin policy remove", &["@", "p"]),
    ("admin service-account add", &["@"]),
    ("admin service-account edit", &["@", "KEY", "--status", "off"]),
    ("admin service-account info", &["@", "KEY"]),
    ("admin service-account list", &["@"]),
    ("admin service-account remove", &["@", "KEY"]),
    ("admin user add", &["@", "anna", "--secret-key-stdin"]),
    ("admin user disable", &["@", "anna"]),
    ("admin user enable", &["@", "anna"]),
    ("admin user info", &["@", "anna"]),
    ("admin user list", &["@"]),
    ("admin user remove", &["@", "anna"]),
    ("cat", &["@/data/a"]),
    ("cors get", &["@/data"]),
    ("cors remove", &["@/data"]),
    ("cors set", &["@/data", "cors.json"]),
    ("cp", &["@/data/a", "./here"]),
    ("diff", &["@/data/a/", "./folder"]),
    ("du", &["@/data"]),
    ("find", &["@/data"]),
    ("head", &["@/data/a"]),
    ("legal-hold clear", &["@/data/a"]),
    ("legal-hold info", &["@/data/a"]),
    ("legal-hold set", &["@/data/a"]),
    ("lifecycle export", &["@/data"]),
    ("lifecycle import", &["@/data", "lifecycle.json"]),
    ("lifecycle rule add", &["@/data", "--id", "r", "--expire-days", "3"]),
    ("lifecycle rule ls", &["@/data"]),
    ("lifecycle rule rm", &["@/data", "--id", "r"]),
    ("ls", &["@/data"]),
    ("mb", &["@/data"]),
    ("mirror", &["./folder", "@/data/a"]),
    ("mv", &["@/data/a", "@/data/b"]),
    ("pipe", &["@/data/a"]),
    ("policy get", &["@/data"]),
    ("policy set", &["download", "@/data"]),
    ("rb", &["@/data"]),
    ("retention clear", &["@/data/a"]),
    ("retention info", &["@/data/a"]),
    ("retention set", &["@/data/a", "--mode", "governance", "--for", "1d"]),
    ("rm", &["@/data/a"]),
    ("run", &["batch"]),
    ("stat", &["@/data/a"]),
    ("tag list", &["@/data/a"]),
    ("tag remove", &["@/data/a"]),
    ("tag set", &["@/data/a", "k=v"]),
    ("tree", &["@/data"]),
    ("version enable", &["@/data"]),
    ("version info", &["@/data"]),
    ("version suspend", &["@/data"]),
];
/// Leaves that ask no store: `which` looks at this machine, and an URL is signed without anybody's help.
pub(super) const OFFLINE: &[&str] = &["share download", "share upload", "which"];

/// What the alias holds.
pub(super) const SECRET: &str = "secret/of+the+alias+that+is+never+shown";
/// See [`SECRET`].
pub(super) const TOKEN: &str = "token/of+the+alias+that+is+never+shown==";

const LIFECYCLE: &str = r#"{"Rules":[{"ID":"r","Status":"Enabled","Filter":{"Prefix":""},"Expiration":{"Days":3}}]}"#;
const CORS: &str = r#"{"CORSRules":[{"AllowedMethods":["GET"],"AllowedOrigins":["*"]}]}"#;

/// A world with the files that commands want, and the alias `m` of that store in the user's file.
pub(super) fn world(url: &str, alias: &str) -> World {
    let world = World::new();
    world.file("work/policy.json", r#"{"Version":"2012-10-17","Statement":[]}"#);
    world.file("work/cors.json", CORS);
    world.file("work/lifecycle.json", LIFECYCLE);
    world.file("work/folder/a", "bytes");
    world.file("work/batch", &format!("ls {alias}/data\n"));
    let text = format!(
        "schema_version = 2\n\n[[aliases]]\nname = \"m\"\nendpoint = \"{url}\"\naccess_key = \"ASIAK\"\nsecret_key = \
         \"{SECRET}\"\nsession_token = \"{TOKEN}\"\n"
    );
    let path = world.file("home/.config/hallpass/config.toml", &text);
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(path, private).expect("permissions");
    world
}

pub(super) fn arguments(leaf: &str, args: &[&str], alias: &str) -> Vec<String> {
    let words = std::iter::once("s3").chain(leaf.split(' ')).chain(args.iter().copied());
    words.map(|word| word.replace('@', alias)).chain(["--json".to_owned()]).collect()
}

/// The last line on stderr that is a failure's envelope.
fn failure(err: &str) -> Value {
    let lines = err.lines().rev();
    lines.filter_map(|line| serde_json::from_str(line).ok()).next().unwrap_or_default()
}

#[test]
fn no_leaf_is_forgotten() {
    let known = |leaf: &String| CASES.iter().any(|(name, _)| name == leaf) || OFFLINE.contains(&leaf.as_str());
    let forgotten: Vec<_> = leaves().iter().filter(|leaf| !known(leaf)).collect();
    assert!(forgotten.is_empty(), "say in CASES how these ask a store: {forgotten:?}");
}

#[test]
fn an_expired_token_is_exit_status_4_on_every_command_and_the_alias_is_pruned() {
    for code in ["ExpiredToken", "InvalidToken"] {
        let store = Scripted::refusing(400, code);
        for (leaf, args) in CASES.iter().filter(|(leaf, _)| leaves().contains(*leaf)) {
            let world = world(&store.url(), "m");
            let args = arguments(leaf, args, "m");
            let said = with(&world, &args.iter().map(String::as_str).collect::<Vec<_>>(), &[], "long-secret\n");
            assert_eq!(said.code, 4, "{leaf}: {said:?}");
            let error = &failure(&said.err)["error"];
            assert_eq!(
                (&error["type"], &error["code"]),
                (&"auth_error".into(), &"ExpiredToken".into()),
                "{leaf}: {said:?}"
            );
            assert_eq!(error["retryable"], false, "{leaf}");
            assert!(!config(&world).contains("\"m\""), "{leaf}: the dead alias is still there: {said:?}");
            assert!(said.err.contains("the alias was removed"), "{leaf}: {said:?}");
        }
    }
}

#[test]
fn with_an_environment_alias_the_exit_status_is_the_same_and_nothing_is_pruned() {
    let store = Scripted::refusing(403, "ExpiredToken");
    let variable = store.url().replace("http://", "http://ASIAK:secret:token@");
    for (leaf, args) in CASES.iter().filter(|(leaf, _)| leaves().contains(*leaf)) {
        let world = world("http://127.0.0.1:9", "e");
        let before = config(&world);
        let args = arguments(leaf, args, "e");
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        let said = with(&world, &args, &[("HALLPASS_HOST_e", &variable)], "long-secret\n");
        assert_eq!(said.code, 4, "{leaf}: {said:?}");
        assert_eq!(config(&world), before, "{leaf}");
    }
}
