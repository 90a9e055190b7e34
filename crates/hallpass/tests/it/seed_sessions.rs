//! The request that sessions in the S3 client began with ("AWS temporary session based interactions"): each of its
//! requirements and acceptance criteria, one test each, named after it.

use std::path::Path;
use std::process::Command;

use hallpass_core::secret::Secret;
use hallpass_s3::alias::{Addressing, Alias, CredentialsSource, StaticCredentials};
use hallpass_testkit::servers::Scripted;
use hallpass_testkit::servers::scripted::Reply;
use serde_json::Value;

use crate::alias::{config, with};
use crate::cli_world::{Said, World};

const TOKEN: &str = "the-session-token-of-the-seed";

fn set(world: &World, url: &str) {
    let set = ["alias", "set", "work", url, "ASIAK", "--secrets-stdin", "--no-check"];
    assert_eq!(with(world, &set, &[], &format!("secret\n{TOKEN}\n")).code, 0);
}

fn expired() -> (World, Scripted) {
    let (world, store) = (World::new(), Scripted::refusing(400, "ExpiredToken"));
    set(&world, &store.url());
    (world, store)
}

fn listed(world: &World) -> Said {
    world.say(&["s3", "ls", "work/data"])
}

#[test]
fn requirement_core_alias_updates_the_token_is_optional_and_older_files_load() {
    let world = World::new();
    let old = "schema_version = 1\n\n[[aliases]]\nname = \"work\"\nendpoint = \"http://h\"\naccess_key = \"AK\"\nsecret_key = \
               \"SK\"\n";
    world.file("home/.config/hallpass/config.toml", old);
    let alias = &world.json(&["alias", "list"])["data"]["aliases"][0];
    assert_eq!((&alias["kind"], &alias["session_token"]), (&"static".into(), &Value::Null));
}

#[test]
fn requirement_security_debug_of_an_alias_scrubs_token_and_secret_key() {
    let keys = StaticCredentials {
        access_key_id: "AK".to_owned(),
        secret_access_key: Secret::new("the-secret"),
        session_token: Some(Secret::new(TOKEN)),
        expires_at: None,
    };
    let alias = Alias {
        name: "work".to_owned(),
        endpoint: "http://h".to_owned(),
        region: "us-east-1".to_owned(),
        addressing: Addressing::Auto,
        credentials: CredentialsSource::Static(keys),
    };
    for text in [format!("{alias:?}"), format!("{alias:#?}")] {
        assert!(!text.contains("the-secret") && !text.contains(TOKEN), "{text}");
        assert_eq!(text.matches("***REDACTED***").count(), 2, "{text}");
    }
}

#[test]
fn requirement_credential_injection_both_clients_send_and_sign_the_token() {
    let store = Scripted::start(|_| Reply::refusal(403, "AccessDenied"));
    let world = World::new();
    set(&world, &store.url());
    listed(&world);
    world.say(&["s3", "admin", "info", "work"]);
    let heard = store.heard();
    assert!(heard[0].target.starts_with("/data") && heard[1].target.starts_with("/minio/admin/"), "{heard:?}");
    for request in heard {
        assert_eq!(request.header("x-amz-security-token"), TOKEN);
        assert!(request.header("authorization").contains("x-amz-security-token"), "{request:?}");
    }
}

#[test]
fn requirement_error_handling_expired_and_invalid_tokens_are_one_error() {
    for (code, status) in [("ExpiredToken", 400), ("ExpiredToken", 403), ("InvalidToken", 400)] {
        let (world, store) = (World::new(), Scripted::refusing(status, code));
        set(&world, &store.url());
        let said = world.say(&["s3", "ls", "work/data", "--no-prune", "--json"]);
        let error: Value = serde_json::from_str(&said.err).expect("JSON");
        assert_eq!((said.code, &error["error"]["code"]), (4, &"ExpiredToken".into()), "{code}: {said:?}");
    }
}

#[test]
fn requirement_cli_auto_pruning_says_so_removes_the_alias_and_ends() {
    let (world, _store) = expired();
    let said = listed(&world);
    assert!(said.code == 4 && said.err.contains("`work` has expired: the alias was removed"), "{said:?}");
    assert!(!config(&world).contains("work"), "{}", config(&world));
    assert_eq!(listed(&world).code, 5, "it is gone for the next command");
}

