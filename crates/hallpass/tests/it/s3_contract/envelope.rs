//! JSON keeps to the published schema, by the word of a validator that is not ours (`jsonschema` of Python).

use std::collections::BTreeSet;
use std::path::Path;

use hallpass_testkit::clients::{bare, python, run};
use hallpass_testkit::servers::Scripted;
use serde_json::Value;

use super::store::Shop;
use crate::alias::with;
use crate::alias_schema::schema;
use crate::cli_world::World;

const VALIDATE: &str = r#"
import json, sys
import jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
count = 0
for line in open(sys.argv[2]):
    validator.validate(json.loads(line))
    count += 1
print(count)
"#;

/// Families that the schema describes.
pub(super) fn published() -> BTreeSet<String> {
    let schema = schema();
    let rules = schema["allOf"].as_array().expect("rules");
    let of = |rule: &Value| rule.pointer("/if/properties/type/const").and_then(Value::as_str).map(str::to_owned);
    rules.iter().filter_map(of).collect()
}

fn commands() -> Vec<Vec<&'static str>> {
    let all: [&[&str]; 25] = [
        &["alias", "list"],
        &["alias", "test", "m"],
        &["alias", "set", "n", "http://h", "--anonymous", "--no-check"],
        &["alias", "rename", "n", "o"],
        &["alias", "export", "o"],
        &["alias", "remove", "o"],
        &["alias", "remove", "o"],
        &["alias", "nonsense"],
        &["s3", "nonsense"],
        &["s3", "ls"],
        &["s3", "ls", "m"],
        &["s3", "ls", "@", "--recursive", "--summarize"],
        &["s3", "ls", "@", "--versions"],
        &["s3", "ls", "@/nothing"],
        &["s3", "ls", "m/UPPER..case"],
        &["s3", "ls", "@", "--explain"],
        &["s3", "stat", "@"],
        &["s3", "stat", "@/a", "--tags"],
        &["s3", "stat", "@/nothing"],
        &["s3", "cat", "@/nothing"],
        &["s3", "which", "@/a"],
        &["s3", "which", "./a"],
        &["s3", "admin", "info", "m"],
        &["s3", "ls", "down/data"],
        &["s3", "ls", "dead/data"],
    ];
    all.iter().map(|args| args.to_vec()).collect()
}

#[test]
fn every_line_of_json_keeps_to_its_schema_by_the_word_of_another_validator() {
    let shop = Shop::new();
    shop.put("a", "alpha");
    shop.put("ü/b c", "beta");
    let dead = Scripted::refusing(400, "ExpiredToken");
    let expired = dead.url().replace("http://", "http://k:s:t@");
    let variables = [("HALLPASS_HOST_down", "http://k:s@127.0.0.1:9"), ("HALLPASS_HOST_dead", expired.as_str())];
    let (mut lines, mut families) = (Vec::new(), BTreeSet::new());
    for args in commands() {
        let args: Vec<String> = args.iter().map(|arg| arg.replace('@', &format!("m/{}", shop.bucket))).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).chain(["--json"]).collect();
        let said = with(&shop.world, &args, &variables, "");
        let text = if said.code == 0 { &said.out } else { &said.err };
        let found: Vec<_> = text.lines().filter(|line| line.starts_with('{')).map(str::to_owned).collect();
        assert!(!found.is_empty(), "{args:?} says nothing in JSON: {said:?}");
        for line in &found {
            let value: Value = serde_json::from_str(line).expect("JSON");
            assert_eq!(value["status"], if said.code == 0 { "success" } else { "error" }, "{args:?}: {line}");
            if said.code == 0 {
                families.insert(value["type"].as_str().expect("a family").to_owned());
            }
        }
        lines.extend(found);
    }
    all_keep_to_the_schema(&shop.world, &lines);
    let published = published();
    let unknown: Vec<_> = families.iter().filter(|family| !published.contains(*family)).collect();
    assert!(unknown.is_empty(), "the schema does not describe {unknown:?}");
}

/// Asks the other validator.
pub(super) fn all_keep_to_the_schema(world: &World, lines: &[String]) {
    let path = world.file("work/lines", &(lines.join("\n") + "\n"));
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/output_v2.json");
    let mut validate = bare(python());
    let counted = run(validate.args(["-c", VALIDATE]).arg(schema).arg(path)).succeeded();
    assert_eq!(counted.trim(), lines.len().to_string());
}
