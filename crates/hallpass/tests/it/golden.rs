//! What alias commands print, word for word. `UPDATE_GOLDEN=1 cargo test --features golden` writes the files anew; look at
//! the difference before it is committed.

use std::path::Path;

use hallpass_testkit::servers::Scripted;
use serde_json::Value;

use crate::alias::with;
use crate::alias_schema::{fits, schema};
use crate::cli_world::World;

const VARIABLES: [(&str, &str); 3] = [
    ("HALLPASS_HOST_env", "https://AK:s%2Fecret@store.example.com:9000?session_token=token"),
    ("MC_HOST_broken", "http://key@store.example.com"),
    ("RC_HOST_minio", "http://127.0.0.1:9000"),
];

#[expect(clippy::disallowed_methods, reason = "a test decides by it whether to write")]
fn updates() -> bool {
    std::env::var("UPDATE_GOLDEN").is_ok_and(|value| value == "1")
}

fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if updates() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, text).expect("written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, kept, "{name} has changed; if that is right, run with UPDATE_GOLDEN=1");
}

#[test]
fn alias_output_is_as_published() {
    let world = World::new();
    let store = Scripted::empty();
    let answers = store.url().replace("http://", "http://AK:SK:T@");
    let steps: &[(&str, &[&str])] = &[
        ("alias_set", &["alias", "set", "--no-check", "minio", "http://127.0.0.1:9000", "AK", "SK", "--path-style"]),
        (
            "alias_set_temporary",
            &["alias", "set", "--no-check", "ci", "https://s3.example.com", "ASIAX", "SK", "--session-token", "T"],
        ),
        (
            "alias_set_profile",
            &[
                "alias",
                "set",
                "lake",
                "https://s3.eu-west-1.amazonaws.com",
                "--region",
                "eu-west-1",
                "--profile",
                "analyst",
                "--no-check",
            ],
        ),
        ("alias_list", &["alias", "list"]),
        ("alias_test", &["alias", "test", "answers"]),
        ("alias_test_broken", &["alias", "test", "broken"]),
        ("alias_export", &["alias", "export"]),
        ("alias_rename", &["alias", "rename", "lake", "lake-2"]),
        ("alias_remove_missing", &["alias", "remove", "nobody"]),
        ("alias_remove", &["alias", "remove", "minio", "ci", "lake-2"]),
    ];
    for (name, args) in steps {
        // The port of the one that answers changes from run to run, so it is there only where it must be.
        let mut variables = VARIABLES.to_vec();
        if *name == "alias_test" {
            variables.push(("HALLPASS_HOST_answers", &answers));
        }
        let json = with(&world, &[*args, &["--json", "--quiet"]].concat(), &variables, "");
        let text = if json.code == 0 { json.out } else { json.err };
        let value: Value = serde_json::from_str(&text).expect("JSON");
        assert!(fits(&schema(), &schema(), &value), "{value:#}");
        golden(&format!("{name}.json"), &format!("{value:#}\n").replace(&store.url(), "http://127.0.0.1:9000"));
    }
    let list = with(&world, &["alias", "list"], &VARIABLES, "");
    golden("alias_list.txt", &list.out);
}