#[test]
fn criterion_alias_set_supports_session_token() {
    let world = World::new();
    world.ok(&["alias", "set", "work", "http://h", "ASIAK", "SK", "--session-token", TOKEN, "--no-check"]);
    assert!(config(&world).contains(&format!("session_token = \"{TOKEN}\"")), "{}", config(&world));
}

#[test]
fn criterion_configuration_changes_bump_schema_version_with_a_migration_path() {
    let world = World::new();
    let old = "# mine\nschema_version = 1\n";
    let path = world.file("home/.config/hallpass/config.toml", old);
    set(&world, "http://h");
    assert!(config(&world).contains("schema_version = 2") && config(&world).contains("# mine"), "{}", config(&world));
    assert_eq!(std::fs::read_to_string(path.with_file_name("config.toml.v1.bak")).expect("a backup"), old);
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../s3/src/alias/migrations");
    assert!(migrations.join("v1_to_v2.rs").is_file());
}

#[test]
fn criterion_output_v2_has_the_session_token_in_alias_info() {
    let schema = crate::alias_schema::schema();
    let info = &schema["$defs"]["aliasInfo"];
    assert!(info["required"].as_array().expect("a list").contains(&"session_token".into()));
    assert_eq!(info["properties"]["session_token"]["enum"], serde_json::json!(["***REDACTED***", null]));
}

#[test]
fn criterion_static_credentials_work_without_a_token() {
    let (world, store) = (World::new(), Scripted::empty());
    world.ok(&["alias", "set", "work", &store.url(), "AK", "SK"]);
    world.ok(&["s3", "ls", "work"]);
    for request in store.heard() {
        assert_eq!(request.header("x-amz-security-token"), "");
        assert!(request.header("authorization").starts_with("AWS4-HMAC-SHA256 Credential=AK/"), "{request:?}");
    }
    let refusing = Scripted::refusing(403, "InvalidAccessKeyId");
    world.ok(&["alias", "set", "work", &refusing.url(), "AK", "SK", "--no-check"]);
    assert_eq!(listed(&world).code, 4);
    assert!(config(&world).contains("work"), "keys without a token are never pruned");
}

#[test]
fn criterion_an_expired_token_is_warned_of_the_alias_deleted_and_the_exit_code_4() {
    let (world, _store) = expired();
    // HEAD first: its answer has no body, and says nothing about tokens.
    let said = world.say(&["s3", "stat", "work/data/key"]);
    assert!(said.code == 4 && said.err.contains("warning:") && said.err.contains("hallpass alias set"), "{said:?}");
    assert!(!config(&world).contains("work"));
}

#[test]
fn criterion_debug_and_verbose_logs_mask_the_token() {
    let (world, _store) = expired();
    for command in [&["s3", "ls", "work/data", "--no-prune"][..], &["alias", "list"], &["alias", "test", "work"]] {
        for flags in [&["-v"][..], &["-vv"], &["-vv", "--json"]] {
            let said = with(&world, &[command, flags].concat(), &[("HALLPASS_LOG", "trace")], "");
            assert!(!said.err.contains(TOKEN) && !said.out.contains(TOKEN), "{said:?}");
        }
    }
    set(&world, "http://h");
    assert!(world.ok(&["alias", "list", "--json"]).contains("\"session_token\":\"***REDACTED***\""));
}

#[test]
fn criterion_golden_files_are_there_and_mask_the_token() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let text = std::fs::read_to_string(folder.join("alias_set_temporary.json")).expect("a golden file");
    assert!(text.contains("\"session_token\": \"***REDACTED***\""), "{text}");
    let manifest = include_str!("../../Cargo.toml");
    assert!(manifest.contains("\ngolden = []") && manifest.contains("UPDATE_GOLDEN=1 cargo test --features golden"));
}

#[test]
fn criterion_pre_commit_checks_formatting_passes_and_lints_are_denied() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let done = Command::new(env!("CARGO")).args(["fmt", "--all", "--check"]).current_dir(root).output().expect("runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    // Clippy itself would wait for the build that this test is part of: `cargo xtask check` runs it.
    let checks = include_str!("../../../../xtask/src/checks.rs");
    assert!(checks.contains(r#"["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]"#));
}
