//! Every JSON answer of `hallpass alias` keeps to `schemas/output_v2.json`.

use hallpass_testkit::servers::Scripted;
use serde_json::Value;

use crate::alias::with;
use crate::cli_world::World;

/// The schema of the repository.
pub(crate) fn schema() -> Value {
    serde_json::from_str(include_str!("../../../../schemas/output_v2.json")).expect("the schema is JSON")
}

/// True when `value` keeps to `rule`, as far as the words go that our schema uses; an unknown word is a failure.
pub(crate) fn fits(root: &Value, rule: &Value, value: &Value) -> bool {
    rule.as_object().expect("a schema").iter().all(|(word, says)| match word.as_str() {
        "$schema" | "title" | "description" | "$defs" | "then" => true,
        "$ref" => {
            let name = says.as_str().expect("text").trim_start_matches('#');
            fits(root, root.pointer(name).expect("defined"), value)
        }
        "type" => {
            let is = |kind: &Value| match kind.as_str().expect("text") {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "integer" => value.is_i64(),
                "null" => value.is_null(),
                other => unreachable!("the test does not know the type `{other}`"),
            };
            says.as_array().map_or_else(|| is(says), |kinds| kinds.iter().any(is))
        }
        "const" => value == says,
        "enum" => says.as_array().expect("a list").contains(value),
        "required" => {
            says.as_array().expect("a list").iter().all(|key| value.get(key.as_str().expect("text")).is_some())
        }
        "properties" => {
            let rules = says.as_object().expect("rules");
            rules.iter().all(|(key, rule)| value.get(key).is_none_or(|value| fits(root, rule, value)))
        }
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| fits(root, says, item))),
        "oneOf" => says.as_array().expect("a list").iter().filter(|rule| fits(root, rule, value)).count() == 1,
        "allOf" => says.as_array().expect("a list").iter().all(|rule| fits(root, rule, value)),
        "if" => !fits(root, says, value) || rule.get("then").is_none_or(|then| fits(root, then, value)),
        other => unreachable!("the test does not know `{other}`"),
    })
}

fn assert_fits(value: &Value) {
    let schema = schema();
    assert!(fits(&schema, &schema, value), "{value:#}");
}

#[test]
fn the_schema_has_the_session_token_masked_in_alias_info() {
    let token = &schema()["$defs"]["aliasInfo"]["properties"]["session_token"];
    assert_eq!(token["enum"], serde_json::json!(["***REDACTED***", null]));
    let mut listed = World::new().json(&["alias", "list"]);
    assert_fits(&listed);
    listed["data"]["aliases"][0]["session_token"] = "a real one".into();
    assert!(!fits(&schema(), &schema(), &listed), "the test would not notice a token");
}

#[test]
fn every_answer_keeps_to_the_schema() {
    let world = World::new();
    std::fs::create_dir(world.work().join("m")).expect("a folder");
    let file = world.work().join("out.toml");
    let file = file.to_str().expect("text");
    let store = Scripted::empty();
    let tested = store.url().replace("http://", "http://k:s:t@");
    let variables = [
        ("HALLPASS_HOST_v", "http://k:s@h?session_token=t"),
        ("HALLPASS_HOST_s", &tested),
        ("MC_HOST_bad", "http://k@h"),
    ];
    let answers: &[&[&str]] = &[
        &[
            "alias",
            "set",
            "--no-check",
            "m",
            "http://h",
            "AK",
            "S",
            "--session-token",
            "T",
            "--expires-at",
            "2999-01-01T00:00:00Z",
        ],
        &["alias", "set", "--no-check", "r", "http://h", "--role", "arn:aws:iam::111122223333:role/r"],
        &["alias", "set", "--no-check", "c", "http://h", "--credential-process", "echo {}"],
        &["alias", "list"],
        &["alias", "test", "s"],
        &["alias", "rename", "r", "q"],
        &["alias", "export"],
        &["alias", "export", "m", "--include-secrets", "--yes", "--output", file],
        &["alias", "import", file],
        &["alias", "remove", "q"],
        &["s3", "which", "./m"],
        &["s3", "which", "-"],
        &["s3", "which", "v/bucket/key"],
    ];
    let failures: &[(&[&str], i32)] = &[
        (&["alias", "set", "--no-check", "aws", "http://h", "--anonymous"], 2),
        (&["alias", "remove", "nobody"], 5),
        (&["alias", "remove", "aws"], 6),
        (&["alias", "rename", "m", "m m"], 2),
        (&["alias", "sett"], 2),
        (&["s3", "which"], 2),
        (&["alias", "test", "bad"], 2),
        (&["alias", "test", "c"], 4),
        (&["alias", "export", "m", "--output", file], 6),
        (&["alias", "import", "nofile"], 5),
        (&["s3", "which", "m/bucket"], 2),
        (&["s3", "which", "bad/bucket"], 2),
        (&["s3", "which", "nothing/here"], 5),
    ];
    for args in answers {
        let said = with(&world, &[*args, &["--json"]].concat(), &variables, "");
        assert_eq!(said.code, 0, "{args:?}: {said:?}");
        assert_fits(&serde_json::from_str(&said.out).expect("JSON"));
    }
    for (args, code) in failures {
        let said = with(&world, &[*args, &["--json"]].concat(), &variables, "");
        assert_eq!((said.code, said.out.as_str()), (*code, ""), "{args:?}: {said:?}");
        let answer: Value = serde_json::from_str(&said.err).expect("JSON");
        assert_fits(&answer);
        assert_eq!(answer["error"]["exit_code"], *code, "{answer}");
    }
}
