//! `hallpass demo`: the story with its end, in a home that is empty.

use serde_json::{Value, json};

use crate::cli_world::World;

#[test]
fn the_demo_keeps_its_promises_in_an_empty_home() {
    let said = World::new().say(&["demo"]);
    assert_eq!(said.code, 0, "{said:?}");
    for part in ["allowed", "refused", "AccessDenied", "session kill", "audit verify", "intact: "] {
        assert!(said.out.contains(part), "{part}: {said:?}");
    }
}

#[test]
fn the_demo_tells_its_end_as_one_json_object_and_its_story_beside_it() {
    let said = World::new().say(&["--json", "demo"]);
    let ending: Value = serde_json::from_str(&said.out).expect("one JSON object");
    assert_eq!((said.code, &ending["schema_version"]), (0, &json!(1)), "{said:?}");
    assert_eq!((&ending["allowed"], &ending["refused"]), (&json!(2), &json!(2)));
    assert_eq!((&ending["killed"], &ending["intact"]), (&json!(true), &json!(true)));
    assert!(ending["store"].is_null() && said.err.contains("audit verify"), "{said:?}");
}
